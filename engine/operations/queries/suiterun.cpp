#include "engine/operations/queries/suiterun.h"

#include "engine/base/file.h"
#include "engine/operations/queries/datahome.h"

#include <QCryptographicHash>
#include <QFile>
#include <QFileInfo>
#include <QJsonDocument>
#include <QJsonObject>
#include <algorithm>

namespace sluice::ops {

namespace {

/// The judged turn's answer, its session filled by the turns before it.
Result<Answer> answerTo(const TestCase& one, AnswerSource& source)
{
    Session session;
    session.id = makeSessionId();
    const bool single = one.turns.size() == 1;
    for (std::size_t turn = 0; turn + 1 < one.turns.size(); ++turn) {
        if (auto before = source.ask(one.turns[turn], session, ContextUse::Use); !before) {
            return before.error();
        }
    }
    auto reply = source.ask(one.query(), session, single ? ContextUse::None : ContextUse::ReadOnly);
    if (!reply) {
        return reply.error();
    }
    return std::move(reply->answer);
}

} // namespace

std::size_t SuiteResult::failed() const
{
    return std::size_t(std::count_if(
        cases.begin(), cases.end(), [](const CaseResult& one) { return !one.passed(); }));
}

std::size_t SuiteResult::newlyFailing() const
{
    return std::size_t(std::count_if(
        cases.begin(), cases.end(), [](const CaseResult& one) { return one.newlyFailing; }));
}

Result<SuiteResult> runSuite(const TestSuite& suite, AnswerSource& source,
    const std::function<void(std::size_t)>& progress, const std::atomic<bool>* cancel)
{
    SuiteResult result;
    auto facts = source.facts();
    if (!facts) {
        return facts.error();
    }
    result.facts = std::move(*facts);
    for (const TestCase& one : suite.cases) {
        if (cancel != nullptr && cancel->load(std::memory_order_relaxed)) {
            return cancelledError("The suite was stopped.");
        }
        CaseResult judged{one.id, one.query().text, {}, Verdict::Fallback, {}, 0, false};
        const auto answer = answerTo(one, source);
        if (answer) {
            judged.why = mismatch(one.expected, *answer);
            judged.verdict = answer->verdict;
            if (!answer->candidates.empty()) {
                judged.intent = answer->candidates.front().intent;
                judged.confidence = answer->candidates.front().confidence;
            }
        } else if (answer.error().kind == ErrorKind::Unreachable) {
            return answer.error();
        } else {
            judged.why = answer.error().text();
        }
        result.cases.push_back(std::move(judged));
        if (progress) {
            progress(result.cases.size());
        }
    }
    return result;
}

void compareWith(SuiteResult& result, const Baseline& before)
{
    result.hasBaseline = true;
    for (CaseResult& one : result.cases) {
        const auto known = before.find(one.id);
        one.newlyFailing = !one.passed() && known != before.end() && known->second;
    }
}

SuiteMemory::SuiteMemory(const QString& folder)
    : m_folder(folder.isEmpty() ? dataHome() + QStringLiteral("/suites") : folder)
{ }

QString SuiteMemory::fileOf(const QString& suite, const QString& target) const
{
    const QString name = QFileInfo(suite).absoluteFilePath() + QChar(u'\n') + target;
    const QByteArray hash =
        QCryptographicHash::hash(name.toUtf8(), QCryptographicHash::Sha256).toHex().left(24);
    return m_folder + QChar(u'/') + QString::fromLatin1(hash) + QStringLiteral(".json");
}

std::optional<Baseline> SuiteMemory::last(const QString& suite, const QString& target) const
{
    QFile file(fileOf(suite, target));
    if (!file.open(QIODevice::ReadOnly)) {
        return std::nullopt;
    }
    const QJsonObject cases =
        QJsonDocument::fromJson(file.readAll()).object()[QLatin1StringView("cases")].toObject();
    Baseline baseline;
    for (auto it = cases.begin(); it != cases.end(); ++it) {
        baseline[it.key().toStdString()] = it.value().toBool();
    }
    return baseline;
}

Result<void> SuiteMemory::keep(
    const QString& suite, const QString& target, const SuiteResult& result) const
{
    if (auto made = ensureWritableFolder(m_folder.toStdString()); !made) {
        return made;
    }
    QJsonObject cases;
    for (const CaseResult& one : result.cases) {
        cases[QString::fromStdString(one.id)] = one.passed();
    }
    const QJsonObject object{{QStringLiteral("suite"), suite}, {QStringLiteral("target"), target},
        {QStringLiteral("model"), result.facts.model}, {QStringLiteral("cases"), cases}};
    return writeFileAtomically(fileOf(suite, target).toStdString(),
        QJsonDocument(object).toJson(QJsonDocument::Indented).toStdString());
}

} // namespace sluice::ops

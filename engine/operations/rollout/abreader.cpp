#include "engine/operations/rollout/abreader.h"

#include "engine/classification/text/normaliser.h"
#include "engine/classification/thresholds/decisionrow.h"
#include "engine/operations/rollout/streamrows.h"

#include <QJsonDocument>

namespace sluice::ops {

namespace {

QString text(std::string_view view)
{
    return QString::fromUtf8(view.data(), qsizetype(view.size()));
}

} // namespace

Result<PoolDecision> decisionFromRow(const QByteArray& row)
{
    const auto read =
        DecisionRow::fromJson({row.constData(), std::size_t(row.size())}, "sluice:decisions");
    if (!read) {
        return read.error();
    }
    PoolDecision made;
    made.id = text(read->id);
    made.session = text(read->session);
    made.pool = text(read->pool);
    made.query = read->query.empty() ? QString() : text(normalise(read->query));
    made.verdict = text(toString(read->verdict));
    made.decision = made.verdict;
    if (!read->top.empty()) {
        made.confidence = double(read->top.front().confidence);
        if (read->verdict != Verdict::Fallback) {
            made.decision += u' ' + text(read->top.front().intent);
        }
    }
    made.ms = read->milliseconds;
    return made;
}

std::optional<PoolFeedback> feedbackFromRow(const QByteArray& row)
{
    const QJsonObject object = QJsonDocument::fromJson(row).object();
    PoolFeedback made;
    made.kind = object[QLatin1StringView("kind")].toString();
    made.pool = object[QLatin1StringView("pool")].toString();
    made.request = object[QLatin1StringView("request")].toString();
    made.session = object[QLatin1StringView("session")].toString();
    if (object.contains(QLatin1StringView("latency_ms"))) {
        made.latencyMs = object[QLatin1StringView("latency_ms")].toDouble();
    }
    return made.kind.isEmpty() ? std::nullopt : std::optional(made);
}

void readAbRows(RedisClient* redis, qint64 fromMs, qint64 toMs, QObject* context,
    std::function<void(Result<std::shared_ptr<AbRows>>)> answered)
{
    auto rows = std::make_shared<AbRows>();
    const auto said = [rows, answered](const Result<qsizetype>& read) {
        if (!read) {
            answered(read.error());
            return;
        }
        rows->isWhole = rows->isWhole && *read < mostAbRows;
        answered(rows);
    };
    const auto decided = [=](const Result<qsizetype>& read) {
        if (!read) {
            answered(read.error());
            return;
        }
        rows->isWhole = *read < mostAbRows;
        readRows(
            redis, {"sluice:feedback", QByteArray::number(fromMs), "+", mostAbRows}, context,
            [rows](const QByteArray& row, qint64) {
                if (const auto one = feedbackFromRow(row)) {
                    rows->feedback.push_back(*one);
                }
            },
            said);
    };
    readRows(
        redis,
        {"sluice:decisions", QByteArray::number(fromMs), QByteArray::number(toMs), mostAbRows},
        context,
        [rows](const QByteArray& row, qint64 atMs) {
            auto one = decisionFromRow(row);
            if (one) {
                one->atMs = atMs;
                rows->decisions.push_back(std::move(*one));
            } else {
                ++rows->damaged;
            }
        },
        decided);
}

} // namespace sluice::ops

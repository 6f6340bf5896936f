#include "engine/base/file.h"
#include "engine/classification/classifier.h"
#include "tests/support/testcase.h"

#include <QTest>
#include <fmt/format.h>
#include <fstream>
#include <sstream>

using namespace sluice;

/// 2,000 decisions of the bundled engine, as they were when golden/decisions.tsv was last renewed.
/// Where more than one in a hundred differs, the change is one that users notice: renew the file in
/// the same commit (SLUICE_RENEW_GOLDEN=1 tst_golden), and say in the commit why.
class TestGolden : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void decisionsStay();
};

namespace {

constexpr std::size_t wanted = 2000;
constexpr std::size_t fromQueries = 1510; ///< those that there were first; the rest are turns
constexpr std::size_t mostChanged = wanted / 100;
const std::filesystem::path golden =
    std::filesystem::path(SLUICE_SOURCE_DIR) / "tests/engine/classification/golden/decisions.tsv";

std::string lineOf(const Answer& answer, const std::string& text)
{
    return fmt::format("{}\t{}\t{}", toString(answer.verdict),
        answer.candidates.empty() ? "-" : answer.candidates.front().intent, text);
}

/// Held-out queries one by one, then conversations turn by turn.
std::vector<std::string> decide(const std::filesystem::path& share)
{
    const auto now =
        std::chrono::sys_seconds(std::chrono::seconds(1773223200)); // 2026-03-11T10:00Z
    const auto engine = Classifier::load(share / "helpdesk.model", share / "entities.json");
    const auto thresholds = *(*engine)->compile((*engine)->model().defaultThresholds());
    std::vector<std::string> lines;
    const auto queries = readLabelledData(share / "queries.jsonl");
    for (const LabelledQuery& row : queries->queries) {
        if (row.split != Split::Train && lines.size() < fromQueries) {
            const auto answer = (*engine)->classify({row.text, {}, {}}, *thresholds, nullptr, now);
            lines.push_back(lineOf(*answer, row.text));
        }
    }
    const auto talks = readLabelledData(share / "conversations.jsonl");
    Session session;
    for (const LabelledQuery& row : talks->queries) {
        if (lines.size() == wanted) {
            break;
        }
        if (row.turn == 1) {
            session = Session();
        }
        const auto answer =
            (*engine)->classify({row.text, row.system, row.systemActs}, *thresholds, &session, now);
        Classifier::remember(session, *answer);
        lines.push_back(lineOf(*answer, row.text));
    }
    return lines;
}

} // namespace

void TestGolden::decisionsStay()
{
    const auto lines = decide(std::filesystem::path(SLUICE_BINARY_DIR) / "share" / "sluice");
    QCOMPARE(lines.size(), wanted);
    if (qEnvironmentVariableIsSet("SLUICE_RENEW_GOLDEN")) {
        std::string all;
        for (const std::string& line : lines) {
            all += line + '\n';
        }
        QVERIFY(writeFileAtomically(golden, all).ok());
    }
    std::ifstream in(golden);
    QVERIFY2(in.good(), golden.c_str());
    QStringList changed;
    std::string was;
    std::size_t count = 0;
    while (std::getline(in, was)) {
        if (count < wanted && was != lines[count]) {
            changed << QString::fromStdString("was " + was + ", is " + lines[count]);
        }
        ++count;
    }
    QCOMPARE(count, wanted);
    qInfo("%lld of %zu decisions differ from the golden file", changed.size(), wanted);
    QVERIFY2(std::size_t(changed.size()) <= mostChanged,
        qPrintable(QStringLiteral("%1 decisions changed: if that is meant, renew the golden file "
                                  "(SLUICE_RENEW_GOLDEN=1) in the same commit and say why:\n%2")
                       .arg(changed.size())
                       .arg(changed.mid(0, 20).join(u'\n'))));
}

QTEST_GUILESS_MAIN(TestGolden)
#include "tst_golden.moc"

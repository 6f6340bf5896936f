#include "engine/classification/entities/entitycatalogue.h"
#include "engine/classification/evaluation/labelleddata.h"
#include "tests/support/testcase.h"

#include <algorithm>
#include <fmt/format.h>
#include <map>

using namespace sluice;

/// The shipped catalogue on the queries in which a person marked the entities.
class TestMarkedQueries : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void marksLieInTheirTexts();
    void coversEveryType();
    void reachesTheGoal_data();
    void reachesTheGoal();

private:
    EntityCatalogue m_catalogue;
    LabelledData m_data;
};

namespace {

/// Against which the marks were made (docs/FORMATS.md).
constexpr std::chrono::sys_seconds now =
    std::chrono::sys_days(std::chrono::year(2026) / std::chrono::March / std::chrono::day(11))
    + std::chrono::hours(10);

struct Counts
{
    int right = 0;
    int wrong = 0; ///< found but not marked so
    int missed = 0;

    double f1() const { return 2.0 * right / double(2 * right + wrong + missed); }
};

bool same(const Entity& a, const Entity& b)
{
    return a.type == b.type && a.value == b.value && a.span.codePointBegin == b.span.codePointBegin
        && a.span.codePointEnd == b.span.codePointEnd;
}

/// The piece of a UTF-8 text between two code points; empty where it has none such.
QString piece(const std::string& text, const TextSpan& span)
{
    const auto codes = QString::fromStdString(text).toUcs4();
    if (span.codePointBegin >= span.codePointEnd || span.codePointEnd > std::size_t(codes.size())) {
        return {};
    }
    const auto part = codes.mid(
        qsizetype(span.codePointBegin), qsizetype(span.codePointEnd - span.codePointBegin));
    return QString::fromUcs4(reinterpret_cast<const char32_t*>(part.data()), part.size());
}

} // namespace

void TestMarkedQueries::initTestCase()
{
    const std::string folder = SLUICE_SOURCE_DIR "/resources/helpdesk/";
    auto catalogue = EntityCatalogue::fromFile(folder + "entities.json");
    QVERIFY2(catalogue.ok(), catalogue ? "" : catalogue.error().text().c_str());
    m_catalogue = std::move(*catalogue);
    auto data = readLabelledData(folder + "marked.jsonl");
    QVERIFY2(data.ok(), data ? "" : data.error().text().c_str());
    m_data = std::move(*data);
}

void TestMarkedQueries::marksLieInTheirTexts()
{
    QVERIFY(m_data.queries.size() >= 500);
    QCOMPARE(m_data.report.duplicates, 0U);
    for (const LabelledQuery& query : m_data.queries) {
        std::size_t end = 0;
        for (const Entity& entity : query.entities) {
            const QString text = piece(query.text, entity.span);
            QVERIFY2(!text.isEmpty() && text == text.trimmed() && entity.span.codePointBegin >= end
                    && !entity.value.empty(),
                query.text.c_str());
            end = entity.span.codePointEnd;
        }
    }
}

void TestMarkedQueries::coversEveryType()
{
    std::map<std::string, int> marked;
    for (const LabelledQuery& query : m_data.queries) {
        for (const Entity& entity : query.entities) {
            ++marked[entity.type];
        }
    }
    for (const std::string& type : m_catalogue.types()) {
        QVERIFY2(marked[type] > 0, type.c_str());
    }
    QCOMPARE(marked.size(), m_catalogue.types().size());
}

void TestMarkedQueries::reachesTheGoal_data()
{
    QTest::addColumn<int>("split");
    QTest::newRow("val: looked at while the catalogue was written") << int(Split::Validation);
    QTest::newRow("test: not looked at") << int(Split::Test);
}

void TestMarkedQueries::reachesTheGoal()
{
    QFETCH(int, split);
    Counts all;
    std::map<std::string, Counts> ofType;
    const auto part = m_data.part(Split(split));
    for (const LabelledQuery& query : part) {
        std::vector<Entity> found = m_catalogue.extract(query.text, now);
        for (const Entity& wanted : query.entities) {
            const auto hit = std::find_if(found.begin(), found.end(),
                [&](const Entity& entity) { return same(entity, wanted); });
            const bool isHit = hit != found.end();
            ++(isHit ? all.right : all.missed);
            ++(isHit ? ofType[wanted.type].right : ofType[wanted.type].missed);
            if (isHit) {
                found.erase(hit);
            }
        }
        for (const Entity& entity : found) {
            ++all.wrong;
            ++ofType[entity.type].wrong;
        }
    }
    fmt::print("{} queries: F1 {:.4f}, {} right, {} wrong, {} missed\n", part.size(), all.f1(),
        all.right, all.wrong, all.missed);
    for (const auto& [type, counts] : ofType) {
        fmt::print("  {:16} F1 {:.3f} of {}\n", type, counts.f1(), counts.right + counts.missed);
    }
    std::fflush(stdout);
    QVERIFY(all.right + all.missed > 300);
    QVERIFY2(all.f1() >= 0.95, qPrintable(QString::number(all.f1())));
}

QTEST_GUILESS_MAIN(TestMarkedQueries)
#include "tst_markedqueries.moc"

#include "engine/operations/loadtest/jmeterplan.h"
#include "tests/support/testcase.h"

#include <QXmlStreamReader>

using namespace sluice;
using namespace sluice::ops;

class TestJMeterPlan : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void aSteadyRateIsOneGroup();
    void aRisingRateIsSteps();
    void usersThatComeAndGo();
    void theFileIsWhole();
    void conversationsHaveASessionOfTheirOwn();
    void refusesNonsense();

private:
    static Scenario texts(const QStringList& words)
    {
        Scenario scenario = Scenario::constant(QStringLiteral("test"), 20, 50, 30);
        scenario.queries.source = QuerySource::Texts;
        scenario.queries.texts = words;
        return scenario;
    }
    /// The values of the properties of that name, in their order; fails on broken XML.
    static QStringList values(const QByteArray& plan, const char* name)
    {
        QStringList found;
        QXmlStreamReader xml(plan);
        while (!xml.atEnd()) {
            if (xml.readNext() == QXmlStreamReader::StartElement
                && xml.attributes().value(QStringLiteral("name")) == QLatin1StringView(name)
                && xml.name() != QLatin1StringView("elementProp")
                && xml.name() != QLatin1StringView("collectionProp")) {
                found << xml.readElementText();
            }
        }
        return xml.hasError() ? QStringList{xml.errorString()} : found;
    }
    static int count(const QByteArray& plan, const char* element)
    {
        return int(plan.count(QByteArray("<" + QByteArray(element) + " ")));
    }
};

void TestJMeterPlan::aSteadyRateIsOneGroup()
{
    const auto groups = jmeterGroups(Scenario::constant(QStringLiteral("a"), 500, 50, 600));
    QCOMPARE(groups.size(), 1);
    QCOMPARE(groups[0].threads, 500);
    QCOMPARE(groups[0].requestsPerSecond, 50.0);
    QCOMPARE(groups[0].seconds, 600.0);
    QCOMPARE(groups[0].rampSeconds, 5.0);
}

void TestJMeterPlan::aRisingRateIsSteps()
{
    Scenario scenario = Scenario::constant(QStringLiteral("a"), 100, 50, 600);
    scenario.phases = {{100, 100, RampShape::Linear, 0.0}, {60, 100}};
    const auto groups = jmeterGroups(scenario);
    QCOMPARE(groups.size(), 11);
    QCOMPARE(groups[0].requestsPerSecond, 5.0); // in the middle of the first ten seconds
    QCOMPARE(groups[9].requestsPerSecond, 95.0);
    QCOMPARE(groups[9].start, 90.0);
    QCOMPARE(groups[10].start, 100.0);
    double requests = 0;
    for (const JMeterGroup& group : groups) {
        requests += group.requestsPerSecond * group.seconds;
    }
    QCOMPARE(requests, scenario.profile().areaUntil(160)); // as many as the scenario schedules
}

void TestJMeterPlan::usersThatComeAndGo()
{
    Scenario scenario;
    scenario.model = LoadModel::Closed;
    scenario.phases = {
        {60, 300, RampShape::Linear, 100.0}, {120, 300}, {60, 100, RampShape::Linear}};
    const auto groups = jmeterGroups(scenario);
    QCOMPARE(groups.size(), 2 + 1 + 1 + 10);
    QCOMPARE(groups[0].threads, 100); // from the beginning on
    QCOMPARE(groups[1].threads, 200);
    QCOMPARE(groups[1].rampSeconds, 60.0);
    QCOMPARE(groups[2].threads, 300);
    // Of the last phase: 100 stay, 200 leave in ten groups one after another.
    QCOMPARE(groups[3].threads, 100);
    int leaving = 0;
    for (const JMeterGroup& group : groups.mid(4)) {
        leaving += group.threads;
        QCOMPARE(group.start, 180.0);
    }
    QCOMPARE(leaving, 200);
    QCOMPARE(groups.last().seconds, 60.0);
}

void TestJMeterPlan::theFileIsWhole()
{
    const auto plan =
        jmeterPlan(texts({QStringLiteral("a < \"b\" & ${c} é"), QStringLiteral("where")}),
            QUrl(QStringLiteral("http://127.0.0.1:8123")));
    QVERIFY(plan.ok());
    QCOMPARE(values(*plan, "HTTPSampler.domain"), QStringList{QStringLiteral("127.0.0.1")});
    QCOMPARE(values(*plan, "HTTPSampler.port"), QStringList{QStringLiteral("8123")});
    QCOMPARE(values(*plan, "ThreadGroup.num_threads"), QStringList{QStringLiteral("20")});
    QCOMPARE(values(*plan, "ThreadGroup.duration"), QStringList{QStringLiteral("30")});
    QStringList bodies = values(*plan, "Argument.value");
    bodies.removeAll(QStringLiteral("${__UUID()}"));
    bodies.sort();
    const QStringList expected{QStringLiteral("{\"text\":\"a < \\\"b\\\" & \\u0024{c} é\"}"),
        QStringLiteral("{\"text\":\"where\"}")};
    QCOMPARE(bodies, expected);
    QVERIFY(plan->contains("<value>3000.000</value>")); // samples a minute
    QCOMPARE(count(*plan, "ConstantThroughputTimer"), 1);
    QCOMPARE(count(*plan, "UniformRandomTimer"), 0);

    const auto few = jmeterPlan(texts({QStringLiteral("a"), QStringLiteral("b")}),
        QUrl(QStringLiteral("http://127.0.0.1:1")), 1, 1);
    QVERIFY(few.ok());
    QCOMPARE(count(*few, "HTTPSamplerProxy"), 1);
    QVERIFY(few->contains("1 of the scenario's 2 scripts"));
}

void TestJMeterPlan::conversationsHaveASessionOfTheirOwn()
{
    Scenario scenario;
    scenario.model = LoadModel::Closed;
    scenario.phases = {{30, 5}};
    scenario.think = {2, 0.25};
    scenario.conversations = {
        {{{QStringLiteral("one"), {}, {}},
             {QStringLiteral("two"), QStringLiteral("which?"), {QStringLiteral("ask")}}},
            1}};
    const auto plan = jmeterPlan(scenario, QUrl(QStringLiteral("http://127.0.0.1:1")));
    QVERIFY(plan.ok());
    QCOMPARE(values(*plan, "Header.value").count(QStringLiteral("${session}")), 2);
    const QString second =
        QStringLiteral("{\"system\":\"which?\",\"system_acts\":[\"ask\"],\"text\":\"two\"}");
    QVERIFY(values(*plan, "Argument.value").contains(second));
    QCOMPARE(values(*plan, "ConstantTimer.delay"), QStringList{QStringLiteral("1500")});
    QCOMPARE(values(*plan, "RandomTimer.range"), QStringList{QStringLiteral("1000.0")});
}

void TestJMeterPlan::refusesNonsense()
{
    QVERIFY(!jmeterPlan(texts({QStringLiteral("a")}), QUrl()).ok());
    Scenario endless = texts({QStringLiteral("a")});
    endless.phases[0].seconds = 1e9;
    QVERIFY(!jmeterPlan(endless, QUrl(QStringLiteral("http://127.0.0.1:1"))).ok());
    Scenario missing = texts({});
    missing.queries.source = QuerySource::File;
    missing.queries.file = QStringLiteral("/nowhere/at/all.jsonl");
    QVERIFY(!jmeterPlan(missing, QUrl(QStringLiteral("http://127.0.0.1:1"))).ok());
}

QTEST_GUILESS_MAIN(TestJMeterPlan)
#include "tst_jmeterplan.moc"

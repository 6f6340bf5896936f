#include "engine/operations/loadtest/jmeterplan.h"
#include "tests/support/testcase.h"

#include <QHash>
#include <QSet>
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
    void everyElementHasItsTree_data();
    void everyElementHasItsTree();
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

namespace {

/// A plan as JMeter 5 reads it (its SaveService): in a hashTree each test element is followed by
/// the hashTree of what stands below it; an element names its two classes; what it holds are
/// properties of six kinds, each with a name. Says what is wrong, and counts elements by class.
class PlanReader
{
public:
    explicit PlanReader(const QByteArray& plan)
        : m_xml(plan)
    { }
    QHash<QString, int> elements;
    QHash<QString, QSet<QString>> properties; ///< of a class: the names

    QString read()
    {
        if (!m_xml.readNextStartElement() || m_xml.name() != QLatin1StringView("jmeterTestPlan")
            || m_xml.attributes().value(QLatin1StringView("version")) != QLatin1StringView("1.2")
            || m_xml.attributes().value(QLatin1StringView("properties")).isEmpty()) {
            return QStringLiteral("no jmeterTestPlan of version 1.2");
        }
        if (!m_xml.readNextStartElement() || m_xml.name() != QLatin1StringView("hashTree")) {
            return QStringLiteral("no hashTree in it");
        }
        readTree();
        if (m_problem.isEmpty() && m_xml.readNextStartElement()) {
            fail(QStringLiteral("a second root"));
        }
        return m_xml.hasError() ? m_xml.errorString() : m_problem;
    }

private:
    void fail(const QString& what)
    {
        if (m_problem.isEmpty()) {
            m_problem = QStringLiteral("line %1: %2").arg(m_xml.lineNumber()).arg(what);
        }
    }
    void readTree()
    {
        bool treeMayFollow = false;
        while (m_problem.isEmpty() && m_xml.readNextStartElement()) {
            const bool tree = m_xml.name() == QLatin1StringView("hashTree");
            if (tree != treeMayFollow) {
                fail(QStringLiteral("element and tree don't alternate: ") % m_xml.name());
            } else if (tree) {
                readTree();
            } else {
                readElement();
            }
            treeMayFollow = !treeMayFollow;
        }
        if (treeMayFollow) {
            fail(QStringLiteral("an element without its tree"));
        }
    }
    void readElement()
    {
        const QString type = m_xml.name().toString();
        for (const char* attribute : {"guiclass", "testclass", "testname", "enabled"}) {
            if (m_xml.attributes().value(QLatin1StringView(attribute)).isEmpty()) {
                fail(type % QStringLiteral(" has no ") % QLatin1StringView(attribute));
            }
        }
        if (m_xml.attributes().value(QLatin1StringView("testclass")) != type) {
            fail(type % QStringLiteral(" is of another class"));
        }
        ++elements[type];
        readProperties(type);
    }
    void readProperties(const QString& type)
    {
        while (m_problem.isEmpty() && m_xml.readNextStartElement()) {
            const QString kind = m_xml.name().toString();
            if (kind == QLatin1StringView("doubleProp")) { // it alone has its name as a child
                QStringList children;
                while (m_xml.readNextStartElement()) {
                    children << m_xml.name().toString();
                    m_xml.readElementText();
                }
                if (children
                    != QStringList{QStringLiteral("name"), QStringLiteral("value"),
                        QStringLiteral("savedValue")}) {
                    fail(QStringLiteral("doubleProp of ") % children.join(u','));
                }
                continue;
            }
            if (!m_xml.attributes().hasAttribute(QLatin1StringView("name"))) {
                fail(kind % QStringLiteral(" without a name"));
            }
            properties[type] << m_xml.attributes().value(QLatin1StringView("name")).toString();
            if (kind == QLatin1StringView("elementProp")) {
                if (m_xml.attributes().value(QLatin1StringView("elementType")).isEmpty()) {
                    fail(QStringLiteral("elementProp without its type"));
                }
                readProperties(type);
            } else if (kind == QLatin1StringView("collectionProp")) {
                readProperties(type);
            } else if (kind == QLatin1StringView("stringProp")
                || kind == QLatin1StringView("boolProp") || kind == QLatin1StringView("intProp")) {
                m_xml.readElementText();
            } else {
                fail(kind % QStringLiteral(" is no property"));
            }
        }
    }

    QXmlStreamReader m_xml;
    QString m_problem;
};

} // namespace

void TestJMeterPlan::everyElementHasItsTree_data()
{
    QTest::addColumn<QString>("name");
    for (const char* name : {"smoke", "normal", "peak", "stress", "spike", "ramp", "endurance"}) {
        QTest::newRow(name) << QString::fromLatin1(name);
    }
}

void TestJMeterPlan::everyElementHasItsTree()
{
    QFETCH(QString, name);
    const auto scenario = loadScenario(name);
    QVERIFY2(scenario.ok(), scenario ? "" : scenario.error().text().c_str());
    const auto plan = jmeterPlan(*scenario, QUrl(QStringLiteral("http://127.0.0.1:8080")), 1, 3);
    QVERIFY2(plan.ok(), plan ? "" : plan.error().text().c_str());
    PlanReader reader(*plan);
    const QString problem = reader.read();
    QVERIFY2(problem.isEmpty(), qPrintable(problem));
    const int groups = int(jmeterGroups(*scenario).size());
    QVERIFY(groups > 0);
    QCOMPARE(reader.elements[QStringLiteral("TestPlan")], 1);
    QCOMPARE(reader.elements[QStringLiteral("ThreadGroup")], groups);
    QCOMPARE(reader.elements[QStringLiteral("ConstantThroughputTimer")]
            + reader.elements[QStringLiteral("UniformRandomTimer")],
        groups);
    QVERIFY(reader.elements[QStringLiteral("HTTPSamplerProxy")] >= 3 * groups);
    // A group without one of these is not run as it says, or for ever.
    for (const char* needed :
        {"ThreadGroup.num_threads", "ThreadGroup.ramp_time", "ThreadGroup.scheduler",
            "ThreadGroup.duration", "ThreadGroup.delay", "ThreadGroup.main_controller",
            "LoopController.loops", "ThreadGroup.on_sample_error"}) {
        QVERIFY2(
            reader.properties[QStringLiteral("ThreadGroup")].contains(QString::fromLatin1(needed)),
            needed);
    }
    for (const char* needed : {"HTTPSampler.postBodyRaw", "HTTPsampler.Arguments",
             "HTTPSampler.path", "HTTPSampler.method", "Argument.value"}) {
        QVERIFY2(reader.properties[QStringLiteral("HTTPSamplerProxy")].contains(
                     QString::fromLatin1(needed)),
            needed);
    }
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

#include "engine/base/json.h"
#include "engine/operations/loadtest/scenario.h"
#include "tests/support/testcase.h"

#include <QDir>
#include <QFile>
#include <QJsonDocument>
#include <QTemporaryDir>
#include <boost/json/object.hpp>

using namespace sluice;
using namespace sluice::ops;

class TestScenario : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void shippedOnesAreGood();
    void shippedOnesAreAsAgreed();
    void schemaKnowsWhatTheReaderKnows();
    void roundTrip();
    void refuses_data();
    void refuses();
    void boundsHold();
    void scalesInTime();
    void curveIsDrawn();
    void queriesAreResolved();
    void trafficBecomesConversations();
    void zipfRepeats();
    void badFilesAreSaid();
    void scenariosAreFound();

private:
    QTemporaryDir m_config;
};

namespace {

Result<Scenario> parsed(const QByteArray& text)
{
    return Scenario::fromJson(text, QStringLiteral("file.json"));
}

QByteArray minimal(const QByteArray& members)
{
    return R"({"name":"a","model":"open","phases":[{"seconds":1,"rate":1}],)" + members + "}";
}

QString written(const QTemporaryDir& folder, const QString& name, const QByteArray& bytes)
{
    QFile file(folder.filePath(name));
    if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size()) {
        return {};
    }
    return file.fileName();
}

} // namespace

void TestScenario::initTestCase()
{
    qputenv("SLUICE_RESOURCES", SLUICE_BINARY_DIR "/share/sluice");
    qputenv("SLUICE_CONFIG", m_config.path().toUtf8());
}

void TestScenario::shippedOnesAreGood()
{
    const QDir folder(QStringLiteral(SLUICE_SOURCE_DIR "/resources/scenarios"));
    const QStringList files = folder.entryList({QStringLiteral("*.json")});
    QCOMPARE(files.size(), 7);
    for (const QString& name : files) {
        QFile file(folder.filePath(name));
        QVERIFY(file.open(QIODevice::ReadOnly));
        const auto scenario = Scenario::fromJson(file.readAll(), name);
        QVERIFY2(scenario.ok(), scenario ? "" : scenario.error().text().c_str());
        QVERIFY(scenario->check().ok());
        QCOMPARE(QString(scenario->name + QStringLiteral(".json")), name);
        QCOMPARE(scenario->targets.p95Ms, 200.0);
        QCOMPARE(scenario->targets.p99Ms, 500.0);
        QCOMPARE(scenario->targets.errorShare, 0.001);
    }
}

void TestScenario::shippedOnesAreAsAgreed()
{
    struct Agreed
    {
        const char* name;
        LoadModel model;
        double users;
        double rate;
        double seconds;
    };
    for (const Agreed& agreed : {Agreed{"smoke", LoadModel::Closed, 1, 1, 30},
             Agreed{"normal", LoadModel::Open, 500, 50, 600},
             Agreed{"peak", LoadModel::Open, 2000, 200, 600},
             Agreed{"stress", LoadModel::Open, 5000, 600, 600},
             Agreed{"spike", LoadModel::Closed, 3000, 300, 300},
             Agreed{"ramp", LoadModel::Closed, 10000, 1000, 1020},
             Agreed{"endurance", LoadModel::Closed, 500, 50, 86400}}) {
        const auto scenario = loadScenario(QString::fromUtf8(agreed.name));
        QVERIFY2(scenario.ok(), scenario ? "" : scenario.error().text().c_str());
        QVERIFY(scenario->model == agreed.model);
        QCOMPARE(scenario->peakUsers(), agreed.users);
        QCOMPARE(scenario->peakRate(), agreed.rate);
        QCOMPARE(scenario->durationSeconds(), agreed.seconds);
    }
    QCOMPARE(loadScenario(QStringLiteral("spike"))->profile().levelAt(30), 1500.0);
    QCOMPARE(loadScenario(QStringLiteral("ramp"))->profile().levelAt(0), 100.0);
}

void TestScenario::schemaKnowsWhatTheReaderKnows()
{
    QFile file(QStringLiteral(SLUICE_SOURCE_DIR "/resources/schema/scenario.schema.json"));
    QVERIFY(file.open(QIODevice::ReadOnly));
    const QJsonObject schema = QJsonDocument::fromJson(file.readAll()).object();
    const QJsonObject properties = schema[QStringLiteral("properties")].toObject();
    // All that a scenario writes is in the schema, and all that the schema has is read.
    auto open = parsed(minimal(
        R"("conversations":[{"weight":2,"turns":[{"text":"x","system":"s","system_acts":["A"]}]}])"));
    QVERIFY2(open.ok(), open ? "" : open.error().text().c_str());
    open->description = QStringLiteral("d");
    Scenario closed = *open;
    closed.model = LoadModel::Closed;
    closed.conversations.clear();
    QStringList members = open->toJson().keys() + closed.toJson().keys();
    members.removeDuplicates();
    members.sort();
    QCOMPARE(members, properties.keys());
    const QJsonObject targets =
        properties[QStringLiteral("targets")].toObject()[QStringLiteral("properties")].toObject();
    open->targets = {1, 1, 0.1, 1.0, 1.0, 1.0, 0.5, 1.0};
    QCOMPARE(open->toJson()[QStringLiteral("targets")].toObject().keys(), targets.keys());
    const QJsonObject routes =
        properties[QStringLiteral("routes")].toObject()[QStringLiteral("properties")].toObject();
    QCOMPARE(open->toJson()[QStringLiteral("routes")].toObject().keys(), routes.keys());
}

void TestScenario::roundTrip()
{
    for (const char* text : {R"({"name":"own","description":"d","model":"open","sessions":7,
            "phases":[{"seconds":5,"rate":2.5},{"seconds":5,"rate":20,"shape":"exponential","from":3}],
            "queries":{"source":"texts","texts":["a","b"],"zipf":1.1,"distinct":9},
            "routes":{"classify":9,"batch":1,"batch_size":20,"feedback":2,"info":1},
            "targets":{"p95_ms":12,"p99_ms":20,"error_share":0,"least_rate":5,"worker_mib":99,
            "worker_cpu_share":0.5,"cache_hit_share":0.6},
            "stop_after_breached_seconds":5,"max_in_flight":10,"timeout_seconds":3,"time_scale":0.5})",
             R"({"name":"own","model":"closed","think_seconds":{"mean":3,"jitter":0.1},
            "phases":[{"seconds":5,"users":2,"shape":"smooth"},{"seconds":5,"users":20,"shape":"linear"}],
            "conversations":[{"weight":2,"turns":[{"text":"hi"},{"text":"x","system":"s","system_acts":["A"]}]}]})",
             R"({"name":"own","model":"open","phases":[{"seconds":5,"rate":2}],
            "queries":{"source":"file","file":"f.jsonl","split":"test"}})"}) {
        const auto once = parsed(text);
        QVERIFY2(once.ok(), once ? "" : once.error().text().c_str());
        const auto again = parsed(QJsonDocument(once->toJson()).toJson());
        QVERIFY2(again.ok(), again ? "" : again.error().text().c_str());
        QCOMPARE(again->toJson(), once->toJson());
        QVERIFY(again->phases == once->phases);
    }
}

void TestScenario::refuses_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QString>("says");
    const auto row = [](const QByteArray& text, const char* says) {
        QTest::newRow(text.constData()) << text << QString::fromUtf8(says);
    };
    row("", "");
    row("[1]", "");
    row("{\"name\":", "");
    row("{}", "name: is missing");
    row(R"({"name":"","model":"open","phases":[{"seconds":1,"rate":1}]})", "name: is empty");
    row(R"({"name":"a","model":"half"})", "model: \"half\" is not known");
    row(R"({"name":"a","model":"open"})", "phases: 1 to 100");
    row(R"({"name":"a","model":"open","phases":[]})", "phases: an array that is not empty");
    row(R"({"name":"a","model":"open","phases":[{"seconds":1,"users":1}]})",
        "phases[0]: rate: is missing");
    row(R"({"name":"a","model":"open","phases":[{"seconds":1,"rate":1},{"seconds":0,"rate":1}]})",
        "phases[1]: seconds: a number from");
    row(R"({"name":"a","model":"open","phases":[{"seconds":1,"rate":30000}]})",
        "phases[0]: rate: a number from 0 to 20000");
    row(R"({"name":"a","model":"closed","phases":[{"seconds":1,"users":1,"shape":"bent"}]})",
        "phases[0]: shape: \"bent\" is not known");
    row(minimal(R"("user":5)"), "user: is not known");
    row(minimal(R"("sessions":0)"), "sessions: a whole number from 1");
    row(minimal(R"("sessions":10001)"), "sessions: a whole number from 1");
    row(minimal(R"("think_seconds":{})"), "think_seconds: mean: is missing");
    row(minimal(R"("targets":5)"), "targets: ");
    row(minimal(R"("targets":{"p95":5})"), "targets: p95: is not known");
    row(minimal(R"("queries":"x")"), "queries: ");
    row(minimal(R"("queries":{"source":"texts"})"), "queries: texts: is missing");
    row(minimal(R"("queries":{"source":"texts","texts":[" "]})"), "queries: texts: one is empty");
    row(minimal(R"("queries":{"source":"file"})"), "queries: file: is missing");
    row(minimal(R"("conversations":[{}])"), "conversations[0]: turns: is missing");
    row(minimal(R"("conversations":[{"turns":[{"text":"a"},{"text":" "}]}])"),
        "conversations[0]: turns[1]: text: is empty");
    row(minimal(R"("routes":{"classify":0})"), "routes: classify: no route has a share");
    row(minimal(R"("timeout_seconds":0)"), "timeout_seconds: a number from");
}

void TestScenario::refuses()
{
    QFETCH(QByteArray, text);
    QFETCH(QString, says);
    const auto scenario = parsed(text);
    QVERIFY(!scenario.ok());
    QCOMPARE(scenario.error().kind, ErrorKind::Input);
    const QString message = QString::fromStdString(scenario.error().message);
    QVERIFY2(message.startsWith(QStringLiteral("file.json")) && message.contains(says),
        qPrintable(message));
}

void TestScenario::boundsHold()
{
    const auto good = [](auto change) {
        Scenario scenario = Scenario::constant(QStringLiteral("x"), 10, 10, 10);
        change(scenario);
        return scenario.check().ok();
    };
    QVERIFY(good([](Scenario&) {}));
    QVERIFY(!good([](Scenario& s) { s.phases.clear(); }));
    QVERIFY(!good([](Scenario& s) { s.sessions = 0; }));
    QVERIFY(!good([](Scenario& s) { s.sessions = Scenario::maxUsers + 1; }));
    QVERIFY(!good([](Scenario& s) { s.phases[0].level = 0; }));
    QVERIFY(!good([](Scenario& s) { s.phases[0].level = double(NAN); }));
    QVERIFY(!good([](Scenario& s) { s.phases[0].level = Scenario::maxRate + 1; }));
    QVERIFY(!good([](Scenario& s) { s.phases[0].seconds = 0.5; }));
    QVERIFY(!good([](Scenario& s) { s.phases[0].seconds = Scenario::maxSeconds * 2; }));
    QVERIFY(!good([](Scenario& s) { s.phases = {LoadPhase{86400, 20000}}; })); // 1.7e9 requests
}

void TestScenario::scalesInTime()
{
    const auto spike = loadScenario(QStringLiteral("spike"));
    QVERIFY(spike.ok());
    const Scenario half = spike->scaled(0.5);
    QCOMPARE(half.durationSeconds(), 150.0);
    QCOMPARE(half.timeScale, 0.5);
    QCOMPARE(half.peakUsers(), 3000.0);
    QCOMPARE(half.profile().levelAt(15), 1500.0);
    QCOMPARE(half.scaled(0.5).timeScale, 0.25);
    QCOMPARE(spike->lasting(30).durationSeconds(), 30.0);
}

void TestScenario::curveIsDrawn()
{
    const auto ramp = loadScenario(QStringLiteral("ramp"));
    QVERIFY(ramp.ok());
    const QList<CurvePoint> curve = ramp->curve(103);
    QCOMPARE(curve.size(), 103);
    QCOMPARE(curve.first().seconds, 0.0);
    QCOMPARE(curve.first().users, 100.0);
    QCOMPARE(curve.last().seconds, 1020.0);
    QCOMPARE(curve.last().users, 10000.0);
    QCOMPARE(curve.last().rate, 1000.0);
    const QList<CurvePoint> flat = Scenario::constant(QStringLiteral("x"), 7, 5, 10).curve(2);
    QCOMPARE(flat.size(), 2);
    QCOMPARE(flat[1].users, 7.0);
    QCOMPARE(flat[1].rate, 5.0);
}

void TestScenario::queriesAreResolved()
{
    Scenario scenario = Scenario::constant(QStringLiteral("x"), 1, 1, 1);
    const auto bundled = resolveConversations(scenario, 1);
    QVERIFY2(bundled.ok(), bundled ? "" : bundled.error().text().c_str());
    QVERIFY(bundled->size() > 100);
    QVERIFY(std::all_of(bundled->begin(), bundled->end(),
        [](const Conversation& one) { return one.turns.size() == 1; }));
    scenario.queries.source = QuerySource::Conversations;
    const auto talks = resolveConversations(scenario, 1);
    QVERIFY(talks.ok());
    const auto longest = std::max_element(talks->begin(), talks->end(),
        [](const auto& a, const auto& b) { return a.turns.size() < b.turns.size(); });
    QVERIFY(longest->turns.size() > 2);
    QVERIFY(!longest->turns[1].system.isEmpty());
    QVERIFY(!longest->turns[1].systemActs.isEmpty());
    // An order of its own for each seed, the same for the same.
    const auto again = resolveConversations(scenario, 1);
    const auto other = resolveConversations(scenario, 2);
    const auto first = [](const auto& list) { return list->first().turns.first().text; };
    QCOMPARE(first(again), first(talks));
    QVERIFY(first(other) != first(talks));
    scenario.conversations = {Conversation{{{QStringLiteral("own"), {}, {}}}, 3}};
    QCOMPARE(resolveConversations(scenario, 1)->first().weight, 3.0);
    scenario.conversations.clear();
    scenario.queries = {QuerySource::File,
        QString::fromStdString(SLUICE_SOURCE_DIR "/resources/helpdesk/queries.jsonl"),
        QStringLiteral("val")};
    QVERIFY(resolveConversations(scenario, 1)->size() > 10);
}

void TestScenario::trafficBecomesConversations()
{
    QTemporaryDir folder;
    const QString file = written(folder, QStringLiteral("traffic.jsonl"),
        "{\"query\":\"one\",\"session\":\"s\",\"at\":1}\n\n{\"text\":\"alone\"}\n"
        "{\"query\":\"two\",\"session\":\"s\"}\n{\"text\":\"alone too\"}");
    Scenario scenario = Scenario::constant(QStringLiteral("x"), 1, 1, 1);
    scenario.queries = {QuerySource::Traffic, file};
    const auto found = resolveConversations(scenario, 1);
    QVERIFY2(found.ok(), found ? "" : found.error().text().c_str());
    QStringList said;
    for (const Conversation& one : *found) {
        QStringList turns;
        for (const ScriptTurn& turn : one.turns) {
            turns << turn.text;
        }
        said << turns.join(u'+');
    }
    said.sort();
    QCOMPARE(said,
        (QStringList{
            QStringLiteral("alone"), QStringLiteral("alone too"), QStringLiteral("one+two")}));
}

void TestScenario::zipfRepeats()
{
    Scenario scenario = Scenario::constant(QStringLiteral("x"), 1, 1, 1);
    scenario.queries = {
        QuerySource::Texts, {}, {}, {QStringLiteral("a"), QStringLiteral("b")}, 1, 5};
    const auto found = resolveConversations(scenario, 1);
    QVERIFY(found.ok());
    QCOMPARE(found->size(), 5);
    QCOMPARE((*found)[0].weight, 1.0);
    QCOMPARE((*found)[4].weight, 0.2);
    QSet<QString> distinct;
    for (const Conversation& one : *found) {
        distinct << one.turns.first().text;
    }
    QCOMPARE(distinct.size(), 5);
}

void TestScenario::badFilesAreSaid()
{
    QTemporaryDir folder;
    Scenario scenario = Scenario::constant(QStringLiteral("x"), 1, 1, 1);
    const auto says = [&](const QueryChoice& choice) {
        scenario.queries = choice;
        const auto found = resolveConversations(scenario, 1);
        return found ? QStringLiteral("good") : QString::fromStdString(found.error().text());
    };
    const QString gone = folder.filePath(QStringLiteral("gone.jsonl"));
    QVERIFY(says({QuerySource::File, gone}).contains(gone));
    QVERIFY(says({QuerySource::Traffic, gone}).contains(gone));
    const QString bad = written(folder, QStringLiteral("bad.jsonl"), "{\"text\":\"a\"}\n{\"te");
    QVERIFY(says({QuerySource::Traffic, bad}).contains(QStringLiteral("line 2")));
    const QString mute = written(folder, QStringLiteral("mute.jsonl"), "{\"at\":5}\n");
    QVERIFY(says({QuerySource::Traffic, mute}).contains(QStringLiteral("neither")));
    const QString wrong = written(folder, QStringLiteral("wrong.jsonl"), "{\"query\":5}\n");
    QVERIFY(says({QuerySource::Traffic, wrong}).contains(QStringLiteral("a string is expected")));
    const QString empty = written(folder, QStringLiteral("empty.jsonl"), "\n");
    QVERIFY(says({QuerySource::Traffic, empty}).contains(QStringLiteral("finds no queries")));
    const QString data = QStringLiteral(SLUICE_SOURCE_DIR "/resources/helpdesk/queries.jsonl");
    QVERIFY(
        says({QuerySource::File, data, QStringLiteral("tset")}).contains(QStringLiteral("tset")));
}

void TestScenario::scenariosAreFound()
{
    QVERIFY(scenarioNames().contains(QStringLiteral("endurance")));
    QVERIFY(QDir().mkpath(scenarioFolder()));
    const QString own = scenarioFolder() + QStringLiteral("/mine.json");
    QVERIFY(QFile::copy(QStringLiteral(SLUICE_SOURCE_DIR "/resources/scenarios/normal.json"), own));
    QCOMPARE(scenarioNames().last(), QStringLiteral("mine"));
    QVERIFY(loadScenario(QStringLiteral("mine")).ok());
    QVERIFY(loadScenario(own).ok());
    const auto none = loadScenario(QStringLiteral("nomral"));
    QVERIFY(!none.ok());
    QVERIFY(none.error().message.find("normal") != std::string::npos);
}

QTEST_GUILESS_MAIN(TestScenario)
#include "tst_scenario.moc"

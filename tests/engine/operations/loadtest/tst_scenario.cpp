#include "engine/operations/loadtest/loadrun.h"
#include "tests/support/testcase.h"

#include <QDir>
#include <QFile>
#include <QJsonDocument>
#include <QTemporaryDir>

using namespace sluice;
using namespace sluice::ops;

class TestScenario : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void shippedOnesAreGood();
    void roundTrip();
    void refuses_data();
    void refuses();
    void boundsHold();
    void savedRunCanBeRead();
};

void TestScenario::shippedOnesAreGood()
{
    const QDir folder(QStringLiteral(SLUICE_SOURCE_DIR "/resources/scenarios"));
    const QStringList files = folder.entryList({QStringLiteral("*.json")});
    QVERIFY(files.contains(QStringLiteral("normal.json")));
    for (const QString& name : files) {
        QFile file(folder.filePath(name));
        QVERIFY(file.open(QIODevice::ReadOnly));
        const auto scenario = Scenario::fromJson(file.readAll(), name);
        QVERIFY2(scenario.ok(), scenario ? "" : scenario.error().text().c_str());
        QVERIFY(scenario->check().ok());
        QCOMPARE(QString(scenario->name + QStringLiteral(".json")), name);
        if (scenario->name == QLatin1StringView("normal")) {
            QCOMPARE(scenario->users, 500);
            QCOMPARE(scenario->requestsPerSecond, 50.0);
            QCOMPARE(scenario->targets.p95Ms, 200.0);
            QCOMPARE(scenario->targets.p99Ms, 500.0);
            QCOMPARE(scenario->targets.errorShare, 0.001);
        }
    }
}

void TestScenario::roundTrip()
{
    Scenario scenario;
    scenario.name = QStringLiteral("own");
    scenario.users = 7;
    scenario.requestsPerSecond = 2.5;
    scenario.queries = QStringList{QStringLiteral("a"), QStringLiteral("b")};
    scenario.targets.p95Ms = 12;
    const auto again =
        Scenario::fromJson(QJsonDocument(scenario.toJson()).toJson(), QStringLiteral("x"));
    QVERIFY2(again.ok(), again ? "" : again.error().text().c_str());
    QCOMPARE(again->toJson(), scenario.toJson());
}

void TestScenario::refuses_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QString>("says");
    const auto row = [](const char* text, const char* says) {
        QTest::newRow(text) << QByteArray(text) << QString::fromUtf8(says);
    };
    row("", "not a JSON object");
    row("[1]", "not a JSON object");
    row("{\"name\":", "not a JSON object");
    row("{}", "name: is missing");
    row(R"({"name":"a","user":5})", "user: is not known");
    row(R"({"name":"a","users":0})", "users: a number from 1");
    row(R"({"name":"a","users":10001})", "users: a number from 1");
    row(R"({"name":"a","users":"5"})", "users: a number from 1");
    row(R"({"name":"a","requests_per_second":1e9})", "requests_per_second: a number");
    row(R"({"name":"a","duration_seconds":0})", "duration_seconds: a number");
    row(R"({"name":"a","targets":5})", "targets: an object");
    row(R"({"name":"a","targets":{"p95":5}})", "p95: is not known");
    row(R"({"name":"a","queries":"x"})", "queries: an array of texts");
    row(R"({"name":"a","queries":[" "]})", "queries: an array of texts");
}

void TestScenario::refuses()
{
    QFETCH(QByteArray, text);
    QFETCH(QString, says);
    const auto scenario = Scenario::fromJson(text, QStringLiteral("file.json"));
    QVERIFY(!scenario.ok());
    const QString message = QString::fromStdString(scenario.error().message);
    QVERIFY2(message.startsWith(QStringLiteral("file.json: ")) && message.contains(says),
        qPrintable(message));
}

void TestScenario::boundsHold()
{
    const auto changed = [](auto change) {
        Scenario scenario;
        change(scenario);
        return scenario.check().ok();
    };
    QVERIFY(changed([](Scenario&) {}));
    QVERIFY(!changed([](Scenario& s) { s.users = 0; }));
    QVERIFY(!changed([](Scenario& s) { s.users = Scenario::maxUsers + 1; }));
    QVERIFY(!changed([](Scenario& s) { s.requestsPerSecond = 0; }));
    QVERIFY(!changed([](Scenario& s) { s.requestsPerSecond = double(NAN); }));
    QVERIFY(!changed([](Scenario& s) { s.durationSeconds = Scenario::maxSeconds + 1; }));
}

void TestScenario::savedRunCanBeRead()
{
    QTemporaryDir folder;
    LoadResult result;
    result.scenario.name = QStringLiteral("normal");
    result.target = QUrl(QStringLiteral("http://127.0.0.1:1"));
    result.errors[QStringLiteral("status 503")] = 2;
    result.seconds = {{0, 50, 49, 1, 1.5, 2.5, 3.5, 4.5, 0}, {1, 50, 51, 0, 1, 2, 3, 4, 0}};
    const QString path = folder.filePath(QStringLiteral("runs/1"));
    QVERIFY(saveRun(path, result).ok());
    QFile json(path + QStringLiteral("/result.json"));
    QVERIFY(json.open(QIODevice::ReadOnly));
    QCOMPARE(QJsonDocument::fromJson(json.readAll()).object(), result.toJson());
    QFile csv(path + QStringLiteral("/seconds.csv"));
    QVERIFY(csv.open(QIODevice::ReadOnly));
    QCOMPARE(csv.readAll().trimmed().split('\n').size(), 3);
    QVERIFY(!saveRun(QStringLiteral("/proc/sluice/run"), result).ok());
}

QTEST_GUILESS_MAIN(TestScenario)
#include "tst_scenario.moc"

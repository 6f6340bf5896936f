#include "engine/operations/rollout/plan.h"
#include "engine/operations/rollout/rolloutstate.h"
#include "tests/support/testcase.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <cmath>

using namespace sluice;
using namespace sluice::ops;

class TestPlan : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void standardIsTheOwners();
    void everythingComesBack();
    void slipsAreNamed_data();
    void slipsAreNamed();
    void freezes();
    void stateComesBack();
    void publishedComesBack();
    void unknownWordsAreNoGoodNews();
};

namespace {

QJsonObject standardJson()
{
    Release release;
    release.id = QStringLiteral("r1");
    return RolloutPlan::standard(release).toJson();
}

} // namespace

void TestPlan::standardIsTheOwners()
{
    const RolloutPlan plan = RolloutPlan::standard({});
    QStringList stages;
    for (const PlannedStage& stage : plan.stages) {
        stages << QStringLiteral("%1 %2 %3")
                      .arg(stage.name)
                      .arg(stage.shareBasisPoints)
                      .arg(stage.soakMs / 3600000);
    }
    QCOMPARE(stages.join(u'|'),
        QStringLiteral("deploy 0 0|staging 0 0|5 % 500 2|25 % 2500 2|50 % 5000 4|100 % 10000 0"));
    const PlannedGate* errors = plan.gate(QStringLiteral("errors"));
    QVERIFY(errors != nullptr);
    QCOMPARE(errors->limit, 0.01);
    QCOMPARE(errors->windowMs, 300000);
    QCOMPARE(errors->atLeast, 200.0);
    QCOMPARE(errors->action, GateAction::Rollback);
    QCOMPARE(plan.gate(QStringLiteral("memory"))->limit, 0.8);
    QCOMPARE(plan.gate(QStringLiteral("response time"))->limit, 2.0);
    QVERIFY(plan.gate(QStringLiteral("complaints"))->action != GateAction::Rollback);
    QVERIFY(plan.gate(QStringLiteral("none")) == nullptr);
    QVERIFY(plan.waitsFor(2, QStringLiteral("errors")));
}

void TestPlan::everythingComesBack()
{
    Release release{QStringLiteral("r1"), QStringLiteral("2.0"), QString(64, u'a'),
        QStringLiteral("m.model"), 7};
    RolloutPlan plan = RolloutPlan::standard(release);
    plan.stages[2].gates = {QStringLiteral("errors")};
    plan.stages[2].automatic = false;
    plan.stages[2].promoters = {QStringLiteral("ada")};
    plan.triggers[0].measure = Measure::Query;
    plan.triggers[0].query = QStringLiteral("up == 0");
    plan.smoke = {QStringLiteral("smoke.jsonl"), 5000};
    plan.system = {QStringLiteral("system.jsonl"), 60000};
    plan.hooks = {{QStringLiteral("deploy"), {QStringLiteral("/bin/true")}, {}, 1000},
        {QStringLiteral("finished"), {}, QStringLiteral("http://127.0.0.1/x"), 2000}};
    plan.freezes = {{QDateTime::fromString(QStringLiteral("2026-12-24T00:00:00Z"), Qt::ISODate),
        QDateTime::fromString(QStringLiteral("2026-12-27T00:00:00Z"), Qt::ISODate),
        QStringLiteral("holidays")}};
    plan.checklist = {{QStringLiteral("backup"), QStringLiteral("backup_age")}};
    plan.notifications = {{QStringLiteral("http://127.0.0.1:1/hook"), true}};
    plan.timeScale = 0.001;
    plan.leaseMs = 1500;
    plan.warmMs = 7200000;
    const auto read =
        RolloutPlan::fromJson(QJsonDocument(plan.toJson()).toJson(), QStringLiteral("plan.json"));
    QVERIFY2(read.ok(), read ? "" : read.error().text().c_str());
    QVERIFY(*read == plan);
    QCOMPARE(read->scaled(7200000), 7200);
    QVERIFY(!read->waitsFor(2, QStringLiteral("memory")));
    for (const PlannedGate& gate : plan.triggers) {
        QVERIFY(measureFromName(measureName(gate.measure)) == gate.measure);
    }
}

void TestPlan::slipsAreNamed_data()
{
    QTest::addColumn<QString>("path");
    QTest::addColumn<QJsonValue>("value");
    QTest::addColumn<QString>("said");
    const auto row = [](const char* path, const QJsonValue& value, const char* said) {
        QTest::newRow(path) << QString::fromLatin1(path) << value << QString::fromLatin1(said);
    };
    row("schema", 2, "plan.json.schema is to be 1");
    row("sthemas", 1, "plan.json.sthemas is not known here");
    row("release", QJsonObject(), "plan.json.release.id is missing");
    row("release/model",
        QJsonObject{{QStringLiteral("id"), QStringLiteral("x")},
            {QStringLiteral("model_sha256"), QStringLiteral("ABC")}},
        "64 hexadecimal digits");
    row("release/file",
        QJsonObject{{QStringLiteral("id"), QStringLiteral("x")},
            {QStringLiteral("model_file"), QStringLiteral("f")}},
        "is missing beside model_file");
    row("release/number", 5, "plan.json.release is to be an object");
    row("stages", QJsonArray(), "the last stage is to be 100 %");
    row("stages/texts", QJsonArray{QStringLiteral("a")}, "is to be a list of objects");
    row("stages/kind", QJsonArray{QJsonObject{{QStringLiteral("kind"), QStringLiteral("jump")}}},
        "plan.json.stages[0].kind is to be one of deploy, staging, share");
    row("stages/share",
        QJsonArray{QJsonObject{
            {QStringLiteral("name"), QStringLiteral("a")}, {QStringLiteral("share_percent"), 101}}},
        "share_percent is to be between 0.01 and 100");
    row("stages/nameless", QJsonArray{QJsonObject{{QStringLiteral("share_percent"), 100}}},
        "stages[0].name is missing");
    row("stages/falls",
        QJsonArray{QJsonObject{{QStringLiteral("name"), QStringLiteral("a")},
                       {QStringLiteral("share_percent"), 50}},
            QJsonObject{{QStringLiteral("name"), QStringLiteral("b")},
                {QStringLiteral("share_percent"), 5}}},
        "stage \"b\" does not raise the share");
    row("stages/late",
        QJsonArray{QJsonObject{{QStringLiteral("name"), QStringLiteral("a")},
                       {QStringLiteral("share_percent"), 50}},
            QJsonObject{{QStringLiteral("name"), QStringLiteral("b")},
                {QStringLiteral("kind"), QStringLiteral("staging")}}},
        "comes too late");
    row("stages/gate",
        QJsonArray{QJsonObject{{QStringLiteral("name"), QStringLiteral("a")},
            {QStringLiteral("share_percent"), 100},
            {QStringLiteral("gates"), QJsonArray{QStringLiteral("erors")}}}},
        "a gate \"erors\" that is no trigger");
    row("stages/gates",
        QJsonArray{QJsonObject{{QStringLiteral("name"), QStringLiteral("a")},
            {QStringLiteral("share_percent"), 100}, {QStringLiteral("gates"), QJsonArray{5}}}},
        "gates is to be a list of texts");
    row("stages/automatic",
        QJsonArray{QJsonObject{{QStringLiteral("name"), QStringLiteral("a")},
            {QStringLiteral("share_percent"), 100}, {QStringLiteral("automatic"), 1}}},
        "automatic is to be true or false");
    row("triggers", QJsonArray{QJsonObject{{QStringLiteral("name"), QStringLiteral("q")}}},
        "triggers[0].query is missing");
    row("triggers/action",
        QJsonArray{QJsonObject{{QStringLiteral("action"), QStringLiteral("explode")}}},
        "action is to be one of rollback, hold, warn, record");
    const QJsonObject twice{{QStringLiteral("name"), QStringLiteral("q")},
        {QStringLiteral("measure"), QStringLiteral("memory")}};
    row("triggers/twice", QJsonArray{twice, twice}, "two triggers are called \"q\"");
    row("hooks", QJsonArray{QJsonObject{{QStringLiteral("at"), QStringLiteral("noon")}}},
        "at is to be one of deploy");
    row("hooks/what", QJsonArray{QJsonObject{{QStringLiteral("at"), QStringLiteral("deploy")}}},
        "command or url is to be given");
    row("freeze",
        QJsonArray{QJsonObject{{QStringLiteral("from"), QStringLiteral("2026-12-24T00:00:00")}}},
        "is to be a time with its zone");
    row("freeze/order",
        QJsonArray{QJsonObject{{QStringLiteral("from"), QStringLiteral("2026-12-24T00:00:00Z")},
            {QStringLiteral("to"), QStringLiteral("2026-12-23T00:00:00Z")}}},
        "a freeze ends before it begins");
    row("notifications", QJsonArray{QJsonObject{{QStringLiteral("url"), QStringLiteral("ftp:x")}}},
        "is to be an http address");
    row("time_scale", QStringLiteral("fast"), "time_scale is to be a number");
    row("lease_seconds", 0.01, "at least 0.1");
}

void TestPlan::slipsAreNamed()
{
    QFETCH(QString, path);
    QFETCH(QJsonValue, value);
    QFETCH(QString, said);
    QJsonObject object = standardJson();
    object[path.section(u'/', 0, 0)] = value;
    const auto read =
        RolloutPlan::fromJson(QJsonDocument(object).toJson(), QStringLiteral("plan.json"));
    QVERIFY(!read.ok());
    QCOMPARE(read.error().kind, ErrorKind::Input);
    QVERIFY2(
        QString::fromStdString(read.error().message).contains(said), read.error().message.c_str());
}

void TestPlan::freezes()
{
    QVERIFY(!RolloutPlan::fromJson("[]", QStringLiteral("x")).ok());
    QVERIFY(!RolloutPlan::fromJson(QJsonObject{{QStringLiteral("schema"), 1}}, QStringLiteral("x"))
                 .ok());
    RolloutPlan plan;
    const QDateTime from =
        QDateTime::fromString(QStringLiteral("2026-12-24T00:00:00Z"), Qt::ISODate);
    plan.freezes = {{from, from.addDays(1), QStringLiteral("eve")}};
    QVERIFY(plan.freezeAt(from.toMSecsSinceEpoch() - 1) == nullptr);
    QVERIFY(plan.freezeAt(from.toMSecsSinceEpoch()) != nullptr);
    QVERIFY(plan.freezeAt(from.addDays(1).toMSecsSinceEpoch()) == nullptr);
}

void TestPlan::stateComesBack()
{
    RolloutState state;
    state.plan = *RolloutPlan::fromJson(standardJson(), QStringLiteral("p"));
    state.version = 9;
    state.rolloutId = QStringLiteral("r1-1");
    state.phase = RolloutPhase::Soaking;
    state.stage = 2;
    state.stable = QStringLiteral("blue");
    state.canary = QStringLiteral("green");
    state.target = {QStringLiteral("blue"), 500};
    state.applied = true;
    state.watchedMs = 1234;
    state.soakFromMs = 5;
    state.hold = QStringLiteral("h");
    state.warned = {QStringLiteral("complaints")};
    GateReading reading;
    reading.gate = QStringLiteral("errors");
    reading.action = GateAction::Rollback;
    reading.verdict = GateVerdict::Fail;
    reading.value = 0.02;
    reading.counts = {{QStringLiteral("n"), 500}};
    state.readings = {reading};
    const auto read = RolloutState::fromJson(state.toJson(false), state.plan);
    QVERIFY(read.ok());
    QCOMPARE(read->toJson(), state.toJson());
    QVERIFY(read->readings[0].rollsBack());
    QVERIFY(std::isnan(read->readings[0].evidence));
    QCOMPARE(read->canaryBasisPoints(), 500);
    QCOMPARE(read->soakLeftMs(), 7200000 - 1234);
    state.target = {QStringLiteral("green"), 0};
    QCOMPARE(state.canaryBasisPoints(), 10000);
    QVERIFY(!RolloutState::fromJson(
        QJsonObject{{QStringLiteral("phase"), QStringLiteral("orbiting")}}, {})
                 .ok());
}

void TestPlan::publishedComesBack()
{
    PublishedRollout published;
    published.state.plan = *RolloutPlan::fromJson(standardJson(), QStringLiteral("p"));
    published.balancers = {
        {QStringLiteral("h1"), true, {}, {QStringLiteral("blue"), 500}, 99, 2, 1}};
    published.observedShare = 0.049;
    published.driver = QStringLiteral("host:1");
    published.epoch = 3;
    published.publishedMs = 1000;
    const auto read = PublishedRollout::fromJson(
        QJsonDocument(published.toJson()).toJson(QJsonDocument::Compact));
    QVERIFY(read.ok());
    QCOMPARE(read->toJson(), published.toJson());
    QVERIFY(read->isFresh(10999) && !read->isFresh(11000));
    QVERIFY(!PublishedRollout::fromJson("{}").ok());
    QJsonObject broken = published.toJson();
    QJsonObject state = broken[QStringLiteral("state")].toObject();
    QJsonObject plan = state[QStringLiteral("plan")].toObject();
    plan[QStringLiteral("schema")] = 99;
    state[QStringLiteral("plan")] = plan;
    broken[QStringLiteral("state")] = state;
    QVERIFY(!PublishedRollout::fromJson(QJsonDocument(broken).toJson()).ok());
    // Nothing was started yet.
    const auto idle =
        PublishedRollout::fromJson(QJsonDocument(PublishedRollout().toJson()).toJson());
    QVERIFY(
        idle.ok() && idle->state.phase == RolloutPhase::Idle && std::isnan(idle->observedShare));
}

void TestPlan::unknownWordsAreNoGoodNews()
{
    const GateReading reading =
        GateReading::fromJson(QJsonObject{{QStringLiteral("verdict"), QStringLiteral("SPLENDID")}});
    QCOMPARE(reading.verdict, GateVerdict::NoData);
    QVERIFY(reading.holds() && reading.isBlind() && !reading.rollsBack());
    for (const GateVerdict verdict : {GateVerdict::Pass, GateVerdict::Cancelled}) {
        QVERIFY(verdictFromName(verdictName(verdict)) == verdict);
    }
    QVERIFY(phaseFromName(phaseName(RolloutPhase::Warm)) == RolloutPhase::Warm);
    QVERIFY(!measureFromName(QStringLiteral("luck")));
}

QTEST_APPLESS_MAIN(TestPlan)
#include "tst_plan.moc"

#include "engine/operations/environment/stackfiles.h"
#include "engine/operations/rollout/outbox.h"
#include "engine/operations/rollout/rediscontrol.h"
#include "engine/operations/rollout/releasedeployer.h"
#include "engine/service/service.h"
#include "tests/support/redisserver.h"
#include "tests/support/requestserver.h"
#include "tests/support/testcase.h"
#include "tests/support/worker.h"

#include <QCryptographicHash>
#include <QFile>
#include <QTemporaryDir>

using namespace sluice;
using namespace sluice::ops;

namespace {

/// A receiver of web hooks that answers as it is told.
class Receiver : public test::RequestServer
{
public:
    QByteArray answer = "200 OK";
    QList<QByteArray> got; ///< whole requests

    QString url() const { return RequestServer::url(QStringLiteral("/hook")).toString(); }

protected:
    void handle(QTcpSocket* socket, const test::HttpRequest& request) override
    {
        got << request.head + "\r\n" + request.body;
        reply(socket, {}, answer);
    }
};

RolloutState stateOf()
{
    RolloutState state;
    state.plan.release.id = QStringLiteral("r1");
    state.plan.release.workerVersion = QStringLiteral("test");
    state.rolloutId = QStringLiteral("r1@1");
    state.stable = QStringLiteral("blue");
    state.canary = QStringLiteral("green");
    return state;
}

} // namespace

/// What a driver speaks to: Redis with its real users, workers, hooks, receivers of notices.
class TestRolloutServices : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void init();
    void leaseHasOneHolder();
    void auditIsWrittenOnce();
    void commandsAreAnswered();
    void rolesHold();
    void guardedThresholds();
    void noticesAreSentOnce();
    void deploysThresholdsAndModel();
    void deployThatCannotBe();
    void suitesRun();
    void hooksAreBounded();

private:
    template <typename T> using Told = std::function<void(Result<T>)>;
    template <typename T> Result<T> wait(const std::function<void(Told<T>)>& call)
    {
        const auto got = std::make_shared<std::optional<Result<T>>>();
        call([got](Result<T> answer) { got->emplace(std::move(answer)); });
        return QTest::qWaitFor([&] { return got->has_value(); }, 30000)
            ? **got
            : Result<T>(internalError("no answer"));
    }
    std::unique_ptr<RedisClient> connectAs(const QString& user)
    {
        auto client = std::make_unique<RedisClient>();
        client->open(QStringLiteral("127.0.0.1"), m_redis.port(), user, m_passwords.value(user));
        return QTest::qWaitFor(
                   [&] { return client->state() == RedisClient::State::Connected; }, 10000)
            ? std::move(client)
            : nullptr;
    }
    Result<Lease> lease(RedisControl& control, const char* owner, qint64 lifeMs = 60000)
    {
        return wait<Lease>([&](auto told) {
            control.renewLease(QString::fromLatin1(owner), lifeMs, 0, this, told);
        });
    }
    Result<bool> publish(RedisControl& control, const char* owner, const QList<QJsonObject>& audit)
    {
        return wait<bool>([&](auto told) {
            control.publish(QString::fromLatin1(owner), QStringLiteral("j"),
                QJsonDocument(PublishedRollout().toJson()).toJson(QJsonDocument::Compact), audit,
                this, [told](const Result<void>& done) {
                    told(done ? Result<bool>(true) : Result<bool>(done.error()));
                });
        });
    }

    test::RedisServer m_redis;
    QHash<QString, QString> m_passwords;
    QTemporaryDir m_folder;
};

void TestRolloutServices::initTestCase()
{
    for (const QString& role : redisRoles()) {
        m_passwords.insert(role, role % QStringLiteral("-secret"));
    }
    QByteArray acl = redisUsers(m_passwords);
    acl.replace("user default off nopass resetkeys resetchannels -@all",
        "user default on nopass ~* &* +@all"); // for the test's own hand
    QVERIFY2(m_redis.start({}, acl), qPrintable(m_redis.lastError()));
}

void TestRolloutServices::init()
{
    failOnWarnings();
    m_redis.cli({QStringLiteral("FLUSHALL")});
}

void TestRolloutServices::leaseHasOneHolder()
{
    const auto client = connectAs(QStringLiteral("driver"));
    QVERIFY(client != nullptr);
    RedisControl control(client.get());
    const auto first = lease(control, "a:1", 300);
    QVERIFY2(first.ok(), first ? "" : first.error().text().c_str());
    QVERIFY(first->held);
    QCOMPARE(first->epoch, 1);
    QCOMPARE(lease(control, "a:1", 300)->epoch, 1); // prolonged
    const auto other = lease(control, "b:2", 60000);
    QVERIFY(!other->held);
    QCOMPARE(other->holder, QStringLiteral("a:1"));
    QTRY_VERIFY_WITH_TIMEOUT(lease(control, "b:2", 60000)->held, 10000); // it ran out
    QCOMPARE(lease(control, "b:2")->epoch, 2);
    QVERIFY(!publish(control, "a:1", {}).ok()); // fenced
    QCOMPARE(publish(control, "a:1", {}).error().kind, ErrorKind::Refused);
    // Redis lost everything; a journal still knows the epoch.
    m_redis.cli({QStringLiteral("FLUSHALL")});
    const auto later = wait<Lease>(
        [&](auto told) { control.renewLease(QStringLiteral("b:2"), 1000, 7, this, told); });
    QCOMPARE(later->epoch, 8);
}

void TestRolloutServices::auditIsWrittenOnce()
{
    const auto client = connectAs(QStringLiteral("driver"));
    RedisControl control(client.get());
    QVERIFY(lease(control, "a:1")->held);
    const QJsonObject one{{QStringLiteral("number"), 1}};
    const QJsonObject two{{QStringLiteral("number"), 2}};
    const QJsonObject refusal{{QStringLiteral("id"), QStringLiteral("c")}};
    QVERIFY(publish(control, "a:1", {one}).ok());
    QVERIFY(publish(control, "a:1", {one, two, refusal}).ok()); // as after a lost answer
    QCOMPARE(
        *wait<qint64>([&](auto told) { control.lastAudited(QStringLiteral("j"), this, told); }), 2);
    RolloutDesk desk(client.get());
    const auto events = wait<QList<QJsonObject>>([&](auto told) { desk.events(10, this, told); });
    QCOMPARE(*events, (QList<QJsonObject>{one, two, refusal}));
    const auto state =
        wait<std::optional<PublishedRollout>>([&](auto told) { desk.state(this, told); });
    QVERIFY(state && state->has_value());
}

void TestRolloutServices::commandsAreAnswered()
{
    const auto driver = connectAs(QStringLiteral("driver"));
    const auto lead = connectAs(QStringLiteral("lead"));
    QVERIFY(driver && lead);
    RedisControl control(driver.get());
    RolloutDesk desk(lead.get());
    QVERIFY(lease(control, "a:1")->held);
    QVERIFY(wait<QList<RolloutEvent>>([&](auto told) { control.commands(this, told); })->isEmpty());
    QVERIFY(wait<std::optional<PublishedRollout>>([&](auto told) { desk.state(this, told); }).ok());
    std::optional<Result<QJsonObject>> told;
    RolloutEvent event;
    event.kind = RolloutEvent::Kind::Promote;
    event.by = QStringLiteral("ada");
    event.expectedVersion = 4;
    const auto answerWith = [&](const QString& refused) {
        told.reset();
        desk.ask(event, this, [&](const Result<QJsonObject>& answer) { told = answer; });
        QList<RolloutEvent> asked;
        QTRY_VERIFY_WITH_TIMEOUT(
            [&] { // what was once given is not given again
                asked << *wait<QList<RolloutEvent>>(
                    [&](auto done) { control.commands(this, done); });
                return !asked.isEmpty();
            }(),
            10000);
        QCOMPARE(asked.size(), 1);
        QCOMPARE(asked[0].by, QStringLiteral("ada"));
        QCOMPARE(asked[0].expectedVersion, 4);
        QVERIFY(publish(control, "a:1",
            {QJsonObject{
                {QStringLiteral("id"), asked[0].id}, {QStringLiteral("refused"), refused}}})
                    .ok());
        QTRY_VERIFY_WITH_TIMEOUT(told.has_value(), 10000);
    };
    answerWith({});
    QVERIFY((*told).ok());
    answerWith(QStringLiteral("already promoted by bob"));
    QVERIFY(!(*told).ok());
    QCOMPARE((*told).error().kind, ErrorKind::Refused);
    // Nobody answers.
    const auto nobody = wait<QJsonObject>([&](auto done) { desk.ask(event, this, done, 200); });
    QVERIFY(!nobody.ok());
    QCOMPARE(nobody.error().kind, ErrorKind::Unreachable);
}

void TestRolloutServices::rolesHold()
{
    const auto viewer = connectAs(QStringLiteral("viewer"));
    RolloutDesk desk(viewer.get());
    RolloutEvent event;
    event.kind = RolloutEvent::Kind::Rollback;
    const auto asked = wait<QJsonObject>([&](auto told) { desk.ask(event, this, told); });
    QVERIFY(!asked.ok());
    QVERIFY(asked.error().message.find("a lead may") != std::string::npos);
    const auto lead = connectAs(QStringLiteral("lead"));
    const auto pointer = wait<RedisReply>([&](auto told) {
        lead->command({"SET", "sluice:{thresholds}:rollout", ""}, this, told);
    });
    QVERIFY(!pointer.ok()); // the guard is the driver's
}

void TestRolloutServices::guardedThresholds()
{
    const auto driver = connectAs(QStringLiteral("driver"));
    const auto admin = connectAs(QStringLiteral("admin"));
    RedisControl control(driver.get());
    PublishedThresholds thresholds(admin.get());
    const auto guard = [&](const char* rollout) {
        return wait<QString>(
            [&](auto told) { control.guardThresholds(QString::fromLatin1(rollout), this, told); });
    };
    const auto publishSet = [&](qint64 expected, DuringRollout during) {
        ThresholdSet set;
        set.author = "eve";
        return wait<qint64>([&](auto told) {
            thresholds.publish(set, QStringLiteral("green"), expected, this, told, during);
        });
    };
    QVERIFY2(publishSet(0, DuringRollout::Refuse).ok(), "nothing is under way");
    QCOMPARE(*guard("r1@1"), QString());
    const auto refused = publishSet(1, DuringRollout::Refuse);
    QVERIFY(!refused.ok());
    QCOMPARE(refused.error().kind, ErrorKind::Refused);
    QVERIFY(refused.error().message.find("rollout r1@1 is under way") != std::string::npos);
    QCOMPARE(*guard("r1@1"), QString()); // it was refused: nothing happened
    const auto over = publishSet(1, DuringRollout::Override);
    QVERIFY2(over.ok(), over ? "" : over.error().text().c_str());
    QCOMPARE(*guard("r1@1"), QStringLiteral("eve")); // told once
    QCOMPARE(*guard("r1@1"), QString());
    PublishedThresholds own(driver.get());
    const auto back = wait<qint64>([&](auto told) {
        own.activate(1, QStringLiteral("green"), 2, this, told, QStringLiteral("rollout"),
            DuringRollout::Own);
    });
    QVERIFY2(back.ok(), back ? "" : back.error().text().c_str());
    QCOMPARE(*guard("r1@1"), QString());
    QCOMPARE(*guard(""), QString());
    QVERIFY(publishSet(1, DuringRollout::Refuse).ok());
}

void TestRolloutServices::noticesAreSentOnce()
{
    const QString path = m_folder.filePath(QStringLiteral("outbox"));
    Receiver generic;
    Receiver slack;
    slack.answer = "500 No";
    RolloutState state = stateOf();
    state.plan.notifications = {{slack.url(), true}, {generic.url(), false}};
    {
        auto box = Outbox::open(path);
        QVERIFY(box.ok());
        (*box)->enqueue(QStringLiteral("j/1/0"), QStringLiteral("stage 5 %"), state);
        (*box)->enqueue(QStringLiteral("j/1/0"), QStringLiteral("stage 5 %"), state);
        QTRY_VERIFY_WITH_TIMEOUT(!generic.got.isEmpty() && !slack.got.isEmpty(), 10000);
        QTRY_COMPARE_WITH_TIMEOUT((*box)->waiting(), 1, 10000); // the one that was not taken
    }
    QTRY_COMPARE_WITH_TIMEOUT(slack.connections(), 0, 10000); // nothing of the first is under way
    slack.got.clear();
    slack.answer = "204 Taken";
    {
        auto box = Outbox::open(path); // a driver that was started anew
        QVERIFY(box.ok());
        (*box)->enqueue(QStringLiteral("j/1/0"), QStringLiteral("stage 5 %"), state);
        QTRY_COMPARE_WITH_TIMEOUT((*box)->waiting(), 0, 10000);
    }
    auto box = Outbox::open(path);
    QCOMPARE((*box)->waiting(), 0);
    QCOMPARE(generic.got.size(), 1);
    QCOMPARE(slack.got.size(), 1);
    QVERIFY(slack.got[0].endsWith("{\"text\":\"r1@1: stage 5 %\"}"));
    QVERIFY(slack.got[0].contains("Idempotency-Key: j/1/0"));
    const QByteArray body = generic.got[0].mid(generic.got[0].indexOf("\r\n\r\n") + 4);
    const QJsonObject told = QJsonDocument::fromJson(body).object();
    QCOMPARE(told[QStringLiteral("release")].toString(), QStringLiteral("r1"));
    QVERIFY(!Outbox::open(path).ok()); // one holder
}

void TestRolloutServices::deploysThresholdsAndModel()
{
    const auto driver = connectAs(QStringLiteral("driver"));
    PublishedThresholds thresholds(driver.get());
    const QByteArray token(40, 't');
    service::Configuration options;
    options.redis.host = "127.0.0.1";
    options.redis.port = m_redis.port();
    options.redis.user = "worker";
    options.redis.password = m_passwords.value(QStringLiteral("worker")).toStdString();
    options.listen.pool = "green";
    service::TokenSettings admin;
    admin.name = "driver";
    admin.role = "admin";
    admin.sha256 =
        QCryptographicHash::hash(token, QCryptographicHash::Sha256).toHex().toStdString();
    options.auth.tokens.push_back(admin);
    test::Worker worker(options);
    QVERIFY2(!worker.error, worker.error ? worker.error->text().c_str() : "");

    // A threshold set that an admin published before, and the model that the worker has already.
    const auto hand = connectAs(QStringLiteral("admin"));
    PublishedThresholds published(hand.get());
    ThresholdSet set;
    set.global = 0.5;
    const auto number = wait<qint64>(
        [&](auto told) { published.publish(set, QStringLiteral("blue"), 0, this, told); });
    QVERIFY(number.ok());
    ReleaseDeployer::Options deploying;
    deploying.workers = {
        {QStringLiteral("green"), QUrl(QStringLiteral("http://127.0.0.1:%1").arg(worker.port()))}};
    deploying.token = QString::fromLatin1(token);
    deploying.askMs = 50;
    ReleaseDeployer works(deploying, &thresholds);
    RolloutState state = stateOf();
    state.plan.release.thresholdSet = *number;
    QFile file(QStringLiteral(SLUICE_BINARY_DIR "/share/sluice/helpdesk.model"));
    QVERIFY(file.open(QIODevice::ReadOnly));
    state.plan.release.modelFile = file.fileName();
    state.plan.release.modelHash = QString::fromLatin1(
        QCryptographicHash::hash(file.readAll(), QCryptographicHash::Sha256).toHex());
    const auto deploy = [&] {
        return wait<QString>([&](auto told) { works.deploy(state, this, told); });
    };
    const auto done = deploy();
    QVERIFY2(done.ok(), done ? "" : done.error().text().c_str());
    QCOMPARE(*done, QStringLiteral("1 workers of green are r1"));
    QVERIFY(deploy().ok()); // again: no harm

    // A model whose content is not what its hash says is not taken.
    QFile other(m_folder.filePath(QStringLiteral("other.model")));
    QVERIFY(other.open(QIODevice::WriteOnly));
    other.write("no model");
    other.close();
    state.plan.release.modelFile = other.fileName();
    state.plan.release.modelHash = QString(64, u'a');
    const auto refused = deploy();
    QVERIFY(!refused.ok());
    QVERIFY2(refused.error().message.find("could not be put on") != std::string::npos,
        refused.error().text().c_str());
    state.plan.release.modelFile = m_folder.filePath(QStringLiteral("none"));
    QVERIFY(deploy().error().message.find("can't be read") != std::string::npos);
}

void TestRolloutServices::deployThatCannotBe()
{
    const auto driver = connectAs(QStringLiteral("driver"));
    PublishedThresholds thresholds(driver.get());
    RolloutState state = stateOf();
    ReleaseDeployer::Options deploying;
    deploying.askMs = 20;
    deploying.deployTimeoutMs = 200;
    {
        ReleaseDeployer works(deploying, &thresholds);
        const auto none = wait<QString>([&](auto told) { works.deploy(state, this, told); });
        QVERIFY(!none.ok());
        QVERIFY(none.error().message.find("no worker of pool green") != std::string::npos);
    }
    deploying.workers = {{QStringLiteral("green"),
        QUrl(QStringLiteral("http://127.0.0.1:%1").arg(test::freePort()))}};
    ReleaseDeployer works(deploying, &thresholds);
    const auto deaf = wait<QString>([&](auto told) { works.deploy(state, this, told); });
    QVERIFY(!deaf.ok());
    QVERIFY(deaf.error().cause.find("does not answer") != std::string::npos);
    state.plan.release.thresholdSet = 99;
    const auto unknown = wait<QString>([&](auto told) { works.deploy(state, this, told); });
    QVERIFY(!unknown.ok());
    QVERIFY(unknown.error().message.find("no threshold set 99") != std::string::npos);
    state.plan.hooks = {{QStringLiteral("deploy"), {QStringLiteral("/bin/false")}, {}, 1000}};
    QVERIFY(!wait<QString>([&](auto told) { works.deploy(state, this, told); }).ok());
}

void TestRolloutServices::suitesRun()
{
    test::Worker worker({});
    QVERIFY(!worker.error);
    ReleaseDeployer::Options deploying;
    deploying.workers = {
        {QStringLiteral("green"), QUrl(QStringLiteral("http://127.0.0.1:%1").arg(worker.port()))}};
    ReleaseDeployer works(deploying, nullptr);
    RolloutState state = stateOf();
    const auto stage = [&] {
        return wait<QString>([&](auto told) { works.stage(state, this, told); });
    };
    QCOMPARE(*stage(), QStringLiteral("the plan names no suites"));
    QFile suite(m_folder.filePath(QStringLiteral("smoke.jsonl")));
    QVERIFY(suite.open(QIODevice::WriteOnly));
    suite.write("{\"text\":\"where is my order\",\"expect\":{\"decision\":\"accept\"}}\n");
    suite.close();
    state.plan.smoke = state.plan.system = {suite.fileName(), 20000};
    const auto passed = stage();
    QVERIFY2(passed.ok(), passed ? "" : passed.error().text().c_str());
    QVERIFY(passed->contains(QStringLiteral("all of 1 cases")));
    QVERIFY(suite.open(QIODevice::WriteOnly));
    suite.write("{\"text\":\"where is my order\",\"expect\":{\"intent\":\"moon\"}}\n");
    suite.close();
    const auto failed = stage();
    QVERIFY(!failed.ok());
    QVERIFY(failed.error().message.find("1 of 1 cases") != std::string::npos);
    state.plan.smoke.file = m_folder.filePath(QStringLiteral("missing.jsonl"));
    QVERIFY(!stage().ok());
}

void TestRolloutServices::hooksAreBounded()
{
    ReleaseDeployer works({}, nullptr);
    RolloutState state = stateOf();
    const auto hook = [&] {
        return wait<QString>(
            [&](auto told) { works.hook(QStringLiteral("finished"), state, this, told); });
    };
    QCOMPARE(*hook(), QStringLiteral("none"));
    const QString out = m_folder.filePath(QStringLiteral("out"));
    Receiver receiver;
    state.plan.hooks = {{QStringLiteral("deploy"), {QStringLiteral("/bin/false")}, {}, 1000},
        {QStringLiteral("finished"),
            {QStringLiteral("/bin/sh"), QStringLiteral("-c"),
                QStringLiteral("echo \"$SLUICE_POOL $SLUICE_RELEASE\" > '%1'").arg(out)},
            {}, 10000},
        {QStringLiteral("finished"), {}, receiver.url(), 10000}};
    const auto done = hook();
    QVERIFY2(done.ok(), done ? "" : done.error().text().c_str());
    QFile file(out);
    QVERIFY(file.open(QIODevice::ReadOnly));
    QCOMPARE(file.readAll(), QByteArray("green r1\n"));
    QCOMPARE(receiver.got.size(), 1);
    QVERIFY(receiver.got[0].contains("\"SLUICE_ROLLOUT\":\"r1@1\""));
    receiver.answer = "500 No";
    QVERIFY(!hook().ok());
    const auto alone = [&](const QStringList& command, qint64 timeoutMs) {
        state.plan.hooks = {{QStringLiteral("finished"), command, {}, timeoutMs}};
        return hook();
    };
    QVERIFY(alone({QStringLiteral("/bin/sleep"), QStringLiteral("60")}, 100)
                .error()
                .message.find("in time")
        != std::string::npos);
    QVERIFY(alone({QStringLiteral("/no/such")}, 1000).error().message.find("can't be started")
        != std::string::npos);
    QVERIFY(alone({QStringLiteral("/bin/sh"), QStringLiteral("-c"),
                      QStringLiteral("echo broken; exit 3")},
                5000)
                .error()
                .cause.find("broken")
        != std::string::npos);
}

QTEST_GUILESS_MAIN(TestRolloutServices)
#include "tst_rolloutservices.moc"

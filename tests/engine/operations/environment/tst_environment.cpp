#include "engine/classification/context/redisconnection.h"
#include "engine/classification/context/redissessionstore.h"
#include "engine/operations/environment/environment.h"
#include "engine/operations/environment/haproxyconfig.h"
#include "engine/operations/environment/secretstore.h"
#include "engine/operations/environment/stackfiles.h"
#include "tests/support/looprunner.h"
#include "tests/support/redisserver.h"
#include "tests/support/testcase.h"

#include <QFile>
#include <QFileInfo>
#include <QProcess>
#include <QTemporaryDir>
#include <unistd.h>

using namespace sluice;
using namespace sluice::ops;

class TestEnvironment : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void storeKeepsThem();
    void damagedFileIsSaidAndKept();
    void secretsComeInOrder();
    void secretsFileMustBePrivate();
    void processMarksKnowTheDead();
    void stackDocumentRoundTrip();
    void workersMayKeepSessions();
    void haproxyAcceptsItsConfiguration();
    void prometheusAcceptsItsConfiguration();
};

namespace {

Environment sample(const QString& name)
{
    Environment environment;
    environment.name = name;
    environment.production = true;
    environment.prometheus = QUrl(QStringLiteral("http://127.0.0.1:9"));
    environment.redis = {QStringLiteral("127.0.0.1"), 7, QStringLiteral("admin")};
    environment.balancer = QUrl(QStringLiteral("http://127.0.0.1:8"));
    environment.balancerSocket = QStringLiteral("/tmp/x.sock");
    environment.workers = {{QStringLiteral("blue"), QUrl(QStringLiteral("http://127.0.0.1:1"))}};
    return environment;
}

QByteArray run(const QString& program, const QStringList& arguments, int& code)
{
    QProcess process;
    process.setProcessChannelMode(QProcess::MergedChannels);
    process.start(program, arguments);
    code = process.waitForFinished(20000) ? process.exitCode() : -1;
    return process.readAll();
}

} // namespace

void TestEnvironment::storeKeepsThem()
{
    QTemporaryDir folder;
    const EnvironmentStore store(folder.filePath(QStringLiteral("new/folder")));
    QVERIFY(store.load().ok());
    QVERIFY(store.load()->isEmpty());
    QVERIFY(store.upsert(sample(QStringLiteral("one"))).ok());
    QVERIFY(store.upsert(sample(QStringLiteral("two"))).ok());
    Environment changed = sample(QStringLiteral("one"));
    changed.readOnly = true;
    changed.redis.port = 65535;
    QVERIFY(store.upsert(changed).ok());
    auto all = store.load();
    QVERIFY(all.ok());
    QCOMPARE(all->size(), 2);
    QVERIFY(all->contains(changed));
    QVERIFY(all->contains(sample(QStringLiteral("two"))));
    QVERIFY(store.remove(QStringLiteral("one")).ok());
    all = store.load();
    QCOMPARE(all->size(), 1);
    QCOMPARE(all->at(0).name, QStringLiteral("two"));
}

void TestEnvironment::damagedFileIsSaidAndKept()
{
    QTemporaryDir folder;
    QFile file(folder.filePath(QStringLiteral("environments.json")));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write("{\"environments\": [");
    file.close();
    const EnvironmentStore store(folder.path());
    const auto loaded = store.load();
    QVERIFY(!loaded.ok());
    QVERIFY(loaded.error().message.find("environments.json") != std::string::npos);
    QVERIFY(!store.upsert(sample(QStringLiteral("x"))).ok()); // what a person wrote is not lost
    QVERIFY(file.open(QIODevice::ReadOnly));
    QCOMPARE(file.readAll(), QByteArray("{\"environments\": ["));
}

void TestEnvironment::secretsComeInOrder()
{
    QTemporaryDir folder;
    QFile file(folder.filePath(QStringLiteral("secrets.json")));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(R"({"local/redis/admin":"from file","other":"from file too"})");
    file.close();
    file.setPermissions(QFileDevice::ReadOwner | QFileDevice::WriteOwner);
    qputenv("SLUICE_SECRETS_FILE", file.fileName().toUtf8());
    SecretStore store;
    store.keep(QStringLiteral("other"), QStringLiteral("kept"));
    store.keep(QStringLiteral("third"), QStringLiteral("kept"));
    const auto find = [&](const char* name) {
        std::optional<Result<QString>> found;
        store.find(QString::fromUtf8(name), this, [&](Result<QString> answer) { found = answer; });
        return QTest::qWaitFor([&] { return found.has_value(); }, 10000) && found->ok() ? **found
                                                                                        : QString();
    };
    QCOMPARE(find("local/redis/admin"), QStringLiteral("from file"));
    QCOMPARE(find("other"), QStringLiteral("from file too"));
    QCOMPARE(find("third"), QStringLiteral("kept"));
    qputenv("SLUICE_SECRET_LOCAL_REDIS_ADMIN", "from environment");
    QCOMPARE(find("local/redis/admin"), QStringLiteral("from environment"));
    qunsetenv("SLUICE_SECRET_LOCAL_REDIS_ADMIN");
    qunsetenv("SLUICE_SECRETS_FILE");
    QCOMPARE(find("local/redis/admin"), QString());
}

void TestEnvironment::secretsFileMustBePrivate()
{
    QTemporaryDir folder;
    QFile file(folder.filePath(QStringLiteral("secrets.json")));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(R"({"a":"open to all"})");
    file.close();
    file.setPermissions(QFileDevice::ReadOwner | QFileDevice::WriteOwner | QFileDevice::ReadOther);
    qputenv("SLUICE_SECRETS_FILE", file.fileName().toUtf8());
    SecretStore store;
    std::optional<Result<QString>> found;
    store.find(QStringLiteral("a"), this, [&](Result<QString> answer) { found = answer; });
    QTRY_VERIFY_WITH_TIMEOUT(found.has_value(), 10000);
    qunsetenv("SLUICE_SECRETS_FILE");
    QVERIFY(!found->ok());
    QVERIFY2(found->error().text().find("chmod 600") != std::string::npos,
        found->error().text().c_str());
}

void TestEnvironment::processMarksKnowTheDead()
{
    const ProcessMark own = ProcessMark::of(::getpid());
    QVERIFY(own.isAlive());
    QVERIFY(!ProcessMark({own.pid, own.startTicks + 1}).isAlive()); // the id, used again
    QProcess child;
    child.start(QStringLiteral("sleep"), {QStringLiteral("60")});
    QVERIFY(child.waitForStarted());
    const ProcessMark mark = ProcessMark::of(child.processId());
    QVERIFY(mark.isAlive());
    QVERIFY(mark.signal(15));
    QVERIFY(child.waitForFinished(5000));
    QVERIFY(!mark.isAlive());
    QVERIFY(!mark.signal(15));
    QVERIFY(!ProcessMark().isAlive());
}

void TestEnvironment::stackDocumentRoundTrip()
{
    QTemporaryDir folder;
    StackFolder stack{folder.filePath(QStringLiteral("state"))};
    QVERIFY(!stack.read().ok());
    QVERIFY(stack.prepare().ok());
    StackDocument document;
    document.phase = QStringLiteral("up");
    document.supervisor = ProcessMark::of(::getpid());
    document.partStartTicks = {5};
    document.status.stateFolder = stack.path;
    document.status.passwords = {{QStringLiteral("admin"), QStringLiteral("secret")}};
    StackPart part;
    part.name = QStringLiteral("redis");
    part.pid = 42;
    part.port = 65000;
    part.state = PartState::Healthy;
    document.status.parts = {part};
    QVERIFY(stack.write(document).ok());
    QCOMPARE(
        QFile::permissions(stack.document()) & (QFileDevice::ReadOther | QFileDevice::ReadGroup),
        QFileDevice::Permissions()); // passwords are in it
    const auto read = stack.read();
    QVERIFY2(read.ok(), read ? "" : read.error().message.c_str());
    QCOMPARE(read->status.parts, document.status.parts);
    // The environment follows from the parts.
    QCOMPARE(read->status.environment.name, QStringLiteral("local"));
    QCOMPARE(read->status.environment.redis.port, part.port);
    QCOMPARE(read->status.passwords, document.status.passwords);
    QCOMPARE(read->supervisor.startTicks, document.supervisor.startTicks);
    for (const char* text : {"", "{", "[]"}) {
        QVERIFY(!StackDocument::fromJson(text, QStringLiteral("x")).ok());
    }
    StackFolder wrong{QStringLiteral("/proc/sluice")};
    QVERIFY(!wrong.prepare().ok());
}

void TestEnvironment::workersMayKeepSessions()
{
    QHash<QString, QString> passwords;
    for (const QString& role : redisRoles()) {
        passwords.insert(role, QStringLiteral("secret"));
    }
    test::RedisServer server;
    QVERIFY2(server.start({}, redisUsers(passwords)), qPrintable(server.lastError()));
    boost::asio::io_context loop;
    RedisSettings settings;
    settings.address.port = server.port();
    settings.user = "worker";
    settings.password = "secret";
    RedisConnection connection(loop, settings);
    connection.start();
    QVERIFY(test::runUntil(loop, [&] { return connection.isConnected(); }));
    RedisSessionStore store(connection, std::chrono::minutes(30), std::chrono::seconds(10));
    Session session;
    session.id = "s1";
    session.append("track", Verdict::Accept, {});
    int number = 0;
    const auto take = [&](const Result<int>& saved) {
        number = saved ? *saved : -1;
        QVERIFY2(saved.ok(), saved ? "" : saved.error().text().c_str());
    };
    store.save(session, SessionWrite::Awaited, take);
    QVERIFY(test::runUntil(loop, [&] { return number != 0; }));
    int turns = 0;
    store.load("s1", [&](const Result<std::optional<Session>>& found) {
        turns = found && *found ? (*found)->turnCount : -1;
    });
    QVERIFY(test::runUntil(loop, [&] { return turns != 0; }));
    QCOMPARE(turns, 1);
    // Not with a script either: what is not theirs.
    const auto asWorker = [&](const char* words) {
        return server.cli(QString::fromLatin1(words).split(QLatin1Char(' ')),
            QStringLiteral("worker"), QStringLiteral("secret"));
    };
    for (const char* denied : {"eval return(1) 1 sluice:{thresholds}:active:blue",
             "eval return(redis.call('set','sluice:audit','x')) 1 sluice:session:{s1}",
             "eval return(redis.call('del',KEYS[1])) 1 sluice:session:{s1}",
             "del sluice:session:{s1}", "get sluice:{rollout}:state"}) {
        const QByteArray said = asWorker(denied);
        QVERIFY2(said.contains("NOPERM") || said.contains("can't") || said.contains("cannot"),
            qPrintable(QString::fromUtf8(denied) + QStringLiteral(": ") + QString::fromUtf8(said)));
    }
    QVERIFY(asWorker("cluster slots").contains("cluster support disabled")); // may, but is none
}

void TestEnvironment::haproxyAcceptsItsConfiguration()
{
    QTemporaryDir folder;
    const auto write = [&](const char* name, const QByteArray& content) {
        QFile file(folder.filePath(QString::fromUtf8(name)));
        if (file.open(QIODevice::WriteOnly)) {
            file.write(content);
        }
        return file.fileName();
    };
    HaproxyLayout layout;
    layout.port = 40001;
    layout.metricsPort = 40002;
    layout.socket = folder.filePath(QStringLiteral("h.sock"));
    layout.liveMap = write("live.map", initialLiveMap(QStringLiteral("blue")));
    layout.numberMap = write("num.map", initialNumberMap());
    layout.servers = {{QStringLiteral("blue-1"), QStringLiteral("blue"), 40003},
        {QStringLiteral("green-1"), QStringLiteral("green"), 40004}};
    const QString file = write("haproxy.cfg", haproxyConfig(layout));
    int code = -1;
    const QByteArray said =
        run(QStringLiteral("haproxy"), {QStringLiteral("-c"), QStringLiteral("-f"), file}, code);
    QVERIFY2(code == 0, said.constData());
    QVERIFY2(!said.contains("WARNING"), said.constData());
}

void TestEnvironment::prometheusAcceptsItsConfiguration()
{
    QTemporaryDir folder;
    QFile file(folder.filePath(QStringLiteral("prometheus.yml")));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(prometheusConfig({QStringLiteral("127.0.0.1:1"), QStringLiteral("127.0.0.1:2")},
        QStringLiteral("127.0.0.1:3")));
    file.close();
    int code = -1;
    const QByteArray said = run(QStringLiteral("promtool"),
        {QStringLiteral("check"), QStringLiteral("config"), file.fileName()}, code);
    QVERIFY2(code == 0, said.constData());
}

QTEST_GUILESS_MAIN(TestEnvironment)
#include "tst_environment.moc"

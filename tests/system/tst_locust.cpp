#include "engine/operations/loadtest/locustrunner.h"
#include "tests/support/requestserver.h"
#include "tests/support/testcase.h"

#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QStandardPaths>
#include <csignal>
#include <optional>

using namespace sluice;
using namespace sluice::ops;

namespace {

/// Counts what is asked of it, by session; every n-th answer is a 503.
class CountingServer : public test::RequestServer
{
public:
    qint64 requests = 0;
    qint64 refused = 0;
    int everyNth = 0;
    QHash<QByteArray, QList<QByteArray>> bodies; ///< by session

protected:
    void handle(QTcpSocket* socket, const test::HttpRequest& request) override
    {
        bodies[request.header("X-Session-Id")] << request.body;
        const bool refuse = everyNth > 0 && requests % everyNth == 0;
        ++requests;
        refused += refuse ? 1 : 0;
        reply(socket, "{}", refuse ? "503 Busy" : "200 OK");
    }
};

LocustRequest query(const QString& text)
{
    return {QStringLiteral("/v1/classify"),
        QJsonDocument(QJsonObject{{QStringLiteral("text"), text}}).toJson(QJsonDocument::Compact)};
}

LocustPlan plan(const QUrl& target, double seconds, double users = 10, double rate = 50)
{
    LocustPlan made;
    made.target = target;
    made.curve = {{0, users, rate}, {seconds, users, rate}};
    made.scripts = {
        {{query(QStringLiteral("say \"hi\"\n\\ é 😀"))}, 1}, {{query(QStringLiteral("where"))}, 3}};
    return made;
}

bool isAlive(qint64 pid)
{
    return pid > 0 && ::kill(pid_t(pid), 0) == 0;
}

} // namespace

class TestLocust : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase()
    {
        if (QStandardPaths::findExecutable(QStringLiteral("locust")).isEmpty()) {
            QSKIP("python3-locust is not installed");
        }
    }
    void everyRequestIsCounted();
    void conversationsOnAnotherHost();
    void theCurveIsFollowed();
    void aLostWorkerIsTold();
    void stops();
    void endsWithItsObject();
    void tellsWhatIsWrong();

private:
    struct Watch
    {
        explicit Watch(LocustRunner& runner, QObject* context)
        {
            QObject::connect(&runner, &LocustRunner::started, context,
                [this](int connected) { workers = connected; });
            QObject::connect(&runner, &LocustRunner::second, context,
                [this](const LocustSecond& second) { seconds << second; });
            QObject::connect(&runner, &LocustRunner::noted, context,
                [this](const QString& note) { notes << note; });
            QObject::connect(&runner, &LocustRunner::finished, context,
                [this](const LocustEnd& how) { end = how; });
            QObject::connect(
                &runner, &LocustRunner::failed, context, [this](const Error& why) { error = why; });
        }
        bool isOver() const { return end.has_value() || error.has_value(); }
        qint64 succeeded() const
        {
            qint64 sum = 0;
            for (const LocustSecond& second : seconds) {
                sum += second.succeeded;
            }
            return sum;
        }
        qint64 errors(const QString& kind) const
        {
            qint64 sum = 0;
            for (const LocustSecond& second : seconds) {
                sum += second.errors.value(kind);
            }
            return sum;
        }
        int workers = 0;
        QList<LocustSecond> seconds;
        QStringList notes;
        std::optional<LocustEnd> end;
        std::optional<Error> error;
    };
};

void TestLocust::everyRequestIsCounted()
{
    CountingServer server;
    server.everyNth = 10;
    LocustRunner runner;
    Watch watch(runner, this);
    QVERIFY(runner.start(plan(server.url(), 3)).ok());
    QVERIFY(!runner.start(plan(server.url(), 3)).ok()); // one object, one run
    QTRY_VERIFY_WITH_TIMEOUT(watch.isOver(), 60000);
    QVERIFY2(watch.end, watch.error ? watch.error->text().c_str() : "");
    QVERIFY(watch.end->completed);
    QCOMPARE(watch.workers, 2);
    QVERIFY(server.requests > 100);
    // Those in flight when it ended were cut off: a user's at most.
    const qint64 counted = watch.succeeded() + watch.errors(QStringLiteral("status 503"));
    QVERIFY2(server.requests - counted >= 0 && server.requests - counted <= 10,
        qPrintable(QStringLiteral("%1 of %2").arg(counted).arg(server.requests)));
    QCOMPARE(watch.end->requests, counted); // Locust's own number: nothing of the end is lost
    QCOMPARE(watch.end->failures, watch.errors(QStringLiteral("status 503")));
    qint64 measured = 0;
    for (const LocustSecond& second : watch.seconds) {
        measured += qint64(second.latency.count());
        QVERIFY(second.succeeded == 0 || second.latency.quantile(0.5) > 0);
    }
    QCOMPARE(measured, watch.succeeded());
    QVERIFY(watch.notes.isEmpty());
    bool exact = false;
    for (const QList<QByteArray>& bodies : std::as_const(server.bodies)) {
        exact = exact || bodies.contains(query(QStringLiteral("say \"hi\"\n\\ é 😀")).body);
    }
    QVERIFY(exact);
    QCOMPARE(server.bodies.size(), 10); // a session a user
}

void TestLocust::conversationsOnAnotherHost()
{
    CountingServer server;
    LocustPlan what = plan(server.url(), 3, 4, 40);
    const QList<LocustRequest> turns{
        query(QStringLiteral("one")), query(QStringLiteral("two")), query(QStringLiteral("three"))};
    what.scripts = {{turns, 1}};
    LocustRunner runner;
    Watch watch(runner, this);
    // `sh -c LINE` stands for `ssh host LINE`: both give the line to a shell and our input to it.
    LocustSetup setup;
    setup.localWorkers = 1;
    setup.remoteWorkers = QStringList{QStringLiteral("env sh -c")};
    QVERIFY(runner.start(what, setup).ok());
    QTRY_VERIFY_WITH_TIMEOUT(watch.isOver(), 60000);
    QVERIFY2(watch.end, watch.error ? watch.error->text().c_str() : "");
    QVERIFY(watch.end->completed);
    QCOMPARE(watch.workers, 2);
    int whole = 0;
    for (const QList<QByteArray>& bodies : std::as_const(server.bodies)) {
        QVERIFY(bodies.size() <= 3);
        for (qsizetype turn = 0; turn < bodies.size(); ++turn) {
            QCOMPARE(bodies[turn], turns[turn].body);
        }
        whole += bodies.size() == 3 ? 1 : 0;
    }
    QVERIFY(whole >= 5);
}

void TestLocust::theCurveIsFollowed()
{
    CountingServer server;
    LocustPlan what = plan(server.url(), 6);
    what.curve = {{0, 4, 20}, {3, 4, 20}, {3, 20, 100}, {6, 20, 100}};
    LocustRunner runner;
    Watch watch(runner, this);
    QVERIFY(runner.start(what).ok());
    QTRY_VERIFY_WITH_TIMEOUT(watch.isOver(), 60000);
    QVERIFY2(watch.end, watch.error ? watch.error->text().c_str() : "");
    QVERIFY(watch.seconds.size() >= 6);
    QCOMPARE(watch.seconds[1].users, 4.0);
    QCOMPARE(watch.seconds[5].users, 20.0);
    QVERIFY(watch.seconds[5].succeeded > watch.seconds[1].succeeded * 2);
}

void TestLocust::aLostWorkerIsTold()
{
    CountingServer server;
    LocustRunner runner;
    Watch watch(runner, this);
    QVERIFY(runner.start(plan(server.url(), 12)).ok());
    QTRY_VERIFY_WITH_TIMEOUT(watch.isOver() || watch.seconds.size() >= 1, 60000);
    QVERIFY(!watch.isOver());
    ::kill(pid_t(runner.workerPids()[0]), SIGKILL);
    QTRY_VERIFY_WITH_TIMEOUT(watch.isOver(), 60000);
    QVERIFY2(watch.end, watch.error ? watch.error->text().c_str() : "");
    QVERIFY(watch.end->completed); // the other one goes on
    QCOMPARE(watch.notes.size(), 1);
    QVERIFY2(
        watch.notes[0].contains(QStringLiteral("was lost in second")), qPrintable(watch.notes[0]));
    QCOMPARE(watch.end->notes, watch.notes);
    QCOMPARE(watch.seconds.last().workers, 1);
    QCOMPARE(watch.seconds[watch.seconds.size() - 2].users, 10.0); // its users went to the other
}

void TestLocust::stops()
{
    CountingServer server;
    LocustRunner runner;
    Watch watch(runner, this);
    QVERIFY(runner.start(plan(server.url(), 3600)).ok());
    QTRY_VERIFY_WITH_TIMEOUT(watch.isOver() || watch.seconds.size() >= 1, 60000);
    runner.stop();
    QTRY_VERIFY_WITH_TIMEOUT(watch.isOver(), 20000);
    QVERIFY2(watch.end, watch.error ? watch.error->text().c_str() : "");
    QVERIFY(!watch.end->completed);
    const qint64 counted = watch.succeeded();
    QVERIFY2(server.requests - counted >= 0 && server.requests - counted <= 10,
        qPrintable(QStringLiteral("%1 of %2").arg(counted).arg(server.requests)));
    QVERIFY(!runner.isRunning());

    LocustRunner early; // before its workers have connected
    Watch watchEarly(early, this);
    QVERIFY(early.start(plan(server.url(), 3600)).ok());
    early.stop();
    QTRY_VERIFY_WITH_TIMEOUT(watchEarly.isOver(), 20000);
    QVERIFY(watchEarly.end && !watchEarly.end->completed);
}

void TestLocust::endsWithItsObject()
{
    CountingServer server;
    QList<qint64> pids;
    {
        LocustRunner runner;
        Watch watch(runner, this);
        QVERIFY(runner.start(plan(server.url(), 3600)).ok());
        QTRY_VERIFY_WITH_TIMEOUT(watch.isOver() || watch.workers == 2, 60000);
        pids = runner.workerPids();
    }
    QCOMPARE(pids.size(), 2);
    for (const qint64 pid : std::as_const(pids)) {
        QVERIFY(!isAlive(pid));
    }
}

void TestLocust::tellsWhatIsWrong()
{
    const QUrl nowhere(QStringLiteral("http://127.0.0.1:1"));
    {
        LocustRunner runner;
        LocustSetup setup;
        setup.program = QStringLiteral("locusst");
        const auto started = runner.start(plan(nowhere, 2), setup);
        QVERIFY(!started.ok());
        QCOMPARE(started.error().kind, ErrorKind::Input);
    }
    {
        LocustRunner runner; // a host that can't be reached
        Watch watch(runner, this);
        LocustSetup setup;
        setup.remoteWorkers =
            QStringList{QStringLiteral("sh -c \"echo no such host >&2; exit 1\"")};
        QVERIFY(runner.start(plan(nowhere, 2), setup).ok());
        QTRY_VERIFY_WITH_TIMEOUT(watch.isOver(), 60000);
        QVERIFY(watch.error);
        QCOMPARE(watch.error->cause, "no such host");
    }
    {
        LocustRunner runner; // nobody listens
        Watch watch(runner, this);
        QVERIFY(runner.start(plan(nowhere, 2)).ok());
        QTRY_VERIFY_WITH_TIMEOUT(watch.isOver(), 60000);
        QVERIFY(watch.end);
        QCOMPARE(watch.succeeded(), 0);
        QVERIFY(watch.errors(QStringLiteral("connection refused")) > 20);
        QVERIFY(
            !watch.seconds.last().samples.isEmpty() || !watch.seconds.first().samples.isEmpty());
    }
}

QTEST_GUILESS_MAIN(TestLocust)
#include "tst_locust.moc"

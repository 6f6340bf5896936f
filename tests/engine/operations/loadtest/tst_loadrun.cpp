#include "engine/operations/loadtest/generator.h"
#include "engine/operations/loadtest/loadrun.h"
#include "engine/operations/loadtest/verdict.h"
#include "engine/operations/threads/handover.h"
#include "tests/support/requestserver.h"
#include "tests/support/testcase.h"

#include <QElapsedTimer>
#include <QSet>
#include <QTcpSocket>
#include <QTemporaryDir>
#include <QThread>
#include <QTimer>

using namespace sluice;
using namespace sluice::ops;

namespace {

/// A server whose answers are as slow or as wrong as a test wants them.
class OddServer : public test::RequestServer
{
public:
    std::function<void(QTcpSocket*, const QByteArray& request)> answer;
    int requests = 0;
    QSet<QByteArray> sessions;

    static void ok(QTcpSocket* socket) { reply(socket, "{}"); }

protected:
    void handle(QTcpSocket* socket, const test::HttpRequest& request) override
    {
        ++requests;
        sessions << request.header("X-Session-Id");
        answer(socket, request.head + "\r\n" + request.body);
    }
};

Scenario scenario(double rate, double seconds, int users = 20)
{
    Scenario made = Scenario::constant(QStringLiteral("test"), users, rate, seconds);
    made.queries.source = QuerySource::Texts;
    made.queries.texts =
        QStringList{QStringLiteral("where is my parcel"), QStringLiteral("say \"hi\"\n\\ é")};
    return made;
}

} // namespace

class TestLoadRun : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void everyScheduledRequestIsSent();
    void bodiesAreJson();
    void aStallCountsForAllThatWaited();
    void errorsAreToldApart_data();
    void errorsAreToldApart();
    void nobodyListens();
    void stopsWhenAsked();
    void destroyedWhileRunning();
    void foreignTargetsAreRefused();
    void usersWaitThinkAndAskAgain();
    void usersComeAndGo();
    void usersDontFireInStep();
    void aConnectionForEachUser();
    void inFlightIsBounded();
    void unansweredRequestsTimeOut();
    void stopsWhenBreached();
    void totalIsBounded();
    void theGeneratorsOwnLimitIsSaid();
    void folderIsWritten();
    void folderThatCantBeWritten();
    void slowSteadyProfileIsFollowed();

private:
    std::optional<LoadResult> run(const LoadOptions& what)
    {
        LoadRun load;
        std::optional<LoadResult> result;
        connect(&load, &LoadRun::finished, this, [&](const LoadResult& end) { result = end; });
        const auto started = load.start(what);
        if (!started) {
            qInfo("%s", started.error().text().c_str());
            return {};
        }
        return QTest::qWaitFor([&] { return result.has_value(); }, 60000) ? result : std::nullopt;
    }
    std::optional<LoadResult> run(const Scenario& what, const QUrl& target)
    {
        LoadRun load;
        std::optional<LoadResult> result;
        connect(&load, &LoadRun::finished, this, [&](const LoadResult& end) { result = end; });
        connect(&load, &LoadRun::second, this, [&](const LoadSecond&) { ++m_seconds; });
        m_seconds = 0;
        const auto started = load.start(what, target);
        if (!started) {
            qInfo("%s", started.error().text().c_str());
            return {};
        }
        return QTest::qWaitFor([&] { return result.has_value(); }, 60000) ? result : std::nullopt;
    }
    int m_seconds = 0;
};

void TestLoadRun::everyScheduledRequestIsSent()
{
    OddServer server;
    server.answer = [](QTcpSocket* socket, const QByteArray&) { OddServer::ok(socket); };
    const auto result = run(scenario(100, 2, 20), server.url());
    QVERIFY(result);
    QVERIFY(result->completed);
    QCOMPARE(result->scheduled, 200);
    QCOMPARE(result->sent, 200);
    QCOMPARE(result->succeeded, 200);
    QCOMPARE(server.requests, 200);
    QCOMPARE(server.sessions.size(), 20); // every user came
    QVERIFY(m_seconds >= 2);
    QCOMPARE(result->checks.size(), 3);
    int completed = 0;
    for (const LoadSecond& second : result->seconds) {
        completed += second.completed;
    }
    QCOMPARE(completed, 200);
}

void TestLoadRun::bodiesAreJson()
{
    OddServer server;
    QSet<QString> texts;
    bool good = true;
    server.answer = [&](QTcpSocket* socket, const QByteArray& request) {
        good = good && request.startsWith("POST /v1/classify HTTP/1.1\r\n");
        const QByteArray body = request.mid(request.indexOf("\r\n\r\n") + 4);
        texts << QJsonDocument::fromJson(body).object()[QStringLiteral("text")].toString();
        OddServer::ok(socket);
    };
    QVERIFY(run(scenario(40, 1), server.url()));
    QVERIFY(good);
    QCOMPARE(texts,
        (QSet<QString>{
            QStringLiteral("where is my parcel"), QString::fromUtf8("say \"hi\"\n\\ é")}));
}

void TestLoadRun::aStallCountsForAllThatWaited()
{
    // The server stands still for a second in the middle: a closed loop would have one slow
    // request; the open schedule has some 100 of them (coordinated omission).
    OddServer server;
    QList<QPointer<QTcpSocket>> held;
    QElapsedTimer clock;
    bool still = false;
    server.answer = [&](QTcpSocket* socket, const QByteArray&) {
        if (!clock.isValid()) {
            clock.start();
            QTimer::singleShot(1000, &server, [&] { still = true; });
            QTimer::singleShot(2000, &server, [&] {
                still = false;
                for (const QPointer<QTcpSocket>& waiting : std::exchange(held, {})) {
                    if (waiting) {
                        OddServer::ok(waiting);
                    }
                }
            });
        }
        if (still) {
            held << socket;
        } else {
            OddServer::ok(socket);
        }
    };
    const auto result = run(scenario(100, 3, 300), server.url());
    QVERIFY(result);
    QCOMPARE(result->succeeded, 300);
    QVERIFY2(result->maxMs > 800, qPrintable(QString::number(result->maxMs)));
    QVERIFY2(result->p95Ms > 500, qPrintable(QString::number(result->p95Ms)));
    QVERIFY(!result->passed);
}

void TestLoadRun::errorsAreToldApart_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<QString>("kind");
    QTest::newRow("503") << QByteArray(
        "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n")
                         << QStringLiteral("status 503");
    QTest::newRow("404") << QByteArray("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")
                         << QStringLiteral("status 404");
    QTest::newRow("closed") << QByteArray() << QString();
    QTest::newRow("no HTTP") << QByteArray("hello there\r\n\r\n") << QString();
    QTest::newRow("cut off") << QByteArray("HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{")
                             << QString();
}

void TestLoadRun::errorsAreToldApart()
{
    QFETCH(QByteArray, bytes);
    QFETCH(QString, kind);
    OddServer server;
    server.answer = [&](QTcpSocket* socket, const QByteArray&) {
        socket->write(bytes);
        if (kind.isEmpty()) {
            socket->disconnectFromHost();
        }
    };
    const auto result = run(scenario(30, 1), server.url());
    QVERIFY(result);
    QCOMPARE(result->succeeded, 0);
    qint64 errors = 0;
    for (const qint64 count : result->errors) {
        errors += count;
    }
    QCOMPARE(errors, 30);
    if (!kind.isEmpty()) {
        QCOMPARE(result->errors.value(kind), 30);
    }
    QVERIFY(!result->passed);
}

void TestLoadRun::nobodyListens()
{
    QUrl url;
    {
        OddServer gone;
        url = gone.url();
    }
    const auto result = run(scenario(30, 1), url);
    QVERIFY(result);
    QCOMPARE(result->errors.value(QStringLiteral("connection refused")), 30);
    QVERIFY(!result->passed);
}

void TestLoadRun::stopsWhenAsked()
{
    OddServer server;
    server.answer = [](QTcpSocket* socket, const QByteArray&) { OddServer::ok(socket); };
    LoadRun load;
    std::optional<LoadResult> result;
    connect(&load, &LoadRun::finished, this, [&](const LoadResult& end) { result = end; });
    connect(&load, &LoadRun::second, this, [&](const LoadSecond&) { load.stop(); });
    QVERIFY(load.start(scenario(50, 3600), server.url()).ok());
    QVERIFY(load.isRunning());
    QVERIFY(!load.start(scenario(50, 1), server.url()).ok()); // one object, one run
    QTRY_VERIFY_WITH_TIMEOUT(result.has_value(), 20000);
    QVERIFY(!result->completed);
    QVERIFY(!result->passed);
}

void TestLoadRun::destroyedWhileRunning()
{
    OddServer server;
    server.answer = [](QTcpSocket*, const QByteArray&) {}; // never an answer
    auto load = std::make_unique<LoadRun>();
    QVERIFY(load->start(scenario(200, 3600, 200), server.url()).ok());
    QTRY_VERIFY_WITH_TIMEOUT(server.requests > 20, 20000);
    load.reset();
    QTest::qWait(0);
}

void TestLoadRun::foreignTargetsAreRefused()
{
    for (const char* target : {"http://10.0.0.1:80", "http://example.org", "https://127.0.0.1:1",
             "http://127.0.0.1.example.org:80", "ftp://127.0.0.1", "", "http://"}) {
        LoadRun load;
        const auto started = load.start(scenario(1, 1), QUrl(QString::fromUtf8(target)));
        QVERIFY2(!started.ok(), target);
        QCOMPARE(started.error().kind, ErrorKind::Input);
    }
    Scenario endless = scenario(1, 1e9);
    LoadRun load;
    QVERIFY(!load.start(endless, QUrl(QStringLiteral("http://127.0.0.1:1"))).ok());
}

namespace {

Scenario closed(std::vector<LoadPhase> phases, double think)
{
    Scenario made = scenario(1, 1);
    made.model = LoadModel::Closed;
    made.phases = std::move(phases);
    made.think = {think, 0.5};
    return made;
}

void answerAll(OddServer& server)
{
    server.answer = [](QTcpSocket* socket, const QByteArray&) { OddServer::ok(socket); };
}

} // namespace

void TestLoadRun::usersWaitThinkAndAskAgain()
{
    OddServer server;
    answerAll(server);
    const auto result = run(closed({LoadPhase{2, 20}}, 0.2), server.url());
    QVERIFY(result && result->completed);
    QCOMPARE(result->sent, result->scheduled);
    QCOMPARE(result->succeeded, result->scheduled);
    QCOMPARE(qint64(server.requests), result->sent);
    // 20 users, a request each 0.2 s or later: 200 at most, and some 190 where nothing waits.
    QVERIFY2(result->sent > 50 && result->sent <= 215, qPrintable(QString::number(result->sent)));
    QCOMPARE(server.sessions.size(), 20);
    QCOMPARE(result->seconds.first().users, 20.0);
}

void TestLoadRun::usersComeAndGo()
{
    OddServer server;
    answerAll(server);
    const auto result = run(closed({LoadPhase{1, 30, RampShape::Linear}, LoadPhase{1, 0.2},
                                       LoadPhase{1, 30, RampShape::Step}},
                                0.1),
        server.url());
    QVERIFY(result && result->completed);
    QCOMPARE(result->seconds.size() >= 3, true);
    QVERIFY(result->seconds[0].users > 20);
    QCOMPARE(result->seconds[1].users, 0.0);
    QCOMPARE(result->seconds[1].completed < result->seconds[0].completed / 2, true);
    QVERIFY(result->seconds[2].completed > 0);
    QCOMPARE(result->succeeded, result->scheduled);
}

void TestLoadRun::usersDontFireInStep()
{
    // All come at once; their first requests are spread over their think time.
    OddServer server;
    QElapsedTimer clock;
    QList<qint64> times;
    server.answer = [&](QTcpSocket* socket, const QByteArray&) {
        times << clock.elapsed();
        OddServer::ok(socket);
    };
    clock.start();
    const auto result = run(closed({LoadPhase{1, 200}}, 1), server.url());
    QVERIFY(result && result->completed);
    QVERIFY(times.size() > 150);
    // No tenth of the second holds half of them.
    for (qsizetype index = 0; index + times.size() / 2 < times.size(); ++index) {
        QVERIFY(times[index + times.size() / 2] - times[index] > 100);
    }
}

void TestLoadRun::aConnectionForEachUser()
{
    OddServer server;
    QSet<QTcpSocket*> sockets;
    server.answer = [&](QTcpSocket* socket, const QByteArray&) {
        sockets << socket;
        OddServer::ok(socket);
    };
    const auto result = run(closed({LoadPhase{1, 15}}, 0.1), server.url());
    QVERIFY(result);
    QCOMPARE(sockets.size(), 15);
    QCOMPARE(result->seconds.first().connections, 15);
    // In an open model few connections carry all.
    sockets.clear();
    QVERIFY(run(scenario(50, 1, 50), server.url()));
    QVERIFY(sockets.size() < 30);
}

void TestLoadRun::inFlightIsBounded()
{
    OddServer server;
    QList<QPointer<QTcpSocket>> held;
    int most = 0;
    server.answer = [&](QTcpSocket* socket, const QByteArray&) {
        held << socket;
        most = std::max(most, int(held.size()));
        QTimer::singleShot(50, &server, [&] {
            if (const QPointer<QTcpSocket> waiting = held.takeFirst()) {
                OddServer::ok(waiting);
            }
        });
    };
    Scenario narrow = scenario(100, 1);
    narrow.maxInFlight = 3;
    const auto result = run(narrow, server.url());
    QVERIFY(result && result->completed);
    QCOMPARE(most, 3);
    QCOMPARE(result->succeeded, 100); // those that waited, too
    // 3 at a time, 50 ms each: the last of 100 waited half a second; the sends themselves were
    // quick.
    QVERIFY2(result->maxMs > 400, qPrintable(QString::number(result->maxMs)));
    QVERIFY(result->uncorrectedP95Ms < result->p95Ms / 2);
}

void TestLoadRun::unansweredRequestsTimeOut()
{
    OddServer server;
    server.answer = [](QTcpSocket*, const QByteArray&) {};
    for (const bool open : {true, false}) {
        Scenario mute = open ? scenario(20, 1) : closed({LoadPhase{1, 5}}, 0);
        mute.timeoutSeconds = 0.2;
        const auto result = run(mute, server.url());
        QVERIFY(result && result->completed);
        QCOMPARE(result->errors.value(QStringLiteral("timeout")), result->scheduled);
        QCOMPARE(result->failures(), result->scheduled);
        QVERIFY(result->p50Ms >= 199);
        QCOMPARE(result->verdict(), QStringLiteral("failed"));
        QCOMPARE(result->errorSamples.size(), 5);
        QCOMPARE(result->errorSamples.first().detail, QStringLiteral("/v1/classify"));
    }
}

void TestLoadRun::stopsWhenBreached()
{
    OddServer server;
    server.answer = [](QTcpSocket* socket, const QByteArray&) {
        socket->write("HTTP/1.1 503 Busy\r\nContent-Length: 4\r\n\r\nbusy");
    };
    Scenario bad = scenario(50, 3600);
    bad.stopAfterBreachedSeconds = 2;
    const auto result = run(bad, server.url());
    QVERIFY(result);
    QCOMPARE(result->state, QStringLiteral("breached"));
    QCOMPARE(result->verdict(), QStringLiteral("failed"));
    QVERIFY(result->notes.first().contains(QStringLiteral("2 s in a row")));
    QCOMPARE(result->errorSamples.first().detail, QStringLiteral("/v1/classify: busy"));
}

void TestLoadRun::totalIsBounded()
{
    OddServer server;
    answerAll(server);
    GeneratorPlan plan;
    plan.host = "127.0.0.1";
    plan.port = server.serverPort();
    plan.profile = LoadProfile({LoadPhase{3600, 10}});
    plan.open = false;
    plan.users = 10;
    plan.scripts = {{{{"a", "", {}}}, 1}};
    plan.maxRequests = 30;
    Generator generator(std::move(plan));
    std::optional<GeneratorResult> result;
    HandOver handOver;
    QVERIFY(generator
                .start([](const GeneratorSecond&) {},
                    [&](GeneratorResult end) {
                        handOver.post([&, end = std::move(end)] { result = end; });
                    })
                .ok());
    QTRY_VERIFY_WITH_TIMEOUT(result.has_value(), 20000);
    QVERIFY(result->bounded && !result->completed);
    QCOMPARE(result->scheduled, 30);
}

void TestLoadRun::theGeneratorsOwnLimitIsSaid()
{
    OddServer server;
    answerAll(server);
    auto result = run(scenario(100, 1), server.url());
    QVERIFY(result && !result->generatorLimited);
    const auto limited = [&](auto change) {
        LoadResult changed = *result;
        change(changed);
        judge(changed);
        return changed.generatorLimited && !changed.passed
            && changed.verdict() == QLatin1StringView("no verdict");
    };
    QVERIFY(!limited([](LoadResult&) {}));
    QVERIFY(limited([](LoadResult& r) {
        r.startLagP99Ms = 20;
        r.p99Ms = 25;
    }));
    QVERIFY(!limited([](LoadResult& r) {
        r.startLagP99Ms = 6;
        r.p99Ms = 400;
    }));
    QVERIFY(limited([](LoadResult& r) { r.errors[QStringLiteral("out of descriptors")] = 1; }));
    QVERIFY(limited([](LoadResult& r) {
        r.scenario.model = LoadModel::Closed;
        r.scenario.think.meanSeconds = 0;
        r.generatorCpu = 0.99;
    }));
}

void TestLoadRun::folderIsWritten()
{
    OddServer server;
    server.answer = [](QTcpSocket* socket, const QByteArray& request) {
        if (request.contains("hi")) {
            socket->write("HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n");
        } else {
            OddServer::ok(socket);
        }
    };
    QTemporaryDir folder;
    LoadOptions options;
    options.scenario = scenario(40, 8);
    options.target = server.url();
    options.seed = 5;
    options.environment = QStringLiteral("here");
    options.folder = folder.filePath(QStringLiteral("run"));
    options.versions = {{QStringLiteral("worker"), QStringLiteral("9")}};
    const auto result = run(options);
    QVERIFY(result);
    QCOMPARE(result->verdict(), QStringLiteral("failed"));
    const auto again = readRun(options.folder);
    QVERIFY2(again.ok(), again ? "" : again.error().text().c_str());
    QCOMPARE(again->toJson(), result->toJson());
    QCOMPARE(again->id, QStringLiteral("run"));
    QCOMPARE(again->versions[QStringLiteral("worker")].toString(), QStringLiteral("9"));
    QVERIFY(again->seconds.size() >= 8);
    QVERIFY(again->blocks.size() >= 8);
    // The blocks hold every request, exactly.
    LoadResult fromBlocks = *again;
    figuresFromBlocks(fromBlocks);
    QCOMPARE(fromBlocks.p95Ms, result->p95Ms);
    QCOMPARE(fromBlocks.p99Ms, result->p99Ms);
    QCOMPARE(fromBlocks.startLagP99Ms, result->startLagP99Ms);
    QVERIFY(result->checks.first().low.has_value());
    QVERIFY(*result->checks.first().low <= result->p95Ms * 1.01);
    QVERIFY(*result->checks.first().high >= result->p95Ms * 0.99);
    qint64 errors = 0;
    for (const LoadSecond& second : again->seconds) {
        errors += second.errors;
    }
    QCOMPARE(errors, result->failures());
}

void TestLoadRun::folderThatCantBeWritten()
{
    LoadOptions options;
    options.scenario = scenario(40, 8);
    options.target = QUrl(QStringLiteral("http://127.0.0.1:1"));
    options.folder = QStringLiteral("/proc/sluice");
    LoadRun load;
    QVERIFY(!load.start(options).ok());
    options.folder.clear();
    options.scenario.queries = {QuerySource::File, QStringLiteral("/nowhere")};
    QVERIFY(!load.start(options).ok());
    QVERIFY(!raiseDescriptorLimit(2000000000).ok());
    QVERIFY(loadAddress(QUrl(QStringLiteral("http://10.0.0.1")), QStringLiteral("10.0.0.1"), false)
                .ok());
    QVERIFY(loadAddress(QUrl(QStringLiteral("http://10.0.0.1")), {}, true).ok());
    QVERIFY(!loadAddress(QUrl(QStringLiteral("http://name.invalid")), {}, true).ok());
    QCOMPARE(*loadAddress(QUrl(QStringLiteral("http://localhost:1")), {}, false),
        std::string("127.0.0.1"));
    QCOMPARE(*loadAddress(QUrl(QStringLiteral("http://[::1]:1")), {}, false), std::string("::1"));
}

void TestLoadRun::slowSteadyProfileIsFollowed()
{
    OddServer server;
    answerAll(server);
    Scenario ramp = scenario(1, 1);
    ramp.phases = {LoadPhase{2, 100, RampShape::Linear, 0.0}, LoadPhase{1, 10}};
    const auto result = run(ramp, server.url());
    QVERIFY(result);
    QCOMPARE(result->scheduled, 110);
    QCOMPARE(result->seconds[0].scheduled >= 24 && result->seconds[0].scheduled <= 26, true);
    QCOMPARE(result->seconds[2].scheduled >= 9 && result->seconds[2].scheduled <= 11, true);
}

QTEST_GUILESS_MAIN(TestLoadRun)
#include "tst_loadrun.moc"

#include "engine/operations/environment/haproxyconfig.h"
#include "engine/operations/rollout/trafficrouter.h"
#include "tests/support/process.h"
#include "tests/support/redisserver.h"
#include "tests/support/requestserver.h"
#include "tests/support/testcase.h"

#include <QDateTime>
#include <QFile>
#include <QLocalServer>
#include <QLocalSocket>
#include <QProcess>
#include <QTcpSocket>
#include <QTemporaryDir>

using namespace sluice;
using namespace sluice::ops;

/// Against a real HAProxy.
class TestTrafficRouter : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();
    void readsWhatHolds();
    void shiftsTheShareOfSessions();
    void sessionsStayWhereTheyAre();
    void leaseEnds();
    void rollbackTakesEverythingBack();
    void swapMakesTheOtherLive();
    void emptyPoolGetsNothing();
    void badSharesAreRefused();
    void deadBalancerIsSaid();
    void silentBalancerTimesOut();

private:
    using Call = std::function<void(TrafficRouter::Answered)>;
    Result<TrafficSplit> wait(const Call& call)
    {
        const auto got = std::make_shared<std::optional<Result<TrafficSplit>>>();
        call([got](const Result<TrafficSplit>& answer) { *got = answer; });
        return QTest::qWaitFor([&] { return got->has_value(); }, 15000)
            ? **got
            : Result<TrafficSplit>(internalError("no answer"));
    }
    Result<TrafficSplit> read()
    {
        return wait([this](auto answered) { m_router->read(this, answered); });
    }
    Result<TrafficSplit> shift(int basisPoints, qint64 forMs = 600000)
    {
        return wait([=, this](auto answered) {
            m_router->shift(
                basisPoints, QDateTime::currentMSecsSinceEpoch() + forMs, this, answered);
        });
    }
    QByteArray ask(const QByteArray& session);
    int greens(int sessions)
    {
        int count = 0;
        for (int index = 0; index < sessions; ++index) {
            count += ask("session-" + QByteArray::number(index)) == "green" ? 1 : 0;
        }
        return count;
    }

    std::unique_ptr<QTemporaryDir> m_folder;
    std::unique_ptr<test::NamedServer> m_blue;
    std::unique_ptr<test::NamedServer> m_green;
    std::unique_ptr<QProcess> m_haproxy;
    std::unique_ptr<TrafficRouter> m_router;
    quint16 m_port = 0;
};

void TestTrafficRouter::init()
{
    failOnWarnings();
    m_folder = std::make_unique<QTemporaryDir>();
    m_blue = std::make_unique<test::NamedServer>("blue");
    m_green = std::make_unique<test::NamedServer>("green");
    const auto write = [this](const char* name, const QByteArray& content) {
        QFile file(m_folder->filePath(QString::fromUtf8(name)));
        if (file.open(QIODevice::WriteOnly)) {
            file.write(content);
        }
        return file.fileName();
    };
    HaproxyLayout layout;
    layout.port = m_port = test::freePort();
    layout.metricsPort = test::freePort();
    layout.socket = m_folder->filePath(QStringLiteral("h.sock"));
    layout.liveMap = write("live.map", initialLiveMap(QStringLiteral("blue")));
    layout.numberMap = write("num.map", initialNumberMap());
    layout.servers = {{QStringLiteral("blue-1"), QStringLiteral("blue"), m_blue->serverPort()},
        {QStringLiteral("green-1"), QStringLiteral("green"), m_green->serverPort()}};
    m_haproxy = std::make_unique<QProcess>();
    m_haproxy->setProcessChannelMode(QProcess::MergedChannels);
    test::endWithTest(*m_haproxy);
    m_haproxy->start(QStringLiteral("/usr/sbin/haproxy"),
        {QStringLiteral("-f"), write("haproxy.cfg", haproxyConfig(layout))});
    QVERIFY(m_haproxy->waitForStarted());
    m_router = std::make_unique<TrafficRouter>(layout.socket);
    QTRY_VERIFY_WITH_TIMEOUT(
        [this] {
            const auto split = read();
            return split && split->liveServersUp == 1 && split->nextServersUp == 1;
        }(),
        15000);
}

void TestTrafficRouter::cleanup()
{
    m_router.reset();
    m_haproxy.reset(); // kills it and waits
    m_green.reset();
    m_blue.reset();
}

QByteArray TestTrafficRouter::ask(const QByteArray& session)
{
    QTcpSocket socket;
    QByteArray got;
    socket.connectToHost(QStringLiteral("127.0.0.1"), m_port);
    connect(&socket, &QTcpSocket::connected, this, [&] {
        socket.write("GET /x HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
            + (session.isEmpty() ? QByteArray() : QByteArray("X-Session-Id: " + session + "\r\n"))
            + "\r\n");
    });
    QEventLoop loop;
    QTimer::singleShot(5000, &loop, &QEventLoop::quit);
    connect(&socket, &QTcpSocket::disconnected, &loop, &QEventLoop::quit);
    loop.exec();
    got = socket.readAll();
    return got.mid(got.indexOf("\r\n\r\n") + 4);
}

void TestTrafficRouter::readsWhatHolds()
{
    const auto split = read();
    QVERIFY(split.ok());
    QCOMPARE(split->live, QStringLiteral("blue"));
    QCOMPARE(split->next, QStringLiteral("green"));
    QCOMPARE(split->nextShareBasisPoints, 0);
    QCOMPARE(greens(50), 0);
    QTRY_VERIFY(read()->liveRequests >= 50);
    QCOMPARE(read()->nextRequests, 0U);
}

void TestTrafficRouter::shiftsTheShareOfSessions()
{
    const auto split = shift(2500);
    QVERIFY2(split.ok(), split ? "" : split.error().text().c_str());
    QCOMPARE(split->nextShareBasisPoints, 2500);
    QVERIFY(split->leaseUntilMs > QDateTime::currentMSecsSinceEpoch());
    // 400 sessions at 25 %: within four standard deviations of 100.
    const int count = greens(400);
    QVERIFY2(count > 65 && count < 135, qPrintable(QString::number(count)));
    QCOMPARE(ask({}), QByteArray("blue")); // without a session: the live pool
    QVERIFY(shift(10000).ok());
    QCOMPARE(greens(40), 40);
}

void TestTrafficRouter::sessionsStayWhereTheyAre()
{
    QVERIFY(shift(500).ok());
    QSet<int> before;
    for (int index = 0; index < 200; ++index) {
        if (ask("session-" + QByteArray::number(index)) == "green") {
            before << index;
        }
    }
    QVERIFY(shift(5000).ok());
    for (const int index : before) { // who went over stays over while the share grows
        QCOMPARE(ask("session-" + QByteArray::number(index)), QByteArray("green"));
    }
}

void TestTrafficRouter::leaseEnds()
{
    QVERIFY(shift(10000, 1500).ok());
    QCOMPARE(ask("a"), QByteArray("green"));
    QTRY_COMPARE_WITH_TIMEOUT(ask("a"), QByteArray("blue"), 10000); // nobody renewed it
    const auto renewed = wait([this](auto answered) {
        m_router->renew(QDateTime::currentMSecsSinceEpoch() + 60000, this, answered);
    });
    QVERIFY(renewed.ok());
    QCOMPARE(ask("a"), QByteArray("green"));
}

void TestTrafficRouter::rollbackTakesEverythingBack()
{
    QVERIFY(shift(10000).ok());
    const auto rollback = [this] {
        return wait([this](auto answered) { m_router->rollback(this, answered); });
    };
    QCOMPARE(rollback()->nextShareBasisPoints, 0);
    QCOMPARE(greens(20), 0);
    QVERIFY(rollback().ok()); // again: nothing to do is no error
}

void TestTrafficRouter::swapMakesTheOtherLive()
{
    QVERIFY(shift(5000).ok());
    const auto swapped = wait([this](auto answered) { m_router->swapLive(this, answered); });
    QVERIFY2(swapped.ok(), swapped ? "" : swapped.error().text().c_str());
    QCOMPARE(swapped->live, QStringLiteral("green"));
    QCOMPARE(swapped->nextShareBasisPoints, 0);
    QCOMPARE(greens(20), 20);
    QCOMPARE(ask({}), QByteArray("green"));
}

void TestTrafficRouter::emptyPoolGetsNothing()
{
    m_green->close();
    m_green.reset();
    QTRY_COMPARE_WITH_TIMEOUT(read()->nextServersUp, 0, 10000);
    const auto refused = shift(500);
    QVERIFY(!refused.ok());
    QCOMPARE(refused.error().kind, ErrorKind::Refused);
    QVERIFY(shift(0).ok());
    QCOMPARE(read()->nextShareBasisPoints, 0);
}

void TestTrafficRouter::badSharesAreRefused()
{
    QVERIFY(!shift(-1).ok());
    QVERIFY(!shift(10001).ok());
    QCOMPARE(read()->nextShareBasisPoints, 0);
}

void TestTrafficRouter::deadBalancerIsSaid()
{
    m_haproxy->kill();
    QVERIFY(m_haproxy->waitForFinished(5000));
    const auto split = read();
    QVERIFY(!split.ok());
    QCOMPARE(split.error().kind, ErrorKind::Unreachable);
    QVERIFY(!shift(500).ok());
}

void TestTrafficRouter::silentBalancerTimesOut()
{
    QLocalServer silent;
    QVERIFY(silent.listen(m_folder->filePath(QStringLiteral("silent.sock"))));
    m_router = std::make_unique<TrafficRouter>(m_folder->filePath(QStringLiteral("silent.sock")));
    const auto split = read();
    QVERIFY(!split.ok());
    QCOMPARE(split.error().kind, ErrorKind::Unreachable);
    // Gone while it waits: no call, no crash.
    m_router->read(this, [](const Result<TrafficSplit>&) { QFAIL("called"); });
    m_router.reset();
}

QTEST_GUILESS_MAIN(TestTrafficRouter)
#include "tst_trafficrouter.moc"

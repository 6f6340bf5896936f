#include "engine/operations/rollout/nginxbalancer.h"
#include "tests/support/requestserver.h"
#include "tests/support/splitnginx.h"
#include "tests/support/testcase.h"

#include <QDateTime>
#include <QEventLoop>
#include <QFile>
#include <QNetworkReply>
#include <QProcess>
#include <QTcpSocket>
#include <QTemporaryDir>

using namespace sluice;
using namespace sluice::ops;

/// Against a real nginx, with the configuration of packaging/nginx/sluice-split.conf.
class TestNginxBalancer : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();
    void splitsAndComesBack();
    void refusals();

private:
    Result<TrafficSplit> wait(const std::function<void(Balancer::Answered)>& call)
    {
        const auto got = std::make_shared<std::optional<Result<TrafficSplit>>>();
        call([got](const Result<TrafficSplit>& answer) { *got = answer; });
        return QTest::qWaitFor([&] { return got->has_value(); }, 15000)
            ? **got
            : Result<TrafficSplit>(internalError("no answer"));
    }
    Result<TrafficSplit> apply(const char* live, int basisPoints)
    {
        return wait([&](auto answered) {
            m_balancer->apply({QString::fromLatin1(live), basisPoints}, 0, this, answered);
        });
    }
    QByteArray ask(const QByteArray& session)
    {
        QNetworkRequest request(QUrl(QStringLiteral("http://127.0.0.1:%1/x").arg(m_port)));
        request.setTransferTimeout(5000);
        request.setRawHeader("Connection", "close");
        if (!session.isEmpty()) {
            request.setRawHeader("X-Session-Id", session);
        }
        std::unique_ptr<QNetworkReply> reply(m_network.get(request));
        QEventLoop loop;
        connect(reply.get(), &QNetworkReply::finished, &loop, &QEventLoop::quit);
        loop.exec();
        return reply->readAll();
    }
    QSet<int> greens(int sessions)
    {
        QSet<int> found;
        for (int index = 0; index < sessions; ++index) {
            if (ask("session-" + QByteArray::number(index)) == "green") {
                found << index;
            }
        }
        return found;
    }

    std::unique_ptr<test::NamedServer> m_blue;
    std::unique_ptr<test::NamedServer> m_green;
    std::unique_ptr<test::SplitNginx> m_nginx;
    std::unique_ptr<NginxBalancer> m_balancer;
    QNetworkAccessManager m_network;
    quint16 m_port = 0;
};

void TestNginxBalancer::init()
{
    failOnWarnings();
    m_blue = std::make_unique<test::NamedServer>("blue");
    m_green = std::make_unique<test::NamedServer>("green");
    m_nginx = std::make_unique<test::SplitNginx>();
    QVERIFY(m_nginx->start(m_blue->serverPort(), m_green->serverPort()));
    m_port = m_nginx->port();
    m_balancer = std::make_unique<NginxBalancer>(m_nginx->options());
    QTRY_VERIFY_WITH_TIMEOUT(
        wait([&](auto answered) { m_balancer->read(this, answered); }).ok(), 15000);
}

void TestNginxBalancer::cleanup()
{
    m_balancer.reset();
    m_nginx.reset();
}

void TestNginxBalancer::splitsAndComesBack()
{
    QCOMPARE(greens(30).size(), 0);
    const auto shifted = apply("blue", 2500);
    QVERIFY2(shifted.ok(), shifted ? "" : shifted.error().text().c_str());
    QCOMPARE(shifted->nextShareBasisPoints, 2500);
    const QSet<int> quarter = greens(200);
    QVERIFY2(quarter.size() > 20 && quarter.size() < 85, // four standard deviations
        qPrintable(QString::number(quarter.size())));
    QCOMPARE(ask({}), QByteArray("blue"));
    QVERIFY(apply("blue", 5000).ok());
    QVERIFY(greens(200).contains(quarter)); // who went over stays over
    const auto counted = wait([&](auto answered) { m_balancer->renew(0, this, answered); });
    QVERIFY(counted->liveRequests + counted->nextRequests >= 400);
    QVERIFY(counted->nextRequests > 50);
    QCOMPARE(counted->nextErrors, 0U);
    QVERIFY(apply("blue", 10000).ok());
    QCOMPARE(greens(20).size(), 20);
    QVERIFY(apply("green", 0).ok()); // the swap
    QCOMPARE(greens(20).size(), 20);
    QTRY_COMPARE(ask({}), QByteArray("green")); // a worker of before may still be ending
    const auto back = apply("blue", 0);
    QVERIFY(back.ok());
    QCOMPARE(back->live, QStringLiteral("blue"));
    QCOMPARE(greens(20).size(), 0);
}

void TestNginxBalancer::refusals()
{
    m_green->close();
    m_green.reset();
    const auto empty = apply("blue", 500);
    QVERIFY(!empty.ok());
    QCOMPARE(empty.error().kind, ErrorKind::Refused);
    QVERIFY(!apply("green", 0).ok());
    QVERIFY(apply("blue", 0).ok());
    QVERIFY(QFile::remove(m_nginx->options().pidFile));
    QCOMPARE(apply("blue", 0).error().kind, ErrorKind::Unreachable);
    QVERIFY(m_nginx->stop());
    QCOMPARE(apply("blue", 0).error().kind, ErrorKind::Unreachable);
}

QTEST_GUILESS_MAIN(TestNginxBalancer)
#include "tst_nginxbalancer.moc"

#include "engine/operations/environment/stackfiles.h"
#include "engine/operations/thresholds/publishedthresholds.h"
#include "tests/support/redisserver.h"
#include "tests/support/testcase.h"

#include <QTcpServer>
#include <QTcpSocket>

using namespace sluice;
using namespace sluice::ops;

class TestPublishedThresholds : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void init();
    void nothingPublishedYet();
    void publishesAndReadsBack();
    void theSecondPublisherIsRefused();
    void undoGoesBackAndForth();
    void poolsAreApart();
    void announcesOnTheChannel();
    void othersMayNot();
    void damagedDocumentIsSaid();
    void lostRedisIsSaid();
    void workersThatDoNotAnswer();

private:
    template <typename T>
    Result<T> wait(const std::function<void(std::function<void(Result<T>)>)>& call)
    {
        const auto got = std::make_shared<std::optional<Result<T>>>();
        call([got](const Result<T>& answer) { *got = answer; });
        return QTest::qWaitFor([&] { return got->has_value(); }, 10000)
            ? **got
            : Result<T>(internalError("no answer"));
    }
    Result<qint64> publish(
        PublishedThresholds& store, double global, const QString& pool, qint64 expected)
    {
        ThresholdSet set;
        set.global = global;
        set.author = "admin";
        set.createdAt = "2026-03-01T12:00:00Z";
        return wait<qint64>(
            [&](auto answered) { store.publish(set, pool, expected, this, answered); });
    }
    Result<std::optional<ThresholdSet>> active(PublishedThresholds& store, const QString& pool)
    {
        return wait<std::optional<ThresholdSet>>(
            [&](auto answered) { store.active(pool, this, answered); });
    }
    void open(RedisClient& client, const QString& user)
    {
        client.open(QStringLiteral("127.0.0.1"), m_server.port(), user, QStringLiteral("p"));
        QVERIFY(QTest::qWaitFor(
            [&] { return client.state() == RedisClient::State::Connected; }, 10000));
    }

    test::RedisServer m_server;
    std::unique_ptr<RedisClient> m_client;
    std::unique_ptr<PublishedThresholds> m_store;
    const QString m_blue = QStringLiteral("blue");
    const QString m_green = QStringLiteral("green");
};

void TestPublishedThresholds::initTestCase()
{
    QHash<QString, QString> passwords;
    for (const QString& role : redisRoles()) {
        passwords[role] = QStringLiteral("p");
    }
    QVERIFY2(m_server.start({}, redisUsers(passwords) + "user root on >p ~* &* +@all\n"),
        qPrintable(m_server.lastError()));
}

void TestPublishedThresholds::init()
{
    failOnWarnings();
    m_server.cli({QStringLiteral("FLUSHALL")}, QStringLiteral("root"), QStringLiteral("p"));
    m_store.reset();
    m_client = std::make_unique<RedisClient>();
    open(*m_client, QStringLiteral("admin"));
    m_store = std::make_unique<PublishedThresholds>(m_client.get());
}

void TestPublishedThresholds::nothingPublishedYet()
{
    const auto none = active(*m_store, m_blue);
    QVERIFY(none.ok());
    QVERIFY(!none->has_value());
    const auto previous =
        wait<qint64>([&](auto answered) { m_store->previous(m_blue, this, answered); });
    QCOMPARE(*previous, -1);
}

void TestPublishedThresholds::publishesAndReadsBack()
{
    const auto number = publish(*m_store, 0.42, m_blue, 0);
    QVERIFY2(number.ok(), number ? "" : number.error().text().c_str());
    QCOMPARE(*number, 1);
    const auto read = active(*m_store, m_blue);
    QVERIFY(read.ok() && read->has_value());
    QCOMPARE((*read)->global, 0.42);
    QCOMPARE((*read)->number, 1);
    QCOMPARE((*read)->author, std::string("admin"));
    QCOMPARE((*read)->createdAt, std::string("2026-03-01T12:00:00Z"));
}

void TestPublishedThresholds::theSecondPublisherIsRefused()
{
    QCOMPARE(*publish(*m_store, 0.4, m_blue, 0), 1);
    const auto late = publish(*m_store, 0.9, m_blue, 0); // has not seen set 1
    QVERIFY(!late.ok());
    QCOMPARE(late.error().kind, ErrorKind::Refused);
    QVERIFY2(late.error().message.find('1') != std::string::npos, late.error().message.c_str());
    QCOMPARE((*active(*m_store, m_blue))->global, 0.4);
    QCOMPARE(*publish(*m_store, 0.9, m_blue, 1), 2); // no number was lost to the refusal
}

void TestPublishedThresholds::undoGoesBackAndForth()
{
    QCOMPARE(*publish(*m_store, 0.4, m_blue, 0), 1);
    QCOMPARE(*publish(*m_store, 0.6, m_blue, 1), 2);
    const auto previous = [&] {
        return *wait<qint64>([&](auto answered) { m_store->previous(m_blue, this, answered); });
    };
    const auto activate = [&](qint64 number, qint64 expected) {
        return wait<qint64>(
            [&](auto answered) { m_store->activate(number, m_blue, expected, this, answered); });
    };
    QCOMPARE(previous(), 1);
    QCOMPARE(*activate(1, 2), 1);
    QCOMPARE((*active(*m_store, m_blue))->global, 0.4);
    QVERIFY(!activate(2, 2).ok()); // it points to 1 by now
    QCOMPARE(*activate(0, 1), 0);
    QVERIFY(!active(*m_store, m_blue)->has_value());
    QVERIFY(!activate(99, 0).ok()); // there is no such set
}

void TestPublishedThresholds::poolsAreApart()
{
    QCOMPARE(*publish(*m_store, 0.4, m_blue, 0), 1);
    QCOMPARE(*publish(*m_store, 0.6, m_green, 0), 2);
    QCOMPARE((*active(*m_store, m_blue))->global, 0.4);
    QCOMPARE((*active(*m_store, m_green))->global, 0.6);
}

void TestPublishedThresholds::announcesOnTheChannel()
{
    RedisClient listener;
    QSignalSpy messages(&listener, &RedisClient::message);
    open(listener, QStringLiteral("root"));
    listener.subscribe("sluice:{thresholds}:changed");
    QTRY_COMPARE(m_server
                     .cli({QStringLiteral("PUBSUB"), QStringLiteral("NUMSUB"),
                              QStringLiteral("sluice:{thresholds}:changed")},
                         QStringLiteral("root"), QStringLiteral("p"))
                     .right(1),
        QByteArray("1"));
    QVERIFY(publish(*m_store, 0.4, m_green, 0).ok());
    QTRY_COMPARE(messages.size(), 1);
    QCOMPARE(messages.first().at(1).toByteArray(), QByteArray("green 1"));
}

void TestPublishedThresholds::othersMayNot()
{
    RedisClient client;
    open(client, QStringLiteral("tester"));
    PublishedThresholds store(&client);
    const auto refused = publish(store, 0.4, m_blue, 0);
    QVERIFY(!refused.ok());
    QCOMPARE(refused.error().kind, ErrorKind::Refused);
    QVERIFY(!active(*m_store, m_blue)->has_value());
    QVERIFY(active(store, m_blue).ok()); // reading is everybody's
}

void TestPublishedThresholds::damagedDocumentIsSaid()
{
    QCOMPARE(*publish(*m_store, 0.4, m_blue, 0), 1);
    m_server.cli(
        {QStringLiteral("SET"), QStringLiteral("sluice:{thresholds}:1"), QStringLiteral("{")},
        QStringLiteral("root"), QStringLiteral("p"));
    QVERIFY(!active(*m_store, m_blue).ok());
}

void TestPublishedThresholds::lostRedisIsSaid()
{
    RedisClient nowhere;
    nowhere.open(QStringLiteral("127.0.0.1"), test::freePort(), {}, {});
    PublishedThresholds store(&nowhere);
    const auto answer = publish(store, 0.5, m_blue, 0);
    QVERIFY(!answer.ok());
    QCOMPARE(answer.error().kind, ErrorKind::Unreachable);
}

void TestPublishedThresholds::workersThatDoNotAnswer()
{
    QTcpServer silent;
    QVERIFY(silent.listen(QHostAddress::LocalHost));
    QTcpServer nonsense;
    QVERIFY(nonsense.listen(QHostAddress::LocalHost));
    connect(&nonsense, &QTcpServer::newConnection, this, [&] {
        QTcpSocket* socket = nonsense.nextPendingConnection();
        connect(socket, &QTcpSocket::readyRead, socket, [socket] {
            socket->readAll();
            socket->write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]");
        });
    });
    const auto url = [](quint16 port) {
        return QUrl(QStringLiteral("http://127.0.0.1:%1").arg(port));
    };
    QList<WorkerInfo> found;
    m_store->workers({{m_blue, url(silent.serverPort())}, {m_blue, url(test::freePort())},
                         {m_green, url(nonsense.serverPort())}},
        this, [&](const QList<WorkerInfo>& workers) { found = workers; });
    QTRY_COMPARE_WITH_TIMEOUT(found.size(), 3, 10000);
    for (const WorkerInfo& worker : found) {
        QVERIFY2(!worker.reachable, qPrintable(worker.endpoint.url.toString()));
        QVERIFY(!worker.error.isEmpty());
    }
    found.clear();
    bool answered = false;
    m_store->workers({}, this, [&](const QList<WorkerInfo>&) { answered = true; });
    QTRY_VERIFY(answered);
}

QTEST_GUILESS_MAIN(TestPublishedThresholds)
#include "tst_publishedthresholds.moc"

#include "engine/operations/queries/feedbackinbox.h"
#include "tests/support/redisserver.h"
#include "tests/support/testcase.h"

#include <QTemporaryDir>

using namespace sluice;
using namespace sluice::ops;

class TestFeedbackInbox : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void feedbackMeetsItsDecision();
    void complaintsAreRecordedInTheStream();
    void withoutRedisTheyStayHere();

private:
    QTemporaryDir m_folder;
};

namespace {

const QString decision = QStringLiteral(
    R"({"v":1,"id":"%1","session":"s","turn":%2,"query":"where is <ORDER_NUMBER>?","at":1,"model":"m","set":1,"pool":"blue","version":"1","weight":1,"top":[["track_parcel",0.8],["refund",0.1]],"out_of_scope":0.1,"context":"used","follow_up":true,"failures":0,"decision":"accept","rule":"above_threshold","threshold":0.5,"ms":1})");

} // namespace

void TestFeedbackInbox::feedbackMeetsItsDecision()
{
    test::RedisServer server;
    QVERIFY2(server.start(), qPrintable(server.lastError()));
    const auto add = [&](const char* stream, const QString& row) {
        server.cli({QStringLiteral("XADD"), QString::fromLatin1(stream), QStringLiteral("*"),
            QStringLiteral("row"), row});
    };
    // More than a page of decisions, those that are asked for at both ends.
    server.cli({QStringLiteral("EVAL"),
        QStringLiteral("for n = 1, 2100 do "
                       "local id = n == 6 and 'r-5' or 'x' .. n "
                       "redis.call('XADD', KEYS[1], '*', 'row', "
                       "(ARGV[1]:gsub('%%1', id):gsub('%%2', tostring(n)))) end"),
        QStringLiteral("1"), QStringLiteral("sluice:decisions"), decision});
    add("sluice:feedback",
        QStringLiteral(
            R"({"v":1,"id":"f1","kind":"wrong","label":"refund","request":"r-5","pool":"blue","at":100})"));
    add("sluice:feedback",
        QStringLiteral(
            R"({"v":1,"id":"f2","kind":"right","session":"s","turn":2100,"pool":"blue","at":101})"));
    add("sluice:feedback", QStringLiteral("no JSON"));
    RedisClient redis;
    redis.open(QStringLiteral("127.0.0.1"), server.port(), {}, {});
    QTRY_VERIFY(redis.state() == RedisClient::State::Connected);
    const QString file = m_folder.filePath(QStringLiteral("a/inbox.json"));
    FeedbackInbox inbox(&redis, file);
    QSignalSpy refreshed(&inbox, &FeedbackInbox::refreshed);
    inbox.refresh();
    QVERIFY(refreshed.wait(10000));
    QCOMPARE(inbox.items().size(), 2);
    QCOMPARE(inbox.items()[0].id, QStringLiteral("f2"));
    QCOMPARE(inbox.items()[0].intent, QStringLiteral("track_parcel"));
    QCOMPARE(inbox.items()[1].query, QStringLiteral("where is <ORDER_NUMBER>?"));
    QCOMPARE(inbox.items()[1].decision, QStringLiteral("accept"));
    QCOMPARE(inbox.items()[1].confidence, double(0.8F));
    QCOMPARE(inbox.open(), 1); // what was right needs nobody
    QVERIFY(inbox.setDone(QStringLiteral("f1"), true).ok());
    QCOMPARE(inbox.open(), 0);
    FeedbackInbox again(&redis, file);
    QSignalSpy once(&again, &FeedbackInbox::refreshed);
    again.refresh();
    QVERIFY(once.wait(10000));
    QVERIFY(again.items()[1].isDone);
    QVERIFY(again.setDone(QStringLiteral("f1"), false).ok());
    QCOMPARE(again.open(), 1);
}

void TestFeedbackInbox::complaintsAreRecordedInTheStream()
{
    test::RedisServer server;
    QVERIFY(server.start());
    RedisClient redis;
    redis.open(QStringLiteral("127.0.0.1"), server.port(), {}, {});
    QTRY_VERIFY(redis.state() == RedisClient::State::Connected);
    FeedbackInbox inbox(&redis, m_folder.filePath(QStringLiteral("b.json")));
    FeedbackItem item;
    item.kind = QStringLiteral("complaint");
    item.query = QStringLiteral("where is my parcel?");
    item.label = QStringLiteral("track_parcel");
    item.by = QStringLiteral("ann");
    item.note = QStringLiteral("on the phone");
    std::optional<bool> shared;
    inbox.record(item, this, [&](const Result<bool>& recorded) { shared = *recorded; });
    QTRY_VERIFY(shared.has_value());
    QVERIFY(*shared);
    QVERIFY(server
                .cli({QStringLiteral("XREVRANGE"), QStringLiteral("sluice:feedback"),
                    QStringLiteral("+"), QStringLiteral("-")})
                .contains("on the phone"));
    QSignalSpy refreshed(&inbox, &FeedbackInbox::refreshed);
    inbox.refresh();
    QVERIFY(refreshed.wait(10000));
    QCOMPARE(inbox.items().size(), 1);
    QCOMPARE(inbox.items()[0].query, item.query);
    QCOMPARE(inbox.items()[0].note, item.note);
}

void TestFeedbackInbox::withoutRedisTheyStayHere()
{
    RedisClient nowhere;
    const QString file = m_folder.filePath(QStringLiteral("c.json"));
    FeedbackInbox inbox(&nowhere, file);
    FeedbackItem item;
    item.kind = QStringLiteral("complaint");
    item.query = QStringLiteral("hello");
    item.by = QStringLiteral("ann");
    std::optional<bool> shared;
    inbox.record(item, this, [&](const Result<bool>& recorded) { shared = *recorded; });
    QVERIFY(shared.has_value() && !*shared);
    const FeedbackInbox again(&nowhere, file);
    QCOMPARE(again.items().size(), 1);
    QCOMPARE(again.items()[0].query, item.query);
    QCOMPARE(again.open(), 1);
}

QTEST_GUILESS_MAIN(TestFeedbackInbox)
#include "tst_feedbackinbox.moc"

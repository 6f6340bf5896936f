#include "engine/classification/context/clusterslots.h"
#include "tests/support/testcase.h"

using namespace sluice;

class TestClusterSlots : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void slots_data();
    void slots();
    void addresses_data();
    void addresses();
    void ranges();
    void wrongRanges();
    void redirections_data();
    void redirections();
};

namespace {

RedisValue number(std::int64_t value)
{
    RedisValue made;
    made.type = RedisValue::Type::Integer;
    made.integer = value;
    return made;
}

RedisValue text(std::string value)
{
    RedisValue made;
    made.type = RedisValue::Type::String;
    made.text = std::move(value);
    return made;
}

RedisValue list(std::vector<RedisValue> items)
{
    RedisValue made;
    made.type = RedisValue::Type::Array;
    made.items = std::move(items);
    return made;
}

const RedisAddress asked{"10.0.0.9", 7000};

} // namespace

// Values of redis-cli's CLUSTER KEYSLOT, and the examples of the specification.
void TestClusterSlots::slots_data()
{
    QTest::addColumn<QByteArray>("key");
    QTest::addColumn<int>("slot");
    QTest::newRow("check value of CRC16") << QByteArray("123456789") << 0x31C3;
    QTest::newRow("nothing") << QByteArray() << 0;
    QTest::newRow("foo") << QByteArray("foo") << 12182;
    QTest::newRow("somekey") << QByteArray("somekey") << 11058;
    QTest::newRow("tag") << QByteArray("sluice:session:{foo}") << 12182;
    QTest::newRow("empty tag") << QByteArray("foo{}{bar}") << 8363;
    QTest::newRow("braces in the tag") << QByteArray("foo{{bar}}zap") << 4015;
    QTest::newRow("the first tag counts") << QByteArray("foo{bar}{zap}") << 5061;
    QTest::newRow("not closed") << QByteArray("foo{bar") << 15278;
    QTest::newRow("bytes") << QByteArray("\x00\xFF\x80", 3) << 4727;
}

void TestClusterSlots::slots()
{
    QFETCH(QByteArray, key);
    QFETCH(int, slot);
    QCOMPARE(int(clusterSlotOf(std::string_view(key.data(), std::size_t(key.size())))), slot);
}

void TestClusterSlots::addresses_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("host");
    QTest::addColumn<int>("port");
    QTest::newRow("v4") << QByteArray("127.0.0.1:6379") << QByteArray("127.0.0.1") << 6379;
    QTest::newRow("v6") << QByteArray("::1:6379") << QByteArray("::1") << 6379;
    QTest::newRow("name") << QByteArray("redis-1:65535") << QByteArray("redis-1") << 65535;
    for (const char* wrong : {"", "host", "host:", ":6379", "host:0", "host:65536", "host:-1",
             "host:6379 ", "host:6379x", "host:99999999999999999999"}) {
        QTest::newRow(wrong) << QByteArray(wrong) << QByteArray() << 0;
    }
}

void TestClusterSlots::addresses()
{
    QFETCH(QByteArray, text);
    QFETCH(QByteArray, host);
    QFETCH(int, port);
    const auto address = RedisAddress::parse(text.toStdString());
    QCOMPARE(address.ok(), port != 0);
    if (address) {
        QCOMPARE(address->host, host.toStdString());
        QCOMPARE(int(address->port), port);
        QCOMPARE(address->text(), text.toStdString());
    } else {
        QVERIFY(address.error().message.find("host:port is expected") != std::string::npos);
    }
}

void TestClusterSlots::ranges()
{
    const RedisValue replica = list({text("10.0.0.3"), number(7003), text("id")});
    const auto found = clusterRangesOf(
        list({list({number(0), number(5460),
                  list({text("10.0.0.1"), number(7001), text("id"), list({})}), replica}),
            list({number(5461), number(16383), list({text(""), number(7002)})})}),
        asked);
    QVERIFY(found.ok());
    QCOMPARE(found->size(), 2U);
    QVERIFY((*found)[0] == (ClusterRange{0, 5460, {"10.0.0.1", 7001}}));
    QVERIFY((*found)[1] == (ClusterRange{5461, 16383, {"10.0.0.9", 7002}}));
    QVERIFY(clusterRangesOf(list({}), asked)->empty());
}

void TestClusterSlots::wrongRanges()
{
    const RedisValue node = list({text("h"), number(1)});
    const std::vector<RedisValue> wrong{text("OK"), list({text("x")}),
        list({list({number(0), number(1)})}), list({list({number(0), number(1), list({})})}),
        list({list({number(-1), number(1), node})}), list({list({number(0), number(16384), node})}),
        list({list({number(2), number(1), node})}),
        list({list({number(0), number(1), list({text("h"), number(0)})})}),
        list({list({number(0), number(1), list({text("h"), number(65536)})})})};
    for (const RedisValue& reply : wrong) {
        const auto found = clusterRangesOf(reply, asked);
        QVERIFY(!found.ok());
        QVERIFY(found.error().message.find("10.0.0.9:7000") != std::string::npos);
    }
}

void TestClusterSlots::redirections_data()
{
    QTest::addColumn<QByteArray>("error");
    QTest::addColumn<QByteArray>("read");
    QTest::newRow("moved") << QByteArray("MOVED 3999 127.0.0.1:6381")
                           << QByteArray("moved 3999 127.0.0.1:6381");
    QTest::newRow("ask") << QByteArray("ASK 0 ::1:6381") << QByteArray("ask 0 ::1:6381");
    QTest::newRow("same host") << QByteArray("MOVED 16383 :6381")
                               << QByteArray("moved 16383 10.0.0.9:6381");
    for (const char* none : {"", "MOVED", "MOVED 1", "MOVED x 127.0.0.1:1", "MOVED 16384 h:1",
             "MOVED -1 h:1", "MOVED 1 h", "MOVED 1 h:x", "ASKING", "ERR MOVED 1 h:1",
             "CLUSTERDOWN The cluster is down"}) {
        QTest::newRow(none) << QByteArray(none) << QByteArray();
    }
}

void TestClusterSlots::redirections()
{
    QFETCH(QByteArray, error);
    QFETCH(QByteArray, read);
    const auto found = clusterRedirectionOf(error.toStdString(), asked);
    const std::string says = found ? (found->ask ? "ask " : "moved ") + std::to_string(found->slot)
            + " " + found->target.text()
                                   : "";
    QCOMPARE(says, read.toStdString());
}

QTEST_GUILESS_MAIN(TestClusterSlots)
#include "tst_clusterslots.moc"

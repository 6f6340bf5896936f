#include "engine/operations/loadtest/responsereader.h"
#include "tests/support/testcase.h"

using namespace sluice::ops;
using State = ResponseReader::State;

class TestResponseReader : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void endsWhereTheResponseEnds_data();
    void endsWhereTheResponseEnds();
    void refuses_data();
    void refuses();
    void untilTheConnectionEnds();
    void samplesWhatIsNoSuccess();
};

void TestResponseReader::endsWhereTheResponseEnds_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<int>("status");
    QTest::addColumn<bool>("keeps");
    const auto row = [](const char* name, const char* bytes, int status, bool keeps = true) {
        QTest::newRow(name) << QByteArray(bytes) << status << keeps;
    };
    row("counted", "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX: y\r\n\r\n{}", 200);
    row("no body", "HTTP/1.1 503 Busy\r\ncontent-LENGTH:0\r\n\r\n", 503);
    row("204", "HTTP/1.1 204 No Content\r\n\r\n", 204);
    row("closes", "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\nx", 200, false);
    row("1.0", "HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\nx", 200, false);
    row("1.0 kept", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx", 200);
    row("chunks",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: "
        "chunked\r\n\r\n3;a=b\r\nabc\r\n0a\r\n0123456789\r\n0\r\n\r\n",
        200);
    row("trailer",
        "HTTP/1.1 404 No\r\nTransfer-Encoding: Chunked\r\n\r\n1\r\na\r\n0\r\nA: b\r\n\r\n", 404);
    row("continue",
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 202 Accepted\r\nContent-Length: 2\r\n\r\nok", 202);
    row("bare status", "HTTP/1.1 200\r\nContent-Length: 0\r\nno colon\r\n\r\n", 200);
}

void TestResponseReader::endsWhereTheResponseEnds()
{
    QFETCH(QByteArray, bytes);
    QFETCH(int, status);
    QFETCH(bool, keeps);
    ResponseReader reader;
    // In one piece, byte by byte, and cut in two at every place.
    for (qsizetype cut = -1; cut < bytes.size(); ++cut) {
        reader.reset();
        QVERIFY(!reader.hasBegun());
        const std::string_view all(bytes.constData(), std::size_t(bytes.size()));
        if (cut < 0) {
            for (std::size_t at = 0; at + 1 < all.size(); ++at) {
                QVERIFY(reader.take(all.substr(at, 1)) == State::More);
            }
            QVERIFY(reader.take(all.substr(all.size() - 1)) == State::Done);
        } else {
            const auto first = reader.take(all.substr(0, std::size_t(cut)));
            QVERIFY(first == State::More);
            QVERIFY(reader.take(all.substr(std::size_t(cut))) == State::Done);
        }
        QVERIFY(reader.hasBegun());
        QCOMPARE(reader.status(), status);
        QCOMPARE(reader.keepsAlive(), keeps);
    }
}

void TestResponseReader::refuses_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::newRow("no HTTP") << QByteArray("hello\r\n\r\n");
    QTest::newRow("no status") << QByteArray("HTTP/1.1 abc\r\n\r\n");
    QTest::newRow("short status") << QByteArray("HTTP/1.1 20\r\n\r\n");
    QTest::newRow("bad chunk") << QByteArray(
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n");
    QTest::newRow("bad chunk end")
        << QByteArray("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nabc\r\n");
    QTest::newRow("endless head") << QByteArray("HTTP/1.1 200 OK\r\nX: ") + QByteArray(70000, 'x');
    QTest::newRow("endless chunk size")
        << QByteArray("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
            + QByteArray(70000, '0');
}

void TestResponseReader::refuses()
{
    QFETCH(QByteArray, bytes);
    for (const int piece : {1, 1000, 100000}) {
        ResponseReader reader;
        State state = State::More;
        for (qsizetype at = 0; at < bytes.size() && state == State::More; at += piece) {
            const QByteArray part = bytes.mid(at, piece);
            state = reader.take({part.constData(), std::size_t(part.size())});
        }
        QVERIFY(state == State::Bad);
    }
}

void TestResponseReader::untilTheConnectionEnds()
{
    ResponseReader reader;
    QVERIFY(reader.take("HTTP/1.1 200 OK\r\n\r\nabc") == State::More);
    QVERIFY(!reader.keepsAlive());
    QVERIFY(reader.end() == State::Done);
    reader.reset();
    QVERIFY(reader.take("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc") == State::More);
    QVERIFY(reader.end() == State::Bad);
    reader.reset();
    QVERIFY(reader.end() == State::Bad);
}

void TestResponseReader::samplesWhatIsNoSuccess()
{
    ResponseReader reader;
    QVERIFY(reader.take("HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc") == State::Done);
    QVERIFY(reader.sample().empty());
    reader.reset();
    const std::string body(500, 'x');
    QVERIFY(reader.take("HTTP/1.1 400 Bad\r\nContent-Length: 500\r\n\r\n" + body) == State::Done);
    QCOMPARE(reader.sample().size(), 200U);
}

QTEST_GUILESS_MAIN(TestResponseReader)
#include "tst_responsereader.moc"

#include "engine/operations/loadtest/requestbook.h"
#include "tests/support/testcase.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <map>

using namespace sluice::ops;

namespace {

struct Seen
{
    QString line;
    QMap<QString, QString> fields;
    QJsonObject body;
};

Seen parsed(const std::string& bytes)
{
    const QString text = QString::fromStdString(bytes);
    const qsizetype head = text.indexOf(QStringLiteral("\r\n\r\n"));
    QStringList lines = text.left(head).split(QStringLiteral("\r\n"));
    Seen seen{lines.takeFirst(), {}, {}};
    for (const QString& line : lines) {
        seen.fields[line.section(QStringLiteral(": "), 0, 0)] =
            line.section(QStringLiteral(": "), 1);
    }
    const QByteArray body = text.mid(head + 4).toUtf8();
    if (seen.fields.contains(QStringLiteral("Content-Length"))
        && seen.fields[QStringLiteral("Content-Length")].toInt() != body.size()) {
        return {};
    }
    seen.body = QJsonDocument::fromJson(body).object();
    return seen;
}

RequestOptions options()
{
    return {std::string("h:1"), {}, std::string("p")};
}

} // namespace

class TestRequestBook : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void singleQueriesStayInOneSession();
    void conversationsHaveSessions();
    void routesAreMixed();
    void weightsAreKept();
};

void TestRequestBook::singleQueriesStayInOneSession()
{
    RequestOptions with = options();
    with.token = std::string("secret");
    RequestBook book({{{{"say \"hi\"\n é", "", {}}}, 1}}, with, 2, 1);
    RequestBook::Request request;
    for (int index = 0; index < 3; ++index) {
        book.next(1, request);
        const Seen seen = parsed(request.bytes);
        QCOMPARE(seen.line, QStringLiteral("POST /v1/classify HTTP/1.1"));
        QCOMPARE(seen.fields[QStringLiteral("Host")], QStringLiteral("h:1"));
        QCOMPARE(seen.fields[QStringLiteral("Authorization")], QStringLiteral("Bearer secret"));
        QCOMPARE(seen.fields[QStringLiteral("X-Session-Id")], QStringLiteral("p-1-0"));
        QCOMPARE(seen.body[QStringLiteral("text")].toString(), QString::fromUtf8("say \"hi\"\n é"));
        QCOMPARE(seen.body.size(), 1);
    }
}

void TestRequestBook::conversationsHaveSessions()
{
    RequestBook book({{{{"one", "", {}}, {"two", "and?", {"ASK", "TELL"}}}, 1}}, options(), 1, 1);
    RequestBook::Request request;
    QStringList said;
    for (int index = 0; index < 5; ++index) {
        book.next(0, request);
        const Seen seen = parsed(request.bytes);
        said << seen.fields[QStringLiteral("X-Session-Id")] + u' '
                + seen.body[QStringLiteral("text")].toString() + u' '
                + seen.body[QStringLiteral("system")].toString()
                + QString::number(seen.body[QStringLiteral("system_acts")].toArray().size());
    }
    QCOMPARE(said.join(u'|'),
        QStringLiteral("p-0-0 one 0|p-0-0 two and?2|p-0-1 one 0|p-0-1 two and?2|p-0-2 one 0"));
}

void TestRequestBook::routesAreMixed()
{
    RequestOptions with = options();
    with.routes = {5, 1, 3, 1};
    with.batchSize = 3;
    RequestBook book({{{{"a", "", {}}}, 1}, {{{"b", "", {}}}, 1}}, with, 1, 7);
    RequestBook::Request request;
    std::map<Route, int> counts;
    for (int index = 0; index < 10000; ++index) {
        book.next(0, request);
        const Seen seen = parsed(request.bytes);
        QVERIFY(seen.line.contains(QString::fromUtf8(pathOf(request.route)) + u' '));
        if (request.route == Route::Batch) {
            QCOMPARE(seen.body[QStringLiteral("queries")].toArray().size(), 3);
        } else if (request.route == Route::Feedback) {
            QVERIFY(seen.body[QStringLiteral("turn")].toInt() > 0);
            QVERIFY(seen.fields.contains(QStringLiteral("X-Session-Id")));
        } else if (request.route == Route::Info) {
            QVERIFY(seen.line.startsWith(QStringLiteral("GET ")) && seen.body.isEmpty());
        }
        ++counts[request.route];
    }
    // Five standard deviations round the shares.
    QVERIFY(std::abs(counts[Route::Classify] - 5000) < 250);
    QVERIFY(std::abs(counts[Route::Batch] - 1000) < 150);
    QVERIFY(std::abs(counts[Route::Feedback] - 3000) < 230);
    QVERIFY(std::abs(counts[Route::Info] - 1000) < 150);
}

void TestRequestBook::weightsAreKept()
{
    RequestBook book({{{{"a", "", {}}}, 1}, {{{"b", "", {}}}, 3}}, options(), 1, 7);
    RequestBook::Request request;
    int second = 0;
    for (int index = 0; index < 10000; ++index) {
        book.next(0, request);
        second += parsed(request.bytes).body[QStringLiteral("text")].toString() == u'b' ? 1 : 0;
    }
    QVERIFY(std::abs(second - 7500) < 220);
}

QTEST_GUILESS_MAIN(TestRequestBook)
#include "tst_requestbook.moc"

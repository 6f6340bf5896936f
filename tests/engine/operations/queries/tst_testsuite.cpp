#include "engine/base/file.h"
#include "engine/classification/evaluation/labelleddata.h"
#include "engine/operations/queries/conversationfile.h"
#include "engine/operations/queries/testsuite.h"
#include "tests/support/testcase.h"

#include <QTemporaryDir>

using namespace sluice;
using namespace sluice::ops;

class TestTestSuite : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void casesComeBack();
    void wrongLinesAreNamed_data();
    void wrongLinesAreNamed();
    void aCaseTakesItsOwnPlace();
    void expectations_data();
    void expectations();
    void conversationsComeBack();
    void labelledRowsAreData();

private:
    std::string file(const char* name) const
    {
        return m_folder.filePath(QString::fromLatin1(name)).toStdString();
    }
    QTemporaryDir m_folder;
};

void TestTestSuite::casesComeBack()
{
    const std::string text =
        R"({"text":"where is it","system":"Hello","expect":{"decision":"clarify","intent":"track_parcel","entities":[{"type":"date","value":"2026-03-12"}]},"note":"seen on Monday","author":"ann","at":"2026-11-24T12:00:00Z"}
{"id":"own","turns":[{"text":"a","system_acts":["REQUEST:city"]},{"text":"b"}],"expect":{"intent":"oos"}}
)";
    const auto suite = TestSuite::fromJsonl(text, "s");
    QVERIFY2(suite.ok(), suite.ok() ? "" : suite.error().text().c_str());
    QCOMPARE(suite->cases.size(), std::size_t(2));
    QCOMPARE(suite->cases[0].id.size(), std::size_t(12));
    QCOMPARE(suite->cases[1].id, std::string("own"));
    std::string again;
    for (const ops::TestCase& one : suite->cases) {
        again += one.toJson() + '\n';
    }
    const auto twice = TestSuite::fromJsonl(again, "s");
    QVERIFY(twice.ok());
    for (std::size_t at = 0; at < 2; ++at) {
        QCOMPARE(twice->cases[at].toJson(), suite->cases[at].toJson());
        QVERIFY(twice->cases[at].expected == suite->cases[at].expected);
        QCOMPARE(twice->cases[at].id, suite->cases[at].id);
    }
}

void TestTestSuite::wrongLinesAreNamed_data()
{
    QTest::addColumn<QByteArray>("line");
    QTest::addColumn<QByteArray>("word");
    QTest::newRow("no JSON") << QByteArray("{") << QByteArray("line 2");
    QTest::newRow("no expect") << QByteArray(R"({"text":"b"})") << QByteArray("expect");
    QTest::newRow("says nothing") << QByteArray(R"({"text":"b","expect":{}})")
                                  << QByteArray("says nothing");
    QTest::newRow("verdict") << QByteArray(R"({"text":"b","expect":{"decision":"x"}})")
                             << QByteArray("accept");
    QTest::newRow("unknown") << QByteArray(R"({"text":"b","expect":{"intend":"x"}})")
                             << QByteArray("intend");
    QTest::newRow("blank") << QByteArray(R"({"text":" ","expect":{"intent":"x"}})")
                           << QByteArray("text");
    QTest::newRow("no turns") << QByteArray(R"({"turns":[],"expect":{"intent":"x"}})")
                              << QByteArray("turn");
    QTest::newRow("twice") << QByteArray(R"({"text":"a","expect":{"intent":"y"}})")
                           << QByteArray("line 1 already");
}

void TestTestSuite::wrongLinesAreNamed()
{
    QFETCH(QByteArray, line);
    QFETCH(QByteArray, word);
    const auto suite = TestSuite::fromJsonl(R"({"text":"a","expect":{"intent":"x"}})"
                                            "\n"
            + line.toStdString(),
        "s.jsonl");
    QVERIFY(!suite.ok());
    const std::string said = suite.error().text();
    QVERIFY2(said.find("s.jsonl") != std::string::npos, said.c_str());
    QVERIFY2(said.find("line 2") != std::string::npos, said.c_str());
    QVERIFY2(said.find(word.toStdString()) != std::string::npos, said.c_str());
}

void TestTestSuite::aCaseTakesItsOwnPlace()
{
    const std::string path = file("suite.jsonl");
    ops::TestCase one;
    one.turns = {{"where is it", {}, {}}};
    one.expected.intent = "track_parcel";
    const auto first = saveCase(path, one);
    QVERIFY(first.ok() && !*first);
    ops::TestCase two;
    two.turns = {{"hello", {}, {}}};
    two.expected.verdict = Verdict::Fallback;
    QVERIFY(saveCase(path, two).ok());
    one.expected.intent = "refund_status";
    const auto again = saveCase(path, one);
    QVERIFY(again.ok() && *again);
    const auto suite = TestSuite::read(path);
    QVERIFY(suite.ok());
    QCOMPARE(suite->cases.size(), std::size_t(2));
    QCOMPARE(suite->cases[0].expected.intent, std::string("refund_status"));
    QVERIFY(writeFileAtomically(path, "not a suite").ok());
    QVERIFY(!saveCase(path, one).ok()); // and what stood there stays
    QCOMPARE(*readFile(path), std::string("not a suite"));
}

void TestTestSuite::expectations_data()
{
    QTest::addColumn<QByteArray>("decision");
    QTest::addColumn<QByteArray>("intent");
    QTest::addColumn<bool>("accepted");
    QTest::addColumn<bool>("passes");
    QTest::newRow("accepted") << QByteArray() << QByteArray("refund") << true << true;
    QTest::newRow("first, not accepted") << QByteArray() << QByteArray("refund") << false << false;
    QTest::newRow("another") << QByteArray() << QByteArray("return") << true << false;
    QTest::newRow("oos accepted") << QByteArray() << QByteArray("oos") << true << false;
    QTest::newRow("oos") << QByteArray() << QByteArray("oos") << false << true;
    QTest::newRow("clarify first")
        << QByteArray("clarify") << QByteArray("refund") << false << true;
    QTest::newRow("clarify other") << QByteArray("clarify") << QByteArray("x") << false << false;
    QTest::newRow("clarify accepted") << QByteArray("clarify") << QByteArray() << true << false;
}

void TestTestSuite::expectations()
{
    QFETCH(QByteArray, decision);
    QFETCH(QByteArray, intent);
    QFETCH(bool, accepted);
    QFETCH(bool, passes);
    Expectation expected;
    expected.intent = intent.toStdString();
    if (!decision.isEmpty()) {
        expected.verdict = Verdict::Clarify;
    }
    Answer answer;
    answer.verdict = accepted ? Verdict::Accept : Verdict::Clarify;
    answer.candidates = {{"refund", 0.6}};
    QCOMPARE(mismatch(expected, answer).empty(), passes);
    expected.entities = {{"date", "2026-03-12"}};
    QVERIFY(!mismatch(expected, answer).empty());
    answer.entities = {{"date", "12 March", "2026-03-12", {}, 0}};
    QCOMPARE(mismatch(expected, answer).empty(), passes);
}

void TestTestSuite::conversationsComeBack()
{
    Conversation conversation;
    conversation.name = "c";
    conversation.turns = {
        {{"where is A-2231", "Hello", {}}, "track_parcel"}, {{"and B-1?", {}, {}}, {}}};
    Session session;
    session.append("track_parcel", Verdict::Accept, {});
    conversation.session = session;
    const std::string path = file("c.jsonl");
    QVERIFY(writeFileAtomically(path, conversation.toJson() + "\n{\"turns\":[]}\n").ok());
    int others = 0;
    const auto read = readConversation(path, &others);
    QVERIFY2(read.ok(), read.ok() ? "" : read.error().text().c_str());
    QCOMPARE(others, 1);
    QCOMPARE(read->toJson(), conversation.toJson());
    QCOMPARE(read->session->toJson(), session.toJson());
    QVERIFY(!read->session->id.empty());
    QVERIFY(writeFileAtomically(path, "{\"turns\":[{\"txt\":\"a\"}]}").ok());
    QVERIFY(!readConversation(path).ok());
    QVERIFY(writeFileAtomically(path, "\n").ok());
    QVERIFY(!readConversation(path).ok());
}

void TestTestSuite::labelledRowsAreData()
{
    const std::string path = file("labelled.jsonl");
    Conversation single;
    single.turns = {{{"where is A-2231", {}, {}}, "track_parcel"}};
    QVERIFY(addLabelled(path, single).ok());
    Conversation two = single;
    two.name = "d";
    two.turns.push_back({{"and B-1?", "It is on its way.", {}}, "track_parcel"});
    QVERIFY(addLabelled(path, two).ok());
    const auto data = readLabelledData(std::filesystem::path(path));
    QVERIFY2(data.ok(), data.ok() ? "" : data.error().text().c_str());
    QCOMPARE(data->queries.size(), std::size_t(3));
    QCOMPARE(data->queries[2].system, std::string("It is on its way."));
    QCOMPARE(data->queries[2].turn, 2);
}

QTEST_GUILESS_MAIN(TestTestSuite)
#include "tst_testsuite.moc"

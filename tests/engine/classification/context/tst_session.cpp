#include "engine/classification/context/session.h"
#include "engine/classification/context/sessionreader.h"
#include "tests/support/testcase.h"

#include <random>
#include <set>

using namespace sluice;

class TestSession : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void countsTurnsAndFailures();
    void forgetsTheOldest();
    void roundTrip();
    void plainDocumentsReadAlike();
    void readsTheNextVersion();
    void oddMembersAreHarmless();
    void boundsWhatItReads();
    void mergesOntoAnother();
    void refused_data();
    void refused();
    void ids_data();
    void ids();
    void madeIdsAreValidAndDiffer();
};

namespace {

Entity orderNumber()
{
    return {"order_number", "a-2231", "A-2231", {}, 0};
}

} // namespace

void TestSession::countsTurnsAndFailures()
{
    Session session;
    session.append("track", Verdict::Accept, {});
    QCOMPARE(session.failuresInARow, 0);
    session.append("", Verdict::Fallback, {});
    session.append("refund", Verdict::Clarify, {});
    QCOMPARE(session.failuresInARow, 2);
    QCOMPARE(session.turnCount, 3);
    QCOMPARE(session.turns.back().number, 3);
    session.append("refund", Verdict::Accept, {});
    QCOMPARE(session.failuresInARow, 0);
}

void TestSession::forgetsTheOldest()
{
    Session session;
    for (int turn = 0; turn < 20; ++turn) {
        session.append("intent" + std::to_string(turn), Verdict::Accept, {});
    }
    QCOMPARE(session.turnCount, 20);
    QCOMPARE(session.turns.size(), Session::maxTurns);
    QCOMPARE(session.turns.front().number, 13);
    QCOMPARE(session.turns.back().intent, std::string("intent19"));
}

void TestSession::roundTrip()
{
    Session session;
    session.append("tr\xC3\xA4"
                   "ck \"it\"\n",
        Verdict::Accept, {orderNumber()});
    session.append("", Verdict::Fallback, {});
    session.append("refund", Verdict::Clarify, {orderNumber(), {"color", "rot", "red", {}, 0}});
    const auto read = Session::fromJson(session.toJson());
    QVERIFY2(read.ok(), read ? "" : read.error().text().c_str());
    QVERIFY(*read == session);
    // A script in Redis reads the number of turns there.
    QVERIFY(session.toJson().starts_with("{\"v\":1,\"turn_count\":3,"));
}

// The quick reader against the general one, which a blank at the end leaves a document to: over
// whole documents, cut ones, and such with a byte changed.
void TestSession::plainDocumentsReadAlike()
{
    std::mt19937 random(11);
    const auto text = [&random] {
        constexpr std::string_view signs = "abc-_ 19.\"\\\n\x7F";
        std::string made;
        for (auto length = random() % 6; length > 0; --length) {
            made += signs[random() % (random() % 8 == 0 ? signs.size() : 9)];
        }
        return made;
    };
    int quick = 0;
    for (int round = 0; round < 3000; ++round) {
        Session session;
        for (auto turns = random() % 10; turns > 0; --turns) {
            Turn turn;
            turn.intent = text();
            turn.verdict = Verdict(random() % 3);
            turn.predicted = random() % 2 == 0 ? turn.intent : text();
            turn.newSubject = random() % 4 == 0;
            for (auto entities = random() % 3; entities > 0; --entities) {
                turn.entities.push_back({text(), text(), text(), {}, 0});
            }
            session.append(turn);
        }
        std::string document = session.toJson();
        if (round % 3 == 1) {
            document.resize(random() % document.size());
        } else if (round % 3 == 2) {
            document[random() % document.size()] = "{}[],:\"01a"[random() % 10];
        }
        Session plain;
        quick += readPlainSession(document, plain) ? 1 : 0;
        const auto read = Session::fromJson(document);
        const auto general = Session::fromJson(document + " ");
        QCOMPARE(read.ok(), general.ok());
        QVERIFY2(!read || *read == *general, document.c_str());
        if (round % 3 == 0) {
            QVERIFY(read.ok());
        }
    }
    QVERIFY2(quick > 300, qPrintable(QString::number(quick)));
}

void TestSession::readsTheNextVersion()
{
    const auto read = Session::fromJson(R"({"v": 2, "id": "s", "turn_count": 4, "failures": 1,
        "mood": {"anger": 0.9}, "turns": [{"n": 4, "intent": "refund", "verdict": "escalate",
        "score": 0.3, "entities": [{"type": "amount", "text": "20", "value": "20.00 EUR",
        "confidence": 0.9}]}]})");
    QVERIFY(read.ok());
    QCOMPARE(read->turnCount, 4);
    QCOMPARE(read->turns.size(), 1U);
    QVERIFY(read->turns[0].verdict == Verdict::Fallback); // not known here: leans on nothing
    QCOMPARE(read->turns[0].entities[0].value, std::string("20.00 EUR"));
}

void TestSession::oddMembersAreHarmless()
{
    const auto read = Session::fromJson(R"({"v": 1, "id": 7, "turn_count": -4, "failures": 1e300,
        "turns": [3, null, {"n": "x", "intent": [], "entities": {"a": 1}}, {"entities": [1, {}]}]})");
    QVERIFY(read.ok());
    QCOMPARE(read->turnCount, 2); // at least as many as there are
    QCOMPARE(read->turns[0].number, 1);
    QCOMPARE(read->failuresInARow, 0);
    QCOMPARE(read->turns.size(), 2U);
}

void TestSession::boundsWhatItReads()
{
    std::string text = R"({"v":1,"id":"s","turn_count":50,"turns":[)";
    for (int turn = 1; turn <= 50; ++turn) {
        text += turn > 1 ? "," : "";
        text += R"({"n":)";
        text += std::to_string(turn);
        text += "}";
    }
    const auto read = Session::fromJson(text + "]}");
    QVERIFY(read.ok());
    QCOMPARE(read->turns.size(), Session::maxTurns);
    QCOMPARE(read->turns.back().number, 50);
}

void TestSession::mergesOntoAnother()
{
    Session base;
    base.id = "s";
    base.append("a", Verdict::Accept, {});
    Session own = base;
    own.append("own", Verdict::Accept, {});
    QVERIFY(own.mergedOnto(base) == own); // nothing came between
    QVERIFY(own.mergedOnto(Session()) == own); // the store has lost it
    QVERIFY(Session().mergedOnto(base) == Session()); // no turn to add

    Session other = base;
    other.append("other", Verdict::Clarify, {});
    other.append("more", Verdict::Fallback, {});
    const Session merged = own.mergedOnto(other);
    QCOMPARE(merged.turnCount, 4);
    QCOMPARE(merged.turns.back().intent, std::string("own"));
    QCOMPARE(merged.turns.back().number, 4);
    QCOMPARE(merged.turns[2].intent, std::string("more"));
    QCOMPARE(merged.failuresInARow, 0);
    QCOMPARE(merged.id, std::string("s"));

    // A turn of the same content is another turn all the same.
    QCOMPARE(own.mergedOnto(own).turnCount, 3);
    // The store went back to an earlier state: what is known here is more.
    Session longer = own;
    longer.append("later", Verdict::Accept, {});
    QVERIFY(longer.mergedOnto(base) == longer);
}

void TestSession::refused_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::newRow("nothing") << QByteArray();
    QTest::newRow("text") << QByteArray("hello");
    QTest::newRow("cut off") << QByteArray(R"({"v": 1, "id": "s")");
    QTest::newRow("list") << QByteArray("[1]");
    QTest::newRow("no version") << QByteArray(R"({"id": "s"})");
    QTest::newRow("version 0") << QByteArray(R"({"v": 0})");
    QTest::newRow("version in words") << QByteArray(R"({"v": "1"})");
    QTest::newRow("deep") << QByteArray(R"({"v": 1, "x": )") + QByteArray(100000, '[');
}

void TestSession::refused()
{
    QFETCH(QByteArray, text);
    const auto read = Session::fromJson(std::string_view(text.data(), std::size_t(text.size())));
    QVERIFY(!read.ok());
    QVERIFY(read.error().kind == ErrorKind::Input);
}

void TestSession::ids_data()
{
    QTest::addColumn<QByteArray>("id");
    QTest::addColumn<bool>("valid");
    QTest::newRow("one letter") << QByteArray("a") << true;
    QTest::newRow("signs") << QByteArray("!~{}\"'/:") << true;
    QTest::newRow("longest") << QByteArray(128, 'x') << true;
    QTest::newRow("too long") << QByteArray(129, 'x') << false;
    QTest::newRow("empty") << QByteArray() << false;
    QTest::newRow("blank") << QByteArray("a b") << false;
    QTest::newRow("new line") << QByteArray("a\r\nX-Evil: 1") << false;
    QTest::newRow("NUL") << QByteArray("a\0b", 3) << false;
    QTest::newRow("DEL") << QByteArray("a\x7F") << false;
    QTest::newRow("UTF-8") << QByteArray("\xC3\xA4") << false;
}

void TestSession::ids()
{
    QFETCH(QByteArray, id);
    QFETCH(bool, valid);
    QCOMPARE(isValidSessionId(std::string_view(id.data(), std::size_t(id.size()))), valid);
}

void TestSession::madeIdsAreValidAndDiffer()
{
    std::set<std::string> ids;
    for (int i = 0; i < 1000; ++i) {
        const std::string id = makeSessionId();
        QCOMPARE(id.size(), 32U);
        QVERIFY(isValidSessionId(id));
        QVERIFY(id.find_first_not_of("0123456789abcdef") == std::string::npos);
        ids.insert(id);
    }
    QCOMPARE(ids.size(), 1000U);
}

QTEST_GUILESS_MAIN(TestSession)
#include "tst_session.moc"

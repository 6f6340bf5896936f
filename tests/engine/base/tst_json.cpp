#include "engine/base/json.h"
#include "tests/support/testcase.h"

using namespace sluice;

class TestJson : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void syntaxErrorsNameLineAndColumn();
    void tooDeepIsRefused();
    void invalidUtf8IsRefused();
    void readsEveryKind();
    void wrongMembersAreNamed_data();
    void wrongMembersAreNamed();
    void absentAndNullAreNothingWhereOptional();
    void theFirstErrorIsKept();
};

namespace {

QString messageOf(std::string_view text)
{
    const auto value = parseJson(text, "file.json");
    return value ? QString() : QString::fromStdString(value.error().message);
}

} // namespace

void TestJson::syntaxErrorsNameLineAndColumn()
{
    const QString message = messageOf("{\n  \"a\": 1,\n  \"b\": oops\n}");
    QVERIFY2(message.startsWith(QStringLiteral("file.json")), qPrintable(message));
    QVERIFY2(message.contains(QStringLiteral("line 3")), qPrintable(message));
    QVERIFY2(messageOf("{\"a\":1} x").startsWith(QStringLiteral("file.json")), "trailing text");
    QVERIFY2(!messageOf("").isEmpty(), "nothing at all");
    QVERIFY2(!messageOf("{\"a\":").isEmpty(), "cut off");
}

void TestJson::tooDeepIsRefused()
{
    QVERIFY(messageOf(std::string(32, '[') + std::string(32, ']')).isEmpty());
    QVERIFY(!messageOf(std::string(33, '[') + std::string(33, ']')).isEmpty());
    QVERIFY(!messageOf(std::string(1000000, '[')).isEmpty());
}

void TestJson::invalidUtf8IsRefused()
{
    QVERIFY(!messageOf("\"a\xFF\"").isEmpty());
    QVERIFY(!messageOf("\"\xC3\"").isEmpty());
    QVERIFY(messageOf("\"\xC3\xA9\"").isEmpty());
}

void TestJson::readsEveryKind()
{
    const auto value =
        parseJson(R"({"s":"text","n":0.5,"i":7,"b":true,"l":["a","b"],"whole":2,"any":[1]})", "x");
    QVERIFY(value.ok());
    JsonReader in(*value, "x");
    QCOMPARE(in.string("s"), std::string("text"));
    QCOMPARE(in.number("n", 0, 1), 0.5);
    QCOMPARE(in.integer("i", 0, 10), 7);
    QCOMPARE(in.boolean("b"), true);
    QCOMPARE(in.optionalStrings("l"), (std::vector<std::string>{"a", "b"}));
    QCOMPARE(in.number("whole", 0, 10), 2.0);
    QVERIFY(in.optionalValue("any") != nullptr);
    QVERIFY(in.finish().ok());
}

void TestJson::wrongMembersAreNamed_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QString>("says");
    const auto row = [](const char* text, const char* says) {
        QTest::newRow(text) << QByteArray(text) << QString::fromUtf8(says);
    };
    row("[]", "a JSON object is expected");
    row("{}", "n: is missing");
    row(R"({"n":null})", "n: a number from 0 to 1 is expected");
    row(R"({"n":"1"})", "n: a number from 0 to 1 is expected");
    row(R"({"n":1.5})", "n: a number from 0 to 1 is expected");
    row(R"({"n":1e999})", "file");
    row(R"({"n":1,"i":1.5})", "i: a whole number from 0 to 9 is expected");
    row(R"({"n":1,"i":18446744073709551615})", "i: a whole number from 0 to 9 is expected");
    row(R"({"n":1,"b":1})", "b: true or false is expected");
    row(R"({"n":1,"s":1})", "s: a string is expected");
    row(R"({"n":1,"l":"a"})", "l: an array of strings is expected");
    row(R"({"n":1,"l":["a",1]})", "l: an array of strings is expected");
    row(R"({"n":1,"globl":1})", "globl: is not known here");
}

void TestJson::wrongMembersAreNamed()
{
    QFETCH(QByteArray, text);
    QFETCH(QString, says);
    const auto value = parseJson(text.toStdString(), "file");
    Result<void> done;
    if (value) {
        JsonReader in(*value, "file");
        in.number("n", 0, 1);
        in.optionalInteger("i", 0, 9);
        in.optionalBoolean("b");
        in.optionalString("s");
        in.optionalStrings("l");
        done = in.finish();
    } else {
        done = value.error();
    }
    QVERIFY(!done.ok());
    QCOMPARE(done.error().kind, ErrorKind::Input);
    const QString message = QString::fromStdString(done.error().text());
    QVERIFY2(message.startsWith(QStringLiteral("file")), qPrintable(message));
    QVERIFY2(message.contains(says), qPrintable(message));
}

void TestJson::absentAndNullAreNothingWhereOptional()
{
    const auto value = parseJson(R"({"a":null,"b":null,"c":null,"d":null,"e":null})", "x");
    JsonReader in(*value, "x");
    QVERIFY(!in.optionalString("a").has_value());
    QVERIFY(!in.optionalNumber("b", 0, 1).has_value());
    QVERIFY(!in.optionalInteger("c", 0, 1).has_value());
    QVERIFY(!in.optionalBoolean("d").has_value());
    QVERIFY(in.optionalStrings("e").empty());
    QVERIFY(!in.optionalString("absent").has_value());
    QVERIFY(in.finish().ok());
}

void TestJson::theFirstErrorIsKept()
{
    const auto value = parseJson(R"({"a":1,"b":1})", "x");
    JsonReader in(*value, "x");
    in.string("a");
    QVERIFY(in.failed());
    in.fail("b", "something else");
    const auto done = in.finish();
    QVERIFY(QString::fromStdString(done.error().message).startsWith(QStringLiteral("x: a:")));
}

QTEST_GUILESS_MAIN(TestJson)
#include "tst_json.moc"

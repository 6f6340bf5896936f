#include "engine/classification/text/normaliser.h"
#include "tests/support/testcase.h"

using namespace sluice;

class TestNormaliser : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void normalises_data();
    void normalises();
    void isIdempotent_data();
    void isIdempotent();
    void asciiAndUnicodePathsAgree();
    void refuses_data();
    void refuses();
    void longestQueryIsTaken();
};

void TestNormaliser::normalises_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("expected");
    const auto row = [](const char* name, const QByteArray& text, const QByteArray& expected) {
        QTest::newRow(name) << text << expected;
    };
    row("case", "Where IS My Parcel", "where is my parcel");
    row("blanks", "  a \t\r\n b  ", "a b");
    row("controls",
        QByteArray("a\0b\x7F"
                   "c",
            5),
        "a b c");
    row("no-break space",
        "a\xC2\xA0"
        "b",
        "a b");
    row("ideographic space",
        "a\xE3\x80\x80"
        "b",
        "a b");
    row("sharp s", "STRASSE Straße", "strasse strasse");
    row("full width", "\xEF\xBC\xA1\xEF\xBC\x91", "a1");
    row("ligature", "\xEF\xAC\x81le", "file");
    row("combining", "e\xCC\x81", "\xC3\xA9");
    row("greek final sigma", "ΣΑΣ", "σασ");
    row("soft hyphen",
        "par\xC2\xAD"
        "cel",
        "parcel");
    row("emoji", "hi \xF0\x9F\x98\x80", "hi \xF0\x9F\x98\x80");
}

void TestNormaliser::normalises()
{
    QFETCH(QByteArray, text);
    QFETCH(QByteArray, expected);
    QCOMPARE(QByteArray::fromStdString(normalise(text.toStdString())), expected);
}

void TestNormaliser::isIdempotent_data()
{
    normalises_data();
}

void TestNormaliser::isIdempotent()
{
    QFETCH(QByteArray, text);
    const std::string once = normalise(text.toStdString());
    QCOMPARE(normalise(once), once);
}

void TestNormaliser::asciiAndUnicodePathsAgree()
{
    // The same text behind one character that is not ASCII goes the other way.
    std::string all;
    for (int c = 1; c < 128; ++c) {
        all += char(c);
        all += 'x';
    }
    QCOMPARE(normalise(all + "\xC3\xA9"), normalise(all) + "\xC3\xA9");
}

void TestNormaliser::refuses_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QString>("says");
    QTest::newRow("empty") << QByteArray() << QStringLiteral("empty");
    QTest::newRow("blank") << QByteArray(" \t\n\xC2\xA0") << QStringLiteral("empty");
    QTest::newRow("lone byte") << QByteArray("ab\xFF") << QStringLiteral("byte 2");
    QTest::newRow("cut off") << QByteArray("\xE3\x80") << QStringLiteral("byte 0");
    QTest::newRow("overlong") << QByteArray("a\xC0\xAF") << QStringLiteral("byte 1");
    QTest::newRow("surrogate") << QByteArray("\xED\xA0\x80") << QStringLiteral("byte 0");
    QTest::newRow("beyond Unicode") << QByteArray("\xF4\x90\x80\x80") << QStringLiteral("byte 0");
    QTest::newRow("too long") << QByteArray(4097, 'a') << QStringLiteral("at most 4096");
    QTest::newRow("1 MB") << QByteArray(1 << 20, 'a') << QStringLiteral("at most 4096");
}

void TestNormaliser::refuses()
{
    QFETCH(QByteArray, text);
    QFETCH(QString, says);
    const auto checked = checkQuery(text.toStdString());
    QVERIFY(!checked.ok());
    QCOMPARE(checked.error().kind, ErrorKind::Input);
    QVERIFY2(QString::fromStdString(checked.error().message).contains(says),
        checked.error().message.c_str());
}

void TestNormaliser::longestQueryIsTaken()
{
    QVERIFY(checkQuery(std::string(maxQueryCodePoints, 'a')).ok());
    std::string wide;
    for (std::size_t index = 0; index < maxQueryCodePoints; ++index) {
        wide += "\xF0\x9F\x98\x80";
    }
    QVERIFY(checkQuery(wide).ok());
}

QTEST_GUILESS_MAIN(TestNormaliser)
#include "tst_normaliser.moc"

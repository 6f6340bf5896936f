#include "engine/classification/entities/values.h"
#include "tests/support/testcase.h"

using namespace sluice;

class TestValues : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void values_data();
    void values();
    void datesRoundTheYear_data();
    void datesRoundTheYear();
    void unknownName();
};

namespace {

QByteArray valueOf(const QByteArray& name, const QByteArray& text, std::chrono::sys_seconds now)
{
    const auto normaliser = normaliserFromString(name.toStdString());
    return normaliser
        ? QByteArray::fromStdString(normaliseValue(*normaliser, text.toStdString(), now))
        : QByteArray("no such normaliser");
}

/// 2026-03-04 is a Wednesday.
constexpr std::chrono::sys_seconds at(int year, unsigned month, unsigned day, int hour = 12)
{
    return std::chrono::sys_days(
               std::chrono::year(year) / std::chrono::month(month) / std::chrono::day(day))
        + std::chrono::hours(hour);
}

} // namespace

void TestValues::values_data()
{
    QTest::addColumn<QByteArray>("name");
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("expected");
    const auto row = [](const char* name, const char* text, const char* expected) {
        QTest::addRow("%s %s", name, text)
            << QByteArray(name) << QByteArray(text) << QByteArray(expected);
    };
    row("none", " As Is ", " As Is ");
    row("lower", "Ann@Example.ORG", "ann@example.org");
    row("lower", "M\xC3\x9CLLER", "m\xC3\x9Cller");
    row("upper", "a-2231", "A-2231");
    row("digits", "+43 (664) 555-01 18", "+436645550118");
    row("digits", "0664+1", "06641");
    row("iban", "at61 1904 3002 3457 3201", "AT611904300234573201");

    row("number", "7", "7");
    row("number", "1,234.50", "1234.5");
    row("number", "1.234,50", "1234.5");
    row("number", "1,000", "1000");
    row("number", "1.000.000", "1000000");
    row("number", "1,234.567", "1234.567");
    row("number", "0.125", "0.125");
    row("number", "12.5000", "12.5");
    row("number", "12345678", "12345678");
    row("number", "20.", "20");
    row("number", "none", "none");

    row("amount", "49.90 EUR", "49.90 EUR");
    row("amount",
        "\xE2\x82\xAC"
        "20",
        "20.00 EUR");
    row("amount", "20 euros", "20.00 EUR");
    row("amount", "1.299,95 \xE2\x82\xAC", "1299.95 EUR");
    row("amount", "$20", "20.00 USD");
    row("amount", "$1,299", "1299.00 USD");
    row("amount",
        "\xC2\xA3"
        "15",
        "15.00 GBP");
    row("amount", "15 quid", "15.00 GBP");
    row("amount", "80 CHF", "80.00 CHF");
    row("amount", "49,9", "49.90");
    row("amount", "$", "$");

    row("percent", "15 %", "15 %");
    row("percent", "2,5 percent", "2.5 %");

    row("date", "2026-03-12", "2026-03-12");
    row("date", "12/03/2026", "2026-03-12");
    row("date", "12.3.26", "2026-03-12");
    row("date", "03/25/2026", "2026-03-25");
    row("date", "12 March", "2026-03-12");
    row("date", "12th of march", "2026-03-12");
    row("date", "Mar 12, 2027", "2027-03-12");
    row("date", "Sept 1", "2025-09-01"); // over 90 days ahead: the last one is meant
    row("date", "June 1", "2026-06-01");
    row("date", "yesterday", "2026-03-03");
    row("date", "Today", "2026-03-04");
    row("date", "tonight", "2026-03-04");
    row("date", "tomorrow", "2026-03-05");
    row("date", "the day after tomorrow", "2026-03-06");
    row("date", "the day before yesterday", "2026-03-02");
    row("date", "last Monday", "2026-03-02");
    row("date", "next Friday", "2026-03-06");
    row("date", "Friday", "2026-03-06");
    row("date", "last Wednesday", "2026-02-25");
    row("date", "next Wednesday", "2026-03-11");
    row("date", "on wednesday", "2026-03-04");
    row("date", "last thursday", "2026-02-26");
    row("date", "2026-02-30", "2026-02-30");
    row("date", "31/02/2026", "31/02/2026");
    row("date", "257 March", "257 March");
    row("date", "12/03/99999999", "12/03/99999999");
    row("date", "some day", "some day");

    row("time", "5pm", "17:00");
    row("time", "5 p.m.", "17:00");
    row("time", "12 am", "00:00");
    row("time", "12pm", "12:00");
    row("time", "17:30", "17:30");
    row("time", "9:05", "09:05");
    row("time", "10:20:59", "10:20");
    row("time", "noon", "12:00");
    row("time", "midnight", "00:00");
    row("time", "24:30", "24:30");
    row("time", "9:75", "9:75");
}

void TestValues::values()
{
    QFETCH(QByteArray, name);
    QFETCH(QByteArray, text);
    QFETCH(QByteArray, expected);
    QCOMPARE(valueOf(name, text, at(2026, 3, 4)), expected);
}

void TestValues::datesRoundTheYear_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<qint64>("now");
    QTest::addColumn<QByteArray>("expected");
    const auto row = [](const char* text, std::chrono::sys_seconds now, const char* expected) {
        QTest::addRow("%s as %s", text, expected)
            << QByteArray(text) << qint64(now.time_since_epoch().count()) << QByteArray(expected);
    };
    row("28 December", at(2026, 1, 3), "2025-12-28");
    row("3 January", at(2026, 12, 29), "2027-01-03");
    row("tomorrow", at(2026, 12, 31, 23), "2027-01-01");
    row("yesterday", at(2026, 1, 1, 0), "2025-12-31");
    row("tomorrow", at(2028, 2, 28), "2028-02-29");
    row("29 February", at(2027, 12, 31), "2028-02-29");
    row("29 February", at(2026, 3, 1), "2024-02-29");
    row("30 February", at(2026, 3, 1), "30 February");
}

void TestValues::datesRoundTheYear()
{
    QFETCH(QByteArray, text);
    QFETCH(qint64, now);
    QFETCH(QByteArray, expected);
    QCOMPARE(valueOf("date", text, std::chrono::sys_seconds(std::chrono::seconds(now))), expected);
}

void TestValues::unknownName()
{
    QVERIFY(!normaliserFromString("Date"));
    QVERIFY(!normaliserFromString(""));
}

QTEST_GUILESS_MAIN(TestValues)
#include "tst_values.moc"

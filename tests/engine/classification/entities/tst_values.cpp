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
    void zones_data();
    void zones();
    void unknownZones();
    void unknownName();
};

namespace {

/// The value; "-" where the text is no such thing.
QByteArray valueOf(
    const QByteArray& name, const QByteArray& text, std::chrono::sys_seconds now, Zone zone = {})
{
    const auto normaliser = normaliserFromString(name.toStdString());
    if (!normaliser) {
        return "no such normaliser";
    }
    const auto value =
        normaliseValue(*normaliser, text.toStdString(), Moment{now, std::move(zone)});
    return value ? QByteArray::fromStdString(*value) : QByteArray("-");
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
    row("number", "none", "-");
    row("number", "twelve", "12");
    row("number", "a dozen", "12");
    row("number", "zero", "0");
    row("number", "twenty-five", "25");
    row("number", "two hundred and fifty", "250");
    row("number", "ten thousand", "10000");
    row("number", "three hundred thousand and seven", "300007");
    row("number", "two two", "2");
    row("number", "twenty twelve", "20");

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
    row("amount", "$", "-");
    row("amount", "twenty-five euros", "25.00 EUR");
    row("amount", "1 299,00 \xE2\x82\xAC", "1299.00 EUR");
    row("amount", "89,- \xE2\x82\xAC", "89.00 EUR");
    row("amount", "10 francs", "10.00 CHF");

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
    row("date", "2026-02-30", "-");
    row("date", "31/02/2026", "-");
    row("date", "257 March", "-");
    row("date", "12/03/99999999", "-");
    row("date", "some day", "-");

    row("date", "this morning", "2026-03-04");
    row("date", "last night", "2026-03-03");
    row("date", "next fri", "2026-03-06");
    row("date", "Thurs", "2026-03-05");
    row("date", "Friday, 13 March", "2026-03-13");
    row("date", "in 3 days", "2026-03-07");
    row("date", "two weeks ago", "2026-02-18");
    row("date", "in a month", "2026-04-04");
    row("date", "a couple of years ago", "2024-03-04");
    row("date", "in a few days", "-");
    row("date", "in 9999999 days", "-");
    row("date", "in 99999 years", "-");
    row("date", "in 2 hours", "2026-03-04T14:00");
    row("date", "last week", "2026-W09");
    row("date", "next weekend", "2026-W11-WE");
    row("date", "this month", "2026-03");
    row("date", "last month", "2026-02");
    row("date", "next year", "2027");
    row("date", "March", "2026-03");
    row("date", "December", "2025-12");
    row("date", "last January", "2026-01");
    row("date", "last May", "2025-05");
    row("date", "next January", "2027-01");
    row("date", "next May", "2026-05");
    row("date", "this May", "2026-05");
    row("date", "June 2025", "2025-06");
    row("date", "2024", "2024");
    row("date", "the 5th", "2026-03-05");
    row("date", "the 28th", "2026-02-28");
    row("date", "the 31st", "2026-03-31");
    row("date", "the 32nd", "-");
    row("date", "5.3.", "2026-03-05");
    row("date", "50/50", "-");
    row("date", "easter", "2026-04-05");
    row("date", "Easter Monday", "2026-04-06");
    row("date", "easter friday", "2026-04-03");
    row("date", "march on", "2026-03");
    row("date", "", "-");

    row("time", "5pm", "17:00");
    row("time", "half past five", "05:30");
    row("time", "quarter to nine", "08:45");
    row("time", "a quarter past eight", "08:15");
    row("time", "ten past nine", "09:10");
    row("time", "20 past 7", "07:20");
    row("time", "five to twelve", "11:55");
    row("time", "8 o'clock", "08:00");
    row("time", "8 in the morning", "08:00");
    row("time", "five in the afternoon", "17:00");
    row("time", "ten at night", "22:00");
    row("time", "7.30 pm", "19:30");
    row("time", "half past thirty", "-");
    row("time", "once", "-");
    row("time", "123", "-");
    row("time", "5 p.m.", "17:00");
    row("time", "12 am", "00:00");
    row("time", "12pm", "12:00");
    row("time", "17:30", "17:30");
    row("time", "9:05", "09:05");
    row("time", "10:20:59", "10:20");
    row("time", "noon", "12:00");
    row("time", "midnight", "00:00");
    row("time", "24:30", "-");
    row("time", "9:75", "-");

    row("datetime", "2026-03-18T14:30", "2026-03-18T14:30");
    row("datetime", "2026-03-18 14:30:59", "2026-03-18T14:30");
    row("datetime", "30 minutes ago", "2026-03-04T11:30");
    row("datetime", "in an hour and a half", "2026-03-04T13:30");
    row("datetime", "2026-W11T14:30", "-");
    row("datetime", "2026-03-18", "-");

    row("duration", "3 days", "P3D");
    row("duration", "14-day", "P14D");
    row("duration", "5 working days", "P5D");
    row("duration", "six weeks", "P6W");
    row("duration", "a fortnight", "P2W");
    row("duration", "24h", "PT24H");
    row("duration", "90 min", "PT90M");
    row("duration", "10 secs", "PT10S");
    row("duration", "half an hour", "PT30M");
    row("duration", "half a minute", "PT30S");
    row("duration", "an hour and a half", "PT1H30M");
    row("duration", "a year and a half", "P1Y6M");
    row("duration", "2 hours and 30 minutes", "PT2H30M");
    row("duration", "1 year 2 months 2 weeks", "P1Y2M14D");
    row("duration", "a couple of days", "P2D");
    row("duration", "a few days", "PXD");
    row("duration", "several weeks", "PXW");
    row("duration", "200000 days", "-");
    row("duration", "soon", "-");

    row("url", "HTTPS://Shop.Example/Order/A-2231", "https://shop.example/Order/A-2231");
    row("url", "www.Shop.example", "https://www.shop.example");
    row("url", "shop.example?Q=1", "https://shop.example?Q=1");
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
    row("easter", at(2026, 12, 1), "2026-04-05");
    row("easter", at(2026, 12, 31), "2027-03-28");
    row("easter", at(2024, 12, 31), "2024-03-31");
    row("easter", at(2011, 2, 1), "2011-04-24");
    row("easter", at(2008, 3, 1), "2008-03-23");
    row("30 February", at(2026, 3, 1), "-");
}

void TestValues::datesRoundTheYear()
{
    QFETCH(QByteArray, text);
    QFETCH(qint64, now);
    QFETCH(QByteArray, expected);
    QCOMPARE(valueOf("date", text, std::chrono::sys_seconds(std::chrono::seconds(now))), expected);
}

void TestValues::zones_data()
{
    QTest::addColumn<QByteArray>("zone");
    QTest::addColumn<QByteArray>("name");
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<qint64>("now");
    QTest::addColumn<QByteArray>("expected");
    const auto row = [](const char* zone, const char* name, const char* text,
                         std::chrono::sys_seconds now, const char* expected) {
        QTest::addRow("%s %s %s", zone, text, expected)
            << QByteArray(zone) << QByteArray(name) << QByteArray(text)
            << qint64(now.time_since_epoch().count()) << QByteArray(expected);
    };
    row("UTC", "date", "today", at(2026, 3, 4, 23), "2026-03-04");
    row("Europe/Vienna", "date", "today", at(2026, 3, 4, 23), "2026-03-05");
    row("America/New_York", "date", "today", at(2026, 3, 4, 3), "2026-03-03");
    row("+05:30", "date", "tomorrow", at(2026, 3, 4, 19), "2026-03-06");
    row("-0800", "date", "today", at(2026, 3, 4, 7), "2026-03-03");
    row("Europe/Vienna", "datetime", "in 2 hours", at(2026, 3, 4, 12), "2026-03-04T15:00");
    // Summer time begins on 29 March 2026 at 01:00 UTC.
    row("Europe/Vienna", "datetime", "in 2 hours", at(2026, 3, 29, 0), "2026-03-29T04:00");
    row("Europe/Vienna", "datetime", "in 2 hours", at(2026, 7, 1, 12), "2026-07-01T16:00");
}

void TestValues::zones()
{
    QFETCH(QByteArray, zone);
    QFETCH(QByteArray, name);
    QFETCH(QByteArray, text);
    QFETCH(qint64, now);
    QFETCH(QByteArray, expected);
    auto read = Zone::fromName(zone.toStdString());
    QVERIFY(read.ok());
    QCOMPARE(
        valueOf(name, text, std::chrono::sys_seconds(std::chrono::seconds(now)), std::move(*read)),
        expected);
}

void TestValues::unknownZones()
{
    for (const char* name : {"", "Vienna", "Europe/Atlantis", "+19:00", "+1", "GMT+1:"}) {
        const auto zone = Zone::fromName(name);
        QVERIFY2(!zone.ok(), name);
        QVERIFY(zone.error().message.find("Europe/Vienna") != std::string::npos);
    }
}

void TestValues::unknownName()
{
    QVERIFY(!normaliserFromString("Date"));
    QVERIFY(!normaliserFromString(""));
}

QTEST_GUILESS_MAIN(TestValues)
#include "tst_values.moc"

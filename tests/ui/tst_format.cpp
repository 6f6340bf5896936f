#include "tests/support/testcase.h"
#include "ui/shell/format.h"

#include <cmath>

using namespace sluice::ui;

class TestFormat : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void values_data();
    void values();
    void missingIsADash();
    void ages();
    void signs();
};

void TestFormat::values_data()
{
    QTest::addColumn<double>("value");
    QTest::addColumn<int>("unit");
    QTest::addColumn<QString>("expected");
    const auto row = [](double value, Unit unit, const char* expected) {
        QTest::addRow("%s", expected) << value << int(unit) << QString::fromUtf8(expected);
    };
    row(184220, Unit::Count, "184,220");
    row(0, Unit::Count, "0");
    row(212, Unit::PerSecond, "212 /s");
    row(9.6e-6, Unit::Seconds, "9.6 µs");
    row(0.0031, Unit::Seconds, "3.1 ms");
    row(1.28, Unit::Seconds, "1.3 s");
    row(0.9999, Unit::Seconds, "1.0 s");
    row(125, Unit::Seconds, "2 min 5 s");
    row(0, Unit::Seconds, "0 s");
    row(58e6, Unit::Bytes, "58 MB");
    row(1.4e6, Unit::Bytes, "1.4 MB");
    row(0, Unit::Bytes, "0 B");
    row(0.0002, Unit::Share, "0.02 %");
    row(0.071, Unit::Share, "7.1 %");
    row(0.71, Unit::Share, "71 %");
    row(1, Unit::Share, "100 %");
}

void TestFormat::values()
{
    QFETCH(double, value);
    QFETCH(int, unit);
    QFETCH(QString, expected);
    // Number and unit stay on one line.
    QCOMPARE(format::value(value, Unit(unit)).replace(QChar::Nbsp, u' '), expected);
}

void TestFormat::missingIsADash()
{
    for (const Unit unit :
        {Unit::None, Unit::Count, Unit::PerSecond, Unit::Seconds, Unit::Bytes, Unit::Share}) {
        QCOMPARE(format::value(std::nullopt, unit), QStringLiteral("–"));
        QCOMPARE(format::value(double(NAN), unit), QStringLiteral("–"));
        const QString infinite = format::value(double(INFINITY), unit);
        QVERIFY2(!infinite.contains(QLatin1StringView("nan")), qPrintable(infinite));
    }
    QCOMPARE(format::age(QDateTime(), QDateTime::currentDateTime()), QStringLiteral("–"));
}

void TestFormat::ages()
{
    QCOMPARE(format::age(0.2).replace(QChar::Nbsp, u' '), QStringLiteral("now"));
    QCOMPARE(format::age(5).replace(QChar::Nbsp, u' '), QStringLiteral("5 s"));
    QCOMPARE(format::age(180).replace(QChar::Nbsp, u' '), QStringLiteral("3 min"));
    QCOMPARE(format::age(7200).replace(QChar::Nbsp, u' '), QStringLiteral("2 h"));
    QCOMPARE(format::age(4 * 86400).replace(QChar::Nbsp, u' '), QStringLiteral("4 d"));
    const QDateTime now(QDate(2026, 11, 23), QTime(12, 52, 7));
    QCOMPARE(format::when(now.addSecs(-60), now), QStringLiteral("12:51"));
    QCOMPARE(format::when(now.addDays(-1), now), QStringLiteral("Yesterday"));
    QCOMPARE(
        format::when(now.addDays(-2), now).replace(QChar::Nbsp, u' '), QStringLiteral("21 Nov"));
}

void TestFormat::signs()
{
    QCOMPARE(format::signedFixed(0.15, 2), QStringLiteral("+0.15"));
    QCOMPARE(format::signedFixed(-0.05, 2), QStringLiteral("−0.05"));
    QCOMPARE(format::fixed(0.47, 3), QStringLiteral("0.470"));
    QCOMPARE(format::plusMinus(96.1, 1.9, 1), QStringLiteral("96.1 ±1.9"));
    QCOMPARE(format::shortHash(QStringLiteral("7c1e2a00ff")), QStringLiteral("7c1e2a…"));
}

QTEST_GUILESS_MAIN(TestFormat)
#include "tst_format.moc"

#include "engine/classification/thresholds/contextrule.h"
#include "tests/support/testcase.h"

#include <QDateTime>
#include <QTimeZone>

using namespace sluice;

class TestContextRule : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void hours_data();
    void hours();
    void zones_data();
    void zones();
    void unknownZones_data();
    void unknownZones();
    void changesAreThoseOfTheZone();
    void keyLeavesOutTheAmount();
};

void TestContextRule::hours_data()
{
    QTest::addColumn<int>("from");
    QTest::addColumn<int>("to");
    QTest::addColumn<int>("minutes"); ///< of a day that it holds
    QTest::addColumn<bool>("midnight");
    QTest::newRow("day") << 9 * 60 << 17 * 60 << 480 << false;
    QTest::newRow("night") << 22 * 60 << 6 * 60 << 480 << true;
    QTest::newRow("a minute") << 600 << 601 << 1 << false;
    QTest::newRow("until midnight") << 23 * 60 << 0 << 60 << false;
    QTest::newRow("from midnight") << 0 << 60 << 60 << true;
    QTest::newRow("always") << 600 << 600 << 1440 << true;
}

void TestContextRule::hours()
{
    QFETCH(int, from);
    QFETCH(int, to);
    QFETCH(int, minutes);
    QFETCH(bool, midnight);
    ContextRule rule;
    rule.when = Condition::TimeOfDay;
    rule.from = from;
    rule.to = to;
    int held = 0;
    for (int minute = 0; minute < ContextRule::minutesADay; ++minute) {
        held += rule.holdsAt(minute) ? 1 : 0;
    }
    QCOMPARE(held, minutes);
    QVERIFY(rule.holdsAt(from));
    QCOMPARE(rule.holdsAt(to), from == to);
    QCOMPARE(rule.holdsAt(0), midnight);
}

void TestContextRule::zones_data()
{
    QTest::addColumn<QByteArray>("zone");
    QTest::addColumn<QByteArray>("utc");
    QTest::addColumn<QByteArray>("local");
    const auto row = [](const char* zone, const char* utc, const char* local) {
        QTest::addRow("%s at %s", zone, utc)
            << QByteArray(zone) << QByteArray(utc) << QByteArray(local);
    };
    row("", "2026-03-04T10:20:59Z", "10:20");
    row("UTC", "2026-03-04T23:59:00Z", "23:59");
    row("+02:00", "2026-07-01T23:00:00Z", "01:00");
    row("-05:30", "2026-07-01T01:00:00Z", "19:30");
    row("Europe/Berlin", "2026-03-29T00:59:59Z", "01:59");
    row("Europe/Berlin", "2026-03-29T01:00:00Z", "03:00");
    row("Europe/Berlin", "2026-10-25T00:59:59Z", "02:59");
    row("Europe/Berlin", "2026-10-25T01:00:00Z", "02:00");
    row("America/New_York", "2026-01-01T03:00:00Z", "22:00");
    row("America/New_York", "2026-07-01T03:00:00Z", "23:00");
    row("Asia/Kolkata", "2026-07-01T20:00:00Z", "01:30");
    row("Australia/Lord_Howe", "2026-01-01T00:00:00Z", "11:00");
    row("Australia/Lord_Howe", "2026-07-01T00:00:00Z", "10:30");
    row("Europe/Berlin", "1960-01-01T00:30:00Z", "01:30");
    row("Asia/Tokyo", "2150-01-01T00:30:00Z", "09:30");
}

void TestContextRule::zones()
{
    QFETCH(QByteArray, zone);
    QFETCH(QByteArray, utc);
    QFETCH(QByteArray, local);
    const auto clock = ZoneClock::open(zone.toStdString());
    QVERIFY2(clock.ok(), clock ? "" : clock.error().text().c_str());
    const QDateTime time = QDateTime::fromString(QString::fromUtf8(utc), Qt::ISODate);
    const int minute =
        clock->minuteOfDay(std::chrono::sys_seconds(std::chrono::seconds(time.toSecsSinceEpoch())));
    QCOMPARE(QTime(minute / 60, minute % 60).toString(QStringLiteral("hh:mm")).toUtf8(), local);
}

void TestContextRule::unknownZones_data()
{
    QTest::addColumn<QByteArray>("zone");
    for (const char* zone :
        {"Europe/Berlyn", "+2", "+25:00", "+02-00", "-", "Etc/Unknown", " ", "\xFF", "+02:000"}) {
        QTest::newRow(zone) << QByteArray(zone);
    }
}

void TestContextRule::unknownZones()
{
    QFETCH(QByteArray, zone);
    const auto clock = ZoneClock::open(zone.toStdString());
    QVERIFY(!clock.ok());
    QVERIFY(clock.error().kind == ErrorKind::Input);
    QVERIFY(clock.error().message.find("Europe/Berlin") != std::string::npos); // how to write one
}

void TestContextRule::changesAreThoseOfTheZone()
{
    const auto berlin = ZoneClock::open("Europe/Berlin");
    const auto fixed = ZoneClock::open("+01:00");
    QVERIFY(berlin.ok() && fixed.ok());
    const auto at = [](const char* text) {
        return std::chrono::sys_seconds(std::chrono::seconds(
            QDateTime::fromString(QLatin1StringView(text), Qt::ISODate).toSecsSinceEpoch()));
    };
    QVERIFY(berlin->nextChange(at("2026-01-01T00:00:00Z")) == at("2026-03-29T01:00:00Z"));
    QVERIFY(berlin->nextChange(at("2026-03-29T01:00:00Z")) == at("2026-10-25T01:00:00Z"));
    QVERIFY(berlin->nextChange(at("2150-01-01T00:00:00Z")) == std::chrono::sys_seconds::max());
    QVERIFY(fixed->nextChange(at("2026-01-01T00:00:00Z")) == std::chrono::sys_seconds::max());
}

void TestContextRule::keyLeavesOutTheAmount()
{
    ContextRule rule;
    rule.when = Condition::RepeatedFailure;
    rule.failures = 2;
    rule.add = 0.1;
    ContextRule other = rule;
    other.add = 0.2;
    QCOMPARE(rule.key(), other.key());
    other.failures = 3;
    QVERIFY(rule.key() != other.key());
}

QTEST_GUILESS_MAIN(TestContextRule)
#include "tst_contextrule.moc"

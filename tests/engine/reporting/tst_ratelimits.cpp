#include "engine/reporting/ratelimits.h"
#include "tests/support/testcase.h"

using sluice::RateLimits;

class TestRateLimits : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void limits_data();
    void limits();
    void theLongerStays();
};

namespace {

// 2026-11-24T12:00:00Z
const RateLimits::Time start = std::chrono::system_clock::from_time_t(1795521600);

} // namespace

void TestRateLimits::limits_data()
{
    QTest::addColumn<int>("status");
    QTest::addColumn<QByteArray>("name");
    QTest::addColumn<QByteArray>("value");
    QTest::addColumn<int>("seconds");
    const auto row = [](const char* title, int status, const char* name, const char* value,
                         int seconds) {
        QTest::newRow(title) << status << QByteArray(name) << QByteArray(value) << seconds;
    };
    const char* own = "x-sentry-rate-limits";
    row("nothing", 200, "", "", 0);
    row("429 alone", 429, "", "", 60);
    row("retry-after seconds", 429, "retry-after", "7", 7);
    row("retry-after a fraction", 429, "retry-after", "7.5", 8);
    row("retry-after a date", 429, "retry-after", "Tue, 24 Nov 2026 12:00:30 GMT", 30);
    row("retry-after nonsense", 429, "retry-after", "soon", 60);
    row("retry-after without a 429", 503, "retry-after", "7", 0);
    row("ours", 200, own, "50:error:organization", 50);
    row("ours with a 429", 429, own, "50:error:organization", 50);
    row("one of many", 200, own, "50:transaction;error;session:key:quota", 50);
    row("all", 200, own, "2700::organization", 2700);
    row("only a number", 200, own, "12", 12);
    row("spaces", 200, own, " 10:transaction:key , 20:error;default:organization:why:a;b ", 20);
    row("the longer of two", 200, own, "30:error:key, 20:error:organization", 30);
    row("others", 200, own, "60:transaction:key", 0);
    row("unknown ones", 200, own, "60:pizza:key, nonsense, -5:error, 9:error:key", 9);
    row("a 429 with others only", 429, own, "60:transaction:key", 0);
    row("a day at most", 200, own, "99999999:error:key", 86400);
}

void TestRateLimits::limits()
{
    QFETCH(int, status);
    QFETCH(QByteArray, name);
    QFETCH(QByteArray, value);
    QFETCH(int, seconds);
    RateLimits limits;
    limits.note(status, {{"date", "x"}, {name.toStdString(), value.toStdString()}}, start);
    const auto after = [](int time) { return start + std::chrono::seconds(time); };
    QCOMPARE(limits.isLimited("error", start), seconds > 0);
    QVERIFY(seconds == 0 || limits.until("error") == after(seconds));
    QVERIFY(!limits.isLimited("error", after(seconds)));
}

void TestRateLimits::theLongerStays()
{
    RateLimits limits;
    limits.note(429, {{"retry-after", "100"}}, start);
    limits.note(200, {{"x-sentry-rate-limits", "10:error:key"}}, start);
    QVERIFY(limits.until("error") == start + std::chrono::seconds(100));
    QVERIFY(limits.until("transaction") == start + std::chrono::seconds(100));
}

QTEST_GUILESS_MAIN(TestRateLimits)
#include "tst_ratelimits.moc"

#include "engine/classification/context/circuitbreaker.h"
#include "tests/support/testcase.h"

using namespace sluice;
using namespace std::chrono_literals;

class TestCircuitBreaker : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        failOnWarnings();
        m_breaker = CircuitBreaker(settings());
        m_now = CircuitBreaker::TimePoint() + 1h;
    }
    void opensAfterFailuresInAWindow();
    void staysClosedWhereMostIsWell();
    void failuresOfEarlierWindowsDontCount();
    void probesAndCloses();
    void waitsLongerAfterEachProbe();
    void lateNewsChangesNothing();

private:
    static CircuitBreaker::Settings settings() { return {4, 1000ms, 100ms, 350ms}; }
    void fail(int times)
    {
        for (int time = 0; time < times; ++time) {
            m_breaker.failed(m_now += 1ms);
        }
    }
    void succeed(int times)
    {
        for (int time = 0; time < times; ++time) {
            m_breaker.succeeded(m_now += 1ms);
        }
    }
    CircuitBreaker m_breaker;
    CircuitBreaker::TimePoint m_now;
};

using State = CircuitBreaker::State;

void TestCircuitBreaker::opensAfterFailuresInAWindow()
{
    fail(3);
    QVERIFY(m_breaker.isClosed());
    QVERIFY(!m_breaker.takeProbe(m_now));
    fail(1);
    QVERIFY(m_breaker.state() == State::Open);
    QVERIFY(m_breaker.probeAt() == m_now + 100ms);
}

void TestCircuitBreaker::staysClosedWhereMostIsWell()
{
    succeed(100);
    fail(60);
    QVERIFY(m_breaker.isClosed()); // 60 of 160
    fail(40);
    QVERIFY(!m_breaker.isClosed()); // half
}

void TestCircuitBreaker::failuresOfEarlierWindowsDontCount()
{
    fail(3);
    m_now += 1000ms;
    fail(3);
    QVERIFY(m_breaker.isClosed());
    fail(1);
    QVERIFY(!m_breaker.isClosed());
}

void TestCircuitBreaker::probesAndCloses()
{
    fail(4);
    QVERIFY(!m_breaker.takeProbe(m_now + 99ms));
    QVERIFY(m_breaker.takeProbe(m_now + 100ms));
    QVERIFY(m_breaker.state() == State::HalfOpen);
    QVERIFY(!m_breaker.takeProbe(m_now + 100ms)); // one at a time
    m_breaker.succeeded(m_now += 101ms);
    QVERIFY(m_breaker.isClosed());
    fail(3);
    QVERIFY(m_breaker.isClosed()); // what was before is forgotten
    fail(1);
    QVERIFY(m_breaker.state() == State::Open);
}

void TestCircuitBreaker::waitsLongerAfterEachProbe()
{
    fail(4);
    for (const auto pause : {100ms, 200ms, 350ms, 350ms}) {
        QVERIFY(m_breaker.probeAt() == m_now + pause);
        QVERIFY(m_breaker.takeProbe(m_now += pause));
        m_breaker.failed(m_now += 20ms);
        QVERIFY(m_breaker.state() == State::Open);
    }
    // Closed, and open again at once: it is not well. After a window without failures it is.
    QVERIFY(m_breaker.takeProbe(m_now += 350ms));
    m_breaker.succeeded(m_now);
    fail(4);
    QVERIFY(m_breaker.probeAt() == m_now + 350ms);
    QVERIFY(m_breaker.takeProbe(m_now += 350ms));
    m_breaker.succeeded(m_now);
    succeed(5);
    m_now += 1000ms;
    succeed(1);
    fail(4);
    QVERIFY(m_breaker.probeAt() == m_now + 100ms);
    m_breaker.reset();
    QVERIFY(m_breaker.isClosed());
}

void TestCircuitBreaker::lateNewsChangesNothing()
{
    fail(4);
    const auto probeAt = m_breaker.probeAt();
    fail(10); // of what was asked before
    succeed(10);
    QVERIFY(m_breaker.state() == State::Open);
    QVERIFY(m_breaker.probeAt() == probeAt);
}

QTEST_GUILESS_MAIN(TestCircuitBreaker)
#include "tst_circuitbreaker.moc"

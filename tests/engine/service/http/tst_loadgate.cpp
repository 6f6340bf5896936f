#include "engine/service/http/loadgate.h"
#include "tests/support/testcase.h"

using namespace sluice::service;
using std::chrono::microseconds;
using std::chrono::milliseconds;

class TestLoadGate : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void takesAllWhileItKeepsUp();
    void letsABurstThrough();
    void cutsAStandingQueue();
    void recovers();
    void countsThoseInFlight();
    void boundsThoseInFlight();
    void canBeOff();
    void othersMayRunToo();
};

namespace {

/// A worker on a virtual clock: each turn finds so many requests, each costs `cost`, and a refused
/// one a tenth.
std::chrono::nanoseconds worked{0};

struct Worker
{
    LoadGate gate;
    LoadGate::Clock::time_point now{std::chrono::hours(1)};
    microseconds cost{100};
    microseconds longest{0};

    int turn(int requests)
    {
        gate.turn(now);
        const auto begin = now;
        int taken = 0;
        for (int index = 0; index < requests; ++index) {
            const bool admitted = gate.admits(now, 0);
            const auto spent = admitted ? cost : cost / 10;
            now += spent;
            worked += spent;
            if (admitted) {
                ++taken;
                gate.answered();
                longest = std::max(longest, std::chrono::duration_cast<microseconds>(now - begin));
            }
        }
        now += microseconds(10);
        return taken;
    }
};

} // namespace

void TestLoadGate::takesAllWhileItKeepsUp()
{
    Worker worker{LoadGate(milliseconds(10), 1000, [] { return worked; })};
    for (int turn = 0; turn < 1000; ++turn) {
        QCOMPARE(worker.turn(90), 90); // 9 ms of work each
    }
}

void TestLoadGate::letsABurstThrough()
{
    Worker worker{LoadGate(milliseconds(10), 1000, [] { return worked; })};
    worker.turn(1);
    QCOMPARE(worker.turn(350), 350); // 35 ms, once
    worker.turn(1);
    QCOMPARE(worker.turn(350), 350);
    QVERIFY(worker.turn(1000) < 450); // but not without end
}

void TestLoadGate::cutsAStandingQueue()
{
    Worker worker{LoadGate(milliseconds(10), 1000, [] { return worked; })};
    worker.turn(1);
    for (int turn = 0; turn < 20; ++turn) {
        worker.turn(200); // 20 ms of work in every turn, for longer than 100 ms
    }
    worker.longest = microseconds(0);
    for (int turn = 0; turn < 100; ++turn) {
        const int taken = worker.turn(200);
        QVERIFY2(taken >= 95 && taken <= 105, qPrintable(QString::number(taken)));
    }
    QVERIFY(worker.longest <= milliseconds(11));
}

void TestLoadGate::recovers()
{
    Worker worker{LoadGate(milliseconds(10), 1000, [] { return worked; })};
    for (int turn = 0; turn < 30; ++turn) {
        worker.turn(200);
    }
    QVERIFY(worker.turn(200) < 110);
    worker.turn(10); // it kept up once: nothing stands
    QCOMPARE(worker.turn(200), 200);
}

void TestLoadGate::countsThoseInFlight()
{
    Worker worker{LoadGate(milliseconds(10), 1000, [] { return worked; })};
    for (int turn = 0; turn < 30; ++turn) {
        worker.turn(200);
    }
    // 100 us each: 200 in flight are 20 ms of work still to do.
    worker.gate.turn(worker.now);
    QVERIFY(!worker.gate.admits(worker.now, 200));
    QVERIFY(worker.gate.admits(worker.now, 50));
}

void TestLoadGate::boundsThoseInFlight()
{
    LoadGate gate(milliseconds(10), 3, [] { return worked; });
    const LoadGate::Clock::time_point now{std::chrono::hours(1)};
    gate.turn(now);
    QVERIFY(gate.admits(now, 2));
    QVERIFY(!gate.admits(now, 3));
}

void TestLoadGate::canBeOff()
{
    Worker worker{LoadGate(milliseconds(0), 1000, [] { return worked; })};
    for (int turn = 0; turn < 30; ++turn) {
        QCOMPARE(worker.turn(1000), 1000);
    }
}

/// A worker that gets a fifth of the processor is late, but does what it can.
void TestLoadGate::othersMayRunToo()
{
    LoadGate gate(milliseconds(10), 1000, [] { return worked; });
    LoadGate::Clock::time_point now{std::chrono::hours(1)};
    for (int turn = 0; turn < 100; ++turn) {
        gate.turn(now);
        for (int index = 0; index < 50; ++index) {
            QVERIFY(gate.admits(now, 0));
            now += microseconds(500);
            worked += microseconds(100);
            gate.answered();
        }
    }
}

QTEST_GUILESS_MAIN(TestLoadGate)
#include "tst_loadgate.moc"

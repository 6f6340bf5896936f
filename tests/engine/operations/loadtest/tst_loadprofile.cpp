#include "engine/operations/loadtest/loadprofile.h"
#include "tests/support/testcase.h"

#include <cmath>

using namespace sluice::ops;

class TestLoadProfile : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void levels();
    void areaIsTheIntegral_data();
    void areaIsTheIntegral();
    void timesOfArea();
    void quietPhases();
};

void TestLoadProfile::levels()
{
    const LoadProfile profile({LoadPhase{10, 5}, LoadPhase{10, 15, RampShape::Linear},
        LoadPhase{10, 150, RampShape::Exponential}, LoadPhase{10, 50, RampShape::Smooth},
        LoadPhase{10, 8, RampShape::Linear, 4.0}});
    QCOMPARE(profile.seconds(), 50.0);
    QCOMPARE(profile.peak(), 150.0);
    QCOMPARE(profile.levelAt(-1), 0.0);
    QCOMPARE(profile.levelAt(0), 5.0);
    QCOMPARE(profile.levelAt(9.99), 5.0);
    QCOMPARE(profile.levelAt(15), 10.0);
    QCOMPARE(profile.levelAt(25), 15 * std::sqrt(10.0));
    QCOMPARE(profile.levelAt(35), 100.0);
    QCOMPARE(profile.levelAt(45), 6.0);
    QCOMPARE(profile.levelAt(50), 0.0);
    QCOMPARE(profile.phaseAt(-1), 0);
    QCOMPARE(profile.phaseAt(10), 1);
    QCOMPARE(profile.phaseAt(99), 4);
    QCOMPARE(profile.endOfPhase(1), 20.0);
    QVERIFY(!profile.changesAt(5));
    QVERIFY(profile.changesAt(15));
    QCOMPARE(toString(RampShape::Smooth), std::string_view("smooth"));
}

void TestLoadProfile::areaIsTheIntegral_data()
{
    QTest::addColumn<int>("shape");
    QTest::addColumn<double>("from");
    QTest::addColumn<double>("to");
    for (const RampShape shape :
        {RampShape::Step, RampShape::Linear, RampShape::Exponential, RampShape::Smooth}) {
        for (const auto& [from, to] :
            {std::pair{0.0, 100.0}, {100.0, 0.0}, {20.0, 20.0}, {3.0, 77.0}}) {
            QTest::addRow("%s %g to %g", std::string(toString(shape)).c_str(), from, to)
                << int(shape) << from << to;
        }
    }
}

void TestLoadProfile::areaIsTheIntegral()
{
    QFETCH(int, shape);
    QFETCH(double, from);
    QFETCH(double, to);
    const LoadProfile profile({LoadPhase{3, 10}, LoadPhase{20, to, RampShape(shape), from}});
    double sum = 0;
    constexpr int steps = 200000;
    for (int step = 0; step < steps; ++step) {
        sum += profile.levelAt((step + 0.5) * 23 / steps) * 23 / steps;
        if (step % 20000 == 19999) {
            const double at = (step + 1.0) * 23 / steps;
            QVERIFY2(std::abs(profile.areaUntil(at) - sum) < 0.01,
                qPrintable(
                    QStringLiteral("%1: %2 %3").arg(at).arg(profile.areaUntil(at)).arg(sum)));
            if (profile.levelAt(at) > 0) {
                QVERIFY(std::abs(profile.timeOfArea(profile.areaUntil(at)) - at) < 1e-5);
            }
        }
    }
}

void TestLoadProfile::timesOfArea()
{
    const LoadProfile profile({LoadPhase{10, 50, RampShape::Linear, 0.0}, LoadPhase{10, 50}});
    QCOMPARE(profile.areaUntil(10), 250.0);
    QCOMPARE(profile.areaUntil(99), 750.0);
    QCOMPARE(profile.timeOfArea(-1), 0.0);
    QCOMPARE(profile.timeOfArea(500), 15.0);
    QCOMPARE(profile.timeOfArea(1e9), 20.0);
    double last = 0;
    for (int request = 1; request <= 750; ++request) {
        const double at = profile.timeOfArea(request);
        QVERIFY(at > last && at <= 20);
        QVERIFY(std::abs(profile.areaUntil(at) - request) < 1e-4);
        last = at;
    }
}

void TestLoadProfile::quietPhases()
{
    const LoadProfile profile(
        {LoadPhase{5, 0}, LoadPhase{5, 10}, LoadPhase{5, 0}, LoadPhase{5, 10}});
    QCOMPARE(profile.timeOfArea(0), 5.0);
    QCOMPARE(profile.timeOfArea(25), 7.5);
    QCOMPARE(profile.timeOfArea(51), 15.1);
    const LoadProfile silent({LoadPhase{5, 0}});
    QCOMPARE(silent.timeOfArea(1), 5.0);
}

QTEST_GUILESS_MAIN(TestLoadProfile)
#include "tst_loadprofile.moc"

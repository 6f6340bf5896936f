#include "engine/operations/loadtest/loadrun.h"
#include "tests/support/stackfixture.h"
#include "tests/support/testcase.h"

#include <QFile>
#include <QTimer>
#include <numeric>

using namespace sluice;
using namespace sluice::ops;

/// The stack under the normal scenario for SLUICE_SOAK_SECONDS (600): holds its targets, and no
/// worker grows.
class TestSoak : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void normalScenario();
};

namespace {

struct Track
{
    QString name;
    qint64 pid = 0;
    QList<double> mib;
    QList<int> descriptors;

    double mean(double from, double to) const
    {
        const auto first = mib.begin() + qsizetype(double(mib.size()) * from);
        const auto last = mib.begin() + qsizetype(double(mib.size()) * to);
        return std::accumulate(first, last, 0.0) / double(std::distance(first, last));
    }
};

} // namespace

void TestSoak::normalScenario()
{
    const double seconds =
        std::max(30, qEnvironmentVariable("SLUICE_SOAK_SECONDS", QStringLiteral("600")).toInt());
    test::StackFixture stack;
    QVERIFY2(stack.up(), qPrintable(stack.lastError()));
    QFile file(QStringLiteral(SLUICE_SOURCE_DIR "/resources/scenarios/normal.json"));
    QVERIFY(file.open(QIODevice::ReadOnly));
    auto scenario = Scenario::fromJson(file.readAll(), file.fileName());
    QVERIFY(scenario.ok());
    scenario->durationSeconds = seconds;

    QList<Track> tracks;
    for (const StackPart& part : stack.status().parts) {
        tracks << Track{part.name, part.pid, {}, {}};
    }
    QTimer sampler;
    connect(&sampler, &QTimer::timeout, this, [&] {
        for (Track& track : tracks) {
            track.mib << double(test::residentBytes(track.pid)) / (1 << 20);
            track.descriptors << test::openDescriptors(track.pid);
        }
    });
    LoadRun run;
    std::optional<LoadResult> result;
    connect(&run, &LoadRun::finished, this, [&](const LoadResult& end) { result = end; });
    QVERIFY(run.start(*scenario, stack.status().environment.balancer).ok());
    sampler.start(1000);
    QVERIFY(QTest::qWaitFor([&] { return result.has_value(); }, int(seconds * 1000) + 60000));
    sampler.stop();

    qInfo("%lld of %lld answered in %.0f s; p50 %.2f ms, p95 %.2f ms, p99 %.2f ms, longest %.1f ms",
        static_cast<long long>(result->succeeded), static_cast<long long>(result->scheduled),
        seconds, result->p50Ms, result->p95Ms, result->p99Ms, result->maxMs);
    for (const Track& track : tracks) {
        // The first quarter fills caches and sessions.
        const double before = track.mean(0.25, 0.5);
        const double after = track.mean(0.75, 1.0);
        qInfo("%-10s RSS %.1f MiB, then %.1f MiB (%+.2f MiB/h); descriptors at most %d",
            qPrintable(track.name), before, after, (after - before) / (seconds * 0.5) * 3600,
            *std::max_element(track.descriptors.begin(), track.descriptors.end()));
    }
    QVERIFY2(result->passed, "a target was missed");
    for (const Track& track : tracks) {
        QVERIFY2(!track.mib.contains(0), qPrintable(track.name + QStringLiteral(" ended")));
        if (track.name.startsWith(QLatin1StringView("blue"))
            || track.name.startsWith(QLatin1StringView("green"))) {
            QVERIFY(track.mean(0.75, 1.0) < 512);
            QVERIFY2(
                track.mean(0.75, 1.0) < track.mean(0.25, 0.5) * 1.05 + 1, qPrintable(track.name));
            QVERIFY(*std::max_element(track.descriptors.begin(), track.descriptors.end()) < 1200);
        }
    }
    QVERIFY(stack.down());
}

QTEST_GUILESS_MAIN(TestSoak)
#include "tst_soak.moc"

#include "engine/operations/loadtest/loadrun.h"
#include "tests/support/stackfixture.h"
#include "tests/support/testcase.h"

#include <QFile>
#include <QTimer>
#include <cmath>
#include <numeric>

using namespace sluice;
using namespace sluice::ops;

/// The stack under the normal scenario at 500 requests/s for SLUICE_SOAK_SECONDS (1800): holds its
/// targets, and no worker grows or loses descriptors.
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
    int descriptorsBefore = 0;
    int descriptorsAfter = 0; ///< when the connections of the load have gone

    bool isWorker() const
    {
        return name.startsWith(QLatin1StringView("blue"))
            || name.startsWith(QLatin1StringView("green"));
    }
    double mean(double from, double to) const
    {
        const auto first = mib.begin() + qsizetype(double(mib.size()) * from);
        const auto last = mib.begin() + qsizetype(double(mib.size()) * to);
        return std::accumulate(first, last, 0.0) / double(std::distance(first, last));
    }
};

struct Slope
{
    double mibPerHour = 0;
    double upper95 = 0; ///< one-sided bound
};

/// Least squares over the means of blocks: samples a second apart hang together, and would make the
/// bound too tight. The first quarter, which fills caches, is left out.
Slope slopeOf(const Track& track)
{
    constexpr int blocks = 24;
    QList<double> mean;
    for (int block = 0; block < blocks; ++block) {
        const double width = 0.75 / blocks;
        mean << track.mean(0.25 + block * width, 0.25 + (block + 1) * width);
    }
    // Samples are a second apart.
    const double hours = double(track.mib.size()) * 0.75 / blocks / 3600;
    const double middleX = (blocks - 1) / 2.0;
    const double middleY = std::accumulate(mean.begin(), mean.end(), 0.0) / blocks;
    double xx = 0;
    double xy = 0;
    for (int block = 0; block < blocks; ++block) {
        xx += (block - middleX) * (block - middleX);
        xy += (block - middleX) * (mean[block] - middleY);
    }
    const double slope = xy / xx;
    double residual = 0;
    for (int block = 0; block < blocks; ++block) {
        const double off = mean[block] - middleY - slope * (block - middleX);
        residual += off * off;
    }
    constexpr double t95 = 1.717; // Student's t, 22 degrees of freedom
    const double error = std::sqrt(residual / (blocks - 2) / xx);
    return {slope / hours, (slope + t95 * error) / hours};
}

} // namespace

void TestSoak::normalScenario()
{
    const double seconds =
        std::max(30, qEnvironmentVariable("SLUICE_SOAK_SECONDS", QStringLiteral("1800")).toInt());
    // Fills in the first minutes: one of the usual size grows to its bound for half an hour, which
    // is no leak and would hide one.
    qputenv("SLUICE_MODEL_CACHE_MB", "4");
    test::StackFixture stack;
    QVERIFY2(stack.up(), qPrintable(stack.lastError()));
    QFile file(QStringLiteral(SLUICE_SOURCE_DIR "/resources/scenarios/normal.json"));
    QVERIFY(file.open(QIODevice::ReadOnly));
    auto scenario = Scenario::fromJson(file.readAll(), file.fileName());
    QVERIFY(scenario.ok());
    scenario->phases = {LoadPhase{seconds, 500}};

    QList<Track> tracks;
    for (const StackPart& part : stack.status().parts) {
        tracks << Track{part.name, part.pid, {}, test::openDescriptors(part.pid), 0};
    }
    QTimer sampler;
    connect(&sampler, &QTimer::timeout, this, [&] {
        for (Track& track : tracks) {
            track.mib << double(test::residentBytes(track.pid)) / (1 << 20);
        }
    });
    LoadRun run;
    std::optional<LoadResult> result;
    connect(&run, &LoadRun::finished, this, [&](const LoadResult& end) { result = end; });
    QVERIFY(run.start(*scenario, stack.status().environment.balancer).ok());
    sampler.start(1000);
    QVERIFY(QTest::qWaitFor([&] { return result.has_value(); }, int(seconds * 1000) + 60000));
    sampler.stop();
    // Idle connections may stay for 75 s.
    const bool closed = QTest::qWaitFor(
        [&] {
            return std::all_of(tracks.begin(), tracks.end(), [](const Track& track) {
                return !track.isWorker()
                    || test::openDescriptors(track.pid) <= track.descriptorsBefore + 8;
            });
        },
        90000);
    for (Track& track : tracks) {
        track.descriptorsAfter = test::openDescriptors(track.pid);
    }

    qInfo("%lld of %lld answered in %.0f s; p50 %.2f ms, p95 %.2f ms, p99 %.2f ms, longest %.1f ms",
        static_cast<long long>(result->succeeded), static_cast<long long>(result->scheduled),
        seconds, result->p50Ms, result->p95Ms, result->p99Ms, result->maxMs);
    for (const Track& track : tracks) {
        const Slope slope = slopeOf(track);
        qInfo(
            "%-10s RSS %.1f MiB, slope %+.2f MiB/h, upper 95 %% bound %+.2f MiB/h; descriptors %d "
            "before, %d after",
            qPrintable(track.name), track.mean(0.75, 1.0), slope.mibPerHour, slope.upper95,
            track.descriptorsBefore, track.descriptorsAfter);
    }
    QVERIFY2(closed, "a worker loses descriptors");
    QVERIFY2(result->passed, "a target was missed");
    for (const Track& track : tracks) {
        QVERIFY2(!track.mib.contains(0), qPrintable(track.name + QStringLiteral(" ended")));
        if (track.isWorker()) {
            QVERIFY(track.mean(0.75, 1.0) < 512);
            // A shorter run can't tell so small a slope from noise.
            QVERIFY2(seconds < 1800 || slopeOf(track).upper95 < 1,
                qPrintable(track.name + QStringLiteral(" grows")));
        }
    }
    QVERIFY(stack.down());
}

QTEST_GUILESS_MAIN(TestSoak)
#include "tst_soak.moc"

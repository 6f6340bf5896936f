// Twelve charts of four lines over a day of seconds, as the Monitor shows them, without a GPU
// (platform offscreen): frames a second while all pan and zoom, the live tick, the crosshair,
// memory. Each scale factor runs in a process of its own.
#include "ui/charts/chartgroup.h"
#include "ui/charts/livechart.h"
#include "ui/shell/theme.h"

#include <QApplication>
#include <QElapsedTimer>
#include <QFile>
#include <QGridLayout>
#include <QProcess>
#include <QRandomGenerator>
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <ctime>
#include <functional>

using namespace sluice::ui;

namespace {

constexpr int charts = 12;
constexpr int lines = 4;
constexpr double day = 86400;
constexpr double begin = 1.7e9;
constexpr int frames = 60;

double residentMebibytes()
{
    QFile statm(QStringLiteral("/proc/self/statm"));
    return statm.open(QIODevice::ReadOnly)
        ? statm.readAll().split(' ').at(1).toDouble() * 4096 / 1048576
        : 0;
}

/// A line that wanders and is noisy, as rates and latencies are.
Samples wander(quint32 seed)
{
    QRandomGenerator random(seed);
    QList<QPointF> points;
    points.reserve(int(day) + 1000);
    double value = 50;
    for (int second = 0; second < int(day); ++second) {
        value = std::clamp(value + random.bounded(2.0) - 1.0, 5.0, 95.0);
        points << QPointF(begin + second, value + random.bounded(10.0));
    }
    return points;
}

struct Page
{
    ChartGroup group;
    QWidget window;
    QList<LiveChart*> all;

    Page()
    {
        window.resize(1920, 1080);
        auto* grid = new QGridLayout(&window);
        for (int index = 0; index < charts; ++index) {
            auto* chart = new LiveChart(
                QStringLiteral("Chart %1").arg(index), &group, Unit::PerSecond, &window);
            QList<ChartSeries> series;
            for (int line = 0; line < lines; ++line) {
                series << ChartSeries{QStringLiteral("line %1").arg(line),
                    wander(quint32(index * lines + line)), line, false, true, line};
            }
            chart->setSeries(std::move(series));
            grid->addWidget(chart, index / 4, index % 4);
            all << chart;
        }
        group.setLiveRange(begin, begin + day);
        window.show();
    }

    /// Median and largest time of `frames` frames, until all is painted; and the processor's time,
    /// which other programs on the machine do not lengthen.
    void measure(const char* what, double scale, const std::function<void(int)>& change)
    {
        QList<double> times;
        std::clock_t used = 0;
        for (int frame = -3; frame < frames; ++frame) {
            QElapsedTimer timer;
            timer.start();
            const std::clock_t before = std::clock();
            change(std::max(0, frame));
            QApplication::processEvents();
            if (frame >= 0) {
                times << double(timer.nsecsElapsed()) / 1e6;
                used += std::clock() - before;
            }
        }
        std::sort(times.begin(), times.end());
        const double median = times[times.size() / 2];
        const double cpu = double(used) / CLOCKS_PER_SEC * 1000 / frames;
        std::printf(
            "scale %g  %-28s median %6.1f ms (%4.0f frames/s)  largest %6.1f ms  cpu %6.1f ms "
            "(%4.0f frames/s)\n",
            scale, what, median, 1000 / median, times.last(), cpu, 1000 / cpu);
    }
};

void run(double scale)
{
    Page page;
    QApplication::processEvents();
    page.measure("pan, the whole day", scale, [&](int frame) {
        page.group.resetZoom();
        page.group.zoom(begin + frame * 60, begin + day - 3600 + frame * 60);
    });
    page.measure("zoom, a day to 10 minutes", scale, [&](int frame) {
        const double width = day * std::pow(600 / day, double(frame) / frames);
        page.group.resetZoom();
        page.group.zoom(begin + day / 2 - width / 2, begin + day / 2 + width / 2);
    });
    page.group.resetZoom();
    page.measure("crosshair over all", scale,
        [&](int frame) { page.group.setCrosshair(begin + day * frame / frames); });
    page.group.setCrosshair(std::nullopt);
    page.measure("live tick, all lines", scale, [&](int frame) {
        const double now = begin + day + frame;
        for (LiveChart* chart : page.all) {
            QList<ChartSeries> tails;
            for (int line = 0; line < lines; ++line) {
                tails << ChartSeries{QStringLiteral("line %1").arg(line),
                    QList<QPointF>{{now - 1, 50}, {now, 50.0 + line}}, line, false, true, line};
            }
            chart->merge(tails, now - 1.5, now - day);
        }
        page.group.setLiveRange(now - day, now);
    });
    std::printf("scale %g  resident memory %.0f MiB\n", scale, residentMebibytes());
}

} // namespace

int main(int argc, char** argv)
{
    if (argc < 2) {
        for (const char* scale : {"1", "2"}) {
            QProcess child;
            child.setProcessChannelMode(QProcess::ForwardedChannels);
            QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
            environment.insert(QStringLiteral("QT_QPA_PLATFORM"), QStringLiteral("offscreen"));
            environment.insert(QStringLiteral("QT_SCALE_FACTOR"), QString::fromLatin1(scale));
            child.setProcessEnvironment(environment);
            child.start(QString::fromLocal8Bit(argv[0]), {QString::fromLatin1(scale)});
            if (!child.waitForFinished(120000) || child.exitCode() != 0) {
                return 1;
            }
        }
        return 0;
    }
    QApplication application(argc, argv);
    theme().install(application);
    run(QByteArray(argv[1]).toDouble());
    return 0;
}

#include "ui/charts/axisticks.h"

#include <QDateTime>
#include <cmath>

namespace sluice::ui {

ValueScale valueScale(double most, int intervals)
{
    ValueScale scale;
    double step = 1;
    if (most > 0 && std::isfinite(most)) {
        const double raw = most / intervals;
        const double power = std::pow(10.0, std::floor(std::log10(raw)));
        step = 10 * power;
        for (const double factor : {1.0, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0}) {
            if (factor * power >= raw * 0.9999) {
                step = factor * power;
                break;
            }
        }
    }
    for (int index = 0; index <= intervals; ++index) {
        scale.ticks << step * index;
    }
    scale.top = scale.ticks.last();
    return scale;
}

ValueScale valueScaleFrom(double least, double most, int intervals)
{
    if (least >= 0 || !std::isfinite(least)) {
        return valueScale(most, intervals);
    }
    const double step = valueScale(std::max(most, 0.0) - least, intervals).ticks[1];
    const int first = int(std::floor(least / step));
    const int last = std::max(0, int(std::ceil(most / step)));
    ValueScale scale;
    for (int index = first; index <= last; ++index) {
        scale.ticks << step * index;
    }
    scale.bottom = scale.ticks.first();
    scale.top = scale.ticks.last();
    return scale;
}

namespace {

QString clockText(double time, double step)
{
    const QDateTime at = QDateTime::fromMSecsSinceEpoch(qint64(time * 1000));
    if (step >= 86400) {
        return at.toString(QStringLiteral("d MMM"));
    }
    return at.toString(step < 60 ? QStringLiteral("HH:mm:ss") : QStringLiteral("HH:mm"));
}

QString elapsedText(double time)
{
    const auto seconds = qint64(std::round(time));
    const auto two = [](qint64 value) {
        return QStringLiteral("%1").arg(value, 2, 10, QLatin1Char('0'));
    };
    if (seconds >= 3600) {
        return QStringLiteral("%1:%2:%3")
            .arg(seconds / 3600)
            .arg(two(seconds / 60 % 60), two(seconds % 60));
    }
    return QStringLiteral("%1:%2").arg(seconds / 60).arg(two(seconds % 60));
}

} // namespace

QList<TimeTick> timeTicks(double start, double end, int most, bool elapsed)
{
    static constexpr double steps[] = {1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600,
        7200, 10800, 21600, 43200, 86400, 172800, 604800};
    double step = steps[std::size(steps) - 1];
    for (const double candidate : steps) {
        if ((end - start) / candidate < std::max(most, 1)) { // both ends may bear a tick
            step = candidate;
            break;
        }
    }
    // Round in local time, so that ticks of hours fall on hours everywhere.
    const double offset =
        elapsed ? 0 : QDateTime::fromMSecsSinceEpoch(qint64(start * 1000)).offsetFromUtc();
    QList<TimeTick> ticks;
    const double first = std::ceil((start + offset) / step) * step - offset;
    const int count = first > end ? 0 : int((end - first) / step) + 1;
    for (int index = 0; index < count; ++index) {
        const double time = first + index * step;
        ticks << TimeTick{time, elapsed ? elapsedText(time) : clockText(time, step)};
    }
    return ticks;
}

} // namespace sluice::ui

#pragma once

#include <QList>
#include <QString>

namespace sluice::ui {

/// A scale that begins at 0 and ends at or above `most`, in `intervals` equal steps of 1, 2, 2.5,
/// 3, 4, 5, 6 or 8 times a power of ten. Nothing positive: 0 to `intervals`.
struct ValueScale
{
    double top = 1;
    QList<double> ticks; ///< ascending, to top
    double bottom = 0;
};
ValueScale valueScale(double most, int intervals = 3);
/// The same for a least value below 0: it begins at or below that, and 0 is one of the ticks.
ValueScale valueScaleFrom(double least, double most, int intervals = 3);

struct TimeTick
{
    double time = 0;
    QString text;
};

/// Round times within [start, end], at most `most`: seconds, minutes, hours, days. `elapsed`: from
/// a run's start ("1:30") instead of local clock times ("12:05").
QList<TimeTick> timeTicks(double start, double end, int most, bool elapsed);

} // namespace sluice::ui

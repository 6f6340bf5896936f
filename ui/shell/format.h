#pragma once

#include <QDateTime>
#include <QString>
#include <optional>

/// The one place that turns values into words. Missing values and NaN are "–"; the locale is fixed
/// (comma for thousands, point for decimals), so that pictures, files and tests agree.
namespace sluice::ui {

enum class Unit
{
    None, ///< three significant digits
    Count, ///< 184,220
    PerSecond, ///< 212 /s
    Seconds, ///< a duration in seconds: 9.6 µs, 3.1 ms, 1.3 s, 2 min 5 s
    Bytes, ///< 58 MB (decimal)
    Share, ///< 0..1 as percent: 0.02 %, 7.1 %, 71 %
};

namespace format {

QString missing(); ///< "–"
QString value(std::optional<double> value, Unit unit);
QString number(double value, int significant = 3); ///< 1,240 · 0.47 · 12.3
QString count(double value);
QString rate(double perSecond);
QString duration(double seconds);
QString micros(double microseconds); ///< the same from microseconds
QString bytes(double bytes);
QString percent(double share); ///< of 0..1
QString fixed(double value, int decimals); ///< "0.470", for thresholds
QString signedFixed(double value, int decimals); ///< "+0.15", "−0.05" with a true minus
QString plusMinus(double value, double half, int decimals); ///< "96.1 ±1.9"

QString age(double seconds); ///< "now", "5 s", "3 min", "2 h", "4 d"
QString age(const QDateTime& at, const QDateTime& now); ///< "–" for an invalid time
QString clock(const QDateTime& at); ///< local "12:52:07"
QString when(const QDateTime& at, const QDateTime& now); ///< "12:52", "Yesterday", "21 Nov"
QString shortHash(const QString& hash); ///< "7c1e2a…"

} // namespace format
} // namespace sluice::ui

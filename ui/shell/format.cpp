#include "ui/shell/format.h"

#include <QLocale>
#include <algorithm>
#include <cmath>

namespace sluice::ui::format {

namespace {

const QLocale& locale()
{
    static const QLocale english(QLocale::English, QLocale::UnitedStates);
    return english;
}

QString trueMinus(QString text)
{
    return text.replace(QLatin1Char('-'), QChar(0x2212));
}

QString plain(double value, int decimals)
{
    // Rounding to nothing must not leave a sign: "−0.0" says something that isn't so.
    const double rounded = std::round(value * std::pow(10, decimals)) / std::pow(10, decimals);
    return trueMinus(locale().toString(rounded == 0 ? 0.0 : value, 'f', decimals));
}

int decimalsFor(double magnitude, int significant)
{
    if (magnitude <= 0) {
        return 0;
    }
    const int digits = static_cast<int>(std::floor(std::log10(magnitude))) + 1;
    return std::clamp(significant - digits, 0, 6);
}

QString scaled(double value, int significant, const QString& unit)
{
    return plain(value, decimalsFor(std::abs(value), significant)) + QChar(0xa0) + unit;
}

} // namespace

QString missing()
{
    return QStringLiteral("–");
}

QString value(std::optional<double> value, Unit unit)
{
    if (!value) {
        return missing();
    }
    switch (unit) {
    case Unit::None:
        return number(*value);
    case Unit::Count:
        return count(*value);
    case Unit::PerSecond:
        return rate(*value);
    case Unit::Seconds:
        return duration(*value);
    case Unit::Bytes:
        return bytes(*value);
    case Unit::Share:
        return percent(*value);
    }
    return missing();
}

QString number(double value, int significant)
{
    if (!std::isfinite(value)) {
        return missing();
    }
    if (value == 0) {
        return QStringLiteral("0");
    }
    return plain(value, decimalsFor(std::abs(value), significant));
}

QString count(double value)
{
    return std::isfinite(value) ? plain(value, 0) : missing();
}

QString rate(double perSecond)
{
    if (!std::isfinite(perSecond)) {
        return missing();
    }
    const double magnitude = std::abs(perSecond);
    const int decimals = magnitude == 0 || magnitude >= 10 ? 0 : magnitude >= 0.1 ? 1 : 2;
    return plain(perSecond, decimals) + QChar(0xa0) + QStringLiteral("/s");
}

QString duration(double seconds)
{
    if (!std::isfinite(seconds)) {
        return missing();
    }
    const double magnitude = std::abs(seconds);
    if (magnitude == 0) {
        return QStringLiteral("0") + QChar(0xa0) + QStringLiteral("s");
    }
    // The borders lie where rounding to two digits would show the next unit's 1.
    if (magnitude < 0.9995e-3) {
        return scaled(seconds * 1e6, 2, QStringLiteral("µs"));
    }
    if (magnitude < 0.9995) {
        return scaled(seconds * 1e3, 2, QStringLiteral("ms"));
    }
    if (magnitude < 59.95) {
        return plain(seconds, 1) + QChar(0xa0) + QStringLiteral("s");
    }
    const auto whole = static_cast<qint64>(std::llround(magnitude));
    const QString sign = seconds < 0 ? QString(QChar(0x2212)) : QString();
    const auto two = [&sign](
                         qint64 major, const QString& unit, qint64 minor, const QString& small) {
        const QString head = sign + QString::number(major) + QChar(0xa0) + unit;
        return minor == 0
            ? head
            : QString(head + QLatin1Char(' ') + QString::number(minor) + QChar(0xa0) + small);
    };
    if (whole < 3600) {
        return two(whole / 60, QStringLiteral("min"), whole % 60, QStringLiteral("s"));
    }
    if (whole < 86400) {
        return two(whole / 3600, QStringLiteral("h"), whole % 3600 / 60, QStringLiteral("min"));
    }
    return two(whole / 86400, QStringLiteral("d"), whole % 86400 / 3600, QStringLiteral("h"));
}

QString micros(double microseconds)
{
    return duration(microseconds * 1e-6);
}

QString bytes(double bytes)
{
    if (!std::isfinite(bytes)) {
        return missing();
    }
    static const QStringList units{QStringLiteral("B"), QStringLiteral("kB"), QStringLiteral("MB"),
        QStringLiteral("GB"), QStringLiteral("TB"), QStringLiteral("PB")};
    qsizetype unit = 0;
    double value = bytes;
    while (std::abs(value) >= 999.5 && unit + 1 < units.size()) {
        value /= 1000;
        ++unit;
    }
    return unit == 0 ? plain(value, 0) + QChar(0xa0) + units.first()
                     : scaled(value, 2, units.at(unit));
}

QString percent(double share)
{
    if (!std::isfinite(share)) {
        return missing();
    }
    const double value = share * 100;
    const double magnitude = std::abs(value);
    int decimals = 0;
    if (magnitude > 0 && magnitude < 0.995) {
        decimals = 2;
    } else if (magnitude >= 0.995 && magnitude < 99.95
        && std::abs(value - std::round(value)) > 0.05) {
        decimals = 1;
    }
    return plain(value, decimals) + QChar(0xa0) + QLatin1Char('%');
}

QString fixed(double value, int decimals)
{
    return std::isfinite(value) ? plain(value, decimals) : missing();
}

QString signedFixed(double value, int decimals)
{
    const QString text = fixed(value, decimals);
    return std::isfinite(value) && !text.startsWith(QChar(0x2212)) ? QLatin1Char('+') + text : text;
}

QString plusMinus(double value, double half, int decimals)
{
    if (!std::isfinite(value)) {
        return missing();
    }
    return std::isfinite(half)
        ? fixed(value, decimals) + QStringLiteral(" ±") + fixed(half, decimals)
        : fixed(value, decimals);
}

QString age(double seconds)
{
    if (!std::isfinite(seconds)) {
        return missing();
    }
    const auto whole = static_cast<qint64>(std::max(0.0, std::floor(seconds)));
    if (whole < 1) {
        return QStringLiteral("now");
    }
    const auto text = [](qint64 n, const QString& unit) {
        return QString(QString::number(n) + QChar(0xa0) + unit);
    };
    if (whole < 60) {
        return text(whole, QStringLiteral("s"));
    }
    if (whole < 3600) {
        return text(whole / 60, QStringLiteral("min"));
    }
    if (whole < 86400) {
        return text(whole / 3600, QStringLiteral("h"));
    }
    return text(whole / 86400, QStringLiteral("d"));
}

QString age(const QDateTime& at, const QDateTime& now)
{
    return at.isValid() ? age(static_cast<double>(at.msecsTo(now)) / 1000.0) : missing();
}

QString clock(const QDateTime& at)
{
    return at.isValid() ? at.toLocalTime().toString(QStringLiteral("HH:mm:ss")) : missing();
}

QString when(const QDateTime& at, const QDateTime& now)
{
    if (!at.isValid()) {
        return missing();
    }
    const QDateTime local = at.toLocalTime();
    const qint64 days = local.date().daysTo(now.toLocalTime().date());
    if (days <= 0) {
        return local.toString(QStringLiteral("HH:mm"));
    }
    return days == 1 ? QStringLiteral("Yesterday")
                     : locale().toString(local.date(), QStringLiteral("d MMM"));
}

QString shortHash(const QString& hash)
{
    return hash.isEmpty()  ? missing()
        : hash.size() <= 6 ? hash
                           : QString(hash.left(6) + QChar(0x2026));
}

} // namespace sluice::ui::format

#pragma once

#include "engine/operations/monitoring/prometheusclient.h"

#include <QHash>

namespace sluice::ops {

/// What names an alert: rule and labels, as "SluiceWorkerDown{instance=...}".
QString alertKey(const Labels& labels);

/// A time in which an alert fired.
struct AlertSpan
{
    QString key;
    double start = 0; ///< seconds since 1970
    double end = 0;
    bool open = false; ///< still firing at the end of what was asked
};

/// The spans of a range answer to `ALERTS{alertstate="firing"}`, the newest first. A distance over
/// one and a half steps ends a span.
QList<AlertSpan> alertSpans(const RangeAnswer& answer, double end);

/// Sees the rules again and again, and tells what changed.
class AlertWatch
{
public:
    struct Change
    {
        QList<ActiveAlert> fired; ///< since the last time
        QList<QString> ended; ///< their keys
    };

    /// The first time everything that fires is new.
    Change take(const QList<AlertRule>& rules);
    void clear() { m_firing.clear(); }
    int firing() const { return int(m_firing.size()); }

private:
    QHash<QString, ActiveAlert> m_firing;
};

} // namespace sluice::ops

#include "engine/operations/monitoring/alerts.h"

#include <algorithm>

namespace sluice::ops {

QString alertKey(const Labels& labels)
{
    QStringList words;
    for (auto label = labels.begin(); label != labels.end(); ++label) {
        if (label.key() != QLatin1StringView("alertname")
            && label.key() != QLatin1StringView("alertstate")
            && label.key() != QLatin1StringView("severity")
            && label.key() != QLatin1StringView("__name__")) {
            words << label.key() + u'=' + label.value();
        }
    }
    const QString name = labels.value(QStringLiteral("alertname"));
    return words.isEmpty() ? name : name + u'{' + words.join(QStringLiteral(", ")) + u'}';
}

QList<AlertSpan> alertSpans(const RangeAnswer& answer, double end)
{
    QList<AlertSpan> spans;
    const double reach = answer.stepSeconds * 1.5;
    for (const TimeSeries& series : answer.series) {
        AlertSpan span{alertKey(series.labels), 0, 0, false};
        for (const QPointF& point : series.points) {
            if (span.start > 0 && point.x() - span.end > reach) {
                spans << span;
                span.start = 0;
            }
            span.start = span.start > 0 ? span.start : point.x();
            span.end = point.x();
        }
        if (span.start > 0) {
            span.open = end - span.end <= reach;
            spans << span;
        }
    }
    std::sort(spans.begin(), spans.end(),
        [](const AlertSpan& a, const AlertSpan& b) { return a.start > b.start; });
    return spans;
}

AlertWatch::Change AlertWatch::take(const QList<AlertRule>& rules)
{
    Change change;
    QHash<QString, ActiveAlert> now;
    for (const AlertRule& rule : rules) {
        for (const ActiveAlert& alert : rule.alerts) {
            if (alert.firing) {
                now.insert(alertKey(alert.labels), alert);
            }
        }
    }
    for (auto alert = now.begin(); alert != now.end(); ++alert) {
        if (!m_firing.contains(alert.key())) {
            change.fired << *alert;
        }
    }
    for (auto alert = m_firing.begin(); alert != m_firing.end(); ++alert) {
        if (!now.contains(alert.key())) {
            change.ended << alert.key();
        }
    }
    m_firing = std::move(now);
    return change;
}

} // namespace sluice::ops

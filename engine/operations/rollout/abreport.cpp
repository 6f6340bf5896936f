#include "engine/operations/rollout/abreport.h"

#include "engine/operations/rollout/reporthtml.h"

#include <cmath>

namespace sluice::ops {

namespace {

QString digits(double value, bool isSigned)
{
    const double size = std::abs(value);
    const int decimals = size >= 100 ? 0 : size >= 10 ? 1 : size >= 0.1 || size == 0 ? 2 : 3;
    QString text = QString::number(value, 'f', decimals);
    if (text.startsWith(u'-')) {
        text[0] = QChar(0x2212); // a true minus
    } else if (isSigned && value > 0) {
        text.prepend(u'+');
    }
    return text;
}

QString paragraph(const QString& text)
{
    return QStringLiteral("<p>%1</p>\n").arg(text.toHtmlEscaped());
}

} // namespace

QString estimateText(const Estimate& estimate, const QString& unit, bool isSigned)
{
    if (std::isnan(estimate.value)) {
        return QStringLiteral("–");
    }
    QString text = digits(estimate.value, isSigned);
    if (!std::isnan(estimate.low)) {
        text += QStringLiteral(" (%1 to %2)")
                    .arg(digits(estimate.low, isSigned), digits(estimate.high, isSigned));
    }
    return unit.isEmpty() ? text : text + u' ' + unit;
}

QString differenceText(const ComparedMeasure& measure, const QString& canary)
{
    if (!measure.isKnown()) {
        return QStringLiteral("no data");
    }
    if (std::isnan(measure.difference.low)) {
        return QStringLiteral("too few sessions to say");
    }
    if (!measure.differs()) {
        return QStringLiteral("no sign of a difference");
    }
    const QString what =
        measure.isHigher() ? QStringLiteral("%1 is higher") : QStringLiteral("%1 is lower");
    return what.arg(canary)
        + (measure.isWorse()         ? QStringLiteral(": worse")
                : measure.isBetter() ? QStringLiteral(": better")
                                     : QString());
}

QString abSection(const AbComparison& made)
{
    QString text = QStringLiteral("<h2>%1 against %2</h2>\n")
                       .arg(made.canary.toHtmlEscaped(), made.stable.toHtmlEscaped());
    text += paragraph(QStringLiteral("Served decisions from %1 to %2: %3 sessions (%4 decisions) "
                                     "on %5, %6 (%7) on %8. The unit is the session; intervals "
                                     "hold with 95 %, each by itself.")
                          .arg(reportTime(made.fromMs), reportTime(made.toMs))
                          .arg(made.canarySessions)
                          .arg(made.canaryDecisions)
                          .arg(made.canary)
                          .arg(made.stableSessions)
                          .arg(made.stableDecisions)
                          .arg(made.stable));
    if (made.isEmpty()) {
        return text
            + paragraph(QStringLiteral("There is no time in which both pools had sessions in the "
                                       "decision log: nothing can be compared."));
    }
    QList<QStringList> rows;
    for (const ComparedMeasure& measure : made.measures) {
        rows << QStringList{measure.name, estimateText(measure.canary, measure.unit),
            estimateText(measure.stable, measure.unit),
            estimateText(measure.difference,
                measure.unit == QLatin1StringView("%") ? QStringLiteral("points") : measure.unit,
                true),
            differenceText(measure, made.canary)};
    }
    text += reportTable({QStringLiteral("measure"), made.canary, made.stable,
                            QStringLiteral("difference"), QStringLiteral("says")},
        rows);
    text += paragraph(made.sharedQueries == 0
            ? QStringLiteral("No query was asked of both pools (or the log keeps no text): "
                             "agreement can't be told.")
            : QStringLiteral("%1 queries were asked of both. They are decided alike in %2 of "
                             "pairs; %3 with itself: %4 (context differs from session to session).")
                  .arg(made.sharedQueries)
                  .arg(estimateText(made.agreement, QStringLiteral("%")), made.stable,
                      estimateText(made.selfAgreement, QStringLiteral("%"))));
    if (!made.disagreements.isEmpty()) {
        QList<QStringList> queries;
        for (const Disagreement& one : made.disagreements) {
            queries << QStringList{one.query,
                QStringLiteral("%1 (%2×)").arg(one.canary).arg(one.canaryCount),
                QStringLiteral("%1 (%2×)").arg(one.stable).arg(one.stableCount)};
        }
        text += QStringLiteral("<h3>Decided differently</h3>\n")
            + reportTable({QStringLiteral("query"), made.canary, made.stable}, queries);
    }
    QStringList left;
    if (made.moved > 0) {
        left << QStringLiteral("%1 sessions that met both pools").arg(made.moved);
    }
    if (made.outside > 0) {
        left << QStringLiteral("%1 decisions of times in which one pool alone had sessions")
                    .arg(made.outside);
    }
    if (made.unmatchedFeedback > 0) {
        left << QStringLiteral("%1 pieces of feedback about answers that are not in the log")
                    .arg(made.unmatchedFeedback);
    }
    return left.isEmpty()
        ? text
        : text + paragraph(QStringLiteral("Left out: %1.").arg(left.join(QStringLiteral("; "))));
}

QString abDocument(const AbComparison& comparison, const QString& environment)
{
    return reportDocument(
        QStringLiteral("Old against new, %1").arg(environment), abSection(comparison));
}

} // namespace sluice::ops

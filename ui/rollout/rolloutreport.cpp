#include "ui/rollout/rolloutreport.h"

#include "engine/base/file.h"
#include "engine/operations/rollout/abreport.h"
#include "engine/operations/rollout/reporthtml.h"
#include "ui/rollout/evidenceview.h"
#include "ui/shell/format.h"

#include <QCoreApplication>
#include <QFileInfo>
#include <QPageSize>
#include <QPdfWriter>
#include <QTextDocument>
#include <cmath>

namespace sluice::ui {

namespace {

QString tr(const char* text)
{
    return QCoreApplication::translate("RolloutReport", text);
}

QString figure(double value, const QString& unit)
{
    return std::isnan(value) ? format::missing()
        : unit.isEmpty()     ? format::number(value)
                             : format::number(value) + u' ' + unit;
}

} // namespace

QString RolloutReport::html(const ops::PublishedRollout& rollout, const QList<QJsonObject>& events,
    const QString& environment, const std::optional<ops::AbComparison>& compared)
{
    const ops::RolloutState& state = rollout.state;
    const ops::Release& release = state.plan.release;
    QString text = QStringLiteral("<p>%1</p>\n")
                       .arg(tr("%1, by %2: %3. Last word of %4.")
                                .arg(ops::phaseName(state.phase), state.by, state.reason,
                                    ops::reportTime(rollout.publishedMs))
                                .toHtmlEscaped());
    text += ops::reportTable({tr("what"), QString()},
        {{tr("environment"), environment}, {tr("release"), release.id},
            {tr("worker version"), release.workerVersion}, {tr("model"), release.modelHash},
            {tr("threshold set"),
                release.thresholdSet < 0 ? tr("unchanged") : QString::number(release.thresholdSet)},
            {tr("from"), state.stable}, {tr("to"), state.canary},
            {tr("started"), ops::reportTime(state.startedMs)}, {tr("driver"), rollout.driver}});
    text += QStringLiteral("<h2>%1</h2>\n").arg(tr("Stages"));
    QList<QStringList> stages;
    for (qsizetype index = 0; index < state.plan.stages.size(); ++index) {
        const ops::PlannedStage& stage = state.plan.stages[index];
        stages << QStringList{stage.name,
            stage.soakMs > 0 ? format::duration(double(state.plan.scaled(stage.soakMs)) / 1000)
                             : format::missing(),
            index < state.stage || state.phase == ops::RolloutPhase::Finished ? tr("passed")
                : index == state.stage
                ? tr("reached, %1 watched").arg(format::duration(double(state.watchedMs) / 1000))
                : tr("not reached")};
    }
    text += ops::reportTable({tr("stage"), tr("soak"), tr("result")}, stages);
    text += QStringLiteral("<h2>%1</h2>\n").arg(tr("Gates, as last read"));
    QList<QStringList> gates;
    for (const ops::GateReading& reading : state.readings) {
        gates << QStringList{reading.gate, ops::verdictName(reading.verdict),
            std::isnan(reading.evidence) ? figure(reading.value, reading.unit)
                                         : tr("e %1").arg(format::number(reading.evidence)),
            std::isnan(reading.evidence) ? figure(reading.limit, reading.unit)
                                         : format::number(reading.evidenceLimit),
            reading.reason, reading.query};
    }
    text += ops::reportTable(
        {tr("gate"), tr("verdict"), tr("value"), tr("limit"), tr("why"), tr("query")}, gates);
    if (compared) {
        text += ops::abSection(*compared);
    }
    text += QStringLiteral("<h2>%1</h2>\n").arg(tr("What happened"));
    QList<QStringList> trail;
    for (const QJsonObject& event : events) {
        if (event[QLatin1StringView("rollout")].toString() == state.rolloutId) {
            trail << QStringList{ops::reportTime(event[QLatin1StringView("at_ms")].toInteger()),
                event[QLatin1StringView("by")].toString(),
                event[QLatin1StringView("kind")].toString(),
                event[QLatin1StringView("reason")].toString(),
                event[QLatin1StringView("mark")].toString()};
        }
    }
    text += ops::reportTable({tr("when"), tr("who"), tr("what"), tr("why"), tr("journal")}, trail);
    return ops::reportDocument(tr("Rollout %1").arg(state.rolloutId), text);
}

Result<void> RolloutReport::save(const ops::PublishedRollout& rollout,
    const QList<QJsonObject>& events, const QString& environment, const QString& file,
    const std::optional<ops::AbComparison>& compared)
{
    const QString text = html(rollout, events, environment, compared);
    if (!file.endsWith(QLatin1StringView(".pdf"), Qt::CaseInsensitive)) {
        return writeFileAtomically(file.toStdString(), text.toStdString());
    }
    QPdfWriter writer(file);
    writer.setPageSize(QPageSize(QPageSize::A4));
    writer.setTitle(rollout.state.rolloutId);
    QTextDocument document;
    document.setHtml(text);
    document.print(&writer);
    const QFileInfo written(file);
    return written.size() > 0
        ? Result<void>()
        : Result<void>(internalError("the report could not be written to " + file.toStdString()));
}

} // namespace sluice::ui

#pragma once

#include "engine/operations/rollout/rolloutstate.h"

#include <QHash>
#include <QWidget>
#include <functional>

namespace sluice::ui {

class ChartGroup;
class Console;
class EvidenceView;
class LiveChart;

/// Canary over stable: errors at the balancer, response time, share of the requests, and the
/// evidence beside them, all over the same time.
class RolloutCharts : public QWidget
{
    Q_OBJECT

public:
    explicit RolloutCharts(Console* console, QWidget* parent = nullptr);

    /// Asks Prometheus for the rollout's time, at most two hours back.
    void refresh(const ops::PublishedRollout& rollout);
    void setMarks(const QList<QJsonObject>& events);
    void clear();
    EvidenceView* evidence() const { return m_evidence; }

private:
    LiveChart* add(const QString& name, const QString& hint, int row, int column, bool seconds);
    void ask(LiveChart* chart, const QString& query, const QString& label, double start, double end,
        double step, std::function<void()> after = {});

    Console* m_console;
    ChartGroup* m_group;
    LiveChart* m_errors;
    LiveChart* m_latency;
    LiveChart* m_share;
    EvidenceView* m_evidence;
    QHash<QString, QList<QPointF>> m_history;
    QString m_rolloutId;
    int m_stage = -1;
    int m_open = 0;
    int m_epoch = 0;
};

} // namespace sluice::ui

#pragma once

#include "engine/operations/monitoring/alerts.h"
#include "ui/monitor/monitorpage.h"

class QLineEdit;
class QTableWidget;

namespace sluice::ui {

class Button;
class StateView;
class Text;

/// Prometheus' alerting rules with what fires, what fired, and who has seen it. An acknowledgement
/// is an entry of the record (kind "acknowledge"), so that it has a time, a person and a note, and
/// holds until the alert ends.
class AlertsPage : public MonitorPage
{
    Q_OBJECT

public:
    AlertsPage(Console* console, ChartGroup* group, QWidget* parent = nullptr);

    void tick(const Moment& moment) override;
    void reset() override;
    void showRules(const Result<QList<ops::AlertRule>>& rules);
    /// Acknowledges the alert in hand; nothing when it is not firing.
    void acknowledge(const QString& note);
    QTableWidget* rules() const { return m_rules; }
    QTableWidget* past() const { return m_past; }
    /// What fires and was not acknowledged.
    int unseen() const { return m_unseen; }

Q_SIGNALS:
    void unseenChanged(int count);

private:
    struct Row
    {
        ops::AlertRule rule;
        std::optional<ops::ActiveAlert> alert; ///< none: the rule is at rest
    };
    QWidget* makeRules();
    QWidget* makeDetail();
    void showDetail();
    void showPast(const ops::RangeAnswer& answer, double end);
    std::optional<ops::HistoryEntry> acknowledgement(const ops::ActiveAlert& alert) const;
    const Row* inHand() const;

    StateView* m_state;
    QTableWidget* m_rules;
    QTableWidget* m_past;
    Text* m_nothingPast;
    Text* m_title;
    Text* m_detail;
    QLineEdit* m_note;
    Button* m_acknowledge;
    QList<Row> m_rows;
    QString m_inHand; ///< key of the row in hand
    QList<ops::HistoryEntry> m_acknowledged;
    int m_unseen = 0;
    bool m_filling = false;
};

} // namespace sluice::ui

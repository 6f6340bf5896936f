#pragma once

#include "engine/operations/monitoring/alertmanager.h"
#include "engine/operations/monitoring/alerts.h"
#include "ui/monitor/monitorpage.h"

class QComboBox;
class QLineEdit;
class QTableWidget;

namespace sluice::ui {

class Button;
class StateView;
class Text;

/// Prometheus' alerting rules with what fires, what fired, and who has seen it. An acknowledgement
/// is an entry of the record (kind "acknowledge"), so that it has a time, a person and a note, and
/// holds until the alert ends. Where Prometheus sends to an Alertmanager, an alert is silenced
/// there.
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
    /// Silences the alert in hand for so long, or ends the silence that covers it.
    void silence(const QString& note, int minutes);
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
    void askAlertmanager();
    void onSilenced(const QString& subject, const QString& outcome, const Result<QString>& done);
    const ops::Silence* silenceOf(const ops::ActiveAlert& alert) const;

    StateView* m_state;
    QTableWidget* m_rules;
    QTableWidget* m_past;
    Text* m_nothingPast;
    Text* m_title;
    Text* m_detail;
    QLineEdit* m_note;
    Button* m_acknowledge;
    QComboBox* m_hours;
    Button* m_silence;
    ops::Alertmanager* m_alertmanager;
    QUrl m_alertmanagerUrl; ///< empty: Prometheus sends to none
    QList<ops::Silence> m_silences;
    QList<Row> m_rows;
    QString m_inHand; ///< key of the row in hand
    QList<ops::HistoryEntry> m_acknowledged;
    int m_unseen = 0;
    bool m_filling = false;
};

} // namespace sluice::ui

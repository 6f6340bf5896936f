#pragma once

#include "engine/operations/rollout/trafficrouter.h"
#include "ui/shell/chip.h"

#include <QTimer>
#include <QWidget>
#include <optional>

class QDoubleSpinBox;
class QSpinBox;
class QTableWidget;

namespace sluice::ui {

class Button;
class Card;
class ChartGroup;
class Console;
class InfoBanner;
class LiveChart;
class ShareBar;
class StateView;
class Text;

/// Traffic by hand: shift HAProxy's share between the pools without a plan, see what HAProxy says,
/// one button back.
class ShiftPage : public QWidget
{
    Q_OBJECT

public:
    explicit ShiftPage(Console* console, QWidget* parent = nullptr);

    void activated();
    void deactivated();
    const QList<ChipText>& chips() const { return m_chips; }

    /// Shifts without asking (the buttons ask first where it is dangerous).
    void shift(double percent);
    void rollBack();

    StateView* stateView() const { return m_state; }
    const std::optional<ops::TrafficSplit>& split() const { return m_split; }
    QDoubleSpinBox* share() const { return m_share; }
    Button* rollBackButton() const { return m_back; }

Q_SIGNALS:
    void chipsChanged();

private:
    Console* console() const { return m_console; }
    void setChips(const QList<ChipText>& chips);
    QWidget* makeShare();
    QWidget* makeCharts();
    QWidget* makeTable();
    void confirmShift(double percent);
    void confirmSwap();
    void read();
    void onRead(const Result<ops::TrafficSplit>& split);
    void onChanged(
        const QString& kind, const QString& subject, const Result<ops::TrafficSplit>& split);
    void show();
    void sample();
    void updateState();
    void setBusy(bool busy);

    Console* m_console;
    QList<ChipText> m_chips;
    std::optional<ops::TrafficSplit> m_split;
    std::optional<ops::TrafficSplit> m_before; ///< of the last sample, for observed shares
    double m_beforeTime = 0;
    QHash<QString, QList<QPointF>> m_points;
    QTimer m_poll;
    bool m_busy = false;
    bool m_reading = false;

    StateView* m_state;
    ChartGroup* m_group;
    ShareBar* m_bar;
    QDoubleSpinBox* m_share;
    QSpinBox* m_hold;
    Button* m_shift;
    Button* m_swap;
    Button* m_back;
    QList<Button*> m_steps;
    Text* m_lease;
    InfoBanner* m_banner;
    QTableWidget* m_table;
    LiveChart* m_shareChart;
    LiveChart* m_rateChart;
};

} // namespace sluice::ui

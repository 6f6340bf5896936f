#pragma once

#include "engine/operations/rollout/rolloutmachine.h"
#include "ui/shell/chip.h"

#include <QWidget>

class QTableWidget;

namespace sluice::ui {

class Button;
class Card;
class ComplaintRecorder;
class Console;
class DriverHost;
class GateTable;
class InfoBanner;
class RolloutCharts;
class RolloutFeed;
class StageStrip;
class StateView;
class Text;
struct Confirmation;

/// A rollout as its driver publishes it: stages and countdown, gates and evidence, canary over
/// stable, who did what; and the three buttons, each with what it will do. Any console shows and
/// steers the same rollout.
class RolloutPage : public QWidget
{
    Q_OBJECT

public:
    RolloutPage(Console* console, RolloutFeed* feed, DriverHost* host, QWidget* parent = nullptr);

    void activated();
    void deactivated();
    void rollBack(); ///< at once, without a question
    void pauseOrResume();
    void promote(); ///< asks first

    StateView* stateView() const { return m_state; }
    StageStrip* strip() const { return m_strip; }
    GateTable* gates() const { return m_gates; }
    RolloutCharts* charts() const { return m_charts; }
    QTableWidget* happened() const { return m_happened; }
    QTableWidget* shares() const { return m_shares; }
    InfoBanner* banner() const { return m_banner; }
    Button* pauseButton() const { return m_pause; }
    Button* promoteButton() const { return m_promote; }
    Button* rollBackButton() const { return m_back; }
    Button* complaintButton() const { return m_complain; }
    Text* outlook() const { return m_outlook; }
    const QList<ChipText>& chips() const { return m_chips; }

Q_SIGNALS:
    void chipsChanged();
    void planWanted(); ///< the empty page's button
    void reportWanted();

private:
    QWidget* makeHead();
    QWidget* makeGates();
    QWidget* makeHappened();
    void show();
    void showButtons(const ops::PublishedRollout& rollout, bool driven);
    void showShares(const ops::PublishedRollout& rollout);
    void showHappened();
    void showDriver(const ops::PublishedRollout& rollout, bool driven);
    void updateState();
    void send(ops::RolloutEvent::Kind kind, const QString& reason, const QString& done);
    void rollBackAtBalancer(); ///< without a driver
    QString promotion(const ops::RolloutState& state) const; ///< "50 %"

    Console* m_console;
    RolloutFeed* m_feed;
    DriverHost* m_host;
    StateView* m_state;
    StageStrip* m_strip = nullptr;
    Button* m_pause = nullptr;
    Button* m_promote = nullptr;
    Button* m_back = nullptr;
    Button* m_report = nullptr;
    Button* m_complain = nullptr;
    ComplaintRecorder* m_complaints = nullptr;
    Text* m_outlook = nullptr;
    InfoBanner* m_banner = nullptr;
    InfoBanner* m_driverBanner = nullptr;
    RolloutCharts* m_charts = nullptr;
    Card* m_gateCard = nullptr;
    GateTable* m_gates = nullptr;
    QTableWidget* m_shares = nullptr;
    Text* m_death = nullptr;
    QTableWidget* m_happened = nullptr;
    QList<ChipText> m_chips;
    bool m_busy = false;
};

} // namespace sluice::ui

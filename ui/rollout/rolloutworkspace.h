#pragma once

#include "ui/rollout/shiftpage.h"
#include "ui/shell/workspace.h"

class QStackedWidget;

namespace sluice::ui {

class ComparePage;
class DriverHost;
class PageTabs;
class PlanPage;
class RolloutFeed;
class RolloutPage;

/// Release leads' pages: the rollout that is driven, the plan of the next one, and traffic by hand.
class RolloutWorkspace : public Workspace
{
    Q_OBJECT

public:
    enum Page
    {
        Rollout,
        Plan,
        Compare,
        ByHand
    };

    explicit RolloutWorkspace(Console* console, QWidget* parent = nullptr);

    void activated() override;
    void deactivated() override;

    void showPage(int page);
    RolloutPage* rolloutPage() const { return m_rollout; }
    PlanPage* planPage() const { return m_plan; }
    ComparePage* comparePage() const { return m_compare; }
    DriverHost* driverHost() const { return m_host; }
    RolloutFeed* feed() const { return m_feed; }

    // Traffic by hand.
    ShiftPage* shiftPage() const { return m_shift; }
    void shift(double percent) { m_shift->shift(percent); }
    StateView* stateView() const { return m_shift->stateView(); }
    const std::optional<ops::TrafficSplit>& split() const { return m_shift->split(); }
    Button* rollBackButton() const { return m_shift->rollBackButton(); }

private:
    void switchTo(int page);
    void rollBack();
    void updateChips();
    void saveReport();
    void tellChanges(); ///< of the rollout, also while another workspace is in front

    RolloutFeed* m_feed;
    DriverHost* m_host;
    QString m_told; ///< phase and stage of which people were told
    PageTabs* m_tabs;
    QStackedWidget* m_pages;
    RolloutPage* m_rollout;
    PlanPage* m_plan;
    ComparePage* m_compare;
    ShiftPage* m_shift;
    bool m_active = false;
    int m_shown = -1;
};

} // namespace sluice::ui

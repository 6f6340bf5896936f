#pragma once

#include "ui/rollout/shiftpage.h"
#include "ui/shell/workspace.h"

class QStackedWidget;

namespace sluice::ui {

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
        ByHand
    };

    explicit RolloutWorkspace(Console* console, QWidget* parent = nullptr);

    void activated() override;
    void deactivated() override;

    void showPage(int page);
    RolloutPage* rolloutPage() const { return m_rollout; }
    PlanPage* planPage() const { return m_plan; }
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

    RolloutFeed* m_feed;
    DriverHost* m_host;
    PageTabs* m_tabs;
    QStackedWidget* m_pages;
    RolloutPage* m_rollout;
    PlanPage* m_plan;
    ShiftPage* m_shift;
    bool m_active = false;
    int m_shown = -1;
};

} // namespace sluice::ui

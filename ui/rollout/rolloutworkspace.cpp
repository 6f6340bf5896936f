#include "ui/rollout/rolloutworkspace.h"

#include "ui/rollout/comparepage.h"
#include "ui/rollout/driverhost.h"
#include "ui/rollout/planpage.h"
#include "ui/rollout/rolloutfeed.h"
#include "ui/rollout/rolloutpage.h"
#include "ui/rollout/rolloutreport.h"
#include "ui/shell/console.h"
#include "ui/shell/desktopnotification.h"
#include "ui/shell/infobanner.h"
#include "ui/shell/pagetabs.h"

#include <QAction>
#include <QFileDialog>
#include <QStackedWidget>
#include <QVBoxLayout>

namespace sluice::ui {

RolloutWorkspace::RolloutWorkspace(Console* console, QWidget* parent)
    : Workspace(console, QStringLiteral("rollout"), tr("Rollout"), parent)
    , m_feed(new RolloutFeed(console, this))
    , m_host(new DriverHost(console, this))
    , m_tabs(new PageTabs(this))
    , m_pages(new QStackedWidget(this))
    , m_rollout(new RolloutPage(console, m_feed, m_host, this))
    , m_plan(new PlanPage(console, m_feed, this))
    , m_compare(new ComparePage(console, m_feed, this))
    , m_shift(new ShiftPage(console, this))
{
    m_tabs->setAccessibleName(tr("Pages of the rollout"));
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(8);
    layout->addWidget(m_tabs);
    layout->addWidget(m_pages, 1);
    const auto add = [this](QWidget* page, const QString& name) {
        m_tabs->addTab(name);
        m_pages->addWidget(page);
    };
    add(m_rollout, tr("Rollout"));
    add(m_plan, tr("Plan"));
    add(m_compare, tr("A/B"));
    add(m_shift, tr("By hand"));
    connect(m_feed, &RolloutFeed::changed, this, &RolloutWorkspace::tellChanges);
    connect(m_tabs, &QTabBar::currentChanged, this, &RolloutWorkspace::switchTo);
    connect(m_rollout, &RolloutPage::planWanted, this, [this] { showPage(Plan); });
    connect(m_rollout, &RolloutPage::reportWanted, this, &RolloutWorkspace::saveReport);
    connect(m_plan, &PlanPage::started, this, [this] { showPage(Rollout); });
    connect(m_rollout, &RolloutPage::chipsChanged, this, &RolloutWorkspace::updateChips);
    connect(m_shift, &ShiftPage::chipsChanged, this, &RolloutWorkspace::updateChips);

    const auto action = [this](const QString& text, const QString& tip, auto call,
                            const QKeySequence& keys) {
        auto* made = new QAction(text, this);
        made->setToolTip(tip);
        made->setShortcut(keys);
        made->setShortcutContext(Qt::WidgetWithChildrenShortcut);
        connect(made, &QAction::triggered, this, call);
        addAction(made);
    };
    constexpr auto shifted = Qt::CTRL | Qt::SHIFT;
    action(tr("Roll back: everything to the live pool"),
        tr("At once, whatever share was asked for"), &RolloutWorkspace::rollBack,
        QKeySequence(shifted | Qt::Key_B));
    action(
        tr("Plan a rollout"), tr("Its stages, and what the traffic can decide"),
        [this] { showPage(Plan); }, QKeySequence(shifted | Qt::Key_P));
    action(
        tr("Compare old and new"), tr("What both pools decided, with intervals"),
        [this] { showPage(Compare); }, QKeySequence(shifted | Qt::Key_A));
    action(
        tr("Shift traffic by hand"), tr("A share for a while, without a rollout"),
        [this] { showPage(ByHand); }, QKeySequence(shifted | Qt::Key_M));
    action(
        tr("Host a rollout driver in this console"), tr("It drives while the console is open"),
        [this] { m_host->start(); }, QKeySequence(shifted | Qt::Key_H));
    action(
        tr("End the rollout driver of this console"),
        tr("A share that it holds goes back to the stable pool"), [this] { m_host->stop(); },
        QKeySequence(shifted | Qt::Key_J));
    action(tr("Save the rollout's report"), tr("HTML or PDF, with who did what when"),
        &RolloutWorkspace::saveReport, QKeySequence(shifted | Qt::Key_R));
}

void RolloutWorkspace::activated()
{
    m_active = true;
    switchTo(m_tabs->currentIndex());
}

void RolloutWorkspace::deactivated()
{
    m_active = false;
    m_shown = -1;
    m_rollout->deactivated();
    m_shift->deactivated();
}

void RolloutWorkspace::showPage(int page)
{
    m_tabs->setCurrentIndex(page);
    switchTo(page);
}

void RolloutWorkspace::switchTo(int page)
{
    m_pages->setCurrentIndex(page);
    if (!m_active || m_shown == page) {
        return;
    }
    m_shown = page;
    m_feed->start(); // every page wants to know whether a rollout is under way
    m_shift->deactivated();
    if (page == Rollout) {
        m_rollout->activated();
    } else if (page == Plan) {
        m_plan->activated();
    } else if (page == Compare) {
        m_compare->activated();
    } else {
        m_shift->activated();
    }
    updateChips();
}

void RolloutWorkspace::rollBack()
{
    const bool driven = m_feed->rollout() && m_feed->rollout()->state.isActive();
    driven ? m_rollout->rollBack() : m_shift->rollBack();
}

void RolloutWorkspace::tellChanges()
{
    if (!m_feed->rollout()) {
        m_told.clear();
        return;
    }
    const ops::RolloutState& state = m_feed->rollout()->state;
    // What it waits for changes with every number in it: its being there is what is told.
    const QString now = state.rolloutId % u'/' % ops::phaseName(state.phase) % u'/'
        % QString::number(state.stage) % (state.paused ? u'p' : u'-')
        % (state.foreign ? u'f' : u'-');
    const bool isFirst = m_told.isEmpty(); // what was so before this console looked is no news
    if (now == m_told) {
        return;
    }
    m_told = now;
    using Phase = ops::RolloutPhase;
    if (isFirst || state.phase == Phase::Idle) {
        return;
    }
    const bool bad = state.phase == Phase::RollingBack || state.phase == Phase::RolledBack;
    const bool waits = state.phase == Phase::Waiting || state.paused || state.foreign;
    const QString stage = state.currentStage() ? state.currentStage()->name : tr("100 %");
    const QString why = waits && !state.hold.isEmpty() ? state.hold : state.reason;
    const QString word = ops::phaseName(state.phase).replace(u'_', u' ');
    const QString text = tr("%1, %2: %3%4")
                             .arg(state.plan.release.id, stage, state.paused ? tr("paused") : word,
                                 why.isEmpty() ? QString() : QStringLiteral(" (%1)").arg(why));
    if (!m_active) { // else the page in front says it
        console()->notify(bad ? Tone::Bad : waits ? Tone::Warn : Tone::Ok, text, id());
    }
    if (!isActiveWindow() && (bad || waits || state.phase != Phase::Shifting)) {
        notifyDesktop(console()->environment().name, text, window());
    }
}

void RolloutWorkspace::updateChips()
{
    setChips(m_pages->currentIndex() == ByHand ? m_shift->chips() : m_rollout->chips());
}

void RolloutWorkspace::saveReport()
{
    if (!m_feed->rollout()) {
        return;
    }
    auto* dialog = new QFileDialog(this, tr("Save the report"),
        m_feed->rollout()->state.rolloutId + QStringLiteral(".html"),
        tr("Web page (*.html);;PDF (*.pdf)"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    connect(dialog, &QFileDialog::fileSelected, this, [this](const QString& file) {
        if (!m_feed->rollout()) {
            return;
        }
        // What was compared belongs to it; where it can't be read, the report says nothing of it.
        m_compare->compare([this, file](const std::optional<ops::AbComparison>& compared) {
            if (!m_feed->rollout()) {
                return;
            }
            const auto saved = RolloutReport::save(*m_feed->rollout(), m_feed->events(),
                console()->environment().name, file, compared);
            saved ? m_rollout->banner()->show(Tone::Ok, tr("Saved as %1.").arg(file))
                  : m_rollout->banner()->show(
                      Tone::Bad, QString::fromStdString(saved.error().text()));
        });
    });
    dialog->open();
}

} // namespace sluice::ui

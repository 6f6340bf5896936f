#include "ui/load/loadworkspace.h"

#include "engine/operations/loadtest/runfolder.h"
#include "engine/operations/record/history.h"
#include "ui/charts/chartgroup.h"
#include "ui/load/capacitypage.h"
#include "ui/load/loadtables.h"
#include "ui/load/reportfile.h"
#include "ui/load/runcharts.h"
#include "ui/load/runspage.h"
#include "ui/load/scenariopanel.h"
#include "ui/load/verdictpanel.h"
#include "ui/shell/button.h"
#include "ui/shell/confirmdialog.h"
#include "ui/shell/console.h"
#include "ui/shell/format.h"
#include "ui/shell/infobanner.h"
#include "ui/shell/pagetabs.h"
#include "ui/shell/stateview.h"

#include <QAction>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QRandomGenerator>
#include <QSpinBox>
#include <QStackedWidget>

namespace sluice::ui {

namespace {

enum Tab
{
    runTab,
    runsTab,
    capacityTab
};

} // namespace

LoadWorkspace::LoadWorkspace(Console* console, QWidget* parent)
    : Workspace(console, QStringLiteral("load"), tr("Load"), parent)
    , m_state(new StateView(this))
    , m_tabs(new PageTabs(this))
    , m_pages(new QStackedWidget(this))
    , m_panel(new ScenarioPanel(this))
    , m_charts(new RunCharts(this))
    , m_verdict(new VerdictPanel(this))
    , m_runs(new RunsPage(console, this))
    , m_capacity(new CapacityPage(console, this))
    , m_preflight(new Preflight(this))
{
    m_state->setDataWidget(makePages());
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_state);
    addActions();

    connect(m_state, &StateView::actionTriggered, console, &Console::startLocalStack);
    connect(m_state, &StateView::retryRequested, console, &Console::reconnect);
    connect(console, &Console::environmentChanged, this, &LoadWorkspace::updateState);
    connect(console, &Console::localStackChanged, this, &LoadWorkspace::updateState);
    connect(m_panel, &ScenarioPanel::startAsked, this, &LoadWorkspace::start);
    connect(m_panel, &ScenarioPanel::stopAsked, this, &LoadWorkspace::stop);
    connect(m_capacity, &CapacityPage::startAsked, this, &LoadWorkspace::startSteps);
    connect(m_panel, &ScenarioPanel::changed, this, [this] {
        m_capacity->setTarget(m_panel->target().toString());
        if (!isRunning()) {
            look();
        }
    });
    connect(m_preflight, &Preflight::looked, this, &LoadWorkspace::onLooked);
    connect(m_verdict, &VerdictPanel::reportAsked, this, &LoadWorkspace::askForReport);
    connect(m_runs, &RunsPage::opened, this, [this](const ops::LoadResult& run) {
        if (!isRunning()) {
            showRun(run);
            m_tabs->setCurrentIndex(runTab);
        }
    });
    updateState();
}

LoadWorkspace::~LoadWorkspace() = default;

QSpinBox* LoadWorkspace::seconds() const
{
    return m_panel->seconds();
}

LiveChart* LoadWorkspace::latency() const
{
    return m_charts->latency();
}

QWidget* LoadWorkspace::makePages()
{
    auto* page = new QWidget(this);
    auto* rows = new QVBoxLayout(page);
    rows->setContentsMargins(0, 0, 0, 0);
    rows->setSpacing(8);
    m_tabs->setAccessibleName(tr("Parts of this page"));
    auto* run = new QWidget(page);
    auto* columns = new QHBoxLayout(run);
    columns->setContentsMargins(0, 0, 0, 0);
    columns->setSpacing(12);
    columns->addWidget(m_panel);
    columns->addWidget(m_charts, 1);
    columns->addWidget(m_verdict);
    m_tabs->addTab(tr("Run"));
    m_pages->addWidget(run);
    m_tabs->addTab(tr("Runs"));
    m_pages->addWidget(m_runs);
    m_tabs->addTab(tr("Capacity"));
    m_pages->addWidget(m_capacity);
    rows->addWidget(m_tabs);
    rows->addWidget(m_pages, 1);
    connect(m_tabs, &PageTabs::currentChanged, this, [this](int index) {
        m_pages->setCurrentIndex(index);
        if (index == runsTab) {
            m_runs->reload();
        } else if (index == capacityTab) {
            m_capacity->reload();
        }
    });
    return page;
}

void LoadWorkspace::addActions()
{
    const auto add = [this](const QString& text, const QString& tip, const QKeySequence& keys,
                         auto handler) {
        auto* action = new QAction(text, this);
        action->setToolTip(tip);
        action->setShortcut(keys);
        action->setShortcutContext(Qt::WidgetWithChildrenShortcut);
        connect(action, &QAction::triggered, this, handler);
        addAction(action);
    };
    add(tr("Start the load run"), tr("The chosen scenario, against the target"),
        QKeySequence(Qt::Key_F5), &LoadWorkspace::start);
    add(tr("Stop the load run"), tr("Keeps what was measured so far"),
        QKeySequence(Qt::SHIFT | Qt::Key_F5), &LoadWorkspace::stop);
    add(tr("Save the load run's report"), tr("HTML or PDF, with the pictures"),
        QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_R), &LoadWorkspace::askForReport);
}

void LoadWorkspace::activated()
{
    if (!isRunning()) {
        look();
    }
    if (!m_lookedForLost) {
        m_lookedForLost = true;
        lookForLostRun();
    }
}

void LoadWorkspace::lookForLostRun()
{
    using Head = std::optional<ops::LoadResult>;
    console()->jobs()->start<Head>(
        tr("Looking for the last load run"), QStringLiteral("load-last"),
        [](JobControl&) -> Result<Head> {
            const QList<ops::LoadResult> runs = ops::listRuns();
            if (runs.isEmpty() || runs.first().state != QLatin1StringView("lost")) {
                return Head();
            }
            auto whole = ops::readRun(ops::runsFolder() + u'/' + runs.first().id);
            return whole ? Head(std::move(*whole)) : Head();
        },
        this,
        [this](const Result<Head>& head) {
            if (!head || !*head || isRunning() || m_result) {
                return;
            }
            showRun(**head);
            m_panel->banner()->show(Tone::Warn,
                tr("The last run, %1, ended with the console that had started it. What it had "
                   "measured by then is shown.")
                    .arg((*head)->scenario.name));
        });
}

void LoadWorkspace::updateState()
{
    if (console()->hasEnvironment() && !console()->environment().balancer.isEmpty()) {
        m_panel->setTarget(console()->environment().balancer);
        m_state->showData();
    } else if (console()->isLocalStackStarting()) {
        m_state->showLoading(tr("Starting the local stack"), false);
    } else if (console()->hasEnvironment()) {
        m_state->showDisconnected({tr("This environment has no balancer"),
            tr("A load run needs the URL that clients send queries to."),
            tr("Add it to the environment, or start the local stack.")});
    } else {
        m_state->showEmpty(tr("Nothing to load yet"),
            tr("Here a scenario is run against the service: live charts, then a verdict against "
               "p95, p99 and the error rate."),
            tr("Start the local stack"));
    }
    updateButtons();
}

bool LoadWorkspace::mayStart() const
{
    return !isRunning() && !m_starting && console()->hasEnvironment()
        && !console()->environment().readOnly;
}

void LoadWorkspace::updateButtons()
{
    const bool may = mayStart() && m_panel->target().isValid();
    m_panel->setRunning(isRunning(), may);
    m_capacity->setRunning(isRunning(), may);
}

void LoadWorkspace::look()
{
    std::optional<Wanted> what = m_starting;
    if (const auto scenario = m_panel->scenario(); !what && scenario) {
        what = Wanted{*scenario, m_panel->generator()};
    }
    if (what && console()->hasEnvironment() && !m_panel->target().host().isEmpty()) {
        m_preflight->look(what->scenario, what->generator, m_panel->target(),
            console()->environment().prometheus.isEmpty() ? nullptr : console()->prometheus());
    } else {
        m_panel->showChecks({});
    }
    updateButtons();
}

void LoadWorkspace::start()
{
    if (const auto scenario = m_panel->scenario()) {
        begin({*scenario, m_panel->generator()});
    }
}

void LoadWorkspace::startSteps()
{
    if (const auto scenario = m_capacity->steps()) {
        begin({*scenario, QStringLiteral("native")});
    }
}

void LoadWorkspace::begin(const Wanted& wanted)
{
    if (!mayStart()) {
        return;
    }
    m_starting = wanted;
    m_tabs->setCurrentIndex(runTab);
    m_panel->banner()->dismiss();
    look(); // onLooked() goes on
}

void LoadWorkspace::onLooked(const QList<PreflightCheck>& checks)
{
    m_panel->showChecks(checks);
    if (!m_starting) {
        return;
    }
    const Wanted wanted = *std::exchange(m_starting, std::nullopt);
    if (worstOf(checks) == Tone::Bad) {
        m_panel->banner()->show(Tone::Bad, tr("Not started: see above."));
        m_verdict->showNothing(tr("not started"), {}, Tone::Bad);
        updateButtons();
    } else if (!m_panel->isLocal() || console()->environment().production) {
        updateButtons();
        confirm(wanted);
    } else { // a warning is on the page, and the generator's own lag is in the verdict
        run(wanted, {});
    }
}

void LoadWorkspace::confirm(const Wanted& wanted)
{
    const ops::Scenario& scenario = wanted.scenario;
    const bool local = m_panel->isLocal();
    Confirmation what;
    what.title = tr("Run %1 against %2").arg(scenario.name, m_panel->target().host());
    what.object =
        tr("Up to %1 users and %2 requests a second, for %3, at %4.")
            .arg(format::count(scenario.peakUsers()), format::number(scenario.peakRate()),
                format::duration(scenario.durationSeconds()), m_panel->target().toString());
    what.consequence = local ? tr("Stop ends the run within a second.")
                             : tr("This is not the machine you sit at: what it serves will be slow "
                                  "or away meanwhile. Stop ends the run within a second.");
    what.verb = tr("Run %1").arg(scenario.name);
    what.danger = true;
    what.environment = console()->environment().name;
    what.production = console()->environment().production;
    // Marked as a load target: asked about, and not to be typed.
    what.typeToConfirm = local
            || (console()->environment().loadTarget
                && m_panel->target() == console()->environment().balancer)
        ? QString()
        : m_panel->target().host();
    auto* dialog = new ConfirmDialog(what, this);
    connect(dialog, &QDialog::accepted, this,
        [this, wanted, host = local ? QString() : m_panel->target().host()] { run(wanted, host); });
    dialog->open();
}

void LoadWorkspace::run(const Wanted& wanted, const QString& meant)
{
    if (isRunning()) {
        return;
    }
    const ops::Scenario& scenario = wanted.scenario;
    LoadOrder order;
    order.scenario = scenario;
    order.target = m_panel->target();
    order.environment = console()->environment().name;
    order.generator = wanted.generator;
    order.meant = meant;
    order.seed = QRandomGenerator::global()->generate();
    order.folder = ops::newRunFolder(scenario);
    m_process = std::make_unique<LoadProcess>();
    connect(m_process.get(), &LoadProcess::second, this, &LoadWorkspace::onSecond);
    connect(m_process.get(), &LoadProcess::noted, m_verdict, &VerdictPanel::addNote);
    connect(m_process.get(), &LoadProcess::finished, this, &LoadWorkspace::onFinished);
    connect(m_process.get(), &LoadProcess::failed, this, &LoadWorkspace::onFailed);
    m_result.reset();
    m_charts->setStale(false);
    m_charts->begin(scenario, order.generator == QLatin1StringView("native"));
    m_verdict->showNothing(tr("running"), tr("The verdict comes at the end."));
    m_panel->setProgress(0, tr("starting"));
    setStatus(tr("Load run: %1").arg(scenario.name));
    m_process->start(order);
    updateButtons();
}

void LoadWorkspace::stop()
{
    m_starting.reset();
    if (isRunning()) {
        m_process->stop();
        m_panel->stopButton()->setEnabled(false);
        m_panel->setProgress(1, tr("ending"));
    }
}

void LoadWorkspace::onSecond(const ops::LoadSecond& second)
{
    m_charts->add(second);
    const double end = m_process->order().scenario.durationSeconds();
    m_panel->setProgress(std::min(1.0, (second.second + 1) / end),
        tr("%1 of %2 · %3 users · %4 /s · p95 %5")
            .arg(format::duration(second.second + 1), format::duration(end),
                format::count(second.users), format::count(second.completed),
                format::duration(second.p95Ms / 1000)));
}

void LoadWorkspace::showRun(const ops::LoadResult& result)
{
    m_result = result;
    m_charts->show(result);
    m_verdict->show(result);
}

void LoadWorkspace::onFinished(const ops::LoadResult& result)
{
    showRun(result);
    const QString verdict = result.verdict();
    ops::HistoryEntry entry;
    entry.kind = QStringLiteral("load");
    entry.subject = tr("%1, %2 s").arg(result.scenario.name).arg(result.scenario.durationSeconds());
    entry.outcome = verdict;
    entry.details = {{QStringLiteral("p95_ms"), result.p95Ms},
        {QStringLiteral("p99_ms"), result.p99Ms}, {QStringLiteral("requests"), result.scheduled},
        {QStringLiteral("folder"), m_process->order().folder}};
    console()->record(entry);
    if (!isVisible()) { // else it is before one's eyes
        console()->notify(
            toneOfVerdict(verdict), tr("Load run %1: %2").arg(result.scenario.name, verdict), id());
    }
    setStatus({});
    updateButtons();
    if (ops::isStepLoad(result.scenario)) {
        if (result.completed && m_tabs->currentIndex() == runTab) {
            m_tabs->setCurrentIndex(capacityTab);
        }
        m_capacity->reload(result.id); // after the tab's own reload(), which it replaces
    }
}

void LoadWorkspace::onFailed(const Error& error)
{
    m_charts->setStale(true);
    m_verdict->showNothing(tr("not finished"), QString::fromStdString(error.message), Tone::Bad);
    m_panel->banner()->show(Tone::Bad, QString::fromStdString(error.text()));
    setStatus({});
    updateButtons();
}

void LoadWorkspace::askForReport()
{
    if (!m_result) {
        return;
    }
    auto* dialog = new QFileDialog(this, tr("Save the report"),
        QStringLiteral("load-%1.html").arg(m_result->scenario.name),
        tr("Web page (*.html);;PDF (*.pdf)"));
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    connect(dialog, &QFileDialog::filterSelected, dialog, [dialog](const QString& filter) {
        dialog->setDefaultSuffix(filter.contains(QStringLiteral("pdf")) ? QStringLiteral("pdf")
                                                                        : QStringLiteral("html"));
    });
    dialog->setDefaultSuffix(QStringLiteral("html"));
    connect(dialog, &QFileDialog::fileSelected, this, &LoadWorkspace::saveReport);
    dialog->open();
}

void LoadWorkspace::saveReport(const QString& file)
{
    if (!m_result) {
        return;
    }
    console()->jobs()->start<QString>(
        tr("Writing the report"), QStringLiteral("load-report"),
        [result = *m_result, file](JobControl&) -> Result<QString> {
            const auto written = writeReport(result, file);
            return written ? Result<QString>(file) : Result<QString>(written.error());
        },
        this,
        [this](const Result<QString>& written) {
            if (written) {
                console()->notify(Tone::Ok, tr("The report is in %1").arg(*written), id());
            } else {
                m_panel->banner()->show(Tone::Bad, QString::fromStdString(written.error().text()));
            }
        });
}

} // namespace sluice::ui

#include "ui/load/loadworkspace.h"

#include "engine/base/resources.h"
#include "engine/operations/record/history.h"
#include "ui/charts/chartgroup.h"
#include "ui/charts/livechart.h"
#include "ui/shell/button.h"
#include "ui/shell/card.h"
#include "ui/shell/console.h"
#include "ui/shell/format.h"
#include "ui/shell/infobanner.h"
#include "ui/shell/stateview.h"

#include <QAction>
#include <QComboBox>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QFormLayout>
#include <QGridLayout>
#include <QHeaderView>
#include <QProgressBar>
#include <QSpinBox>
#include <QTableWidget>
#include <QVBoxLayout>

namespace sluice::ui {

namespace {

QTableWidget* table(const QString& name, const QStringList& columns, QWidget* parent)
{
    auto* made = new QTableWidget(0, int(columns.size()), parent);
    made->setAccessibleName(name);
    made->setHorizontalHeaderLabels(columns);
    made->setShowGrid(false);
    made->setFrameShape(QFrame::NoFrame);
    made->setEditTriggers(QAbstractItemView::NoEditTriggers);
    made->setSelectionMode(QAbstractItemView::NoSelection);
    made->setTabKeyNavigation(false);
    made->verticalHeader()->hide();
    made->verticalHeader()->setDefaultSectionSize(26);
    made->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
    made->horizontalHeader()->setSectionResizeMode(0, QHeaderView::Stretch);
    for (int column = 0; column < columns.size(); ++column) {
        made->horizontalHeaderItem(column)->setTextAlignment(
            (column == 0 ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
    }
    return made;
}

void fill(QTableWidget* table, int row, const QStringList& texts)
{
    for (int column = 0; column < texts.size(); ++column) {
        auto* item = new QTableWidgetItem(texts[column]);
        item->setTextAlignment((column == 0 ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
        table->setItem(row, column, item);
    }
}

} // namespace

void LoadWorkspace::inkChecks()
{
    for (int row = 0; row < m_checks->rowCount(); ++row) {
        QTableWidgetItem* verdict = m_checks->item(row, 3);
        verdict->setForeground(theme().color(Tone(verdict->data(Qt::UserRole).toInt())));
    }
}

LoadWorkspace::LoadWorkspace(Console* console, QWidget* parent)
    : Workspace(console, QStringLiteral("load"), tr("Load"), parent)
    , m_state(new StateView(this))
    , m_group(new ChartGroup(this))
{
    m_group->setElapsed(true);
    m_group->setLiveRange(0, 60);
    auto* page = new QWidget(this);
    auto* columns = new QHBoxLayout(page);
    columns->setContentsMargins(0, 0, 0, 0);
    columns->setSpacing(12);
    columns->addWidget(makeScenario());
    columns->addWidget(makeCharts(), 1);
    columns->addWidget(makeVerdict());
    m_state->setDataWidget(page);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_state);

    auto* run = new QAction(tr("Start the load run"), this);
    run->setToolTip(tr("The chosen scenario, against the balancer"));
    run->setShortcut(QKeySequence(Qt::Key_F5));
    run->setShortcutContext(Qt::WidgetWithChildrenShortcut);
    connect(run, &QAction::triggered, this, &LoadWorkspace::start);
    addAction(run);
    auto* end = new QAction(tr("Stop the load run"), this);
    end->setToolTip(tr("Keeps what was measured so far"));
    end->setShortcut(QKeySequence(Qt::SHIFT | Qt::Key_F5));
    end->setShortcutContext(Qt::WidgetWithChildrenShortcut);
    connect(end, &QAction::triggered, this, &LoadWorkspace::stop);
    addAction(end);

    connect(m_state, &StateView::actionTriggered, console, &Console::startLocalStack);
    connect(m_state, &StateView::retryRequested, console, &Console::reconnect);
    connect(console, &Console::environmentChanged, this, &LoadWorkspace::updateState);
    connect(console, &Console::localStackChanged, this, &LoadWorkspace::updateState);
    loadScenarios();
    updateState();
}

LoadWorkspace::~LoadWorkspace() = default;

QWidget* LoadWorkspace::makeScenario()
{
    auto* card = new Card(tr("Scenario"), tr("native generator"), this);
    card->setFixedWidth(260);
    m_scenario = new QComboBox(card);
    m_scenario->setAccessibleName(tr("Scenario"));
    m_seconds = new QSpinBox(card);
    m_seconds->setRange(1, 86400);
    m_seconds->setValue(60);
    m_seconds->setSuffix(tr(" s"));
    m_seconds->setAccessibleName(tr("Run for"));
    m_description = new Text(FontRole::Base, Ink::Muted, {}, card);
    m_description->setWordWrap(true);
    m_target = new Text(FontRole::Base, Ink::Muted, {}, card);
    m_target->setWordWrap(true);
    auto* form = new QFormLayout;
    form->addRow(tr("Scenario"), m_scenario);
    form->addRow(tr("Run for"), m_seconds);
    card->content()->addLayout(form);
    card->content()->addWidget(m_description);
    card->content()->addWidget(m_target);
    m_banner = new InfoBanner(card);
    card->content()->addWidget(m_banner);
    card->content()->addStretch();
    m_progress = new QProgressBar(card);
    m_progress->setAccessibleName(tr("Progress of the run"));
    m_progress->setTextVisible(false);
    m_progress->hide();
    card->content()->addWidget(m_progress);
    m_stop = new Button(tr("Stop"), ButtonRole::Danger, card);
    m_stop->setToolTip(tr("Ends the run within a second (Shift+F5)"));
    m_start = new Button(tr("Start"), ButtonRole::Primary, card);
    m_start->setToolTip(tr("Runs the scenario against the balancer (F5)"));
    auto* buttons = new QHBoxLayout;
    buttons->addWidget(m_stop);
    buttons->addStretch();
    buttons->addWidget(m_start);
    card->content()->addLayout(buttons);
    connect(m_start, &Button::clicked, this, &LoadWorkspace::start);
    connect(m_stop, &Button::clicked, this, &LoadWorkspace::stop);
    connect(m_scenario, &QComboBox::currentIndexChanged, this, &LoadWorkspace::showScenario);
    return card;
}

QWidget* LoadWorkspace::makeCharts()
{
    auto* area = new QWidget(this);
    auto* grid = new QGridLayout(area);
    grid->setContentsMargins(0, 0, 0, 0);
    grid->setSpacing(12);
    const auto add = [&](const QString& name, const QString& hint, Unit unit, int row, int column) {
        auto* card = new Card(name, hint, area);
        auto* chart = new LiveChart(name, m_group, unit, card);
        chart->setEmptyText(tr("no run yet"));
        card->content()->addWidget(chart, 1);
        grid->addWidget(card, row, column);
        return chart;
    };
    m_rate = add(tr("Requests a second"), tr("on the schedule"), Unit::PerSecond, 0, 0);
    m_latency = add(tr("Response time"), tr("from the intended start"), Unit::Seconds, 0, 1);
    m_errors = add(tr("Errors"), tr("a second"), Unit::Count, 1, 0);
    m_inFlight = add(tr("In flight"), tr("waiting for an answer"), Unit::Count, 1, 1);
    return area;
}

QWidget* LoadWorkspace::makeVerdict()
{
    auto* card = new Card(tr("Verdict"), tr("target by target"), this);
    card->setFixedWidth(300);
    m_verdict = new Text(FontRole::Figure, Ink::Muted, tr("no run yet"), card);
    m_summary = new Text(FontRole::Base, Ink::Muted, {}, card);
    m_summary->setWordWrap(true);
    m_checks = table(tr("Targets"), {tr("target"), tr("value"), tr("limit"), tr("verdict")}, card);
    connect(&theme(), &Theme::changed, this, &LoadWorkspace::inkChecks);
    m_checks->setFixedHeight(26 * 4 + 10);
    m_figures = table(tr("Figures"), {tr("figure"), tr("value")}, card);
    m_figures->horizontalHeader()->hide();
    card->content()->addWidget(m_verdict);
    card->content()->addWidget(m_summary);
    card->content()->addWidget(m_checks);
    card->content()->addWidget(m_figures, 1);
    return card;
}

void LoadWorkspace::loadScenarios()
{
    const QDir folder(QString::fromStdString(resourceFile("scenarios").string()));
    const QStringList files = folder.entryList({QStringLiteral("*.json")}, QDir::Files, QDir::Name);
    for (const QString& name : files) {
        QFile file(folder.filePath(name));
        if (!file.open(QIODevice::ReadOnly)) {
            continue;
        }
        const auto scenario = ops::Scenario::fromJson(file.readAll(), file.fileName());
        if (!scenario) {
            m_banner->show(Tone::Bad, QString::fromStdString(scenario.error().text()));
            continue;
        }
        m_scenarios << *scenario;
        m_scenario->addItem(scenario->name);
    }
    m_scenario->setCurrentText(QStringLiteral("normal"));
    showScenario();
}

void LoadWorkspace::showScenario()
{
    const int index = m_scenario->currentIndex();
    if (index < 0) {
        m_description->setText(
            tr("No scenario was found in %1.")
                .arg(QString::fromStdString(resourceFile("scenarios").string())));
        updateButtons();
        return;
    }
    const ops::Scenario& scenario = m_scenarios[index];
    m_description->setText(
        tr("%1 users, %2 requests a second on a fixed schedule. Targets: p95 under %3 ms, p99 "
           "under %4 ms, errors under %5.")
            .arg(format::count(scenario.peakUsers()), format::number(scenario.peakRate()),
                format::number(scenario.targets.p95Ms), format::number(scenario.targets.p99Ms),
                format::percent(scenario.targets.errorShare)));
    m_rate->setLeastTop(scenario.peakRate() * 1.2);
    m_latency->setLimits(
        {{scenario.targets.p95Ms / 1000, tr("p95 fails at %1 ms").arg(scenario.targets.p95Ms)}});
    updateButtons();
}

void LoadWorkspace::updateState()
{
    if (console()->hasEnvironment() && !console()->environment().balancer.isEmpty()) {
        m_target->setText(
            tr("Against %1 of \"%2\".")
                .arg(console()->environment().balancer.toString(), console()->environment().name));
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

void LoadWorkspace::updateButtons()
{
    const bool running = isRunning();
    m_start->setEnabled(!running && m_scenario->currentIndex() >= 0 && console()->hasEnvironment()
        && !console()->environment().readOnly);
    m_stop->setEnabled(running);
    m_scenario->setEnabled(!running);
    m_seconds->setEnabled(!running);
}

void LoadWorkspace::start()
{
    if (isRunning() || m_scenario->currentIndex() < 0 || !console()->hasEnvironment()) {
        return;
    }
    const ops::Scenario scenario =
        m_scenarios[m_scenario->currentIndex()].lasting(m_seconds->value());
    m_run = std::make_unique<ops::LoadRun>();
    connect(m_run.get(), &ops::LoadRun::second, this, &LoadWorkspace::onSecond);
    connect(m_run.get(), &ops::LoadRun::finished, this, &LoadWorkspace::onFinished);
    connect(m_run.get(), &ops::LoadRun::failed, this, &LoadWorkspace::onFailed);
    if (auto started = m_run->start(scenario, console()->environment().balancer); !started) {
        onFailed(started.error());
        return;
    }
    m_banner->dismiss();
    m_history.clear();
    m_result.reset();
    m_group->resetZoom();
    m_group->setLiveRange(0, scenario.durationSeconds());
    for (LiveChart* chart : {m_rate, m_latency, m_errors, m_inFlight}) {
        chart->setSeries({});
    }
    showVerdict(Tone::None, tr("running"));
    m_summary->setText(tr("The verdict comes at the end."));
    m_checks->setRowCount(0);
    m_figures->setRowCount(0);
    m_progress->setRange(0, int(scenario.durationSeconds()));
    m_progress->setValue(0);
    m_progress->show();
    setStatus(tr("Load run: %1").arg(scenario.name));
    updateButtons();
}

void LoadWorkspace::stop()
{
    if (isRunning()) {
        m_run->stop();
        m_stop->setEnabled(false);
    }
}

void LoadWorkspace::onSecond(const ops::LoadSecond& second)
{
    m_history << second;
    m_progress->setValue(second.second + 1);
    const auto line = [this](const QString& name, int style, bool area, auto value) {
        ChartSeries series{name, {}, style, area, true};
        for (const ops::LoadSecond& one : m_history) {
            series.points << QPointF(one.second + 1, value(one));
        }
        return series;
    };
    m_rate->setSeries({line(tr("answered"), 0, true,
                           [](const ops::LoadSecond& s) { return double(s.completed); }),
        line(tr("scheduled"), 2, false,
            [](const ops::LoadSecond& s) { return double(s.scheduled); })});
    m_latency->setSeries({line(QStringLiteral("p50"), 0, false,
                              [](const ops::LoadSecond& s) { return s.p50Ms / 1000; }),
        line(QStringLiteral("p95"), 2, false,
            [](const ops::LoadSecond& s) { return s.p95Ms / 1000; }),
        line(QStringLiteral("p99"), 3, false,
            [](const ops::LoadSecond& s) { return s.p99Ms / 1000; })});
    m_errors->setSeries(
        {line(tr("errors"), 0, false, [](const ops::LoadSecond& s) { return double(s.errors); })});
    m_inFlight->setSeries({line(
        tr("in flight"), 0, true, [](const ops::LoadSecond& s) { return double(s.inFlight); })});
}

void LoadWorkspace::onFinished(const ops::LoadResult& result)
{
    m_result = result;
    m_progress->hide();
    QString outcome = QStringLiteral("failed");
    if (!result.completed) {
        showVerdict(Tone::Warn, tr("stopped"));
        m_summary->setText(tr("Stopped early: no verdict."));
        outcome = QStringLiteral("stopped");
    } else if (result.generatorLimited) {
        showVerdict(Tone::Warn, tr("no verdict"));
        m_summary->setText(
            tr("The generator, not the server, was the limit: it started requests %1 late.")
                .arg(format::duration(result.startLagP99Ms / 1000)));
    } else {
        showVerdict(
            result.passed ? Tone::Ok : Tone::Bad, result.passed ? tr("passed") : tr("failed"));
        m_summary->setText(tr("%1 of %2 requests answered in %3.")
                               .arg(format::count(double(result.succeeded)),
                                   format::count(double(result.scheduled)),
                                   format::duration(result.scenario.durationSeconds())));
        outcome = result.passed ? QStringLiteral("passed") : QStringLiteral("failed");
    }
    m_checks->setRowCount(int(result.checks.size()));
    for (int row = 0; row < result.checks.size(); ++row) {
        const ops::LoadCheck& check = result.checks[row];
        const Tone tone = check.passed ? Tone::Ok : Tone::Bad;
        fill(m_checks, row,
            {check.name, check.value, QString(QLatin1StringView("< ") % check.limit),
                QString(Theme::glyph(tone) % u' ' % (check.passed ? tr("pass") : tr("fail")))});
        m_checks->item(row, 3)->setData(Qt::UserRole, int(tone));
    }
    inkChecks();
    QList<QStringList> figures{{tr("p50"), format::duration(result.p50Ms / 1000)},
        {tr("longest"), format::duration(result.maxMs / 1000)},
        {tr("p99 from the send"), format::duration(result.uncorrectedP99Ms / 1000)},
        {tr("answered a second"), format::number(result.achievedRate)},
        {tr("own start lag, p99"), format::duration(result.startLagP99Ms / 1000)}};
    for (auto error = result.errors.begin(); error != result.errors.end(); ++error) {
        figures << QStringList{error.key(), format::count(double(error.value()))};
    }
    m_figures->setRowCount(int(figures.size()));
    for (int row = 0; row < figures.size(); ++row) {
        fill(m_figures, row, figures[row]);
    }
    const QString folder = QFileInfo(ops::History::defaultFile()).path()
        % QLatin1StringView("/runs/")
        % QDateTime::currentDateTimeUtc().toString(QStringLiteral("yyyyMMdd-HHmmss"));
    const auto saved = ops::saveRun(folder, result);
    if (!saved) {
        m_banner->show(Tone::Warn,
            tr("The run could not be kept: %1").arg(QString::fromStdString(saved.error().text())));
    }
    ops::HistoryEntry entry;
    entry.kind = QStringLiteral("load");
    entry.subject = tr("%1, %2 s").arg(result.scenario.name).arg(result.scenario.durationSeconds());
    entry.outcome = outcome;
    entry.details = {{QStringLiteral("p95_ms"), result.p95Ms},
        {QStringLiteral("p99_ms"), result.p99Ms}, {QStringLiteral("requests"), result.scheduled},
        {QStringLiteral("folder"), saved ? folder : QString()}};
    console()->record(entry);
    console()->notify(result.passed ? Tone::Ok : Tone::Warn,
        tr("Load run %1: %2").arg(result.scenario.name, outcome), id());
    setStatus({});
    updateButtons();
}

void LoadWorkspace::showVerdict(Tone tone, const QString& word)
{
    m_verdict->setInk(tone == Tone::Ok ? Ink::Ok
            : tone == Tone::Warn       ? Ink::Warn
            : tone == Tone::Bad        ? Ink::Bad
                                       : Ink::Muted);
    m_verdict->setText(tone == Tone::None ? word : QString(Theme::glyph(tone) % u' ' % word));
}

void LoadWorkspace::onFailed(const Error& error)
{
    m_progress->hide();
    m_run.reset();
    showVerdict(Tone::Bad, tr("not started"));
    m_summary->setText(QString::fromStdString(error.message));
    m_banner->show(Tone::Bad, QString::fromStdString(error.text()));
    updateButtons();
}

} // namespace sluice::ui

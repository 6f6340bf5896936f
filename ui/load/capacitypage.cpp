#include "ui/load/capacitypage.h"

#include "engine/operations/loadtest/blockbootstrap.h"
#include "engine/operations/loadtest/runfolder.h"
#include "ui/charts/axisticks.h"
#include "ui/charts/xychart.h"
#include "ui/load/loadtables.h"
#include "ui/shell/button.h"
#include "ui/shell/card.h"
#include "ui/shell/console.h"
#include "ui/shell/format.h"
#include "ui/shell/stateview.h"

#include <QApplication>
#include <QClipboard>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QFontDatabase>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QSignalBlocker>
#include <QSpinBox>
#include <QTableWidget>
#include <algorithm>
#include <functional>

namespace sluice::ui {

/// A run, read and fitted.
struct CapacityPage::Fitted
{
    ops::LoadResult run;
    std::vector<ops::CapacityStep> steps;
    ops::ScalabilityFit fit;
    std::vector<double> grid; ///< where the curve is drawn
    std::vector<Interval> band; ///< 95 %, there
};

namespace {

constexpr int formWidth = 290; ///< as the Run page's columns
constexpr int answerWidth = 330;
constexpr int curvePoints = 120;

double lastOf(const std::vector<ops::CapacityStep>& steps)
{
    return steps.back().concurrency;
}

/// "12 to 14".
QString between(const Interval& interval)
{
    return CapacityPage::tr("%1 to %2")
        .arg(format::number(interval.low), format::number(interval.high));
}

} // namespace

CapacityPage::CapacityPage(Console* console, QWidget* parent)
    : QWidget(parent)
    , m_console(console)
    , m_state(new StateView(this))
    , m_runs(new QComboBox(this))
    , m_users(new QLineEdit(QStringLiteral("1, 2, 4, 8, 16, 32, 64"), this))
    , m_seconds(new QSpinBox(this))
    , m_summary(new Text(FontRole::Base, Ink::Muted, {}, this))
    , m_start(new Button(tr("Run the steps"), ButtonRole::Primary, this))
    , m_stepTable(loadTable(
          tr("Steps"), {tr("in flight"), tr("answered /s"), tr("fitted /s"), tr("p99")}, this))
    , m_throughput(new XyChart(tr("Requests a second against requests in flight"), this))
    , m_latency(new XyChart(tr("p99 against requests in flight"), this))
    , m_rate(new QDoubleSpinBox(this))
    , m_p99(new QDoubleSpinBox(this))
    , m_workers(new QSpinBox(this))
    , m_busy(new QSpinBox(this))
    , m_answer(new Text(FontRole::Figure, Ink::Text, {}, this))
    , m_reason(new Text(FontRole::Base, Ink::Muted, {}, this))
    , m_law(loadTable(
          tr("Universal Scalability Law"), {tr("fitted"), tr("value"), tr("95 % interval")}, this))
    , m_kind(new QComboBox(this))
    , m_settings(new QPlainTextEdit(this))
    , m_copy(new Button(tr("Copy"), ButtonRole::Plain, this))
{
    auto* found = new QWidget(this);
    auto* pair = new QHBoxLayout(found);
    pair->setContentsMargins(0, 0, 0, 0);
    pair->setSpacing(12);
    pair->addWidget(makeCharts(), 1);
    pair->addWidget(makeAnswer());
    m_state->setDataWidget(found);
    auto* columns = new QHBoxLayout(this);
    columns->setContentsMargins(0, 0, 0, 0);
    columns->setSpacing(12);
    columns->addWidget(makeForm());
    columns->addWidget(m_state, 1);

    connect(m_runs, &QComboBox::currentIndexChanged, this, &CapacityPage::open);
    connect(m_users, &QLineEdit::textChanged, this, &CapacityPage::showForm);
    connect(m_seconds, &QSpinBox::valueChanged, this, &CapacityPage::showForm);
    connect(m_start, &Button::clicked, this, &CapacityPage::startAsked);
    connect(m_state, &StateView::actionTriggered, this, &CapacityPage::startAsked);
    connect(m_state, &StateView::retryRequested, this, [this] { reload(); });
    for (QDoubleSpinBox* box : {m_rate, m_p99}) {
        connect(box, &QDoubleSpinBox::valueChanged, this, &CapacityPage::ask);
    }
    for (QSpinBox* box : {m_workers, m_busy}) {
        connect(box, &QSpinBox::valueChanged, this, &CapacityPage::ask);
    }
    connect(m_kind, &QComboBox::currentIndexChanged, this, &CapacityPage::showSettings);
    connect(m_copy, &Button::clicked, this, [this] {
        QApplication::clipboard()->setText(m_settings->toPlainText());
        m_console->notify(
            Tone::Ok, tr("The settings for %1 are copied").arg(m_kind->currentText()));
    });
    showForm();
}

CapacityPage::~CapacityPage() = default;

QWidget* CapacityPage::makeForm()
{
    auto* column = new QWidget(this);
    column->setFixedWidth(formWidth);
    auto* rows = new QVBoxLayout(column);
    rows->setContentsMargins(0, 0, 0, 0);
    rows->setSpacing(12);
    auto* card = new Card(tr("Step load"), tr("requests in flight, step by step"), column);
    m_users->setAccessibleName(tr("Requests in flight"));
    m_users->setToolTip(tr("How many are on their way at any time, a number a step: with a comma "
                           "between them"));
    m_seconds->setRange(3, 3600);
    m_seconds->setValue(10);
    m_seconds->setSuffix(tr(" s"));
    m_seconds->setAccessibleName(tr("A step lasts"));
    m_seconds->setToolTip(tr("Its first fifth, at least a second, is not counted"));
    m_summary->setWordWrap(true);
    m_start->setToolTip(tr("Sends as fast as is answered, step by step; watched on the page Run"));
    auto* form = new QFormLayout;
    form->setLabelAlignment(Qt::AlignLeft);
    form->addRow(tr("In flight"), m_users);
    form->addRow(tr("Each for"), m_seconds);
    card->content()->addLayout(form);
    card->content()->addWidget(m_summary);
    auto* buttons = new QHBoxLayout;
    buttons->addStretch();
    buttons->addWidget(m_start);
    card->content()->addLayout(buttons);
    rows->addWidget(card);
    auto* kept = new Card(tr("Steps"), tr("of a run that is kept"), column);
    m_runs->setAccessibleName(tr("Step-load run"));
    m_stepTable->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
    m_stepTable->horizontalHeader()->setSectionResizeMode(0, QHeaderView::Stretch);
    kept->content()->addWidget(m_runs);
    kept->content()->addWidget(m_stepTable, 1);
    rows->addWidget(kept, 1);
    return column;
}

QWidget* CapacityPage::makeCharts()
{
    auto* column = new QWidget(this);
    auto* rows = new QVBoxLayout(column);
    rows->setContentsMargins(0, 0, 0, 0);
    rows->setSpacing(12);
    auto* rate = new Card(tr("Requests a second"),
        tr("measured, and the law fitted to it with its 95 % band"), column);
    rate->content()->addWidget(m_throughput, 1);
    auto* latency =
        new Card(tr("p99"), tr("where it reaches the limit, there is the capacity"), column);
    latency->content()->addWidget(m_latency, 1);
    rows->addWidget(rate, 3);
    rows->addWidget(latency, 2);
    return column;
}

QWidget* CapacityPage::makeAnswer()
{
    auto* column = new QWidget(this);
    column->setFixedWidth(answerWidth);
    auto* rows = new QVBoxLayout(column);
    rows->setContentsMargins(0, 0, 0, 0);
    rows->setSpacing(12);
    auto* card = new Card(tr("How many workers"), {}, column);
    m_rate->setRange(1, 1e7);
    m_rate->setDecimals(0);
    m_rate->setValue(100);
    m_rate->setGroupSeparatorShown(true);
    m_rate->setSuffix(tr(" /s"));
    m_rate->setAccessibleName(tr("Requests a second to be carried"));
    m_p99->setRange(0.1, 1e6);
    m_p99->setDecimals(1);
    m_p99->setValue(500);
    m_p99->setSuffix(tr(" ms"));
    m_p99->setAccessibleName(tr("p99 to be held"));
    m_workers->setRange(1, 10000);
    m_workers->setAccessibleName(tr("Workers that shared the run's load"));
    m_workers->setToolTip(tr("Those of the pool that served; more are taken to add up"));
    m_busy->setRange(5, 100);
    m_busy->setValue(70);
    m_busy->setSuffix(tr(" %"));
    m_busy->setAccessibleName(tr("Share of what they can do that is planned with"));
    auto* form = new QFormLayout;
    form->setLabelAlignment(Qt::AlignLeft);
    form->addRow(tr("Requests"), m_rate);
    form->addRow(tr("p99 under"), m_p99);
    form->addRow(tr("Measured with"), m_workers);
    form->addRow(tr("Planned with"), m_busy);
    card->content()->addLayout(form);
    m_reason->setWordWrap(true);
    m_reason->setAlignment(Qt::AlignTop);
    card->content()->addWidget(m_answer);
    card->content()->addWidget(m_reason);
    m_law->setToolTip(tr("Gunther 2007: X(N) = λ N / (1 + σ (N − 1) + κ N (N − 1)), fitted by "
                         "relative least squares; intervals by the bootstrap over seconds"));
    m_law->horizontalHeader()->setSectionResizeMode(0, QHeaderView::ResizeToContents);
    m_law->horizontalHeader()->setSectionResizeMode(2, QHeaderView::Stretch);
    m_law->setFixedHeight(m_law->verticalHeader()->defaultSectionSize() * 6 + 8);
    card->content()->addWidget(m_law);
    rows->addWidget(card);
    auto* settings = new Card(tr("Settings"), {}, column);
    m_kind->addItem(QStringLiteral("systemd"));
    m_kind->addItem(QStringLiteral("Kubernetes"));
    m_kind->setAccessibleName(tr("Settings for"));
    settings->addToTitle(m_kind);
    m_settings->setReadOnly(true);
    m_settings->setAccessibleName(tr("Settings with that many workers"));
    m_settings->setFont(QFontDatabase::systemFont(QFontDatabase::FixedFont));
    m_settings->setLineWrapMode(QPlainTextEdit::NoWrap);
    m_settings->setTabChangesFocus(true);
    settings->content()->addWidget(m_settings, 1);
    auto* buttons = new QHBoxLayout;
    buttons->addStretch();
    buttons->addWidget(m_copy);
    settings->content()->addLayout(buttons);
    rows->addWidget(settings, 1);
    return column;
}

Result<ops::Scenario> CapacityPage::steps() const
{
    std::vector<int> users;
    const QStringList words = m_users->text().split(u',', Qt::SkipEmptyParts);
    for (const QString& word : words) {
        bool good = false;
        const int value = word.trimmed().toInt(&good);
        if (!good || value < 1 || value > ops::Scenario::maxUsers) {
            return inputError(tr("\"%1\" is no number of requests in flight: 1 to %2")
                                  .arg(word.trimmed())
                                  .arg(ops::Scenario::maxUsers)
                                  .toStdString());
        }
        users.push_back(value);
    }
    const bool rising =
        std::adjacent_find(users.begin(), users.end(), std::greater_equal<>()) == users.end();
    if (users.size() < 3 || !rising) {
        return inputError(
            tr("Three steps at least, each larger than the one before.").toStdString());
    }
    ops::Scenario scenario = ops::stepScenario(users, m_seconds->value());
    if (auto checked = scenario.check(); !checked) {
        return checked.error();
    }
    return scenario;
}

void CapacityPage::setTarget(const QString& target)
{
    m_target = target;
    showForm();
}

void CapacityPage::setRunning(bool running, bool canStart)
{
    m_running = running;
    m_canStart = canStart;
    showForm();
}

void CapacityPage::showForm()
{
    const auto scenario = steps();
    m_start->setEnabled(m_canStart && !m_running && scenario.ok());
    m_users->setEnabled(!m_running);
    m_seconds->setEnabled(!m_running);
    m_summary->setInk(scenario ? Ink::Muted : Ink::Bad);
    m_summary->setText(scenario ? tr("%1 steps, %2 in all\n%3")
                                      .arg(scenario->phases.size())
                                      .arg(format::duration(scenario->durationSeconds()), m_target)
                                : QString::fromStdString(scenario.error().message));
}

void CapacityPage::reload(const QString& wanted)
{
    if (!m_fitted) {
        m_state->showLoading(tr("Reading the step-load runs"), false);
    }
    using Runs = QList<ops::LoadResult>;
    m_console->jobs()->start<Runs>(
        tr("Reading the step-load runs"), QStringLiteral("load-capacity-runs"),
        [](JobControl&) {
            Runs stepped;
            const Runs all = ops::listRuns();
            for (const ops::LoadResult& run : all) {
                if (ops::isStepLoad(run.scenario) && run.scenario.phases.size() >= 3
                    && run.state != QLatin1StringView("running")) {
                    stepped << run;
                }
            }
            return Result<Runs>(stepped);
        },
        this,
        [this, wanted](Result<Runs> runs) {
            if (runs) {
                fill(*runs, wanted);
            } else {
                m_state->showError(tr("The runs can't be read"), runs.error());
            }
        });
}

void CapacityPage::fill(const QList<ops::LoadResult>& runs, const QString& wanted)
{
    const QString before = wanted.isEmpty() ? m_runs->currentData().toString() : wanted;
    {
        const QSignalBlocker quiet(m_runs);
        m_runs->clear();
        const QDateTime now = QDateTime::currentDateTimeUtc();
        for (const ops::LoadResult& run : runs) {
            m_runs->addItem(
                tr("%1 · %2 steps · %3")
                    .arg(format::when(run.startedAt, now))
                    .arg(run.scenario.phases.size())
                    .arg(run.environment.isEmpty() ? run.target.host() : run.environment),
                run.id);
        }
        m_runs->setCurrentIndex(std::max(0, m_runs->findData(before)));
    }
    m_runs->setEnabled(!runs.isEmpty());
    if (runs.isEmpty()) {
        m_fitted.reset();
        m_stepTable->setRowCount(0);
        m_state->showEmpty(tr("No step load was run yet"),
            tr("Load in steps shows where throughput ends: a law is fitted to it, and says how "
               "many workers a rate at a p99 needs."),
            tr("Run the steps"));
        return;
    }
    open();
}

void CapacityPage::open()
{
    const QString id = m_runs->currentData().toString();
    if (id.isEmpty() || (m_fitted && m_fitted->run.id == id)) {
        return;
    }
    using Answer = std::shared_ptr<const Fitted>;
    m_console->jobs()->start<Answer>(
        tr("Fitting the step-load run"), QStringLiteral("load-capacity-fit"),
        [id](JobControl&) -> Result<Answer> {
            auto run = ops::readRun(ops::runsFolder() + u'/' + id);
            if (!run) {
                return run.error();
            }
            auto steps = ops::stepsOf(*run);
            if (!steps) {
                return steps.error();
            }
            auto fit = ops::fitScalability(*steps);
            if (!fit) {
                return fit.error();
            }
            auto made = std::make_shared<Fitted>();
            for (int point = 0; point <= curvePoints; ++point) {
                made->grid.push_back(lastOf(*steps) * std::max(0.001, double(point) / curvePoints));
            }
            made->band = ops::rateIntervals(*steps, made->grid);
            made->run = std::move(*run);
            made->steps = std::move(*steps);
            made->fit = *fit;
            return Answer(std::move(made));
        },
        this,
        [this](Result<Answer> answer) {
            if (answer) {
                showFit(std::move(*answer));
                return;
            }
            m_fitted.reset();
            m_stepTable->setRowCount(0);
            m_state->showError(tr("This run says nothing of a capacity"), answer.error(),
                tr("Choose another run, or run the steps again."));
        });
}

/// Of the pool that serves, where the run was aimed at this environment's balancer.
int CapacityPage::measuredWorkers(const ops::LoadResult& run) const
{
    const ops::Environment& now = m_console->environment();
    if (!m_console->hasEnvironment() || now.workers.isEmpty() || run.target != now.balancer) {
        return 1;
    }
    return int(std::count_if(now.workers.begin(), now.workers.end(),
        [&](const ops::WorkerEndpoint& one) { return one.pool == now.workers.first().pool; }));
}

void CapacityPage::showFit(std::shared_ptr<const Fitted> fitted)
{
    m_fitted = std::move(fitted);
    const ops::ScalabilityFit& fit = m_fitted->fit;
    m_stepTable->setRowCount(0);
    for (const ops::CapacityStep& step : m_fitted->steps) {
        setLoadRow(m_stepTable, m_stepTable->rowCount(),
            {format::count(step.concurrency), format::number(step.rate),
                format::number(fit.rateAt(step.concurrency)), format::duration(step.p99Ms / 1000)});
    }
    m_law->setRowCount(0);
    const auto peak = fit.peakConcurrency();
    for (const QStringList& row : {
             QStringList{
                 tr("λ one at a time"), format::rate(fit.lambda), between(fit.lambdaInterval)},
             QStringList{tr("σ contention"), format::number(fit.sigma), between(fit.sigmaInterval)},
             QStringList{tr("κ coherency"), format::number(fit.kappa), between(fit.kappaInterval)},
             QStringList{tr("largest"), peak ? format::rate(fit.rateAt(*peak)) : format::missing(),
                 peak ? tr("at %1 in flight").arg(format::number(*peak))
                      : tr("grows with every step")},
             QStringList{tr("off by"), format::percent(fit.relativeError), tr("root mean square")},
         }) {
        setLoadRow(m_law, m_law->rowCount(), row);
    }
    {
        const QSignalBlocker quiet(m_workers);
        m_workers->setValue(measuredWorkers(m_fitted->run));
    }
    m_state->showData();
    ask();
}

ops::CapacityQuestion CapacityPage::question() const
{
    return {m_rate->value(), m_p99->value(), m_workers->value(), m_busy->value() / 100.0};
}

void CapacityPage::ask()
{
    if (!m_fitted) {
        return;
    }
    m_console->jobs()->start<ops::CapacityAnswer>(
        tr("Counting workers"), QStringLiteral("load-capacity-answer"),
        [fitted = m_fitted, question = question()](
            JobControl&) { return ops::workersFor(question, fitted->steps, fitted->fit); },
        this, [this](const Result<ops::CapacityAnswer>& answer) { showAnswer(answer); });
}

void CapacityPage::showAnswer(const Result<ops::CapacityAnswer>& answer)
{
    m_found.reset();
    if (!m_fitted) { // another run was chosen meanwhile, and says nothing
        return;
    }
    if (answer) {
        m_found = *answer;
        m_answer->setInk(Ink::Text);
        m_answer->setText(
            answer->workers == 1 ? tr("1 worker") : tr("%1 workers").arg(answer->workers));
        m_reason->setText(
            tr("%1 to %2 by the 95 % interval. %3 %4 a worker at %5 in flight, planned with %6 of "
               "it.")
                .arg(answer->workersLow)
                .arg(answer->workersHigh)
                .arg(answer->reached ? tr("The limit is reached at")
                                     : tr("No step reached the limit: at least"),
                    format::rate(answer->ratePerWorker), format::number(answer->concurrency),
                    format::percent(question().busy)));
    } else {
        m_answer->setInk(Ink::Bad);
        m_answer->setText(QString(Theme::glyph(Tone::Bad) % u' ' % tr("no number holds it")));
        m_reason->setText(QString::fromStdString(answer.error().message));
    }
    m_copy->setEnabled(m_found.has_value());
    showSettings();
    draw();
}

void CapacityPage::showSettings()
{
    if (!m_found) {
        m_settings->clear();
        return;
    }
    m_settings->setPlainText(m_kind->currentIndex() == 0
            ? ops::systemdSettings(question(), *m_found)
            : ops::autoscalerSettings(question(), *m_found));
}

void CapacityPage::draw()
{
    const Fitted& now = *m_fitted;
    XyChart::Line measured{tr("measured"), {}, 0, true, {}};
    XyChart::Line fitted{tr("fitted"), {}, 2, false, {}};
    XyChart::Line slow{tr("p99 measured"), {}, 0, true, {}};
    XyChart::Line joining{{}, {}, 0, false, {}};
    double top = 0;
    for (const ops::CapacityStep& step : now.steps) {
        measured.points << QPointF(step.concurrency, step.rate);
        const auto interval = ops::meanInterval(step.rates);
        measured.bars << (interval ? QPointF(interval->low, interval->high)
                                   : QPointF(step.rate, step.rate));
        slow.points << QPointF(step.concurrency, step.p99Ms / 1000);
        top = std::max({top, step.rate, measured.bars.last().y()});
    }
    joining.points = slow.points;
    for (std::size_t index = 0; index < now.grid.size(); ++index) {
        fitted.points << QPointF(now.grid[index], now.fit.rateAt(now.grid[index]));
        fitted.bars << QPointF(now.band[index].low, now.band[index].high);
        top = std::max(top, now.band[index].high);
    }
    const XyChart::Axis x{
        tr("requests in flight"), 0, lastOf(now.steps), [](double n) { return format::count(n); }};
    XyChart::Picture rate;
    rate.x = x;
    rate.y = {tr("requests a second"), 0, valueScale(top).top,
        [](double value) { return format::number(value); }};
    rate.lines = {fitted, measured};
    XyChart::Picture latency;
    latency.x = x;
    latency.y = {tr("p99"), 0, 0, [](double s) { return format::duration(s); }};
    latency.lines = {joining, slow};
    latency.limit = m_p99->value() / 1000;
    latency.limitText = tr("asked for: under %1").arg(format::duration(*latency.limit));
    if (m_found) {
        rate.here = QPointF(m_found->concurrency, m_found->rate);
        rate.hereText = tr("where the limit is reached: %1 %2, %3 %4");
        const double worst = slow.points.last().y();
        latency.here = QPointF(m_found->concurrency, m_found->reached ? *latency.limit : worst);
        latency.hereText = rate.hereText;
    }
    // A limit far above all that was measured would press the points to the axis.
    const double slowest = std::max_element(
        slow.points.begin(), slow.points.end(), [](const QPointF& a, const QPointF& b) {
            return a.y() < b.y();
        })->y();
    if (*latency.limit > 4 * slowest) {
        latency.limit.reset();
    }
    m_throughput->setPicture(std::move(rate));
    m_latency->setPicture(std::move(latency));
}

} // namespace sluice::ui

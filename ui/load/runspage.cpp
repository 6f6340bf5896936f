#include "ui/load/runspage.h"

#include "engine/operations/loadtest/runfolder.h"
#include "ui/charts/chartgroup.h"
#include "ui/charts/livechart.h"
#include "ui/load/loadtables.h"
#include "ui/shell/button.h"
#include "ui/shell/card.h"
#include "ui/shell/console.h"
#include "ui/shell/infobanner.h"
#include "ui/shell/stateview.h"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QTableWidget>
#include <algorithm>

namespace sluice::ui {

namespace {

using Runs = QList<ops::LoadResult>;

Result<Runs> readBoth(const QStringList& ids)
{
    Runs runs;
    for (const QString& id : ids) {
        auto run = ops::readRun(ops::runsFolder() + u'/' + id);
        if (!run) {
            return run.error();
        }
        runs << std::move(*run);
    }
    return runs;
}

ChartSeries seriesOf(const ops::LoadResult& run, const QString& name, int style,
    const std::function<double(const ops::LoadSecond&)>& value)
{
    ChartSeries series{name, {}, style, false, true};
    for (const ops::LoadSecond& second : run.seconds) {
        series.points << QPointF(second.second + 1, value(second));
    }
    return series;
}

/// "+4.2 % (+1.0 % to +8.1 %)".
QString changeText(const ops::ComparedFigure& figure)
{
    const auto percent = [](double share) {
        return QString(format::signedFixed(share * 100, 1) % QStringLiteral(" %"));
    };
    return figure.interval ? QStringLiteral("%1 (%2 to %3)")
                                 .arg(percent(figure.change), percent(figure.interval->low),
                                     percent(figure.interval->high))
                           : percent(figure.change);
}

QString valueText(const ops::ComparedFigure& figure, double value)
{
    return figure.unit == QLatin1StringView("ms")   ? format::duration(value / 1000)
        : figure.unit == QLatin1StringView("share") ? format::percent(value)
                                                    : format::number(value);
}

Tone toneOf(ops::Change change)
{
    return change == ops::Change::NoWorse ? Tone::Ok
        : change == ops::Change::Worse    ? Tone::Bad
                                          : Tone::Warn;
}

} // namespace

RunsPage::RunsPage(Console* console, QWidget* parent)
    : QWidget(parent)
    , m_console(console)
    , m_state(new StateView(this))
    , m_open(new Button(tr("Open"), ButtonRole::Primary, this))
    , m_compare(new Button(tr("Compare"), ButtonRole::Plain, this))
    , m_baseline(new Button(tr("Make baseline"), ButtonRole::Plain, this))
    , m_banner(new InfoBanner(this))
    , m_group(new ChartGroup(this))
{
    auto* page = new QWidget(this);
    auto* columns = new QHBoxLayout(page);
    columns->setContentsMargins(0, 0, 0, 0);
    columns->setSpacing(12);
    auto* card = new Card(tr("Runs"), tr("newest first; choose two to compare them"), page);
    m_table = loadTable(tr("Runs"),
        {tr("started"), tr("scenario"), tr("generator"), tr("p95"), tr("p99"), tr("answered /s"),
            tr("errors"), tr("verdict")},
        card);
    m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_table->setSelectionMode(QAbstractItemView::ExtendedSelection);
    card->content()->addWidget(m_banner);
    card->content()->addWidget(m_table, 1);
    auto* buttons = new QHBoxLayout;
    buttons->addWidget(m_baseline);
    buttons->addStretch();
    buttons->addWidget(m_compare);
    buttons->addWidget(m_open);
    card->content()->addLayout(buttons);
    m_open->setToolTip(tr("Shows the run as it was, on the page beside this"));
    m_baseline->setToolTip(tr("Later runs of its scenario are held against it "
                              "(sluicectl load run --gate baseline)"));
    m_compare->setToolTip(tr("Lays the two chosen runs over each other"));
    columns->addWidget(card, 3);
    columns->addWidget(makeComparison(), 2);
    m_state->setDataWidget(page);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_state);
    connect(m_table, &QTableWidget::itemSelectionChanged, this, &RunsPage::updateButtons);
    connect(m_table, &QTableWidget::itemDoubleClicked, this, &RunsPage::openRun);
    connect(m_open, &Button::clicked, this, &RunsPage::openRun);
    connect(m_baseline, &Button::clicked, this, &RunsPage::makeBaseline);
    connect(m_compare, &Button::clicked, this, &RunsPage::compareRuns);
    connect(m_state, &StateView::retryRequested, this, &RunsPage::reload);
    updateButtons();
}

QWidget* RunsPage::makeComparison()
{
    m_comparison =
        new Card(tr("Comparison"), tr("no worse by more than 5 %, with 95 % intervals"), this);
    m_sentence = new Text(FontRole::Base, Ink::Muted,
        tr("Choose two runs, then Compare: what changed, and whether it could be chance."), this);
    m_sentence->setWordWrap(true);
    m_differences = loadTable(tr("Differences"),
        {tr("figure"), tr("before"), tr("after"), tr("change"), {}}, m_comparison);
    m_group->setElapsed(true);
    m_latency = new LiveChart(tr("p95 of both runs"), m_group, Unit::Seconds, m_comparison);
    m_rate =
        new LiveChart(tr("Requests a second of both runs"), m_group, Unit::PerSecond, m_comparison);
    for (LiveChart* chart : {m_latency, m_rate}) {
        chart->setEmptyText(tr("two runs, laid over each other"));
    }
    m_comparison->content()->addWidget(m_sentence);
    m_comparison->content()->addWidget(m_differences, 1);
    m_comparison->content()->addWidget(m_latency, 1);
    m_comparison->content()->addWidget(m_rate, 1);
    return m_comparison;
}

void RunsPage::reload()
{
    if (m_runs.isEmpty()) {
        m_state->showLoading(tr("Reading the runs"), false);
    }
    m_console->jobs()->start<Runs>(
        tr("Reading the load runs"), QStringLiteral("load-runs"),
        [](JobControl&) { return Result<Runs>(ops::listRuns()); }, this,
        [this](Result<Runs> runs) {
            if (runs) {
                fill(*runs);
            } else {
                m_state->showError(tr("The runs can't be read"), runs.error());
            }
        });
}

void RunsPage::fill(const Runs& runs)
{
    m_runs = runs;
    m_table->setRowCount(0);
    const QDateTime now = QDateTime::currentDateTimeUtc();
    for (const ops::LoadResult& run : runs) {
        const int row = m_table->rowCount();
        const QString verdict = run.verdict();
        setLoadRow(m_table, row,
            {format::when(run.startedAt, now)
                    + (ops::baselineOf(run.scenario.name) == run.id ? tr(" · baseline")
                                                                    : QString()),
                run.scenario.name, run.generator, format::duration(run.p95Ms / 1000),
                format::duration(run.p99Ms / 1000), format::number(run.achievedRate),
                format::percent(run.errorShare()),
                QString(Theme::glyph(toneOfVerdict(verdict)) % u' ' % verdict)});
        setTone(m_table->item(row, 7), toneOfVerdict(verdict));
        m_table->item(row, 0)->setToolTip(run.id);
    }
    if (runs.isEmpty()) {
        m_state->showEmpty(tr("No run is kept yet"),
            tr("Every load run is kept with its seconds and histograms: here they are opened "
               "again and compared. They lie in %1.")
                .arg(ops::runsFolder()));
    } else {
        m_state->showData();
    }
    updateButtons();
}

QStringList RunsPage::selected() const
{
    QList<int> rows;
    const QModelIndexList indexes = m_table->selectionModel()->selectedRows();
    for (const QModelIndex& index : indexes) {
        rows << index.row();
    }
    std::sort(rows.begin(), rows.end(), std::greater<>()); // the list begins with the newest
    QStringList ids;
    for (const int row : std::as_const(rows)) {
        ids << m_runs[row].id;
    }
    return ids;
}

void RunsPage::updateButtons()
{
    const auto count = selected().size();
    m_open->setEnabled(count == 1);
    m_baseline->setEnabled(count == 1);
    m_compare->setEnabled(count == 2);
}

void RunsPage::openRun()
{
    const QStringList ids = selected();
    if (ids.size() != 1) {
        return;
    }
    m_console->jobs()->start<Runs>(
        tr("Reading a load run"), QStringLiteral("load-run"),
        [ids](JobControl&) { return readBoth(ids); }, this,
        [this](Result<Runs> runs) {
            if (runs) {
                m_banner->dismiss();
                Q_EMIT opened(runs->first());
            } else {
                m_banner->show(Tone::Bad, QString::fromStdString(runs.error().text()));
            }
        });
}

void RunsPage::compareRuns()
{
    const QStringList ids = selected();
    if (ids.size() != 2) {
        return;
    }
    using Compared = std::pair<Runs, ops::Comparison>;
    m_console->jobs()->start<Compared>(
        tr("Comparing two load runs"), QStringLiteral("load-compare"),
        [ids](JobControl&) -> Result<Compared> {
            auto runs = readBoth(ids);
            if (!runs) {
                return runs.error();
            }
            return Compared{*runs, ops::compareRuns(runs->first(), runs->last())};
        },
        this,
        [this](Result<Compared> compared) {
            if (compared) {
                m_banner->dismiss();
                showComparison(compared->first.first(), compared->first.last(), compared->second);
            } else {
                m_banner->show(Tone::Bad, QString::fromStdString(compared.error().text()));
            }
        });
}

void RunsPage::makeBaseline()
{
    const QStringList ids = selected();
    if (ids.size() != 1) {
        return;
    }
    if (const auto made = ops::setBaseline(ids.first()); !made) {
        m_banner->show(Tone::Bad, QString::fromStdString(made.error().text()));
        return;
    }
    m_banner->show(Tone::Ok,
        tr("Later runs of its scenario are held against it, by `sluicectl load run --gate "
           "baseline` too."));
    fill(Runs(m_runs));
}

void RunsPage::showComparison(
    const ops::LoadResult& before, const ops::LoadResult& after, const ops::Comparison& comparison)
{
    m_differences->setRowCount(0);
    for (const ops::ComparedFigure& figure : comparison.figures) {
        const int row = m_differences->rowCount();
        const Tone tone = toneOf(figure.verdict);
        setLoadRow(m_differences, row,
            {figure.name, valueText(figure, figure.before), valueText(figure, figure.after),
                changeText(figure), Theme::glyph(tone)});
        setTone(m_differences->item(row, 4), tone);
        m_differences->item(row, 4)->setToolTip(ops::toString(figure.verdict));
        m_differences->item(row, 4)->setData(Qt::AccessibleTextRole, ops::toString(figure.verdict));
    }
    const bool worse = std::any_of(comparison.figures.begin(), comparison.figures.end(),
        [](const ops::ComparedFigure& figure) { return figure.verdict == ops::Change::Worse; });
    QString sentence = comparison.noWorse() ? tr("Shown to be no worse.")
        : worse                             ? tr("Worse, beyond chance.")
                                            : tr("Not shown to be no worse: the runs are too "
                                                                             "short, too noisy, or not comparable.");
    for (const QString& note : comparison.notes) {
        sentence += u' ' + note;
    }
    m_sentence->setInk(comparison.noWorse() ? Ink::Ok : worse ? Ink::Bad : Ink::Warn);
    m_sentence->setText(sentence);
    const QDateTime now = QDateTime::currentDateTimeUtc();
    const QString first = tr("before, %1").arg(format::when(before.startedAt, now));
    const QString second = tr("after, %1").arg(format::when(after.startedAt, now));
    const auto p95 = [](const ops::LoadSecond& one) { return one.p95Ms / 1000; };
    const auto rate = [](const ops::LoadSecond& one) { return double(one.completed); };
    m_group->resetZoom();
    m_group->setLiveRange(
        0, std::max<double>(1, double(std::max(before.seconds.size(), after.seconds.size()))));
    m_latency->setSeries({seriesOf(before, first, 0, p95), seriesOf(after, second, 2, p95)});
    m_rate->setSeries({seriesOf(before, first, 0, rate), seriesOf(after, second, 2, rate)});
}

} // namespace sluice::ui

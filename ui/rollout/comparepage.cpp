#include "ui/rollout/comparepage.h"

#include "engine/base/file.h"
#include "engine/operations/rollout/abreader.h"
#include "engine/operations/rollout/abreport.h"
#include "ui/rollout/gatetable.h"
#include "ui/rollout/rolloutfeed.h"
#include "ui/shell/button.h"
#include "ui/shell/card.h"
#include "ui/shell/console.h"
#include "ui/shell/format.h"
#include "ui/shell/infobanner.h"
#include "ui/shell/stateview.h"

#include <QFileDialog>
#include <QHeaderView>
#include <QPainter>
#include <QStyledItemDelegate>
#include <QTableWidget>
#include <QVBoxLayout>
#include <cmath>

namespace sluice::ui {

namespace {

enum Column
{
    Name,
    Canary,
    Stable,
    Difference,
    Picture,
    Says,
    Columns
};

constexpr int lowRole = Qt::UserRole;
constexpr int valueRole = Qt::UserRole + 1;
constexpr int highRole = Qt::UserRole + 2;
constexpr int toneRole = Qt::UserRole + 3;

/// A difference as a line from low to high about zero, each row to its own scale.
class IntervalDelegate : public QStyledItemDelegate
{
public:
    using QStyledItemDelegate::QStyledItemDelegate;

    void paint(QPainter* painter, const QStyleOptionViewItem& option,
        const QModelIndex& index) const override
    {
        QStyledItemDelegate::paint(painter, option, index);
        const QVariant low = index.data(lowRole);
        if (!low.isValid()) {
            return;
        }
        const double from = low.toDouble();
        const double to = index.data(highRole).toDouble();
        const double most = std::max({std::abs(from), std::abs(to), 1e-12}) * 1.1;
        const QRectF area = QRectF(option.rect).adjusted(6, 4, -6, -4);
        const auto xOf = [&](double value) {
            return area.center().x() + value / most * area.width() / 2;
        };
        const double y = area.center().y();
        painter->save();
        painter->setRenderHint(QPainter::Antialiasing);
        painter->setPen(QPen(theme().colors().line, 1));
        painter->drawLine(QPointF(area.left(), y), QPointF(area.right(), y));
        painter->setPen(QPen(theme().colors().muted, 1, Qt::DashLine));
        painter->drawLine(QPointF(xOf(0), area.top()), QPointF(xOf(0), area.bottom()));
        const QColor ink = index.data(toneRole).value<QColor>();
        painter->setPen(QPen(ink, 2));
        painter->drawLine(QPointF(xOf(from), y), QPointF(xOf(to), y));
        for (const double end : {from, to}) {
            painter->drawLine(QPointF(xOf(end), y - 4), QPointF(xOf(end), y + 4));
        }
        painter->setBrush(ink);
        painter->setPen(Qt::NoPen);
        painter->drawEllipse(QPointF(xOf(index.data(valueRole).toDouble()), y), 3.5, 3.5);
        painter->restore();
    }
};

Tone toneOf(const ops::ComparedMeasure& measure)
{
    return measure.isWorse() ? Tone::Bad : measure.isBetter() ? Tone::Ok : Tone::None;
}

} // namespace

ComparePage::ComparePage(Console* console, RolloutFeed* feed, QWidget* parent)
    : QWidget(parent)
    , m_console(console)
    , m_feed(feed)
    , m_state(new StateView(this))
{
    auto* page = new QWidget(this);
    auto* rows = new QVBoxLayout(page);
    rows->setContentsMargins(0, 0, 0, 0);
    rows->setSpacing(12);
    auto* card =
        new Card(tr("New against old"), tr("unit: session; 95 % intervals, each by itself"), page);
    m_again = new Button(tr("Compare again"), ButtonRole::Flat, card);
    m_report = new Button(tr("Report…"), ButtonRole::Flat, card);
    m_report->setToolTip(tr("This comparison as a page for a browser"));
    card->addToTitle(m_again);
    card->addToTitle(m_report);
    m_summary = new Text(FontRole::Base, Ink::Muted, {}, card);
    m_summary->setWordWrap(true);
    card->content()->addWidget(m_summary);
    m_banner = new InfoBanner(card);
    card->content()->addWidget(m_banner);
    m_measures = new QTableWidget(0, Columns, card);
    dressRolloutTable(m_measures, tr("Measures of both pools"));
    m_measures->setItemDelegateForColumn(Picture, new IntervalDelegate(m_measures));
    m_measures->horizontalHeader()->setSectionResizeMode(Name, QHeaderView::ResizeToContents);
    m_measures->horizontalHeader()->setSectionResizeMode(Picture, QHeaderView::Stretch);
    card->content()->addWidget(m_measures, 1);
    rows->addWidget(card, 2);
    auto* below = new Card(tr("Decided differently"),
        tr("the same query, asked of both; what users meet most often first"), page);
    m_agreement = new Text(FontRole::Base, Ink::Muted, {}, below);
    m_agreement->setWordWrap(true);
    below->content()->addWidget(m_agreement);
    m_queries = new QTableWidget(0, 3, below);
    dressRolloutTable(m_queries, tr("Queries that are decided differently"));
    m_queries->horizontalHeader()->setSectionResizeMode(0, QHeaderView::Stretch);
    below->content()->addWidget(m_queries, 1);
    m_left = new Text(FontRole::Base, Ink::Muted, {}, below);
    m_left->setWordWrap(true);
    below->content()->addWidget(m_left);
    rows->addWidget(below, 1);
    m_state->setDataWidget(page);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_state);
    connect(m_again, &Button::clicked, this, [this] { compare(); });
    connect(m_report, &Button::clicked, this, &ComparePage::saveReport);
    connect(m_state, &StateView::retryRequested, this, [this] { compare(); });
    connect(m_state, &StateView::actionTriggered, this,
        [this] { m_console->hasEnvironment() ? compare() : m_console->startLocalStack(); });
    connect(
        feed, &RolloutFeed::changed, this, [this] { isVisible() ? activated() : updateState(); });
    connect(console, &Console::sourceChanged, this, [this] { updateState(); });
    connect(console, &Console::localStackChanged, this, &ComparePage::updateState);
    connect(console, &Console::environmentChanged, this, [this] {
        ++m_epoch;
        m_comparison.reset();
        m_error.reset();
        m_rolloutId.clear();
        m_busy = false;
        updateState();
    });
    connect(&theme(), &Theme::changed, this, &ComparePage::fill);
    updateState();
}

void ComparePage::activated()
{
    const bool known = m_feed->rollout() && m_feed->rollout()->state.startedMs > 0;
    if (known && m_rolloutId != m_feed->rollout()->state.rolloutId) {
        compare();
    }
    updateState();
}

void ComparePage::compare(std::function<void(const std::optional<ops::AbComparison>&)> then)
{
    const auto tell = [then](const std::optional<ops::AbComparison>& made) {
        if (then) {
            then(made);
        }
    };
    const bool known = m_feed->rollout() && m_feed->rollout()->state.startedMs > 0;
    if (!known || m_busy || !m_console->source(Source::Redis).isUp()) {
        tell(m_comparison);
        return;
    }
    const ops::RolloutState& state = m_feed->rollout()->state;
    const qint64 from = state.startedMs;
    const qint64 to = state.endMs(QDateTime::currentMSecsSinceEpoch());
    m_busy = true;
    m_error.reset();
    m_rolloutId = state.rolloutId;
    updateState();
    const int epoch = m_epoch;
    const auto failed = [this, tell](const Error& error) {
        m_busy = false;
        m_error = error;
        updateState();
        tell({});
    };
    ops::readAbRows(m_console->redis(), from, to, this,
        [=, this, canary = state.canary, stable = state.stable](
            const Result<std::shared_ptr<ops::AbRows>>& rows) {
            if (epoch != m_epoch) {
                tell({});
                return;
            }
            if (!rows) {
                failed(rows.error());
                return;
            }
            m_console->jobs()->start<ops::AbComparison>(
                tr("New against old"), QStringLiteral("rollout-compare"),
                [rows = *rows, canary, stable, from, to](
                    JobControl& control) -> Result<ops::AbComparison> {
                    return ops::compareAb(rows->decisions, rows->feedback, canary, stable, from, to,
                        control.cancelFlag());
                },
                this,
                [=, this](const Result<ops::AbComparison>& made) {
                    if (epoch != m_epoch) {
                        tell({});
                    } else if (!made) {
                        failed(made.error());
                    } else {
                        m_busy = false;
                        show(*made);
                        tell(m_comparison);
                    }
                });
        });
}

void ComparePage::show(const ops::AbComparison& comparison)
{
    m_comparison = comparison;
    fill();
    updateState();
}

void ComparePage::fill()
{
    if (!m_comparison) {
        return;
    }
    const ops::AbComparison& made = *m_comparison;
    const Colors& colors = theme().colors();
    const auto clock = [](qint64 ms) {
        return format::when(QDateTime::fromMSecsSinceEpoch(ms), QDateTime::currentDateTime());
    };
    m_summary->setText(
        tr("%1 to %2: %3 sessions with %4 decisions on %5, %6 with %7 on %8, from "
           "the times in which both had some.")
            .arg(clock(made.fromMs), clock(made.toMs), format::count(double(made.canarySessions)),
                format::count(double(made.canaryDecisions)), made.canary,
                format::count(double(made.stableSessions)),
                format::count(double(made.stableDecisions)), made.stable));
    m_measures->setHorizontalHeaderLabels({tr("measure"), made.canary, made.stable,
        tr("difference"), tr("difference, about none"), tr("says")});
    m_measures->horizontalHeaderItem(Name)->setTextAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    m_measures->setRowCount(int(made.measures.size()));
    for (int row = 0; row < m_measures->rowCount(); ++row) {
        const ops::ComparedMeasure& measure = made.measures[row];
        const Tone tone = toneOf(measure);
        const QColor ink = tone == Tone::None ? colors.text : theme().color(tone);
        const QString sessions =
            tr("from %1 sessions of %2 and %3 of %4")
                .arg(format::count(double(measure.canarySessions)), made.canary,
                    format::count(double(measure.stableSessions)), made.stable);
        setCell(m_measures, row, Name, measure.name, {}, sessions);
        setCell(
            m_measures, row, Canary, ops::estimateText(measure.canary, measure.unit), {}, sessions);
        setCell(m_measures, row, Stable, ops::estimateText(measure.stable, measure.unit),
            colors.muted, sessions);
        setCell(m_measures, row, Difference,
            ops::estimateText(measure.difference,
                measure.unit == QLatin1StringView("%") ? tr("points") : measure.unit, true),
            ink, sessions);
        setCell(m_measures, row, Picture, {}, {}, ops::differenceText(measure, made.canary));
        QTableWidgetItem* picture = m_measures->item(row, Picture);
        const bool drawn = !std::isnan(measure.difference.low);
        picture->setData(lowRole, drawn ? QVariant(measure.difference.low) : QVariant());
        picture->setData(valueRole, measure.difference.value);
        picture->setData(highRole, measure.difference.high);
        picture->setData(toneRole, measure.differs() ? ink : colors.muted);
        picture->setData(Qt::AccessibleTextRole, ops::differenceText(measure, made.canary));
        setCell(m_measures, row, Says,
            (tone == Tone::None ? QString() : QString(Theme::glyph(tone) + u' '))
                + ops::differenceText(measure, made.canary),
            tone == Tone::None ? colors.muted : ink, sessions);
        m_measures->item(row, Says)->setTextAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    }
    m_agreement->setText(made.sharedQueries == 0
            ? tr("No query was asked of both pools, or the log keeps no text: agreement can't be "
                 "told.")
            : tr("%1 queries were asked of both; decided alike: %2 of pairs. %3 with itself: %4, "
                 "since context differs from session to session.")
                  .arg(format::count(double(made.sharedQueries)),
                      ops::estimateText(made.agreement, QStringLiteral("%")), made.stable,
                      ops::estimateText(made.selfAgreement, QStringLiteral("%"))));
    m_queries->setHorizontalHeaderLabels({tr("query"), made.canary, made.stable});
    m_queries->horizontalHeaderItem(0)->setTextAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    m_queries->setRowCount(int(made.disagreements.size()));
    for (int row = 0; row < m_queries->rowCount(); ++row) {
        const ops::Disagreement& one = made.disagreements[row];
        setCell(m_queries, row, 0, one.query, {}, one.query);
        setCell(m_queries, row, 1, tr("%1 (%2×)").arg(one.canary).arg(one.canaryCount));
        setCell(
            m_queries, row, 2, tr("%1 (%2×)").arg(one.stable).arg(one.stableCount), colors.muted);
    }
    QStringList left;
    const auto leave = [&left](qint64 count, const QString& what) {
        if (count > 0) {
            left << what.arg(format::count(double(count)));
        }
    };
    leave(made.moved, tr("sessions that met both pools: %1"));
    leave(made.outside, tr("decisions of times in which one pool alone had sessions: %1"));
    leave(made.unmatchedFeedback, tr("feedback about answers that are not in the log: %1"));
    m_left->setText(
        left.isEmpty() ? QString() : tr("Left out: %1.").arg(left.join(QStringLiteral("; "))));
    m_left->setVisible(!left.isEmpty());
}

void ComparePage::updateState()
{
    const SourceState redis = m_console->source(Source::Redis);
    const bool known = m_feed->rollout() && m_feed->rollout()->state.startedMs > 0;
    m_again->setEnabled(!m_busy);
    m_report->setEnabled(m_comparison.has_value());
    if (!m_console->hasEnvironment()) {
        m_console->isLocalStackStarting()
            ? m_state->showLoading(tr("Starting the local stack"), false)
            : m_state->showEmpty(tr("No environment is connected"),
                tr("What old and new decide is compared from the decision log in Redis."),
                tr("Start the local stack"));
    } else if (redis.kind == SourceState::Kind::NotConfigured) {
        m_state->showDisconnected({tr("This environment has no Redis"),
            tr("The decision log and the feedback are kept there."),
            tr("Add it to the environment, or start the local stack.")});
    } else if (redis.kind == SourceState::Kind::Lost) {
        m_state->showDisconnected({tr("Redis does not answer"), redis.error,
                                      tr("What was compared before stays as it is.")},
            m_comparison ? format::clock(QDateTime::fromMSecsSinceEpoch(m_comparison->toMs))
                         : QString());
    } else if (m_error) {
        m_state->showError(tr("Old and new can't be compared"), *m_error);
    } else if (m_busy && !m_comparison) {
        m_state->showLoading(tr("Reading the decisions of both pools"), false);
    } else if (!known) {
        m_state->showEmpty(tr("No rollout yet"),
            tr("Once a release has a share of the sessions, this page holds what it decides "
               "against what the pool so far decides."));
    } else if (m_comparison && m_comparison->isEmpty()) {
        m_state->showEmpty(tr("Nothing to compare yet"),
            tr("There is no time in which both pools had sessions in the decision log. It keeps a "
               "share of them (decision_log.share of the workers' configuration)."),
            tr("Compare again"));
    } else if (m_comparison) {
        m_state->showData();
    } else {
        m_state->showLoading(tr("Reading the decisions of both pools"), false);
    }
}

Result<void> ComparePage::save(const QString& file) const
{
    return writeFileAtomically(file.toStdString(),
        ops::abDocument(m_comparison.value_or(ops::AbComparison()), m_console->environment().name)
            .toStdString());
}

void ComparePage::saveReport()
{
    auto* dialog = new QFileDialog(this, tr("Save the comparison"),
        tr("%1-compared.html").arg(m_rolloutId), tr("Web page (*.html)"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    connect(dialog, &QFileDialog::fileSelected, this, [this](const QString& file) {
        const auto saved = save(file);
        saved ? m_banner->show(Tone::Ok, tr("Saved as %1.").arg(file))
              : m_banner->show(Tone::Bad, QString::fromStdString(saved.error().text()));
    });
    dialog->open();
}

} // namespace sluice::ui

#include "ui/thresholds/flipsview.h"

#include "engine/classification/thresholds/statistics.h"
#include "ui/shell/format.h"
#include "ui/shell/text.h"
#include "ui/shell/theme.h"
#include "ui/thresholds/rowtable.h"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QTableWidget>
#include <QVBoxLayout>

namespace sluice::ui {

namespace {

constexpr Verdict verdicts[] = {Verdict::Accept, Verdict::Clarify, Verdict::Fallback};
constexpr int mostListed = 500;

QString word(Verdict verdict)
{
    return verdict == Verdict::Accept ? FlipsView::tr("accept")
        : verdict == Verdict::Clarify ? FlipsView::tr("clarify")
                                      : FlipsView::tr("fall back");
}

/// The first column takes the room.
QTableWidget* makeTable(const QStringList& headers, const QString& name, QWidget* parent)
{
    QTableWidget* table = rowTable(headers, name, parent);
    table->horizontalHeader()->setSectionResizeMode(0, QHeaderView::Stretch);
    return table;
}

/// Said once of all items: each one's own word would measure every column anew.
void shown(QTableWidget* table, QSignalBlocker& quiet)
{
    quiet.unblock();
    QAbstractItemModel* model = table->model();
    if (model->rowCount() > 0) {
        Q_EMIT model->dataChanged(
            model->index(0, 0), model->index(model->rowCount() - 1, model->columnCount() - 1));
    }
}

} // namespace

FlipsView::FlipsView(TuningSession* session, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
    , m_kinds(makeTable(
          {tr("change"), tr("labelled"), tr("traffic"), tr("share")}, tr("Changes by kind"), this))
    , m_list(makeTable({tr("query"), tr("candidate"), tr("confidence"), tr("effect")},
          tr("Queries whose decision changes"), this))
    , m_verdict(new Text(FontRole::Base, Ink::Muted, {}, this))
    , m_title(new Text(FontRole::Base, Ink::Muted, {}, this))
{
    m_verdict->setWordWrap(true);
    m_title->setElided(true);
    auto* left = new QVBoxLayout;
    left->addWidget(m_kinds, 1);
    left->addWidget(m_verdict);
    auto* right = new QVBoxLayout;
    right->addWidget(m_title);
    right->addWidget(m_list, 1);
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(12);
    layout->addLayout(left, 2);
    layout->addLayout(right, 3);
    connect(session, &TuningSession::figuresChanged, this, &FlipsView::refresh);
    connect(session, &TuningSession::chartsChanged, this, &FlipsView::showQueries);
    connect(m_kinds, &QTableWidget::currentCellChanged, this, &FlipsView::showQueries);
}

void FlipsView::refresh()
{
    const Replay& labelled = m_session->figures().replay;
    const ops::TuningFigures* traffic = m_session->trafficFigures();
    const QSignalBlocker quiet(m_kinds);
    m_kinds->setRowCount(6);
    QSignalBlocker quietModel(m_kinds->model());
    int row = 0;
    for (const Verdict before : verdicts) {
        for (const Verdict after : verdicts) {
            if (before == after) {
                continue;
            }
            const std::uint32_t here = labelled.flips[std::size_t(before)][std::size_t(after)];
            const std::uint32_t there = traffic == nullptr
                ? 0
                : traffic->replay.flips[std::size_t(before)][std::size_t(after)];
            const QString texts[] = {QString(word(before) % u" → " % word(after)),
                format::count(here), traffic == nullptr ? format::missing() : format::count(there),
                traffic == nullptr
                    ? format::missing()
                    : format::percent(double(there)
                        / double(traffic->outcome.accepted + traffic->outcome.clarified
                            + traffic->outcome.fallback))};
            for (int column = 0; column < 4; ++column) {
                auto* item = new QTableWidgetItem(texts[column]);
                item->setTextAlignment(
                    (column == 0 ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
                item->setData(Qt::UserRole, int(before) * 3 + int(after));
                m_kinds->setItem(row, column, item);
            }
            ++row;
        }
    }
    shown(m_kinds, quietModel);
    const double p = mcnemar(labelled.worse, labelled.better);
    const QString against = m_session->hasLive() ? tr("set %1").arg(m_session->live().number)
                                                 : tr("the model's own thresholds");
    m_verdict->setText(labelled.worse + labelled.better == 0
            ? tr("Against %1: no labelled query gets better or worse.").arg(against)
            : tr("Against %1: %2 labelled queries get better, %3 worse. McNemar's exact p %4: %5")
                  .arg(against)
                  .arg(labelled.better)
                  .arg(labelled.worse)
                  .arg(p < 0.001 ? QStringLiteral("< 0.001") : QString(u"= " % format::fixed(p, 3)),
                      p > 0.05                               ? tr("may be an accident.")
                          : labelled.better > labelled.worse ? tr("better, and no accident.")
                                                             : tr("worse, and no accident.")));
}

QStringList FlipsView::rowOf(const ops::Flip& flip, bool traffic) const
{
    const auto& labels = m_session->classifier().model().labels();
    const auto nameOf = [&](int label) {
        return label < 0 ? format::missing() : QString::fromStdString(labels[std::size_t(label)]);
    };
    if (traffic) {
        const RecordedRow& row = m_session->traffic()->recorded[flip.row];
        const QString text = QString::fromStdString(m_session->traffic()->rows[flip.row].query);
        return {text.isEmpty() ? tr("(not logged)") : text, nameOf(row.predicted),
            format::fixed(row.first, 3), tr("traffic")};
    }
    const ScoredRow& row = m_session->data().rows[flip.row];
    const QString effect = flip.effect == ops::Flip::Effect::Better ? tr("✓ better")
        : flip.effect == ops::Flip::Effect::Worse                   ? tr("✕ worse")
                                                                    : tr("○ neither");
    return {QString::fromStdString(m_session->data().queries[row.query].text),
        nameOf(row.candidates > 0 ? row.top[0].label : -1),
        format::fixed(row.candidates > 0 ? row.top[0].confidence : 0, 3), effect};
}

void FlipsView::showQueries()
{
    const QTableWidgetItem* current = m_kinds->item(m_kinds->currentRow(), 0);
    const int wanted = current == nullptr ? -1 : current->data(Qt::UserRole).toInt();
    const TuningCharts& charts = m_session->charts();
    QList<QStringList> rows;
    std::size_t all = 0;
    const auto take = [&](const std::vector<ops::Flip>& flips, bool traffic) {
        for (const ops::Flip& flip : flips) {
            if (wanted < 0 || wanted == int(flip.before) * 3 + int(flip.after)) {
                ++all;
                if (rows.size() < mostListed) {
                    rows << rowOf(flip, traffic);
                }
            }
        }
    };
    take(charts.flips, false);
    take(charts.trafficFlips, true);
    m_title->setText(all == 0 ? tr("No query's decision changes")
            : wanted < 0      ? tr("All changes (%1) · choose a kind at the left").arg(all)
                              : tr("%1: %2").arg(current->text()).arg(all));
    m_list->setRowCount(int(rows.size()));
    QSignalBlocker quietModel(m_list->model());
    for (int row = 0; row < rows.size(); ++row) {
        for (int column = 0; column < 4; ++column) {
            auto* item = new QTableWidgetItem(rows[row][column]);
            item->setToolTip(rows[row][column]);
            item->setTextAlignment(
                (column == 2 ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
            if (column == 3) {
                const QChar glyph = rows[row][3].front();
                item->setForeground(theme().color(glyph == u'✓' ? Tone::Ok
                        : glyph == u'✕'                         ? Tone::Bad
                                                                : Tone::None));
            }
            m_list->setItem(row, column, item);
        }
    }
    shown(m_list, quietModel);
}

} // namespace sluice::ui

#include "ui/thresholds/versionsview.h"

#include "engine/classification/thresholds/changes.h"
#include "ui/shell/button.h"
#include "ui/shell/format.h"
#include "ui/shell/text.h"
#include "ui/thresholds/rowtable.h"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QTableWidget>
#include <QVBoxLayout>

namespace sluice::ui {

namespace {

void put(QTableWidget* table, int row, int column, const QString& text)
{
    QTableWidgetItem* item = table->item(row, column);
    if (item == nullptr) {
        item = new QTableWidgetItem;
        table->setItem(row, column, item);
    }
    item->setText(text);
    item->setToolTip(text);
}

} // namespace

QString differenceText(const ThresholdSet& before, const ThresholdSet& after, int most)
{
    const std::vector<ThresholdChange> changes = diff(before, after);
    QStringList lines;
    for (const ThresholdChange& change : changes) {
        if (lines.size() == most) {
            lines << VersionsView::tr("and %1 more").arg(changes.size() - std::size_t(most));
            break;
        }
        lines << QString::fromStdString(toText(change));
    }
    return lines.isEmpty() ? VersionsView::tr("they decide alike") : lines.join(u'\n');
}

VersionsView::VersionsView(TuningSession* session, Pools* pools, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
    , m_pools(pools)
    , m_pool(Pools::names().first())
    , m_workers(
          rowTable({tr("worker"), tr("pool"), tr("serves")}, tr("Set served by each worker"), this))
    , m_versions(rowTable({tr("set"), tr("when"), tr("who"), tr("why"), tr("global"), tr("serves")},
          tr("Published sets"), this))
    , m_diff(new Text(FontRole::Base, Ink::Muted, {}, this))
{
    m_workers->setSelectionMode(QAbstractItemView::NoSelection);
    m_workers->horizontalHeader()->setSectionResizeMode(0, QHeaderView::Stretch);
    m_versions->horizontalHeader()->setSectionResizeMode(3, QHeaderView::Stretch);
    m_diff->setWordWrap(true);
    m_diff->setAlignment(Qt::AlignTop | Qt::AlignLeft);
    m_open = new Button(tr("Open as draft"), ButtonRole::Plain, this);
    m_back = new Button(tr("Serve it again…"), ButtonRole::Plain, this);
    auto* buttons = new QHBoxLayout;
    buttons->addWidget(m_diff, 1);
    buttons->addWidget(m_open, 0, Qt::AlignBottom);
    buttons->addWidget(m_back, 0, Qt::AlignBottom);
    auto* right = new QVBoxLayout;
    right->addWidget(m_versions, 1);
    right->addLayout(buttons);
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(12);
    layout->addWidget(m_workers, 2);
    layout->addLayout(right, 3);
    connect(pools, &Pools::changed, this, &VersionsView::refresh);
    connect(session, &TuningSession::figuresChanged, this, &VersionsView::showDifference);
    connect(m_versions, &QTableWidget::currentCellChanged, this, &VersionsView::showDifference);
    connect(m_open, &Button::clicked, this, [this] {
        if (const ThresholdSet* set = current()) {
            ThresholdSet draft = *set;
            draft.number = 0;
            m_session->edit(draft, tr("set %1 as draft").arg(set->number));
        }
    });
    connect(m_back, &Button::clicked, this, [this] {
        if (const ThresholdSet* set = current()) {
            Q_EMIT activateRequested(set->number);
        }
    });
    showDifference();
}

void VersionsView::setPool(const QString& pool)
{
    m_pool = pool;
    refresh();
}

const ThresholdSet* VersionsView::current() const
{
    const int row = m_versions->currentRow();
    return row >= 0 && row < m_pools->versions().size() ? &m_pools->versions()[row] : nullptr;
}

void VersionsView::refresh()
{
    showWorkers();
    showVersions();
    showDifference();
}

void VersionsView::showWorkers()
{
    const QList<ops::WorkerInfo>& workers = m_pools->workers();
    m_workers->setRowCount(int(workers.size()));
    for (int row = 0; row < workers.size(); ++row) {
        const ops::WorkerInfo& worker = workers[row];
        const auto active = m_pools->active(worker.endpoint.pool);
        const bool there = worker.reachable && worker.thresholdSet == (active ? active->number : 0);
        put(m_workers, row, 0, worker.endpoint.url.authority());
        put(m_workers, row, 1, worker.endpoint.pool);
        put(m_workers, row, 2,
            !worker.reachable ? tr("✕ away")
                : there       ? tr("✓ set %1").arg(worker.thresholdSet)
                              : tr("◌ set %1").arg(worker.thresholdSet));
        QTableWidgetItem* serves = m_workers->item(row, 2);
        serves->setForeground(theme().color(there ? Tone::Ok
                : worker.reachable                ? Tone::Warn
                                                  : Tone::Bad));
        serves->setToolTip(worker.reachable
                ? tr("version %1, model %2")
                      .arg(worker.version, format::shortHash(worker.modelHash))
                : worker.error);
    }
}

void VersionsView::showVersions()
{
    const QList<ThresholdSet>& versions = m_pools->versions();
    const QSignalBlocker quiet(m_versions);
    m_versions->setRowCount(int(versions.size()));
    for (int row = 0; row < versions.size(); ++row) {
        const ThresholdSet& set = versions[row];
        QStringList serving;
        for (const QString& pool : Pools::names()) {
            const auto active = m_pools->active(pool);
            if (active && active->number == set.number) {
                serving << pool;
            }
        }
        const QDateTime at =
            QDateTime::fromString(QString::fromStdString(set.createdAt), Qt::ISODate);
        put(m_versions, row, 0, QString::number(set.number));
        put(m_versions, row, 1,
            at.isValid() ? format::when(at, QDateTime::currentDateTimeUtc()) : format::missing());
        put(m_versions, row, 2, QString::fromStdString(set.author));
        put(m_versions, row, 3,
            set.comment.empty() ? format::missing() : QString::fromStdString(set.comment));
        put(m_versions, row, 4, format::fixed(set.global, 3));
        put(m_versions, row, 5, serving.join(QStringLiteral(", ")));
    }
    if (m_versions->currentRow() < 0 && !versions.isEmpty()) {
        m_versions->selectRow(0);
    }
}

void VersionsView::showDifference()
{
    const ThresholdSet* set = current();
    const auto active = m_pools->active(m_pool);
    m_open->setEnabled(set != nullptr && m_session->hasData());
    m_back->setEnabled(set != nullptr && m_pools->isConnected() && !m_pools->isBusy()
        && !(active && active->number == set->number));
    m_back->setText(tr("Serve it on %1…").arg(m_pool));
    if (set == nullptr) {
        m_diff->setText(
            m_pools->trouble().isEmpty() ? tr("Nothing was published yet.") : m_pools->trouble());
        return;
    }
    QString text;
    for (const ops::Publication& one : m_pools->publications()) {
        if (one.to == set->number) {
            text += tr("%1 pointed %2 to it at %3. ")
                        .arg(one.by.isEmpty() ? tr("somebody") : one.by, one.pool,
                            one.at.toLocalTime().toString(QStringLiteral("d MMM HH:mm:ss")));
            break;
        }
    }
    if (m_session->hasData()) {
        text += tr("From it to the draft: %1")
                    .arg(differenceText(*set, m_session->draft(), 3)
                             .replace(u'\n', QStringLiteral(" · ")));
    }
    m_diff->setText(text);
}

} // namespace sluice::ui

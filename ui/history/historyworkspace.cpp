#include "ui/history/historyworkspace.h"

#include "engine/base/file.h"
#include "engine/operations/record/historyexport.h"
#include "ui/history/historymodel.h"
#include "ui/shell/button.h"
#include "ui/shell/card.h"
#include "ui/shell/console.h"
#include "ui/shell/format.h"
#include "ui/shell/infobanner.h"
#include "ui/shell/mainwindow.h"
#include "ui/shell/plaintable.h"
#include "ui/shell/stateview.h"

#include <QAction>
#include <QComboBox>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLineEdit>
#include <QTableView>
#include <QTableWidget>
#include <QVBoxLayout>
#include <algorithm>

namespace sluice::ui {

namespace {

constexpr int mostListed = 5000;

/// The page where a thing of this kind is to be seen.
QString pageOf(const QString& kind)
{
    static const QHash<QString, QString> pages{
        {QStringLiteral("publish"), QStringLiteral("thresholds")},
        {QStringLiteral("evaluate"), QStringLiteral("thresholds")},
        {QStringLiteral("train"), QStringLiteral("classify")},
        {QStringLiteral("load"), QStringLiteral("load")},
        {QStringLiteral("shift"), QStringLiteral("rollout")},
        {QStringLiteral("rollback"), QStringLiteral("rollout")},
        {QStringLiteral("rollout"), QStringLiteral("rollout")},
        {QStringLiteral("acknowledge"), QStringLiteral("monitor")},
        {QStringLiteral("stack"), QStringLiteral("monitor")}};
    return pages.value(kind);
}

} // namespace

HistoryWorkspace::HistoryWorkspace(Console* console, QWidget* parent)
    : Workspace(console, QStringLiteral("history"), tr("History"), parent)
    , m_model(new HistoryModel(this))
    , m_state(new StateView(this))
    , m_banner(new InfoBanner(this))
{
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(12);
    layout->addWidget(makeFilters());
    layout->addWidget(m_banner);
    m_state->setDataWidget(makePage());
    layout->addWidget(m_state, 1);
    addActions();

    connect(m_filter, &QLineEdit::textChanged, this, &HistoryWorkspace::refresh);
    connect(m_kind, &QComboBox::currentIndexChanged, this, &HistoryWorkspace::refresh);
    connect(m_period, &QComboBox::currentIndexChanged, this, &HistoryWorkspace::refresh);
    connect(m_table->selectionModel(), &QItemSelectionModel::selectionChanged, this,
        &HistoryWorkspace::showDetails);
    connect(m_table, &QTableView::activated, this, &HistoryWorkspace::openThing);
    connect(m_open, &Button::clicked, this, &HistoryWorkspace::openThing);
    connect(console->history(), &ops::History::added, this, &HistoryWorkspace::refresh);
    connect(m_state, &StateView::retryRequested, this, &HistoryWorkspace::refresh);
    connect(m_state, &StateView::actionTriggered, this, [this] {
        m_filter->clear();
        m_kind->setCurrentIndex(0);
        m_period->setCurrentIndex(0);
    });
}

QWidget* HistoryWorkspace::makeFilters()
{
    auto* row = new QWidget(this);
    m_filter = new QLineEdit(row);
    m_filter->setPlaceholderText(tr("Filter by who, what, or outcome   Ctrl+F"));
    m_filter->setAccessibleName(tr("Filter"));
    m_filter->setClearButtonEnabled(true);
    m_filter->setTextMargins(6, 0, 6, 0);
    m_kind = new QComboBox(row);
    m_kind->setAccessibleName(tr("Kind"));
    m_kind->addItem(tr("everything"), QString());
    m_period = new QComboBox(row);
    m_period->setAccessibleName(tr("Period"));
    m_period->addItem(tr("at any time"), 0);
    m_period->addItem(tr("in the last day"), 1);
    m_period->addItem(tr("in the last 7 days"), 7);
    m_period->addItem(tr("in the last 30 days"), 30);
    auto* save = new Button(tr("Export…"), ButtonRole::Plain, row);
    save->setToolTip(tr("Writes what is listed as CSV or JSON (Ctrl+S)"));
    connect(save, &Button::clicked, this, &HistoryWorkspace::chooseFile);
    auto* layout = new QHBoxLayout(row);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(12);
    layout->addWidget(m_filter, 1);
    layout->addWidget(m_kind);
    layout->addWidget(m_period);
    layout->addWidget(save);
    return row;
}

QWidget* HistoryWorkspace::makePage()
{
    auto* page = new QWidget(this);
    auto* list = new Card(
        tr("What was done"), tr("newest first · Ctrl selects a second one to compare"), page);
    m_table = new QTableView(list);
    plainTable(m_table, tr("History"));
    m_table->setModel(m_model);
    m_table->setSelectionMode(QAbstractItemView::ExtendedSelection);
    m_table->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
    m_table->horizontalHeader()->setSectionResizeMode(HistoryModel::Subject, QHeaderView::Stretch);
    list->content()->addWidget(m_table, 1);

    m_beside = new Card(tr("The thing itself"), {}, page);
    m_beside->setFixedWidth(360);
    m_title = new Text(FontRole::Title, Ink::Text, {}, m_beside);
    m_title->setWordWrap(true);
    m_details = new QTableWidget(0, 2, m_beside);
    plainTable(m_details, tr("Details"));
    m_open = new Button(tr("Open its page"), ButtonRole::Plain, m_beside);
    m_beside->content()->addWidget(m_title);
    m_beside->content()->addWidget(m_details, 1);
    m_beside->content()->addWidget(m_open, 0, Qt::AlignRight);
    auto* columns = new QHBoxLayout(page);
    columns->setContentsMargins(0, 0, 0, 0);
    columns->setSpacing(12);
    columns->addWidget(list, 1);
    columns->addWidget(m_beside);
    return page;
}

void HistoryWorkspace::addActions()
{
    auto* find = new QAction(tr("Filter the history"), this);
    find->setToolTip(tr("By actor, subject, kind or outcome"));
    find->setShortcut(QKeySequence::Find);
    find->setShortcutContext(Qt::WidgetWithChildrenShortcut);
    connect(find, &QAction::triggered, m_filter, qOverload<>(&QWidget::setFocus));
    addAction(find);
    auto* save = new QAction(tr("Export the history…"), this);
    save->setToolTip(tr("What is shown, as CSV or JSON"));
    save->setShortcut(QKeySequence::Save);
    save->setShortcutContext(Qt::WidgetWithChildrenShortcut);
    connect(save, &QAction::triggered, this, &HistoryWorkspace::chooseFile);
    addAction(save);
}

void HistoryWorkspace::activated()
{
    readKinds();
    refresh();
    m_table->setFocus();
}

/// The kinds that occur: what others write is found as well.
void HistoryWorkspace::readKinds()
{
    const auto kinds = console()->history()->kinds();
    if (!kinds) {
        return; // refresh() says why
    }
    const QSignalBlocker quiet(m_kind);
    const QString chosen = m_kind->currentData().toString();
    m_kind->clear();
    m_kind->addItem(tr("everything"), QString());
    for (const QString& kind : *kinds) {
        m_kind->addItem(kind, kind);
    }
    m_kind->setCurrentIndex(std::max(0, m_kind->findData(chosen)));
}

void HistoryWorkspace::refresh()
{
    if (!console()->historyError().isEmpty()) {
        m_state->showError(tr("The history could not be opened"),
            internalError(console()->historyError().toStdString()),
            tr("Mend or move the file away, and start the console again. Everything else works "
               "meanwhile."));
        return;
    }
    const int days = m_period->currentData().toInt();
    const auto entries =
        console()->history()->entries({m_filter->text(), m_kind->currentData().toString(),
            mostListed, days == 0 ? QDateTime() : QDateTime::currentDateTimeUtc().addDays(-days)});
    if (!entries) {
        m_state->showError(tr("The history could not be read"), entries.error());
        return;
    }
    const bool filtered = !m_filter->text().isEmpty() || m_kind->currentIndex() > 0 || days > 0;
    if (entries->isEmpty()) {
        if (filtered) {
            m_state->showEmpty(tr("Nothing matches the filter"),
                tr("Other words, another kind, or a longer period may."), tr("Clear the filter"));
        } else {
            m_state->showEmpty(tr("Nothing was done yet"),
                tr("Publishes, load runs, shifts of traffic and trainings are recorded here, with "
                   "who did them."));
        }
        return;
    }
    m_model->setEntries(*entries);
    m_state->showData();
    m_table->selectRow(0);
    setStatus(entries->size() == 1 ? tr("one entry") : tr("%1 entries").arg(entries->size()));
}

QList<int> HistoryWorkspace::selectedRows() const
{
    QList<int> rows;
    const QModelIndexList selected = m_table->selectionModel()->selectedRows();
    for (const QModelIndex& index : selected) {
        rows << index.row();
    }
    std::sort(rows.begin(), rows.end());
    return rows;
}

void HistoryWorkspace::showDetails()
{
    const QList<int> rows = selectedRows();
    const QList<ops::HistoryEntry>& entries = m_model->entries();
    m_open->setEnabled(rows.size() == 1 && !pageOf(entries[rows.front()].kind).isEmpty());
    if (rows.size() == 1) {
        showEntry(entries[rows.front()]);
    } else if (rows.size() == 2) { // the list is newest first
        showDifference(entries[rows.back()], entries[rows.front()]);
    } else {
        m_title->setText(rows.isEmpty() ? QString() : tr("%1 entries").arg(rows.size()));
        setRows({}, {});
    }
}

void HistoryWorkspace::showEntry(const ops::HistoryEntry& entry)
{
    m_beside->setTitle(tr("The thing itself"));
    m_title->setText(entry.subject);
    QList<QStringList> rows{{tr("what"), entry.kind}, {tr("who"), entry.actor},
        {tr("environment"), entry.environment.isEmpty() ? format::missing() : entry.environment},
        {tr("when"), entry.at.toLocalTime().toString(Qt::ISODate)}, {tr("outcome"), entry.outcome}};
    const QMap<QString, QString> details = ops::flattened(entry.details);
    for (auto detail = details.begin(); detail != details.end(); ++detail) {
        rows << QStringList{detail.key(), detail.value()};
    }
    setRows({tr("member"), tr("value")}, rows);
}

void HistoryWorkspace::showDifference(
    const ops::HistoryEntry& before, const ops::HistoryEntry& after)
{
    m_beside->setTitle(tr("What differs"));
    m_title->setText(tr("%1 → %2").arg(before.subject, after.subject));
    QList<QStringList> rows;
    for (const ops::HistoryDifference& one : ops::difference(before, after)) {
        rows << QStringList{one.name, one.before.isNull() ? format::missing() : one.before,
            one.after.isNull() ? format::missing() : one.after};
    }
    setRows({tr("member"), tr("earlier"), tr("later")}, rows);
}

void HistoryWorkspace::setRows(const QStringList& headers, const QList<QStringList>& rows)
{
    m_details->clear();
    m_details->setColumnCount(int(headers.size()));
    m_details->setHorizontalHeaderLabels(headers);
    m_details->setRowCount(int(rows.size()));
    m_details->horizontalHeader()->setSectionResizeMode(QHeaderView::Stretch);
    for (int row = 0; row < rows.size(); ++row) {
        for (int column = 0; column < rows[row].size(); ++column) {
            auto* item = new QTableWidgetItem(rows[row][column]);
            item->setToolTip(rows[row][column]);
            if (column == 0) {
                item->setForeground(theme().colors().muted);
            }
            m_details->setItem(row, column, item);
        }
    }
}

void HistoryWorkspace::openThing()
{
    const QList<int> rows = selectedRows();
    auto* main = qobject_cast<MainWindow*>(window());
    if (rows.size() == 1 && main != nullptr) {
        const QString page = pageOf(m_model->entries()[rows.front()].kind);
        if (!page.isEmpty()) {
            main->showWorkspace(page);
        }
    }
}

void HistoryWorkspace::chooseFile()
{
    auto* dialog = new QFileDialog(this, tr("Export the history"), QStringLiteral("history.csv"),
        tr("CSV (*.csv);;JSON (*.json)"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    connect(dialog, &QFileDialog::fileSelected, this, &HistoryWorkspace::exportTo);
    dialog->open();
}

void HistoryWorkspace::exportTo(const QString& file)
{
    const bool json = file.endsWith(QLatin1StringView(".json"), Qt::CaseInsensitive);
    const QByteArray text = json ? ops::toJson(m_model->entries()) : ops::toCsv(m_model->entries());
    const auto written = writeFileAtomically(file.toStdString(), text.toStdString());
    m_banner->show(written ? Tone::Ok : Tone::Bad,
        written ? tr("%1 entries are in %2.").arg(m_model->entries().size()).arg(file)
                : QString::fromStdString(written.error().text()));
}

} // namespace sluice::ui

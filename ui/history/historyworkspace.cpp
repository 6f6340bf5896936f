#include "ui/history/historyworkspace.h"

#include "ui/history/historymodel.h"
#include "ui/shell/card.h"
#include "ui/shell/console.h"
#include "ui/shell/format.h"
#include "ui/shell/stateview.h"

#include <QAction>
#include <QComboBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QJsonDocument>
#include <QLineEdit>
#include <QTableView>
#include <QTableWidget>
#include <QVBoxLayout>

namespace sluice::ui {

HistoryWorkspace::HistoryWorkspace(Console* console, QWidget* parent)
    : Workspace(console, QStringLiteral("history"), tr("History"), parent)
    , m_model(new HistoryModel(this))
    , m_state(new StateView(this))
{
    m_filter = new QLineEdit(this);
    m_filter->setPlaceholderText(tr("Filter by who, what, or outcome   Ctrl+F"));
    m_filter->setAccessibleName(tr("Filter"));
    m_filter->setClearButtonEnabled(true);
    m_filter->setTextMargins(6, 0, 6, 0);
    m_kind = new QComboBox(this);
    m_kind->setAccessibleName(tr("Kind"));
    m_kind->addItem(tr("everything"), QString());
    for (const char* kind :
        {"publish", "load", "shift", "rollback", "train", "evaluate", "stack"}) {
        m_kind->addItem(QString::fromLatin1(kind), QString::fromLatin1(kind));
    }
    auto* filters = new QHBoxLayout;
    filters->setSpacing(12);
    filters->addWidget(m_filter, 1);
    filters->addWidget(m_kind);

    auto* list = new Card(tr("What was done"), tr("newest first"), this);
    m_table = new QTableView(list);
    m_table->setModel(m_model);
    m_table->setAccessibleName(tr("History"));
    m_table->setShowGrid(false);
    m_table->setFrameShape(QFrame::NoFrame);
    m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_table->setSelectionMode(QAbstractItemView::SingleSelection);
    m_table->setTabKeyNavigation(false);
    m_table->verticalHeader()->hide();
    m_table->verticalHeader()->setDefaultSectionSize(27);
    m_table->horizontalHeader()->setHighlightSections(false);
    m_table->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
    m_table->horizontalHeader()->setSectionResizeMode(HistoryModel::Subject, QHeaderView::Stretch);
    list->content()->addWidget(m_table, 1);

    auto* beside = new Card(tr("The thing itself"), {}, this);
    beside->setFixedWidth(320);
    m_title = new Text(FontRole::Title, Ink::Text, {}, beside);
    m_title->setWordWrap(true);
    m_details = new QTableWidget(0, 2, beside);
    m_details->setAccessibleName(tr("Details"));
    m_details->setShowGrid(false);
    m_details->setFrameShape(QFrame::NoFrame);
    m_details->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_details->setTabKeyNavigation(false);
    m_details->verticalHeader()->hide();
    m_details->horizontalHeader()->hide();
    m_details->horizontalHeader()->setSectionResizeMode(0, QHeaderView::ResizeToContents);
    m_details->horizontalHeader()->setSectionResizeMode(1, QHeaderView::Stretch);
    beside->content()->addWidget(m_title);
    beside->content()->addWidget(m_details, 1);

    auto* page = new QWidget(this);
    auto* columns = new QHBoxLayout(page);
    columns->setContentsMargins(0, 0, 0, 0);
    columns->setSpacing(12);
    columns->addWidget(list, 1);
    columns->addWidget(beside);
    m_state->setDataWidget(page);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(12);
    layout->addLayout(filters);
    layout->addWidget(m_state, 1);

    auto* find = new QAction(tr("Filter the history"), this);
    find->setToolTip(tr("By actor, subject, kind or outcome"));
    find->setShortcut(QKeySequence::Find);
    find->setShortcutContext(Qt::WidgetWithChildrenShortcut);
    connect(find, &QAction::triggered, m_filter, qOverload<>(&QWidget::setFocus));
    addAction(find);
    connect(m_filter, &QLineEdit::textChanged, this, &HistoryWorkspace::refresh);
    connect(m_kind, &QComboBox::currentIndexChanged, this, &HistoryWorkspace::refresh);
    connect(m_table->selectionModel(), &QItemSelectionModel::currentRowChanged, this,
        &HistoryWorkspace::showDetails);
    connect(console->history(), &ops::History::added, this, &HistoryWorkspace::refresh);
    connect(m_state, &StateView::retryRequested, this, &HistoryWorkspace::refresh);
    connect(m_state, &StateView::actionTriggered, this, [this] {
        m_filter->clear();
        m_kind->setCurrentIndex(0);
    });
}

void HistoryWorkspace::activated()
{
    refresh();
    m_table->setFocus();
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
    const auto entries =
        console()->history()->entries({m_filter->text(), m_kind->currentData().toString(), 2000});
    if (!entries) {
        m_state->showError(tr("The history could not be read"), entries.error());
        return;
    }
    const bool filtered = !m_filter->text().isEmpty() || m_kind->currentIndex() > 0;
    if (entries->isEmpty()) {
        if (filtered) {
            m_state->showEmpty(tr("Nothing matches the filter"),
                tr("Other words, or another kind, may."), tr("Clear the filter"));
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
    showDetails();
    setStatus(entries->size() == 1 ? tr("one entry") : tr("%1 entries").arg(entries->size()));
}

void HistoryWorkspace::showDetails()
{
    const int row = m_table->currentIndex().row();
    if (row < 0 || row >= m_model->entries().size()) {
        m_title->clear();
        m_details->setRowCount(0);
        return;
    }
    const ops::HistoryEntry& entry = m_model->entries()[row];
    m_title->setText(entry.subject);
    QList<std::pair<QString, QString>> rows{{tr("what"), entry.kind}, {tr("who"), entry.actor},
        {tr("environment"), entry.environment.isEmpty() ? format::missing() : entry.environment},
        {tr("when"), entry.at.toLocalTime().toString(Qt::ISODate)}, {tr("outcome"), entry.outcome}};
    for (auto detail = entry.details.begin(); detail != entry.details.end(); ++detail) {
        const QJsonValue value = detail.value();
        rows << std::pair(detail.key(),
            value.isDouble() ? format::number(value.toDouble(), 6)
                : value.isObject()
                ? QString::fromUtf8(QJsonDocument(value.toObject()).toJson(QJsonDocument::Compact))
                : value.toVariant().toString());
    }
    m_details->setRowCount(int(rows.size()));
    for (int index = 0; index < rows.size(); ++index) {
        auto* name = new QTableWidgetItem(rows[index].first);
        name->setForeground(theme().colors().muted);
        m_details->setItem(index, 0, name);
        auto* value = new QTableWidgetItem(rows[index].second);
        value->setToolTip(rows[index].second);
        m_details->setItem(index, 1, value);
    }
}

} // namespace sluice::ui

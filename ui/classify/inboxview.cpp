#include "ui/classify/inboxview.h"

#include "engine/base/file.h"
#include "engine/classification/classifier.h"
#include "engine/classification/evaluation/labelleddata.h"
#include "engine/operations/queries/conversationfile.h"
#include "engine/operations/queries/testsuite.h"
#include "ui/classify/quiettable.h"
#include "ui/shell/button.h"
#include "ui/shell/card.h"
#include "ui/shell/complaintdialog.h"
#include "ui/shell/console.h"
#include "ui/shell/format.h"
#include "ui/shell/infobanner.h"
#include "ui/shell/stateview.h"

#include <QCheckBox>
#include <QFileInfo>
#include <QHeaderView>
#include <QMenu>
#include <QTableWidget>
#include <QVBoxLayout>

namespace sluice::ui {

namespace {

enum Column
{
    When,
    Kind,
    QueryColumn,
    Given,
    Label,
    From,
    Columns
};

} // namespace

InboxView::InboxView(Console* console, ClassifySettings* settings, QWidget* parent)
    : QWidget(parent)
    , m_console(console)
    , m_settings(settings)
    , m_inbox(new ops::FeedbackInbox(console->redis(), {}, this))
    , m_state(new StateView(this))
    , m_table(new QTableWidget(0, Columns, this))
    , m_all(new QCheckBox(tr("Also what is done or right"), this))
    , m_banner(new InfoBanner(this))
{
    auto* bar = new QHBoxLayout;
    bar->setSpacing(10);
    const auto add = [&](const QString& text, const QString& tip, ButtonRole role, auto run) {
        auto* button = new Button(text, role, this);
        button->setToolTip(tip);
        connect(button, &Button::clicked, this, run);
        bar->addWidget(button);
        return button;
    };
    add(tr("Record a complaint…"), tr("What somebody told you, by hand"), ButtonRole::Plain,
        [this] { recordByHand(); });
    add(tr("Refresh"), tr("Reads the feedback anew (F5)"), ButtonRole::Plain,
        [this] { refresh(); });
    bar->addWidget(m_all);
    bar->addStretch(1);
    m_rowButtons << add(tr("Label…"), tr("The intent that would have been right"),
        ButtonRole::Plain, [this] { chooseLabel(); });
    m_rowButtons << add(tr("Into the suite"), tr("Becomes a test case with its label (Ctrl+T)"),
        ButtonRole::Plain, [this] { takeIntoSuite(); });
    m_rowButtons << add(tr("Into the data"), tr("Becomes a row to train on (Ctrl+D)"),
        ButtonRole::Plain, [this] { takeIntoData(); });
    m_rowButtons << add(tr("Done"),
        tr("Takes it from the list; shown again with the box at the left"), ButtonRole::Primary,
        [this] { setDone(true); });
    dressTable(m_table, tr("Feedback"));
    m_table->setHorizontalHeaderLabels(
        {tr("When"), tr("Kind"), tr("Query"), tr("Given"), tr("Label"), tr("From")});
    m_table->setColumnWidth(When, 90);
    m_table->setColumnWidth(Kind, 110);
    m_table->setColumnWidth(QueryColumn, 400);
    m_table->setColumnWidth(Given, 240);
    m_table->setColumnWidth(Label, 160);
    m_table->horizontalHeader()->setStretchLastSection(true);
    auto* card =
        new Card(tr("Feedback"), tr("newest first; Enter takes the query to the first tab"), this);
    card->content()->addWidget(m_table, 1);
    m_state->setDataWidget(card);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(10);
    layout->addLayout(bar);
    layout->addWidget(m_banner);
    layout->addWidget(m_state, 1);
    connect(m_all, &QCheckBox::toggled, this, &InboxView::showItems);
    connect(m_inbox, &ops::FeedbackInbox::refreshed, this, &InboxView::showItems);
    connect(m_inbox, &ops::FeedbackInbox::failed, this, [this](const Error& error) {
        m_state->showError(tr("The feedback can't be read"), error);
    });
    connect(m_state, &StateView::retryRequested, this, &InboxView::refresh);
    connect(m_state, &StateView::actionTriggered, this, &InboxView::recordByHand);
    connect(console, &Console::sourceChanged, this, [this](Source source) {
        if (source == Source::Redis && m_console->source(source).isUp()) {
            refresh();
        }
    });
    connect(m_table, &QTableWidget::itemSelectionChanged, this, [this] {
        for (Button* button : std::as_const(m_rowButtons)) {
            button->setEnabled(chosen() != nullptr);
        }
    });
    connect(m_table, &QTableWidget::itemActivated, this, [this] {
        if (const ops::FeedbackItem* item = chosen(); item != nullptr && !item->query.isEmpty()) {
            Q_EMIT queryChosen(item->query);
        }
    });
    showItems();
}

void InboxView::refresh()
{
    m_inbox->refresh();
}

void InboxView::showItems()
{
    const ops::FeedbackItem* before = chosen();
    const QString keep = before == nullptr ? QString() : before->id;
    m_table->setSortingEnabled(false);
    m_table->setRowCount(0);
    const QDateTime now = QDateTime::currentDateTimeUtc();
    for (const ops::FeedbackItem& item : m_inbox->items()) {
        const bool right = item.kind == QLatin1StringView("right");
        if (!m_all->isChecked() && (item.isDone || right)) {
            continue;
        }
        const int row = m_table->rowCount();
        m_table->insertRow(row);
        const QString query = !item.query.isEmpty() ? item.query
            : item.decision.isEmpty()               ? tr("– (not in the decision log)")
                                                    : tr("– (the log keeps no text)");
        const QStringList texts{format::when(item.at, now),
            (item.isDone    ? QStringLiteral("✓ ")
                    : right ? QStringLiteral("○ ")
                            : QStringLiteral("△ "))
                % item.kind,
            item.note.isEmpty() ? query : QString(query % QStringLiteral(" · ") % item.note),
            item.decision.isEmpty() ? format::missing()
                                    : QString(item.decision % u' ' % item.intent % u' '
                                        % format::fixed(item.confidence, 2)),
            labelOf(item), item.by.isEmpty() ? item.pool : tr("%1, by hand").arg(item.by)};
        for (int column = 0; column < Columns; ++column) {
            auto* cell = new QTableWidgetItem(texts[column]);
            cell->setToolTip(texts[column]);
            cell->setData(Qt::UserRole, item.id);
            if (column == Kind) {
                cell->setForeground(theme().color(item.isDone || right ? Tone::None : Tone::Warn));
            }
            m_table->setItem(row, column, cell);
        }
        if (item.id == keep) {
            m_table->selectRow(row);
        }
    }
    m_table->setSortingEnabled(true);
    if (m_table->rowCount() == 0) {
        m_state->showEmpty(m_inbox->items().isEmpty() ? tr("No feedback yet") : tr("Nothing waits"),
            m_console->redis()->state() == ops::RedisClient::State::Connected
                ? tr("What clients send to /v1/feedback appears here.")
                : tr("What clients send to /v1/feedback appears here once an environment with "
                     "Redis is connected."),
            tr("Record a complaint…"));
    } else {
        m_state->showData();
        if (chosen() == nullptr) {
            m_table->selectRow(0);
        }
    }
    for (Button* button : std::as_const(m_rowButtons)) {
        button->setEnabled(chosen() != nullptr);
    }
    Q_EMIT openChanged(m_inbox->open());
}

const ops::FeedbackItem* InboxView::chosen() const
{
    const QTableWidgetItem* cell = m_table->item(m_table->currentRow(), 0);
    if (cell == nullptr) {
        return nullptr;
    }
    const QString id = cell->data(Qt::UserRole).toString();
    for (const ops::FeedbackItem& item : m_inbox->items()) {
        if (item.id == id) {
            return &item;
        }
    }
    return nullptr;
}

QString InboxView::labelOf(const ops::FeedbackItem& item) const
{
    return m_labels.value(item.id, item.label);
}

void InboxView::label(const QString& intent)
{
    if (const ops::FeedbackItem* item = chosen()) {
        m_labels.insert(item->id, intent);
        showItems();
    }
}

void InboxView::chooseLabel()
{
    auto* menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    if (const auto classifier = m_console->classifier()) {
        for (const std::string& known : classifier->model().labels()) {
            const QString intent = QString::fromStdString(known);
            menu->addAction(intent, this, [this, intent] { label(intent); });
        }
    }
    menu->addSeparator();
    menu->addAction(tr("out of scope"), this, [this] { label(QStringLiteral("oos")); });
    menu->popup(m_rowButtons.first()->mapToGlobal(QPoint(0, m_rowButtons.first()->height())));
}

bool InboxView::canTake(const ops::FeedbackItem* item)
{
    if (item == nullptr) {
        return false;
    }
    if (item->query.isEmpty()) {
        m_banner->show(Tone::Warn,
            tr("Its query is not known: the decision log keeps none of it, or it is too long "
               "ago."));
        return false;
    }
    if (labelOf(*item).isEmpty()) {
        m_banner->show(Tone::Warn, tr("Label it first: nobody said what would have been right."));
        return false;
    }
    return true;
}

void InboxView::takeIntoSuite()
{
    const ops::FeedbackItem* item = chosen();
    if (!canTake(item)) {
        return;
    }
    ops::TestCase added;
    added.turns = {{item->query.toStdString(), {}, {}}};
    added.expected.intent = labelOf(*item).toStdString();
    added.note = tr("feedback %1").arg(item->kind).toStdString();
    added.author = m_console->user().toStdString();
    added.at = QDateTime::currentDateTimeUtc().toString(Qt::ISODate).toStdString();
    const QString file = m_settings->suiteFile();
    auto folder = ensureWritableFolder(QFileInfo(file).path().toStdString());
    const auto saved =
        folder ? ops::saveCase(file.toStdString(), added) : Result<bool>(folder.error());
    m_banner->show(saved ? Tone::Ok : Tone::Bad,
        saved ? tr("Saved as a test case in %1.").arg(file)
              : QString::fromStdString(saved.error().text()));
    if (saved) {
        Q_EMIT caseSaved();
    }
}

void InboxView::takeIntoData()
{
    const ops::FeedbackItem* item = chosen();
    if (!canTake(item)) {
        return;
    }
    ops::Conversation conversation;
    conversation.turns = {{{item->query.toStdString(), {}, {}}, labelOf(*item).toStdString()}};
    const QString file = m_settings->dataFile();
    auto added = ensureWritableFolder(QFileInfo(file).path().toStdString());
    if (added) {
        added = ops::addLabelled(file.toStdString(), conversation);
    }
    m_banner->show(added ? Tone::Ok : Tone::Bad,
        added ? tr("Added to the labelled data in %1.").arg(file)
              : QString::fromStdString(added.error().text()));
}

void InboxView::setDone(bool done)
{
    const ops::FeedbackItem* item = chosen();
    if (item == nullptr) {
        return;
    }
    if (const auto kept = m_inbox->setDone(item->id, done); !kept) {
        m_banner->show(Tone::Bad, QString::fromStdString(kept.error().text()));
    }
    showItems();
}

void InboxView::recordByHand()
{
    QStringList intents;
    if (const auto classifier = m_console->classifier()) {
        for (const std::string& known : classifier->model().labels()) {
            intents << QString::fromStdString(known);
        }
    }
    auto* dialog = new ComplaintDialog(intents, this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    connect(dialog, &ComplaintDialog::recorded, this, [this](ops::FeedbackItem item) {
        item.by = m_console->user();
        m_inbox->record(item, this, [this](const Result<bool>& where) {
            if (!where) {
                m_banner->show(Tone::Bad, QString::fromStdString(where.error().text()));
                return;
            }
            m_banner->show(Tone::Ok,
                *where ? tr("Recorded: the team sees it.")
                       : tr("Recorded on this machine: no Redis took it."));
            showItems();
        });
    });
    dialog->open();
}

} // namespace sluice::ui

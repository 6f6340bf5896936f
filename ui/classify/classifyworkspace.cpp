#include "ui/classify/classifyworkspace.h"

#include "ui/classify/answerpanel.h"
#include "ui/classify/batchview.h"
#include "ui/classify/inboxview.h"
#include "ui/classify/retrainview.h"
#include "ui/classify/suiteview.h"
#include "ui/classify/targetpicker.h"
#include "ui/classify/tryview.h"
#include "ui/shell/console.h"
#include "ui/shell/format.h"
#include "ui/shell/stateview.h"

#include <QAction>
#include <QLineEdit>
#include <QStackedWidget>
#include <QTabBar>
#include <QVBoxLayout>

namespace sluice::ui {

ClassifyWorkspace::ClassifyWorkspace(Console* console, QWidget* parent)
    : Workspace(console, QStringLiteral("classify"), tr("Classify"), parent)
    , m_settings(console->configFolder())
    , m_state(new StateView(this))
    , m_tabs(new QTabBar(this))
    , m_pages(new QStackedWidget(this))
    , m_try(new TryView(console, &m_settings, this))
    , m_batch(new BatchView(console, this))
    , m_suite(new SuiteView(console, &m_settings, this))
    , m_inbox(new InboxView(console, &m_settings, this))
    , m_retrain(new RetrainView(console, &m_settings, this))
{
    auto* page = new QWidget(this);
    auto* rows = new QVBoxLayout(page);
    rows->setContentsMargins(0, 0, 0, 0);
    rows->setSpacing(8);
    m_tabs->setAccessibleName(tr("Parts of this page"));
    m_tabs->setDrawBase(false);
    m_tabs->setExpanding(false);
    const std::pair<QString, QWidget*> parts[] = {{tr("Try"), m_try}, {tr("Batch"), m_batch},
        {tr("Suite"), m_suite}, {tr("Inbox"), m_inbox}, {tr("Retrain"), m_retrain}};
    for (const auto& [name, part] : parts) {
        m_tabs->addTab(name);
        m_pages->addWidget(part);
    }
    rows->addWidget(m_tabs);
    rows->addWidget(m_pages, 1);
    m_state->setDataWidget(page);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_state);
    connect(m_tabs, &QTabBar::currentChanged, m_pages, &QStackedWidget::setCurrentIndex);
    connect(m_try, &TryView::caseSaved, m_suite, &SuiteView::reload);
    connect(m_inbox, &InboxView::caseSaved, m_suite, &SuiteView::reload);
    connect(m_inbox, &InboxView::openChanged, this, [this](int open) {
        m_tabs->setTabText(Inbox, open == 0 ? tr("Inbox") : tr("Inbox (%1)").arg(open));
    });
    const auto tryQuery = [this](const QString& query) {
        showTab(Try);
        m_try->take(query);
    };
    connect(m_retrain, &RetrainView::modelsChanged, this, [this] {
        for (TargetPicker* picker : findChildren<TargetPicker*>()) {
            picker->refill();
        }
    });
    connect(m_batch, &BatchView::queryChosen, this, tryQuery);
    connect(m_suite, &SuiteView::queryChosen, this, tryQuery);
    connect(m_inbox, &InboxView::queryChosen, this, tryQuery);
    connect(m_try, &TryView::targetChanged, this, &ClassifyWorkspace::updateChips);
    connect(m_state, &StateView::retryRequested, console, [console] { console->loadClassifier(); });
    connect(console, &Console::classifierLoaded, this, &ClassifyWorkspace::onClassifier);
    makeActions();
    onClassifier();
}

void ClassifyWorkspace::addNamed(const QString& text, const QKeySequence& keys, const QString& tip,
    const std::function<void()>& run)
{
    auto* action = new QAction(text, this);
    action->setShortcut(keys);
    action->setShortcutContext(Qt::WidgetWithChildrenShortcut);
    action->setToolTip(tip);
    connect(action, &QAction::triggered, this, run);
    addAction(action);
}

void ClassifyWorkspace::makeActions()
{
    const std::tuple<Tab, QString, QString> parts[] = {
        {Try, tr("Try a query"), tr("Queries and conversations, answered one by one")},
        {Batch, tr("Ask a file of queries"), tr("A table of what came of each")},
        {Suite, tr("Run test cases"), tr("What fails, and what newly does")},
        {Inbox, tr("Look at feedback"), tr("What users said about answers")},
        {Retrain, tr("Retrain the model"), tr("And judge it beside the one in use")}};
    for (const auto& [tab, name, tip] : parts) {
        addNamed(name, QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key(int(Qt::Key_1) + int(tab))), tip,
            [this, tab = tab] { showTab(tab); });
    }
    addNamed(tr("Run all again"), QKeySequence(Qt::Key_F5),
        tr("The conversation, the batch, the suite or the inbox, whichever is shown"),
        [this] { runAgain(); });
    addNamed(tr("Record a complaint…"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_F),
        tr("What somebody told you, by hand"), [this] {
            showTab(Inbox);
            m_inbox->recordByHand();
        });
    makeTryActions();
}

void ClassifyWorkspace::makeTryActions()
{
    const auto add = [this](const QString& text, const QKeySequence& keys, const QString& tip,
                         const std::function<void()>& run) {
        addNamed(text, keys, tip, [this, run] {
            showTab(Try);
            run();
        });
    };
    add(tr("Ask both targets"), QKeySequence(Qt::CTRL | Qt::Key_Return),
        tr("Asks two side by side and marks what differs"), [this] { m_try->sendToBoth(); });
    add(tr("Compare two targets"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_C),
        tr("Two answers side by side, or one"),
        [this] { m_try->setComparing(!m_try->isComparing()); });
    add(tr("Clear the conversation's context"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_L),
        tr("Begins a new session; can be undone"), [this] { m_try->clearContext(); });
    add(tr("Undo the change of the context"), QKeySequence(Qt::CTRL | Qt::ALT | Qt::Key_Z),
        tr("Brings back the conversation as it was"), [this] { m_try->undo(); });
    add(tr("Redo the change of the context"), QKeySequence(Qt::CTRL | Qt::ALT | Qt::Key_Y),
        tr("Does again what was undone"), [this] { m_try->redo(); });
    add(tr("Edit the context…"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_E),
        tr("The session's state as JSON"), [this] { m_try->editContext(); });
    add(tr("Next turn of the replay"), QKeySequence(Qt::Key_F6),
        tr("Asks the next turn that waits, or the conversation from its beginning"),
        [this] { m_try->nextTurn(); });
    add(tr("Open a conversation…"), QKeySequence(Qt::CTRL | Qt::Key_O),
        tr("Its turns wait until they are asked"), [this] { m_try->openConversation({}); });
    add(tr("Save the conversation…"), QKeySequence(Qt::CTRL | Qt::Key_S),
        tr("With its labels and the session's state"), [this] { m_try->saveConversation({}); });
    addNamed(tr("Save as test case"), QKeySequence(Qt::CTRL | Qt::Key_T),
        tr("The last answer, or its label, becomes what the suite expects"), [this] {
            m_tabs->currentIndex() == Inbox ? m_inbox->takeIntoSuite() : m_try->saveAsCase();
        });
    addNamed(tr("Add to labelled data"), QKeySequence(Qt::CTRL | Qt::Key_D),
        tr("The last query with its label becomes a row to train on"),
        [this] { m_tabs->currentIndex() == Inbox ? m_inbox->takeIntoData() : m_try->addToData(); });
    add(tr("Show the answer as JSON"), QKeySequence(Qt::CTRL | Qt::Key_J),
        tr("As the worker sends it, or back to the reasons"), [this] { m_try->toggleJson(); });
    for (int number = 1; number <= 9; ++number) {
        add(tr("Label with candidate %1").arg(number),
            QKeySequence(Qt::ALT | Qt::Key(Qt::Key_0 + number)),
            tr("Says that the last query is this intent"),
            [this, number] { m_try->label(number); });
    }
    add(tr("Label as out of scope"), QKeySequence(Qt::ALT | Qt::Key_0),
        tr("Says that the last query is none of the intents"), [this] { m_try->label(0); });
}

void ClassifyWorkspace::runAgain()
{
    switch (Tab(m_tabs->currentIndex())) {
    case Try:
        m_try->runAgain();
        break;
    case Batch:
        m_batch->run();
        break;
    case Suite:
        m_suite->run();
        break;
    case Inbox:
        m_inbox->refresh();
        break;
    case Retrain:
        break;
    }
}

QLineEdit* ClassifyWorkspace::input() const
{
    return m_try->input();
}

const std::optional<Answer>& ClassifyWorkspace::answer() const
{
    return m_try->answer();
}

const Session& ClassifyWorkspace::session() const
{
    return m_try->session();
}

const CandidateBars* ClassifyWorkspace::bars() const
{
    return m_try->panel(TryView::First)->bars();
}

const EntityText* ClassifyWorkspace::entities() const
{
    return m_try->panel(TryView::First)->entities();
}

void ClassifyWorkspace::activated()
{
    if (m_pages->currentWidget() == m_try) {
        m_try->input()->setFocus();
    }
}

void ClassifyWorkspace::showTab(Tab tab)
{
    m_tabs->setCurrentIndex(tab);
}

void ClassifyWorkspace::onClassifier()
{
    if (console()->classifierError() && console()->classifier() == nullptr) {
        m_state->showError(tr("The model could not be loaded"), *console()->classifierError(),
            tr("Train one with sluicectl train, or build again: the bundled model is trained with "
               "the programs."));
        return;
    }
    if (console()->classifier() == nullptr) {
        m_state->showLoading(tr("Loading the model"), false);
        return;
    }
    m_state->showData();
    updateChips();
}

void ClassifyWorkspace::updateChips()
{
    const ops::QueryTarget& target = m_try->picker(TryView::First)->target();
    QList<ChipText> chips{{{}, target.name, {}, {}, tr("who answers")}};
    if (!target.isWorker()) {
        chips << ChipText{tr("model "),
            format::shortHash(QString::fromStdString(target.classifier->model().hash())), {}, {},
            console()->modelFile()};
        chips << ChipText{
            tr("threshold "), format::fixed(target.thresholds->set().global, 2), {}, {}, {}};
        setStatus(tr("%1 · %2 intents · works without any server")
                      .arg(target.name)
                      .arg(target.classifier->model().labels().size()));
    } else {
        setStatus(target.name);
    }
    setChips(chips);
}

} // namespace sluice::ui

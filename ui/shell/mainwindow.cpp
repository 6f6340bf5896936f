#include "ui/shell/mainwindow.h"

#include "ui/shell/commandpalette.h"
#include "ui/shell/connectdialog.h"
#include "ui/shell/demo.h"
#include "ui/shell/guide.h"
#include "ui/shell/layoutkeeper.h"
#include "ui/shell/logpanel.h"
#include "ui/shell/notificationpanel.h"
#include "ui/shell/rail.h"
#include "ui/shell/rangedialog.h"
#include "ui/shell/shortcutsheet.h"
#include "ui/shell/theme.h"
#include "ui/shell/toasts.h"
#include "ui/shell/topbar.h"
#include "ui/shell/tour.h"
#include "ui/shell/tourpanel.h"
#include "ui/shell/welcomepage.h"
#include "ui/shell/workspace.h"

#include <QActionGroup>
#include <QApplication>
#include <QCloseEvent>
#include <QLabel>
#include <QMenu>
#include <QPainter>
#include <QSettings>
#include <QStackedWidget>
#include <QStatusBar>
#include <QVBoxLayout>

namespace sluice::ui {

namespace {

constexpr int pagePadding = 14;
constexpr int statusHeight = 26;
constexpr int productionFrame = 3;
const QString geometryKey = QStringLiteral("window/geometry");
const QString themeKey = QStringLiteral("window/theme");
const QString languageKey = QStringLiteral("window/language");
const QString logKey = QStringLiteral("window/log");
const QString pageKey = QStringLiteral("window/page");

QString settingsFile(const Console& console)
{
    return console.configFolder() % QLatin1StringView("/window.ini");
}

} // namespace

MainWindow::MainWindow(Console* console, QWidget* parent)
    : QMainWindow(parent)
    , m_console(console)
    , m_rail(new Rail(this))
    , m_top(new TopBar(console, this))
    , m_stack(new QStackedWidget(this))
    , m_welcome(new WelcomePage(console, this))
    , m_palette(new CommandPalette(this))
    , m_notifications(new NotificationPanel(console, this))
    , m_toasts(new Toasts(console, this))
    , m_log(new LogPanel(console, this))
    , m_guide(new Guide(this))
    , m_demo(new Demo(console, this))
    , m_tour(new Tour(console, this))
    , m_tourPanel(new TourPanel(m_tour, this))
    , m_status(new QLabel(this))
    , m_work(new QLabel(this))
    , m_who(new QLabel(this))
{
    setWindowTitle(tr("Sluice"));
    setMinimumSize(960, 600);
    auto* right = new QVBoxLayout;
    right->setContentsMargins(0, 0, 0, 0);
    right->setSpacing(0);
    right->addWidget(m_top);
    auto* page = new QWidget(this);
    auto* padded = new QVBoxLayout(page);
    padded->setContentsMargins(pagePadding, pagePadding, pagePadding, pagePadding);
    padded->addWidget(m_stack, 1);
    padded->addWidget(m_toasts);
    padded->addWidget(m_tourPanel);
    right->addWidget(page, 1);
    right->addWidget(m_log);
    m_log->hide();
    auto* centre = new QWidget(this);
    auto* columns = new QHBoxLayout(centre);
    columns->setContentsMargins(0, 0, 0, 0);
    columns->setSpacing(0);
    columns->addWidget(m_rail);
    columns->addLayout(right, 1);
    setCentralWidget(centre);
    m_stack->addWidget(m_welcome);

    for (QLabel* label : {m_status, m_work, m_who}) {
        label->setFont(theme().font(FontRole::Small));
        label->setContentsMargins(pagePadding, 0, pagePadding, 0);
    }
    statusBar()->setFixedHeight(statusHeight);
    statusBar()->setSizeGripEnabled(false);
    statusBar()->addWidget(m_status);
    statusBar()->addWidget(m_work);
    statusBar()->addPermanentWidget(m_who);

    connect(m_rail, &Rail::chosen, this, &MainWindow::showWorkspace);
    connect(m_rail, &Rail::homeRequested, this, [this] { showWorkspace({}); });
    connect(m_top, &TopBar::paletteRequested, this, &MainWindow::openPalette);
    connect(m_top, &TopBar::environmentMenuRequested, this, &MainWindow::showEnvironmentMenu);
    connect(m_top, &TopBar::rangeMenuRequested, this, &MainWindow::showRangeMenu);
    connect(m_top, &TopBar::notificationsRequested, this, [this] {
        m_notifications->openAt(
            m_top->mapToGlobal(QPoint(m_top->width() - pagePadding, m_top->height())));
    });
    connect(
        m_notifications, &NotificationPanel::workspaceRequested, this, &MainWindow::showWorkspace);
    connect(m_toasts, &Toasts::workspaceRequested, this, &MainWindow::showWorkspace);
    connect(m_welcome, &WelcomePage::demoRequested, this, &MainWindow::startDemo);
    connect(m_welcome, &WelcomePage::connectRequested, this, &MainWindow::openConnectDialog);
    connect(m_welcome, &WelcomePage::tourRequested, m_tour, &Tour::begin);
    connect(console, &Console::environmentChanged, this, [this] {
        if (m_console->hasEnvironment() && m_current == nullptr && !m_tour->isRunning()) {
            showWorkspace(QStringLiteral("monitor"));
        }
        const int frame = m_console->environment().production ? productionFrame : 0;
        setContentsMargins(frame, frame, frame, frame);
        refreshTop();
        refreshStatus();
        update();
    });
    connect(console, &Console::userChanged, this, &MainWindow::refreshStatus);
    connect(console->jobs(), &Jobs::changed, this, &MainWindow::refreshStatus);
    connect(console, &Console::localStackChanged, this, &MainWindow::refreshStatus);
    makeActions();
    restoreLayout();
    showWorkspace({});
    refreshStatus();
}

MainWindow::~MainWindow() = default;

QAction* MainWindow::addNamed(const QString& text, const QKeySequence& keys, const QString& tip,
    const std::function<void()>& run)
{
    auto* action = new QAction(text, this);
    action->setShortcut(keys);
    action->setShortcutContext(Qt::WindowShortcut);
    action->setToolTip(tip);
    connect(action, &QAction::triggered, this, run);
    addAction(action);
    return action;
}

void MainWindow::makeActions()
{
    constexpr auto control = Qt::CTRL;
    constexpr auto shifted = Qt::CTRL | Qt::ALT;
    addNamed(tr("Command palette"), QKeySequence(control | Qt::Key_K),
        tr("Every action, by its name"), [this] { openPalette(); });
    addNamed(tr("Guide to this page"), QKeySequence(Qt::Key_F1), tr("What it is for, and how"),
        [this] { showGuide(); });
    addNamed(tr("Shortcuts"), QKeySequence(Qt::SHIFT | Qt::Key_F1), tr("Every action that has one"),
        [this] { showShortcuts(); });
    addNamed(tr("Start the local stack"), QKeySequence(shifted | Qt::Key_S),
        tr("Redis, Prometheus, HAProxy and four workers on this machine"),
        [this] { m_console->startLocalStack(); });
    addNamed(tr("Start the demo"), QKeySequence(shifted | Qt::Key_D),
        tr("The local stack, with queries sent to it"), [this] { startDemo(); });
    addNamed(tr("Connect to an environment…"), QKeySequence(shifted | Qt::Key_E),
        tr("By its addresses, each tested first"), [this] { openConnectDialog(); });
    addNamed(tr("Disconnect"), QKeySequence(shifted | Qt::Key_X),
        tr("From every server; the local stack goes on"),
        [this] { m_console->disconnectFromAll(); });
    addNamed(tr("Switch environment…"), QKeySequence(control | Qt::Key_E),
        tr("Another environment, or another user"), [this] { showEnvironmentMenu(); });
    addNamed(tr("Time range of the charts…"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_T),
        tr("Relative, or from one time to another"), [this] { openRangeDialog(); });
    addNamed(tr("Live or paused"), QKeySequence(control | Qt::Key_Space),
        tr("Charts follow the time, or stand still"),
        [this] { m_console->setLive(!m_console->isLive()); });
    addNamed(tr("Welcome page"), QKeySequence(control | Qt::Key_0), tr("The first steps"),
        [this] { showWorkspace({}); });
    makeTourActions();
    makeViewActions();
    addNamed(tr("Quit"), QKeySequence(control | Qt::Key_Q),
        tr("Ends the console, and the local stack that it started"), [this] { close(); });
}

void MainWindow::makeTourActions()
{
    int key = Qt::Key_1;
    for (const TourPlan& plan : tourPlans()) {
        addNamed(plan.title, QKeySequence(Qt::CTRL | Qt::ALT | Qt::Key(key++)),
            tr("Step by step, on the bundled data, and for real"),
            [this, plan] { m_tour->begin(plan); });
    }
}

void MainWindow::makeViewActions()
{
    constexpr auto shifted = Qt::CTRL | Qt::ALT;
    addNamed(tr("Log of this run"), QKeySequence(Qt::Key_F12),
        tr("What the console did and said, a line each"), [this] { showLog(!m_log->isVisible()); });
    addNamed(tr("Notifications"), QKeySequence(shifted | Qt::Key_N),
        tr("What happened, newest first"), [this] { Q_EMIT m_top->notificationsRequested(); });
    const std::tuple<Theme::Mode, QString, Qt::Key> themes[] = {
        {Theme::Mode::Light, tr("Theme: light"), Qt::Key_F1},
        {Theme::Mode::Dark, tr("Theme: dark"), Qt::Key_F2},
        {Theme::Mode::System, tr("Theme: follow the system"), Qt::Key_F3}};
    for (const auto& [mode, name, key] : themes) {
        addNamed(name, QKeySequence(Qt::CTRL | key), tr("Remembered for the next start"),
            [this, mode = mode] {
                theme().setMode(mode);
                QSettings(settingsFile(*m_console), QSettings::IniFormat)
                    .setValue(themeKey, Theme::modeText(mode));
            });
    }
    const std::tuple<const char*, QString, Qt::Key> languages[] = {
        {"en", tr("Language: English"), Qt::Key_F5}, {"de", tr("Language: German"), Qt::Key_F6}};
    for (const auto& [language, name, key] : languages) {
        addNamed(name, QKeySequence(Qt::CTRL | key), tr("From the next start on"),
            [this, language = language] {
                QSettings(settingsFile(*m_console), QSettings::IniFormat)
                    .setValue(languageKey, QString::fromLatin1(language));
                m_console->notify(Tone::None, tr("The console speaks it from the next start on."));
            });
    }
    addNamed(tr("Reset the layout"), QKeySequence(shifted | Qt::Key_0),
        tr("Splitters and columns as they were made, from the next start on"), [this] {
            QSettings settings(settingsFile(*m_console), QSettings::IniFormat);
            settings.remove(QStringLiteral("layout"));
            settings.remove(geometryKey);
            m_restored = false; // and this run's is not kept
            m_console->notify(Tone::None, tr("The layout begins anew with the next start."));
        });
}

void MainWindow::startDemo()
{
    m_demo->start();
}

void MainWindow::showGuide()
{
    m_guide->showPage(currentWorkspace());
    m_guide->show();
    m_guide->activateWindow();
}

void MainWindow::showShortcuts()
{
    auto* sheet = new ShortcutSheet(allActions(), this);
    sheet->setAttribute(Qt::WA_DeleteOnClose);
    sheet->open();
}

void MainWindow::showLog(bool shown)
{
    m_log->setVisible(shown);
}

QString MainWindow::wantedLanguage(const Console& console)
{
    return QSettings(settingsFile(console), QSettings::IniFormat).value(languageKey).toString();
}

void MainWindow::restorePages()
{
    const QSettings settings(settingsFile(*m_console), QSettings::IniFormat);
    for (Workspace* page : std::as_const(m_workspaces)) {
        ui::restoreLayout(settings, page->id(), *page);
    }
    m_log->setVisible(settings.value(logKey).toBool());
    const QString last = settings.value(pageKey).toString();
    if (m_current == nullptr && workspace(last) != nullptr) {
        showWorkspace(last);
    }
}

void MainWindow::savePages()
{
    QSettings settings(settingsFile(*m_console), QSettings::IniFormat);
    for (const Workspace* page : std::as_const(m_workspaces)) {
        saveLayout(settings, page->id(), *page);
    }
    settings.setValue(geometryKey, saveGeometry());
    settings.setValue(logKey, m_log->isVisible());
    settings.setValue(pageKey, currentWorkspace());
}

void MainWindow::addWorkspace(Workspace* workspace)
{
    m_workspaces << workspace;
    m_stack->addWidget(workspace);
    const int number = int(m_workspaces.size());
    const QKeySequence keys(Qt::CTRL | Qt::Key(Qt::Key_0 + number));
    m_rail->add(workspace->id(), workspace->title(),
        QString(workspace->title() % QLatin1StringView("  ")
            % keys.toString(QKeySequence::NativeText)));
    addNamed(tr("Go to %1").arg(workspace->title()), keys, tr("Shows this page"),
        [this, id = workspace->id()] { showWorkspace(id); });
    connect(workspace, &Workspace::chipsChanged, this, &MainWindow::refreshTop);
    connect(workspace, &Workspace::titleChanged, this, &MainWindow::refreshTop);
    connect(workspace, &Workspace::statusChanged, this, &MainWindow::refreshStatus);
}

Workspace* MainWindow::workspace(const QString& id) const
{
    for (Workspace* workspace : m_workspaces) {
        if (workspace->id() == id) {
            return workspace;
        }
    }
    return nullptr;
}

void MainWindow::showWorkspace(const QString& id)
{
    Workspace* next = workspace(id);
    if (next != nullptr && next == m_current) {
        return;
    }
    if (m_current != nullptr) {
        m_current->deactivated();
    }
    m_current = next;
    m_rail->setCurrent(next == nullptr ? QString() : id);
    if (next == nullptr) {
        m_stack->setCurrentWidget(m_welcome);
    } else {
        m_stack->setCurrentWidget(next);
        next->activated();
    }
    refreshTop();
    refreshStatus();
}

QString MainWindow::currentWorkspace() const
{
    return m_current == nullptr ? QString() : m_current->id();
}

QList<QAction*> MainWindow::allActions() const
{
    QList<QAction*> all;
    if (m_current != nullptr) {
        all += m_current->actions();
    }
    all += actions();
    for (const Workspace* workspace : m_workspaces) {
        if (workspace != m_current) {
            all += workspace->actions();
        }
    }
    return all;
}

void MainWindow::openPalette()
{
    m_palette->open(allActions());
}

void MainWindow::showEnvironmentMenu()
{
    QMenu* menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    auto* group = new QActionGroup(menu);
    const QList<ops::Environment> environments = m_console->environments();
    for (const ops::Environment& environment : environments) {
        QAction* action =
            menu->addAction(environment.production ? tr("%1 (production)").arg(environment.name)
                                                   : environment.name);
        action->setCheckable(true);
        action->setChecked(environment.name == m_console->environment().name);
        group->addAction(action);
        connect(action, &QAction::triggered, m_console,
            [console = m_console, environment] { console->connectTo(environment); });
    }
    if (!environments.isEmpty()) {
        menu->addSeparator();
    }
    menu->addAction(tr("Start the local stack"), m_console, &Console::startLocalStack)
        ->setEnabled(m_console->environment().name != QLatin1StringView("local")
            && !m_console->isLocalStackStarting());
    menu->addAction(tr("Connect to an environment…"), this, &MainWindow::openConnectDialog);
    if (m_console->users().size() > 1) {
        QMenu* users = menu->addMenu(tr("Act as"));
        const QStringList names = m_console->users();
        for (const QString& user : names) {
            QAction* action = users->addAction(user);
            action->setCheckable(true);
            action->setChecked(user == m_console->user());
            connect(action, &QAction::triggered, m_console,
                [console = m_console, user] { console->setUser(user); });
        }
    }
    menu->addAction(tr("Disconnect"), m_console, &Console::disconnectFromAll)
        ->setEnabled(m_console->hasEnvironment());
    menu->popup(
        m_top->environmentChip()->mapToGlobal(QPoint(0, m_top->environmentChip()->height() + 4)));
}

void MainWindow::showRangeMenu()
{
    QMenu* menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    for (const int minutes : {5, 15, 60, 360, 1440}) {
        const TimeRange range{minutes * 60.0, 0, 0};
        QAction* action = menu->addAction(TopBar::rangeText(range), m_console,
            [console = m_console, range] { console->setTimeRange(range); });
        action->setCheckable(true);
        action->setChecked(m_console->timeRange() == range);
    }
    menu->addSeparator();
    menu->addAction(tr("Another range…"), this, &MainWindow::openRangeDialog);
    menu->popup(m_top->rangeChip()->mapToGlobal(QPoint(0, m_top->rangeChip()->height() + 4)));
}

void MainWindow::openRangeDialog()
{
    auto* dialog = new RangeDialog(m_console->timeRange(), this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    connect(dialog, &RangeDialog::chosen, m_console, &Console::setTimeRange);
    dialog->open();
}

void MainWindow::openConnectDialog()
{
    auto* dialog = new ConnectDialog(m_console, this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    connect(dialog, &ConnectDialog::chosen, m_console, &Console::connectTo);
    dialog->open();
}

void MainWindow::refreshTop()
{
    m_top->setPage(m_current == nullptr ? tr("Welcome") : m_current->title(),
        m_current == nullptr ? QList<ChipText>() : m_current->chips());
}

void MainWindow::refreshStatus()
{
    m_status->setText(m_current == nullptr ? QString() : m_current->status());
    QStringList work;
    for (const Job* job : m_console->jobs()->running()) {
        work << (job->progress() >= 0
                ? tr("%1 %2 %").arg(job->title()).arg(int(job->progress() * 100))
                : job->title());
    }
    if (m_console->isLocalStackStarting()) {
        work << tr("Starting the local stack");
    }
    m_work->setText(work.isEmpty()
            ? QString()
            : QString(QStringLiteral("◌ ") % work.join(QStringLiteral(" · "))));
    m_who->setText(m_console->user() == m_console->role()
            ? m_console->user()
            : QString(m_console->user() % QStringLiteral(" · ") % m_console->role()));
}

void MainWindow::restoreLayout()
{
    QSettings settings(settingsFile(*m_console), QSettings::IniFormat);
    resize(1440, 900);
    restoreGeometry(settings.value(geometryKey).toByteArray());
    bool known = false;
    const Theme::Mode mode = Theme::modeFromText(settings.value(themeKey).toString(), &known);
    if (known) {
        theme().setMode(mode);
    }
}

void MainWindow::closeEvent(QCloseEvent* event)
{
    if (m_restored) {
        savePages();
    }
    QMainWindow::closeEvent(event);
}

void MainWindow::showEvent(QShowEvent* event)
{
    QMainWindow::showEvent(event);
    if (!m_restored) { // pages are there now
        m_restored = true;
        restorePages();
    }
}

void MainWindow::paintEvent(QPaintEvent* event)
{
    QMainWindow::paintEvent(event);
    if (m_console->environment().production) {
        QPainter painter(this);
        painter.fillRect(rect(), theme().colors().bad);
    }
}

} // namespace sluice::ui

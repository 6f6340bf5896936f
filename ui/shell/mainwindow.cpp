#include "ui/shell/mainwindow.h"

#include "ui/shell/commandpalette.h"
#include "ui/shell/connectdialog.h"
#include "ui/shell/notificationpanel.h"
#include "ui/shell/rail.h"
#include "ui/shell/rangedialog.h"
#include "ui/shell/shortcutsheet.h"
#include "ui/shell/theme.h"
#include "ui/shell/topbar.h"
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
    padded->addWidget(m_stack);
    right->addWidget(page, 1);
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
    connect(m_welcome, &WelcomePage::connectRequested, this, &MainWindow::openConnectDialog);
    connect(console, &Console::environmentChanged, this, [this] {
        if (m_console->hasEnvironment() && m_current == nullptr) {
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

QAction* MainWindow::addNamed(
    const QString& text, const QKeySequence& keys, const std::function<void()>& run)
{
    auto* action = new QAction(text, this);
    action->setShortcut(keys);
    action->setShortcutContext(Qt::WindowShortcut);
    connect(action, &QAction::triggered, this, run);
    addAction(action);
    return action;
}

void MainWindow::makeActions()
{
    addNamed(tr("Command palette"), QKeySequence(Qt::CTRL | Qt::Key_K), [this] { openPalette(); });
    addNamed(tr("Shortcuts"), QKeySequence(Qt::Key_F1), [this] {
        auto* sheet = new ShortcutSheet(allActions(), this);
        sheet->setAttribute(Qt::WA_DeleteOnClose);
        sheet->open();
    });
    addNamed(tr("Start the local stack"), {}, [this] { m_console->startLocalStack(); });
    addNamed(tr("Connect to an environment…"), {}, [this] { openConnectDialog(); });
    addNamed(tr("Disconnect"), {}, [this] { m_console->disconnectFromAll(); });
    addNamed(tr("Switch environment…"), QKeySequence(Qt::CTRL | Qt::Key_E),
        [this] { showEnvironmentMenu(); });
    addNamed(tr("Live or paused"), QKeySequence(Qt::CTRL | Qt::Key_Space),
        [this] { m_console->setLive(!m_console->isLive()); });
    addNamed(tr("Time range of the charts…"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_T),
        [this] { openRangeDialog(); });
    addNamed(tr("Welcome page"), QKeySequence(Qt::CTRL | Qt::Key_0), [this] { showWorkspace({}); });
    for (const Theme::Mode mode : {Theme::Mode::Light, Theme::Mode::Dark, Theme::Mode::System}) {
        const QString name = mode == Theme::Mode::Light ? tr("Theme: light")
            : mode == Theme::Mode::Dark                 ? tr("Theme: dark")
                                                        : tr("Theme: follow the system");
        addNamed(name, {}, [this, mode] {
            theme().setMode(mode);
            QSettings(settingsFile(*m_console), QSettings::IniFormat)
                .setValue(themeKey, Theme::modeText(mode));
        });
    }
    addNamed(tr("Quit"), QKeySequence::Quit, [this] { close(); });
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
    addNamed(tr("Go to %1").arg(workspace->title()), keys,
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
    QSettings(settingsFile(*m_console), QSettings::IniFormat).setValue(geometryKey, saveGeometry());
    QMainWindow::closeEvent(event);
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

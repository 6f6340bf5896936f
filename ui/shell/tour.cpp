#include "ui/shell/tour.h"

#include "engine/operations/record/history.h"
#include "ui/shell/console.h"
#include "ui/shell/mainwindow.h"
#include "ui/shell/workspace.h"

#include <QAbstractButton>
#include <QAction>
#include <QLineEdit>

namespace sluice::ui {

namespace {

constexpr int pollMs = 250;

/// Whether `name` is `wanted`, in which %1 stands for anything.
bool isNamed(const QString& name, const QString& wanted)
{
    const qsizetype open = wanted.indexOf(QLatin1StringView("%1"));
    return open < 0 ? name == wanted
                    : name.startsWith(QStringView(wanted).left(open))
            && name.endsWith(QStringView(wanted).mid(open + 2));
}

} // namespace

Tour::Tour(Console* console, MainWindow* window)
    : QObject(window)
    , m_console(console)
    , m_window(window)
{
    m_poll.setInterval(pollMs);
    connect(&m_poll, &QTimer::timeout, this, &Tour::watch);
    connect(console->history(), &ops::History::added, this, [this](const ops::HistoryEntry& entry) {
        if (isRunning() && step().until == TourStep::Until::Recorded && entry.kind == step().what
            && entry.outcome != QLatin1StringView("refused")) {
            m_done = true;
            watch();
        }
    });
}

void Tour::begin(const TourPlan& plan)
{
    m_plan = plan;
    enter(0);
}

void Tour::end()
{
    m_poll.stop();
    m_at = -1;
    Q_EMIT changed();
}

void Tour::next()
{
    if (isLast()) {
        end();
    } else if (isRunning()) {
        enter(m_at + 1);
    }
}

void Tour::back()
{
    if (m_at > 0) {
        enter(m_at - 1);
    }
}

void Tour::enter(int at)
{
    m_at = at;
    m_done = false;
    m_typed = false;
    if (m_watched != nullptr) {
        m_watched->disconnect(this);
        m_watched = nullptr;
    }
    m_window->showWorkspace(step().page);
    const QList<QAction*> actions = m_window->allActions();
    for (QAction* action : actions) {
        action->disconnect(this);
        if (step().until == TourStep::Until::Acted && action->text() == step().what) {
            connect(action, &QAction::triggered, this, [this] { m_done = true; });
        }
    }
    for (QAction* action : actions) {
        if (!step().open.isEmpty() && action->text() == step().open) {
            action->trigger();
            break;
        }
    }
    m_poll.start();
    Q_EMIT changed();
}

QWidget* Tour::find(const QString& name) const
{
    const QWidget* page = step().page.isEmpty() ? nullptr : m_window->workspace(step().page);
    const QList<QWidget*> all = (page == nullptr ? m_window : page)->findChildren<QWidget*>();
    for (QWidget* widget : all) {
        if (widget->isVisible() && widget->focusPolicy() != Qt::NoFocus
            && isNamed(widget->accessibleName(), name)) {
            return widget;
        }
        // A button's name is its text, which may change while it lives.
        const auto* button = qobject_cast<const QAbstractButton*>(widget);
        if (button != nullptr && button->isVisible() && isNamed(button->text(), name)) {
            return widget;
        }
    }
    return nullptr;
}

QWidget* Tour::control() const
{
    return isRunning() && !step().control.isEmpty() ? find(step().control) : nullptr;
}

bool Tour::isDone()
{
    switch (step().until) {
    case TourStep::Until::Connected:
        return m_console->environment().name == QLatin1StringView("local")
            && m_console->source(Source::Redis).isUp();
    case TourStep::Until::Usable: {
        const QWidget* wanted = find(step().what);
        return wanted != nullptr && wanted->isEnabled();
    }
    case TourStep::Until::Recorded:
    case TourStep::Until::Pressed:
    case TourStep::Until::Sent:
    case TourStep::Until::Acted:
        return m_done;
    case TourStep::Until::Read:
        break;
    }
    return false;
}

void Tour::watch()
{
    if (!isRunning()) {
        return;
    }
    QWidget* now = control();
    if (now != nullptr && now != m_watched) {
        m_watched = now;
        if (auto* button = qobject_cast<QAbstractButton*>(now);
            button != nullptr && step().until == TourStep::Until::Pressed) {
            connect(button, &QAbstractButton::clicked, this, [this] { m_done = true; });
        }
        if (auto* edit = qobject_cast<QLineEdit*>(now);
            edit != nullptr && step().until == TourStep::Until::Sent) {
            connect(edit, &QLineEdit::textChanged, this, [this](const QString& text) {
                m_done = m_done || (m_typed && text.isEmpty());
                m_typed = !text.isEmpty();
            });
        }
    }
    if (isDone()) {
        next();
    }
}

} // namespace sluice::ui

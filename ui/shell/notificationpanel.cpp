#include "ui/shell/notificationpanel.h"

#include "ui/shell/console.h"
#include "ui/shell/format.h"
#include "ui/shell/text.h"

#include <QListWidget>
#include <QVBoxLayout>

namespace sluice::ui {

NotificationPanel::NotificationPanel(Console* console, QWidget* parent)
    : QFrame(parent, Qt::Popup)
    , m_console(console)
    , m_list(new QListWidget(this))
{
    setFrameShape(QFrame::StyledPanel);
    setAccessibleName(tr("Notifications"));
    resize(420, 340);
    m_list->setAccessibleName(tr("Notifications, newest first"));
    m_list->setWordWrap(true);
    m_list->setFrameShape(QFrame::NoFrame);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(12, 10, 12, 10);
    layout->addWidget(new Text(FontRole::CardTitle, Ink::Muted, tr("Notifications"), this));
    layout->addWidget(m_list, 1);
    connect(console, &Console::notified, this, &NotificationPanel::refresh);
    connect(m_list, &QListWidget::itemActivated, this, [this](QListWidgetItem* item) {
        const QString workspace = item->data(Qt::UserRole).toString();
        if (!workspace.isEmpty()) {
            hide();
            Q_EMIT workspaceRequested(workspace);
        }
    });
}

void NotificationPanel::openAt(const QPoint& topRight)
{
    refresh();
    move(topRight.x() - width(), topRight.y());
    show();
    m_list->setFocus();
}

int NotificationPanel::count() const
{
    return m_list->count();
}

void NotificationPanel::refresh()
{
    m_list->clear();
    for (const Notification& notification : m_console->notifications()) {
        auto* item = new QListWidgetItem(format::clock(notification.at) % QLatin1StringView("  ")
                % Theme::glyph(notification.tone) % u' ' % notification.text,
            m_list);
        item->setData(Qt::UserRole, notification.workspace);
        item->setForeground(notification.tone == Tone::None ? theme().colors().text
                                                            : theme().color(notification.tone));
    }
    if (m_list->count() == 0) {
        new QListWidgetItem(tr("Nothing has happened yet."), m_list);
    }
}

} // namespace sluice::ui

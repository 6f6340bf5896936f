#include "ui/shell/toasts.h"

#include "ui/shell/infobanner.h"

#include <QEvent>
#include <QTimer>

namespace sluice::ui {

namespace {

constexpr int most = 4;
constexpr int stayMs = 6000;
constexpr int width = 380;
constexpr int margin = 16;
constexpr int statusHeight = 26; ///< the status bar's height
constexpr int railWidth = 64;

} // namespace

Toasts::Toasts(Console* console, QWidget* window)
    : QObject(window)
    , m_window(window)
{
    window->installEventFilter(this);
    connect(console, &Console::notified, this, &Toasts::show);
}

void Toasts::show(const Notification& notification)
{
    auto* toast = new InfoBanner(m_window);
    toast->setObjectName(QStringLiteral("toast"));
    toast->setAccessibleName(notification.text);
    toast->show(notification.tone, notification.text,
        notification.workspace.isEmpty() ? QString() : tr("Show"));
    connect(toast, &InfoBanner::actionTriggered, this, [this, toast, id = notification.workspace] {
        Q_EMIT workspaceRequested(id);
        toast->dismiss();
    });
    connect(toast, &InfoBanner::dismissed, this, [this, toast] {
        m_toasts.removeOne(toast);
        toast->deleteLater();
        arrange();
    });
    m_toasts << toast;
    if (m_toasts.size() > most) {
        static_cast<InfoBanner*>(m_toasts.first())->dismiss();
    }
    if (notification.tone == Tone::Ok || notification.tone == Tone::None) {
        QTimer::singleShot(stayMs, toast, &InfoBanner::dismiss);
    }
    arrange();
}

QStringList Toasts::shown() const
{
    QStringList texts;
    for (const QFrame* toast : m_toasts) {
        texts << toast->accessibleName();
    }
    return texts;
}

bool Toasts::eventFilter(QObject* watched, QEvent* event)
{
    if (watched == m_window && event->type() == QEvent::Resize) {
        arrange();
    }
    return QObject::eventFilter(watched, event);
}

/// Stacked upwards from the corner where lines begin, beside the rail: in the other one stand the
/// pages' buttons.
void Toasts::arrange()
{
    int bottom = m_window->height() - statusHeight - margin;
    const bool mirrored = m_window->layoutDirection() == Qt::RightToLeft;
    for (auto toast = m_toasts.rbegin(); toast != m_toasts.rend(); ++toast) {
        const int height = std::max((*toast)->sizeHint().height(), (*toast)->heightForWidth(width));
        const int left =
            mirrored ? m_window->width() - railWidth - width - margin : railWidth + margin;
        (*toast)->setGeometry(left, bottom - height, width, height);
        (*toast)->raise();
        bottom -= height + 8;
    }
}

} // namespace sluice::ui

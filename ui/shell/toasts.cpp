#include "ui/shell/toasts.h"

#include "ui/shell/infobanner.h"

#include <QHBoxLayout>
#include <QTimer>

namespace sluice::ui {

namespace {

constexpr int most = 3;
constexpr int stayMs = 6000;
constexpr int widest = 380;
constexpr int gap = 6; ///< to the page and to each other

} // namespace

Toasts::Toasts(Console* console, QWidget* parent)
    : QWidget(parent)
    , m_row(new QHBoxLayout(this))
{
    m_row->setContentsMargins(0, gap, 0, 0);
    m_row->setSpacing(gap);
    m_row->addStretch(); // they begin where lines do
    hide();
    connect(console, &Console::notified, this, &Toasts::show);
}

void Toasts::show(const Notification& notification)
{
    auto* toast = new InfoBanner(this);
    toast->setObjectName(QStringLiteral("toast"));
    toast->setAccessibleName(notification.text);
    toast->setMaximumWidth(widest);
    toast->show(notification.tone, notification.text,
        notification.workspace.isEmpty() ? QString() : tr("Show"));
    connect(toast, &InfoBanner::actionTriggered, this, [this, toast, id = notification.workspace] {
        Q_EMIT workspaceRequested(id);
        toast->dismiss();
    });
    connect(toast, &InfoBanner::dismissed, this, [this, toast] {
        m_toasts.removeOne(toast);
        m_row->removeWidget(toast);
        toast->deleteLater();
        setVisible(!m_toasts.isEmpty());
    });
    m_row->insertWidget(int(m_toasts.size()), toast, 1); // before the stretch
    m_toasts << toast;
    setVisible(true);
    if (m_toasts.size() > most) {
        static_cast<InfoBanner*>(m_toasts.first())->dismiss();
    }
    if (notification.tone == Tone::Ok || notification.tone == Tone::None) {
        QTimer::singleShot(stayMs, toast, &InfoBanner::dismiss);
    }
}

QStringList Toasts::shown() const
{
    QStringList texts;
    for (const QFrame* toast : m_toasts) {
        texts << toast->accessibleName();
    }
    return texts;
}

} // namespace sluice::ui

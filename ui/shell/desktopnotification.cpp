#include "ui/shell/desktopnotification.h"

#include <QApplication>
#include <QDBusConnection>
#include <QDBusMessage>
#include <QDBusPendingCall>
#include <QElapsedTimer>
#include <QVariantMap>

namespace sluice::ui {

namespace {

constexpr qint64 leastPauseMs = 10000;

} // namespace

void notifyDesktop(const QString& title, const QString& text, QWidget* window)
{
    QApplication::alert(window);
    static QElapsedTimer last;
    if (last.isValid() && last.elapsed() < leastPauseMs) {
        return;
    }
    last.start();
    // Without an address Qt would try to start a bus.
    if (qEnvironmentVariableIsEmpty("DBUS_SESSION_BUS_ADDRESS")
        || !QDBusConnection::sessionBus().isConnected()) {
        return;
    }
    QDBusMessage message =
        QDBusMessage::createMethodCall(QStringLiteral("org.freedesktop.Notifications"),
            QStringLiteral("/org/freedesktop/Notifications"),
            QStringLiteral("org.freedesktop.Notifications"), QStringLiteral("Notify"));
    message << QStringLiteral("Sluice") << 0U << QString() << title << text.toHtmlEscaped()
            << QStringList() << QVariantMap() << -1;
    QDBusConnection::sessionBus().asyncCall(message);
}

} // namespace sluice::ui

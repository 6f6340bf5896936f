#pragma once

#include <QString>

class QWidget;

namespace sluice::ui {

/// Tells the desktop (the notification service of the session bus) at most
/// once in ten seconds, and lets the task bar blink. Without a session bus only the latter.
void notifyDesktop(const QString& title, const QString& text, QWidget* window);

} // namespace sluice::ui

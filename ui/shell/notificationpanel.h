#pragma once

#include <QFrame>

class QListWidget;

namespace sluice::ui {

class Console;

/// What the console said, newest first; opens below the bell, closes with Esc or a click outside.
class NotificationPanel : public QFrame
{
    Q_OBJECT

public:
    explicit NotificationPanel(Console* console, QWidget* parent = nullptr);
    void openAt(const QPoint& topRight);
    int count() const;

Q_SIGNALS:
    void workspaceRequested(const QString& id);

private:
    void refresh();

    Console* m_console;
    QListWidget* m_list;
};

} // namespace sluice::ui

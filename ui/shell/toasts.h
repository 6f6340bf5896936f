#pragma once

#include "ui/shell/console.h"

#include <QFrame>
#include <QList>

namespace sluice::ui {

/// What has just been done, at the window's lower corner: good news go by themselves after a few
/// seconds, warnings and errors stay until they are dismissed. At most four.
class Toasts : public QObject
{
    Q_OBJECT

public:
    Toasts(Console* console, QWidget* window);

    void show(const Notification& notification);
    QStringList shown() const;

Q_SIGNALS:
    void workspaceRequested(const QString& id);

protected:
    bool eventFilter(QObject* watched, QEvent* event) override;

private:
    void arrange();
    QWidget* m_window;
    QList<QFrame*> m_toasts; ///< oldest first
};

} // namespace sluice::ui

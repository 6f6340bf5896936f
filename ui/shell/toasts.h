#pragma once

#include "ui/shell/console.h"

#include <QFrame>
#include <QList>

class QHBoxLayout;

namespace sluice::ui {

/// What has just been done, in a strip of its own below the page, which makes room for it: lying
/// over a page it always covered a control of one. Good news go by themselves after a few seconds,
/// warnings and errors stay until they are dismissed. At most three, beside each other.
class Toasts : public QWidget
{
    Q_OBJECT

public:
    explicit Toasts(Console* console, QWidget* parent = nullptr); ///< hidden while there is nothing

    void show(const Notification& notification);
    QStringList shown() const;

Q_SIGNALS:
    void workspaceRequested(const QString& id);

private:
    QHBoxLayout* m_row;
    QList<QFrame*> m_toasts; ///< oldest first
};

} // namespace sluice::ui

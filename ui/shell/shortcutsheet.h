#pragma once

#include <QAction>
#include <QDialog>
#include <QList>

namespace sluice::ui {

/// Every shortcut and what it does (F1).
class ShortcutSheet : public QDialog
{
    Q_OBJECT

public:
    ShortcutSheet(const QList<QAction*>& actions, QWidget* parent);
};

} // namespace sluice::ui

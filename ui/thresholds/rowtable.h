#pragma once

#include <QStringList>

class QTableWidget;
class QWidget;

namespace sluice::ui {

/// A list of rows of which one is chosen: no grid, columns as wide as what they hold.
QTableWidget* rowTable(const QStringList& headers, const QString& name, QWidget* parent);

} // namespace sluice::ui

#pragma once

#include <QColor>
#include <QString>

class QTableView;
class QTableWidget;
class QWidget;

namespace sluice::ui {

/// A small table of words and figures: no grid, no headers, the first column takes the room.
QTableWidget* quietTable(const QString& name, int columns, QWidget* parent);
/// A cell of it; the first column at the left, figures at the right.
void putCell(
    QTableWidget* table, int row, int column, const QString& value, const QColor& ink = {});

/// The look of a list of rows on a model: one row is chosen, sortable, thin lines.
void dressTable(QTableView* table, const QString& name);

} // namespace sluice::ui

#pragma once

#include <QString>

class QTableView;

namespace sluice::ui {

/// The look of every table in the console: no grid, frame or row numbers; whole rows are chosen,
/// one at a time; nothing is edited; Tab leaves it. What a table does otherwise is set after.
void plainTable(QTableView* table, const QString& accessibleName);

} // namespace sluice::ui

#pragma once

#include "ui/shell/theme.h"

#include <QStringList>

class QTableWidget;
class QTableWidgetItem;
class QWidget;

namespace sluice::ui {

/// A plain table of the Load page: the first column to the left and as wide as there is room, the
/// others to the right.
QTableWidget* loadTable(const QString& name, const QStringList& columns, QWidget* parent);

/// Writes a row, appending it where `row` is the count.
void setLoadRow(QTableWidget* table, int row, const QStringList& texts);

/// Glyph and word of a verdict ("passed", "failed", "no verdict", "running").
Tone toneOfVerdict(const QString& verdict);
/// The tone is kept in the item, so that inkTones() can colour it anew when the theme changes.
void setTone(QTableWidgetItem* item, Tone tone);
void inkTones(QTableWidget* table);

} // namespace sluice::ui

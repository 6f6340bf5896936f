#include "ui/classify/quiettable.h"

#include "ui/shell/plaintable.h"

#include <QHeaderView>
#include <QTableWidget>

namespace sluice::ui {

QTableWidget* quietTable(const QString& name, int columns, QWidget* parent)
{
    auto* table = new QTableWidget(0, columns, parent);
    plainTable(table, name);
    table->setSelectionMode(QAbstractItemView::NoSelection);
    table->setFocusPolicy(Qt::TabFocus);
    table->setMinimumWidth(80);
    table->horizontalHeader()->hide();
    table->horizontalHeader()->setSectionResizeMode(0, QHeaderView::Stretch);
    for (int column = 1; column < columns; ++column) {
        table->horizontalHeader()->setSectionResizeMode(column, QHeaderView::ResizeToContents);
    }
    return table;
}

void putCell(QTableWidget* table, int row, int column, const QString& value, const QColor& ink)
{
    auto* item = new QTableWidgetItem(value);
    item->setTextAlignment((column == 0 ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
    item->setToolTip(value);
    if (ink.isValid()) {
        item->setForeground(ink);
    }
    table->setItem(row, column, item);
}

void dressTable(QTableView* table, const QString& name)
{
    plainTable(table, name);
    table->setWordWrap(false);
    table->setSortingEnabled(true);
    table->verticalHeader()->setSectionResizeMode(QHeaderView::Fixed);
    table->horizontalHeader()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    table->horizontalHeader()->setSectionsMovable(true);
}

} // namespace sluice::ui

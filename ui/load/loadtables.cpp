#include "ui/load/loadtables.h"

#include "ui/shell/plaintable.h"

#include <QHeaderView>
#include <QTableWidget>

namespace sluice::ui {

QTableWidget* loadTable(const QString& name, const QStringList& columns, QWidget* parent)
{
    auto* made = new QTableWidget(0, int(columns.size()), parent);
    plainTable(made, name);
    made->setHorizontalHeaderLabels(columns);
    made->setSelectionMode(QAbstractItemView::NoSelection);
    made->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
    made->horizontalHeader()->setSectionResizeMode(0, QHeaderView::Stretch);
    for (int column = 0; column < columns.size(); ++column) {
        made->horizontalHeaderItem(column)->setTextAlignment(
            (column == 0 ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
    }
    QObject::connect(&theme(), &Theme::changed, made, [made] { inkTones(made); });
    return made;
}

void setLoadRow(QTableWidget* table, int row, const QStringList& texts)
{
    if (row == table->rowCount()) {
        table->insertRow(row);
    }
    for (int column = 0; column < texts.size(); ++column) {
        auto* item = new QTableWidgetItem(texts[column]);
        item->setTextAlignment((column == 0 ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
        item->setToolTip(texts[column]);
        table->setItem(row, column, item);
    }
}

Tone toneOfVerdict(const QString& verdict)
{
    return verdict == QLatin1StringView("passed") ? Tone::Ok
        : verdict == QLatin1StringView("failed")  ? Tone::Bad
        : verdict == QLatin1StringView("running") ? Tone::None
                                                  : Tone::Warn;
}

void setTone(QTableWidgetItem* item, Tone tone)
{
    item->setData(Qt::UserRole, int(tone));
    item->setForeground(theme().color(tone));
}

void inkTones(QTableWidget* table)
{
    for (int row = 0; row < table->rowCount(); ++row) {
        for (int column = 0; column < table->columnCount(); ++column) {
            QTableWidgetItem* item = table->item(row, column);
            if (item != nullptr && item->data(Qt::UserRole).isValid()) {
                item->setForeground(theme().color(Tone(item->data(Qt::UserRole).toInt())));
            }
        }
    }
}

} // namespace sluice::ui

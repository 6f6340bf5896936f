#include "ui/thresholds/rowtable.h"

#include "ui/shell/plaintable.h"

#include <QHeaderView>
#include <QTableWidget>

namespace sluice::ui {

QTableWidget* rowTable(const QStringList& headers, const QString& name, QWidget* parent)
{
    auto* table = new QTableWidget(0, int(headers.size()), parent);
    plainTable(table, name);
    table->setHorizontalHeaderLabels(headers);
    table->horizontalHeader()->setMinimumSectionSize(62);
    table->horizontalHeader()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    table->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
    return table;
}

} // namespace sluice::ui

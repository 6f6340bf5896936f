#include "ui/shell/shortcutsheet.h"
#include "ui/shell/plaintable.h"

#include <QHeaderView>
#include <QTableWidget>
#include <QVBoxLayout>

namespace sluice::ui {

ShortcutSheet::ShortcutSheet(const QList<QAction*>& actions, QWidget* parent)
    : QDialog(parent)
{
    setWindowTitle(tr("Shortcuts"));
    resize(460, 520);
    auto* table = new QTableWidget(0, 2, this);
    plainTable(table, tr("Shortcuts"));
    table->horizontalHeader()->hide();
    table->horizontalHeader()->setSectionResizeMode(0, QHeaderView::Stretch);
    table->horizontalHeader()->setSectionResizeMode(1, QHeaderView::ResizeToContents);
    const auto add = [table](const QString& what, const QString& keys) {
        const int row = table->rowCount();
        table->insertRow(row);
        table->setItem(row, 0, new QTableWidgetItem(what));
        table->setItem(row, 1, new QTableWidgetItem(keys));
    };
    for (const QAction* action : actions) {
        if (!action->shortcut().isEmpty()) {
            add(action->text(), action->shortcut().toString(QKeySequence::NativeText));
        }
    }
    add(tr("In a chart: zoom"), tr("drag"));
    add(tr("In a chart: whole range"), tr("double click"));
    add(tr("In a legend: hide or show, show alone"), tr("click, double click"));
    auto* layout = new QVBoxLayout(this);
    layout->addWidget(table);
}

} // namespace sluice::ui

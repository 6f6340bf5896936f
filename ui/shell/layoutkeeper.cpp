#include "ui/shell/layoutkeeper.h"

#include <QHeaderView>
#include <QSettings>
#include <QSplitter>
#include <QTableView>

namespace sluice::ui {

namespace {

/// Calls `take` with key and object of everything that has a layout.
template <typename Splitter, typename Table>
void visit(const QString& page, const QWidget& widget, Splitter splitter, Table table)
{
    int number = 0;
    for (QSplitter* found : widget.findChildren<QSplitter*>()) {
        splitter(
            QStringLiteral("layout/%1/splitter%2-%3").arg(page).arg(number++).arg(found->count()),
            found);
    }
    for (QTableView* found : widget.findChildren<QTableView*>()) {
        const QHeaderView* header = found->horizontalHeader();
        if (!header->isHidden() && !found->accessibleName().isEmpty()) {
            table(QStringLiteral("layout/%1/%2-%3")
                      .arg(page, QString::fromLatin1(found->accessibleName().toUtf8().toHex()))
                      .arg(header->count()),
                found);
        }
    }
}

} // namespace

void saveLayout(QSettings& settings, const QString& page, const QWidget& widget)
{
    visit(
        page, widget,
        [&](const QString& key, QSplitter* splitter) {
            settings.setValue(key, splitter->saveState());
        },
        [&](const QString& key, QTableView* table) {
            settings.setValue(key, table->horizontalHeader()->saveState());
        });
}

void restoreLayout(const QSettings& settings, const QString& page, QWidget& widget)
{
    visit(
        page, widget,
        [&](const QString& key, QSplitter* splitter) {
            splitter->restoreState(settings.value(key).toByteArray());
        },
        [&](const QString& key, QTableView* table) {
            table->horizontalHeader()->restoreState(settings.value(key).toByteArray());
        });
}

} // namespace sluice::ui

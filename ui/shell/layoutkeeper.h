#pragma once

#include <QString>

class QSettings;
class QWidget;

namespace sluice::ui {

/// Splitters and the columns of tables, as a person left them. Each is known by its page and its
/// accessible name (a splitter: its place among the page's), so that a new one starts as made.
void saveLayout(QSettings& settings, const QString& page, const QWidget& widget);
void restoreLayout(const QSettings& settings, const QString& page, QWidget& widget);

} // namespace sluice::ui

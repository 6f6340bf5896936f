#pragma once

#include <QStringList>

namespace sluice::ops {

/// HTML that the reports of rollouts are made of: for a browser and for QTextDocument; nothing in
/// it is loaded from elsewhere. Text given is escaped, `body` is HTML.
QString reportTable(const QStringList& head, const QList<QStringList>& rows);
/// A whole document with its title as the first heading.
QString reportDocument(const QString& title, const QString& body);
/// "2026-11-24 14:00:00 UTC"; a dash for 0. Milliseconds since 1970.
QString reportTime(qint64 ms);

} // namespace sluice::ops

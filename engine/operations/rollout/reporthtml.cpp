#include "engine/operations/rollout/reporthtml.h"

#include <QDateTime>

namespace sluice::ops {

namespace {

QString row(const QStringList& cells, const char* tag)
{
    QString line = QStringLiteral("<tr>");
    for (const QString& cell : cells) {
        line += QStringLiteral("<%1>%2</%1>").arg(QLatin1StringView(tag), cell.toHtmlEscaped());
    }
    return line + QStringLiteral("</tr>\n");
}

} // namespace

QString reportTable(const QStringList& head, const QList<QStringList>& rows)
{
    QString text =
        QStringLiteral("<table border=\"1\" cellspacing=\"0\" cellpadding=\"4\" width=\"100%\">\n")
        + row(head, "th");
    for (const QStringList& cells : rows) {
        text += row(cells, "td");
    }
    return text + QStringLiteral("</table>\n");
}

QString reportDocument(const QString& title, const QString& body)
{
    return QStringLiteral(
               "<!DOCTYPE html>\n<html><head><meta charset=\"utf-8\"><title>%1</title>\n"
               "<style>body{font-family:sans-serif;max-width:60em;margin:2em auto}"
               "table{border-collapse:collapse;font-size:90%}th{text-align:left}</style></head>"
               "<body>\n<h1>%1</h1>\n")
               .arg(title.toHtmlEscaped())
        + body + QStringLiteral("</body></html>\n");
}

QString reportTime(qint64 ms)
{
    return ms > 0 ? QDateTime::fromMSecsSinceEpoch(ms, Qt::UTC)
                        .toString(QStringLiteral("yyyy-MM-dd HH:mm:ss 'UTC'"))
                  : QStringLiteral("–");
}

} // namespace sluice::ops

#include "ui/load/reportfile.h"

#include "engine/base/file.h"
#include "engine/operations/loadtest/report.h"

#include <QAbstractTextDocumentLayout>
#include <QBuffer>
#include <QImage>
#include <QPageLayout>
#include <QPainter>
#include <QPdfWriter>
#include <QSvgRenderer>
#include <QTextDocument>

namespace sluice::ui {

namespace {

constexpr int textWidth = 660; ///< of a page, in the document's pixels
constexpr int pixelsPerInch = 96; ///< what the report's style sheet reckons with
constexpr int picturePixels = 1800; ///< twice the drawing's size, so that paper shows it sharp

QSize pictureSize(const ops::ReportChart& chart)
{
    const QSizeF size = QSvgRenderer(chart.svg).viewBoxF().size();
    return {picturePixels, int(picturePixels * size.height() / size.width())};
}

QImage pictureOf(const ops::ReportChart& chart)
{
    QSvgRenderer renderer(chart.svg);
    QImage image(pictureSize(chart), QImage::Format_ARGB32_Premultiplied);
    image.fill(Qt::white);
    QPainter painter(&image);
    renderer.render(&painter);
    return image;
}

Result<void> writePdf(const ops::LoadResult& result, const QString& file)
{
    QTextDocument document;
    const QString html =
        ops::reportHtml(result, [&document](int index, const ops::ReportChart& chart) {
            const QString name = QStringLiteral("chart%1").arg(index);
            document.addResource(QTextDocument::ImageResource, QUrl(name), pictureOf(chart));
            const QSize size = pictureSize(chart);
            return QStringLiteral("<img src=\"%1\" width=\"%2\" height=\"%3\">")
                .arg(name)
                .arg(textWidth)
                .arg(textWidth * size.height() / size.width());
        });
    QByteArray bytes;
    QBuffer buffer(&bytes);
    buffer.open(QIODevice::WriteOnly);
    {
        QPdfWriter writer(&buffer);
        writer.setResolution(pixelsPerInch);
        writer.setTitle(QStringLiteral("Load run %1").arg(result.scenario.name));
        writer.setPageSize(QPageSize(QPageSize::A4));
        writer.setPageMargins(QMarginsF(16, 14, 16, 14), QPageLayout::Millimeter);
        document.setHtml(html);
        document.setDocumentMargin(0);
        // The document lays itself out in the writer's units.
        document.documentLayout()->setPaintDevice(&writer);
        document.setPageSize(QSizeF(writer.width(), writer.height()));
        document.print(&writer);
    }
    if (bytes.isEmpty()) {
        return internalError("the report could not be drawn as PDF");
    }
    return writeFileAtomically(file.toStdString(), bytes.toStdString());
}

} // namespace

Result<void> writeReport(const ops::LoadResult& result, const QString& file)
{
    if (file.endsWith(QLatin1StringView(".pdf"), Qt::CaseInsensitive)) {
        return writePdf(result, file);
    }
    return writeFileAtomically(file.toStdString(), ops::reportHtml(result).toStdString());
}

} // namespace sluice::ui

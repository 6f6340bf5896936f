#pragma once

#include "engine/operations/loadtest/loadresult.h"

#include <QByteArray>
#include <QList>
#include <QString>
#include <functional>

namespace sluice::ops {

/// One picture of a report.
struct ReportChart
{
    QString title; ///< "Response time"
    QString hint; ///< what is counted, and from when
    QByteArray svg; ///< 900 x 220, self-contained
};

/// The pictures of a run: users and requests, response times, errors by kind where there were any,
/// the heat map, the service where Prometheus saw it. Empty for a run without seconds. Pure.
QList<ReportChart> reportCharts(const LoadResult& result);

/// A whole report in one HTML file without any reference to another: verdict, targets with value,
/// limit, interval and margin, pictures, errors with samples, figures, environment, notes. Pure.
/// `picture` says how the n-th chart stands in the text; none: as inline SVG. (QTextDocument, which
/// makes the PDF, knows no SVG inside a text.)
QString reportHtml(const LoadResult& result,
    const std::function<QString(int index, const ReportChart& chart)>& picture = {});

} // namespace sluice::ops

#pragma once

#include <QColor>
#include <QImage>
#include <QList>
#include <QPointF>
#include <vector>

namespace sluice::ui {

struct Column;

/// Draws lines over time into a picture, antialiased, a column of pixels at a time: a line over
/// time passes each column once, so what it covers there is an interval. QPainter strokes a path
/// instead, which takes tens of times as long (tests/bench/bench_charts.cpp).
/// Coordinates are pixels of the picture.
class LineRaster
{
public:
    struct Style
    {
        QColor color;
        double width = 1.5;
        QList<double> dash; ///< pixels on, off, on, off ...; empty: solid
        double fill = 0; ///< opacity of the area below the line, down to `floor`
        double floor = 0;
    };

    /// The picture is cleared: transparent, ARGB32_Premultiplied.
    explicit LineRaster(QImage* image);

    void drawLine(const std::vector<QPointF>& points, const Style& style);
    /// `heights`: a column a pixel, its values already in pixels (low at the top).
    void drawColumns(const QList<Column>& heights, const Style& style);

private:
    struct Span
    {
        float top = 1e9F;
        float bottom = -1e9F;
    };
    void begin(int parts);
    void addSegment(const QPointF& from, const QPointF& to, double width);
    void include(int part, double top, double bottom);
    void finish(const Style& style);
    void blend(int x, int y, uint color, uint alpha);
    void fillBelow(int x, const Style& style);

    QImage* m_image;
    uint* m_pixels;
    qsizetype m_stride;
    int m_parts = 1; ///< of a column: sparse lines are looked at more finely than dense ones
    std::vector<Span> m_spans;
};

} // namespace sluice::ui

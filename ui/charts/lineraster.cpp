#include "ui/charts/lineraster.h"

#include "ui/charts/samples.h"

#include <algorithm>
#include <cmath>
#include <numeric>

namespace sluice::ui {

namespace {

constexpr int fineParts = 4;

uint channel(uint color, int shift)
{
    return (color >> shift) & 0xFFU;
}

bool isDrawn(const QList<double>& dash, int x)
{
    if (dash.isEmpty()) {
        return true;
    }
    double place = std::fmod(x, std::accumulate(dash.begin(), dash.end(), 0.0));
    for (int index = 0; index < dash.size(); ++index) {
        if (place < dash[index]) {
            return index % 2 == 0;
        }
        place -= dash[index];
    }
    return true;
}

/// How much of the pixel row `y` lies in [top, bottom].
double overlap(double top, double bottom, int y)
{
    return std::clamp(std::min(bottom, y + 1.0) - std::max(top, double(y)), 0.0, 1.0);
}

} // namespace

LineRaster::LineRaster(QImage* image)
    : m_image(image)
{
    m_image->fill(Qt::transparent);
    m_pixels = reinterpret_cast<uint*>(m_image->bits());
    m_stride = m_image->bytesPerLine() / qsizetype(sizeof(uint));
}

void LineRaster::begin(int parts)
{
    m_parts = parts;
    m_spans.assign(std::size_t(m_image->width()) * std::size_t(parts), Span());
}

void LineRaster::include(int part, double top, double bottom)
{
    if (part >= 0 && part < int(m_spans.size())) {
        Span& span = m_spans[std::size_t(part)];
        span.top = std::min(span.top, float(top));
        span.bottom = std::max(span.bottom, float(bottom));
    }
}

void LineRaster::addSegment(const QPointF& from, const QPointF& to, double width)
{
    // A brush of these half sizes makes the line `width` thick across, whatever its slope.
    const QPointF way = to - from;
    const double length = std::max(1e-9, std::hypot(way.x(), way.y()));
    const double acrossX = width / 2 * std::abs(way.y()) / length;
    const double acrossY = width / 2 * std::abs(way.x()) / length;
    const double part = 1.0 / m_parts;
    const int first = std::max(0, int(std::floor((from.x() - acrossX) / part)));
    const int last = std::min(int(m_spans.size()) - 1, int(std::floor((to.x() + acrossX) / part)));
    const auto heightAt = [&](double x) {
        const double share = way.x() < 1e-9 ? 0.0 : (x - from.x()) / way.x();
        return from.y() + std::clamp(share, 0.0, 1.0) * way.y();
    };
    for (int index = first; index <= last; ++index) {
        double one = heightAt(index * part - acrossX);
        double other = heightAt((index + 1) * part + acrossX);
        if (way.x() < 1e-9) { // straight up or down
            one = from.y();
            other = to.y();
        }
        include(index, std::min(one, other) - acrossY, std::max(one, other) + acrossY);
    }
}

void LineRaster::drawLine(const std::vector<QPointF>& points, const Style& style)
{
    begin(fineParts);
    if (points.size() == 1) {
        const double half = std::max(1.5, style.width) / 2;
        addSegment(points[0] - QPointF(half, 0), points[0] + QPointF(half, 0), half * 2);
    }
    for (std::size_t index = 1; index < points.size(); ++index) {
        addSegment(points[index - 1], points[index], style.width);
    }
    finish(style);
}

void LineRaster::drawColumns(const QList<Column>& heights, const Style& style)
{
    begin(1);
    const double half = std::max(1.0, style.width * 0.75) / 2; // a dense line is all edges
    int before = -1;
    for (int x = 0; x < heights.size(); ++x) {
        const Column& column = heights[x];
        if (!column.used) {
            continue;
        }
        if (column.joins && before >= 0) {
            const Column& last = heights[before];
            if (x - before > 1) { // fewer points than columns here
                addSegment({before + 0.5, last.last}, {x + 0.5, column.first}, style.width);
            } else {
                const double middle = (last.last + column.first) / 2;
                include(before, middle - half, middle + half);
                include(x, middle - half, middle + half);
            }
        }
        include(x, column.low - half, column.high + half);
        before = x;
    }
    finish(style);
}

void LineRaster::blend(int x, int y, uint color, uint alpha)
{
    uint& pixel = m_pixels[y * m_stride + x];
    const uint rest = 255 - alpha;
    const auto mixed = [&](int shift, uint full) {
        return ((full * alpha + channel(pixel, shift) * rest + 127) / 255) << shift;
    };
    pixel = mixed(24, 255) | mixed(16, channel(color, 16)) | mixed(8, channel(color, 8))
        | mixed(0, channel(color, 0));
}

void LineRaster::fillBelow(int x, const Style& style)
{
    const Span& span = m_spans[std::size_t(x * m_parts)];
    if (span.bottom < span.top) {
        return;
    }
    const int first = std::max(0, int((span.top + span.bottom) / 2));
    const int last = std::min(m_image->height() - 1, int(style.floor));
    const auto alpha = uint(std::lround(style.fill * 255));
    for (int y = first; y <= last; ++y) {
        blend(x, y, style.color.rgb(), alpha);
    }
}

void LineRaster::finish(const Style& style)
{
    const uint color = style.color.rgb();
    for (int x = 0; x < m_image->width(); ++x) {
        if (style.fill > 0) {
            fillBelow(x, style);
        }
        if (!isDrawn(style.dash, x)) {
            continue;
        }
        const Span* parts = &m_spans[std::size_t(x * m_parts)];
        Span all;
        for (int part = 0; part < m_parts; ++part) {
            all.top = std::min(all.top, parts[part].top);
            all.bottom = std::max(all.bottom, parts[part].bottom);
        }
        if (all.bottom < all.top) {
            continue;
        }
        const int last = std::min(m_image->height() - 1, int(std::floor(all.bottom)));
        // Between the ends a column that is one interval is covered in full.
        const int full = m_parts > 1 ? last : int(std::ceil(all.top));
        const int partial = m_parts > 1 ? last : int(std::floor(all.bottom));
        for (int y = std::max(0, int(std::floor(all.top))); y <= last; ++y) {
            if (y >= full && y < partial) {
                m_pixels[y * m_stride + x] = color;
                continue;
            }
            double covered = 0;
            for (int part = 0; part < m_parts; ++part) {
                covered += overlap(parts[part].top, parts[part].bottom, y);
            }
            const auto alpha = uint(covered / m_parts * 255 + 0.5);
            if (alpha > 0) {
                blend(x, y, color, alpha);
            }
        }
    }
}

} // namespace sluice::ui

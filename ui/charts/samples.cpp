#include "ui/charts/samples.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace sluice::ui {

namespace {

constexpr int blockBits = 3;
constexpr qsizetype blockSize = qsizetype(1) << blockBits;
constexpr double infinite = std::numeric_limits<double>::infinity();

qsizetype pointsOf(int level)
{
    return qsizetype(1) << (blockBits * (level + 1));
}

} // namespace

Samples& Samples::operator<<(const QPointF& point)
{
    m_points << point;
    return *this;
}

void Samples::replaceFrom(double time, const QList<QPointF>& points)
{
    const qsizetype kept = lowerBound(time);
    forgetSummariesFrom(kept);
    m_points.resize(kept);
    m_points += points;
}

void Samples::dropBefore(double time)
{
    const qsizetype old = lowerBound(time);
    if (old > std::max<qsizetype>(64, m_points.size() / 8)) {
        m_points.remove(0, old);
        m_levels.clear(); // blocks count from the first point
    }
}

void Samples::forgetSummariesFrom(qsizetype index)
{
    for (int level = 0; level < m_levels.size(); ++level) {
        m_levels[level].resize(std::min(m_levels[level].size(), index / pointsOf(level)));
    }
}

qsizetype Samples::lowerBound(double time) const
{
    return std::lower_bound(m_points.cbegin(), m_points.cend(), time,
               [](const QPointF& point, double t) { return point.x() < t; })
        - m_points.cbegin();
}

qsizetype Samples::nearest(double time, double reach) const
{
    const qsizetype after = lowerBound(time);
    qsizetype best = -1;
    double distance = reach;
    for (const qsizetype index : {after - 1, after}) {
        if (index >= 0 && index < size() && std::abs(m_points[index].x() - time) <= distance) {
            best = index;
            distance = std::abs(m_points[index].x() - time);
        }
    }
    return best;
}

Samples::Block Samples::summaryOf(int level, qsizetype block) const
{
    Block summary{infinite, -infinite, 0};
    const qsizetype first = block * pointsOf(level);
    for (qsizetype part = 0; part < blockSize; ++part) {
        const qsizetype begin = first + (level == 0 ? part : part * pointsOf(level - 1));
        Block one{};
        if (level == 0) {
            const double value = m_points[begin].y();
            one = std::isfinite(value) ? Block{value, value, 0}
                                       : Block{infinite, -infinite, infinite};
        } else {
            one = m_levels.at(level - 1).at(block * blockSize + part);
        }
        const double between = part == 0 ? 0 : m_points[begin].x() - m_points[begin - 1].x();
        summary = {std::min(summary.low, one.low), std::max(summary.high, one.high),
            std::max({summary.widest, one.widest, between})};
    }
    return summary;
}

void Samples::summarise() const
{
    for (int level = 0; m_points.size() >= pointsOf(level); ++level) {
        if (level == m_levels.size()) {
            m_levels << QList<Block>();
        }
        const qsizetype blocks = m_points.size() / pointsOf(level);
        for (qsizetype block = m_levels[level].size(); block < blocks; ++block) {
            m_levels[level] << summaryOf(level, block);
        }
    }
}

std::pair<int, qsizetype> Samples::blockAt(qsizetype index, double before, double gapSeconds) const
{
    std::pair<int, qsizetype> best{-1, 1};
    if (index % blockSize != 0) {
        return best;
    }
    for (int level = 0; level < m_levels.size(); ++level) {
        const qsizetype points = pointsOf(level);
        const qsizetype block = index / points;
        const QList<Block>& blocks = m_levels.at(level);
        if (index % points != 0 || block >= blocks.size()
            || m_points[index + points - 1].x() >= before || blocks.at(block).widest > gapSeconds) {
            break;
        }
        best = {level, points};
    }
    return best;
}

QList<Column> Samples::columns(double start, double end, int columns, double gapSeconds) const
{
    QList<Column> out(columns);
    if (columns <= 0 || end <= start || m_points.isEmpty()) {
        return out;
    }
    summarise();
    const double width = (end - start) / columns;
    Column* const all = out.data();
    double previous = -infinite;
    qsizetype index = std::max<qsizetype>(0, lowerBound(start) - 1);
    if (m_points[index].x() < start) {
        // The line enters from the edge, unless there is a gap.
        const bool enters =
            index + 1 < size() && m_points[index + 1].x() - m_points[index].x() <= gapSeconds;
        index += enters ? 0 : 1;
    }
    while (index < size() && m_points[index].x() <= end) {
        const double time = m_points[index].x();
        const int place = std::clamp(int((time - start) / width), 0, columns - 1);
        const auto [level, points] = blockAt(index, start + (place + 1) * width, gapSeconds);
        const double value = m_points[index].y();
        const qsizetype next = index + points;
        if (level < 0 && !std::isfinite(value)) {
            previous = -infinite;
            index = next;
            continue;
        }
        const Block block =
            level < 0 ? Block{value, value, 0} : m_levels.at(level).at(index / points);
        Column& column = all[place];
        if (!column.used) {
            column = {value, block.low, block.high, m_points[next - 1].y(), true,
                time - previous <= gapSeconds};
        } else {
            column.low = std::min(column.low, block.low);
            column.high = std::max(column.high, block.high);
            column.last = m_points[next - 1].y();
        }
        previous = m_points[next - 1].x();
        index = next;
    }
    return out;
}

std::optional<std::pair<double, double>> Samples::extremes(double start, double end) const
{
    summarise();
    double low = infinite;
    double high = -infinite;
    for (qsizetype index = lowerBound(start); index < size() && m_points[index].x() <= end;) {
        const auto [level, points] = blockAt(index, end, infinite);
        const double value = m_points[index].y();
        const Block block = level < 0
            ? (std::isfinite(value) ? Block{value, value, 0} : Block{infinite, -infinite, 0})
            : m_levels.at(level).at(index / points);
        low = std::min(low, block.low);
        high = std::max(high, block.high);
        index += points;
    }
    return low <= high ? std::optional(std::pair(low, high)) : std::nullopt;
}

} // namespace sluice::ui

#pragma once

#include <QList>
#include <QPointF>
#include <optional>
#include <utility>

namespace sluice::ui {

/// What a line does within one column of the screen.
struct Column
{
    double first = 0;
    double low = 0;
    double high = 0;
    double last = 0;
    bool used = false;
    bool joins = false; ///< the line goes on from the column before (no gap)
};

/// The points of a line (x: seconds, ascending; y: value; NaN breaks the line), and over them
/// summaries of 8, 64, 512 ... points each, so that a day of seconds is drawn from a few
/// thousand numbers. The summaries are made when first asked for and follow what is appended.
class Samples
{
public:
    Samples() = default;
    Samples(QList<QPointF> points)
        : m_points(std::move(points))
    { }

    const QList<QPointF>& points() const { return m_points; }
    qsizetype size() const { return m_points.size(); }
    bool isEmpty() const { return m_points.isEmpty(); }
    const QPointF& operator[](qsizetype index) const { return m_points[index]; }
    const QPointF& last() const { return m_points.last(); }
    auto begin() const { return m_points.cbegin(); }
    auto end() const { return m_points.cend(); }

    Samples& operator<<(const QPointF& point);
    /// What was known from `time` on is replaced by `points`, which begin there or later.
    void replaceFrom(double time, const QList<QPointF>& points);
    /// Forgets what is older; in large pieces only, so some of it may stay for a while.
    void dropBefore(double time);

    qsizetype lowerBound(double time) const; ///< index of the first point at or after `time`
    /// The index of the point nearest to `time`, or -1 when none is within `reach` seconds.
    qsizetype nearest(double time, double reach) const;
    /// The line reduced to `columns` over [start, end]; a longer distance than `gapSeconds` between
    /// two points is a gap.
    QList<Column> columns(double start, double end, int columns, double gapSeconds) const;
    /// The least and largest value within [start, end]; none where there is no point.
    std::optional<std::pair<double, double>> extremes(double start, double end) const;

private:
    struct Block
    {
        double low;
        double high;
        double widest; ///< distance between two neighbours in it; infinite with a NaN in it
    };
    void summarise() const;
    Block summaryOf(int level, qsizetype block) const;
    /// The largest block that begins at `index` and may be taken as a whole: its level, and how
    /// many points it has; level -1: the point alone.
    std::pair<int, qsizetype> blockAt(qsizetype index, double before, double gapSeconds) const;
    void forgetSummariesFrom(qsizetype index);

    QList<QPointF> m_points;
    mutable QList<QList<Block>> m_levels; ///< complete blocks only
};

} // namespace sluice::ui

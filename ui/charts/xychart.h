#pragma once

#include <QList>
#include <QPolygonF>
#include <QString>
#include <QWidget>
#include <functional>
#include <optional>

namespace sluice::ui {

/// One or two lines over a plain axis: risk against coverage, precision and recall, cost,
/// reliability, throughput against concurrency. Values under the mouse are said in the corner; the
/// arrow keys walk the first line.
class XyChart : public QWidget
{
    Q_OBJECT

public:
    struct Line
    {
        QString name; ///< empty: not in the legend, and nothing is read from it
        QPolygonF points; ///< rising in x
        int style = 0; ///< series number of the theme
        bool dots = false; ///< points alone, with bars from `low` to `high` where they are given
        QList<QPointF> bars; ///< (low, high) of each point; of a line: the band round it
    };
    struct Axis
    {
        QString title;
        double from = 0;
        double to = 1; ///< at or below `from`: from the lines (y only)
        std::function<QString(double)> text;
    };
    struct Picture
    {
        Axis x;
        Axis y;
        QList<Line> lines;
        std::optional<QPointF> here; ///< the point in hand
        QString hereText; ///< what it is: "at the present thresholds: %1 %2, %3 %4", x then y
        std::optional<double> limit; ///< a dashed line at this y
        QString limitText;
        bool diagonal = false;
    };

    explicit XyChart(const QString& name, QWidget* parent = nullptr);
    void setPicture(Picture picture);
    const Picture& picture() const { return m_picture; }

    QSize sizeHint() const override { return {420, 190}; }
    QSize minimumSizeHint() const override { return {200, 120}; }

Q_SIGNALS:
    void picked(double x); ///< clicked, or Return on the walked point

protected:
    void paintEvent(QPaintEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void leaveEvent(QEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;

private:
    QRectF area() const;
    double topOf(const Picture& picture) const;
    QPointF place(const QPointF& point) const;
    QString readOut() const;
    void drawAxes(QPainter& painter);
    void drawLine(QPainter& painter, const Line& line);
    void drawMarks(QPainter& painter);

    Picture m_picture;
    double m_top = 1; ///< of the y axis
    std::optional<double> m_cursor; ///< x
};

} // namespace sluice::ui

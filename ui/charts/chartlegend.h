#pragma once

#include <QList>
#include <QString>
#include <QWidget>

namespace sluice::ui {

/// The names of a chart's lines, with their values at the crosshair (or the last ones). A click
/// hides or shows one, a double click shows it alone; with the keyboard: Left, Right and Space.
/// Those that do not fit in a line go on in the next, three lines at most.
class ChartLegend : public QWidget
{
    Q_OBJECT

public:
    struct Entry
    {
        QString name;
        QString value;
        int style = 0;
        bool visible = true;
    };

    explicit ChartLegend(QWidget* parent = nullptr);
    void setEntries(const QList<Entry>& entries);
    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return {40, sizeHint().height()}; }

Q_SIGNALS:
    void toggled(int index);
    void soloed(int index);

protected:
    void paintEvent(QPaintEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void mouseDoubleClickEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;

private:
    QList<QRect> boxes() const;
    static int rowHeight();
    void fitRows();
    int at(const QPoint& place) const;

    QList<Entry> m_entries;
    int m_current = 0;
    int m_rows = 1;
};

} // namespace sluice::ui

#pragma once

#include "ui/thresholds/tuningsession.h"

#include <QWidget>

class QTableWidget;

namespace sluice::ui {

class Text;

/// The matrix itself: what was asked downwards, what was answered across; darker is more. Clicking
/// a cell, or Return on the one that the arrow keys walk to, opens it.
class ConfusionMatrix : public QWidget
{
    Q_OBJECT

public:
    explicit ConfusionMatrix(QWidget* parent = nullptr);
    void setConfusion(const ops::Confusion& confusion, const std::vector<std::string>& labels);
    QString rowName(std::size_t row) const;
    QString columnName(std::size_t column) const;
    QRectF cell(int row, int column) const;

    QSize sizeHint() const override { return {380, 320}; }
    QSize minimumSizeHint() const override { return {240, 160}; }

Q_SIGNALS:
    void opened(int row, int column);

protected:
    void paintEvent(QPaintEvent* event) override;
    void mouseMoveEvent(QMouseEvent* event) override;
    void mousePressEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
    void leaveEvent(QEvent* event) override;

private:
    QRectF area() const;
    void point(const QPointF& place);
    QString readOut() const;

    ops::Confusion m_confusion;
    std::vector<std::string> m_labels;
    int m_row = -1;
    int m_column = -1;
};

/// The matrix, the pairs that are mixed up most, and the queries behind a cell.
class ConfusionView : public QWidget
{
    Q_OBJECT

public:
    explicit ConfusionView(TuningSession* session, QWidget* parent = nullptr);
    void open(int row, int column);
    void openIntent(int label); ///< all that was asked as it and not accepted as it
    QTableWidget* list() const { return m_list; }
    ConfusionMatrix* matrix() const { return m_matrix; }

private:
    void refresh();
    void showPairs();
    void showRows(const std::vector<std::uint32_t>& rows, const QString& title);
    void activate(int row);

    TuningSession* m_session;
    ConfusionMatrix* m_matrix;
    Text* m_title;
    QTableWidget* m_list;
    std::vector<std::pair<int, int>> m_pairs; ///< shown in the list; empty: queries are
    int m_openRow = -1;
    int m_openColumn = -1;
};

} // namespace sluice::ui

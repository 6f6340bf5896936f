#pragma once

#include "engine/operations/queries/batch.h"

#include <QAbstractTableModel>
#include <QList>
#include <memory>
#include <string>
#include <vector>

namespace sluice::ui {

/// The rows of a batch, filtered and sorted by indices of its own: a proxy's mapping costs seconds
/// and most of the memory at 100,000 rows.
class BatchModel : public QAbstractTableModel
{
    Q_OBJECT

public:
    enum Column
    {
        Query,
        Decision,
        Intent,
        Confidence,
        Threshold,
        Margin,
        Expected,
        Entities,
        Micros,
        Line,
        ColumnCount
    };
    enum class Show
    {
        All,
        Accepted,
        Clarified,
        Fallback,
        Wrong, ///< labelled, and not as expected
        Errors
    };

    using Rows = std::shared_ptr<const std::vector<ops::BatchRow>>;
    /// Which rows are shown, and in which order.
    struct Wish
    {
        std::string needle; ///< in query, intent, label or entities; lower case
        Show show = Show::All;
        int column = -1; ///< as they stand in the file
        Qt::SortOrder order = Qt::AscendingOrder;

        bool operator==(const Wish&) const = default;
    };
    static std::vector<int> orderOf(const std::vector<ops::BatchRow>& rows, const Wish& wish);

    explicit BatchModel(QObject* parent = nullptr);
    void setRows(Rows rows, std::vector<int> order);
    void setOrder(std::vector<int> order);
    void setFilter(const QString& text, Show show);
    const Wish& wish() const { return m_wish; }
    const Rows& shared() const { return m_rows; }
    const std::vector<ops::BatchRow>& rows() const { return *m_rows; }
    const std::vector<int>& order() const { return m_order; } ///< shown rows, as shown
    const ops::BatchRow* at(const QModelIndex& index) const;

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
    void sort(int column, Qt::SortOrder order) override;

Q_SIGNALS:
    void wishChanged(); ///< somebody has to reckon the order anew, and set it

private:
    QString text(const ops::BatchRow& row, int column) const;

    Rows m_rows;
    std::vector<int> m_order;
    Wish m_wish;
};

} // namespace sluice::ui

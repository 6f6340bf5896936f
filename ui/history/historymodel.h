#pragma once

#include "engine/operations/record/history.h"

#include <QAbstractTableModel>

namespace sluice::ui {

/// What was done, newest first.
class HistoryModel : public QAbstractTableModel
{
    Q_OBJECT

public:
    enum Column
    {
        At,
        Actor,
        Environment,
        Kind,
        Subject,
        Outcome,
        ColumnCount
    };

    explicit HistoryModel(QObject* parent = nullptr);
    void setEntries(QList<ops::HistoryEntry> entries);
    const QList<ops::HistoryEntry>& entries() const { return m_entries; }

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    QList<ops::HistoryEntry> m_entries;
};

} // namespace sluice::ui

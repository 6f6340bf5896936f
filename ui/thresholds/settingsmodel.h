#pragma once

#include "ui/thresholds/tuningsession.h"

#include <QAbstractTableModel>
#include <QSortFilterProxyModel>
#include <vector>

namespace sluice::ui {

/// All that a threshold set says, in one table: the settings for every query first, then context
/// rules, then each intent with what it does after the decision rule. Values are edited in place;
/// an edit goes through the session, so that it can be undone.
class SettingsModel : public QAbstractTableModel
{
    Q_OBJECT

public:
    enum Column
    {
        Name,
        Support,
        Value, ///< edited
        Bar, ///< the same as a slider
        Precision,
        Recall,
        Coverage,
        Wrong,
        Certified,
        ColumnCount
    };
    enum class Kind
    {
        Global,
        Margin,
        ClarifyBand,
        FollowUp,
        Sensitive,
        Failures,
        Rule,
        Intent
    };
    enum Role
    {
        SortRole = Qt::UserRole,
        ValueRole, ///< the number as it is
        LowRole, ///< of a slider
        HighRole,
        OwnRole, ///< whether it says something of its own
        LiveRole, ///< the same setting in the live set
    };

    explicit SettingsModel(TuningSession* session, QObject* parent = nullptr);

    struct Row
    {
        Kind kind = Kind::Global;
        int index = 0; ///< of the rule or the intent
    };
    const Row& row(int row) const { return m_rows[std::size_t(row)]; }
    /// Sets a value; moves with one `mergeKey` are one step to undo.
    void setValue(int row, double value, bool merge);
    /// An intent goes back to the global threshold; a context rule goes.
    void clearValue(int row);
    void toggleSensitive(int row);
    bool isSensitive(int row) const;
    void setGuarantee(const Guarantee* guarantee); ///< per intent; null: none

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    bool setData(const QModelIndex& index, const QVariant& value, int role) override;
    Qt::ItemFlags flags(const QModelIndex& index) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    void rebuild();
    void refresh();
    QString nameOf(const Row& row) const;
    double valueOf(const ThresholdSet& set, const Row& row) const;
    QVariant figure(const Row& row, int column) const; ///< text of the columns after Bar
    double number(const Row& row, int column) const; ///< what they sort by
    QVariant toolTip(const Row& row, int column) const;

    TuningSession* m_session;
    std::vector<Row> m_rows;
    std::map<std::string, QString> m_certified; ///< by intent; "" for the global row
};

/// Sorts intents and leaves the settings on top; finds by name.
class SettingsProxy : public QSortFilterProxyModel
{
    Q_OBJECT

public:
    using QSortFilterProxyModel::QSortFilterProxyModel;

protected:
    bool lessThan(const QModelIndex& left, const QModelIndex& right) const override;
};

} // namespace sluice::ui

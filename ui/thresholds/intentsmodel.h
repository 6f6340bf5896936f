#pragma once

#include "engine/classification/evaluator.h"

#include <QAbstractTableModel>
#include <string>
#include <vector>

namespace sluice::ui {

/// Per intent, after the decision rule: support, threshold, precision, recall, coverage, wrongly
/// accepted.
class IntentsModel : public QAbstractTableModel
{
    Q_OBJECT

public:
    enum Column
    {
        Intent,
        Support,
        Threshold,
        Precision,
        Recall,
        Coverage,
        Wrong,
        ColumnCount
    };

    explicit IntentsModel(QObject* parent = nullptr);
    void setIntents(std::vector<std::string> labels);
    void setOutcomes(std::vector<IntentOutcome> outcomes, const ThresholdSet& set);

    int rowCount(const QModelIndex& parent = {}) const override;
    int columnCount(const QModelIndex& parent = {}) const override;
    QVariant data(const QModelIndex& index, int role) const override;
    QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

private:
    double number(int row, int column) const; ///< NaN where there is none
    std::vector<std::string> m_labels;
    std::vector<IntentOutcome> m_outcomes;
    ThresholdSet m_set;
};

} // namespace sluice::ui

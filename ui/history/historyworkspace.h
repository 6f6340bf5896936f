#pragma once

#include "ui/shell/workspace.h"

class QComboBox;
class QLineEdit;
class QTableView;
class QTableWidget;

namespace sluice::ui {

class HistoryModel;
class StateView;
class Text;

/// What was done, by whom: publishes, runs, shifts; filtered, with the details of the row in hand
/// beside the list.
class HistoryWorkspace : public Workspace
{
    Q_OBJECT

public:
    explicit HistoryWorkspace(Console* console, QWidget* parent = nullptr);

    void activated() override;

    const HistoryModel* model() const { return m_model; }
    QLineEdit* filter() const { return m_filter; }
    StateView* stateView() const { return m_state; }

private:
    void refresh();
    void showDetails();

    HistoryModel* m_model;
    StateView* m_state;
    QLineEdit* m_filter;
    QComboBox* m_kind;
    QTableView* m_table;
    QTableWidget* m_details;
    Text* m_title;
};

} // namespace sluice::ui

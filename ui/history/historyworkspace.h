#pragma once

#include "engine/operations/record/history.h"
#include "ui/shell/workspace.h"

class QComboBox;
class QLineEdit;
class QTableView;
class QTableWidget;

namespace sluice::ui {

class Button;
class Card;
class HistoryModel;
class InfoBanner;
class StateView;
class Text;

/// What was done, by whom: publishes, evaluations, runs, shifts; filtered, with the details of the
/// row in hand beside the list, or what differs between the two that are selected. What is listed
/// goes into a file.
class HistoryWorkspace : public Workspace
{
    Q_OBJECT

public:
    explicit HistoryWorkspace(Console* console, QWidget* parent = nullptr);

    void activated() override;
    void exportTo(const QString& file); ///< CSV, or JSON by its suffix
    void openThing(); ///< shows the page that the entry in hand concerns

    const HistoryModel* model() const { return m_model; }
    QLineEdit* filter() const { return m_filter; }
    QComboBox* kind() const { return m_kind; }
    QComboBox* period() const { return m_period; }
    QTableView* table() const { return m_table; }
    QTableWidget* details() const { return m_details; }
    InfoBanner* banner() const { return m_banner; }
    StateView* stateView() const { return m_state; }

private:
    QWidget* makeFilters();
    QWidget* makePage();
    void addActions();
    void refresh();
    void readKinds();
    void showDetails();
    void showEntry(const ops::HistoryEntry& entry);
    void showDifference(const ops::HistoryEntry& before, const ops::HistoryEntry& after);
    void setRows(const QStringList& headers, const QList<QStringList>& rows);
    void chooseFile();
    QList<int> selectedRows() const; ///< rising

    HistoryModel* m_model;
    StateView* m_state;
    InfoBanner* m_banner;
    QLineEdit* m_filter;
    QComboBox* m_kind;
    QComboBox* m_period;
    QTableView* m_table;
    Card* m_beside;
    QTableWidget* m_details;
    Text* m_title;
    Button* m_open;
};

} // namespace sluice::ui

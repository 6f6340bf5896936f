#pragma once

#include "engine/operations/monitoring/dashboardstore.h"
#include "ui/monitor/monitorpage.h"

class QComboBox;
class QStackedWidget;
class QTableWidget;

namespace sluice::ui {

class Button;
class DashboardView;
class PromQlEdit;
class Text;

/// Asking Prometheus by hand: a query with completion, its graph and its values now; queries pinned
/// to pages of one's own, and Grafana's dashboards beside them.
class ExplorePage : public MonitorPage
{
    Q_OBJECT

public:
    ExplorePage(Console* console, ChartGroup* group, QWidget* parent = nullptr);

    void tick(const Moment& moment) override;
    void reset() override;

    PromQlEdit* editor() const { return m_editor; }
    void run(); ///< the query in the editor
    /// The page of that title, made where missing, gets the query in the editor.
    void pinTo(const QString& title);
    Result<void> importGrafana(const QString& file);
    Result<void> exportGrafana(const QString& file) const; ///< the page in hand, or the query
    void showDashboard(const QString& title); ///< empty: the editor
    void removeDashboard(); ///< the page in hand

    QTableWidget* values() const { return m_values; }
    DashboardView* view() const { return m_view; }
    QString message() const;

private:
    QWidget* makeBar();
    QWidget* makeEditor();
    void loadDashboards(const QString& shown);
    void fetchNames();
    void fetchValues();
    void say(const QString& text, bool bad);
    void openPinMenu();
    ops::Dashboard queryAsDashboard(const QString& title) const;

    ops::DashboardStore m_store;
    QList<ops::Dashboard> m_dashboards;
    QComboBox* m_choice;
    QStackedWidget* m_stack;
    DashboardView* m_view;
    PromQlEdit* m_editor;
    Text* m_message;
    QTableWidget* m_values;
    Button* m_pin = nullptr;
    Button* m_remove = nullptr;
    QString m_query;
    bool m_named = false; ///< metric and label names were fetched
};

} // namespace sluice::ui

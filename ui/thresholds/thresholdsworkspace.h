#pragma once

#include "engine/operations/thresholds/recordedtraffic.h"
#include "ui/shell/workspace.h"
#include "ui/thresholds/tuningsession.h"

class QComboBox;
class QDoubleSpinBox;
class QLineEdit;
class QStackedWidget;
class QTabBar;
class QTableWidget;

namespace sluice::ui {

class Card;
class ConfidenceHistogram;
class ConfusionView;
class DataPreviewDialog;
class FlipsView;
class GuaranteePanel;
class InfoBanner;
class Pools;
class PublishPanel;
class SettingsModel;
class SettingsTable;
class StateView;
class Text;
class ThresholdCharts;
class VersionsView;

/// Admins' page: what a draft of a threshold set does to labelled rows and to recorded traffic,
/// what of it can be guaranteed, what would change against the live set; published to a pool and
/// watched arriving.
class ThresholdsWorkspace : public Workspace
{
    Q_OBJECT

public:
    explicit ThresholdsWorkspace(Console* console, QWidget* parent = nullptr);

    enum class Tab
    {
        Settings,
        Confusion,
        Flips,
        Versions
    };

    void activated() override;
    void deactivated() override;

    /// Reads and scores labelled data in the background; empty: the bundled data.
    void loadData(const QString& file = {});
    void previewData(const QStringList& files); ///< shows what is in them first
    void loadTraffic(); ///< from the environment's Redis
    void setThreshold(double threshold);
    void publish(); ///< asks, then publishes to the chosen pool
    void showTab(Tab tab);

    StateView* stateView() const { return m_state; }
    TuningSession* session() const { return m_session; }
    ConfidenceHistogram* histogram() const;
    ThresholdCharts* charts() const { return m_charts; }
    SettingsTable* table() const { return m_table; }
    SettingsModel* settings() const { return m_settings; }
    ConfusionView* confusion() const { return m_confusion; }
    FlipsView* flips() const { return m_flips; }
    VersionsView* versions() const { return m_versions; }
    GuaranteePanel* guarantee() const { return m_guarantee; }
    PublishPanel* publishPanel() const { return m_publish; }
    Pools* pools() const { return m_pools; }
    QComboBox* pool() const;
    const Outcome& outcome() const { return m_session->figures().outcome; }
    std::size_t rows() const;
    QTableWidget* workersTable() const;

private:
    void addActions();
    void connectAll();
    QWidget* makeSide();
    Card* makeDraft();
    Card* makeTabs();
    void openRule(int index); ///< -1: a new one
    void chooseFiles();
    void use(std::shared_ptr<const Classifier> classifier, std::shared_ptr<const LabelledData> data,
        const QString& source);
    void onData();
    void onFigures();
    void onPools();
    void exportSet();
    void record(const QString& kind, const QString& subject, const QJsonObject& details);

    TuningSession* m_session;
    Pools* m_pools;
    ops::TrafficReader* m_traffic;
    StateView* m_state;
    ThresholdCharts* m_charts;
    QTabBar* m_tabs;
    QStackedWidget* m_pages;
    QLineEdit* m_filter;
    SettingsModel* m_settings;
    SettingsTable* m_table;
    ConfusionView* m_confusion;
    FlipsView* m_flips;
    VersionsView* m_versions;
    GuaranteePanel* m_guarantee;
    PublishPanel* m_publish;
    QDoubleSpinBox* m_spin;
    Text* m_coverage;
    Text* m_risk;
    Text* m_details;
    InfoBanner* m_banner;
    QString m_saved; ///< "draft saved 12:04:31"
};

} // namespace sluice::ui

#pragma once

#include "engine/classification/classifier.h"
#include "engine/classification/evaluator.h"
#include "engine/operations/thresholds/publishedthresholds.h"
#include "ui/shell/workspace.h"

#include <QTimer>
#include <map>

class QComboBox;
class QDoubleSpinBox;
class QLineEdit;
class QTableView;
class QTableWidget;

namespace sluice::ui {

class Button;
class Card;
class ConfidenceHistogram;
class InfoBanner;
class IntentsModel;
class RiskCurve;
class StateView;
class Text;

/// Admins' page: what a global threshold would do on labelled data, live; published to a pool and
/// watched arriving.
class ThresholdsWorkspace : public Workspace
{
    Q_OBJECT

public:
    explicit ThresholdsWorkspace(Console* console, QWidget* parent = nullptr);

    void activated() override;
    void deactivated() override;

    /// Reads and scores labelled data in the background; empty: the bundled data.
    void loadData(const QString& file = {});
    void setThreshold(double threshold);
    /// Asks, then publishes to the chosen pool.
    void publish();

    StateView* stateView() const { return m_state; }
    ConfidenceHistogram* histogram() const { return m_histogram; }
    QComboBox* pool() const { return m_pool; }
    const Outcome& outcome() const { return m_outcome; }
    std::size_t rows() const { return m_rows.size(); }
    QTableWidget* workersTable() const { return m_workers; }

private:
    std::optional<ThresholdSet> activeOn(const QString& pool) const;
    QWidget* makeCharts();
    QWidget* makeIntents();
    QWidget* makeSide();
    void chooseFile();
    void onScored(std::vector<ScoredRow> rows, const QString& source);
    void recompute();
    void refreshPublished();
    void showWorkers(const QList<ops::WorkerInfo>& workers);
    void send(const ThresholdSet& set, const QString& pool);
    void goBack();
    void onWentBack(const QString& pool, qint64 from, const Result<qint64>& number);
    void updateButtons();

    std::vector<ScoredRow> m_rows;
    std::shared_ptr<const Classifier> m_classifier; ///< the one that scored the rows
    ThresholdSet m_set; ///< the draft
    Outcome m_outcome;
    std::map<QString, ThresholdSet> m_active; ///< by pool; absent: none was published
    bool m_publishing = false;
    QString m_source;
    QTimer m_poll;

    StateView* m_state;
    ConfidenceHistogram* m_histogram;
    RiskCurve* m_curve;
    IntentsModel* m_intents;
    QTableView* m_table;
    QDoubleSpinBox* m_spin;
    Text* m_coverage;
    Text* m_risk;
    Text* m_details;
    QComboBox* m_pool;
    QLineEdit* m_comment;
    Button* m_publish;
    Button* m_back;
    Text* m_published;
    QTableWidget* m_workers;
    InfoBanner* m_banner;
    Card* m_dataCard;
};

} // namespace sluice::ui

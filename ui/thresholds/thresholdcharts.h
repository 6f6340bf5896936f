#pragma once

#include "ui/thresholds/tuningsession.h"

#include <QWidget>

class QComboBox;
class QDoubleSpinBox;
class QStackedWidget;

namespace sluice::ui {

class Card;
class ConfidenceHistogram;
class HeatMapView;
class XyChart;

/// The two cards above the table: how confident answers are (labelled, recorded, reliability,
/// threshold against margin), and what a threshold buys (risk, precision and recall, cost).
class ThresholdCharts : public QWidget
{
    Q_OBJECT

public:
    explicit ThresholdCharts(TuningSession* session, QWidget* parent = nullptr);

    enum class Left
    {
        Confidence,
        Traffic,
        Reliability,
        HeatMap
    };
    enum class Right
    {
        Risk,
        PrecisionRecall,
        Cost
    };
    void show(Left view);
    void show(Right view);
    void setLimit(double alpha); ///< drawn in the risk curve
    Card* dataCard() const { return m_leftCard; }
    ConfidenceHistogram* histogram() const { return m_histogram; }
    HeatMapView* heatMap() const { return m_heatMap; }
    XyChart* right() const { return m_right; }
    QComboBox* leftChoice() const { return m_leftChoice; }
    QComboBox* rightChoice() const { return m_rightChoice; }

private:
    void makeLeft();
    void makeRight();
    QWidget* makeCosts();
    void refreshData();
    void refreshFigures();
    void drawRight();
    void drawReliability();
    void drawRisk();
    void drawPrecisionRecall();
    void drawCost();

    TuningSession* m_session;
    double m_alpha = 0.05;
    Card* m_leftCard;
    Card* m_rightCard;
    QComboBox* m_leftChoice;
    QComboBox* m_rightChoice;
    QStackedWidget* m_left;
    ConfidenceHistogram* m_histogram;
    ConfidenceHistogram* m_traffic;
    XyChart* m_reliability;
    HeatMapView* m_heatMap;
    XyChart* m_right;
    QWidget* m_costs;
    QDoubleSpinBox* m_cost[3];
};

} // namespace sluice::ui

#include "ui/thresholds/thresholdcharts.h"

#include "ui/charts/xychart.h"
#include "ui/shell/button.h"
#include "ui/shell/card.h"
#include "ui/shell/format.h"
#include "ui/thresholds/confidencehistogram.h"
#include "ui/thresholds/heatmapview.h"

#include <QComboBox>
#include <QDoubleSpinBox>
#include <QHBoxLayout>
#include <QLabel>
#include <QStackedWidget>
#include <QVBoxLayout>
#include <algorithm>

namespace sluice::ui {

namespace {

QString two(double value)
{
    return format::fixed(value, 2);
}

} // namespace

ThresholdCharts::ThresholdCharts(TuningSession* session, QWidget* parent)
    : QWidget(parent)
    , m_session(session)
{
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(12);
    makeLeft();
    makeRight();
    layout->addWidget(m_leftCard, 1);
    layout->addWidget(m_rightCard, 1);
    connect(session, &TuningSession::dataChanged, this, &ThresholdCharts::refreshData);
    connect(session, &TuningSession::figuresChanged, this, &ThresholdCharts::refreshFigures);
    connect(session, &TuningSession::chartsChanged, this, &ThresholdCharts::drawRight);
}

void ThresholdCharts::makeLeft()
{
    m_leftCard = new Card(tr("Confidence"), {}, this);
    m_leftChoice = new QComboBox(m_leftCard);
    m_leftChoice->setAccessibleName(tr("What the left chart shows"));
    m_leftChoice->addItems(
        {tr("labelled rows"), tr("recorded traffic"), tr("reliability"), tr("threshold × margin")});
    m_leftCard->addToTitle(m_leftChoice);
    m_left = new QStackedWidget(m_leftCard);
    m_histogram = new ConfidenceHistogram(m_left);
    m_traffic = new ConfidenceHistogram(m_left);
    m_traffic->setAccessibleName(tr("Confidence of recorded traffic"));
    m_reliability = new XyChart(tr("Reliability"), m_left);
    m_heatMap = new HeatMapView(m_left);
    for (QWidget* view : {static_cast<QWidget*>(m_histogram), static_cast<QWidget*>(m_traffic),
             static_cast<QWidget*>(m_reliability), static_cast<QWidget*>(m_heatMap)}) {
        m_left->addWidget(view);
    }
    m_leftCard->content()->addWidget(m_left, 1);
    connect(
        m_leftChoice, &QComboBox::currentIndexChanged, m_left, &QStackedWidget::setCurrentIndex);
    for (ConfidenceHistogram* histogram : {m_histogram, m_traffic}) {
        connect(
            histogram, &ConfidenceHistogram::thresholdMoved, m_session, &TuningSession::setGlobal);
    }
    connect(m_heatMap, &HeatMapView::picked, m_session, [this](double threshold, double margin) {
        ThresholdSet set = m_session->draft();
        set.global = threshold;
        set.margin = margin;
        m_session->edit(set, tr("threshold and margin"));
    });
}

void ThresholdCharts::makeRight()
{
    m_rightCard = new Card(tr("Risk"), tr("after the decision rule"), this);
    m_rightChoice = new QComboBox(m_rightCard);
    m_rightChoice->setAccessibleName(tr("What the right chart shows"));
    m_rightChoice->addItems({tr("risk against coverage"), tr("precision and recall"), tr("cost")});
    m_rightCard->addToTitle(m_rightChoice);
    m_right = new XyChart(tr("Risk against coverage"), m_rightCard);
    m_rightCard->content()->addWidget(m_right, 1);
    m_costs = makeCosts();
    m_costs->hide();
    m_rightCard->content()->addWidget(m_costs);
    connect(m_rightChoice, &QComboBox::currentIndexChanged, this, [this] {
        m_right->setAccessibleName(m_rightChoice->currentText());
        m_costs->setVisible(m_rightChoice->currentIndex() == int(Right::Cost));
        drawRight();
    });
    connect(m_right, &XyChart::picked, this, [this](double x) {
        if (m_rightChoice->currentIndex() != int(Right::Risk)) {
            m_session->setGlobal(std::clamp(std::round(x * 1000) / 1000, 0.0, 1.0));
            return;
        }
        // The threshold that covers so much.
        const Sweep& sweep = m_session->charts().sweep;
        const auto found = std::find_if(sweep.points.begin(), sweep.points.end(),
            [&](const SweepPoint& point) { return sweep.coverage(point) >= x; });
        if (found != sweep.points.end()) {
            m_session->setGlobal(found->threshold);
        }
    });
}

QWidget* ThresholdCharts::makeCosts()
{
    auto* row = new QWidget(m_rightCard);
    auto* layout = new QHBoxLayout(row);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(6);
    const QString names[] = {tr("wrong"), tr("held back"), tr("out of scope")};
    double Costs::*const members[] = {&Costs::wrong, &Costs::rejected, &Costs::outOfScope};
    for (int index = 0; index < 3; ++index) {
        auto* spin = new QDoubleSpinBox(row);
        spin->setRange(0, 1e6);
        spin->setDecimals(1);
        spin->setValue(1);
        spin->setButtonSymbols(QAbstractSpinBox::NoButtons);
        spin->setAccessibleName(tr("Cost: %1").arg(names[index]));
        auto* label = new QLabel(names[index], row);
        label->setBuddy(spin);
        layout->addWidget(label);
        layout->addWidget(spin, 1);
        connect(spin, &QDoubleSpinBox::valueChanged, this,
            [this, member = members[index]](double value) {
                m_session->costs.*member = value;
                drawRight();
            });
        m_cost[index] = spin;
    }
    auto* cheapest = new Button(tr("Cheapest"), ButtonRole::Plain, row);
    cheapest->setToolTip(tr("Takes the global threshold of the least cost on these rows"));
    layout->addWidget(cheapest);
    connect(cheapest, &Button::clicked, this, [this] {
        if (m_session->hasData()) {
            m_session->setGlobal(
                costOptimum(m_session->charts().sweep, m_session->costs).threshold);
        }
    });
    return row;
}

void ThresholdCharts::show(Left view)
{
    m_leftChoice->setCurrentIndex(int(view));
}

void ThresholdCharts::show(Right view)
{
    m_rightChoice->setCurrentIndex(int(view));
}

void ThresholdCharts::setLimit(double alpha)
{
    m_alpha = alpha;
    drawRight();
}

void ThresholdCharts::refreshData()
{
    m_histogram->setRows(m_session->data().rows, true);
    const ops::RecordedTraffic* traffic = m_session->traffic();
    m_traffic->setRows(traffic == nullptr ? std::vector<ScoredRow>() : traffic->scored(), false);
    m_heatMap->setMap(m_session->heatMap());
    drawReliability();
}

void ThresholdCharts::refreshFigures()
{
    const ThresholdSet& draft = m_session->draft();
    for (ConfidenceHistogram* histogram : {m_histogram, m_traffic}) {
        histogram->setThreshold(draft.global);
        histogram->setLive(
            m_session->hasLive() ? std::optional(m_session->live().global) : std::nullopt);
    }
    m_heatMap->setPresent(draft.global, draft.margin);
    drawRight();
}

void ThresholdCharts::drawReliability()
{
    XyChart::Picture picture;
    picture.x = {tr("confidence: of the first candidate"), 0, 1, two};
    picture.y = {tr("right"), 0, 1, format::percent};
    picture.diagonal = true;
    XyChart::Line line{tr("right, with 95 % intervals · mean gap %1")
                           .arg(format::percent(m_session->reliability().error)),
        {}, 0, true, {}};
    for (const ops::ReliabilityBin& bin : m_session->reliability().bins) {
        if (bin.rows > 0) {
            line.points << QPointF(bin.confidence, bin.share());
            line.bars << QPointF(bin.accuracy.low, bin.accuracy.high);
        }
    }
    picture.lines << line;
    m_reliability->setPicture(std::move(picture));
}

void ThresholdCharts::drawRight()
{
    if (!m_session->hasData() || m_session->charts().sweep.points.empty()) {
        return;
    }
    switch (Right(m_rightChoice->currentIndex())) {
    case Right::Risk:
        drawRisk();
        break;
    case Right::PrecisionRecall:
        drawPrecisionRecall();
        break;
    case Right::Cost:
        drawCost();
        break;
    }
}

void ThresholdCharts::drawRisk()
{
    const Sweep& sweep = m_session->charts().sweep;
    const Outcome& outcome = m_session->figures().outcome;
    XyChart::Picture picture;
    picture.x = {tr("coverage: share accepted"), 0, 1, format::percent};
    picture.y = {tr("wrong"), 0, 0, format::percent};
    XyChart::Line line{tr("wrong among the accepted"), {}, 0, false, {}};
    for (const SweepPoint& point : m_session->charts().curve) {
        if (point.accepted > 0) {
            line.points << QPointF(sweep.coverage(point), point.risk());
        }
    }
    picture.lines << line;
    picture.here = QPointF(outcome.coverage(), outcome.errorRate());
    picture.hereText = tr("at the present thresholds: %1 %2, %3 %4");
    picture.limit = m_alpha;
    picture.limitText = tr("wanted: at most %1").arg(format::percent(m_alpha));
    m_rightCard->setHint(
        tr("area under the curve %1").arg(format::fixed(m_session->charts().area, 3)));
    m_right->setPicture(std::move(picture));
}

void ThresholdCharts::drawPrecisionRecall()
{
    const std::vector<SweepPoint>& curve = m_session->charts().curve;
    const double inScope = double(std::max<std::size_t>(1, m_session->figures().outcome.inScope));
    XyChart::Picture picture;
    picture.x = {tr("global threshold"), 0, 1, two};
    picture.y = {tr("share"), 0, 1, format::percent};
    XyChart::Line precision{tr("precision"), {}, 0, false, {}};
    XyChart::Line recall{tr("recall"), {}, 1, false, {}};
    for (auto point = curve.rbegin(); point != curve.rend(); ++point) {
        if (point->accepted > 0) {
            precision.points << QPointF(point->threshold, 1 - point->risk());
        }
        recall.points << QPointF(point->threshold, double(point->right()) / inScope);
    }
    picture.lines << precision << recall;
    picture.here = QPointF(m_session->draft().global, 1 - m_session->figures().outcome.errorRate());
    picture.hereText = tr("at the present thresholds: %1 %2, %3 %4");
    m_rightCard->setHint(tr("right among the accepted, accepted right among those in scope"));
    m_right->setPicture(std::move(picture));
}

void ThresholdCharts::drawCost()
{
    const Sweep& sweep = m_session->charts().sweep;
    const std::vector<SweepPoint>& curve = m_session->charts().curve;
    const double rows = double(std::max<std::int64_t>(1, sweep.rows));
    const Costs& costs = m_session->costs;
    XyChart::Picture picture;
    picture.x = {tr("global threshold"), 0, 1, two};
    picture.y = {tr("cost a query"), 0, 0, [](double value) { return format::number(value); }};
    XyChart::Line line{tr("cost a query"), {}, 0, false, {}};
    for (auto point = curve.rbegin(); point != curve.rend(); ++point) {
        line.points << QPointF(point->threshold, sweep.cost(*point, costs) / rows);
    }
    const SweepPoint& best = costOptimum(sweep, costs);
    const Outcome& outcome = m_session->figures().outcome;
    const double held = double(sweep.right) - double(outcome.acceptedRight);
    const double now =
        (costs.wrong * double(outcome.acceptedWrong() - outcome.acceptedOutOfScope)
            + costs.outOfScope * double(outcome.acceptedOutOfScope) + costs.rejected * held)
        / rows;
    picture.lines << line;
    picture.here = QPointF(m_session->draft().global, now);
    picture.hereText = tr("at the present thresholds: %1 %2, %3 %4");
    picture.limit = sweep.cost(best, costs) / rows;
    picture.limitText = tr("cheapest: %1 at %2")
                            .arg(format::number(*picture.limit), format::fixed(best.threshold, 3));
    m_rightCard->setHint({});
    m_right->setPicture(std::move(picture));
}

} // namespace sluice::ui

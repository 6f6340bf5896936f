#include "ui/monitor/dashboardview.h"

#include "ui/charts/livechart.h"
#include "ui/shell/card.h"
#include "ui/shell/plaintable.h"
#include "ui/shell/text.h"

#include <QGridLayout>
#include <QHeaderView>
#include <QScrollArea>
#include <QTableWidget>
#include <algorithm>
#include <cmath>

namespace sluice::ui {

namespace {

/// A plain number without a fraction is a count.
QString valueText(std::optional<double> value, Unit unit)
{
    return format::value(
        value, unit == Unit::None && value && std::floor(*value) == *value ? Unit::Count : unit);
}

constexpr int rowPixels = 26; ///< a row of Grafana's grid
constexpr double scrapeSeconds = 1;
constexpr int mostRows = 200;

} // namespace

DashboardView::DashboardView(Console* console, ChartGroup* group, QWidget* parent)
    : MonitorPage(console, group, parent)
    , m_scroll(new QScrollArea(this))
{
    m_scroll->setWidgetResizable(true);
    m_scroll->setFrameShape(QFrame::NoFrame);
    m_scroll->setFocusPolicy(Qt::NoFocus);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_scroll);
}

Unit DashboardView::unitOf(const QString& grafana, double* factor)
{
    const double scale = grafana == QLatin1StringView("ms") ? 1e-3
        : grafana == QLatin1StringView("µs")                ? 1e-6
        : grafana == QLatin1StringView("percent")           ? 1e-2
                                                            : 1;
    if (factor != nullptr) {
        *factor = scale;
    }
    if (grafana == QLatin1StringView("s") || scale == 1e-3 || scale == 1e-6) {
        return Unit::Seconds;
    }
    if (grafana.startsWith(QLatin1StringView("bytes"))
        || grafana.startsWith(QLatin1StringView("decbytes"))) {
        return Unit::Bytes;
    }
    if (grafana.startsWith(QLatin1StringView("percent"))) {
        return Unit::Share;
    }
    return grafana == QLatin1StringView("reqps") || grafana == QLatin1StringView("ops")
        ? Unit::PerSecond
        : Unit::None;
}

void DashboardView::setDashboard(const ops::Dashboard& dashboard)
{
    m_dashboard = dashboard;
    forgetCharts();
    m_panels.clear();
    m_step = 0;
    m_area = new QWidget;
    m_grid = new QGridLayout(m_area);
    m_grid->setContentsMargins(0, 0, 0, 0);
    m_grid->setSpacing(12);
    for (int column = 0; column < 24; ++column) {
        m_grid->setColumnStretch(column, 1);
        m_grid->setColumnMinimumWidth(column, 1);
    }
    m_scroll->setWidget(m_area); // the old one goes
    for (const ops::DashboardPanel& panel : dashboard.panels) {
        addPanel(panel);
    }
    m_grid->setRowStretch(m_grid->rowCount(), 1); // a short page stays at the top
}

void DashboardView::addPanel(const ops::DashboardPanel& spec)
{
    Panel panel{spec};
    double factor = 1;
    const Unit unit = unitOf(spec.unit, &factor);
    QWidget* card = nullptr;
    if (spec.kind == ops::DashboardPanel::Kind::TimeSeries) {
        panel.chart = addChart(spec.title, {}, unit);
        card = panel.chart->parentWidget();
        const int index = int(m_panels.size());
        setSources(panel.chart, [this, index, factor](double) {
            QList<SeriesFeed::Source> sources;
            auto seen = std::make_shared<QStringList>();
            for (const ops::DashboardQuery& query : m_panels[index].spec.queries) {
                Moment moment;
                std::tie(moment.start, moment.end) = group()->range();
                moment.step = m_step;
                sources << SeriesFeed::Source{expanded(query.expression, moment),
                    [query, seen](const ops::Labels& labels) {
                        QString name = ops::legendOf(query.legend, labels);
                        if (name.trimmed().isEmpty()) {
                            name = query.expression; // a legend of labels that are not there
                        }
                        if (!seen->contains(name)) {
                            *seen << name;
                        }
                        return std::pair(name, int(seen->indexOf(name)));
                    },
                    false, factor};
            }
            return sources;
        });
    } else {
        auto* made = new Card(spec.title, {}, m_area);
        card = made;
        if (spec.kind == ops::DashboardPanel::Kind::Table) {
            panel.table = new QTableWidget(0, 2, made);
            plainTable(panel.table, spec.title);
            panel.table->horizontalHeader()->hide();
            panel.table->horizontalHeader()->setSectionResizeMode(0, QHeaderView::Stretch);
            made->content()->addWidget(panel.table, 1);
        } else {
            panel.figure = new Text(FontRole::Figure, Ink::Text, format::missing(), made);
            panel.hint = new Text(FontRole::Small, Ink::Muted, {}, made);
            panel.hint->setElided(true);
            made->content()->addWidget(panel.figure);
            made->content()->addWidget(panel.hint);
            made->content()->addStretch();
        }
    }
    m_grid->addWidget(card, spec.y, spec.x, spec.height, spec.width);
    card->setMinimumHeight(spec.height * rowPixels);
    m_panels << panel;
}

QString DashboardView::expanded(const QString& expression, const Moment& moment) const
{
    return ops::expandQuery(expression, m_dashboard.variables, moment.end - moment.start,
        std::max(1.0, moment.step), scrapeSeconds);
}

void DashboardView::tick(const Moment& moment)
{
    if (moment.step != m_step) {
        m_step = moment.step;
        refreshSources();
    }
    MonitorPage::tick(moment);
    if (moment.round % 2 != 0 || console()->environment().prometheus.isEmpty()) {
        return;
    }
    for (Panel& panel : m_panels) {
        if (panel.chart == nullptr) {
            fetchValues(panel, moment);
        }
    }
}

void DashboardView::fetchValues(Panel& panel, const Moment& moment)
{
    const ops::DashboardQuery query = panel.spec.queries.first();
    double factor = 1;
    const Unit unit = unitOf(panel.spec.unit, &factor);
    // The labels and the table outlive the panel list only together with the area.
    console()->prometheus()->query(expanded(query.expression, moment), m_area,
        [spec = panel.spec, figure = panel.figure, hint = panel.hint, table = panel.table, query,
            unit, factor](const Result<QList<ops::InstantSample>>& answer) {
            const QList<ops::InstantSample> samples =
                answer ? *answer : QList<ops::InstantSample>();
            if (table != nullptr) {
                table->setRowCount(int(std::min<qsizetype>(samples.size(), mostRows)));
                for (int row = 0; row < table->rowCount(); ++row) {
                    table->setItem(row, 0,
                        new QTableWidgetItem(ops::legendOf(query.legend, samples[row].labels)));
                    table->setItem(
                        row, 1, new QTableWidgetItem(valueText(samples[row].value * factor, unit)));
                }
                return;
            }
            const auto value =
                samples.isEmpty() ? std::nullopt : std::optional(samples.first().value);
            figure->setText(valueText(value ? std::optional(*value * factor) : std::nullopt, unit));
            const bool over = value && spec.warnAt && *value >= *spec.warnAt;
            figure->setInk(over ? Ink::Bad : Ink::Text);
            hint->setText(!answer       ? QString::fromStdString(answer.error().text())
                    : samples.isEmpty() ? tr("no data")
                    : over              ? QString(Theme::glyph(Tone::Bad) % u' '
                                       % tr("over %1").arg(format::value(*spec.warnAt * factor, unit)))
                                        : QString());
        });
}

QString DashboardView::figure(int panel) const
{
    return panel < m_panels.size() && m_panels[panel].figure != nullptr
        ? m_panels[panel].figure->text()
        : QString();
}

void DashboardView::reset()
{
    MonitorPage::reset();
    m_step = 0;
}

} // namespace sluice::ui

#include "ui/monitor/explorepage.h"

#include "engine/base/file.h"
#include "ui/charts/livechart.h"
#include "ui/monitor/dashboardview.h"
#include "ui/monitor/promqledit.h"
#include "ui/shell/button.h"
#include "ui/shell/card.h"
#include "ui/shell/plaintable.h"
#include "ui/shell/text.h"

#include <QComboBox>
#include <QFileDialog>
#include <QFileInfo>
#include <QHeaderView>
#include <QMenu>
#include <QStackedWidget>
#include <QTableWidget>
#include <QVBoxLayout>
#include <algorithm>

namespace sluice::ui {

namespace {

constexpr int mostRows = 1000;
constexpr int mostSeries = 40; ///< drawn; more can't be told apart
constexpr int nameRounds = 15; ///< between two looks at the names
constexpr std::size_t largestFile = std::size_t(8) << 20;

} // namespace

ExplorePage::ExplorePage(Console* console, ChartGroup* group, QWidget* parent)
    : MonitorPage(console, group, parent)
    , m_store(console->configFolder() % QStringLiteral("/monitor"))
    , m_choice(new QComboBox(this))
    , m_stack(new QStackedWidget(this))
    , m_view(new DashboardView(console, group, this))
    , m_editor(new PromQlEdit(this))
    , m_message(new Text(FontRole::Small, Ink::Muted, {}, this))
    , m_values(new QTableWidget(0, 2, this))
{
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(8);
    column->addWidget(makeBar());
    m_stack->addWidget(makeEditor());
    m_stack->addWidget(m_view);
    column->addWidget(m_stack, 1);
    connect(m_view, &MonitorPage::warned, this, &MonitorPage::warned);
    connect(this, &MonitorPage::warned, this,
        [this](const QStringList& warnings) { say(warnings.join(QStringLiteral(" · ")), true); });
    loadDashboards({});
}

QWidget* ExplorePage::makeBar()
{
    auto* bar = new QWidget(this);
    auto* line = new QHBoxLayout(bar);
    line->setContentsMargins(0, 0, 0, 0);
    line->setSpacing(8);
    m_choice->setAccessibleName(tr("Page"));
    m_choice->setSizeAdjustPolicy(QComboBox::AdjustToContents);
    connect(m_choice, &QComboBox::activated, this,
        [this](int index) { showDashboard(index > 0 ? m_choice->itemText(index) : QString()); });
    line->addWidget(m_choice);
    m_message->setElided(true);
    line->addWidget(m_message, 1);
    const auto add = [&](const QString& text, const QString& tip, auto action) {
        auto* button = new Button(text, ButtonRole::Plain, bar);
        button->setToolTip(tip);
        connect(button, &Button::clicked, this, action);
        line->addWidget(button);
        return button;
    };
    m_remove = add(tr("Remove page"), tr("Its file is deleted"), [this] { removeDashboard(); });
    add(tr("Import from Grafana…"), tr("A dashboard's JSON: time series, stat, gauge, table"),
        [this] {
            auto* dialog = new QFileDialog(this, tr("Import a Grafana dashboard"), {},
                tr("Grafana dashboards (*.json);;All files (*)"));
            dialog->setAttribute(Qt::WA_DeleteOnClose);
            connect(dialog, &QFileDialog::fileSelected, this, [this](const QString& file) {
                if (const Result<void> done = importGrafana(file); !done) {
                    say(QString::fromStdString(done.error().text()), true);
                }
            });
            dialog->open();
        });
    add(tr("Export for Grafana…"), tr("This page as Grafana's JSON"), [this] {
        auto* dialog =
            new QFileDialog(this, tr("Export for Grafana"), {}, tr("Grafana dashboards (*.json)"));
        dialog->setAttribute(Qt::WA_DeleteOnClose);
        dialog->setAcceptMode(QFileDialog::AcceptSave);
        dialog->setDefaultSuffix(QStringLiteral("json"));
        connect(dialog, &QFileDialog::fileSelected, this, [this](const QString& file) {
            const Result<void> done = exportGrafana(file);
            say(done ? tr("Written to %1").arg(file) : QString::fromStdString(done.error().text()),
                !done);
        });
        dialog->open();
    });
    return bar;
}

QWidget* ExplorePage::makeEditor()
{
    auto* page = new QWidget(this);
    auto* column = new QVBoxLayout(page);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(12);
    auto* query = new Card(tr("Query"), tr("PromQL; Ctrl+Space completes, Ctrl+Enter runs"), page);
    m_editor->setFixedHeight(64);
    auto* line = new QHBoxLayout;
    line->addWidget(m_editor, 1);
    auto* buttons = new QVBoxLayout;
    auto* go = new Button(tr("Run"), ButtonRole::Primary, page);
    m_pin = new Button(tr("Pin to a page…"), ButtonRole::Plain, page);
    buttons->addWidget(go);
    buttons->addWidget(m_pin);
    line->addLayout(buttons);
    query->content()->addLayout(line);
    column->addWidget(query);
    LiveChart* chart = addChart(tr("Graph"), tr("over the time range above"), Unit::None);
    chart->setEmptyText(tr("Type a query and run it."));
    column->addWidget(chart->parentWidget(), 3);
    auto* table = new Card(tr("Values"), tr("now"), page);
    plainTable(m_values, tr("Values now"));
    m_values->horizontalHeader()->hide();
    m_values->horizontalHeader()->setSectionResizeMode(0, QHeaderView::Stretch);
    table->content()->addWidget(m_values, 1);
    column->addWidget(table, 2);
    connect(go, &Button::clicked, this, &ExplorePage::run);
    connect(m_pin, &Button::clicked, this, &ExplorePage::openPinMenu);
    connect(m_editor, &PromQlEdit::runRequested, this, &ExplorePage::run);
    connect(m_editor, &PromQlEdit::valuesWanted, this, [this](const QString& label) {
        console()->prometheus()->labelValues(
            label, this, [this, label](const Result<QStringList>& values) {
                m_editor->setValues(label, values ? *values : QStringList());
            });
    });
    setSources(chart, [this](double window) {
        QList<SeriesFeed::Source> sources;
        if (!m_query.isEmpty()) {
            auto seen = std::make_shared<QStringList>();
            const auto [start, end] = group()->range();
            sources << SeriesFeed::Source{ops::expandQuery(m_query, {}, end - start, window / 4, 1),
                [seen](const ops::Labels& labels) {
                    const QString name = ops::legendOf({}, labels);
                    if (!seen->contains(name) && seen->size() < mostSeries) {
                        *seen << name;
                    }
                    return seen->contains(name) ? std::pair(name, int(seen->indexOf(name)))
                                                : std::pair(QString(), 0);
                }};
        }
        return sources;
    });
    return page;
}

void ExplorePage::say(const QString& text, bool bad)
{
    m_message->setInk(bad ? Ink::Warn : Ink::Muted);
    m_message->setText(text);
    m_message->setToolTip(text);
}

QString ExplorePage::message() const
{
    return m_message->text();
}

void ExplorePage::run()
{
    m_query = m_editor->toPlainText().simplified();
    say({}, false);
    refreshSources();
    fetchValues();
}

void ExplorePage::fetchValues()
{
    if (m_query.isEmpty()) {
        return;
    }
    const auto [start, end] = group()->range();
    console()->prometheus()->query(ops::expandQuery(m_query, {}, end - start, 15, 1), this,
        [this, query = m_query](const Result<QList<ops::InstantSample>>& answer) {
            if (query != m_query) {
                return;
            }
            if (!answer) {
                say(QString::fromStdString(answer.error().text()), true);
                m_values->setRowCount(0);
                return;
            }
            m_values->setRowCount(int(std::min<qsizetype>(answer->size(), mostRows)));
            for (int row = 0; row < m_values->rowCount(); ++row) {
                const ops::InstantSample& sample = (*answer)[row];
                m_values->setItem(row, 0, new QTableWidgetItem(ops::legendOf({}, sample.labels)));
                auto* value = new QTableWidgetItem(format::number(sample.value, 6));
                value->setTextAlignment(Qt::AlignRight | Qt::AlignVCenter);
                m_values->setItem(row, 1, value);
            }
            if (answer->isEmpty()) {
                say(tr("The query gives no series now."), false);
            } else if (answer->size() > mostSeries) {
                say(tr("%1 series; the first %2 are drawn").arg(answer->size()).arg(mostSeries),
                    true);
            }
        });
}

void ExplorePage::fetchNames()
{
    m_named = true;
    console()->prometheus()->labelValues(
        QStringLiteral("__name__"), this, [this](const Result<QStringList>& names) {
            m_named = names.ok();
            m_editor->setMetrics(names ? *names : QStringList());
        });
    console()->prometheus()->labelNames(this, [this](const Result<QStringList>& names) {
        m_editor->setLabels(names ? *names : QStringList());
    });
}

void ExplorePage::tick(const Moment& moment)
{
    if ((!m_named || moment.round % nameRounds == 0)
        && console()->source(Source::Prometheus).isUp()) {
        fetchNames();
    }
    if (m_stack->currentIndex() == 1) {
        m_view->tick(moment);
        return;
    }
    MonitorPage::tick(moment);
    if (moment.round % 5 == 0) {
        fetchValues();
    }
}

void ExplorePage::reset()
{
    MonitorPage::reset();
    m_view->reset();
    m_values->setRowCount(0);
    m_named = false;
}

void ExplorePage::loadDashboards(const QString& shown)
{
    QStringList problems;
    m_dashboards = m_store.load(&problems);
    m_choice->clear();
    m_choice->addItem(tr("Query editor"));
    for (const ops::Dashboard& dashboard : std::as_const(m_dashboards)) {
        m_choice->addItem(dashboard.title);
    }
    showDashboard(shown);
    if (!problems.isEmpty()) {
        say(problems.join(QStringLiteral(" · ")), true);
    }
}

void ExplorePage::showDashboard(const QString& title)
{
    for (int index = 0; index < m_dashboards.size() && !title.isEmpty(); ++index) {
        if (m_dashboards[index].title == title) {
            m_choice->setCurrentIndex(index + 1);
            m_view->setDashboard(m_dashboards[index]);
            m_stack->setCurrentIndex(1);
            m_remove->setEnabled(true);
            return;
        }
    }
    m_choice->setCurrentIndex(0);
    m_stack->setCurrentIndex(0);
    m_remove->setEnabled(false);
}

void ExplorePage::openPinMenu()
{
    auto* menu = new QMenu(this);
    menu->setAttribute(Qt::WA_DeleteOnClose);
    for (const ops::Dashboard& dashboard : std::as_const(m_dashboards)) {
        menu->addAction(dashboard.title, this, [this, title = dashboard.title] { pinTo(title); });
    }
    int number = int(m_dashboards.size()) + 1;
    const auto isTaken = [this](const QString& title) {
        return std::any_of(m_dashboards.begin(), m_dashboards.end(),
            [&](const ops::Dashboard& one) { return one.title == title; });
    };
    while (isTaken(tr("My page %1").arg(number))) {
        ++number;
    }
    menu->addAction(
        tr("A new page"), this, [this, number] { pinTo(tr("My page %1").arg(number)); });
    menu->popup(m_pin->mapToGlobal(QPoint(0, m_pin->height())));
}

ops::Dashboard ExplorePage::queryAsDashboard(const QString& title) const
{
    ops::DashboardPanel panel;
    const QString query = m_editor->toPlainText().simplified();
    panel.title = query;
    panel.queries = {{query, {}}};
    ops::Dashboard page;
    page.title = title;
    page.panels = {panel};
    return page;
}

void ExplorePage::pinTo(const QString& title)
{
    if (m_editor->toPlainText().simplified().isEmpty()) {
        say(tr("Type a query first."), true);
        return;
    }
    ops::Dashboard page = queryAsDashboard(title);
    for (const ops::Dashboard& known : std::as_const(m_dashboards)) {
        if (known.title == title) {
            ops::DashboardPanel added = page.panels.first();
            page = known;
            int bottom = 0;
            for (const ops::DashboardPanel& panel : known.panels) {
                bottom = std::max(bottom, panel.y + panel.height);
            }
            const ops::DashboardPanel& last = known.panels.last();
            const bool beside = last.x == 0 && last.width <= 12; // two in a row
            added.x = beside ? 12 : 0;
            added.y = beside ? last.y : bottom;
            page.panels << added;
        }
    }
    if (const Result<void> saved = m_store.save(page); !saved) {
        say(QString::fromStdString(saved.error().text()), true);
        return;
    }
    loadDashboards(title);
    say(tr("Pinned."), false);
}

Result<void> ExplorePage::importGrafana(const QString& file)
{
    const auto text = readFile(file.toStdString(), largestFile);
    if (!text) {
        return text.error();
    }
    auto read = ops::parseGrafana(QByteArray::fromStdString(*text));
    if (!read) {
        return read.error();
    }
    if (read->title.isEmpty()) {
        read->title = QFileInfo(file).completeBaseName();
    }
    if (const Result<void> saved = m_store.save(*read); !saved) {
        return saved;
    }
    loadDashboards(read->title);
    say(read->leftOut.isEmpty() ? tr("%n panel(s) imported.", nullptr, int(read->panels.size()))
                                : tr("Left out: %1").arg(read->leftOut.join(QStringLiteral("; "))),
        !read->leftOut.isEmpty());
    return {};
}

Result<void> ExplorePage::exportGrafana(const QString& file) const
{
    const bool page = m_stack->currentIndex() == 1;
    if (!page && m_editor->toPlainText().simplified().isEmpty()) {
        return inputError("There is no query to export: type one first.");
    }
    const ops::Dashboard shown = page ? m_view->dashboard() : queryAsDashboard(tr("Query"));
    return writeFileAtomically(file.toStdString(), shown.toGrafana().toStdString());
}

void ExplorePage::removeDashboard()
{
    if (m_stack->currentIndex() != 1) {
        return;
    }
    const ops::Dashboard removed = m_view->dashboard();
    if (const Result<void> done = m_store.remove(removed.title); !done) {
        say(QString::fromStdString(done.error().text()), true);
        return;
    }
    loadDashboards({});
    say(tr("%1 was removed.").arg(removed.title), false);
}

} // namespace sluice::ui

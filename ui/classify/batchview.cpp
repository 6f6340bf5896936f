#include "ui/classify/batchview.h"

#include "engine/base/file.h"
#include "ui/classify/quiettable.h"
#include "ui/classify/targetpicker.h"
#include "ui/shell/button.h"
#include "ui/shell/card.h"
#include "ui/shell/console.h"
#include "ui/shell/format.h"
#include "ui/shell/infobanner.h"
#include "ui/shell/stateview.h"

#include <QComboBox>
#include <QFileDialog>
#include <QFileInfo>
#include <QHeaderView>
#include <QLineEdit>
#include <QTableView>
#include <QVBoxLayout>

namespace sluice::ui {

namespace {

constexpr int typingMs = 150;

} // namespace

BatchView::BatchView(Console* console, QWidget* parent)
    : QWidget(parent)
    , m_console(console)
    , m_model(new BatchModel(this))
    , m_state(new StateView(this))
    , m_table(new QTableView(this))
    , m_picker(new TargetPicker(console, tr("Who answers the batch"), this))
    , m_filter(new QLineEdit(this))
    , m_show(new QComboBox(this))
    , m_summary(new Text(FontRole::Base, Ink::Muted, {}, this))
    , m_banner(new InfoBanner(this))
    , m_run(new Button(tr("Run again"), ButtonRole::Plain, this))
    , m_export(new Button(tr("Export…"), ButtonRole::Plain, this))
{
    auto* open = new Button(tr("Open a file…"), ButtonRole::Primary, this);
    open->setToolTip(tr("CSV, JSON Lines, CLINC150's JSON, or a query a line; labelled or not"));
    m_run->setToolTip(tr("Asks every query again on the chosen target (F5)"));
    m_export->setToolTip(tr("The rows that are shown, in their order, as CSV or JSON Lines"));
    m_filter->setPlaceholderText(tr("Filter: words of the query, intent, entity"));
    m_filter->setAccessibleName(tr("Filter the batch"));
    m_filter->setClearButtonEnabled(true);
    m_show->setAccessibleName(tr("Which rows"));
    m_show->addItems({tr("All"), tr("Accepted"), tr("Clarified"), tr("Fallback"),
        tr("Not as expected"), tr("Errors")});
    m_summary->setElided(true);
    auto* bar = new QHBoxLayout;
    bar->setSpacing(10);
    bar->addWidget(open);
    bar->addWidget(m_picker);
    bar->addWidget(m_run);
    bar->addWidget(m_filter, 1);
    bar->addWidget(m_show);
    bar->addWidget(m_export);
    m_table->setModel(m_model);
    dressTable(m_table, tr("Batch"));
    m_table->horizontalHeader()->setSortIndicator(-1, Qt::AscendingOrder);
    m_table->setColumnWidth(BatchModel::Query, 420);
    m_table->setColumnWidth(BatchModel::Intent, 170);
    m_table->setColumnWidth(BatchModel::Entities, 240);
    auto* card = new Card(tr("Batch"), tr("a row a query; Enter takes it to the first tab"), this);
    card->content()->addWidget(m_summary);
    card->content()->addWidget(m_table, 1);
    m_state->setDataWidget(card);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(10);
    layout->addLayout(bar);
    layout->addWidget(m_banner);
    layout->addWidget(m_state, 1);
    m_typing.setSingleShot(true);
    m_typing.setInterval(typingMs);
    connect(open, &Button::clicked, this, [this] { this->open({}); });
    connect(m_run, &Button::clicked, this, &BatchView::run);
    connect(m_export, &Button::clicked, this, [this] { exportTo({}); });
    connect(m_filter, &QLineEdit::textChanged, &m_typing, qOverload<>(&QTimer::start));
    connect(&m_typing, &QTimer::timeout, this, &BatchView::refilter);
    connect(m_model, &BatchModel::wishChanged, this, &BatchView::reorder);
    connect(m_show, &QComboBox::currentIndexChanged, this, &BatchView::refilter);
    connect(m_state, &StateView::actionTriggered, this, [this] { this->open({}); });
    connect(m_state, &StateView::retryRequested, this, &BatchView::run);
    connect(m_state, &StateView::cancelRequested, this, &BatchView::cancel);
    connect(m_picker, &TargetPicker::failed, this,
        [this](const QString& text) { m_banner->show(Tone::Bad, text); });
    connect(m_table, &QTableView::activated, this, [this](const QModelIndex& index) {
        if (const ops::BatchRow* row = m_model->at(index)) {
            Q_EMIT queryChosen(QString::fromStdString(row->text));
        }
    });
    m_run->setEnabled(false);
    m_export->setEnabled(false);
    m_state->showEmpty(tr("Ask a whole file"),
        tr("Each query of it is classified; what came of it can be sorted, filtered and exported."),
        tr("Open a file…"));
}

void BatchView::open(const QString& file)
{
    const QString chosen = file.isEmpty() ? QFileDialog::getOpenFileName(this, tr("Queries"), {},
                               tr("Queries (*.csv *.jsonl *.json *.txt);;All files (*)"))
                                          : file;
    if (!chosen.isEmpty()) {
        m_file = chosen;
        run();
    }
}

void BatchView::run()
{
    const ops::QueryTarget target = m_picker->target();
    if (m_file.isEmpty() || !target.isValid()) {
        return;
    }
    struct Done
    {
        BatchModel::Rows rows;
        std::vector<int> order;
        Facts facts;
        BatchModel::Wish wish; ///< that the order fulfils
    };
    m_banner->dismiss();
    const QString name = QFileInfo(m_file).fileName();
    m_state->showLoading(tr("Asking %1 about %2").arg(target.name, name));
    m_run->setEnabled(false);
    m_job = m_console->jobs()->start<Done>(
        tr("Batch %1").arg(name), QStringLiteral("batch"),
        [file = m_file, target, wish = m_model->wish()](JobControl& control) -> Result<Done> {
            auto input = ops::readBatch(file.toStdString());
            if (!input) {
                return input.error();
            }
            const double all = double(input->queries.size());
            auto rows = ops::classifyBatch(
                input->queries, *ops::openSource(target),
                [&](std::size_t done) { control.progress(double(done) / all); },
                control.cancelFlag());
            if (!rows) {
                return rows.error();
            }
            auto kept = std::make_shared<const std::vector<ops::BatchRow>>(std::move(*rows));
            auto order = BatchModel::orderOf(*kept, wish);
            const Facts facts = factsOf(*kept, input->duplicates);
            return Done{std::move(kept), std::move(order), facts, wish};
        },
        this,
        [this](Result<Done> done) {
            m_run->setEnabled(true);
            if (done) {
                m_model->setRows(std::move(done->rows), std::move(done->order));
                m_export->setEnabled(true);
                if (!(done->wish == m_model->wish())) {
                    reorder(); // another one meanwhile
                }
                m_state->showData();
                summarise(done->facts);
            } else if (done.error().kind == ErrorKind::Cancelled) {
                m_state->showEmpty(tr("Stopped"), tr("Nothing of it is kept."), tr("Open a file…"));
            } else {
                m_state->showError(tr("The batch could not be run"), done.error());
            }
        });
}

void BatchView::cancel()
{
    if (m_job) {
        m_job->cancel();
    }
}

BatchView::Facts BatchView::factsOf(const std::vector<ops::BatchRow>& rows, std::size_t duplicates)
{
    Facts facts;
    facts.all = rows.size();
    facts.duplicates = duplicates;
    for (const ops::BatchRow& row : rows) {
        facts.errors += row.error.empty() ? 0 : 1;
        facts.accepted += row.error.empty() && row.verdict == Verdict::Accept ? 1 : 0;
        facts.clarified += row.error.empty() && row.verdict == Verdict::Clarify ? 1 : 0;
        facts.labelled += row.expected.empty() ? 0 : 1;
        facts.right += !row.expected.empty() && row.isRight() ? 1 : 0;
    }
    return facts;
}

/// Off this thread: sorting 100,000 rows takes longer than a frame.
void BatchView::reorder()
{
    m_console->jobs()->start<std::vector<int>>(
        tr("Sorting the batch"), QStringLiteral("batch-order"),
        [rows = m_model->shared(), wish = m_model->wish()](
            JobControl&) -> Result<std::vector<int>> { return BatchModel::orderOf(*rows, wish); },
        this,
        [this, rows = m_model->shared()](Result<std::vector<int>> order) {
            if (order && rows == m_model->shared()) {
                m_model->setOrder(std::move(*order));
            }
        });
}

void BatchView::summarise(const Facts& counted)
{
    const auto number = [](std::size_t count) { return format::count(double(count)); };
    QStringList facts{QFileInfo(m_file).fileName(), m_picker->target().name,
        tr("%1 queries").arg(number(counted.all)),
        tr("%1 accepted, %2 clarified, %3 fallback")
            .arg(number(counted.accepted), number(counted.clarified),
                number(counted.all - counted.accepted - counted.clarified - counted.errors))};
    if (counted.labelled > 0) {
        facts << tr("%1 as expected of %2 labelled")
                     .arg(format::percent(double(counted.right) / double(counted.labelled)),
                         number(counted.labelled));
    }
    if (counted.errors > 0) {
        facts << tr("%1 errors").arg(counted.errors);
    }
    if (counted.duplicates > 0) {
        facts << tr("%1 duplicates left out").arg(counted.duplicates);
    }
    m_summary->setText(facts.join(QStringLiteral(" · ")));
    m_console->notify(Tone::Ok,
        tr("Batch %1: %2 queries classified.")
            .arg(QFileInfo(m_file).fileName(), number(counted.all)),
        QStringLiteral("classify"));
}

void BatchView::refilter()
{
    m_model->setFilter(m_filter->text().trimmed(), BatchModel::Show(m_show->currentIndex()));
}

void BatchView::exportTo(const QString& file)
{
    const QString chosen = file.isEmpty() ? QFileDialog::getSaveFileName(this, tr("Export"),
                               QStringLiteral("batch.csv"), tr("CSV (*.csv);;JSON Lines (*.jsonl)"))
                                          : file;
    if (chosen.isEmpty()) {
        return;
    }
    const bool jsonl = chosen.endsWith(QLatin1StringView(".jsonl"), Qt::CaseInsensitive);
    const auto written = writeFileAtomically(chosen.toStdString(),
        jsonl ? ops::batchJsonl(m_model->rows(), m_model->order())
              : ops::batchCsv(m_model->rows(), m_model->order()));
    m_banner->show(written ? Tone::Ok : Tone::Bad,
        written ? tr("%1 rows written to %2.").arg(m_model->order().size()).arg(chosen)
                : QString::fromStdString(written.error().text()));
}

} // namespace sluice::ui

#include "ui/thresholds/thresholdsworkspace.h"

#include "engine/base/resources.h"
#include "engine/classification/thresholds/statistics.h"
#include "ui/shell/button.h"
#include "ui/shell/card.h"
#include "ui/shell/confirmdialog.h"
#include "ui/shell/console.h"
#include "ui/shell/format.h"
#include "ui/shell/infobanner.h"
#include "ui/shell/stateview.h"
#include "ui/thresholds/confidencehistogram.h"
#include "ui/thresholds/intentsmodel.h"
#include "ui/thresholds/riskcurve.h"

#include <QAction>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QElapsedTimer>
#include <QFileDialog>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLineEdit>
#include <QSortFilterProxyModel>
#include <QTableView>
#include <QTableWidget>
#include <QVBoxLayout>

namespace sluice::ui {

namespace {

struct Scored
{
    std::vector<ScoredRow> rows;
    QString source;
};

/// Rows the model was neither trained nor stopped on: calibration, test, and those of a file
/// without splits.
Result<Scored> scoreHeldOut(JobControl& control,
    const std::shared_ptr<const Classifier>& classifier, const std::filesystem::path& file,
    const QString& name)
{
    control.progress(-1, ThresholdsWorkspace::tr("reading %1").arg(name));
    auto data = readLabelledData(file);
    if (!data) {
        return data.error();
    }
    std::vector<LabelledQuery> held;
    for (const LabelledQuery& query : data->queries) {
        if (query.split != Split::Train && query.split != Split::Validation) {
            held.push_back(query);
        }
    }
    if (held.empty()) {
        return inputError("every row of " + file.string()
            + " belongs to training or validation: nothing is held out to judge on");
    }
    Scored scored;
    scored.source = name;
    scored.rows = scoreRows(
        classifier->model(), held,
        [&](std::size_t done) {
            control.progress(
                double(done) / double(held.size()), ThresholdsWorkspace::tr("scoring"));
        },
        control.cancelFlag());
    if (control.isCancelled()) {
        return cancelledError("The job was cancelled.");
    }
    return scored;
}

} // namespace

ThresholdsWorkspace::ThresholdsWorkspace(Console* console, QWidget* parent)
    : Workspace(console, QStringLiteral("thresholds"), tr("Thresholds"), parent)
    , m_state(new StateView(this))
    , m_intents(new IntentsModel(this))
{
    auto* page = new QWidget(this);
    auto* columns = new QHBoxLayout(page);
    columns->setContentsMargins(0, 0, 0, 0);
    columns->setSpacing(12);
    auto* left = new QVBoxLayout;
    left->setSpacing(12);
    left->addWidget(makeCharts(), 2);
    left->addWidget(makeIntents(), 3);
    columns->addLayout(left, 1);
    columns->addWidget(makeSide());
    m_state->setDataWidget(page);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_state);

    auto* open = new QAction(tr("Open labelled data…"), this);
    open->setShortcut(QKeySequence::Open);
    open->setShortcutContext(Qt::WidgetWithChildrenShortcut);
    connect(open, &QAction::triggered, this, &ThresholdsWorkspace::chooseFile);
    addAction(open);
    auto* bundled = new QAction(tr("Use the bundled labelled data"), this);
    connect(bundled, &QAction::triggered, this, [this] { loadData(); });
    addAction(bundled);

    connect(m_state, &StateView::actionTriggered, this, [this] { loadData(); });
    connect(m_state, &StateView::retryRequested, this, [this] { loadData(); });
    connect(m_state, &StateView::cancelRequested, console->jobs(), &Jobs::cancelAll);
    connect(console, &Console::environmentChanged, this, [this] {
        m_active.clear();
        refreshPublished();
    });
    connect(console, &Console::sourceChanged, this, [this](Source source) {
        if (source == Source::Redis) {
            refreshPublished();
        }
    });
    m_poll.setInterval(1000);
    connect(&m_poll, &QTimer::timeout, this, &ThresholdsWorkspace::refreshPublished);
    m_state->showEmpty(tr("See what a threshold would do"),
        tr("On labelled data, drag the threshold and watch coverage and errors follow; then "
           "publish it to a pool. "
           "Ctrl+O opens your own data (CLINC150 JSON, CSV, JSON Lines)."),
        tr("Use the bundled data"));
    updateButtons();
}

QWidget* ThresholdsWorkspace::makeCharts()
{
    auto* row = new QWidget(this);
    auto* layout = new QHBoxLayout(row);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(12);
    m_dataCard = new Card(tr("Confidence of answers"), {}, row);
    auto* open = new Button(tr("Open…"), ButtonRole::Flat, m_dataCard);
    open->setToolTip(tr("Opens labelled data (Ctrl+O)"));
    connect(open, &Button::clicked, this, &ThresholdsWorkspace::chooseFile);
    m_dataCard->addToTitle(open);
    m_histogram = new ConfidenceHistogram(m_dataCard);
    m_dataCard->content()->addWidget(m_histogram, 1);
    connect(m_histogram, &ConfidenceHistogram::thresholdMoved, this,
        &ThresholdsWorkspace::setThreshold);
    auto* risk = new Card(tr("Risk against coverage"), tr("wrong among the accepted"), row);
    m_curve = new RiskCurve(risk);
    risk->content()->addWidget(m_curve, 1);
    layout->addWidget(m_dataCard, 1);
    layout->addWidget(risk, 1);
    return row;
}

QWidget* ThresholdsWorkspace::makeIntents()
{
    auto* card =
        new Card(tr("Per intent"), tr("after the decision rule, with 95 % intervals"), this);
    m_table = new QTableView(card);
    auto* proxy = new QSortFilterProxyModel(m_table);
    proxy->setSourceModel(m_intents);
    proxy->setSortRole(Qt::UserRole);
    m_table->setModel(proxy);
    m_table->setSortingEnabled(true);
    m_table->sortByColumn(IntentsModel::Intent, Qt::AscendingOrder);
    m_table->setAccessibleName(tr("Intents"));
    m_table->setShowGrid(false);
    m_table->setFrameShape(QFrame::NoFrame);
    m_table->setSelectionBehavior(QAbstractItemView::SelectRows);
    m_table->setTabKeyNavigation(false);
    m_table->verticalHeader()->hide();
    m_table->verticalHeader()->setDefaultSectionSize(26);
    m_table->horizontalHeader()->setSectionResizeMode(QHeaderView::Stretch);
    m_table->horizontalHeader()->setHighlightSections(false);
    card->content()->addWidget(m_table, 1);
    return card;
}

QWidget* ThresholdsWorkspace::makeSide()
{
    auto* card = new Card(tr("Global threshold"), tr("accept from this confidence on"), this);
    card->setFixedWidth(340);
    auto* column = card->content();
    column->setSpacing(10);
    m_spin = new QDoubleSpinBox(card);
    m_spin->setRange(0, 1);
    m_spin->setDecimals(3);
    m_spin->setSingleStep(0.01);
    m_spin->setAccessibleName(tr("Global threshold"));
    connect(m_spin, &QDoubleSpinBox::valueChanged, this, &ThresholdsWorkspace::setThreshold);
    column->addWidget(m_spin);
    auto* figures = new QHBoxLayout;
    const auto figure = [&](const QString& name) {
        auto* box = new QVBoxLayout;
        auto* value = new Text(FontRole::Figure, Ink::Text, format::missing(), card);
        box->addWidget(value);
        box->addWidget(new Text(FontRole::Small, Ink::Muted, name, card));
        figures->addLayout(box, 1);
        return value;
    };
    m_coverage = figure(tr("coverage: accepted"));
    m_risk = figure(tr("wrong among them"));
    column->addLayout(figures);
    m_details = new Text(FontRole::Base, Ink::Muted, {}, card);
    m_details->setWordWrap(true);
    column->addWidget(m_details);
    column->addSpacing(6);
    column->addWidget(new Text(FontRole::CardTitle, Ink::Muted, tr("Published"), card));
    m_published = new Text(FontRole::Base, Ink::Muted, {}, card);
    m_published->setWordWrap(true);
    column->addWidget(m_published);
    m_workers = new QTableWidget(0, 3, card);
    m_workers->setAccessibleName(tr("Set served by each worker"));
    m_workers->setShowGrid(false);
    m_workers->setFrameShape(QFrame::NoFrame);
    m_workers->setEditTriggers(QAbstractItemView::NoEditTriggers);
    m_workers->setSelectionMode(QAbstractItemView::NoSelection);
    m_workers->setTabKeyNavigation(false);
    m_workers->verticalHeader()->hide();
    m_workers->horizontalHeader()->hide();
    m_workers->verticalHeader()->setDefaultSectionSize(25);
    m_workers->horizontalHeader()->setSectionResizeMode(0, QHeaderView::Stretch);
    column->addWidget(m_workers, 1);
    m_banner = new InfoBanner(card);
    column->addWidget(m_banner);
    m_pool = new QComboBox(card);
    m_pool->addItems({QStringLiteral("blue"), QStringLiteral("green")});
    m_pool->setAccessibleName(tr("Pool"));
    connect(m_pool, &QComboBox::currentTextChanged, this, &ThresholdsWorkspace::refreshPublished);
    m_comment = new QLineEdit(card);
    m_comment->setPlaceholderText(tr("Why (kept with the set)"));
    m_comment->setAccessibleName(tr("Comment"));
    m_comment->setMaxLength(500);
    auto* form = new QFormLayout;
    form->addRow(tr("Pool"), m_pool);
    form->addRow(tr("Comment"), m_comment);
    column->addLayout(form);
    m_back = new Button(tr("Undo last publish"), ButtonRole::Plain, card);
    m_back->setToolTip(tr("Points the pool back to the set before the present one"));
    connect(m_back, &Button::clicked, this, &ThresholdsWorkspace::goBack);
    m_publish =
        new Button(tr("Publish to %1…").arg(QStringLiteral("blue")), ButtonRole::Primary, card);
    connect(m_publish, &Button::clicked, this, &ThresholdsWorkspace::publish);
    auto* buttons = new QHBoxLayout;
    buttons->addWidget(m_back);
    buttons->addStretch();
    buttons->addWidget(m_publish);
    column->addLayout(buttons);
    return card;
}

void ThresholdsWorkspace::activated()
{
    m_poll.start();
    refreshPublished();
}

void ThresholdsWorkspace::deactivated()
{
    m_poll.stop();
}

void ThresholdsWorkspace::chooseFile()
{
    auto* dialog = new QFileDialog(this, tr("Open labelled data"), {},
        tr("Labelled data (*.json *.jsonl *.csv);;All files (*)"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::ExistingFile);
    connect(dialog, &QFileDialog::fileSelected, this, &ThresholdsWorkspace::loadData);
    dialog->open();
}

void ThresholdsWorkspace::loadData(const QString& file)
{
    const auto classifier = console()->classifier();
    if (classifier == nullptr) {
        m_state->showError(tr("No model is loaded yet"),
            console()->classifierError().value_or(internalError("it is still being read")),
            tr("Try again in a moment."));
        return;
    }
    const std::filesystem::path path =
        file.isEmpty() ? resourceFile("queries.jsonl") : std::filesystem::path(file.toStdString());
    const QString name = file.isEmpty() ? tr("the bundled data") : file.section(u'/', -1);
    m_state->showLoading(tr("Scoring %1").arg(name));
    console()->jobs()->start<Scored>(
        tr("Scoring %1").arg(name), QStringLiteral("thresholds-data"),
        [classifier, path, name](
            JobControl& control) { return scoreHeldOut(control, classifier, path, name); },
        this,
        [this, classifier](Result<Scored> scored) {
            if (!scored) {
                m_state->showError(tr("The data could not be used"), scored.error(),
                    tr("Mend the file and open it again; the bundled data is used on Retry."));
                return;
            }
            m_classifier = classifier;
            onScored(std::move(scored->rows), scored->source);
        });
}

void ThresholdsWorkspace::onScored(std::vector<ScoredRow> rows, const QString& source)
{
    m_rows = std::move(rows);
    m_source = source;
    m_set = m_classifier->model().defaultThresholds();
    m_dataCard->setHint(
        tr("held-out rows of %1, %2 queries").arg(source, format::count(double(m_rows.size()))));
    m_intents->setIntents(m_classifier->model().labels());
    m_histogram->setRows(m_rows);
    m_curve->setCurve(riskCoverage(m_rows));
    m_state->showData();
    setThreshold(m_set.global);
    recompute();
    refreshPublished();
}

void ThresholdsWorkspace::setThreshold(double threshold)
{
    m_set.global = threshold;
    const QSignalBlocker quiet(m_spin);
    m_spin->setValue(threshold);
    m_histogram->setThreshold(threshold);
    recompute();
}

void ThresholdsWorkspace::recompute()
{
    if (m_classifier == nullptr || m_rows.empty()) {
        return;
    }
    QElapsedTimer timer;
    timer.start();
    const auto compiled = m_classifier->compile(m_set);
    if (!compiled) {
        m_banner->show(Tone::Bad, QString::fromStdString(compiled.error().text()));
        return;
    }
    m_outcome = outcomeOf(m_rows, **compiled);
    m_intents->setOutcomes(
        intentOutcomes(m_rows, **compiled, m_classifier->model().labels().size()), m_set);
    const double ms = double(timer.nsecsElapsed()) / 1e6;
    const Interval risk =
        wilsonInterval(std::int64_t(m_outcome.acceptedWrong()), std::int64_t(m_outcome.accepted));
    m_coverage->setText(format::percent(m_outcome.coverage()));
    m_risk->setText(
        m_outcome.accepted == 0 ? format::missing() : format::percent(m_outcome.errorRate()));
    m_details->setText(
        tr("%1 of %2 accepted, %3 of them wrong (95 % interval %4 to %5) · %6 clarified · %7 fall "
           "back · "
           "%8 of the out-of-scope queries are held back")
            .arg(format::count(double(m_outcome.accepted)), format::count(double(m_outcome.rows())),
                format::count(double(m_outcome.acceptedWrong())), format::percent(risk.low),
                format::percent(risk.high), format::count(double(m_outcome.clarified)),
                format::count(double(m_outcome.fallback)))
            .arg(m_outcome.outOfScope == 0 ? format::missing()
                                           : format::percent(m_outcome.outOfScopeRecall())));
    m_curve->setPoint(m_outcome.coverage(), m_outcome.errorRate());
    setStatus(tr("%1 rows re-evaluated in %2")
                  .arg(format::count(double(m_rows.size())), format::duration(ms / 1000)));
    updateButtons();
}

std::optional<ThresholdSet> ThresholdsWorkspace::activeOn(const QString& pool) const
{
    const auto found = m_active.find(pool);
    return found == m_active.end() ? std::nullopt : std::optional(found->second);
}

void ThresholdsWorkspace::refreshPublished()
{
    if (!console()->source(Source::Redis).isUp()) {
        const SourceState& redis = console()->source(Source::Redis);
        m_published->setText(console()->hasEnvironment()
                ? tr("Redis does not answer: %1").arg(redis.error)
                : tr("Nothing is connected: start the local stack to publish."));
        m_workers->setRowCount(0);
        m_histogram->setLive(std::nullopt);
        setChips({});
        updateButtons();
        return;
    }
    for (const QString& pool : {QStringLiteral("blue"), QStringLiteral("green")}) {
        console()->publishedThresholds()->active(
            pool, this, [this, pool](const Result<std::optional<ThresholdSet>>& set) {
                if (!set) {
                    m_published->setText(QString::fromStdString(set.error().text()));
                    return;
                }
                if (*set) {
                    m_active.insert_or_assign(pool, **set);
                } else {
                    m_active.erase(pool);
                }
                QStringList words;
                for (const QString& name : {QStringLiteral("blue"), QStringLiteral("green")}) {
                    const auto active = activeOn(name);
                    words << (active ? tr("%1 serves set %2").arg(name).arg(active->number)
                                     : tr("%1 serves the model's own").arg(name));
                }
                setChips({ChipText{
                    words.join(QStringLiteral(" · ")), {}, {}, {}, tr("pointers in Redis")}});
                const auto here = activeOn(m_pool->currentText());
                m_histogram->setLive(here ? std::optional(here->global) : std::nullopt);
                m_published->setText(here
                        ? tr("set %1 on %2: global %3, by %4%5")
                              .arg(here->number)
                              .arg(m_pool->currentText(), format::fixed(here->global, 3),
                                  QString::fromStdString(here->author),
                                  here->comment.empty()
                                      ? QString()
                                      : QString(QStringLiteral(": ")
                                          % QString::fromStdString(here->comment)))
                        : tr("nothing was published to %1; its workers serve the model's own "
                             "thresholds")
                              .arg(m_pool->currentText()));
                updateButtons();
            });
    }
    console()->publishedThresholds()->workers(console()->environment().workers, this,
        [this](const QList<ops::WorkerInfo>& workers) { showWorkers(workers); });
}

void ThresholdsWorkspace::showWorkers(const QList<ops::WorkerInfo>& workers)
{
    m_workers->setRowCount(int(workers.size()));
    for (int row = 0; row < workers.size(); ++row) {
        const ops::WorkerInfo& worker = workers[row];
        const auto active = activeOn(worker.endpoint.pool);
        const qint64 wanted = active ? active->number : 0;
        const bool there = worker.reachable && worker.thresholdSet == wanted;
        const QString texts[] = {QString(worker.endpoint.url.authority()), worker.endpoint.pool,
            !worker.reachable ? tr("✕ away")
                : there       ? tr("✓ set %1").arg(worker.thresholdSet)
                              : tr("◌ set %1").arg(worker.thresholdSet)};
        for (int column = 0; column < 3; ++column) {
            auto* item = new QTableWidgetItem(texts[column]);
            item->setTextAlignment(
                (column == 2 ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
            if (column == 2) {
                item->setForeground(theme().color(there ? Tone::Ok
                        : worker.reachable              ? Tone::Warn
                                                        : Tone::Bad));
            }
            if (!worker.reachable) {
                item->setToolTip(worker.error);
            }
            m_workers->setItem(row, column, item);
        }
    }
}

void ThresholdsWorkspace::updateButtons()
{
    const bool connected = console()->source(Source::Redis).isUp();
    const auto active = activeOn(m_pool->currentText());
    m_publish->setText(tr("Publish to %1…").arg(m_pool->currentText()));
    m_publish->setEnabled(
        connected && !m_rows.empty() && !m_publishing && !console()->environment().readOnly);
    m_publish->setToolTip(connected ? QString() : tr("Nothing is connected"));
    m_back->setEnabled(connected && active && !m_publishing && !console()->environment().readOnly);
}

void ThresholdsWorkspace::publish()
{
    const QString pool = m_pool->currentText();
    const auto active = activeOn(pool);
    Confirmation question;
    question.title = tr("Publish a threshold set to %1").arg(pool);
    question.object =
        tr("global threshold %1 (now %2), to the workers of %3")
            .arg(format::fixed(m_set.global, 3),
                active ? format::fixed(active->global, 3) : tr("the model's own"), pool);
    question.consequence = tr(
        "The workers serve it within a second. \"Undo last publish\" brings the present one back.");
    question.verb = tr("Publish to %1").arg(pool);
    question.environment = console()->environment().name;
    question.production = console()->environment().production;
    auto* dialog = new ConfirmDialog(question, this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    connect(dialog, &QDialog::accepted, this, [this, pool] {
        ThresholdSet set = m_set;
        set.author = console()->user().toStdString();
        set.comment = m_comment->text().toStdString();
        set.createdAt = QDateTime::currentDateTimeUtc().toString(Qt::ISODate).toStdString();
        send(set, pool);
    });
    dialog->open();
}

void ThresholdsWorkspace::send(const ThresholdSet& set, const QString& pool)
{
    const auto active = activeOn(pool);
    m_publishing = true;
    updateButtons();
    console()->publishedThresholds()->publish(
        set, pool, active ? active->number : 0, this, [this, pool](const Result<qint64>& number) {
            m_publishing = false;
            ops::HistoryEntry entry;
            entry.kind = QStringLiteral("publish");
            if (number) {
                entry.subject = tr("set %1 to %2").arg(*number).arg(pool);
                entry.outcome = QStringLiteral("done");
                entry.details = {
                    {QStringLiteral("number"), *number}, {QStringLiteral("global"), m_set.global}};
                m_comment->clear();
                m_banner->show(Tone::Ok, tr("Set %1 is published to %2.").arg(*number).arg(pool));
                console()->notify(
                    Tone::Ok, tr("Set %1 published to %2").arg(*number).arg(pool), id());
            } else {
                entry.subject = tr("set to %1").arg(pool);
                entry.outcome = QStringLiteral("refused");
                m_banner->show(Tone::Bad, QString::fromStdString(number.error().text()));
            }
            console()->record(entry);
            refreshPublished();
        });
}

void ThresholdsWorkspace::goBack()
{
    const QString pool = m_pool->currentText();
    const auto active = activeOn(pool);
    if (!active) {
        return;
    }
    m_publishing = true;
    updateButtons();
    console()->publishedThresholds()->previous(
        pool, this, [this, pool, from = active->number](const Result<qint64>& before) {
            if (!before || *before < 0) {
                onWentBack(pool, from,
                    before ? Result<qint64>(inputError("there is no earlier set on this pool"))
                           : before);
                return;
            }
            console()->publishedThresholds()->activate(
                *before, pool, from, this, [this, pool, from](const Result<qint64>& number) {
                    onWentBack(pool, from, number);
                });
        });
}

void ThresholdsWorkspace::onWentBack(const QString& pool, qint64 from, const Result<qint64>& number)
{
    m_publishing = false;
    ops::HistoryEntry entry;
    entry.kind = QStringLiteral("publish");
    entry.subject = tr("back from set %1 on %2").arg(from).arg(pool);
    entry.outcome = number ? QStringLiteral("done") : QStringLiteral("refused");
    console()->record(entry);
    if (!number) {
        m_banner->show(Tone::Bad, QString::fromStdString(number.error().text()));
    } else if (*number == 0) {
        m_banner->show(Tone::Ok, tr("%1 serves the model's own thresholds again.").arg(pool));
    } else {
        m_banner->show(Tone::Ok, tr("%1 is back on set %2.").arg(pool).arg(*number));
    }
    refreshPublished();
}

} // namespace sluice::ui

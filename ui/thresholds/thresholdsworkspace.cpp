#include "ui/thresholds/thresholdsworkspace.h"

#include "engine/base/file.h"
#include "engine/base/resources.h"
#include "engine/classification/thresholds/statistics.h"
#include "ui/shell/button.h"
#include "ui/shell/card.h"
#include "ui/shell/console.h"
#include "ui/shell/format.h"
#include "ui/shell/infobanner.h"
#include "ui/shell/stateview.h"
#include "ui/thresholds/confidencehistogram.h"
#include "ui/thresholds/confusionview.h"
#include "ui/thresholds/datapreview.h"
#include "ui/thresholds/flipsview.h"
#include "ui/thresholds/guaranteepanel.h"
#include "ui/thresholds/pools.h"
#include "ui/thresholds/publishpanel.h"
#include "ui/thresholds/ruledialog.h"
#include "ui/thresholds/settingsmodel.h"
#include "ui/thresholds/settingstable.h"
#include "ui/thresholds/thresholdcharts.h"
#include "ui/thresholds/versionsview.h"

#include <QAction>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QJsonObject>
#include <QLineEdit>
#include <QScrollArea>
#include <QStackedWidget>
#include <QTabBar>
#include <QTableWidget>
#include <QVBoxLayout>

namespace sluice::ui {

namespace {

constexpr std::size_t mostTraffic = 1000000;

Result<ops::TuningData> score(
    JobControl& control, const LabelledData& data, const std::string& source, const Model& model)
{
    auto scored = ops::tuningData(
        data, source, model,
        [&](double share) { control.progress(share, ThresholdsWorkspace::tr("scoring")); },
        control.cancelFlag());
    return scored;
}

Result<std::shared_ptr<const LabelledData>> read(
    JobControl& control, const std::vector<std::filesystem::path>& files, const QString& name)
{
    control.progress(-1, ThresholdsWorkspace::tr("reading %1").arg(name));
    auto data = readLabelledData(files);
    if (!data) {
        return data.error();
    }
    return std::make_shared<const LabelledData>(std::move(*data));
}

} // namespace

ThresholdsWorkspace::ThresholdsWorkspace(Console* console, QWidget* parent)
    : Workspace(console, QStringLiteral("thresholds"), tr("Thresholds"), parent)
    , m_session(new TuningSession(console->jobs(),
          console->configFolder() % QLatin1StringView("/thresholds-draft.json"), this))
    , m_pools(new Pools(console, this))
    , m_traffic(new ops::TrafficReader(console->redis(), this))
    , m_state(new StateView(this))
{
    auto* page = new QWidget(this);
    auto* columns = new QHBoxLayout(page);
    columns->setContentsMargins(0, 0, 0, 0);
    columns->setSpacing(12);
    auto* left = new QVBoxLayout;
    left->setSpacing(12);
    m_banner = new InfoBanner(page);
    left->addWidget(m_banner);
    m_charts = new ThresholdCharts(m_session, page);
    left->addWidget(m_charts, 2);
    auto* traffic = new Button(tr("Traffic"), ButtonRole::Flat, m_charts->dataCard());
    traffic->setToolTip(tr("Loads recorded decisions from Redis"));
    connect(traffic, &Button::clicked, this, &ThresholdsWorkspace::loadTraffic);
    auto* open = new Button(tr("Open…"), ButtonRole::Flat, m_charts->dataCard());
    open->setToolTip(tr("Opens labelled data (Ctrl+O)"));
    connect(open, &Button::clicked, this, &ThresholdsWorkspace::chooseFiles);
    m_charts->dataCard()->addToTitle(traffic);
    m_charts->dataCard()->addToTitle(open);
    left->addWidget(makeTabs(), 3);
    columns->addLayout(left, 1);
    columns->addWidget(makeSide());
    m_state->setDataWidget(page);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_state);
    addActions();
    connectAll();
    m_state->showEmpty(tr("See what a threshold would do"),
        tr("On labelled data, drag the threshold and watch coverage and errors follow; certify an "
           "error rate; see what would change; then publish to a pool. "
           "Ctrl+O opens your own data (CSV, JSON Lines, Rasa, Dialogflow, LUIS, Lex and others)."),
        tr("Use the bundled data"));
}

void ThresholdsWorkspace::addActions()
{
    const auto add = [this](const QString& text, const QKeySequence& shortcut, const QString& tip,
                         auto&& then) {
        auto* action = new QAction(text, this);
        action->setShortcut(shortcut);
        action->setToolTip(tip);
        action->setShortcutContext(Qt::WidgetWithChildrenShortcut);
        connect(action, &QAction::triggered, this, std::forward<decltype(then)>(then));
        addAction(action);
        return action;
    };
    add(tr("Open labelled data…"), QKeySequence::Open, tr("To tune and judge thresholds on"),
        [this] { chooseFiles(); });
    add(tr("Use the bundled labelled data"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_O),
        tr("The help desk's, held-out rows"), [this] { loadData(); });
    add(tr("Load recorded traffic"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_R),
        tr("Decisions as they were served, from Redis"), [this] { loadTraffic(); });
    add(tr("Certify a threshold"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_G),
        tr("With a guarantee on the error rate"), [this] { m_guarantee->certify(); });
    add(tr("Suggest thresholds by intent"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_I),
        tr("Only where they beat the global one on held-out rows"),
        [this] { m_guarantee->suggest(); });
    add(tr("Publish the draft…"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_P),
        tr("To a pool, after a look at what changes"), [this] { publish(); });
    add(tr("Save the threshold set as a file…"), QKeySequence::Save,
        tr("As it stands in the draft"), [this] { exportSet(); });
    add(tr("Show what would flip"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_F),
        tr("Queries whose decision the draft changes"), [this] { showTab(Tab::Flips); });
    add(tr("Add a context rule…"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_K),
        tr("An amount for follow-ups, failures, a time of day; Return on one changes it"),
        [this] { openRule(-1); });
    add(tr("Find an intent"), QKeySequence::Find, tr("In the table of intents"), [this] {
        showTab(Tab::Settings);
        m_filter->setFocus();
    });
    add(tr("Ask for a second person's approval on this pool"),
        QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_A), tr("Before a set is published to it"),
        [this] { m_pools->requireApproval(true, m_publish->pool()); });
    add(tr("Ask for no approval on this pool"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_N),
        tr("One person publishes alone"),
        [this] { m_pools->requireApproval(false, m_publish->pool()); });
    QUndoStack* undo = m_session->undoStack();
    for (const bool back : {true, false}) {
        QAction* action = back ? undo->createUndoAction(this, tr("Undo"))
                               : undo->createRedoAction(this, tr("Redo"));
        action->setShortcuts(back ? QList<QKeySequence>{QKeySequence(tr("Ctrl+Z"))}
                                  : QList<QKeySequence>{QKeySequence(tr("Ctrl+Shift+Z")),
                                      QKeySequence(tr("Ctrl+Y"))});
        action->setShortcutContext(Qt::WidgetWithChildrenShortcut);
        action->setToolTip(back ? tr("Takes the last edit back") : tr("Does it again"));
        addAction(action);
    }
}

void ThresholdsWorkspace::connectAll()
{
    connect(m_state, &StateView::actionTriggered, this, [this] { loadData(); });
    connect(m_state, &StateView::retryRequested, this, [this] { loadData(); });
    connect(m_state, &StateView::cancelRequested, console()->jobs(), &Jobs::cancelAll);
    connect(m_session, &TuningSession::dataChanged, this, &ThresholdsWorkspace::onData);
    connect(m_session, &TuningSession::figuresChanged, this, &ThresholdsWorkspace::onFigures);
    connect(m_session, &TuningSession::refused, this,
        [this](const QString& reason) { m_banner->show(Tone::Bad, reason); });
    connect(m_session, &TuningSession::draftSaved, this, [this](const QDateTime& at) {
        m_saved = tr("draft saved %1 · ").arg(format::clock(at));
        onFigures();
    });
    connect(m_pools, &Pools::changed, this, &ThresholdsWorkspace::onPools);
    connect(m_guarantee, &GuaranteePanel::changed, this, [this] {
        m_charts->setLimit(m_guarantee->alpha()->value() / 100);
        const auto& guarantee = m_guarantee->guarantee();
        m_settings->setGuarantee(guarantee ? &*guarantee : nullptr);
    });
    connect(m_guarantee, &GuaranteePanel::trouble, this,
        [this](const QString& text) { m_banner->show(Tone::Bad, text); });
    connect(m_guarantee, &GuaranteePanel::done, this, &ThresholdsWorkspace::record);
    connect(m_publish, &PublishPanel::poolChanged, this, [this](const QString& pool) {
        m_versions->setPool(pool);
        onPools();
    });
    connect(m_publish, &PublishPanel::differenceWanted, this, [this] { showTab(Tab::Flips); });
    connect(m_versions, &VersionsView::activateRequested, m_publish, &PublishPanel::askActivate);
    connect(m_banner, &InfoBanner::actionTriggered, this, [this] {
        if (const auto left = m_session->leftBehind()) {
            m_session->edit(*left, tr("the draft left behind"));
        }
        m_banner->dismiss();
    });
}

Card* ThresholdsWorkspace::makeTabs()
{
    auto* card = new Card({}, {}, this);
    m_tabs = new QTabBar(card);
    m_tabs->setAccessibleName(tr("Views"));
    m_tabs->setDrawBase(false);
    m_tabs->setExpanding(false);
    for (const QString& name : {tr("Settings and intents"), tr("Confusion"), tr("What would flip"),
             tr("Pools and versions")}) {
        m_tabs->addTab(name);
    }
    m_filter = new QLineEdit(card);
    m_filter->setPlaceholderText(tr("Find   Ctrl+F"));
    m_filter->setAccessibleName(tr("Find an intent"));
    m_filter->setClearButtonEnabled(true);
    m_filter->setMaximumWidth(160);
    auto* head = new QHBoxLayout;
    head->addWidget(m_tabs);
    head->addStretch();
    head->addWidget(m_filter);
    card->content()->addLayout(head);
    m_pages = new QStackedWidget(card);
    m_settings = new SettingsModel(m_session, this);
    m_table = new SettingsTable(m_settings, m_pages);
    m_confusion = new ConfusionView(m_session, m_pages);
    m_flips = new FlipsView(m_session, m_pages);
    m_versions = new VersionsView(m_session, m_pools, m_pages);
    for (QWidget* view : {static_cast<QWidget*>(m_table), static_cast<QWidget*>(m_confusion),
             static_cast<QWidget*>(m_flips), static_cast<QWidget*>(m_versions)}) {
        m_pages->addWidget(view);
    }
    card->content()->addWidget(m_pages, 1);
    connect(m_tabs, &QTabBar::currentChanged, this, [this](int index) {
        m_pages->setCurrentIndex(index);
        m_filter->setVisible(Tab(index) == Tab::Settings);
    });
    connect(m_filter, &QLineEdit::textChanged, m_table->proxy(),
        &QSortFilterProxyModel::setFilterFixedString);
    connect(m_table, &SettingsTable::intentOpened, this, [this](int label) {
        m_confusion->openIntent(label);
        showTab(Tab::Confusion);
    });
    connect(m_table, &SettingsTable::ruleOpened, this, &ThresholdsWorkspace::openRule);
    return card;
}

void ThresholdsWorkspace::openRule(int index)
{
    if (m_session->hasData()) {
        auto* dialog = new RuleDialog(m_session, index, this);
        dialog->setAttribute(Qt::WA_DeleteOnClose);
        dialog->open();
    }
}

QWidget* ThresholdsWorkspace::makeSide()
{
    auto* side = new QWidget(this);
    side->setFixedWidth(350);
    auto* column = new QVBoxLayout(side);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(12);
    // What is said of a publish can be long: the rest then scrolls, and is not squeezed.
    auto* scroll = new QScrollArea(side);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setWidgetResizable(true);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setFocusPolicy(Qt::NoFocus);
    scroll->viewport()->setAutoFillBackground(false);
    auto* upper = new QWidget(scroll);
    auto* cards = new QVBoxLayout(upper);
    cards->setContentsMargins(0, 0, 0, 0);
    cards->setSpacing(12);
    cards->addWidget(makeDraft());
    m_guarantee = new GuaranteePanel(m_session, upper);
    cards->addWidget(m_guarantee, 1);
    scroll->setWidget(upper);
    upper->setAutoFillBackground(false);
    column->addWidget(scroll, 1);
    m_publish = new PublishPanel(console(), m_session, m_pools, side);
    column->addWidget(m_publish);
    return side;
}

Card* ThresholdsWorkspace::makeDraft()
{
    auto* card = new Card(tr("Draft"), {}, this);
    for (const bool back : {true, false}) {
        auto* button = new Button(back ? tr("Undo") : tr("Redo"), ButtonRole::Flat, card);
        QUndoStack* undo = m_session->undoStack();
        button->setEnabled(false);
        connect(button, &Button::clicked, undo, back ? &QUndoStack::undo : &QUndoStack::redo);
        connect(undo, back ? &QUndoStack::canUndoChanged : &QUndoStack::canRedoChanged, button,
            &Button::setEnabled);
        connect(undo, back ? &QUndoStack::undoTextChanged : &QUndoStack::redoTextChanged, button,
            &Button::setToolTip);
        card->addToTitle(button);
    }
    m_spin = new QDoubleSpinBox(card);
    m_spin->setRange(0, 1);
    m_spin->setDecimals(3);
    m_spin->setSingleStep(0.01);
    m_spin->setAccessibleName(tr("Global threshold"));
    connect(m_spin, &QDoubleSpinBox::valueChanged, m_session, &TuningSession::setGlobal);
    auto* line = new QHBoxLayout;
    line->addWidget(new Text(FontRole::Base, Ink::Muted, tr("Global threshold"), card), 1);
    line->addWidget(m_spin, 1);
    card->content()->addLayout(line);
    auto* figures = new QHBoxLayout;
    const auto figure = [&](const QString& name) {
        auto* box = new QVBoxLayout;
        box->setSpacing(0);
        auto* value = new Text(FontRole::Figure, Ink::Text, format::missing(), card);
        box->addWidget(value);
        box->addWidget(new Text(FontRole::Small, Ink::Muted, name, card));
        figures->addLayout(box, 1);
        return value;
    };
    m_coverage = figure(tr("coverage: accepted"));
    m_risk = figure(tr("wrong among them"));
    card->content()->addLayout(figures);
    m_details = new Text(FontRole::Small, Ink::Muted, {}, card);
    m_details->setWordWrap(true);
    card->content()->addWidget(m_details);
    return card;
}

void ThresholdsWorkspace::activated()
{
    m_pools->start();
}

void ThresholdsWorkspace::deactivated()
{
    m_pools->stop();
}

ConfidenceHistogram* ThresholdsWorkspace::histogram() const
{
    return m_charts->histogram();
}

QComboBox* ThresholdsWorkspace::pool() const
{
    return m_publish->poolChoice();
}

std::size_t ThresholdsWorkspace::rows() const
{
    return m_session->hasData() ? m_session->data().rows.size() : 0;
}

QTableWidget* ThresholdsWorkspace::workersTable() const
{
    return m_versions->workers();
}

void ThresholdsWorkspace::showTab(Tab tab)
{
    m_tabs->setCurrentIndex(int(tab));
}

void ThresholdsWorkspace::setThreshold(double threshold)
{
    m_session->setGlobal(threshold);
}

void ThresholdsWorkspace::publish()
{
    m_publish->publish();
}

void ThresholdsWorkspace::chooseFiles()
{
    auto* dialog = new QFileDialog(this, tr("Open labelled data"), {},
        tr("Labelled data (*.json *.jsonl *.csv *.yml *.yaml *.md *.zip *.txt);;All files (*)"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::ExistingFiles);
    connect(dialog, &QFileDialog::filesSelected, this, &ThresholdsWorkspace::previewData);
    dialog->open();
}

void ThresholdsWorkspace::previewData(const QStringList& files)
{
    const auto classifier = console()->classifier();
    if (classifier == nullptr || files.isEmpty()) {
        loadData(files.value(0)); // says that there is no model yet
        return;
    }
    std::vector<std::filesystem::path> paths;
    QStringList names;
    for (const QString& file : files) {
        paths.emplace_back(file.toStdString());
        names << file.section(u'/', -1);
    }
    const QString source = names.join(QStringLiteral(", "));
    console()->jobs()->start<std::shared_ptr<const LabelledData>>(
        tr("Reading %1").arg(source), QStringLiteral("thresholds-data"),
        [paths, source](JobControl& control) { return read(control, paths, source); }, this,
        [this, classifier, source](const Result<std::shared_ptr<const LabelledData>>& found) {
            if (!found) { // what is there stays
                m_session->hasData()
                    ? m_banner->show(Tone::Bad, QString::fromStdString(found.error().text()))
                    : m_state->showError(tr("The data could not be used"), found.error(),
                        tr("Mend the file and open it again; the bundled data is used on Retry."));
                return;
            }
            auto* dialog = new DataPreviewDialog(
                ops::previewOf(**found, source.toStdString(), classifier->model()), this);
            dialog->setAttribute(Qt::WA_DeleteOnClose);
            connect(dialog, &QDialog::accepted, this,
                [this, classifier, found = *found, source] { use(classifier, found, source); });
            dialog->open();
        });
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
    m_state->showLoading(tr("Reading %1").arg(name));
    console()->jobs()->start<std::shared_ptr<const LabelledData>>(
        tr("Reading %1").arg(name), QStringLiteral("thresholds-data"),
        [path, name](JobControl& control) { return read(control, {path}, name); }, this,
        [this, classifier, name](const Result<std::shared_ptr<const LabelledData>>& found) {
            if (!found) {
                m_state->showError(tr("The data could not be used"), found.error(),
                    tr("Mend the file and open it again; the bundled data is used on Retry."));
                return;
            }
            use(classifier, *found, name);
        });
}

void ThresholdsWorkspace::use(std::shared_ptr<const Classifier> classifier,
    std::shared_ptr<const LabelledData> labelled, const QString& source)
{
    m_state->showLoading(tr("Scoring %1").arg(source));
    console()->jobs()->start<ops::TuningData>(
        tr("Scoring %1").arg(source), QStringLiteral("thresholds-data"),
        [classifier, labelled, name = source.toStdString()](
            JobControl& control) { return score(control, *labelled, name, classifier->model()); },
        this,
        [this, classifier](Result<ops::TuningData> scored) {
            if (!scored) {
                m_state->showError(tr("The data could not be used"), scored.error(),
                    tr("Mend the file and open it again; the bundled data is used on Retry."));
                return;
            }
            m_session->setData(classifier, std::move(*scored));
            m_state->showData();
            m_banner->dismiss();
            if (const auto left = m_session->leftBehind()) {
                m_banner->show(Tone::None,
                    tr("A draft from before is kept: global %1. It was not published.")
                        .arg(format::fixed(left->global, 3)),
                    tr("Go on with it"));
            }
        });
}

void ThresholdsWorkspace::loadTraffic()
{
    if (!m_session->hasData()) {
        loadData();
        return;
    }
    if (!m_pools->isConnected()) {
        m_banner->show(Tone::Warn, tr("Recorded traffic is in Redis, and none is connected."));
        return;
    }
    const Model& model = m_session->classifier().model();
    setStatus(tr("reading recorded traffic"));
    m_traffic->read(
        model.labels(), model.hash(), mostTraffic,
        [this](std::size_t rows) {
            setStatus(tr("reading recorded traffic: %1 rows").arg(format::count(double(rows))));
        },
        [this](Result<ops::RecordedTraffic> traffic) {
            if (!traffic) {
                m_banner->show(Tone::Bad, QString::fromStdString(traffic.error().text()));
                return;
            }
            const std::size_t rows = traffic->rows.size();
            const std::size_t left = traffic->otherModels + traffic->damaged;
            if (rows == 0) {
                m_banner->show(Tone::Warn,
                    left == 0 ? tr("No decision is recorded yet. Workers record a share of the "
                                   "sessions (decision_log.share).")
                              : tr("None of %1 recorded decisions is of this model.").arg(left));
            } else if (left > 0) {
                m_banner->show(Tone::None,
                    tr("%1 recorded decisions; %2 of another model or unreadable are left out.")
                        .arg(format::count(double(rows)), format::count(double(left))));
            }
            m_session->setTraffic(std::move(*traffic));
            m_charts->show(ThresholdCharts::Left::Traffic);
        });
}

void ThresholdsWorkspace::onData()
{
    const ops::TuningData& tuning = m_session->data();
    QString hint = tr("%1 held-out rows of %2")
                       .arg(format::count(double(tuning.rows.size())),
                           QString::fromStdString(tuning.preview.source));
    if (m_session->traffic() != nullptr) {
        hint += tr(" · %1 recorded").arg(format::count(double(m_session->traffic()->rows.size())));
    }
    m_charts->dataCard()->setHint(hint);
    m_pools->refresh();
}

void ThresholdsWorkspace::onFigures()
{
    const QSignalBlocker quiet(m_spin);
    m_spin->setValue(m_session->draft().global);
    const Outcome& outcome = m_session->figures().outcome;
    const Interval risk =
        wilsonInterval(std::int64_t(outcome.acceptedWrong()), std::int64_t(outcome.accepted));
    m_coverage->setText(format::percent(outcome.coverage()));
    m_risk->setText(
        outcome.accepted == 0 ? format::missing() : format::percent(outcome.errorRate()));
    m_details->setText(
        tr("%1 of %2 accepted, %3 wrong (95 %: %4 to %5) · %6 clarified · %7 fall back · %8 of "
           "what is out of scope is held back")
            .arg(format::count(double(outcome.accepted)), format::count(double(outcome.rows())),
                format::count(double(outcome.acceptedWrong())), format::percent(risk.low),
                format::percent(risk.high), format::count(double(outcome.clarified)),
                format::count(double(outcome.fallback)))
            .arg(outcome.outOfScope == 0 ? format::missing()
                                         : format::percent(outcome.outOfScopeRecall())));
    const std::size_t rows = m_session->data().rows.size()
        + (m_session->traffic() == nullptr ? 0 : m_session->traffic()->rows.size());
    setStatus(m_saved
        % tr("%1 rows judged anew in %2")
              .arg(format::count(double(rows)),
                  format::duration(m_session->lastMilliseconds() / 1000)));
}

void ThresholdsWorkspace::onPools()
{
    m_session->setLive(m_pools->active(m_publish->pool()));
    if (!m_pools->isConnected()) {
        setChips({});
        return;
    }
    QStringList words;
    for (const QString& name : Pools::names()) {
        const auto active = m_pools->active(name);
        words << (active ? tr("%1 serves set %2").arg(name).arg(active->number)
                         : tr("%1 serves the model's own").arg(name));
    }
    setChips({ChipText{words.join(QStringLiteral(" · ")), {}, {}, {}, tr("pointers in Redis")}});
}

void ThresholdsWorkspace::exportSet()
{
    if (!m_session->hasData()) {
        return;
    }
    auto* dialog = new QFileDialog(
        this, tr("Save the threshold set"), QStringLiteral("thresholds.json"), tr("JSON (*.json)"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setAcceptMode(QFileDialog::AcceptSave);
    connect(dialog, &QFileDialog::fileSelected, this, [this](const QString& file) {
        const auto written =
            writeFileAtomically(file.toStdString(), m_session->draft().toJson() + "\n");
        m_banner->show(written ? Tone::Ok : Tone::Bad,
            written ? tr("Saved as %1.").arg(file)
                    : QString::fromStdString(written.error().text()));
    });
    dialog->open();
}

void ThresholdsWorkspace::record(
    const QString& kind, const QString& subject, const QJsonObject& details)
{
    ops::HistoryEntry entry;
    entry.kind = kind;
    entry.subject = subject;
    entry.outcome = QStringLiteral("done");
    entry.details = details;
    console()->record(entry);
}

} // namespace sluice::ui

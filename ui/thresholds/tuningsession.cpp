#include "ui/thresholds/tuningsession.h"

#include "engine/base/file.h"
#include "ui/shell/job.h"

#include <QDateTime>
#include <QElapsedTimer>
#include <QFile>
#include <QUndoCommand>

namespace sluice::ui {

namespace {

/// So many rows are drawn anew within a frame; more go into a job.
constexpr std::size_t inlineRows = 20000;
constexpr int chartPauseMs = 40;
constexpr int savePauseMs = 400;

} // namespace

/// One step of the draft; moves of the same slider that follow each other are one.
class EditCommand : public QUndoCommand
{
public:
    EditCommand(TuningSession* session, ThresholdSet after, const QString& what, QString mergeKey)
        : QUndoCommand(what)
        , m_session(session)
        , m_before(session->draft())
        , m_after(std::move(after))
        , m_mergeKey(std::move(mergeKey))
    { }

    void undo() override { m_session->setDraft(m_before); }
    void redo() override { m_session->setDraft(m_after); }
    int id() const override { return m_mergeKey.isEmpty() ? -1 : 1; }
    bool mergeWith(const QUndoCommand* other) override
    {
        const auto* next = static_cast<const EditCommand*>(other);
        if (next->m_mergeKey != m_mergeKey) {
            return false;
        }
        m_after = next->m_after;
        setText(next->text());
        setObsolete(m_after == m_before);
        return true;
    }

private:
    TuningSession* m_session;
    ThresholdSet m_before;
    ThresholdSet m_after;
    QString m_mergeKey;
};

TuningSession::TuningSession(Jobs* jobs, QString draftFile, QObject* parent)
    : QObject(parent)
    , m_jobs(jobs)
    , m_draftFile(std::move(draftFile))
{
    m_chartTimer.setSingleShot(true);
    m_chartTimer.setInterval(chartPauseMs);
    connect(&m_chartTimer, &QTimer::timeout, this, &TuningSession::makeCharts);
    m_saveTimer.setSingleShot(true);
    m_saveTimer.setInterval(savePauseMs);
    connect(&m_saveTimer, &QTimer::timeout, this, &TuningSession::saveDraft);
}

TuningSession::~TuningSession() = default;

void TuningSession::setData(std::shared_ptr<const Classifier> classifier, ops::TuningData data)
{
    const bool sameModel =
        m_classifier != nullptr && m_classifier->model().hash() == classifier->model().hash();
    m_classifier = std::move(classifier);
    const std::size_t labels = m_classifier->model().labels().size();
    m_data = std::make_shared<const ops::TuningData>(std::move(data));
    m_rows = std::make_shared<ops::TuningRows>(recordedRows(m_data->rows), labels);
    m_reliability = ops::reliability(m_data->rows);
    m_heatMap = ops::heatMap(m_data->rows);
    m_suggested.clear();
    if (!sameModel) {
        m_undo.clear();
        m_draft = m_classifier->model().defaultThresholds();
        m_draft.number = 0;
        m_draft.model = m_classifier->model().hash();
        m_traffic.reset();
        m_trafficRows.reset();
        m_trafficFigures.reset();
        m_live = m_draft;
        m_hasLive = false;
    }
    m_compiledLive.reset();
    Q_EMIT dataChanged();
    recompute();
    makeCharts();
}

void TuningSession::setTraffic(std::optional<ops::RecordedTraffic> traffic)
{
    m_trafficFigures.reset();
    m_trafficRows.reset();
    m_traffic =
        traffic ? std::make_shared<const ops::RecordedTraffic>(std::move(*traffic)) : nullptr;
    if (m_traffic != nullptr && !m_traffic->recorded.empty()) {
        m_trafficRows = std::make_shared<ops::TuningRows>(
            m_traffic->recorded, m_classifier->model().labels().size());
    }
    m_compiledLive.reset();
    Q_EMIT dataChanged();
    recompute();
    makeCharts();
}

void TuningSession::edit(const ThresholdSet& set, const QString& what, const QString& mergeKey)
{
    if (!hasData() || set == m_draft) {
        return;
    }
    if (const auto compiled = m_classifier->compile(set); !compiled) {
        Q_EMIT refused(QString::fromStdString(compiled.error().text()));
        return;
    }
    m_undo.push(new EditCommand(this, set, what, mergeKey));
}

void TuningSession::setGlobal(double threshold)
{
    ThresholdSet set = m_draft;
    set.global = threshold;
    edit(set, tr("global threshold"), QStringLiteral("global"));
}

void TuningSession::setDraft(const ThresholdSet& set)
{
    m_draft = set;
    m_saveTimer.start();
    recompute();
}

void TuningSession::setLive(const std::optional<ThresholdSet>& live)
{
    if (!hasData()) {
        return;
    }
    ThresholdSet set = live ? *live : m_classifier->model().defaultThresholds();
    if (m_hasLive == live.has_value() && set == m_live && m_compiledLive != nullptr) {
        return;
    }
    m_live = std::move(set);
    m_hasLive = live.has_value();
    m_compiledLive.reset();
    recompute();
}

void TuningSession::recompute()
{
    const auto compiled = m_classifier->compile(m_draft);
    if (!compiled) {
        Q_EMIT refused(QString::fromStdString(compiled.error().text()));
        return;
    }
    m_compiled = *compiled;
    if (m_compiledLive == nullptr) {
        // A live set of another model can't judge these rows: the model's own stands in for it.
        const auto live = m_classifier->compile(m_live);
        m_compiledLive =
            live ? *live : *m_classifier->compile(m_classifier->model().defaultThresholds());
        for (std::shared_ptr<ops::TuningRows>* rows : {&m_rows, &m_trafficRows}) {
            if (*rows != nullptr) {
                if (rows->use_count() > 1) { // a job reads them
                    *rows = std::make_shared<ops::TuningRows>(**rows);
                }
                (*rows)->setLive(*m_compiledLive);
            }
        }
    }
    QElapsedTimer timer;
    timer.start();
    m_figures = m_rows->judge(*m_compiled);
    if (m_trafficRows != nullptr) {
        m_trafficFigures = m_trafficRows->judge(*m_compiled);
    }
    m_milliseconds = double(timer.nsecsElapsed()) / 1e6;
    m_chartTimer.start();
    Q_EMIT figuresChanged();
}

std::optional<ops::ShareEstimate> TuningSession::trafficOutOfScope() const
{
    if (!m_trafficFigures) {
        return std::nullopt;
    }
    const Outcome& traffic = m_trafficFigures->outcome;
    return ops::outOfScopeShare(
        m_figures.outcome, std::int64_t(traffic.accepted), std::int64_t(m_trafficRows->size()));
}

namespace {

TuningCharts chartsFrom(const ops::TuningData& data, const ops::TuningRows& rows,
    const ops::TuningRows* traffic, std::size_t labels, const CompiledThresholds& draft,
    const CompiledThresholds& live)
{
    TuningCharts charts;
    charts.sweep = sweep(judgedRows(data.rows, draft));
    charts.area = areaUnderRiskCoverage(charts.sweep);
    // Each point is a row or more: a step of rows is a step of coverage.
    const std::vector<SweepPoint>& points = charts.sweep.points;
    const std::size_t step = points.size() / TuningCharts::mostDrawn + 1;
    for (std::size_t index = 0; index < points.size(); index += step) {
        charts.curve.push_back(points[index]);
    }
    charts.curve.push_back(points.back());
    charts.confusion = ops::confusion(data.rows, draft, labels);
    charts.flips = rows.flips(draft, live, TuningCharts::mostFlips);
    if (traffic != nullptr) {
        charts.trafficFlips = traffic->flips(draft, live, TuningCharts::mostFlips);
    }
    return charts;
}

} // namespace

void TuningSession::makeCharts()
{
    m_chartTimer.stop();
    const std::size_t labels = m_classifier->model().labels().size();
    const std::size_t size =
        m_rows->size() + (m_trafficRows == nullptr ? 0 : m_trafficRows->size());
    const auto work = [data = m_data, rows = m_rows, traffic = m_trafficRows, labels,
                          draft = m_compiled, live = m_compiledLive] {
        return chartsFrom(*data, *rows, traffic.get(), labels, *draft, *live);
    };
    if (size <= inlineRows) {
        m_charts = work();
        Q_EMIT chartsChanged();
        return;
    }
    if (m_drawing) {
        m_chartTimer.start(); // one at a time, or they would take the processor from the slider
        return;
    }
    m_drawing = true;
    m_jobs->start<TuningCharts>(
        tr("Drawing thresholds"), QString(),
        [work](JobControl&) -> Result<TuningCharts> { return work(); }, this,
        [this, data = m_data, traffic = m_traffic](Result<TuningCharts> charts) {
            m_drawing = false;
            if (charts && data == m_data && traffic == m_traffic) { // not of rows that are gone
                m_charts = std::move(*charts);
                Q_EMIT chartsChanged();
            }
        });
}

std::optional<ThresholdSet> TuningSession::leftBehind() const
{
    if (m_draftFile.isEmpty() || !hasData()) {
        return std::nullopt;
    }
    const auto text = readFile(m_draftFile.toStdString());
    if (!text) {
        return std::nullopt; // none was left
    }
    auto set = ThresholdSet::fromJson(*text, m_draftFile.toStdString());
    if (!set || set->model != m_classifier->model().hash()
        || set->contentHash() == m_draft.contentHash()) {
        return std::nullopt;
    }
    return std::move(*set);
}

void TuningSession::discardLeftBehind()
{
    m_saveTimer.stop();
    QFile::remove(m_draftFile);
}

void TuningSession::saveDraft()
{
    if (m_draftFile.isEmpty()) {
        return;
    }
    m_jobs->start<bool>(
        tr("Saving the draft"), QStringLiteral("thresholds-draft"),
        [file = m_draftFile.toStdString(), text = m_draft.toJson()](JobControl&) -> Result<bool> {
            const std::filesystem::path path(file);
            if (auto folder = ensureWritableFolder(path.parent_path()); !folder) {
                return folder.error();
            }
            if (auto written = writeFileAtomically(path, text + "\n"); !written) {
                return written.error();
            }
            return true;
        },
        this,
        [this](const Result<bool>& saved) {
            if (saved) {
                Q_EMIT draftSaved(QDateTime::currentDateTimeUtc());
            } else {
                Q_EMIT refused(tr("The draft could not be kept: %1")
                                   .arg(QString::fromStdString(saved.error().text())));
            }
        });
}

namespace {

/// Where a certificate's thresholds come from: recorded traffic where there is enough of it, else
/// the validation rows. Never the calibration rows.
Result<void> addGrid(CertifyRequest& request, const ops::TuningData& data,
    const ops::RecordedTraffic* traffic, const CompiledThresholds& draft, OwnThresholds own)
{
    constexpr std::size_t enough = 200;
    if (traffic != nullptr && traffic->recorded.size() >= enough) {
        request.gridOrigin = GridOrigin::Traffic;
        request.gridScores = gridScores(judgedRows(traffic->scored(), draft, own));
        return {};
    }
    if (data.validation.empty()) {
        return inputError("the thresholds to test must come from elsewhere than the rows that "
                          "certify: load recorded traffic (200 queries at least), or data with a "
                          "validation part");
    }
    request.gridOrigin = GridOrigin::Validation;
    request.gridScores = gridScores(judgedRows(data.validation, draft, own));
    return {};
}

Result<Guarantee> guaranteeOf(const TuningSession::ClaimRequest& asked, const Model& model,
    const ops::TuningData& data, const ops::RecordedTraffic* traffic,
    const CompiledThresholds& draft)
{
    const bool marginal = asked.claim == ClaimKind::Marginal;
    const OwnThresholds own = marginal ? OwnThresholds::Keep : OwnThresholds::Replace;
    Guarantee guarantee;
    guarantee.claim = asked.claim;
    CertifyRequest& request = guarantee.request;
    request.alpha = asked.alpha;
    request.delta = asked.delta;
    request.outOfScopeShare = asked.outOfScopeShare;
    request.declaredHeldOut = asked.declaredHeldOut;
    request.provenance = {model.hash(), data.calibrationHash(), {},
        QDateTime::currentDateTimeUtc().toString(Qt::ISODate).toStdString()};
    if (auto grid = addGrid(request, data, traffic, draft, own); !grid) {
        return grid.error();
    }
    const auto rows = judgedRows(data.calibration(), draft, own);
    if (marginal) {
        auto found = certify(rows, request);
        if (!found) {
            return found.error();
        }
        if (found->certificate && asked.outOfScopeShare) {
            guarantee.mostOutOfScope =
                ops::stratifiedBounds(rows, found->certificate->threshold, asked.delta)
                    .mostOutOfScope(asked.alpha);
        }
        guarantee.found.push_back({"all queries", true, std::move(*found)});
        return guarantee;
    }
    std::vector<IntentGroup> groups = asked.groups;
    for (std::size_t label = 0; asked.groups.empty() && label < model.labels().size(); ++label) {
        groups.push_back({model.labels()[label], {int(label)}});
    }
    auto found = certifyGroups(rows, groups, model.labels(), asked.claim, request);
    if (!found) {
        return found.error();
    }
    guarantee.found = std::move(*found);
    return guarantee;
}

} // namespace

void TuningSession::certify(
    const ClaimRequest& request, std::function<void(Result<Guarantee>)> answered)
{
    if (request.claim == ClaimKind::Marginal && !m_suggested.empty()
        && m_draft.perIntent == m_suggested) {
        answered(refusedError("these rows chose the thresholds by intent: they can't certify them "
                              "as well. Open other labelled rows, or undo the suggestion"));
        return;
    }
    m_jobs->start<Guarantee>(
        tr("Testing thresholds"), QStringLiteral("thresholds-certify"),
        [request, classifier = m_classifier, data = m_data, traffic = m_traffic,
            draft = m_compiled](JobControl&) {
            return guaranteeOf(request, classifier->model(), *data, traffic.get(), *draft);
        },
        this, std::move(answered));
}

void TuningSession::suggest(bool declaredHeldOut, std::function<void(Result<Suggestion>)> answered)
{
    m_jobs->start<Suggestion>(
        tr("Looking for thresholds by intent"), QStringLiteral("thresholds-suggest"),
        [data = m_data, draft = m_compiled, declaredHeldOut, costs = costs](JobControl&) {
            const auto rows = judgedRows(data->calibration(), *draft, OwnThresholds::Replace);
            return suggestPerIntent(rows, SuggestRequest{costs, 1, declaredHeldOut});
        },
        this, std::move(answered));
}

void TuningSession::take(const Suggestion& suggestion)
{
    ThresholdSet set = m_draft;
    set.global = suggestion.global;
    set.perIntent.clear();
    for (const auto& [label, threshold] : suggestion.perIntent) {
        set.perIntent[m_classifier->model().labels()[std::size_t(label)]] = threshold;
    }
    m_suggested = set.perIntent;
    edit(set, tr("suggested thresholds"));
}

void TuningSession::take(Guarantee& guarantee)
{
    std::vector<Certificate> certificates;
    for (const GroupCertification& one : guarantee.found) {
        if (one.certification.certificate) {
            certificates.push_back(*one.certification.certificate);
        }
    }
    const ThresholdSet set = certifiedSet(m_draft, certificates);
    auto next = certificates.begin();
    for (GroupCertification& one : guarantee.found) {
        if (one.certification.certificate) {
            one.certification.certificate = *next++;
        }
    }
    edit(set, tr("certified threshold"));
}

} // namespace sluice::ui

#pragma once

#include "engine/classification/classifier.h"
#include "engine/classification/thresholds/certification.h"
#include "engine/operations/thresholds/recordedtraffic.h"
#include "engine/operations/thresholds/tuningdata.h"
#include "engine/operations/thresholds/tuningrows.h"
#include "engine/operations/thresholds/tuningviews.h"

#include <QTimer>
#include <QUndoStack>
#include <map>
#include <memory>
#include <optional>

namespace sluice::ui {

class Jobs;

/// What the charts show beside the slider's own numbers: made anew a moment after an edit, in a job
/// where the rows are many.
struct TuningCharts
{
    Sweep sweep; ///< after margin and the intents' own thresholds
    std::vector<SweepPoint> curve; ///< some of its points, enough to draw
    double area = 0; ///< under its risk-coverage curve
    static constexpr std::size_t mostDrawn = 1000;
    ops::Confusion confusion;
    std::vector<ops::Flip> flips; ///< labelled rows
    std::vector<ops::Flip> trafficFlips;
    static constexpr std::size_t mostFlips = 5000;
};

/// A certificate, or what it lacks, by claim: the thresholds asked for and what came of it.
struct Guarantee
{
    CertifyRequest request;
    ClaimKind claim = ClaimKind::Marginal;
    std::vector<GroupCertification> found; ///< one, named "all queries", of a marginal claim
    std::optional<double> mostOutOfScope; ///< of a marginal claim with a share: it holds up to this
};

/// The draft of a threshold set, the rows that judge it, and what follows from both. Every edit can
/// be undone, and the draft is kept in a file, so that it outlives a crash.
class TuningSession : public QObject
{
    Q_OBJECT

public:
    /// `draftFile` empty: not kept.
    TuningSession(Jobs* jobs, QString draftFile, QObject* parent = nullptr);
    ~TuningSession() override;

    bool hasData() const { return m_data != nullptr; }
    const ops::TuningData& data() const { return *m_data; }
    const Classifier& classifier() const { return *m_classifier; }
    /// Takes scored rows; the draft begins anew from the model's own thresholds when the model is
    /// another one.
    void setData(std::shared_ptr<const Classifier> classifier, ops::TuningData data);
    void setTraffic(std::optional<ops::RecordedTraffic> traffic);
    const ops::RecordedTraffic* traffic() const { return m_traffic.get(); }
    const ops::TuningRows& labelledRows() const { return *m_rows; }

    // The draft.
    const ThresholdSet& draft() const { return m_draft; }
    QUndoStack* undoStack() { return &m_undo; }
    /// Edits that follow each other with the same `mergeKey` are one step to undo; empty: never.
    /// A set that the model can't use is refused with refused().
    void edit(const ThresholdSet& set, const QString& what, const QString& mergeKey = {});
    void setGlobal(double threshold);
    /// A draft left by an earlier run for this model: what was being worked on.
    std::optional<ThresholdSet> leftBehind() const;
    void discardLeftBehind();

    // The set to compare with: what the chosen pool serves.
    void setLive(const std::optional<ThresholdSet>& live); ///< none: the model's own
    const ThresholdSet& live() const { return m_live; }
    bool hasLive() const { return m_hasLive; }

    // What follows.
    const ops::TuningFigures& figures() const { return m_figures; }
    const ops::TuningFigures* trafficFigures() const
    {
        return m_trafficFigures ? &*m_trafficFigures : nullptr;
    }
    const TuningCharts& charts() const { return m_charts; }
    const ops::Reliability& reliability() const { return m_reliability; }
    const ops::HeatMap& heatMap() const { return m_heatMap; }
    double lastMilliseconds() const { return m_milliseconds; } ///< of the last recomputation
    std::optional<ops::ShareEstimate> trafficOutOfScope() const;

    Costs costs;

    // Claims. Each answers once, unless superseded; run as jobs.
    struct ClaimRequest
    {
        double alpha = 0.05;
        double delta = 0.10;
        std::optional<double> outOfScopeShare;
        ClaimKind claim = ClaimKind::Marginal;
        std::vector<IntentGroup> groups; ///< empty: each intent
        bool declaredHeldOut = false;
    };
    void certify(const ClaimRequest& request, std::function<void(Result<Guarantee>)> answered);
    void suggest(bool declaredHeldOut, std::function<void(Result<Suggestion>)> answered);
    /// Takes a suggestion into the draft; the same rows can't certify it any more.
    void take(const Suggestion& suggestion);
    /// Takes the certified thresholds; the certificates get the draft's hash.
    void take(Guarantee& guarantee);

Q_SIGNALS:
    void dataChanged(); ///< rows, labels, traffic
    void figuresChanged(); ///< draft, live set, or what follows
    void chartsChanged();
    void refused(const QString& reason);
    void draftSaved(const QDateTime& at);

private:
    friend class EditCommand;
    void setDraft(const ThresholdSet& set);
    void recompute();
    void makeCharts();
    void saveDraft();

    Jobs* m_jobs;
    QString m_draftFile;
    std::shared_ptr<const Classifier> m_classifier;
    std::shared_ptr<const ops::TuningData> m_data;
    std::shared_ptr<ops::TuningRows> m_rows;
    std::shared_ptr<const ops::RecordedTraffic> m_traffic;
    std::shared_ptr<ops::TuningRows> m_trafficRows;
    ThresholdSet m_draft;
    ThresholdSet m_live;
    bool m_hasLive = false;
    std::shared_ptr<const CompiledThresholds> m_compiled;
    std::shared_ptr<const CompiledThresholds> m_compiledLive;
    std::map<std::string, double> m_suggested; ///< thresholds by intent that the rows chose
    QUndoStack m_undo;
    ops::TuningFigures m_figures;
    std::optional<ops::TuningFigures> m_trafficFigures;
    TuningCharts m_charts;
    ops::Reliability m_reliability;
    ops::HeatMap m_heatMap;
    double m_milliseconds = 0;
    QTimer m_chartTimer;
    bool m_drawing = false; ///< a job makes charts; a later edit waits for it
    QTimer m_saveTimer;
};

} // namespace sluice::ui

#include "engine/operations/thresholds/tuningrows.h"

#include <algorithm>

namespace sluice::ops {

namespace {

std::vector<RecordedRow> outOfScopeOf(std::span<const RecordedRow> rows)
{
    std::vector<RecordedRow> found;
    std::copy_if(rows.begin(), rows.end(), std::back_inserter(found),
        [](const RecordedRow& row) { return row.label == RecordedRow::outOfScope; });
    return found;
}

Flip::Effect effectOf(const RecordedRow& row, Verdict before, Verdict after)
{
    if (row.label == RecordedRow::unlabelled) {
        return Flip::Effect::Unlabelled;
    }
    const bool was = before == Verdict::Accept;
    const bool is = after == Verdict::Accept;
    if (was == is) {
        return Flip::Effect::Neutral;
    }
    const bool right = row.label >= 0 && row.label == row.predicted;
    return right == is ? Flip::Effect::Better : Flip::Effect::Worse;
}

} // namespace

TuningRows::TuningRows(std::vector<RecordedRow> rows, std::size_t labels)
    : m_rows(std::move(rows))
    , m_all(m_rows, labels)
    , m_outOfScope(outOfScopeOf(m_rows), labels)
    , m_base(labels)
    , m_labelledOutOfScope(m_outOfScope.size())
{
    // Until setLive(): any set, as judging needs one to compare with.
    setLive(*CompiledThresholds::compile(ThresholdSet(), {}, {}));
    for (const RecordedRow& row : m_rows) {
        if (row.label >= 0 && std::size_t(row.label) < labels) {
            ++m_base[std::size_t(row.label)].support;
            ++m_inScope;
        }
        if (row.predicted >= 0 && std::size_t(row.predicted) < labels) {
            ++m_base[std::size_t(row.predicted)].candidates;
        }
    }
}

void TuningRows::setLive(const CompiledThresholds& live)
{
    m_live = m_all.verdicts(live);
    m_liveOutOfScope = m_outOfScope.verdicts(live);
}

TuningFigures TuningRows::judge(const CompiledThresholds& thresholds) const
{
    TuningFigures figures;
    figures.replay = m_all.replay(thresholds, m_live);
    figures.intents = m_base;
    Outcome& outcome = figures.outcome;
    for (std::size_t label = 0; label < m_base.size(); ++label) {
        const Replay::Intent& intent = figures.replay.intents[label];
        figures.intents[label].accepted = intent.accepted;
        figures.intents[label].right = intent.truePositives;
        figures.intents[label].wrong = intent.falsePositives;
        outcome.acceptedRight += intent.truePositives;
    }
    const Replay outside = m_outOfScope.replay(thresholds, m_liveOutOfScope);
    outcome.inScope = m_inScope;
    outcome.outOfScope = m_labelledOutOfScope;
    outcome.accepted = figures.replay.count(Verdict::Accept);
    outcome.acceptedOutOfScope = outside.count(Verdict::Accept);
    outcome.clarified = figures.replay.count(Verdict::Clarify);
    outcome.fallback = figures.replay.count(Verdict::Fallback);
    outcome.rejectedOutOfScope = outcome.outOfScope - outcome.acceptedOutOfScope;
    return figures;
}

Verdict TuningRows::verdict(std::uint32_t row, const CompiledThresholds& thresholds) const
{
    const RecordedRow& one = m_rows[row];
    const std::array<Candidate, 2> candidates{
        Candidate{one.predicted, one.first}, Candidate{-1, one.second}};
    const std::size_t count = one.predicted < 0 && one.first <= 0 ? 0 : 2;
    return thresholds.verdict({candidates.data(), count}, one.context);
}

std::vector<Flip> TuningRows::flips(
    const CompiledThresholds& thresholds, const CompiledThresholds& live, std::size_t most) const
{
    std::vector<Flip> found;
    for (const std::uint32_t row : m_all.flipped(thresholds, m_live, most)) {
        const Verdict before = verdict(row, live);
        const Verdict after = verdict(row, thresholds);
        found.push_back({row, before, after, effectOf(m_rows[row], before, after)});
    }
    return found;
}

} // namespace sluice::ops

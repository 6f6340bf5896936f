#include "engine/classification/thresholds/recordedrows.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <tuple>

namespace sluice {

namespace {

// One byte says all of a row that is counted: truth, the live set's verdict, this set's verdict,
// in base 3. The rows of a run are coded by a loop that the compiler turns into vector
// instructions, and the codes counted in a second one.
constexpr std::uint8_t verdictCount = 3;
constexpr std::uint8_t liveUnit = verdictCount;
constexpr std::uint8_t truthUnit = liveUnit * verdictCount;
constexpr std::size_t codes = std::size_t(truthUnit) * 3;
constexpr std::uint8_t wrong = 1;
constexpr std::uint8_t right = 2;
constexpr std::size_t chunk = 4096;

using Histogram = std::array<std::uint32_t, codes>;

/// The smallest float at or above `value`: a float is at least the one where it is at least the
/// other.
float notBelow(double value)
{
    const auto near = float(value);
    return double(near) < value ? std::nextafter(near, std::numeric_limits<float>::infinity())
                                : near;
}

void count(const std::uint8_t* code, std::size_t size, Histogram& histogram)
{
    // Four counters a code, or each increment would wait for the last one of the same code.
    std::array<Histogram, 4> lanes{};
    std::size_t index = 0;
    for (; index + 4 <= size; index += 4) {
        for (std::size_t lane = 0; lane < 4; ++lane) {
            ++lanes[lane][code[index + lane]];
        }
    }
    for (; index < size; ++index) {
        ++lanes[0][code[index]];
    }
    for (const Histogram& lane : lanes) {
        for (std::size_t at = 0; at < codes; ++at) {
            histogram[at] += lane[at];
        }
    }
}

} // namespace

std::uint32_t Replay::count(Verdict verdict) const
{
    std::uint32_t sum = 0;
    for (const auto& from : flips) {
        sum += from[std::size_t(verdict)];
    }
    return sum;
}

std::uint32_t Replay::flipped() const
{
    std::uint32_t sum = 0;
    for (std::size_t from = 0; from < flips.size(); ++from) {
        for (std::size_t to = 0; to < flips.size(); ++to) {
            sum += from == to ? 0U : flips[from][to];
        }
    }
    return sum;
}

namespace {

/// Where a row stands: rows of one first candidate in one context together, by time within.
struct Place
{
    std::int32_t predicted;
    bool followUp;
    int failures;
    std::optional<std::chrono::sys_seconds> at;
    std::uint32_t row;

    bool operator<(const Place& other) const
    {
        return std::tie(predicted, followUp, failures, at, row)
            < std::tie(other.predicted, other.followUp, other.failures, other.at, other.row);
    }
    bool sameRun(const Place& other) const
    {
        return predicted == other.predicted && followUp == other.followUp
            && failures == other.failures && at.has_value() == other.at.has_value();
    }
};

} // namespace

RecordedRows::RecordedRows(std::span<const RecordedRow> rows, std::size_t labels)
    : m_support(labels, 0)
{
    const auto known = [labels](std::int32_t label) {
        return label >= 0 && std::size_t(label) < labels;
    };
    std::vector<Place> places;
    places.reserve(rows.size());
    for (const RecordedRow& row : rows) {
        const DecisionContext& context = row.context;
        places.push_back({known(row.predicted) ? row.predicted : -1, context.followUp,
            context.failuresInARow, context.at, std::uint32_t(places.size())});
    }
    std::sort(places.begin(), places.end());
    const bool timed = std::any_of(
        places.begin(), places.end(), [](const Place& place) { return place.at.has_value(); });
    for (std::size_t index = 0; index < places.size(); ++index) {
        const Place& place = places[index];
        const RecordedRow& row = rows[place.row];
        if (index == 0 || !place.sameRun(places[index - 1])) {
            m_runs.push_back({std::uint32_t(index), 0, place.predicted,
                {place.followUp, place.failures, {}}, place.at.has_value()});
        }
        m_runs.back().end = std::uint32_t(index + 1);
        m_row.push_back(place.row);
        m_first.push_back(row.first);
        m_margin.push_back(row.first - row.second);
        if (timed) {
            m_at.push_back(place.at.value_or(std::chrono::sys_seconds()));
        }
        const bool labelled = known(row.label) || row.label == RecordedRow::outOfScope;
        const bool isRight = known(row.label) && row.label == place.predicted;
        m_truth.push_back(isRight ? right : labelled ? wrong : std::uint8_t(0));
        if (known(row.label)) {
            ++m_support[std::size_t(row.label)];
        }
    }
}

RecordedRows::Cuts RecordedRows::cutsOf(
    const CompiledThresholds& thresholds, std::int32_t predicted, const DecisionContext& context)
{
    constexpr float above = std::numeric_limits<float>::infinity();
    if (predicted < 0) {
        return {above, above, above};
    }
    const ThresholdSet& set = thresholds.set();
    const double threshold = thresholds.threshold(predicted, context);
    const bool failed =
        set.failuresBeforeClarify > 0 && context.failuresInARow >= set.failuresBeforeClarify;
    return {notBelow(threshold), failed ? -above : notBelow(threshold - set.clarifyBand),
        notBelow(set.margin)};
}

template <typename Each>
void RecordedRows::forEachStretch(const CompiledThresholds& thresholds, const Each& each) const
{
    for (const Run& run : m_runs) {
        DecisionContext context = run.context;
        std::uint32_t begin = run.begin;
        while (begin < run.end) {
            std::uint32_t end = run.end;
            if (run.timed) {
                context.at = m_at[begin];
                const auto until = thresholds.timeHoldsUntil(m_at[begin]);
                end = std::uint32_t(
                    std::lower_bound(m_at.begin() + begin, m_at.begin() + run.end, until)
                    - m_at.begin());
            }
            each(run, cutsOf(thresholds, run.predicted, context), begin, end);
            begin = end;
        }
    }
}

template <typename Each>
void RecordedRows::judge(
    const CompiledThresholds& thresholds, const Verdicts& before, const Each& each) const
{
    std::array<std::uint8_t, chunk> codesOf;
    forEachStretch(
        thresholds, [&](const Run& run, const Cuts& cuts, std::uint32_t begin, std::uint32_t end) {
            for (std::size_t start = begin; start < end; start += chunk) {
                const std::size_t size = std::min<std::size_t>(chunk, end - start);
                const float* first = m_first.data() + start;
                const float* margin = m_margin.data() + start;
                const std::uint8_t* base = before.data() + start;
                std::uint8_t* code = codesOf.data();
                for (std::size_t index = 0; index < size; ++index) {
                    const int reached = int(first[index] >= cuts.clarify);
                    const int accepted =
                        int(first[index] >= cuts.accept) & int(margin[index] >= cuts.margin);
                    code[index] = std::uint8_t(base[index] + 2 - reached - accepted);
                }
                each(run, start, std::span<const std::uint8_t>(code, size));
            }
        });
}

RecordedRows::Verdicts RecordedRows::verdicts(const CompiledThresholds& thresholds) const
{
    Verdicts result(size());
    const Verdicts nothing(size(), 0);
    judge(thresholds, nothing,
        [&](const Run&, std::size_t start, std::span<const std::uint8_t> verdict) {
            for (std::size_t index = 0; index < verdict.size(); ++index) {
                result[start + index] =
                    std::uint8_t(verdict[index] * liveUnit + m_truth[start + index] * truthUnit);
            }
        });
    return result;
}

Replay RecordedRows::replay(const CompiledThresholds& thresholds, const Verdicts& live) const
{
    static_assert(
        int(Verdict::Accept) == 0 && int(Verdict::Clarify) == 1 && int(Verdict::Fallback) == 2);
    Replay replay;
    replay.intents.resize(m_support.size());
    judge(thresholds, live, [&](const Run& run, std::size_t, std::span<const std::uint8_t> code) {
        Histogram histogram{};
        count(code.data(), code.size(), histogram);
        for (std::size_t at = 0; at < codes; ++at) {
            const std::uint32_t rows = histogram[at];
            const std::size_t truth = at / truthUnit;
            const std::size_t from = at / liveUnit % verdictCount;
            const std::size_t to = at % verdictCount;
            replay.flips[from][to] += rows;
            if (to == 0 && run.predicted >= 0) {
                Replay::Intent& intent = replay.intents[std::size_t(run.predicted)];
                intent.accepted += rows;
                intent.truePositives += truth == right ? rows : 0;
                intent.falsePositives += truth == wrong ? rows : 0;
            }
            if (truth != 0 && (from == 0) != (to == 0)) {
                ((to == 0) == (truth == right) ? replay.better : replay.worse) += rows;
            }
        }
    });
    for (std::size_t label = 0; label < m_support.size(); ++label) {
        replay.intents[label].falseNegatives =
            m_support[label] - replay.intents[label].truePositives;
    }
    return replay;
}

std::vector<std::uint32_t> RecordedRows::flipped(
    const CompiledThresholds& thresholds, const Verdicts& live, std::size_t most) const
{
    std::vector<std::uint32_t> rows;
    judge(thresholds, live, [&](const Run&, std::size_t start, std::span<const std::uint8_t> code) {
        for (std::size_t index = 0; index < code.size(); ++index) {
            if (code[index] / liveUnit % verdictCount != code[index] % verdictCount) {
                rows.push_back(m_row[start + index]);
            }
        }
    });
    const std::size_t kept = std::min(most, rows.size());
    std::partial_sort(rows.begin(), rows.begin() + std::ptrdiff_t(kept), rows.end());
    rows.resize(kept);
    return rows;
}

} // namespace sluice

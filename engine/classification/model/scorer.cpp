#include "engine/classification/model/scorer.h"

#include <algorithm>
#include <cmath>

namespace sluice {

namespace {

/// `unknown`: squared length of what the text has and the model has not. It counts: a text that is
/// mostly unknown makes a short vector, hence modest scores, instead of a few chance hits blown up
/// to full length.
void toUnitLength(std::span<float> values, float weight, float unknown)
{
    float sum = unknown;
    for (const float value : values) {
        sum += value * value;
    }
    if (sum > 0) {
        const float factor = weight / std::sqrt(sum);
        for (float& value : values) {
            value *= factor;
        }
    }
}

} // namespace

const SparseVector& Vectoriser::vectorise(const ModelView& view, std::string_view normalised)
{
    const auto tokens = tokenise(normalised);
    extractNgrams(tokens, m_ngrams);
    m_known.clear();
    float unknownWords = 0;
    float unknownGrams = 0;
    const float unknownSquare = view.highestIdf * view.highestIdf;
    for (const Ngram& ngram : m_ngrams) {
        const std::uint32_t row = view.rowOf(ngram.hash);
        if (row != ModelView::unknown) {
            m_known.emplace_back(row, ngram.word);
        } else {
            (ngram.word ? unknownWords : unknownGrams) += unknownSquare;
        }
    }
    std::size_t seen = 0;
    for (const std::string_view token : tokens) {
        seen += view.rowOf(wordHash(token)) != ModelView::unknown ? 1U : 0U;
    }
    m_vector.unseenShare = tokens.empty() ? 1.0 : 1.0 - double(seen) / double(tokens.size());

    // Words first, equal rows together.
    std::sort(m_known.begin(), m_known.end(), [](const auto& a, const auto& b) {
        return a.second != b.second ? a.second : a.first < b.first;
    });
    m_vector.rows.clear();
    m_vector.values.clear();
    std::size_t words = 0;
    for (std::size_t at = 0; at < m_known.size();) {
        std::size_t end = at;
        while (end < m_known.size() && m_known[end] == m_known[at]) {
            ++end;
        }
        const std::uint32_t row = m_known[at].first;
        const std::size_t count = end - at;
        const float tf = count == 1 ? 1.0F : 1.0F + std::log(float(count));
        m_vector.rows.push_back(row);
        m_vector.values.push_back(tf * view.idf[row]);
        words += m_known[at].second ? 1U : 0U;
        at = end;
    }
    const std::span<float> values(m_vector.values);
    toUnitLength(values.first(words), 1.0F, unknownWords);
    toUnitLength(values.subspan(words), characterGroupWeight, unknownGrams);
    return m_vector;
}

void computeLogits(const ModelView& view, const SparseVector& x, std::vector<float>& logits)
{
    logits.assign(view.bias.begin(), view.bias.end());
    float* const out = logits.data();
    const std::size_t stride = view.stride;
    for (std::size_t index = 0; index < x.rows.size(); ++index) {
        const float value = x.values[index];
        const float* const weights = view.weights.data() + std::size_t(x.rows[index]) * stride;
        for (std::size_t label = 0; label < stride; ++label) {
            out[label] += value * weights[label];
        }
    }
}

LogitFeatures logitFeatures(std::span<const float> logits)
{
    double sum = 0;
    double most = -1e30;
    for (const float z : logits) {
        sum += double(z);
        most = std::max(most, double(z));
    }
    double total = 0;
    double weighted = 0;
    for (const float z : logits) {
        const double shifted = (double(z) - most) / 2.0;
        const double e = std::exp(shifted);
        total += e;
        weighted += e * shifted;
    }
    return {most - sum / double(logits.size()), std::log(total) - weighted / total};
}

double outOfScopeScore(const Calibration& c, const LogitFeatures& features, double unseenShare)
{
    const double z = c.bias + c.maxMinusMean * features.maxMinusMean + c.entropy * features.entropy
        + c.unseenShare * unseenShare;
    return 1.0 / (1.0 + std::exp(-z));
}

Scores scoresOf(std::span<const float> logits, const Calibration& calibration, double unseenShare,
    std::size_t k)
{
    const float most = *std::max_element(logits.begin(), logits.end());
    double total = 0;
    for (const float z : logits) {
        total += std::exp(double(z - most) / calibration.temperature);
    }
    Scores scores;
    scores.unseenShare = unseenShare;
    const double inScope = calibration.hasOutOfScope
        ? 1.0 - outOfScopeScore(calibration, logitFeatures(logits), unseenShare)
        : 1.0;
    scores.top.reserve(k + 1);
    for (std::size_t label = 0; label < logits.size(); ++label) {
        const double z = double(logits[label]);
        if (scores.top.size() == k && z <= scores.top.back().confidence) {
            continue;
        }
        auto place = std::upper_bound(scores.top.begin(), scores.top.end(), z,
            [](double value, const Candidate& candidate) { return value > candidate.confidence; });
        scores.top.insert(place, {int(label), z});
        if (scores.top.size() > k) {
            scores.top.pop_back();
        }
    }
    for (Candidate& candidate : scores.top) {
        candidate.confidence = inScope
            * std::exp((candidate.confidence - double(most)) / calibration.temperature) / total;
    }
    scores.outOfScope = calibration.hasOutOfScope ? 1.0 - inScope
        : scores.top.empty()                      ? 1.0
                                                  : 1.0 - scores.top.front().confidence;
    return scores;
}

} // namespace sluice

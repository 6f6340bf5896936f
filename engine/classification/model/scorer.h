#pragma once

#include "engine/classification/model/model.h"
#include "engine/classification/model/modelfile.h"
#include "engine/classification/text/ngrams.h"

#include <string_view>
#include <vector>

namespace sluice {

/// A text as a sparse vector of rows of a model.
struct SparseVector
{
    std::vector<std::uint32_t> rows;
    std::vector<float> values; ///< (1 + ln tf) x idf, word and character group each at unit length
    double unseenShare = 1.0; ///< share of the words that are no row
};

/// Weights of the two n-gram groups; characters count less than whole words (research on
/// BANKING77: 0.7; no difference on CLINC150).
inline constexpr float characterGroupWeight = 0.7F;

/// Makes sparse vectors; keeps its buffers, so that a query allocates nothing. One a thread.
class Vectoriser
{
public:
    /// `rowOf` maps an n-gram's hash to its row or ModelView::unknown.
    const SparseVector& vectorise(const ModelView& view, std::string_view normalised);

private:
    std::vector<Ngram> m_ngrams;
    std::vector<std::pair<std::uint32_t, bool>> m_known;
    SparseVector m_vector;
};

/// logits = bias + W x: `logits` has view.stride places.
void computeLogits(const ModelView& view, const SparseVector& x, std::vector<float>& logits);

/// What the calibration reads of the logits.
struct LogitFeatures
{
    double maxMinusMean = 0;
    double entropy = 0; ///< softmax at temperature 2, nats
};
LogitFeatures logitFeatures(std::span<const float> logits);

/// The out-of-scope probability of these features; meaningful where calibration.hasOutOfScope.
double outOfScopeScore(
    const Calibration& calibration, const LogitFeatures& features, double unseenShare);

/// The k best candidates with confidences, and the out-of-scope score.
Scores scoresOf(std::span<const float> logits, const Calibration& calibration, double unseenShare,
    std::size_t k);

} // namespace sluice

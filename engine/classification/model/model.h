#pragma once

#include "engine/base/result.h"
#include "engine/classification/evaluation/labelleddata.h"
#include "engine/classification/thresholds/thresholdset.h"

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

struct TrainingProgress
{
    int epoch = 0; ///< from 1
    int epochs = 0;
    double loss = 0.0; ///< mean training cross-entropy of the epoch, nats
    double validationAccuracy = 0.0; ///< 0..1
};

struct TrainingOptions
{
    std::uint64_t seed = 1; ///< same data, options and seed: the same file, bit by bit
    int epochs = 20;
    std::function<void(const TrainingProgress&)> progress; ///< called on the training thread
    const std::atomic<bool>* cancel = nullptr; ///< set to stop; train() returns Cancelled
};

/// An n-gram of the query and what it added to the winner's lead over the mean of all intents
/// (logits).
struct Contribution
{
    std::string ngram; ///< word 1-2-grams as words; character n-grams as "~ref~"
    double weight = 0.0;
};

/// The scores of one query.
struct Scores
{
    std::vector<Candidate>
        top; ///< falling confidence, at most the k asked for; empty: nothing known
    double outOfScope = 1.0; ///< 0..1, calibrated where validation data held out-of-scope rows
    double unseenShare =
        1.0; ///< share of the query's words that the training data did not have, 0..1
};

/// A trained classifier: softmax regression over word and character n-grams (recipe and
/// measurements: docs/ARCHITECTURE.md). Immutable; score() may be called from any thread. The file
/// is versioned, checksummed and memory-mapped.
class Model
{
public:
    Model(Model&&) noexcept;
    Model& operator=(Model&&) noexcept;
    ~Model();

    /// Reads only Split::Train rows (and rows without split); stops early on Split::Validation, or
    /// on a seeded tenth of the training rows where there is none; never reads Split::Test or
    /// Split::Calibration. Out-of-scope rows are no class: they calibrate the out-of-scope score.
    /// Input error when fewer than two intents or an empty training part is left.
    static Result<Model> train(const LabelledData& data, const TrainingOptions& options);

    /// Input error saying whether it is no model, of another format version, truncated, or damaged.
    static Result<Model> load(const std::filesystem::path& file);
    Result<void> save(const std::filesystem::path& file) const;

    const std::vector<std::string>& labels() const; ///< sorted
    const std::string& hash() const; ///< SHA-256 of the file's content, hexadecimal
    const std::string& dataHash() const; ///< SHA-256 over the training rows
    std::size_t bytes() const; ///< size of the file
    /// The threshold set that goes with it until another is published (global: best validation
    /// accuracy).
    const ThresholdSet& defaultThresholds() const;

    /// `normalised` is the output of normalise().
    Scores score(std::string_view normalised, std::size_t k) const;
    /// The n-grams that spoke most for and against `label`, at most `most`, by falling magnitude.
    std::vector<Contribution> explain(
        std::string_view normalised, int label, std::size_t most) const;

private:
    struct Data;
    explicit Model(std::shared_ptr<const Data> data);
    std::shared_ptr<const Data> m_data;
};

} // namespace sluice

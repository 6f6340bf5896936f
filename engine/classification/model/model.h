#pragma once

#include "engine/base/result.h"
#include "engine/classification/evaluation/labelleddata.h"
#include "engine/classification/thresholds/thresholdset.h"

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// Two kinds of model in one file format.
enum class Tier
{
    Fast, ///< n-grams: a few microseconds a query
    Accurate, ///< n-grams, word vectors and CNNs over words: tens of microseconds
};
std::string_view toString(Tier tier); ///< "fast", "accurate"
Result<Tier> tierFromString(std::string_view name);

struct TrainingProgress
{
    std::string_view member; ///< what is trained: "n-grams", "CNN 1" ...
    int epoch = 0; ///< from 1
    int epochs = 0;
    double loss = 0.0; ///< mean training cross-entropy of the epoch, nats
    /// 0..1, of this member; none where no row is held out (the pass over all rows).
    std::optional<double> validationAccuracy;
};

struct TrainingOptions
{
    std::uint64_t seed = 1; ///< same data, options and seed: the same file, bit by bit
    Tier tier = Tier::Fast;
    std::filesystem::path vectors; ///< word vectors for the accurate tier; empty: none
    int threads = 0; ///< 0: as many as the machine has; changes nothing in the result
    int epochs = 0; ///< at most, of each member; 0: as many as suit the size of the data
    int cnns = 5; ///< members of the accurate tier's ensemble, 1 to 32
    /// Called from the training threads, never from two at once.
    std::function<void(const TrainingProgress&)> progress;
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

/// What came before a query, as the model reads it. Views: they must outlive the call.
struct QueryContext
{
    std::string_view lastIntent; ///< predicted for the turn before; empty: none, or not known
    std::string_view intentBefore; ///< for the turn before that
    int turn = 0; ///< number of this turn in its conversation, from 1; 0: there is none
    std::string_view system; ///< what the system said just before, normalised
    std::span<const std::string> acts; ///< what it did: "REQUEST:city"

    bool isEmpty() const;
    /// Equal for contexts that the model can't tell apart; 0 for an empty one.
    std::uint64_t digest() const;
};

/// A text to be scored, as normalise() puts it out, and what came before it.
struct TextInContext
{
    std::string_view text;
    QueryContext context = {};
};

/// A trained classifier (recipe and measurements: docs/ARCHITECTURE.md). The fast tier is a softmax
/// regression over word, character and context n-grams; the accurate tier adds word vectors to it
/// and an ensemble of CNNs over words (Kim 2014, arXiv 1408.5882) trained against adversarial word
/// vectors (Miyato, Dai, Goodfellow 2017, arXiv 1605.07725). Immutable; score() may be called from
/// any thread. The file is versioned, checksummed and memory-mapped.
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
    Tier tier() const;
    bool hasContext() const; ///< it was trained on conversations
    std::size_t bytes() const; ///< size of the file
    /// The threshold set that goes with it until another is published (global: best validation
    /// accuracy).
    const ThresholdSet& defaultThresholds() const;

    /// `normalised` is the output of normalise(). A model trained without conversations passes over
    /// the context.
    Scores score(
        std::string_view normalised, std::size_t k, const QueryContext& context = {}) const;
    /// The same for several texts at once: exactly what each alone gives, in less time (most in the
    /// accurate tier, which reads its weights once for several).
    std::vector<Scores> score(std::span<const TextInContext> texts, std::size_t k) const;
    /// The intent that later turns of a conversation are to know of: the first candidate's, empty
    /// where the query is rather out of scope.
    std::string_view predicted(const Scores& scores) const;
    /// The n-grams of the query that spoke most for and against `label`, at most `most`, by falling
    /// magnitude. In the accurate tier those of its n-gram member alone.
    std::vector<Contribution> explain(std::string_view normalised, int label, std::size_t most,
        const QueryContext& context = {}) const;

private:
    struct Data;
    explicit Model(std::shared_ptr<const Data> data);
    std::shared_ptr<const Data> m_data;
};

} // namespace sluice

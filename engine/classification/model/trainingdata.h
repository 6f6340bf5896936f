#pragma once

#include "engine/classification/evaluation/labelleddata.h"
#include "engine/classification/model/model.h"

#include <cstdint>
#include <optional>
#include <random>
#include <string>
#include <vector>

namespace sluice {

/// A labelled text as training sees it.
struct Example
{
    std::string text; ///< normalised
    int label = -1; ///< -1: out of scope
    bool hasContext = false; ///< a turn of a conversation; then:
    int lastIntent = -1; ///< labels of the turns before, as marked; -1: none
    int intentBefore = -1;
    int turn = 0;
    std::string system; ///< normalised
    std::vector<std::string> acts;
};

/// The rows of a labelled data set by what they are for.
struct TrainingData
{
    std::vector<std::string> labels; ///< sorted
    std::vector<Example> train; ///< in scope
    std::vector<Example> held; ///< for stopping and calibration, with out-of-scope rows
    bool heldIsTrain = false; ///< taken from the training part: there was no validation
    bool hasContext = false;

    /// Reads the train and validation parts alone (see Model::train). A tenth of the training rows
    /// is held out where there is no validation, whole conversations at a time.
    static Result<TrainingData> from(const LabelledData& data, std::mt19937_64& random);

    std::string hash() const; ///< SHA-256 over the training rows
};

/// What of a turn's context an example is shown with: one model is to serve them all.
enum class ContextView
{
    None,
    Intents, ///< and the turn number
    Text, ///< and what the system said
    Acts, ///< and what the system did
    Full, ///< both; for building the vocabulary
};

/// A turn of a conversation is shown with a view drawn anew each time, and with one in ten of its
/// previous intents replaced by a random one, so that the model's own mistakes don't run away.
class ContextDraw
{
public:
    ContextDraw(const TrainingData& data, std::uint64_t seed)
        : m_data(data)
        , m_random(seed)
    { }

    QueryContext draw(const Example& example);
    QueryContext context(const Example& example, ContextView view) const;

private:
    int corrupted(int label);

    const TrainingData& m_data;
    std::mt19937_64 m_random;
};

/// What a trainer makes of the rows: of those without context once, of the others anew in each
/// pass.
template <typename Input> struct TrainingInputs
{
    std::vector<Input> train; ///< empty ones for rows with context
    std::vector<Input> held; ///< of the labelled held rows, each with one view of its context

    /// `make(example, context)` makes an input.
    template <typename Make>
    TrainingInputs(const TrainingData& data, ContextDraw& contexts, Make make)
        : train(data.train.size())
    {
        for (std::size_t row = 0; row < data.train.size(); ++row) {
            if (!data.train[row].hasContext) {
                train[row] = make(data.train[row], QueryContext());
            }
        }
        for (const Example& example : data.held) {
            if (example.label >= 0) {
                held.push_back(make(example, contexts.draw(example)));
                m_labels.push_back(example.label);
            }
        }
    }

    /// Share of the labelled held rows whose label `predict(input)` says; none without such rows.
    template <typename Predict> std::optional<double> accuracy(Predict predict) const
    {
        std::size_t right = 0;
        for (std::size_t row = 0; row < held.size(); ++row) {
            right += predict(held[row]) == m_labels[row] ? 1U : 0U;
        }
        return held.empty() ? std::optional<double>() : double(right) / double(held.size());
    }

private:
    std::vector<int> m_labels;
};

/// std::shuffle's result is the library's business; this one is the same everywhere (Fisher-Yates).
template <typename T> void shuffle(std::vector<T>& items, std::mt19937_64& random)
{
    for (std::size_t at = items.size(); at > 1; --at) {
        std::swap(items[at - 1], items[std::size_t(random() % at)]);
    }
}

/// 0..1, the same everywhere.
inline float uniform(std::mt19937_64& random)
{
    return float(random() >> 40U) * (1.0F / 16777216.0F);
}

} // namespace sluice

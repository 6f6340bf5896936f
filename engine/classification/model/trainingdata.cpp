#include "engine/classification/model/trainingdata.h"

#include "engine/base/sha256.h"
#include "engine/classification/text/normaliser.h"

#include <algorithm>
#include <map>
#include <numeric>

namespace sluice {

namespace {

constexpr float corruptedShare = 0.1F;
/// Of the turns shown: without any context, with the intents before, and with the system's words;
/// the rest with its acts.
constexpr float noneShare = 0.1F;
constexpr float intentsShare = 0.1F;
constexpr float textShare = 0.4F;

using LabelIndex = std::map<std::string, int, std::less<>>;

Example exampleOf(const LabelledQuery& query, const LabelIndex& labels)
{
    const auto found = labels.find(query.intent);
    Example example;
    example.text = normalise(query.text);
    example.label = found == labels.end() ? -1 : found->second;
    example.hasContext = query.dialogue >= 0;
    if (example.hasContext) {
        example.turn = query.turn;
        example.system = normalise(query.system);
        example.acts = query.systemActs;
    }
    return example;
}

/// Every row as an example, the turns of a conversation knowing those before.
std::vector<Example> examplesOf(const LabelledData& data, const LabelIndex& labels)
{
    std::vector<Example> examples;
    examples.reserve(data.queries.size());
    for (std::size_t index = 0; index < data.queries.size(); ++index) {
        Example example = exampleOf(data.queries[index], labels);
        if (example.turn > 1 && index > 0) {
            example.lastIntent = examples[index - 1].label;
            example.intentBefore = example.turn > 2 ? examples[index - 1].lastIntent : -1;
        }
        examples.push_back(std::move(example));
    }
    return examples;
}

bool isTraining(const LabelledQuery& query)
{
    return query.split == Split::Train || query.split == Split::None;
}

/// The groups of rows that stay together: a conversation, or a single query.
std::vector<std::pair<std::size_t, std::size_t>> groupsOf(const std::vector<Example>& rows)
{
    std::vector<std::pair<std::size_t, std::size_t>> groups;
    for (std::size_t index = 0; index < rows.size(); ++index) {
        if (rows[index].turn > 1 && !groups.empty()) {
            groups.back().second = index + 1;
        } else {
            groups.emplace_back(index, index + 1);
        }
    }
    return groups;
}

void holdOutATenth(TrainingData& parts, std::mt19937_64& random)
{
    auto groups = groupsOf(parts.train);
    shuffle(groups, random);
    const std::size_t tenth = parts.train.size() / 10;
    std::vector<Example> kept;
    std::size_t held = 0;
    for (const auto& [begin, end] : groups) {
        auto& part = held < tenth ? parts.held : kept;
        held += held < tenth ? end - begin : 0U;
        std::move(parts.train.begin() + std::ptrdiff_t(begin),
            parts.train.begin() + std::ptrdiff_t(end), std::back_inserter(part));
    }
    parts.train = std::move(kept);
    parts.heldIsTrain = true;
}

} // namespace

Result<TrainingData> TrainingData::from(const LabelledData& data, std::mt19937_64& random)
{
    LabelIndex index;
    for (const LabelledQuery& query : data.queries) {
        if (!query.isOutOfScope() && isTraining(query)) {
            index[query.intent] = 0;
        }
    }
    if (index.size() < 2) {
        return inputError("the training part of the data names " + std::to_string(index.size())
            + " intents; at least two are needed (rows with \"split\":\"train\" or without a "
              "split)");
    }
    TrainingData parts;
    for (auto& [name, number] : index) {
        number = int(parts.labels.size());
        parts.labels.push_back(name);
    }
    std::vector<Example> examples = examplesOf(data, index);
    std::vector<Example> outOfScopeTrain;
    for (std::size_t row = 0; row < examples.size(); ++row) {
        const LabelledQuery& query = data.queries[row];
        Example& example = examples[row];
        if (isTraining(query)) {
            parts.hasContext = parts.hasContext || example.hasContext;
            (example.label < 0 ? outOfScopeTrain : parts.train).push_back(std::move(example));
        } else if (query.split == Split::Validation
            && (example.label >= 0 || query.isOutOfScope())) {
            parts.held.push_back(std::move(example));
        }
    }
    if (std::none_of(
            parts.held.begin(), parts.held.end(), [](const Example& e) { return e.label >= 0; })) {
        holdOutATenth(parts, random);
    }
    std::move(outOfScopeTrain.begin(), outOfScopeTrain.end(), std::back_inserter(parts.held));
    return parts;
}

std::string TrainingData::hash() const
{
    std::string all;
    for (const Example& example : train) {
        all += labels[std::size_t(example.label)] + '\t' + example.text + '\n';
    }
    return sha256Hex(all);
}

int ContextDraw::corrupted(int label)
{
    return label >= 0 && uniform(m_random) < corruptedShare ? int(m_random() % m_data.labels.size())
                                                            : label;
}

QueryContext ContextDraw::draw(const Example& example)
{
    if (!example.hasContext) {
        return {};
    }
    const float view = uniform(m_random);
    if (view < noneShare) {
        return {};
    }
    Example shown;
    shown.lastIntent = corrupted(example.lastIntent);
    shown.intentBefore = corrupted(example.intentBefore);
    shown.turn = example.turn;
    QueryContext context = this->context(shown, ContextView::Intents);
    if (view < noneShare + intentsShare) {
        return context;
    }
    if (view < noneShare + intentsShare + textShare) {
        context.system = example.system;
    } else {
        context.acts = example.acts;
    }
    return context;
}

QueryContext ContextDraw::context(const Example& example, ContextView view) const
{
    QueryContext context;
    if (view == ContextView::None) {
        return context;
    }
    const auto name = [this](int label) {
        return label < 0 ? std::string_view() : std::string_view(m_data.labels[std::size_t(label)]);
    };
    context.lastIntent = name(example.lastIntent);
    context.intentBefore = name(example.intentBefore);
    context.turn = example.turn;
    if (view == ContextView::Text || view == ContextView::Full) {
        context.system = example.system;
    }
    if (view == ContextView::Acts || view == ContextView::Full) {
        context.acts = example.acts;
    }
    return context;
}

} // namespace sluice

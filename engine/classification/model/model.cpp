#include "engine/classification/model/model.h"

#include "engine/base/file.h"
#include "engine/classification/model/modelfile.h"
#include "engine/classification/model/scorer.h"
#include "engine/classification/model/trainer.h"

#include <algorithm>
#include <cmath>
#include <unordered_map>

namespace sluice {

struct Model::Data
{
    std::shared_ptr<const ModelFile> file;
    ThresholdSet thresholds;
};

namespace {

/// Texts that are scored at once: their buffers stay in the second cache.
constexpr std::size_t blockSize = 16;

/// The buffers of one thread's queries.
Scorer& scorer()
{
    thread_local Scorer buffers;
    return buffers;
}

} // namespace

std::string_view toString(Tier tier)
{
    return tier == Tier::Accurate ? "accurate" : "fast";
}

Result<Tier> tierFromString(std::string_view name)
{
    for (const Tier tier : {Tier::Fast, Tier::Accurate}) {
        if (name == toString(tier)) {
            return tier;
        }
    }
    return inputError(
        "there is no tier \"" + std::string(name) + "\": fast or accurate is expected");
}

Model::Model(std::shared_ptr<const Data> data)
    : m_data(std::move(data))
{ }

Model::Model(Model&&) noexcept = default;
Model& Model::operator=(Model&&) noexcept = default;
Model::~Model() = default;

namespace {

ThresholdSet thresholdsOf(const ModelFile& file)
{
    ThresholdSet set;
    set.model = file.hash();
    set.global = file.meta().globalThreshold;
    set.margin = file.meta().margin;
    set.comment = "trained with the model";
    return set;
}

} // namespace

Result<Model> Model::train(const LabelledData& data, const TrainingOptions& options)
{
    auto file = trainModel(data, options);
    if (!file) {
        return file.error();
    }
    auto all = std::make_shared<Data>();
    all->file = std::move(*file);
    all->thresholds = thresholdsOf(*all->file);
    return Model(std::move(all));
}

Result<Model> Model::load(const std::filesystem::path& path)
{
    auto file = ModelFile::map(path);
    if (!file) {
        return file.error();
    }
    auto all = std::make_shared<Data>();
    all->file = std::move(*file);
    all->thresholds = thresholdsOf(*all->file);
    return Model(std::move(all));
}

Result<void> Model::save(const std::filesystem::path& path) const
{
    return writeFileAtomically(path, m_data->file->bytes());
}

const std::vector<std::string>& Model::labels() const
{
    return m_data->file->meta().labels;
}

const std::string& Model::hash() const
{
    return m_data->file->hash();
}

const std::string& Model::dataHash() const
{
    return m_data->file->meta().dataHash;
}

std::size_t Model::bytes() const
{
    return m_data->file->bytes().size();
}

const ThresholdSet& Model::defaultThresholds() const
{
    return m_data->thresholds;
}

Tier Model::tier() const
{
    return m_data->file->meta().tier;
}

bool Model::hasContext() const
{
    return m_data->file->meta().hasContext;
}

Scores Model::score(std::string_view normalised, std::size_t k, const QueryContext& context) const
{
    return scoresOf(
        scorer().score(*m_data->file, normalised, context), m_data->file->meta().calibration, k);
}

std::vector<Scores> Model::score(std::span<const TextInContext> texts, std::size_t k) const
{
    thread_local std::vector<Scorer> scorers(blockSize);
    std::vector<Scores> scores;
    scores.reserve(texts.size());
    for (std::size_t begin = 0; begin < texts.size(); begin += blockSize) {
        const auto block = texts.subspan(begin, std::min(blockSize, texts.size() - begin));
        Scorer::score(*m_data->file, scorers, block);
        for (std::size_t index = 0; index < block.size(); ++index) {
            scores.push_back(
                scoresOf(scorers[index].scores(), m_data->file->meta().calibration, k));
        }
    }
    return scores;
}

std::string_view Model::predicted(const Scores& scores) const
{
    const bool outside = m_data->file->meta().calibration.hasOutOfScope && scores.outOfScope > 0.5;
    return scores.top.empty() || outside
        ? std::string_view()
        : std::string_view(labels()[std::size_t(scores.top.front().label)]);
}

std::vector<Contribution> Model::explain(
    std::string_view normalised, int label, std::size_t most, const QueryContext& context) const
{
    const LinearView& view = m_data->file->view().linear;
    Vectoriser vectoriser;
    const SparseVector& x =
        vectoriser.vectorise(view, normalised, hasContext() ? context : QueryContext());
    std::unordered_map<std::uint32_t, float> values;
    for (std::size_t index = 0; index < x.rows.size(); ++index) {
        values[x.rows[index]] = x.values[index];
    }
    std::vector<Contribution> parts;
    const std::size_t count = labels().size();
    for (const NamedNgram& named : namedNgrams(vectoriser.tokens())) {
        const std::uint32_t row = view.index.find(named.ngram.hash);
        const auto value = values.find(row);
        if (value == values.end()) {
            continue;
        }
        const auto weights = view.weights.subspan(std::size_t(row) * view.stride, count);
        double mean = 0;
        for (const std::int8_t weight : weights) {
            mean += double(weight);
        }
        mean /= double(count);
        parts.push_back({named.text,
            double(value->second) * double(view.scales[row])
                * (double(weights[std::size_t(label)]) - mean)});
        values.erase(value); // counted once, with all its occurrences
    }
    std::sort(parts.begin(), parts.end(), [](const Contribution& a, const Contribution& b) {
        return std::abs(a.weight) > std::abs(b.weight);
    });
    if (parts.size() > most) {
        parts.resize(most);
    }
    return parts;
}

} // namespace sluice

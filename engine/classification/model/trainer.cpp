#include "engine/classification/model/trainer.h"

#include "engine/classification/model/calibration.h"
#include "engine/classification/model/cnntrainer.h"
#include "engine/classification/model/continuation.h"
#include "engine/classification/model/lineartrainer.h"
#include "engine/classification/model/modelmeta.h"
#include "engine/classification/model/scorer.h"
#include "engine/classification/model/trainingdata.h"
#include "engine/classification/model/wordvocabulary.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <fmt/format.h>
#include <mutex>
#include <thread>

namespace sluice {

namespace {

constexpr int linearEpochs = 20;
/// Passes of a CNN over 15,000 rows; fewer rows get more, so that the steps are about the same.
constexpr double cnnSteps = 300000;
constexpr double fewestCnnEpochs = 6;
constexpr double mostCnnEpochs = 40;
constexpr int maxCnns = 32;
/// Views that a held turn is shown with when the continuation is fitted.
constexpr int stayingDraws = 4;
/// From so many turns on, the n-grams learn by themselves what stays (SGD has 130,000: with the
/// continuation 73.7 % of its dialogues came out right, without 74.5 %).
constexpr std::ptrdiff_t enoughTurns = 10000;
/// Weight of the n-grams in the ensemble against a CNN's (CLINC150's validation part: 0.1 to 0.3
/// points over equal weights, whatever the number of CNNs).
constexpr double linearShare = 0.5;
/// Words of a vectors file that are kept though no training text has them.
constexpr std::size_t generalWords = 50000;

struct Epochs
{
    int linear = 0;
    std::vector<int> cnns;
};

/// Everything that the members are trained from.
struct Ground
{
    const TrainingData& data;
    Vocabulary vocabulary;
    HashTable index;
    std::unique_ptr<WordVocabulary> words; ///< accurate tier

    explicit Ground(const TrainingData& from)
        : data(from)
        , vocabulary(Vocabulary::from(from))
        , index(vocabulary.hashes)
    { }
};

/// Trains the members on up to `threads` threads; each is seeded by its own number, so that their
/// number changes nothing.
class Members
{
public:
    Members(const Ground& ground, const TrainingOptions& options)
        : m_ground(ground)
        , m_options(options)
    { }

    /// `wanted`: most passes of each. False: cancelled.
    bool train(const Epochs& wanted, ModelParts& parts, Epochs& done)
    {
        const std::size_t count = wanted.cnns.size() + 1;
        parts.cnns.resize(wanted.cnns.size());
        done.cnns.resize(wanted.cnns.size());
        std::atomic<std::size_t> next = 0;
        std::atomic<bool> stopped = false;
        const auto work = [&] {
            // The CNNs first: they take longest.
            for (std::size_t member = ++next; member <= count && !stopped; member = ++next) {
                int& epochs = member == count ? done.linear : done.cnns[member - 1];
                epochs = member == count
                    ? trainLinear(wanted.linear, parts.linear)
                    : trainCnn(member, wanted.cnns[member - 1], parts.cnns[member - 1]);
                if (epochs == 0) {
                    stopped = true;
                }
            }
        };
        std::vector<std::thread> threads;
        const std::size_t most = m_options.threads > 0
            ? std::size_t(m_options.threads)
            : std::max(1U, std::thread::hardware_concurrency());
        for (std::size_t thread = 1; thread < std::min(most, count); ++thread) {
            threads.emplace_back(work);
        }
        work();
        for (std::thread& thread : threads) {
            thread.join();
        }
        return !stopped;
    }

private:
    TrainingWatch watch(std::string member, int epochs)
    {
        return {[this, member = std::move(member), epochs](
                    int epoch, double loss, std::optional<double> accuracy) {
                    const std::lock_guard lock(m_mutex);
                    if (m_options.progress) {
                        m_options.progress({member, epoch, epochs, loss, accuracy});
                    }
                },
            [this] { return m_options.cancel != nullptr && m_options.cancel->load(); }};
    }

    int trainLinear(int epochs, LinearPart& part)
    {
        LinearTrainer trainer(m_ground.data, m_ground.vocabulary, m_ground.index,
            m_ground.words != nullptr ? &m_ground.words->view() : nullptr);
        const int done = trainer.train(epochs, m_options.seed, watch("n-grams", epochs));
        part = trainer.part();
        return done;
    }

    int trainCnn(std::size_t member, int epochs, CnnPart& part)
    {
        CnnTrainer trainer(m_ground.data, *m_ground.words, m_ground.vocabulary, m_ground.index,
            m_options.seed * 1000 + member);
        const int done = trainer.train(epochs, watch(fmt::format("CNN {}", member), epochs));
        part = trainer.part();
        return done;
    }

    const Ground& m_ground;
    const TrainingOptions& m_options;
    std::mutex m_mutex;
};

Epochs epochsFor(const TrainingData& data, const TrainingOptions& options)
{
    const auto bounded = [&](int epochs) {
        return options.epochs > 0 ? std::min(options.epochs, epochs) : epochs;
    };
    Epochs epochs;
    epochs.linear = bounded(linearEpochs);
    if (options.tier == Tier::Accurate) {
        const double passes = std::clamp(
            std::round(cnnSteps / double(data.train.size())), fewestCnnEpochs, mostCnnEpochs);
        epochs.cnns.assign(std::size_t(std::clamp(options.cnns, 1, maxCnns)), bounded(int(passes)));
    }
    return epochs;
}

Result<std::unique_ptr<WordVocabulary>> wordVocabulary(
    const TrainingData& data, const TrainingOptions& options)
{
    if (options.vectors.empty()) {
        return std::make_unique<WordVocabulary>(data, nullptr, options.seed);
    }
    const std::vector<std::string> words = wordsOf(data);
    auto vectors = readWordVectors(
        options.vectors, {words.begin(), words.end()}, generalWords, options.cancel);
    if (!vectors) {
        return vectors.error();
    }
    postProcess(*vectors);
    return std::make_unique<WordVocabulary>(data, &*vectors, options.seed);
}

ModelMeta metaOf(const Ground& ground, const TrainingOptions& options, const Epochs& epochs)
{
    ModelMeta meta;
    meta.labels = ground.data.labels;
    meta.tier = options.tier;
    meta.seed = options.seed;
    meta.hasContext = ground.data.hasContext;
    meta.epochs = epochs.linear;
    meta.memberScales.assign(1 + epochs.cnns.size(), 1.0);
    meta.wordRows = ground.vocabulary.wordRows;
    meta.pairRows = ground.vocabulary.pairRows;
    meta.contextRows = ground.vocabulary.contextRows;
    if (ground.words != nullptr) {
        meta.tableRows = ground.words->tableRows();
        meta.shape = CnnTrainer::shapeFor(ground.words->dimension());
    }
    return meta;
}

/// One over the deviation of each member's centred logits on the held rows.
Result<void> fitScales(ModelMeta& meta, const ModelParts& parts, const TrainingData& data)
{
    auto file = ModelFile::build(meta, parts);
    if (!file) {
        return file.error();
    }
    Scorer scorer;
    ContextDraw contexts(data, meta.seed);
    std::vector<double> squares(meta.memberScales.size(), 0.0);
    double values = 0;
    for (const Example& example : data.held) {
        if (example.label < 0
            || !scorer.score(**file, example.text, contexts.draw(example)).known) {
            continue;
        }
        for (std::size_t member = 0; member < squares.size(); ++member) {
            for (const float z : scorer.members()[member]) {
                squares[member] += double(z) * double(z);
            }
        }
        values += double(meta.labels.size());
    }
    for (std::size_t member = 0; member < squares.size(); ++member) {
        meta.memberScales[member] =
            squares[member] > 0 ? 1.0 / std::sqrt(squares[member] / values) : 1.0;
    }
    if (meta.memberScales.size() > 1) {
        meta.memberScales.front() *= linearShare;
    }
    return {};
}

/// Fits how much speaks for staying with the last intent, on the held turns of conversations.
Result<void> fitStaying(ModelMeta& meta, const ModelParts& parts, const TrainingData& data)
{
    if (!data.hasContext
        || std::count_if(data.train.begin(), data.train.end(),
               [](const Example& example) { return example.hasContext; })
            >= enoughTurns) {
        return {};
    }
    auto file = ModelFile::build(meta, parts);
    if (!file) {
        return file.error();
    }
    Scorer scorer;
    ContextDraw contexts(data, meta.seed);
    std::vector<ContinuationRow> rows;
    for (const Example& example : data.held) {
        if (example.lastIntent < 0 || example.label < 0) {
            continue;
        }
        for (int draw = 0; draw < stayingDraws; ++draw) {
            const QueryContext context = contexts.draw(example);
            const RawScores& raw = scorer.score(**file, example.text, context);
            if (!raw.known || context.lastIntent.empty()) {
                continue;
            }
            const auto labelOf = [&](std::string_view name) {
                return name.empty()
                    ? -1
                    : int(std::lower_bound(meta.labels.begin(), meta.labels.end(), name)
                        - meta.labels.begin());
            };
            const int last = labelOf(context.lastIntent);
            const int before = labelOf(context.intentBefore);
            rows.push_back(
                {raw.logits, scorer.staying(), last, before == last ? -1 : before, example.label});
        }
    }
    meta.continuation = fitContinuation(rows);
    return {};
}

/// Fits temperature, out-of-scope score and threshold on the held rows, scored by the file as it
/// will be.
Result<void> fitCalibration(ModelMeta& meta, const ModelParts& parts, const TrainingData& data)
{
    auto file = ModelFile::build(meta, parts);
    if (!file) {
        return file.error();
    }
    Scorer scorer;
    ContextDraw contexts(data, meta.seed);
    std::vector<CalibrationRow> rows;
    std::size_t inScope = 0;
    std::size_t right = 0;
    for (const Example& example : data.held) {
        const RawScores& raw = scorer.score(**file, example.text, contexts.draw(example));
        if (raw.known) {
            rows.push_back({raw, example.label});
        }
        inScope += example.label >= 0 ? 1U : 0U;
        right += raw.known && example.label >= 0
                && std::max_element(raw.logits.begin(), raw.logits.end()) - raw.logits.begin()
                    == example.label
            ? 1U
            : 0U;
    }
    meta.calibration = calibrate(rows);
    meta.validationAccuracy = inScope == 0 ? 0.0 : double(right) / double(inScope);
    std::vector<ConfidenceRow> confidences;
    for (const CalibrationRow& row : rows) {
        const Candidate first = scoresOf(row.raw, meta.calibration, 1).top.front();
        confidences.push_back({first.confidence, first.label == row.label, row.label < 0});
    }
    meta.globalThreshold = bestThreshold(std::move(confidences));
    return {};
}

Error stopped()
{
    return cancelledError("training was stopped; no model was written");
}

} // namespace

Result<std::shared_ptr<const ModelFile>> trainModel(
    const LabelledData& labelled, const TrainingOptions& options)
{
    std::mt19937_64 random(options.seed);
    auto data = TrainingData::from(labelled, random);
    if (!data) {
        return data.error();
    }
    const auto prepare = [&](const TrainingData& from) -> Result<std::unique_ptr<Ground>> {
        auto ground = std::make_unique<Ground>(from);
        if (options.tier == Tier::Accurate) {
            auto words = wordVocabulary(from, options);
            if (!words) {
                return words.error();
            }
            ground->words = std::move(*words);
        }
        return ground;
    };
    auto ground = prepare(*data);
    if (!ground) {
        return ground.error();
    }
    ModelParts parts;
    Epochs epochs;
    if (!Members(**ground, options).train(epochsFor(*data, options), parts, epochs)) {
        return stopped();
    }
    if ((*ground)->words != nullptr) {
        parts.words = (*ground)->words->part();
    }
    ModelMeta meta = metaOf(**ground, options, epochs);
    if (auto fitted = fitScales(meta, parts, *data); !fitted) {
        return fitted.error();
    }
    if (auto fitted = fitStaying(meta, parts, *data); !fitted) {
        return fitted.error();
    }
    if (auto fitted = fitCalibration(meta, parts, *data); !fitted) {
        return fitted.error();
    }
    if (data->heldIsTrain) {
        // Nothing is left out in the end: again on all rows, for as many epochs as were good.
        TrainingData whole = *data;
        whole.held.clear();
        std::copy_if(data->held.begin(), data->held.end(), std::back_inserter(whole.train),
            [](const Example& example) { return example.label >= 0; });
        ground = prepare(whole);
        if (!ground) {
            return ground.error();
        }
        ModelParts all;
        Epochs again;
        if (!Members(**ground, options).train(epochs, all, again)) {
            return stopped();
        }
        if ((*ground)->words != nullptr) {
            all.words = (*ground)->words->part();
        }
        ModelMeta wholeMeta = metaOf(**ground, options, epochs);
        wholeMeta.memberScales = meta.memberScales;
        wholeMeta.continuation = meta.continuation;
        wholeMeta.calibration = meta.calibration;
        wholeMeta.globalThreshold = meta.globalThreshold;
        wholeMeta.validationAccuracy = meta.validationAccuracy;
        wholeMeta.dataHash = whole.hash();
        return ModelFile::build(wholeMeta, all);
    }
    meta.dataHash = data->hash();
    return ModelFile::build(meta, parts);
}

} // namespace sluice

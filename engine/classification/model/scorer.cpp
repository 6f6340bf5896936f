#include "engine/classification/model/scorer.h"

#include "engine/classification/model/contextfeatures.h"
#include "engine/classification/model/continuation.h"
#include "engine/classification/model/modelmeta.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>

namespace sluice {

namespace {

constexpr double entropyTemperature = 0.5;
/// Activations are rounded to so many steps; sums of 8192 products stay below 2^31.
constexpr int activationSteps = 2047;

/// Only rows of words and pairs have bits; a dictionary may give a word another one.
bool hasBit(
    std::span<const std::uint8_t> bits, std::size_t row, std::size_t stride, std::size_t label)
{
    const std::size_t byte = row * stride / 8 + label / 8;
    return byte < bits.size() && (bits[byte] >> (label % 8) & 1U) != 0;
}

/// What is read of a row while a text is scored: it comes while the other rows are looked up.
void bringNear(const LinearView& view, std::uint32_t row)
{
    constexpr std::size_t line = 64;
    constexpr std::size_t most = 4 * line;
    __builtin_prefetch(&view.idf[row]);
    if (!view.weights.empty()) {
        __builtin_prefetch(&view.scales[row]);
        const std::int8_t* const weights = &view.weights[row * view.stride];
        for (std::size_t byte = 0; byte < std::min(view.stride, most); byte += line) {
            __builtin_prefetch(weights + byte);
        }
        if (row < view.wordRows + view.pairRows) {
            __builtin_prefetch(&view.classBits[row * view.stride / 8]);
        }
    }
}

void toUnitLength(std::span<float> values)
{
    const float length = std::sqrt(math::dot(values.data(), values.data(), values.size()));
    if (length > 0) {
        for (float& value : values) {
            value /= length;
        }
    }
}

} // namespace

/// `unknown`: squared length, by group, of what the text has and the model has not. It counts: a
/// text that is mostly unknown makes a short vector, hence modest scores, instead of a few chance
/// hits blown up to full length.
void Vectoriser::finish(
    const LinearView& view, std::size_t size, const std::array<float, 4>& unknown)
{
    m_vector.rows.resize(size);
    m_vector.values.resize(size);
    // Pairs of words share the length of the words.
    float words = unknown[std::size_t(NgramGroup::Word)] + unknown[std::size_t(NgramGroup::Pair)];
    float characters = unknown[std::size_t(NgramGroup::Character)];
    float context = unknown[std::size_t(NgramGroup::Context)];
    for (std::size_t index = 0; index < size; ++index) {
        const Found& found = m_found[index];
        const float tf = found.count == 1 ? 1.0F : 1.0F + std::log(float(found.count));
        const float value = tf * view.idf[found.row];
        m_vector.rows[index] = found.row;
        m_vector.values[index] = value;
        const float square = value * value;
        characters += found.group == NgramGroup::Character ? square : 0.0F;
        context += found.group == NgramGroup::Context ? square : 0.0F;
        words += found.group <= NgramGroup::Pair ? square : 0.0F;
    }
    const auto factor = [](float weight, float square) {
        return square > 0 ? weight / std::sqrt(square) : 0.0F;
    };
    const float ofWords = factor(1.0F, words);
    const std::array<float, 4> factors{ofWords, ofWords, factor(characterGroupWeight, characters),
        factor(contextGroupWeight, context)};
    for (std::size_t index = 0; index < size; ++index) {
        m_vector.values[index] *= factors[std::size_t(m_found[index].group)];
    }
}

const SparseVector& Vectoriser::vectorise(
    const LinearView& view, std::string_view normalised, const QueryContext& context)
{
    tokenise(normalised, m_tokens);
    extractNgrams(m_tokens, m_ngrams);
    appendContextFeatures(context, m_tokens, m_ngrams);
    m_found.resize(m_ngrams.size());
    m_places.assign(std::bit_ceil(m_ngrams.size() * 2 + 2), 0);
    WordStatistics& seen = m_statistics;
    seen.words = m_tokens.size();
    seen.pairs = m_tokens.empty() ? 0 : m_tokens.size() - 1;
    seen.wordRows.clear();
    seen.pairRows.clear();

    std::array<float, 4> unknown{};
    const float unknownSquare = view.highestIdf * view.highestIdf;
    std::size_t found = 0;
    for (const Ngram& ngram : m_ngrams) {
        view.index.prefetch(ngram.hash);
    }
    for (const Ngram& ngram : m_ngrams) {
        const std::uint32_t row = view.index.find(ngram.hash);
        if (row == HashIndex::none) {
            unknown[std::size_t(ngram.group)] += unknownSquare;
            continue;
        }
        bringNear(view, row);
        if (ngram.group == NgramGroup::Word) {
            seen.wordRows.push_back(row);
        } else if (ngram.group == NgramGroup::Pair) {
            seen.pairRows.push_back(row);
        }
        std::uint32_t& place = placeOf(row);
        if (place == 0) {
            m_found[found] = {row, 0, ngram.group};
            place = std::uint32_t(++found);
        }
        ++m_found[place - 1].count;
    }
    // What was said before may hold anything: that some of it is new says nothing of the query.
    unknown[std::size_t(NgramGroup::Context)] = 0;
    seen.unseen = seen.words - seen.wordRows.size();
    seen.seenIdf = 0;
    for (const std::uint32_t row : seen.wordRows) {
        seen.seenIdf += double(view.idf[row]) - 1.0;
    }
    seen.idf = seen.seenIdf + double(seen.unseen) * double(view.highestIdf);
    finish(view, found, unknown);
    return m_vector;
}

void denseFeatures(
    const WordView& view, std::span<const std::uint32_t> words, std::vector<float>& out)
{
    const std::size_t dimension = view.dimension;
    out.assign(2 * dimension, 0.0F);
    std::vector<float>::iterator most = out.begin() + std::ptrdiff_t(dimension);
    bool first = true;
    for (const std::uint32_t word : words) {
        const std::int8_t* const vector = view.vectors.data() + word * dimension;
        const float scale = view.scales[word];
        if (view.weights[word] <= 0) {
            continue; // a word without a vector
        }
        math::addScaledBytes(out.data(), vector, scale * view.weights[word], dimension);
        for (std::size_t i = 0; i < dimension; ++i) {
            const float value = scale * float(vector[i]);
            most[std::ptrdiff_t(i)] = first ? value : std::max(most[std::ptrdiff_t(i)], value);
        }
        first = false;
    }
    const std::span<float> all(out);
    toUnitLength(all.first(dimension));
    toUnitLength(all.subspan(dimension));
}

void poolFilters(const CnnShape& shape, std::span<const float> sums, std::span<const float> bias,
    std::vector<float>& hidden, std::vector<std::int32_t>& where)
{
    const std::size_t rowSize = shape.rowSize();
    const auto words = std::ptrdiff_t(sums.size() / rowSize);
    hidden.assign(shape.hidden(), 0.0F);
    where.assign(shape.pooled(), noWindow);
    thread_local std::vector<float> window;
    window.resize(shape.filters);
    for (std::size_t width = 1; width <= shape.widths; ++width) {
        const std::size_t begin = (width - 1) * shape.filters;
        // Windows may hang over either end of the text.
        for (std::ptrdiff_t at = 1 - std::ptrdiff_t(width); at < words; ++at) {
            std::copy_n(bias.begin() + std::ptrdiff_t(begin), shape.filters, window.begin());
            for (std::size_t offset = 0; offset < width; ++offset) {
                const std::ptrdiff_t word = at + std::ptrdiff_t(offset);
                if (word >= 0 && word < words) {
                    math::addScaled(window.data(),
                        sums.data() + std::size_t(word) * rowSize + shape.column(width, offset),
                        1.0F, shape.filters);
                }
            }
            math::raiseAt(hidden.data() + begin, where.data() + begin, window.data(),
                std::int32_t(at), shape.filters);
        }
    }
    const float root = words > 0 ? 1.0F / std::sqrt(float(words)) : 0.0F;
    for (std::ptrdiff_t word = 0; word < words; ++word) {
        math::addScaled(hidden.data() + shape.pooled(),
            sums.data() + std::size_t(word) * rowSize + shape.columns(), root, shape.dimension);
    }
}

void Scorer::scoreLinear(const ModelView& view)
{
    const LinearView& linear = view.linear;
    const SparseVector& x = m_vectoriser.vector();
    std::vector<float>& out = m_members.front();
    out.assign(linear.bias.begin(), linear.bias.end());
    m_factors.resize(x.rows.size());
    for (std::size_t i = 0; i < x.rows.size(); ++i) {
        m_factors[i] = x.values[i] * linear.scales[x.rows[i]];
    }
    math::addRows(out.data(), linear.weights.data(), linear.stride, x.rows.data(), m_factors.data(),
        x.rows.size());
    if (!view.cnns.empty()) {
        denseFeatures(view.words, m_words, m_dense);
        for (std::size_t i = 0; i < m_dense.size(); ++i) {
            m_dense[i] *= linear.denseScales[i];
        }
        math::addRows(out.data(), linear.dense.data(), linear.stride, m_counting.data(),
            m_dense.data(), m_dense.size());
    }
}

void Scorer::findWords(const WordView& view)
{
    m_words.clear();
    if (view.index.keys.empty()) {
        return; // the fast tier: no word need be hashed again
    }
    for (const std::string_view token : m_vectoriser.tokens()) {
        const std::uint32_t word = view.index.find(wordHash(token));
        if (word != HashIndex::none) {
            m_words.push_back(word);
        }
    }
}

/// The rows of a member's table are all over the memory: they come while another is at work.
void Scorer::bringNear(const ModelView& view, std::size_t member) const
{
    constexpr std::size_t line = 64;
    const CnnView& cnn = view.cnns[member];
    const std::size_t rowSize = cnn.shape.rowSize();
    for (const std::uint32_t word : m_words) {
        if (word < view.words.tableRows) {
            const std::int8_t* const row = cnn.tables.data() + word * rowSize;
            for (std::size_t byte = 0; byte < rowSize; byte += line) {
                __builtin_prefetch(row + byte);
            }
        }
    }
}

/// What a word that the table does not have adds to the filters, rounded as the table's rows are.
float Scorer::expand(
    const WordView& words, const CnnView& cnn, std::uint32_t word, std::int8_t* row)
{
    const std::size_t columns = cnn.shape.columns();
    const std::int8_t* const vector = words.vectors.data() + word * words.dimension;
    m_factors.assign(vector, vector + words.dimension);
    m_vector.assign(columns, 0.0F);
    math::addRows(m_vector.data(), cnn.kernelBytes.data(), columns, m_counting.data(),
        m_factors.data(), m_factors.size());
    for (std::size_t column = 0; column < columns; ++column) {
        m_vector[column] *= cnn.kernelScales[column];
    }
    return words.scales[word] * math::roundToBytes(row, m_vector.data(), columns);
}

/// Fills the rows that the words add to the filters, and the sum of their vectors.
void Scorer::lookUp(const ModelView& view, const CnnView& cnn)
{
    const CnnShape& shape = cnn.shape;
    const WordView& words = view.words;
    const std::size_t columns = shape.columns();
    m_rows.resize(m_words.size());
    m_expanded.resize(m_words.size() * columns);
    m_hidden.assign(shape.hidden(), 0.0F);
    float* const sum = m_hidden.data() + shape.pooled();
    const float root = m_words.empty() ? 0.0F : 1.0F / std::sqrt(float(m_words.size()));
    for (std::size_t index = 0; index < m_words.size(); ++index) {
        const std::uint32_t word = m_words[index];
        if (word < words.tableRows) {
            const std::int8_t* const row = cnn.tables.data() + word * shape.rowSize();
            m_rows[index] = {row, cnn.tableScales[word]};
            math::addScaledBytes(sum, row + columns, root * cnn.tableScales[word], shape.dimension);
        } else {
            std::int8_t* const row = m_expanded.data() + index * columns;
            m_rows[index] = {row, expand(words, cnn, word, row)};
            math::addScaledBytes(sum, words.vectors.data() + word * shape.dimension,
                root * words.scales[word], shape.dimension);
        }
    }
}

/// All but the last layer of a CNN, which waits for the other texts.
math::Product Scorer::pool(const ModelView& view, std::size_t member)
{
    const CnnView& cnn = view.cnns[member];
    const CnnShape& shape = cnn.shape;
    lookUp(view, cnn);
    for (std::size_t width = 1; width <= shape.widths; ++width) {
        const std::size_t begin = (width - 1) * shape.filters;
        math::poolWindows(m_hidden.data() + begin, cnn.bias.data() + begin, m_rows.data(),
            m_rows.size(), width, shape.filters);
        for (math::ByteRow& row : m_rows) {
            row.bytes += width * shape.filters;
        }
    }
    m_rounded.resize(m_hidden.size());
    const float step =
        math::roundToSteps(m_rounded.data(), m_hidden.data(), activationSteps, m_hidden.size());
    std::vector<float>& out = m_members[member + 1];
    out.assign(cnn.outputBias.begin(), cnn.outputBias.end());
    const SparseVector& x = m_vectoriser.vector();
    const std::size_t contextBegin = view.linear.idf.size() - view.linear.contextRows;
    for (std::size_t i = 0; i < x.rows.size() && view.linear.contextRows > 0; ++i) {
        if (x.rows[i] >= contextBegin) {
            const std::size_t row = x.rows[i] - contextBegin;
            math::addScaledBytes(out.data(), cnn.context.data() + row * view.linear.stride,
                x.values[i] * cnn.contextScales[row], view.linear.stride);
        }
    }
    return {m_rounded.data(), step, out.data()};
}

void Scorer::combine(const ModelMeta& meta)
{
    const std::size_t labels = meta.labels.size();
    std::vector<float>& logits = m_scores.logits;
    logits.assign(labels, 0.0F);
    for (std::size_t member = 0; member < m_members.size(); ++member) {
        math::centre(m_members[member].data(), labels);
        math::addScaled(logits.data(), m_members[member].data(),
            float(meta.memberScales[member] / double(m_members.size())), labels);
    }
}

void Scorer::stay(const ModelMeta& meta, std::string_view normalised, const QueryContext& context)
{
    m_staying = {};
    if (!meta.hasContext || context.lastIntent.empty()) {
        return;
    }
    const auto labelOf = [&meta](std::string_view name) {
        const auto label = std::lower_bound(meta.labels.begin(), meta.labels.end(), name);
        return label != meta.labels.end() && *label == name ? int(label - meta.labels.begin()) : -1;
    };
    m_staying = stayingFeaturesOf(m_scores.logits, normalised, m_vectoriser.statistics().words,
        m_scores.unseenShare, context);
    if (!meta.continuation.isEmpty()) {
        addContinuation(meta.continuation, m_staying, labelOf(context.lastIntent),
            context.intentBefore.empty() ? -1 : labelOf(context.intentBefore), m_scores.logits);
    }
}

void Scorer::describe(const ModelFile& file)
{
    const ModelMeta& meta = file.meta();
    const LinearView& linear = file.view().linear;
    const WordStatistics& words = m_vectoriser.statistics();
    ScopeFeatures& features = m_scores.features;
    features.fill(0);
    const auto set = [&features](ScopeFeature feature, double value) {
        features[std::size_t(feature)] = value;
    };
    const std::vector<float>& logits = m_scores.logits;
    const std::size_t winner = math::highest(logits.data(), logits.size());
    const Spread spread = spreadOf(logits);
    set(ScopeFeature::Lead, spread.lead);
    set(ScopeFeature::Entropy, spread.entropy);
    if (m_members.size() > 1) {
        std::vector<float>& own = m_vector;
        own.assign(
            m_members.front().begin(), m_members.front().begin() + std::ptrdiff_t(logits.size()));
        for (float& value : own) {
            value *= float(meta.memberScales.front());
        }
        const Spread first = spreadOf(own);
        set(ScopeFeature::LinearLead, first.lead);
        set(ScopeFeature::LinearEntropy, first.entropy);
        double least = 1e9;
        int agree = 0;
        for (std::size_t member = 1; member < m_members.size(); ++member) {
            const std::vector<float>& one = m_members[member];
            least = std::min(least, double(one[winner]) * meta.memberScales[member]);
            agree += math::highest(one.data(), logits.size()) == winner ? 1 : 0;
        }
        set(ScopeFeature::LeastMember, least);
        set(ScopeFeature::Agreement, double(agree) / double(m_members.size() - 1));
    }
    double winnerIdf = 0;
    for (const std::uint32_t row : words.wordRows) {
        if (hasBit(linear.classBits, row, linear.stride, winner)) {
            winnerIdf += double(linear.idf[row]) - 1.0;
        }
    }
    std::size_t winnerPairs = 0;
    for (const std::uint32_t row : words.pairRows) {
        winnerPairs += hasBit(linear.classBits, row, linear.stride, winner) ? 1U : 0U;
    }
    const double idf = std::max(words.idf, 1e-6);
    const double pairs = double(std::max<std::size_t>(words.pairs, 1));
    set(ScopeFeature::UnseenShare, words.unseenShare());
    set(ScopeFeature::Length, std::log1p(double(words.words)));
    set(ScopeFeature::SeenWeight, words.seenIdf / idf);
    set(ScopeFeature::WinnerWeight, winnerIdf / idf);
    set(ScopeFeature::MeanIdf, words.idf / double(std::max<std::size_t>(words.words, 1)));
    set(ScopeFeature::SeenPairs, words.pairs == 0 ? 1.0 : double(words.pairRows.size()) / pairs);
    set(ScopeFeature::WinnerPairs, words.pairs == 0 ? 1.0 : double(winnerPairs) / pairs);
}

void Scorer::begin(const ModelFile& file, const TextInContext& text)
{
    const ModelView& view = file.view();
    const SparseVector& x = m_vectoriser.vectorise(
        view.linear, text.text, file.meta().hasContext ? text.context : QueryContext());
    findWords(view.words);
    m_scores.unseenShare = m_vectoriser.statistics().unseenShare();
    m_scores.known = !x.rows.empty() || !m_words.empty();
    m_members.resize(view.cnns.size() + 1);
    const std::size_t counted = 2 * view.words.dimension;
    while (m_counting.size() < counted) {
        m_counting.push_back(std::uint32_t(m_counting.size()));
    }
}

void Scorer::finish(const ModelFile& file, const TextInContext& text)
{
    combine(file.meta());
    stay(file.meta(), text.text, text.context);
    describe(file);
}

void Scorer::score(
    const ModelFile& file, std::span<Scorer> scorers, std::span<const TextInContext> texts)
{
    const ModelView& view = file.view();
    const std::size_t count = texts.size();
    for (std::size_t index = 0; index < count; ++index) {
        scorers[index].begin(file, texts[index]);
    }
    for (Scorer& scorer : scorers.first(count)) {
        scorer.scoreLinear(view);
    }
    thread_local std::vector<math::Product> products;
    for (std::size_t member = 0; member < view.cnns.size(); ++member) {
        products.clear();
        for (std::size_t index = 0; index < count; ++index) {
            if (index + 1 < count) {
                scorers[index + 1].bringNear(view, member);
            } else if (member + 1 < view.cnns.size()) {
                scorers.front().bringNear(view, member + 1);
            }
            products.push_back(scorers[index].pool(view, member));
        }
        const CnnView& cnn = view.cnns[member];
        math::addProducts(products.data(), count, cnn.outputs.data(), cnn.outputScales.data(),
            file.meta().labels.size(), cnn.shape.hidden());
    }
    for (std::size_t index = 0; index < count; ++index) {
        if (scorers[index].m_scores.known) {
            scorers[index].finish(file, texts[index]);
        }
    }
}

const RawScores& Scorer::score(
    const ModelFile& file, std::string_view normalised, const QueryContext& context)
{
    const TextInContext text{normalised, context};
    score(file, std::span(this, 1), std::span(&text, 1));
    return m_scores;
}

Spread spreadOf(std::span<const float> logits)
{
    const float most = logits[math::highest(logits.data(), logits.size())];
    const double mean = double(math::sum(logits.data(), logits.size())) / double(logits.size());
    // Entropy = ln S - sum(e x) / S with e = exp(x), x = (z - most) / T.
    const auto sums =
        math::exponentialSums(logits.data(), most, float(1 / entropyTemperature), logits.size());
    const auto total = double(sums.e);
    return {double(most) - mean, std::log(total) - double(sums.ed) / total};
}

double outOfScopeScore(const Calibration& calibration, const ScopeFeatures& features)
{
    double z = calibration.bias;
    for (std::size_t index = 0; index < scopeFeatures; ++index) {
        z += calibration.weights[index] * features[index];
    }
    return 1.0 / (1.0 + std::exp(-z));
}

Scores scoresOf(const RawScores& raw, const Calibration& calibration, std::size_t k)
{
    Scores scores;
    scores.unseenShare = raw.unseenShare;
    if (!raw.known) {
        return scores;
    }
    thread_local std::vector<float> rest;
    rest = raw.logits;
    const std::size_t size = rest.size();
    std::size_t label = math::highest(rest.data(), size);
    const float most = rest[label];
    const double total = double(
        math::exponentialSums(rest.data(), most, float(1 / calibration.temperature), size).e);
    const double inScope =
        calibration.hasOutOfScope ? 1.0 - outOfScopeScore(calibration, raw.features) : 1.0;
    k = std::min(k, size);
    scores.top.reserve(k);
    while (scores.top.size() < k) {
        const double e = std::exp(double(rest[label] - most) / calibration.temperature);
        // A float: recorded rows keep no more, and a replay is to decide exactly as was served.
        scores.top.push_back({int(label), double(float(inScope * e / total))});
        if (scores.top.size() < k) {
            rest[label] = -std::numeric_limits<float>::max();
            label = math::highest(rest.data(), size);
        }
    }
    scores.outOfScope = calibration.hasOutOfScope ? 1.0 - inScope
        : scores.top.empty()                      ? 1.0
                                                  : 1.0 - scores.top.front().confidence;
    return scores;
}

} // namespace sluice

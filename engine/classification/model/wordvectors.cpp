#include "engine/classification/model/wordvectors.h"

#include "engine/classification/model/vectormath.h"
#include "engine/classification/text/ngrams.h"
#include "engine/classification/text/normaliser.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <fmt/format.h>
#include <fstream>
#include <unordered_map>

namespace sluice {

namespace {

constexpr std::size_t maxDimension = 1024;
constexpr std::size_t maxWordBytes = 256;
constexpr std::size_t checkCancelEvery = 4096;

/// Takes rows in the file's order and keeps those that are wanted.
class Collector
{
public:
    Collector(const std::unordered_set<std::string_view>& needed, std::size_t general)
        : m_needed(needed)
        , m_general(general)
    { }

    /// Whether the row of `word` is wanted: its values need be parsed only then.
    bool wants(std::string_view word)
    {
        m_rank = m_seen++;
        if (word.empty() || word.size() > maxWordBytes || !checkQuery(word)) {
            return false;
        }
        m_word = normalise(word);
        const auto tokens = tokenise(m_word);
        if (tokens.size() != 1 || tokens.front().size() != m_word.size()) {
            return false;
        }
        const bool general = m_taken < m_general;
        if (!general && !m_needed.contains(m_word)) {
            return false;
        }
        const bool fresh = m_known.insert(m_word).second;
        m_taken += fresh ? 1U : 0U;
        return fresh;
    }

    void add(const std::vector<float>& values)
    {
        m_vectors.dimension = values.size();
        m_vectors.words.push_back(m_word);
        m_vectors.ranks.push_back(m_rank);
        m_vectors.values.insert(m_vectors.values.end(), values.begin(), values.end());
    }

    WordVectors take() { return std::move(m_vectors); }

private:
    const std::unordered_set<std::string_view>& m_needed;
    std::size_t m_general;
    std::size_t m_seen = 0;
    std::size_t m_taken = 0;
    std::size_t m_rank = 0;
    std::string m_word;
    std::unordered_set<std::string> m_known;
    WordVectors m_vectors;
};

bool isBlank(char c)
{
    return c == ' ' || c == '\t' || c == '\r';
}

/// Numbers apart by blanks or commas up to the end of `text`; nothing where one is malformed.
bool parseNumbers(std::string_view text, std::vector<float>& out)
{
    out.clear();
    const char* at = text.data();
    const char* const end = at + text.size();
    while (true) {
        while (at < end && (isBlank(*at) || *at == ',' || *at == '\n')) {
            ++at;
        }
        if (at == end) {
            return true;
        }
        float value = 0;
        const auto [next, code] = std::from_chars(at, end, value);
        if (code != std::errc() || !std::isfinite(value)) {
            return false;
        }
        out.push_back(value);
        at = next;
    }
}

Error cancelled()
{
    return cancelledError("reading the word vectors was stopped");
}

/// "word v1 v2 ..." a line; a first line of two whole numbers is word2vec's header.
Result<WordVectors> readText(std::istream& in, const std::string& where, Collector& collector,
    const std::atomic<bool>* cancel)
{
    std::string line;
    std::vector<float> values;
    std::size_t dimension = 0;
    for (std::size_t number = 1; std::getline(in, line); ++number) {
        if (number % checkCancelEvery == 0 && cancel != nullptr && *cancel) {
            return cancelled();
        }
        const std::size_t blank = line.find_first_of(" \t");
        if (blank == std::string::npos) {
            return inputError(fmt::format("{}: line {}: a word and its values are expected "
                                          "(GloVe, word2vec or fastText text)",
                where, number));
        }
        const std::string_view rest = std::string_view(line).substr(blank);
        if (number == 1 && parseNumbers(line, values) && values.size() == 2) {
            continue;
        }
        const bool wanted = collector.wants(std::string_view(line).substr(0, blank));
        if (!wanted && dimension != 0) {
            continue;
        }
        if (!parseNumbers(rest, values) || values.empty() || values.size() > maxDimension) {
            return inputError(
                fmt::format("{}: line {}: 1 to {} numbers are expected after the word", where,
                    number, maxDimension));
        }
        if (dimension != 0 && values.size() != dimension) {
            return inputError(fmt::format("{}: line {}: {} values, the rows before have {}", where,
                number, values.size(), dimension));
        }
        dimension = values.size();
        if (wanted) {
            collector.add(values);
        }
    }
    return collector.take();
}

/// wink-embeddings: {..., "size": n, "dimensions": d, "words": [...], "vectors": {"word": [v1, ...
/// vd, norm, index], ...}}. Scanned, not parsed: as a tree it would take gigabytes.
class WinkScanner
{
public:
    WinkScanner(std::istream& in, std::string where)
        : m_in(in)
        , m_where(std::move(where))
    { }

    Result<WordVectors> read(Collector& collector, const std::atomic<bool>* cancel)
    {
        const std::size_t dimension = findDimension();
        if (dimension == 0 || dimension > maxDimension || !find("\"vectors\"") || !skipTo('{')) {
            return inputError(fmt::format("{}: word vectors as JSON are expected in wink's form: "
                                          "\"dimensions\" and \"vectors\" are missing",
                m_where));
        }
        std::vector<float> values;
        std::string word;
        std::string numbers;
        for (std::size_t row = 0;; ++row) {
            if (row % checkCancelEvery == 0 && cancel != nullptr && *cancel) {
                return cancelled();
            }
            const int next = nextSign();
            if (next == '}') {
                return collector.take();
            }
            if (next != '"' || !readString(word) || !skipTo('[')
                || !std::getline(m_in, numbers, ']')) {
                return malformed(row);
            }
            if (!collector.wants(word)) {
                continue;
            }
            if (!parseNumbers(numbers, values) || values.size() < dimension) {
                return malformed(row);
            }
            values.resize(dimension); // the length and the index follow
            collector.add(values);
        }
    }

private:
    Error malformed(std::size_t row) const
    {
        return inputError(fmt::format(
            "{}: \"vectors\": entry {} is malformed or the file is truncated", m_where, row + 1));
    }

    bool find(std::string_view text)
    {
        std::size_t matched = 0;
        for (int c = m_in.get(); c != EOF; c = m_in.get()) {
            matched = c == text[matched] ? matched + 1 : c == text[0] ? 1 : 0;
            if (matched == text.size()) {
                return true;
            }
        }
        return false;
    }

    std::size_t findDimension()
    {
        std::size_t dimension = 0;
        if (find("\"dimensions\"") && skipTo(':')) {
            m_in >> dimension;
        }
        return m_in ? dimension : 0;
    }

    bool skipTo(char sign)
    {
        int c = m_in.get();
        while (c != EOF && c != sign) {
            c = m_in.get();
        }
        return c == sign;
    }

    /// The next sign that is neither blank nor a comma.
    int nextSign()
    {
        int c = m_in.get();
        while (c == ' ' || c == '\n' || c == '\r' || c == '\t' || c == ',') {
            c = m_in.get();
        }
        return c;
    }

    /// The rest of a string; escapes other than \" and \\ are kept as written (no word of a query
    /// has any).
    bool readString(std::string& out)
    {
        out.clear();
        for (int c = m_in.get(); c != EOF && out.size() < 65536; c = m_in.get()) {
            if (c == '"') {
                return true;
            }
            if (c == '\\') {
                const int escaped = m_in.get();
                if (escaped != '"' && escaped != '\\') {
                    out.push_back('\\');
                }
                c = escaped;
            }
            out.push_back(char(c));
        }
        return false;
    }

    std::istream& m_in;
    std::string m_where;
};

/// One round of power iteration: `direction` becomes the sum of (v . direction) v, at unit length
/// and orthogonal to `before`.
void iterate(const WordVectors& vectors, std::size_t rows, std::vector<float>& direction,
    const std::vector<std::vector<float>>& before)
{
    const std::size_t dimension = vectors.dimension;
    std::vector<float> next(dimension, 0.0F);
    for (std::size_t row = 0; row < rows; ++row) {
        const float* const vector = vectors.values.data() + row * dimension;
        math::addScaled(
            next.data(), vector, math::dot(vector, direction.data(), dimension), dimension);
    }
    for (const auto& other : before) {
        math::addScaled(
            next.data(), other.data(), -math::dot(next.data(), other.data(), dimension), dimension);
    }
    const float length = std::sqrt(math::dot(next.data(), next.data(), dimension));
    for (std::size_t i = 0; i < dimension; ++i) {
        direction[i] = length > 0 ? next[i] / length : 0.0F;
    }
}

} // namespace

Result<WordVectors> readWordVectors(const std::filesystem::path& file,
    const std::unordered_set<std::string_view>& needed, std::size_t general,
    const std::atomic<bool>* cancel)
{
    std::ifstream in(file, std::ios::binary);
    if (!in || std::filesystem::is_directory(file)) {
        return inputError("cannot read the word vectors " + file.string());
    }
    Collector collector(needed, general);
    auto vectors = in.peek() == '{' ? WinkScanner(in, file.string()).read(collector, cancel)
                                    : readText(in, file.string(), collector, cancel);
    if (vectors && vectors->size() == 0) {
        return inputError(fmt::format("{}: no word vectors are in it", file.string()));
    }
    return vectors;
}

void postProcess(WordVectors& vectors)
{
    constexpr std::size_t components = 2;
    constexpr int rounds = 30;
    const std::size_t dimension = vectors.dimension;
    const std::size_t rows = vectors.size();
    std::vector<float> mean(dimension, 0.0F);
    for (std::size_t row = 0; row < rows; ++row) {
        math::addScaled(
            mean.data(), vectors.values.data() + row * dimension, 1.0F / float(rows), dimension);
    }
    for (std::size_t row = 0; row < rows; ++row) {
        math::addScaled(vectors.values.data() + row * dimension, mean.data(), -1.0F, dimension);
    }
    std::vector<std::vector<float>> directions;
    for (std::size_t component = 0; component < std::min(components, dimension - 1); ++component) {
        std::vector<float> direction(dimension);
        for (std::size_t i = 0; i < dimension; ++i) {
            direction[i] = std::sin(float(i * (component + 1)) + 1.0F); // any start will do
        }
        for (int round = 0; round < rounds; ++round) {
            iterate(vectors, rows, direction, directions);
        }
        directions.push_back(std::move(direction));
    }
    for (std::size_t row = 0; row < rows; ++row) {
        float* const vector = vectors.values.data() + row * dimension;
        for (const auto& direction : directions) {
            math::addScaled(vector, direction.data(),
                -math::dot(vector, direction.data(), dimension), dimension);
        }
        const float length = std::sqrt(math::dot(vector, vector, dimension));
        for (std::size_t i = 0; i < dimension; ++i) {
            vector[i] = length > 0 ? vector[i] / length : 0.0F;
        }
    }
}

} // namespace sluice

#include "engine/classification/entities/entitycatalogue.h"

#include "engine/base/file.h"
#include "engine/base/json.h"
#include "engine/classification/entities/values.h"
#include "engine/classification/text/normaliser.h"

#include <algorithm>
#include <array>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>
#include <map>
#include <numeric>
#include <re2/re2.h>
#include <re2/set.h>

namespace sluice {

namespace json = boost::json;

namespace {

constexpr std::size_t maxPatternBytes = 4096;
constexpr std::size_t maxWordListBytes = 256 << 10;
constexpr std::size_t maxPatterns = 2000;
/// Each search is linear in the text; this bounds how many of them a text can ask for.
constexpr int maxMatchesOfPattern = 256;
constexpr int patternMemory = 8 << 20; ///< RE2's bound on a compiled pattern
constexpr int setMemory = 64 << 20;

struct Pattern
{
    std::unique_ptr<RE2> expression;
    std::size_t entry = 0;
    bool isWordList = false; ///< group 1 is the word, round it are the signs that border it
};

struct Entry
{
    std::string type;
    Normaliser normaliser = Normaliser::None;
    bool caseSensitive = false;
    std::map<std::string, std::string> words; ///< as wordKey() -> value

    std::string wordKey(std::string_view word) const
    {
        return caseSensitive ? std::string(word) : normalise(word);
    }
};

struct Match
{
    std::size_t begin = 0;
    std::size_t end = 0;
    std::size_t entry = 0;
    std::string_view value; ///< what the value is made of

    std::size_t length() const { return end - begin; }
};

RE2::Options optionsFor(bool caseSensitive, int memory)
{
    RE2::Options options;
    options.set_log_errors(false);
    options.set_case_sensitive(caseSensitive);
    options.set_max_mem(memory);
    return options;
}

/// A pattern of one of the words, longest first, between signs that are no letters or digits ("\\b"
/// knows ASCII letters only).
std::string wordListPattern(std::vector<std::string> words, bool caseSensitive)
{
    std::sort(words.begin(), words.end(), [](const std::string& left, const std::string& right) {
        return left.size() != right.size() ? left.size() > right.size() : left < right;
    });
    std::string alternatives;
    for (const std::string& word : words) {
        alternatives += alternatives.empty() ? "" : "|";
        for (const char c : word) {
            if (c == ' ' && !caseSensitive) {
                alternatives += "\\s+";
            } else {
                alternatives += RE2::QuoteMeta(re2::StringPiece(&c, 1));
            }
        }
    }
    constexpr std::string_view border = "[^\\p{L}\\p{M}\\p{N}_]";
    return fmt::format("(?:^|{})({})(?:{}|$)", border, alternatives, border);
}

bool isContinuation(char c)
{
    return (static_cast<unsigned char>(c) & 0xC0U) == 0x80U;
}

/// Fills in the code point offsets of spans sorted by position, in one pass.
void countCodePoints(std::string_view text, std::vector<Entity>& entities)
{
    std::size_t byte = 0;
    std::size_t codePoints = 0;
    const auto advance = [&](std::size_t to) {
        for (; byte < to; ++byte) {
            codePoints += isContinuation(text[byte]) ? 0U : 1U;
        }
        return codePoints;
    };
    for (Entity& entity : entities) {
        entity.span.codePointBegin = advance(entity.span.byteBegin);
        entity.span.codePointEnd = advance(entity.span.byteEnd);
    }
}

/// The matches that stay, by position: the longest wins, then the earlier entry, then the earlier
/// place.
std::vector<Match> withoutOverlaps(std::vector<Match> matches, std::size_t textSize)
{
    std::sort(matches.begin(), matches.end(), [](const Match& a, const Match& b) {
        return a.length() != b.length() ? a.length() > b.length()
            : a.entry != b.entry        ? a.entry < b.entry
                                        : a.begin < b.begin;
    });
    std::vector<bool> taken(matches.size() > 1 ? textSize : 0);
    std::erase_if(matches, [&](const Match& match) {
        if (taken.empty()) {
            return false;
        }
        // What is taken is no shorter: where they overlap, it has one end of this.
        if (taken[match.begin] || taken[match.end - 1]) {
            return true;
        }
        std::fill(taken.begin() + std::ptrdiff_t(match.begin),
            taken.begin() + std::ptrdiff_t(match.end), true);
        return false;
    });
    std::sort(matches.begin(), matches.end(),
        [](const Match& a, const Match& b) { return a.begin < b.begin; });
    return matches;
}

} // namespace

struct EntityCatalogue::Data
{
    std::vector<Entry> entries;
    std::vector<Pattern> patterns;
    /// All patterns at once: says which occur at all, so that a query costs one pass and not one a
    /// pattern.
    std::unique_ptr<RE2::Set> set;

    /// The patterns that occur in the text.
    std::vector<int> occurring(std::string_view text) const
    {
        std::vector<int> hits;
        RE2::Set::ErrorInfo error{RE2::Set::kNoError};
        if (!set->Match(re2::StringPiece(text.data(), text.size()), &hits, &error)
            && error.kind != RE2::Set::kNoError) {
            // Out of its memory: every pattern may occur.
            hits.resize(patterns.size());
            std::iota(hits.begin(), hits.end(), 0);
        }
        return hits;
    }

    void find(const Pattern& pattern, std::string_view text, std::vector<Match>& matches) const
    {
        const re2::StringPiece piece(text.data(), text.size());
        const int groups = pattern.expression->NumberOfCapturingGroups() > 0 ? 2 : 1;
        std::array<re2::StringPiece, 2> found;
        std::size_t at = 0;
        for (int count = 0; at < text.size() && count < maxMatchesOfPattern; ++count) {
            if (!pattern.expression->Match(
                    piece, at, text.size(), RE2::UNANCHORED, found.data(), groups)) {
                return;
            }
            const re2::StringPiece& whole = pattern.isWordList ? found[1] : found[0];
            const re2::StringPiece& value = groups > 1 && !found[1].empty() ? found[1] : found[0];
            const auto begin = std::size_t(whole.data() - text.data());
            at = begin + whole.size();
            if (whole.empty()) {
                for (++at; at < text.size() && isContinuation(text[at]);) {
                    ++at;
                }
                continue;
            }
            matches.push_back({begin, at, pattern.entry, {value.data(), value.size()}});
        }
    }

    Result<void> addPattern(
        const std::string& text, bool caseSensitive, bool isWordList, const std::string& where)
    {
        const std::size_t most = isWordList ? maxWordListBytes : maxPatternBytes;
        if (text.size() > most) {
            return inputError(fmt::format("{}: the {} is {} bytes long; at most {} are taken",
                where, isWordList ? "list of words" : "pattern", text.size(), most));
        }
        if (patterns.size() >= maxPatterns) {
            return inputError(fmt::format("{}: at most {} patterns are taken", where, maxPatterns));
        }
        auto expression = std::make_unique<RE2>(text, optionsFor(caseSensitive, patternMemory));
        if (!expression->ok()) {
            if (isWordList) {
                return inputError(fmt::format("{}: too many words", where), expression->error());
            }
            const std::string& part = expression->error_arg();
            const auto at = part.empty() ? std::string::npos : text.find(part);
            return inputError(fmt::format("{}: the pattern \"{}\" is refused{}: {}", where, text,
                at == std::string::npos ? std::string() : fmt::format(" at character {}", at + 1),
                expression->error()));
        }
        if (expression->Match("", 0, 0, RE2::UNANCHORED, nullptr, 0)) {
            return inputError(fmt::format(
                "{}: the pattern \"{}\" matches the empty text; ask for one character at least",
                where, text));
        }
        const std::string flagged = fmt::format("{}{}", caseSensitive ? "" : "(?i)", text);
        std::string problem;
        if (set->Add(flagged, &problem) < 0) {
            return inputError(
                fmt::format("{}: the pattern \"{}\" is refused: {}", where, text, problem));
        }
        patterns.push_back({std::move(expression), entries.size() - 1, isWordList});
        return {};
    }

    Result<void> addEntry(const json::value& value, const std::string& where)
    {
        JsonReader in(value, where);
        Entry entry;
        entry.type = in.string("type");
        const std::string normaliser = in.optionalString("normaliser").value_or("none");
        const auto known = normaliserFromString(normaliser);
        if (!known) {
            in.fail("normaliser",
                "none, lower, upper, digits, number, amount, percent, iban, date or time is "
                "expected");
        } else {
            entry.normaliser = *known;
        }
        entry.caseSensitive = in.optionalBoolean("case_sensitive").value_or(false);
        const std::vector<std::string> texts = in.optionalStrings("patterns");
        const json::value* words = in.optionalValue("words");
        const json::object* wordObject = words == nullptr ? nullptr : words->if_object();
        if (words != nullptr && wordObject == nullptr) {
            in.fail("words", "an object of word: value is expected");
        }
        if (entry.type.empty() && !in.failed()) {
            in.fail("type", "must not be empty");
        }
        if (texts.empty() && words == nullptr && !in.failed()) {
            in.fail("patterns", "patterns or words are needed");
        }
        if (auto done = in.finish(); !done) {
            return done.error();
        }
        const std::string name = fmt::format("{} ({})", where, entry.type);
        std::vector<std::string> list;
        if (wordObject != nullptr) {
            for (const auto& member : *wordObject) {
                const std::string word = entry.wordKey(std::string_view(member.key()));
                if (!member.value().is_string() || word.empty()) {
                    return inputError(name + ": words: an object of word: value is expected");
                }
                entry.words[word] = std::string(member.value().get_string());
                list.emplace_back(member.key());
            }
        }
        const bool caseSensitive = entry.caseSensitive;
        entries.push_back(std::move(entry));
        if (!list.empty()) {
            const std::string anyWord = wordListPattern(std::move(list), caseSensitive);
            if (auto added = addPattern(anyWord, caseSensitive, true, name); !added) {
                return added;
            }
        }
        for (const std::string& text : texts) {
            if (auto added = addPattern(text, caseSensitive, false, name); !added) {
                return added;
            }
        }
        return {};
    }
};

EntityCatalogue::EntityCatalogue()
    : m_data(std::make_unique<Data>())
{ }

EntityCatalogue::~EntityCatalogue() = default;
EntityCatalogue::EntityCatalogue(EntityCatalogue&&) noexcept = default;
EntityCatalogue& EntityCatalogue::operator=(EntityCatalogue&&) noexcept = default;

Result<EntityCatalogue> EntityCatalogue::fromJson(std::string_view text, std::string_view where)
{
    auto value = parseJson(text, where);
    if (!value) {
        return value.error();
    }
    JsonReader in(*value, std::string(where));
    in.optionalString("description");
    const json::value* list = in.optionalValue("entities");
    const json::array* entries = list == nullptr ? nullptr : list->if_array();
    if (entries == nullptr) {
        in.fail("entities", "an array is expected");
    }
    if (auto done = in.finish(); !done) {
        return done.error();
    }
    auto data = std::make_unique<Data>();
    data->set = std::make_unique<RE2::Set>(optionsFor(true, setMemory), RE2::UNANCHORED);
    for (std::size_t index = 0; index < entries->size(); ++index) {
        if (auto added =
                data->addEntry((*entries)[index], fmt::format("{}: entities[{}]", where, index));
            !added) {
            return added.error();
        }
    }
    if (data->patterns.empty() || !data->set->Compile()) {
        if (!data->patterns.empty()) {
            return inputError(fmt::format(
                "{}: the patterns together need over {} MiB: fewer or simpler ones are needed",
                where, setMemory >> 20));
        }
        data->set.reset();
    }
    EntityCatalogue catalogue;
    catalogue.m_data = std::move(data);
    return catalogue;
}

Result<EntityCatalogue> EntityCatalogue::fromFile(const std::filesystem::path& path)
{
    auto text = readFile(path, std::size_t(64) << 20);
    if (!text) {
        return text.error();
    }
    return fromJson(*text, path.string());
}

std::vector<Entity> EntityCatalogue::extract(
    std::string_view text, std::chrono::sys_seconds now) const
{
    std::vector<Entity> entities;
    if (m_data->set == nullptr) {
        return entities;
    }
    std::vector<Match> matches;
    for (const int hit : m_data->occurring(text)) {
        m_data->find(m_data->patterns[std::size_t(hit)], text, matches);
    }
    for (const Match& match : withoutOverlaps(std::move(matches), text.size())) {
        const Entry& entry = m_data->entries[match.entry];
        Entity entity;
        entity.type = entry.type;
        entity.text = std::string(text.substr(match.begin, match.length()));
        const auto word =
            entry.words.empty() ? entry.words.end() : entry.words.find(entry.wordKey(entity.text));
        entity.value = word != entry.words.end()
            ? word->second
            : normaliseValue(entry.normaliser, match.value, now);
        entity.span.byteBegin = match.begin;
        entity.span.byteEnd = match.end;
        entities.push_back(std::move(entity));
    }
    countCodePoints(text, entities);
    return entities;
}

std::vector<std::string> EntityCatalogue::types() const
{
    std::vector<std::string> types;
    for (const Entry& entry : m_data->entries) {
        if (std::find(types.begin(), types.end(), entry.type) == types.end()) {
            types.push_back(entry.type);
        }
    }
    return types;
}

std::size_t EntityCatalogue::size() const
{
    return m_data->patterns.size();
}

} // namespace sluice

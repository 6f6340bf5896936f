#include "engine/classification/entities/entitycatalogue.h"

#include "engine/base/file.h"
#include "engine/base/json.h"
#include "engine/classification/entities/values.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>
#include <map>
#include <re2/re2.h>
#include <re2/set.h>

namespace sluice {

namespace json = boost::json;

namespace {

constexpr std::size_t maxPatternBytes = 4096;
constexpr int patternMemory = 8 << 20; ///< RE2's bound on a compiled pattern
constexpr int setMemory = 64 << 20;

struct Pattern
{
    std::unique_ptr<RE2> expression;
    std::size_t entry = 0;
};

struct Entry
{
    std::string type;
    Normaliser normaliser = Normaliser::None;
    std::map<std::string, std::string> words; ///< lower-cased synonym -> value
};

struct Match
{
    std::size_t begin = 0;
    std::size_t end = 0;
    std::size_t entry = 0;
};

RE2::Options optionsFor(bool caseSensitive, int memory)
{
    RE2::Options options;
    options.set_log_errors(false);
    options.set_case_sensitive(caseSensitive);
    options.set_max_mem(memory);
    return options;
}

std::string lowerAscii(std::string_view text)
{
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
        [](char c) { return c >= 'A' && c <= 'Z' ? char(c + 32) : c; });
    return out;
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

} // namespace

struct EntityCatalogue::Data
{
    std::vector<Entry> entries;
    std::vector<Pattern> patterns;
    /// All patterns at once: says which occur at all, so that a query costs one pass and not one a
    /// pattern.
    std::unique_ptr<RE2::Set> set;

    Result<void> addPattern(const std::string& text, bool caseSensitive, const std::string& where)
    {
        if (text.size() > maxPatternBytes) {
            return inputError(fmt::format("{}: the pattern is {} bytes long; at most {} are taken",
                where, text.size(), maxPatternBytes));
        }
        auto expression = std::make_unique<RE2>(text, optionsFor(caseSensitive, patternMemory));
        if (!expression->ok()) {
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
        patterns.push_back({std::move(expression), entries.size() - 1});
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
                "none, lower, upper, digits, number, amount, percent, date or time is expected");
        } else {
            entry.normaliser = *known;
        }
        const bool caseSensitive = in.optionalBoolean("case_sensitive").value_or(false);
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
        std::string alternatives;
        if (wordObject != nullptr) {
            for (const auto& member : *wordObject) {
                if (!member.value().is_string() || member.key().empty()) {
                    return inputError(where + ": words: an object of word: value is expected");
                }
                entry.words[lowerAscii(std::string_view(member.key()))] =
                    std::string(member.value().get_string());
                alternatives += alternatives.empty() ? "" : "|";
                alternatives +=
                    RE2::QuoteMeta(re2::StringPiece(member.key().data(), member.key().size()));
            }
        }
        entries.push_back(std::move(entry));
        if (!alternatives.empty()) {
            const std::string anyWord = fmt::format("\\b(?:{})\\b", alternatives);
            if (auto added = addPattern(anyWord, caseSensitive, where); !added) {
                return added;
            }
        }
        for (const std::string& text : texts) {
            if (auto added = addPattern(text, caseSensitive, where); !added) {
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
    std::vector<int> hits;
    const re2::StringPiece piece(text.data(), text.size());
    if (!m_data->set->Match(piece, &hits)) {
        return entities;
    }
    std::vector<Match> matches;
    for (const int hit : hits) {
        const Pattern& pattern = m_data->patterns[std::size_t(hit)];
        re2::StringPiece found;
        for (std::size_t at = 0; at < text.size();) {
            if (!pattern.expression->Match(piece, at, text.size(), RE2::UNANCHORED, &found, 1)
                || found.empty()) {
                break;
            }
            const auto begin = std::size_t(found.data() - text.data());
            matches.push_back({begin, begin + found.size(), pattern.entry});
            at = begin + found.size();
        }
    }
    // The longest match wins, then the earlier entry, then the earlier place.
    std::sort(matches.begin(), matches.end(), [](const Match& a, const Match& b) {
        const std::size_t lengthA = a.end - a.begin;
        const std::size_t lengthB = b.end - b.begin;
        return lengthA != lengthB ? lengthA > lengthB
            : a.entry != b.entry  ? a.entry < b.entry
                                  : a.begin < b.begin;
    });
    std::vector<Match> kept;
    for (const Match& match : matches) {
        if (std::none_of(kept.begin(), kept.end(), [&](const Match& other) {
                return match.begin < other.end && other.begin < match.end;
            })) {
            kept.push_back(match);
        }
    }
    std::sort(
        kept.begin(), kept.end(), [](const Match& a, const Match& b) { return a.begin < b.begin; });
    for (const Match& match : kept) {
        const Entry& entry = m_data->entries[match.entry];
        Entity entity;
        entity.type = entry.type;
        entity.text = std::string(text.substr(match.begin, match.end - match.begin));
        const auto word = entry.words.find(lowerAscii(entity.text));
        entity.value = word != entry.words.end()
            ? word->second
            : normaliseValue(entry.normaliser, entity.text, now);
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

#include "engine/classification/entities/entitycatalogue.h"

#include "engine/base/file.h"
#include "engine/base/json.h"
#include "engine/classification/entities/composer.h"
#include "engine/classification/entities/patternindex.h"
#include "engine/classification/entities/values.h"
#include "engine/classification/entities/wordindex.h"
#include "engine/classification/entities/words.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>
#include <unordered_map>

namespace sluice {

namespace json = boost::json;

namespace {

constexpr std::size_t maxFileBytes = std::size_t(64) << 20;
constexpr std::size_t maxEntries = 20'000;
constexpr std::size_t maxWords = 200'000;
constexpr std::size_t maxWordBytes = 256;

/// A phrase of a list: whose it is and what it stands for.
struct Word
{
    std::uint32_t entry = 0;
    std::string value;
};

struct Match
{
    std::size_t begin = 0;
    std::size_t end = 0;
    std::uint32_t entry = 0;
    std::string_view value; ///< what the value is made of

    std::size_t length() const { return end - begin; }
};

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

/// The matches that stay, by position, with their values.
std::vector<FoundEntity> withoutOverlaps(std::vector<Match>& matches, std::size_t textSize,
    const std::vector<CatalogueEntry>& entries, const Moment& now)
{
    std::sort(matches.begin(), matches.end(), [](const Match& a, const Match& b) {
        return a.length() != b.length() ? a.length() > b.length()
            : a.entry != b.entry        ? a.entry < b.entry
                                        : a.begin < b.begin;
    });
    std::vector<FoundEntity> stay;
    std::vector<bool> taken(matches.size() > 1 ? textSize : 0);
    for (const Match& match : matches) {
        // What is taken is no shorter: where they overlap, it has one end of this.
        if (!taken.empty() && (taken[match.begin] || taken[match.end - 1])) {
            continue;
        }
        auto value = normaliseValue(entries[match.entry].normaliser, match.value, now);
        if (!value) {
            continue;
        }
        if (!taken.empty()) {
            std::fill(taken.begin() + std::ptrdiff_t(match.begin),
                taken.begin() + std::ptrdiff_t(match.end), true);
        }
        stay.push_back({match.begin, match.end, match.entry, std::move(*value)});
    }
    std::sort(stay.begin(), stay.end(),
        [](const FoundEntity& a, const FoundEntity& b) { return a.begin < b.begin; });
    return stay;
}

} // namespace

struct EntityCatalogue::Data
{
    Zone zone;
    std::vector<CatalogueEntry> entries;
    std::unordered_map<std::string, std::uint32_t> typeNumbers; ///< the first entry of each type
    PatternIndex patterns;
    WordIndex words{true};
    WordIndex exactWords{false}; ///< of entries that are case-sensitive
    std::vector<Word> wordOfId;
    std::size_t lists = 0;
    Composer composer;
    CarryRules carry;

    Result<void> addWord(
        const std::string& word, std::string value, bool caseSensitive, const std::string& where)
    {
        if (wordOfId.size() >= maxWords) {
            return inputError(fmt::format("{}: at most {} words are taken", where, maxWords));
        }
        WordIndex& index = caseSensitive ? exactWords : words;
        if (word.size() > maxWordBytes || !index.add(word, std::uint32_t(wordOfId.size()))) {
            return inputError(fmt::format("{}: words: \"{}\" is refused: a word or a phrase of at "
                                          "most {} words and {} bytes is expected",
                where, word.substr(0, maxWordBytes), WordIndex::maxTokens, maxWordBytes));
        }
        wordOfId.push_back({std::uint32_t(entries.size() - 1), std::move(value)});
        return {};
    }

    /// "words" is an object of word: value, or an array of words that are their own values.
    Result<void> addWords(const json::value& list, bool caseSensitive, const std::string& where)
    {
        const Error wrong = inputError(
            where + ": words: an object of word: value or an array of words is expected");
        ++lists;
        if (const json::array* array = list.if_array()) {
            for (const json::value& word : *array) {
                if (!word.is_string()) {
                    return wrong;
                }
                const std::string text(word.get_string());
                if (auto added = addWord(text, text, caseSensitive, where); !added) {
                    return added;
                }
            }
            return {};
        }
        const json::object* object = list.if_object();
        if (object == nullptr) {
            return wrong;
        }
        for (const auto& member : *object) {
            if (!member.value().is_string()) {
                return wrong;
            }
            if (auto added = addWord(std::string(member.key()),
                    std::string(member.value().get_string()), caseSensitive, where);
                !added) {
                return added;
            }
        }
        return {};
    }

    Result<void> addEntry(const json::value& value, const std::string& where)
    {
        JsonReader in(value, where);
        CatalogueEntry entry;
        entry.type = in.string("type");
        const std::string normaliser = in.optionalString("normaliser").value_or("none");
        const auto known = normaliserFromString(normaliser);
        if (!known) {
            in.fail("normaliser", "one of " + normaliserNames() + " is expected");
        } else {
            entry.normaliser = *known;
        }
        entry.reported = in.optionalBoolean("reported").value_or(true);
        const bool caseSensitive = in.optionalBoolean("case_sensitive").value_or(false);
        const std::vector<std::string> texts = in.optionalStrings("patterns");
        const std::vector<std::string> forms = in.optionalStrings("composed");
        const std::string fixed = in.optionalString("value").value_or("");
        const json::value* list = in.optionalValue("words");
        if (entry.type.empty() && !in.failed()) {
            in.fail("type", "must not be empty");
        }
        if (texts.empty() && forms.empty() && list == nullptr && !in.failed()) {
            in.fail("patterns", "patterns, words or composed are needed");
        }
        if (!fixed.empty() && (list != nullptr || texts.empty() == forms.empty())) {
            in.fail("value", "goes with patterns or with composed; a word has its value beside it");
        }
        if (auto done = in.finish(); !done) {
            return done.error();
        }
        const std::string name = fmt::format("{} ({})", where, entry.type);
        const auto number = std::uint32_t(entries.size());
        entry.typeNumber = typeNumbers.try_emplace(entry.type, number).first->second;
        for (const std::string& form : forms) {
            if (auto added = composer.add(form, fixed, number, entries, name); !added) {
                return added;
            }
        }
        entry.fixedValue = texts.empty() ? std::string() : fixed;
        entries.push_back(std::move(entry));
        if (list != nullptr) {
            if (auto added = addWords(*list, caseSensitive, name); !added) {
                return added;
            }
        }
        for (const std::string& text : texts) {
            if (auto added = patterns.add(text, caseSensitive, number, name); !added) {
                return added;
            }
        }
        return {};
    }

    std::vector<std::string> types() const
    {
        std::vector<std::string> types;
        for (const CatalogueEntry& entry : entries) {
            if (entry.reported
                && std::find(types.begin(), types.end(), entry.type) == types.end()) {
                types.push_back(entry.type);
            }
        }
        return types;
    }

    /// Everything that patterns and lists find, overlaps included.
    void find(std::string_view text, std::vector<Match>& matches) const
    {
        thread_local std::vector<PatternIndex::Hit> patternHits;
        thread_local std::vector<WordIndex::Hit> wordHits;
        patternHits.clear();
        wordHits.clear();
        patterns.find(text, patternHits);
        words.find(text, wordHits);
        exactWords.find(text, wordHits);
        matches.reserve(patternHits.size() + wordHits.size());
        for (const PatternIndex::Hit& hit : patternHits) {
            const std::string& fixed = entries[hit.id].fixedValue;
            matches.push_back({hit.begin, hit.end, hit.id, fixed.empty() ? hit.value : fixed});
        }
        for (const WordIndex::Hit& hit : wordHits) {
            const Word& word = wordOfId[hit.id];
            matches.push_back({hit.begin, hit.end, word.entry, word.value});
        }
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
    auto data = std::make_unique<Data>();
    JsonReader in(*value, std::string(where));
    in.optionalString("description");
    auto zone = Zone::fromName(in.optionalString("zone").value_or("UTC"));
    if (!zone) {
        in.fail("zone", zone.error().message);
    } else {
        data->zone = std::move(*zone);
    }
    const json::value* list = in.optionalValue("entities");
    const json::array* entries = list == nullptr ? nullptr : list->if_array();
    if (entries == nullptr || entries->size() > maxEntries) {
        in.fail("entities", fmt::format("an array of at most {} entries is expected", maxEntries));
    }
    const json::value* carry = in.optionalValue("carry");
    if (auto done = in.finish(); !done) {
        return done.error();
    }
    for (std::size_t index = 0; index < entries->size(); ++index) {
        if (auto added =
                data->addEntry((*entries)[index], fmt::format("{}: entities[{}]", where, index));
            !added) {
            return added.error();
        }
    }
    data->patterns.finish();
    EntityCatalogue catalogue;
    if (carry != nullptr) {
        auto rules = CarryRules::fromJson(*carry, fmt::format("{}: carry", where), data->types());
        if (!rules) {
            return rules.error();
        }
        data->carry = std::move(*rules);
    }
    catalogue.m_data = std::move(data);
    return catalogue;
}

Result<EntityCatalogue> EntityCatalogue::fromFile(const std::filesystem::path& path)
{
    auto text = readFile(path, maxFileBytes);
    if (!text) {
        return text.error();
    }
    return fromJson(*text, path.string());
}

std::vector<Entity> EntityCatalogue::extract(
    std::string_view text, std::chrono::sys_seconds now) const
{
    return extract(text, now, m_data->zone);
}

std::vector<Entity> EntityCatalogue::extract(
    std::string_view text, std::chrono::sys_seconds now, const Zone& zone) const
{
    std::vector<Entity> entities;
    thread_local std::vector<Match> matches;
    matches.clear();
    m_data->find(text, matches);
    if (matches.empty()) {
        return entities;
    }
    const Moment moment{now, zone};
    auto found = withoutOverlaps(matches, text.size(), m_data->entries, moment);
    m_data->composer.compose(text, moment, m_data->entries, found);
    entities.reserve(found.size());
    for (FoundEntity& one : found) {
        const CatalogueEntry& entry = m_data->entries[one.entry];
        if (entry.reported) {
            entities.push_back(
                {entry.type, std::string(text.substr(one.begin, one.end - one.begin)),
                    std::move(one.value), {one.begin, one.end, 0, 0}, 0});
        }
    }
    countCodePoints(text, entities);
    return entities;
}

const CarryRules& EntityCatalogue::carry() const
{
    return m_data->carry;
}

std::vector<std::string> EntityCatalogue::types() const
{
    return m_data->types();
}

std::size_t EntityCatalogue::size() const
{
    return m_data->patterns.size() + m_data->lists + m_data->composer.size();
}

} // namespace sluice

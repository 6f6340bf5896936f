#include "engine/classification/entities/composer.h"

#include "engine/classification/entities/words.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <optional>

namespace sluice {

namespace {

using namespace std::chrono;

/// What stands before a first and after a last part is looked for this far away.
constexpr std::size_t reach = 64;
constexpr std::size_t maxGapBytes = 512;
constexpr int maxGapProgram = 500;
constexpr int gapMemory = 1 << 20;

re2::StringPiece pieceOf(std::string_view text)
{
    return {text.data(), text.size()};
}

/// `text` with its first number replaced: "30 euros" with "20" -> "20 euros".
std::string withNumber(std::string_view text, std::string_view number)
{
    static const RE2 first("(?i)[0-9]+(?:[.,][0-9]+)*|\\b(?:one|two|three|four|five|six|seven|eight"
                           "|nine|ten|eleven|twelve|(?:thir|four|fif|six|seven|eigh|nine)teen"
                           "|twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)\\b");
    re2::StringPiece found;
    if (!first.Match(pieceOf(text), 0, text.size(), RE2::UNANCHORED, &found, 1)) {
        return std::string(text);
    }
    const auto begin = std::size_t(found.data() - text.data());
    const auto rest = text.substr(begin + found.size());
    // "4pm" with "two" is "two pm".
    const bool grows = !number.empty() && !isAsciiDigit(number.back()) && !rest.starts_with(' ');
    return fmt::format("{}{}{}{}", text.substr(0, begin), number, grows ? " " : "", rest);
}

std::optional<local_days> dayIn(std::string_view value)
{
    int parts[3] = {};
    if (value.size() < 10 || value[4] != '-' || value[7] != '-') {
        return std::nullopt;
    }
    const char* const data = value.data();
    std::from_chars(data, data + 4, parts[0]);
    std::from_chars(data + 5, data + 7, parts[1]);
    std::from_chars(data + 8, data + 10, parts[2]);
    const year_month_day date{year(parts[0]), month(unsigned(parts[1])), day(unsigned(parts[2]))};
    return date.ok() ? std::optional<local_days>(local_days(date)) : std::nullopt;
}

/// "first/second". A bare number takes over what the other part is ("20 and 30 euros"), and an end
/// before its beginning is the next such one ("Monday to Friday", said on a Wednesday).
std::optional<std::string> rangeOf(std::string_view text, const FoundEntity& first,
    const FoundEntity& second, const std::vector<CatalogueEntry>& entries, const Moment& now)
{
    const Normaliser kinds[] = {entries[first.entry].normaliser, entries[second.entry].normaliser};
    const auto textOf = [&](const FoundEntity& part) {
        return text.substr(part.begin, part.end - part.begin);
    };
    std::optional<std::string> from = first.value;
    std::optional<std::string> to = second.value;
    if (kinds[0] == Normaliser::Number && kinds[1] != Normaliser::Number) {
        from = normaliseValue(kinds[1], withNumber(textOf(second), textOf(first)), now);
    } else if (kinds[1] == Normaliser::Number && kinds[0] != Normaliser::Number) {
        to = normaliseValue(kinds[0], withNumber(textOf(first), textOf(second)), now);
    }
    if (from && to && kinds[1] == Normaliser::Date && *to < *from) {
        if (const auto day = dayIn(*from)) {
            const Moment then{sys_seconds(day->time_since_epoch()), Zone()};
            to = normaliseValue(kinds[1], textOf(second), then);
        }
    }
    return from && to ? std::optional<std::string>(*from + "/" + *to) : std::nullopt;
}

std::string fillIn(const std::string& value, const FoundEntity* parts, std::size_t count)
{
    std::string out;
    for (std::size_t at = 0; at < value.size(); ++at) {
        const bool hole = value[at] == '{' && at + 2 < value.size() && value[at + 2] == '}';
        const auto number = hole ? std::size_t(value[at + 1] - '1') : count;
        if (number < count) {
            out += parts[number].value;
            at += 2;
        } else {
            out += value[at];
        }
    }
    return out;
}

/// The place of the next "{type}" in a form; "{2,3}" is RE2's.
struct Hole
{
    std::size_t begin = std::string::npos;
    std::size_t end = std::string::npos;
};

Hole nextHole(const std::string& form, std::size_t from)
{
    for (std::size_t at = from; at < form.size(); ++at) {
        if (form[at] == '\\') {
            ++at;
            // "\\p{Greek}" is RE2's too.
            if (std::string_view(form).substr(at).starts_with("p{")) {
                ++at;
            }
        } else if (form[at] == '{' && at + 1 < form.size() && form[at + 1] >= 'a'
            && form[at + 1] <= 'z') {
            const std::size_t end = form.find('}', at);
            return end == std::string::npos ? Hole{} : Hole{at, end + 1};
        }
    }
    return {};
}

/// What stands before, between or after parts, as a pattern of all that stands there, or of what
/// touches the part.
std::unique_ptr<RE2> gapPattern(const std::string& gap, bool isFirst, bool isLast)
{
    RE2::Options options;
    options.set_log_errors(false);
    options.set_case_sensitive(false);
    options.set_max_mem(gapMemory);
    return std::make_unique<RE2>(
        fmt::format("{}(?:{}){}", isFirst ? "" : "^", gap, isLast ? "" : "$"), options);
}

} // namespace

Result<void> Composer::add(const std::string& form, const std::string& value, std::uint32_t entry,
    const std::vector<CatalogueEntry>& entries, const std::string& where)
{
    if (m_forms.size() >= maxForms) {
        return inputError(fmt::format("{}: at most {} composed forms are taken", where, maxForms));
    }
    Form made;
    made.value = value;
    made.entry = entry;
    std::vector<std::string> gaps;
    std::size_t at = 0;
    for (Hole hole = nextHole(form, 0); hole.begin != std::string::npos;
         hole = nextHole(form, at)) {
        gaps.push_back(form.substr(at, hole.begin - at));
        const std::string type = form.substr(hole.begin + 1, hole.end - hole.begin - 2);
        const auto known = std::find_if(entries.begin(), entries.end(),
            [&](const CatalogueEntry& other) { return other.type == type; });
        if (known == entries.end()) {
            return inputError(fmt::format("{}: the form \"{}\" names the type \"{}\" at character "
                                          "{}, which no entry before it has",
                where, form, type, hole.begin + 2));
        }
        made.types.push_back(known->typeNumber);
        at = hole.end;
    }
    gaps.push_back(form.substr(at));
    if (made.types.empty() || made.types.size() > maxParts) {
        return inputError(fmt::format("{}: the form \"{}\" has {} parts; 1 to {} in braces are "
                                      "expected, as in \"{{date}} at {{time}}\"",
            where, form, made.types.size(), maxParts));
    }
    if (value.empty() && made.types.size() != 2) {
        return inputError(fmt::format("{}: a range has two parts; give a value for the {} of the "
                                      "form \"{}\"",
            where, made.types.size(), form));
    }
    for (std::size_t index = 0; index < gaps.size(); ++index) {
        if (gaps[index].empty()) {
            made.gaps.push_back(nullptr);
            continue;
        }
        const bool isLast = index + 1 == gaps.size();
        auto expression = gapPattern(gaps[index], index == 0, isLast);
        if (!expression->ok() || gaps[index].size() > maxGapBytes
            || expression->ProgramSize() > maxGapProgram) {
            return inputError(
                fmt::format("{}: the form \"{}\" is refused: what stands {} is {}", where, form,
                    index == 0   ? std::string("before its first part")
                        : isLast ? std::string("after its last part")
                                 : fmt::format("after its part {}", index),
                    expression->ok() ? "too large a pattern" : expression->error()));
        }
        made.gaps.push_back(std::move(expression));
    }
    m_forms.push_back(std::move(made));
    return {};
}

bool Composer::matches(const Form& form, std::string_view text, const FoundEntity* parts,
    const std::vector<CatalogueEntry>& entries, FoundEntity& made)
{
    const std::size_t count = form.types.size();
    for (std::size_t index = 0; index < count; ++index) {
        if (entries[parts[index].entry].typeNumber != form.types[index]) {
            return false;
        }
    }
    for (std::size_t index = 1; index < count; ++index) {
        const std::size_t begin = parts[index - 1].end;
        const auto between = text.substr(begin, parts[index].begin - begin);
        const RE2* const gap = form.gaps[index].get();
        if (gap == nullptr ? !between.empty()
                           : between.size() > reach || !RE2::PartialMatch(pieceOf(between), *gap)) {
            return false;
        }
    }
    made.begin = parts[0].begin;
    made.end = parts[count - 1].end;
    re2::StringPiece found;
    if (const RE2* const gap = form.gaps.front().get()) {
        std::size_t from = made.begin - std::min(made.begin, reach);
        while (from < made.begin && isContinuation(text[from])) {
            ++from;
        }
        const auto before = text.substr(from, made.begin - from);
        if (!gap->Match(pieceOf(before), 0, before.size(), RE2::UNANCHORED, &found, 1)) {
            return false;
        }
        made.begin -= found.size();
    }
    if (const RE2* const gap = form.gaps.back().get()) {
        const auto after = text.substr(made.end, reach);
        if (!gap->Match(pieceOf(after), 0, after.size(), RE2::ANCHOR_START, &found, 1)) {
            return false;
        }
        made.end += found.size();
    }
    return true;
}

void Composer::compose(std::string_view text, const Moment& now,
    const std::vector<CatalogueEntry>& entries, std::vector<FoundEntity>& found) const
{
    for (const Form& form : m_forms) {
        const std::size_t count = form.types.size();
        for (std::size_t at = 0; at + count <= found.size(); ++at) {
            const FoundEntity* const parts = &found[at];
            FoundEntity made;
            made.entry = form.entry;
            if (!matches(form, text, parts, entries, made)) {
                continue;
            }
            // What stands before and after must not be another entity's.
            const bool crosses = (at > 0 && found[at - 1].end > made.begin)
                || (at + count < found.size() && found[at + count].begin < made.end);
            auto value = form.value.empty() ? rangeOf(text, parts[0], parts[1], entries, now)
                                            : normaliseValue(entries[form.entry].normaliser,
                                                fillIn(form.value, parts, count), now);
            const bool cut = made.end < text.size() && isContinuation(text[made.end]);
            if (crosses || cut || !value) {
                continue;
            }
            made.value = std::move(*value);
            found[at] = std::move(made);
            const auto next = found.begin() + std::ptrdiff_t(at) + 1;
            found.erase(next, next + std::ptrdiff_t(count) - 1);
        }
    }
}

} // namespace sluice

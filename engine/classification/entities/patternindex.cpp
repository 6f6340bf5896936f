#include "engine/classification/entities/patternindex.h"

#include "engine/classification/entities/words.h"

#include <algorithm>
#include <array>
#include <fmt/format.h>

namespace sluice {

namespace {

constexpr int patternMemory = 1 << 20; ///< RE2's bound on a pattern's program and automaton
constexpr int maxGroups = 9;

// A pattern whose automaton outgrows its memory is run by RE2 instruction by instruction. A search
// is charged with the steps that this would take at most, so that these bound the time whatever
// the pattern: some 3 ns a step.
constexpr std::int64_t stepsOfPattern = 4'000'000;
constexpr std::int64_t stepsOfText = 32'000'000;
/// Longer texts are searched piece by piece, so that a search that finds something near by is not
/// charged with the whole text. A match is at most this long there.
constexpr std::size_t pieceBytes = 1024;
constexpr std::size_t firstPieceBytes = 256; ///< tried before a whole one
constexpr std::size_t overlapBytes = 256;
/// A match that ends this near to a piece's end may be longer than the piece lets it be.
constexpr std::size_t marginBytes = 64;

std::size_t toCharacter(std::string_view text, std::size_t at)
{
    while (at < text.size() && isContinuation(text[at])) {
        ++at;
    }
    return at;
}

/// Byte of the first parenthesis without its other one: an opening one if `open`.
std::size_t loneParenthesis(std::string_view pattern, bool open)
{
    std::vector<std::size_t> opened;
    bool inClass = false;
    for (std::size_t at = 0; at < pattern.size(); ++at) {
        const char c = pattern[at];
        if (c == '\\') {
            ++at;
        } else if (inClass) {
            inClass = c != ']';
        } else if (c == '[') {
            inClass = true;
            at += pattern.substr(at + 1).starts_with("^") ? 1 : 0;
            at += pattern.substr(at + 1).starts_with("]") ? 1 : 0; // stands for itself
        } else if (c == '(') {
            opened.push_back(at);
        } else if (c == ')' && opened.empty()) {
            return open ? std::string_view::npos : at;
        } else if (c == ')') {
            opened.pop_back();
        }
    }
    return open && !opened.empty() ? opened.back() : std::string_view::npos;
}

/// Byte at which RE2's complaint is; npos where it is about the whole pattern.
std::size_t positionOf(const RE2& expression, std::string_view pattern)
{
    const std::string& part = expression.error_arg();
    switch (expression.error_code()) {
    case RE2::ErrorMissingParen: {
        const std::size_t at = loneParenthesis(pattern, true);
        return at != std::string_view::npos ? at : pattern.find(part);
    }
    case RE2::ErrorUnexpectedParen:
        return loneParenthesis(pattern, false);
    case RE2::ErrorMissingBracket:
        return pattern.size() - part.size(); // it goes to the end
    case RE2::ErrorPatternTooLarge:
        return std::string_view::npos;
    default:
        break;
    }
    for (std::size_t at = 0; at < pattern.size() && !part.empty(); ++at) {
        if (pattern.substr(at).starts_with(part)) {
            return at;
        }
        at += pattern[at] == '\\' ? 1 : 0;
    }
    return std::string_view::npos;
}

std::string_view adviceOn(RE2::ErrorCode code)
{
    switch (code) {
    case RE2::ErrorMissingParen:
        return "close the parenthesis, or write \\( for the sign";
    case RE2::ErrorUnexpectedParen:
        return "open the parenthesis first, or write \\) for the sign";
    case RE2::ErrorMissingBracket:
        return "close the bracket, or write \\[ for the sign";
    case RE2::ErrorBadCharRange:
        return "write the smaller sign first; RE2's syntax has the names of classes";
    case RE2::ErrorBadCharClass:
        return "see the names of classes in RE2's syntax";
    case RE2::ErrorBadEscape:
        return "write \\\\ for a backslash; there are no back references";
    case RE2::ErrorTrailingBackslash:
        return "write \\\\ for a backslash";
    case RE2::ErrorRepeatArgument:
        return "put something to repeat before it, or write a backslash before the sign";
    case RE2::ErrorRepeatSize:
        return "repeat at most 1000 times, the smaller number first";
    case RE2::ErrorRepeatOp:
        return "repeat once, or put what is repeated into (?: )";
    case RE2::ErrorBadPerlOp:
        return "RE2 knows no look-ahead and no look-behind; mark what is meant by a group "
               "(?P<span> )";
    case RE2::ErrorBadNamedCapture:
        return "write (?P<name> ), each name once";
    case RE2::ErrorPatternTooLarge:
        return "use fewer or smaller repeats and classes";
    default:
        return "see RE2's syntax";
    }
}

std::size_t charactersIn(std::string_view text)
{
    return std::size_t(
        std::count_if(text.begin(), text.end(), [](char c) { return !isContinuation(c); }));
}

Error refusal(const RE2& expression, const std::string& pattern, const std::string& where)
{
    const std::size_t at = positionOf(expression, pattern);
    const std::string place = at >= pattern.size()
        ? std::string()
        : fmt::format(
            " at character {}", charactersIn(std::string_view(pattern).substr(0, at)) + 1);
    return inputError(fmt::format("{}: the pattern \"{}\" is refused{}: {}; {}", where, pattern,
        place, expression.error(), adviceOn(expression.error_code())));
}

RE2::Options optionsFor(bool caseSensitive)
{
    RE2::Options options;
    options.set_log_errors(false);
    options.set_case_sensitive(caseSensitive);
    options.set_max_mem(patternMemory);
    return options;
}

int groupNamed(const RE2& expression, const char* name)
{
    const auto& groups = expression.NamedCapturingGroups();
    const auto found = groups.find(name);
    return found == groups.end() ? 0 : found->second;
}

} // namespace

Result<void> PatternIndex::add(
    const std::string& pattern, bool caseSensitive, std::uint32_t id, const std::string& where)
{
    if (pattern.size() > maxPatternBytes) {
        return inputError(
            fmt::format("{}: the pattern is {} bytes long; at most {} are taken: split it", where,
                pattern.size(), maxPatternBytes));
    }
    m_bytes += pattern.size();
    if (m_patterns.size() >= maxPatterns || m_bytes > maxAllBytes) {
        return inputError(fmt::format("{}: at most {} patterns of {} MiB together are taken: give "
                                      "names as words, they cost less",
            where, maxPatterns, maxAllBytes >> 20));
    }
    const RE2::Options options = optionsFor(caseSensitive);
    auto expression = std::make_unique<RE2>(pattern, options);
    if (!expression->ok()) {
        return refusal(*expression, pattern, where);
    }
    if (expression->ProgramSize() > maxProgram) {
        return inputError(fmt::format("{}: the pattern \"{}\" is refused: it takes {} instructions "
                                      "of at most {}; use fewer or smaller repeats and classes",
            where, pattern, expression->ProgramSize(), maxProgram));
    }
    if (expression->NumberOfCapturingGroups() > maxGroups) {
        return inputError(fmt::format("{}: the pattern \"{}\" is refused: it has {} groups of at "
                                      "most {}; write (?: ) where only the value's group is meant",
            where, pattern, expression->NumberOfCapturingGroups(), maxGroups));
    }
    if (expression->Match("", 0, 0, RE2::UNANCHORED, nullptr, 0)) {
        return inputError(fmt::format(
            "{}: the pattern \"{}\" matches the empty text; ask for one character at least", where,
            pattern));
    }
    m_filter.add(pattern, options);
    Pattern made{std::move(expression), id, 0, 0};
    made.spanGroup = groupNamed(*made.expression, "span");
    made.valueGroup = groupNamed(*made.expression, "value");
    if (made.valueGroup == 0) {
        const bool any = made.expression->NumberOfCapturingGroups() > 0;
        made.valueGroup = made.spanGroup > 0 ? made.spanGroup : any ? 1 : 0;
    }
    m_patterns.push_back(std::move(made));
    return {};
}

void PatternIndex::finish()
{
    m_filter.finish();
    if (m_patterns.size() < PatternSet::minPatterns
        || m_patterns.size() > PatternSet::maxPatterns) {
        return;
    }
    auto set = std::make_unique<PatternSet>();
    const bool fits =
        std::all_of(m_patterns.begin(), m_patterns.end(), [&](const Pattern& pattern) {
            const RE2& expression = *pattern.expression;
            return set->add(expression.pattern(), expression.options().case_sensitive());
        });
    if (fits && set->finish()) {
        m_set = std::move(set);
    }
}

void PatternIndex::find(
    const Pattern& pattern, std::string_view text, std::int64_t& steps, std::vector<Hit>& hits)
{
    const re2::StringPiece piece(text.data(), text.size());
    const int groups = std::max(pattern.spanGroup, pattern.valueGroup) + 1;
    const int program = pattern.expression->ProgramSize();
    std::array<re2::StringPiece, maxGroups + 1> found;
    std::int64_t left = std::min(steps, stepsOfPattern);
    const std::int64_t granted = left;
    int matches = 0;
    const std::size_t first = text.size() <= pieceBytes ? pieceBytes : firstPieceBytes;
    std::size_t size = first;
    for (std::size_t at = 0; at < text.size() && matches < maxMatches && left > 0;) {
        const std::size_t end = toCharacter(text, std::min(text.size(), at + size));
        left -= std::int64_t(end - at) * program;
        if (!pattern.expression->Match(piece, at, end, RE2::UNANCHORED, found.data(), groups)) {
            if (end == text.size()) {
                break;
            }
            at = size < pieceBytes ? at : toCharacter(text, end - overlapBytes);
            size = pieceBytes;
            continue;
        }
        const auto begin = std::size_t(found[0].data() - text.data());
        const bool maybeCut = end < text.size() && begin + found[0].size() + marginBytes > end;
        if (maybeCut && (begin > at || size < pieceBytes)) {
            at = begin;
            size = pieceBytes;
            continue;
        }
        size = first;
        const bool hasSpan =
            pattern.spanGroup > 0 && !found[std::size_t(pattern.spanGroup)].empty();
        const re2::StringPiece& span = found[hasSpan ? std::size_t(pattern.spanGroup) : 0];
        const re2::StringPiece& group = found[std::size_t(pattern.valueGroup)];
        const re2::StringPiece& value = group.empty() ? span : group;
        const auto spanBegin = std::size_t(span.data() - text.data());
        const auto spanEnd = spanBegin + span.size();
        // "\\C" may end within a character.
        const bool whole = !span.empty() && !isContinuation(text[spanBegin])
            && (spanEnd == text.size() || !isContinuation(text[spanEnd]));
        if (whole) {
            hits.push_back({spanBegin, spanEnd, pattern.id, {value.data(), value.size()}});
            ++matches;
        }
        at = span.empty() ? toCharacter(text, begin + 1) : spanEnd;
    }
    steps -= granted - left;
}

void PatternIndex::find(std::string_view text, std::vector<Hit>& hits) const
{
    thread_local std::vector<std::uint32_t> candidates;
    if (m_set == nullptr || !m_set->matching(text, candidates)) {
        m_filter.candidates(text, candidates);
    }
    std::int64_t steps = stepsOfText;
    for (const std::uint32_t candidate : candidates) {
        find(m_patterns[candidate], text, steps, hits);
    }
}

} // namespace sluice

#include "engine/classification/entities/patternfilter.h"

#include <algorithm>
#include <numeric>
#include <re2/filtered_re2.h>
#include <unicode/uchar.h>
#include <unicode/utf8.h>

namespace sluice {

namespace {

constexpr std::size_t maxClauses = 4;

/// The longest part of an atom that stands in a text as it does here, but for ASCII case: RE2's
/// atoms are in its own lower case, which for other letters need not be ours.
std::string_view searchable(std::string_view atom)
{
    std::string_view best;
    const auto* bytes = reinterpret_cast<const std::uint8_t*>(atom.data());
    const auto length = std::int32_t(atom.size());
    std::int32_t begin = 0;
    for (std::int32_t at = 0; at < length;) {
        UChar32 c = 0;
        U8_NEXT(bytes, at, length, c);
        if (c < 0
            || (c >= 0x80
                && (u_hasBinaryProperty(c, UCHAR_CASED) != 0
                    || u_hasBinaryProperty(c, UCHAR_CHANGES_WHEN_CASEMAPPED) != 0))) {
            begin = at;
        } else if (std::size_t(at - begin) > best.size()) {
            best = atom.substr(std::size_t(begin), std::size_t(at - begin));
        }
    }
    return best;
}

/// One pattern's analysis: can it occur in a text that has just these of its atoms?
class Analysis
{
public:
    Analysis(std::string_view pattern, const RE2::Options& options)
        : m_filter(1)
    {
        int number = 0;
        m_filter.Add(re2::StringPiece(pattern.data(), pattern.size()), options, &number);
        m_filter.Compile(&m_atoms);
    }

    const std::vector<std::string>& atoms() const { return m_atoms; }

    bool occursWithout(const std::vector<bool>& missing)
    {
        std::vector<int> present;
        for (std::size_t atom = 0; atom < m_atoms.size(); ++atom) {
            if (!missing[atom]) {
                present.push_back(int(atom));
            }
        }
        std::vector<int> patterns;
        m_filter.AllPotentials(present, &patterns);
        return !patterns.empty();
    }

    /// Sets of atoms, disjoint, each of which must have one in the text; one set of all of them
    /// where there are not enough steps.
    std::vector<std::vector<std::size_t>> clauses(std::size_t& steps)
    {
        std::vector<std::vector<std::size_t>> out;
        std::vector<bool> missing(m_atoms.size(), true);
        const std::size_t needed = m_atoms.size() * m_atoms.size();
        if (needed > steps) {
            if (!occursWithout(missing)) {
                out.emplace_back(m_atoms.size());
                std::iota(out.back().begin(), out.back().end(), std::size_t(0));
            }
            return out;
        }
        steps -= needed;
        // Short atoms are let go first: long ones tell more.
        std::vector<std::size_t> order(m_atoms.size());
        std::iota(order.begin(), order.end(), std::size_t(0));
        std::sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
            return m_atoms[a].size() != m_atoms[b].size() ? m_atoms[a].size() < m_atoms[b].size()
                                                          : a < b;
        });
        while (out.size() < maxClauses && !occursWithout(missing)) {
            std::vector<bool> clause = missing;
            for (const std::size_t atom : order) {
                if (clause[atom]) {
                    clause[atom] = false;
                    clause[atom] = occursWithout(clause);
                }
            }
            out.emplace_back();
            for (std::size_t atom = 0; atom < clause.size(); ++atom) {
                if (clause[atom]) {
                    out.back().push_back(atom);
                    missing[atom] = false;
                }
            }
            if (out.back().empty()) {
                out.pop_back(); // it occurs in no text at all
                break;
            }
        }
        return out;
    }

private:
    re2::FilteredRE2 m_filter;
    std::vector<std::string> m_atoms;
};

/// About how many texts of a sentence hold a literal: few a long one, nearly all a blank.
double frequencyOf(std::string_view literal)
{
    static constexpr double ofLetters[] = {1, 0.6, 0.15, 0.03, 0.01, 0.005};
    const char first = literal.front();
    if (literal.size() == 1 && first >= '0' && first <= '9') {
        return 0.03;
    }
    if (literal.size() == 1 && (first == '.' || first == ',')) {
        return 0.3;
    }
    if (literal.size() == 1 && (first < 'a' || first > 'z')) {
        return static_cast<unsigned char>(first) <= ' ' ? 1 : 0.05;
    }
    return literal.size() < std::size(ofLetters) ? ofLetters[literal.size()] : 0.001;
}

/// RE2 takes the Kelvin sign for a k and the long s for an s; the scanner knows ASCII alone.
bool hasFoldingSigns(std::string_view text)
{
    return text.find("\xE2\x84\xAA") != std::string_view::npos
        || text.find("\xC5\xBF") != std::string_view::npos;
}

std::string withoutFoldingSigns(std::string_view text)
{
    std::string out;
    for (std::size_t at = 0; at < text.size();) {
        if (text.substr(at).starts_with("\xE2\x84\xAA")) {
            out += 'k';
            at += 3;
        } else if (text.substr(at).starts_with("\xC5\xBF")) {
            out += 's';
            at += 2;
        } else {
            out += text[at++];
        }
    }
    return out;
}

} // namespace

std::uint32_t PatternFilter::literal(std::string_view atom)
{
    const auto [entry, added] =
        m_numbers.try_emplace(std::string(atom), std::uint32_t(m_literals.size()));
    if (added) {
        m_literals.emplace_back(atom);
    }
    return entry->second;
}

void PatternFilter::add(std::string_view pattern, const RE2::Options& options)
{
    Analysis analysis(pattern, options);
    struct Rated
    {
        double frequency = 0;
        std::vector<std::string_view> literals;
    };
    std::vector<Rated> rated;
    for (const auto& atoms : analysis.clauses(m_steps)) {
        Rated clause;
        for (const std::size_t atom : atoms) {
            clause.literals.push_back(searchable(analysis.atoms()[atom]));
            clause.frequency +=
                clause.literals.back().empty() ? 1 : frequencyOf(clause.literals.back());
        }
        rated.push_back(std::move(clause));
    }
    std::sort(rated.begin(), rated.end(),
        [](const Rated& a, const Rated& b) { return a.frequency < b.frequency; });
    // What many a text meets is not worth the look, unless there is nothing better.
    std::size_t kept = 0;
    while (kept < rated.size() && rated[kept].frequency < (kept == 0 ? 1 : 0.5)) {
        ++kept;
    }
    rated.resize(kept);
    const auto number = std::uint32_t(m_patterns.size());
    std::vector<Clause>& others = m_patterns.emplace_back();
    for (const Rated& clause : rated) {
        Clause literals;
        for (const std::string_view part : clause.literals) {
            literals.push_back(literal(part));
        }
        if (&clause != &rated.front()) {
            others.push_back(std::move(literals));
            continue;
        }
        m_ofLiteral.resize(m_literals.size());
        for (const std::uint32_t first : literals) {
            m_ofLiteral[first].push_back(number);
        }
    }
    if (rated.empty()) {
        m_always.push_back(number);
    }
}

void PatternFilter::finish()
{
    m_ofLiteral.resize(m_literals.size());
    m_scanner = LiteralScanner(m_literals);
    m_numbers.clear();
}

void PatternFilter::candidates(std::string_view text, std::vector<std::uint32_t>& patterns) const
{
    thread_local LiteralScanner::Found kept; // its memory serves text after text
    LiteralScanner::Found& found = kept;
    if (hasFoldingSigns(text)) {
        m_scanner.scan(withoutFoldingSigns(text), found);
    } else {
        m_scanner.scan(text, found);
    }
    patterns.assign(m_always.begin(), m_always.end());
    for (const std::uint32_t literal : found.literals()) {
        for (const std::uint32_t pattern : m_ofLiteral[literal]) {
            const auto& others = m_patterns[pattern];
            const bool met = std::all_of(others.begin(), others.end(), [&](const Clause& clause) {
                return std::any_of(clause.begin(), clause.end(),
                    [&](std::uint32_t other) { return found.contains(other); });
            });
            if (met) {
                patterns.push_back(pattern);
            }
        }
    }
    std::sort(patterns.begin(), patterns.end());
    patterns.erase(std::unique(patterns.begin(), patterns.end()), patterns.end());
}

} // namespace sluice

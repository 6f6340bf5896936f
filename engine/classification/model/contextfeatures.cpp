#include "engine/classification/model/contextfeatures.h"

#include <algorithm>
#include <string>

namespace sluice {

namespace {

/// Name spaces of the hashes: part of the model file's format.
enum Kind : std::uint64_t
{
    LastIntent = 1,
    IntentBefore,
    TurnNumber,
    Act,
    ActKind,
    SystemWord,
};

constexpr int lastTurnNumber = 6;
/// Words of the system's text that are read: a long one says the same all over.
constexpr std::size_t maxSystemWords = 64;
constexpr std::size_t maxActs = 32;

std::string_view kindOf(std::string_view act)
{
    return act.substr(0, act.find_first_of(":("));
}

} // namespace

bool QueryContext::isEmpty() const
{
    return lastIntent.empty() && intentBefore.empty() && turn == 0 && system.empty()
        && acts.empty();
}

std::uint64_t QueryContext::digest() const
{
    if (isEmpty()) {
        return 0;
    }
    std::uint64_t hash =
        pairHash(namedHash(LastIntent, lastIntent), namedHash(IntentBefore, intentBefore));
    hash = pairHash(hash, std::uint64_t(std::min(turn, lastTurnNumber)));
    hash = pairHash(hash, namedHash(SystemWord, system));
    for (const std::string& act : acts) {
        hash = pairHash(hash, namedHash(Act, act));
    }
    return hash == 0 ? 1 : hash;
}

void appendContextFeatures(const QueryContext& context, const std::vector<std::string_view>& tokens,
    std::vector<Ngram>& out)
{
    if (context.isEmpty()) {
        return;
    }
    const auto add = [&out](std::uint64_t hash) { out.push_back({hash, NgramGroup::Context}); };
    const std::uint64_t first = tokens.empty() ? 0 : wordHash(tokens.front());
    if (!context.lastIntent.empty()) {
        const std::uint64_t last = namedHash(LastIntent, context.lastIntent);
        add(last);
        add(pairHash(last, first));
        if (!context.intentBefore.empty()) {
            const std::uint64_t before = namedHash(IntentBefore, context.intentBefore);
            add(before);
            add(pairHash(before, last));
        }
    }
    if (context.turn > 0) {
        add(namedHash(TurnNumber, std::to_string(std::min(context.turn, lastTurnNumber))));
    }
    for (const std::string& act : context.acts.first(std::min(context.acts.size(), maxActs))) {
        const std::uint64_t whole = namedHash(Act, act);
        add(whole);
        add(pairHash(whole, first));
        add(namedHash(ActKind, kindOf(act)));
    }
    std::vector<std::string_view> words = tokenise(context.system);
    words.resize(std::min(words.size(), maxSystemWords));
    std::uint64_t before = 0;
    for (const std::string_view word : words) {
        const std::uint64_t hash = namedHash(SystemWord, word);
        add(hash);
        if (before != 0) {
            add(pairHash(before, hash));
        }
        before = hash;
    }
}

} // namespace sluice

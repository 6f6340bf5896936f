#pragma once

#include "engine/base/result.h"
#include "engine/classification/entities/entity.h"
#include "engine/classification/thresholds/thresholdset.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// One past turn of a conversation.
struct Turn
{
    int number = 0; ///< from 1
    std::string intent; ///< the first candidate's label; empty after a fallback
    Verdict verdict = Verdict::Fallback;
    std::vector<Entity> entities;
    std::string predicted = {}; ///< the model's first candidate whatever the verdict; empty: rather
                                ///< out of scope. Later turns are classified with it
    bool newSubject = false; ///< turned to something else than was talked about before

    bool operator==(const Turn&) const = default;
};

/// What is remembered of a conversation: the last turns, bounded.
struct Session
{
    static constexpr std::size_t maxTurns = 8;
    static constexpr std::size_t maxIdBytes = 128;

    std::string id; ///< 1..128 bytes of printable ASCII without blanks (it travels in a header)
    int turnCount = 0; ///< turns so far, also those forgotten
    int failuresInARow = 0;
    std::vector<Turn> turns; ///< at most maxTurns, oldest first

    bool operator==(const Session&) const = default;

    /// Adds a turn under the next number, forgets the oldest beyond maxTurns, counts failures.
    void append(Turn turn);
    void append(std::string intent, Verdict verdict, std::vector<Entity> entities);

    /// What to keep when this session, whose last turn is new, meets another one in its place: that
    /// one with the new turn behind it; this one where the other holds no turn that it lacks.
    Session mergedOnto(const Session& stored) const;

    /// As it is stored: versioned, without the name (docs/FORMATS.md).
    std::string toJson() const;
    /// Members that are not known are passed over: a session may have been written by the next
    /// version. Input error where it is no session at all.
    static Result<Session> fromJson(std::string_view text);
};

/// Whether `id` may name a session (see Session::id).
bool isValidSessionId(std::string_view id);
/// 128 random bits as 32 hexadecimal digits.
std::string makeSessionId();

} // namespace sluice

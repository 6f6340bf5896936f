#pragma once

#include "engine/base/result.h"
#include "engine/classification/classifier.h"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace sluice::ops {

/// A turn as a person typed it, and what a person said it is.
struct ConversationTurn
{
    Query query;
    std::string label; ///< empty: not labelled
};

/// What was said, and the session's state as it was or as somebody made it.
struct Conversation
{
    std::string name;
    std::vector<ConversationTurn> turns;
    std::optional<Session> session;

    /// The form of a dialogue in labelled data, with the session beside it, in one line.
    std::string toJson() const;
};

/// Reads a conversation, or the first one of a file of many (`others`: how many more there are). A
/// turn without an intent is not labelled. Input error with line and reason.
Result<Conversation> readConversation(const std::filesystem::path& file, int* others = nullptr);

/// Adds a line of labelled data to `file` (made where missing): a query, or a dialogue whose turns
/// are labelled (those that are not count as out of scope, which trains nothing).
Result<void> addLabelled(const std::filesystem::path& file, const Conversation& conversation);

} // namespace sluice::ops

#pragma once

#include "engine/base/result.h"
#include "engine/classification/context/session.h"

#include <functional>
#include <optional>
#include <string_view>

namespace sluice {

/// Where sessions live between turns. Callbacks, so that one interface serves memory (called back
/// before load() returns) and Redis (called back on its event loop, never blocking it). A store
/// that is slow or gone answers with an Unreachable error within its time budget; the query is
/// then classified without context.
class SessionStore
{
public:
    using Loaded = std::function<void(Result<std::optional<Session>>)>;
    using Saved = std::function<void(Result<void>)>;

    virtual ~SessionStore() = default;

    /// nullopt: no such session (or it expired).
    virtual void load(std::string_view id, Loaded loaded) = 0;
    /// Writes the whole session and renews its life.
    virtual void save(const Session& session, Saved saved) = 0;
};

} // namespace sluice

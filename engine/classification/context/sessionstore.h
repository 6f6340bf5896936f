#pragma once

#include "engine/base/result.h"
#include "engine/classification/context/session.h"

#include <functional>
#include <optional>
#include <string_view>

namespace sluice {

/// Whether somebody waits for a write to be done.
enum class SessionWrite
{
    Behind, ///< nobody: the answer has gone out; it may take a while
    Awaited ///< a client: it has the patience of a request
};

/// Where sessions live between turns. Callbacks, so that one interface serves memory (called back
/// before load() returns) and Redis (called back on its event loop, never blocking it). A store
/// that is slow or gone answers with an Unreachable error within its time budget; the query is
/// then classified without context.
class SessionStore
{
public:
    using Loaded = std::function<void(Result<std::optional<Session>>)>;
    using Saved = std::function<void(Result<int>)>; ///< number that the turn got

    virtual ~SessionStore() = default;

    /// nullopt: no such session (or it expired).
    virtual void load(std::string_view id, Loaded loaded) = 0;
    /// Adds the last turn of `session`, which is as it was loaded and one turn more, and renews its
    /// life. Another turn that was saved since it was loaded stays, and this one comes after it.
    virtual void save(Session session, SessionWrite write, Saved saved) = 0;
};

} // namespace sluice

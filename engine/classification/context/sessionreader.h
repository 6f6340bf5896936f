#pragma once

#include "engine/classification/context/session.h"

#include <string_view>

namespace sluice {

/// Reads a session document that is exactly as Session::toJson() writes it today, and plain: ASCII
/// without escapes. False for any other, which is left to the general reader; `session` then holds
/// no more than part of it. Five times as quick as that one, which a worker feels.
bool readPlainSession(std::string_view text, Session& session);

} // namespace sluice

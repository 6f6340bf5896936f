#pragma once

#include "engine/base/result.h"
#include "engine/reporting/errorreport.h"

#include <filesystem>
#include <vector>

namespace sluice {

/// From now on a crash of this process (SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT) leaves a note in
/// `folder`: signal, time, addresses of the stack and what was mapped where. The process then ends
/// as it would have, with its core. A crashing process can do no more than write a file, so the
/// next start reports it. Input error when the folder can't be written.
Result<void> noteCrashes(const std::filesystem::path& folder);

/// The notes that earlier processes left in `folder`, oldest first, and removes them. Of several
/// processes that ask at once each note goes to one.
std::vector<ErrorReport> takeCrashNotes(const std::filesystem::path& folder);

} // namespace sluice

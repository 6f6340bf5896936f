#pragma once

#include <cstdint>

namespace sluice::service {

/// Resident memory of this process, bytes; 0 where it can't be read.
std::uint64_t residentBytes();
/// Processor time of this process, user and system, seconds.
double cpuSeconds();

} // namespace sluice::service

#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>

namespace sluice::service {

/// Resident memory of this process, bytes; 0 where it can't be read.
std::uint64_t residentBytes();
/// What this process's memory is limited to, bytes: the least of what its control group and those
/// above it (version 1 or 2) allow, else the machine's memory. `root` is where /proc and
/// /sys/fs/cgroup stand.
std::uint64_t memoryLimitBytes(const std::filesystem::path& root = "/");
/// Processor time of this process, user and system, seconds.
double cpuSeconds();
/// Open file descriptors; 0 where they can't be counted.
std::size_t openFiles();
/// Most file descriptors that may be open (RLIMIT_NOFILE).
std::uint64_t maxOpenFiles();

} // namespace sluice::service

#include "engine/service/process.h"

#include <algorithm>
#include <cstdio>
#include <fstream>
#include <string>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sluice::service {

namespace {

/// A limit file's number; nothing smaller than `least` for "max" or a file that isn't there.
std::uint64_t least(std::uint64_t soFar, const std::filesystem::path& file)
{
    std::ifstream in(file);
    std::uint64_t limit = 0;
    return in >> limit ? std::min(soFar, limit) : soFar;
}

} // namespace

std::uint64_t residentBytes()
{
    std::FILE* file = std::fopen("/proc/self/statm", "re");
    if (file == nullptr) {
        return 0;
    }
    unsigned long long size = 0;
    unsigned long long resident = 0;
    const int read = std::fscanf(file, "%llu %llu", &size, &resident);
    std::fclose(file);
    return read == 2 ? resident * std::uint64_t(::sysconf(_SC_PAGESIZE)) : 0;
}

std::uint64_t memoryLimitBytes(const std::filesystem::path& root)
{
    std::uint64_t limit =
        std::uint64_t(::sysconf(_SC_PHYS_PAGES)) * std::uint64_t(::sysconf(_SC_PAGESIZE));
    std::ifstream groups(root / "proc/self/cgroup");
    for (std::string line; std::getline(groups, line);) {
        // "hierarchy:controllers:/path"; no controllers: version 2
        const auto first = line.find(':');
        const auto second = line.find(':', first + 1);
        if (second == std::string::npos) {
            continue;
        }
        const std::string controllers = line.substr(first + 1, second - first - 1);
        const bool unified = controllers.empty();
        if (!unified && controllers.find("memory") == std::string::npos) {
            continue;
        }
        const std::filesystem::path top = root / "sys/fs/cgroup" / (unified ? "" : "memory");
        const char* name = unified ? "memory.max" : "memory.limit_in_bytes";
        std::filesystem::path group = line.substr(second + 1);
        for (; group.has_relative_path(); group = group.parent_path()) {
            limit = least(limit, top / group.relative_path() / name);
        }
        limit = least(limit, top / name);
    }
    return limit;
}

double cpuSeconds()
{
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return double(time.tv_sec) + double(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

std::size_t openFiles()
{
    // Since Linux 6.2 the folder's size is their number; counting 10,000 would take milliseconds.
    struct stat folder
    { };
    if (::stat("/proc/self/fd", &folder) == 0 && folder.st_size > 0) {
        return std::size_t(folder.st_size);
    }
    std::error_code code;
    std::size_t count = 0;
    std::filesystem::directory_iterator file("/proc/self/fd", code);
    for (; !code && file != std::filesystem::directory_iterator(); file.increment(code)) {
        ++count;
    }
    return count == 0 ? 0 : count - 1; // less the one that looks
}

std::uint64_t maxOpenFiles()
{
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    return limit.rlim_cur;
}

} // namespace sluice::service

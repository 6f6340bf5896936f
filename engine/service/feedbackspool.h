#pragma once

#include "engine/base/result.h"

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::service {

/// Lines that wait in a file, for a process that may be ended at any time: one write(2) a line,
/// each with its CRC-32 in front, so that a line cut off or damaged is known and passed over. The
/// file is locked (flock) by who has it open. Not thread-safe.
///
/// A line survives the end of the process once append() returned. A machine that loses its power
/// may lose the last second: sync() is for the owner to call so often, on a thread that may wait.
class FeedbackSpool
{
public:
    /// Opens `path`, made where it is missing, with what an earlier process left in it. Refused
    /// where another process has it open; Input error where it can't be made or read.
    static Result<std::unique_ptr<FeedbackSpool>> open(
        const std::filesystem::path& path, std::size_t maxBytes);
    ~FeedbackSpool();
    FeedbackSpool(const FeedbackSpool&) = delete;
    FeedbackSpool& operator=(const FeedbackSpool&) = delete;

    /// Adds a line (without line feeds). Refused when the file is full, or the disk.
    Result<void> append(std::string_view line);

    /// The first lines that wait, at most `most`; they stay until drop().
    std::vector<std::string> front(std::size_t most);
    /// Forgets what front() gave last.
    void drop();

    bool isEmpty() const { return m_begin == m_end; }
    std::size_t lines() const { return m_lines; } ///< waiting
    std::size_t damaged() const { return m_damaged; } ///< lines that could not be read
    Result<void> sync() const; ///< fdatasync(2)

private:
    FeedbackSpool(int file, std::size_t maxBytes);
    Result<void> scan();
    std::string readFrom(std::uint64_t begin, std::size_t most) const;

    int m_file;
    std::size_t m_maxBytes;
    std::uint64_t m_begin = 0; ///< of what waits
    std::uint64_t m_end = 0;
    std::uint64_t m_givenTo = 0; ///< end of what front() gave last
    std::size_t m_given = 0; ///< lines in it
    std::size_t m_lines = 0;
    std::size_t m_damaged = 0;
};

} // namespace sluice::service

#pragma once

#include "engine/base/result.h"

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

namespace sluice {

/// A file that lines are added to, rotated by size: NAME is full -> NAME.1 -> NAME.2 ... What can't
/// be written (full disk, folder gone) is dropped and counted, and the next line tries again: no
/// call throws, and none waits for more than the file system. Not thread-safe.
class LogFile
{
public:
    /// `maxBytes` a file, `keep` old ones. Input error when the file can't be opened.
    static Result<std::unique_ptr<LogFile>> open(
        std::filesystem::path path, std::uint64_t maxBytes, int keep);
    ~LogFile();
    LogFile(const LogFile&) = delete;
    LogFile& operator=(const LogFile&) = delete;

    /// Adds a line, its newline included. Kept in memory until flush() or 64 KiB are full.
    void write(std::string_view line);
    void flush();
    /// Opens the file anew: somebody else has moved it away.
    void reopen();

    std::uint64_t dropped() const { return m_dropped; } ///< lines, since the start
    const std::string& cause() const { return m_cause; } ///< of the last drop; empty: all is well

private:
    LogFile(std::filesystem::path path, std::uint64_t maxBytes, int keep);
    bool openFile();
    void closeFile();
    void rotate();
    bool writeOut(std::string_view bytes);

    std::filesystem::path m_path;
    std::uint64_t m_maxBytes;
    int m_keep;
    int m_descriptor = -1;
    std::uint64_t m_size = 0;
    std::string m_buffer;
    std::uint64_t m_bufferedLines = 0;
    std::uint64_t m_dropped = 0;
    std::string m_cause;
    bool m_torn = false; ///< the file ends in the middle of a line
};

} // namespace sluice

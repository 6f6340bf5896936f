#include "engine/service/feedbackspool.h"

#include <algorithm>
#include <boost/crc.hpp>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <fmt/format.h>
#include <optional>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sluice::service {

namespace {

constexpr std::size_t crcDigits = 8;
constexpr std::size_t maxLine = 64 * 1024;

std::uint32_t crcOf(std::string_view text)
{
    boost::crc_32_type crc;
    crc.process_bytes(text.data(), text.size());
    return crc.checksum();
}

/// The line behind its CRC; nothing where it does not fit.
std::optional<std::string_view> checked(std::string_view line)
{
    if (line.size() <= crcDigits || line[crcDigits] != ' ') {
        return {};
    }
    std::uint32_t crc = 0;
    const auto [end, code] = std::from_chars(line.data(), line.data() + crcDigits, crc, 16);
    const std::string_view text = line.substr(crcDigits + 1);
    if (code != std::errc() || end != line.data() + crcDigits || crc != crcOf(text)) {
        return {};
    }
    return text;
}

} // namespace

FeedbackSpool::FeedbackSpool(int file, std::size_t maxBytes)
    : m_file(file)
    , m_maxBytes(maxBytes)
{ }

FeedbackSpool::~FeedbackSpool()
{
    ::close(m_file);
}

Result<std::unique_ptr<FeedbackSpool>> FeedbackSpool::open(
    const std::filesystem::path& path, std::size_t maxBytes)
{
    const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file < 0) {
        return inputError(fmt::format("{}: {}; feedback needs a folder that can be written",
            path.string(), std::strerror(errno)));
    }
    std::unique_ptr<FeedbackSpool> spool(new FeedbackSpool(file, maxBytes));
    if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
        return refusedError(path.string() + " is in use by another process");
    }
    if (auto scanned = spool->scan(); !scanned) {
        return inputError(path.string() + ": " + scanned.error().message);
    }
    return spool;
}

/// Counts what an earlier process left, and cuts off a line that it did not finish.
Result<void> FeedbackSpool::scan()
{
    struct stat status
    { };
    if (::fstat(m_file, &status) != 0) {
        return inputError(std::strerror(errno));
    }
    std::uint64_t at = 0;
    while (at < std::uint64_t(status.st_size)) {
        const std::string chunk = readFrom(at, maxLine);
        const std::size_t last = chunk.rfind('\n');
        if (last == std::string::npos) {
            ++m_damaged;
            break;
        }
        m_lines += std::size_t(std::count(chunk.begin(), chunk.end(), '\n'));
        at += last + 1;
    }
    m_end = at;
    if (at != std::uint64_t(status.st_size) && ::ftruncate(m_file, off_t(at)) != 0) {
        return inputError(std::strerror(errno));
    }
    return {};
}

std::string FeedbackSpool::readFrom(std::uint64_t begin, std::size_t most) const
{
    std::string chunk(most, '\0');
    const ssize_t got = ::pread(m_file, chunk.data(), chunk.size(), off_t(begin));
    chunk.resize(got > 0 ? std::size_t(got) : 0);
    return chunk;
}

Result<void> FeedbackSpool::append(std::string_view line)
{
    const std::string record = fmt::format("{:08x} {}\n", crcOf(line), line);
    if (record.size() > maxLine || m_end + record.size() > m_maxBytes) {
        return refusedError(fmt::format("{} bytes of feedback wait already: no more are taken "
                                        "until Redis is back",
            m_end));
    }
    const ssize_t written = ::pwrite(m_file, record.data(), record.size(), off_t(m_end));
    if (written != ssize_t(record.size())) {
        const int reason = written < 0 ? errno : ENOSPC;
        // What is behind the end is never read; cut, it leaves room on a disk that is full.
        if (::ftruncate(m_file, off_t(m_end)) != 0) {
            return refusedError(std::string("feedback can't be kept: ") + std::strerror(errno));
        }
        return refusedError(std::string("feedback can't be kept: ") + std::strerror(reason));
    }
    m_end += record.size();
    ++m_lines;
    return {};
}

std::vector<std::string> FeedbackSpool::front(std::size_t most)
{
    std::vector<std::string> lines;
    m_givenTo = m_begin;
    m_given = 0;
    while (lines.size() < most && m_givenTo < m_end) {
        const std::string chunk =
            readFrom(m_givenTo, std::size_t(std::min<std::uint64_t>(maxLine, m_end - m_givenTo)));
        std::size_t at = 0;
        for (std::size_t end = chunk.find('\n'); end != std::string::npos && lines.size() < most;
             at = end + 1, end = chunk.find('\n', at)) {
            ++m_given;
            if (const auto text = checked(std::string_view(chunk).substr(at, end - at))) {
                lines.emplace_back(*text);
            } else {
                ++m_damaged;
            }
        }
        if (at == 0) {
            m_givenTo = m_end; // unreadable: nothing can be told of what is left
            break;
        }
        m_givenTo += at;
    }
    if (lines.empty() && m_givenTo == m_end) {
        drop();
    }
    return lines;
}

void FeedbackSpool::drop()
{
    m_begin = m_givenTo;
    m_lines -= std::min(m_lines, m_given);
    if (m_begin == m_end && ::ftruncate(m_file, 0) == 0) {
        m_begin = m_end = m_givenTo = 0;
        m_lines = 0;
    }
}

Result<void> FeedbackSpool::sync() const
{
    if (::fdatasync(m_file) != 0) {
        return refusedError(std::strerror(errno));
    }
    return {};
}

} // namespace sluice::service

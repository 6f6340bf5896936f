#include "engine/reporting/logfile.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sluice {

namespace {

constexpr std::size_t bufferBytes = 64 * 1024;

std::filesystem::path numbered(const std::filesystem::path& path, int number)
{
    return number == 0 ? path : std::filesystem::path(path.string() + "." + std::to_string(number));
}

} // namespace

LogFile::LogFile(std::filesystem::path path, std::uint64_t maxBytes, int keep)
    : m_path(std::move(path))
    , m_maxBytes(maxBytes)
    , m_keep(keep)
{ }

LogFile::~LogFile()
{
    flush();
    closeFile();
}

Result<std::unique_ptr<LogFile>> LogFile::open(
    std::filesystem::path path, std::uint64_t maxBytes, int keep)
{
    std::unique_ptr<LogFile> file(new LogFile(std::move(path), maxBytes, keep));
    if (!file->openFile()) {
        return inputError("cannot write the log " + file->m_path.string()
                + ": choose a file in a folder that is there and writable",
            file->m_cause);
    }
    return file;
}

bool LogFile::openFile()
{
    m_descriptor = ::open(m_path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
    struct stat about
    { };
    if (m_descriptor < 0 || ::fstat(m_descriptor, &about) != 0) {
        m_cause = std::strerror(errno);
        closeFile();
        return false;
    }
    m_size = std::uint64_t(about.st_size);
    m_torn = false;
    return true;
}

void LogFile::closeFile()
{
    if (m_descriptor >= 0) {
        ::close(m_descriptor);
        m_descriptor = -1;
    }
}

void LogFile::reopen()
{
    flush();
    closeFile();
    openFile();
}

void LogFile::rotate()
{
    std::error_code ignored;
    for (int number = m_keep; number > 0; --number) {
        std::filesystem::rename(numbered(m_path, number - 1), numbered(m_path, number), ignored);
    }
    if (m_keep == 0) {
        std::filesystem::remove(m_path, ignored);
    }
    closeFile();
    openFile();
}

void LogFile::write(std::string_view line)
{
    m_buffer += line;
    ++m_bufferedLines;
    if (m_buffer.size() >= bufferBytes) {
        flush();
    }
}

void LogFile::flush()
{
    if (m_buffer.empty()) {
        return;
    }
    if (m_descriptor >= 0 && m_size > 0 && m_size + m_buffer.size() > m_maxBytes) {
        rotate();
    }
    if (m_descriptor < 0) {
        openFile();
    }
    if (m_torn) {
        m_buffer.insert(m_buffer.begin(), '\n');
    }
    if (m_descriptor < 0 || !writeOut(m_buffer)) {
        m_dropped += m_bufferedLines;
    } else {
        m_cause.clear();
    }
    m_buffer.clear();
    m_bufferedLines = 0;
}

bool LogFile::writeOut(std::string_view bytes)
{
    std::size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t wrote = ::write(m_descriptor, bytes.data() + done, bytes.size() - done);
        if (wrote < 0 && errno == EINTR) {
            continue;
        }
        if (wrote <= 0) {
            m_cause = std::strerror(errno);
            m_torn = done > 0 ? bytes[done - 1] != '\n' : m_torn;
            return false;
        }
        done += std::size_t(wrote);
        m_size += std::uint64_t(wrote);
    }
    m_torn = false;
    return true;
}

} // namespace sluice

#include "engine/base/file.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

namespace sluice {

namespace fs = std::filesystem;

namespace {

std::string systemText(int code)
{
    return std::error_code(code, std::generic_category()).message();
}

class Descriptor
{
public:
    explicit Descriptor(int fd)
        : m_fd(fd)
    { }
    ~Descriptor() { close(); }
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;

    int get() const { return m_fd; }
    bool close()
    {
        const int fd = std::exchange(m_fd, -1);
        return fd < 0 || ::close(fd) == 0;
    }

private:
    int m_fd;
};

} // namespace

Result<std::string> readFile(const fs::path& path, std::size_t maxBytes)
{
    Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    if (file.get() < 0) {
        return inputError("cannot read " + path.string(), systemText(errno));
    }
    struct stat info
    { };
    if (::fstat(file.get(), &info) != 0) {
        return inputError("cannot read " + path.string(), systemText(errno));
    }
    if (S_ISDIR(info.st_mode)) {
        return inputError("cannot read " + path.string() + ": it is a folder, not a file");
    }
    std::string content;
    content.reserve(info.st_size > 0 ? std::size_t(info.st_size) : 0);
    char buffer[65536];
    for (;;) {
        const ssize_t got = ::read(file.get(), buffer, sizeof buffer);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return inputError("cannot read " + path.string(), systemText(errno));
        }
        if (got == 0) {
            return content;
        }
        if (content.size() + std::size_t(got) > maxBytes) {
            return inputError(path.string() + " is larger than the " + std::to_string(maxBytes)
                + " bytes that are read here");
        }
        content.append(buffer, std::size_t(got));
    }
}

Result<void> writeFileAtomically(const fs::path& path, std::string_view content, bool privateMode)
{
    std::string temporary = path.string() + ".XXXXXX";
    Descriptor file(::mkostemp(temporary.data(), O_CLOEXEC));
    const auto failed = [&](const char* what) -> Error {
        Error error =
            inputError(std::string("cannot ") + what + " " + path.string(), systemText(errno));
        ::unlink(temporary.c_str());
        return error;
    };
    if (file.get() < 0) {
        return inputError("cannot write " + path.string(), systemText(errno));
    }
    if (!privateMode && ::fchmod(file.get(), 0644) != 0) {
        return failed("set the mode of");
    }
    while (!content.empty()) {
        const ssize_t written = ::write(file.get(), content.data(), content.size());
        if (written < 0 && errno == EINTR) {
            continue;
        }
        if (written < 0) {
            return failed("write");
        }
        content.remove_prefix(std::size_t(written));
    }
    if (::fsync(file.get()) != 0 || !file.close()) {
        return failed("write");
    }
    if (::rename(temporary.c_str(), path.c_str()) != 0) {
        return failed("replace");
    }
    return {};
}

Result<void> ensureWritableFolder(const fs::path& folder)
{
    const fs::path here = folder.empty() ? fs::path(".") : folder;
    std::error_code code;
    fs::create_directories(here, code);
    if (code) {
        return inputError("cannot make the folder " + here.string(), code.message());
    }
    std::string probe = (here / ".sluice-probe-XXXXXX").string();
    Descriptor file(::mkostemp(probe.data(), O_CLOEXEC));
    if (file.get() < 0) {
        return inputError("cannot write in the folder " + here.string(), systemText(errno));
    }
    ::unlink(probe.c_str());
    return {};
}

} // namespace sluice

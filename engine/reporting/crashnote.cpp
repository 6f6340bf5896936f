#include "engine/reporting/crashnote.h"

#include "engine/base/file.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <execinfo.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sstream>
#include <unistd.h>

namespace sluice {

namespace {

constexpr std::array<int, 5> deadly{SIGSEGV, SIGBUS, SIGILL, SIGFPE, SIGABRT};
constexpr std::size_t stackBytes = std::size_t(64) * 1024;
constexpr int maxFrames = 64;

// What the handler needs, made before: it may allocate nothing.
char notePath[4096];
char alternativeStack[stackBytes];

const char* nameOf(int number)
{
    switch (number) {
    case SIGSEGV:
        return "SIGSEGV";
    case SIGBUS:
        return "SIGBUS";
    case SIGILL:
        return "SIGILL";
    case SIGFPE:
        return "SIGFPE";
    default:
        return "SIGABRT";
    }
}

void put(int file, const char* text, std::size_t length)
{
    while (length > 0) {
        const ssize_t wrote = ::write(file, text, length);
        if (wrote <= 0) {
            return;
        }
        text += wrote;
        length -= std::size_t(wrote);
    }
}

void putLine(int file, const char* key, std::uint64_t value)
{
    char text[64];
    std::size_t length = 0;
    while (*key != '\0') {
        text[length++] = *key++;
    }
    char digits[16];
    int count = 0;
    do {
        digits[count++] = "0123456789abcdef"[value % 16];
        value /= 16;
    } while (value != 0);
    while (count > 0) {
        text[length++] = digits[--count];
    }
    text[length++] = '\n';
    put(file, text, length);
}

void copyMaps(int file)
{
    const int maps = ::open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
    if (maps < 0) {
        return;
    }
    char part[4096];
    for (ssize_t got = ::read(maps, part, sizeof part); got > 0;
         got = ::read(maps, part, sizeof part)) {
        put(file, part, std::size_t(got));
    }
    ::close(maps);
}

/// Calls nothing that is not safe in a signal handler (backtrace() is, once its library is loaded).
void onDeadlySignal(int number)
{
    const int file = ::open(notePath, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file >= 0) {
        putLine(file, "signal ", std::uint64_t(number));
        putLine(file, "time ", std::uint64_t(::time(nullptr)));
        void* frames[maxFrames];
        const int count = ::backtrace(frames, maxFrames);
        for (int index = 0; index < count; ++index) {
            putLine(file, "frame ", reinterpret_cast<std::uint64_t>(frames[index]));
        }
        copyMaps(file);
        ::close(file);
    }
    ::raise(number); // the handler is reset: ends as without us
}

struct Mapping
{
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    std::string image;
};

bool readHex(std::string_view text, std::uint64_t& value)
{
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value, 16);
    return code == std::errc() && end == text.data() + text.size();
}

ErrorReport read(const std::string& note)
{
    ErrorReport report;
    report.level = "fatal";
    std::vector<std::uint64_t> addresses;
    std::vector<Mapping> mappings;
    std::istringstream in(note);
    for (std::string line; std::getline(in, line);) {
        const std::string_view text = line;
        const auto blank = std::min(text.find(' '), text.size());
        const std::string_view key = text.substr(0, blank);
        std::uint64_t value = 0;
        readHex(text.substr(std::min(blank + 1, text.size())), value);
        if (key == "signal") {
            report.signal = nameOf(int(value));
        } else if (key == "time") {
            report.time = std::chrono::system_clock::from_time_t(std::time_t(value));
        } else if (key == "frame") {
            addresses.push_back(value);
        } else if (const auto dash = key.find('-'), slash = text.find('/');
                   dash != std::string_view::npos && slash != std::string_view::npos) {
            Mapping mapping; // 7f0c1000-7f0c3000 r-xp 00001000 08:01 123 /usr/lib/libc.so.6
            if (readHex(key.substr(0, dash), mapping.begin)
                && readHex(key.substr(dash + 1), mapping.end)) {
                mapping.image = std::string(text.substr(slash));
                mappings.push_back(std::move(mapping));
            }
        }
    }
    for (auto address = addresses.rbegin(); address != addresses.rend(); ++address) {
        ErrorReport::Frame frame{{}, *address, 0};
        for (const Mapping& mapping : mappings) {
            if (*address >= mapping.begin && *address < mapping.end) {
                frame.image = mapping.image;
            }
        }
        const auto first = std::find_if(mappings.begin(), mappings.end(),
            [&](const Mapping& mapping) { return mapping.image == frame.image; });
        frame.base = first == mappings.end() ? 0 : first->begin;
        report.frames.push_back(std::move(frame));
    }
    report.message = fmt::format("an earlier process crashed ({})", report.signal);
    return report;
}

} // namespace

Result<void> noteCrashes(const std::filesystem::path& folder)
{
    if (auto writable = ensureWritableFolder(folder); !writable) {
        return writable.error();
    }
    const std::string path =
        (folder / fmt::format("crash-{}-{}.note", ::time(nullptr), ::getpid())).string();
    if (path.size() >= sizeof notePath) {
        return inputError("the name of the crash folder is too long: " + folder.string());
    }
    std::memcpy(notePath, path.c_str(), path.size() + 1);
    void* frame[1];
    ::backtrace(frame, 1); // loads what it needs, so that the handler doesn't
    stack_t stack{};
    stack.ss_sp = alternativeStack;
    stack.ss_size = sizeof alternativeStack;
    ::sigaltstack(&stack, nullptr); // a stack that overflowed is none to work on
    struct sigaction action
    { };
    action.sa_handler = onDeadlySignal;
    action.sa_flags = SA_ONSTACK | int(SA_RESETHAND) | SA_NODEFER;
    ::sigemptyset(&action.sa_mask);
    for (const int number : deadly) {
        ::sigaction(number, &action, nullptr);
    }
    return {};
}

std::vector<ErrorReport> takeCrashNotes(const std::filesystem::path& folder)
{
    std::vector<std::filesystem::path> notes;
    std::error_code code;
    std::filesystem::directory_iterator file(folder, code);
    for (; !code && file != std::filesystem::directory_iterator(); file.increment(code)) {
        const std::string name = file->path().filename().string();
        if (name.starts_with("crash-") && name.ends_with(".note")) {
            notes.push_back(file->path());
        }
    }
    std::sort(notes.begin(), notes.end());
    std::vector<ErrorReport> reports;
    for (const auto& note : notes) {
        const std::filesystem::path mine = note.string() + "." + std::to_string(::getpid());
        std::filesystem::rename(note, mine, code);
        if (code) {
            continue; // another process was faster
        }
        if (const auto text = readFile(mine, std::size_t(1) << 20)) {
            reports.push_back(read(*text));
        }
        std::filesystem::remove(mine, code);
    }
    return reports;
}

} // namespace sluice

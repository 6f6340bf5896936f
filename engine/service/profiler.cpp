#include "engine/service/profiler.h"

#include "engine/base/file.h"

#include <dlfcn.h>
#include <filesystem>
#include <unistd.h>

namespace sluice::service {

namespace {

constexpr const char* library = "libprofiler.so.0";

template <typename Function> Function* find(void* from, const char* name)
{
    return reinterpret_cast<Function*>(::dlsym(from, name));
}

} // namespace

Profiler::~Profiler()
{
    if (!m_file.empty()) {
        [[maybe_unused]] const auto dropped = finish();
    }
}

void Profiler::start(std::chrono::seconds duration, Done done)
{
    if (!m_file.empty()) {
        done(refusedError("a profile is being taken: ask again when it is done"));
        return;
    }
    void* const profiler = ::dlopen(library, RTLD_NOW | RTLD_GLOBAL);
    auto* const begin =
        profiler == nullptr ? nullptr : find<int(const char*)>(profiler, "ProfilerStart");
    m_stop = profiler == nullptr ? nullptr : find<void()>(profiler, "ProfilerStop");
    if (begin == nullptr || m_stop == nullptr) {
        done(inputError("gperftools' profiler is not installed: install libgoogle-perftools4"));
        return;
    }
    std::error_code code;
    const auto folder = std::filesystem::temp_directory_path(code);
    std::string file = (folder / "sluiced-profile-XXXXXX").string();
    const int descriptor = ::mkstemp(file.data()); // made here, so that nobody else's is written to
    if (descriptor < 0) {
        done(internalError("cannot write a profile in " + folder.string()));
        return;
    }
    ::close(descriptor);
    m_file = file;
    if (begin(file.c_str()) == 0) {
        [[maybe_unused]] const auto dropped = finish();
        done(internalError("the profiler did not begin: is another one at work in this process?"));
        return;
    }
    m_timer.expires_after(duration);
    m_timer.async_wait([this, done = std::move(done)](const boost::system::error_code& ended) {
        if (!ended) {
            done(finish());
        }
    });
}

Result<std::string> Profiler::finish()
{
    m_stop();
    auto profile = readFile(m_file, std::size_t(64) << 20);
    std::error_code ignored;
    std::filesystem::remove(m_file, ignored);
    m_file.clear();
    return profile;
}

} // namespace sluice::service

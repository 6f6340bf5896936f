#pragma once

#include "engine/base/result.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <functional>
#include <string>

namespace sluice::service {

/// Samples the process's processor time with gperftools' profiler. The library is loaded when it is
/// first asked for, so that a worker that nobody profiles carries none of it.
class Profiler
{
public:
    /// The profile as `google-pprof` reads it; Refused while another is taken, Input where the
    /// profiler is not installed, Internal when it can't begin.
    using Done = std::function<void(Result<std::string> profile)>;

    explicit Profiler(boost::asio::io_context& loop)
        : m_timer(loop)
    { }
    ~Profiler();
    Profiler(const Profiler&) = delete;
    Profiler& operator=(const Profiler&) = delete;

    /// `done` is called exactly once, on the loop's thread, `duration` later, or before start()
    /// returns when it can't begin; never when the loop ends before.
    void start(std::chrono::seconds duration, Done done);

private:
    Result<std::string> finish();

    boost::asio::steady_timer m_timer;
    std::string m_file; ///< where it is written meanwhile; empty: none is taken
    void (*m_stop)() = nullptr;
};

} // namespace sluice::service

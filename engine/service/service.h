#pragma once

#include "engine/base/result.h"
#include "engine/service/configuration.h"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace sluice::service {

/// A worker: classifier, sessions, threshold sets and HTTP on one event loop.
class Service
{
public:
    /// What the time of day is, for rules, dates and records. It may step; how long something takes
    /// is measured by another one.
    using Clock = std::function<std::chrono::sys_seconds()>;
    static std::chrono::sys_seconds systemClock();

    /// Loads and binds; Input error when the model is bad or the port in use. `version` is told in
    /// info and metrics; `reread` reads the configuration anew when SIGHUP asks for it (none: what
    /// was given is applied again, with the files it names).
    static Result<std::unique_ptr<Service>> make(const Configuration& configuration,
        const std::string& version, const Clock& clock = systemClock,
        std::function<LoadedConfiguration()> reread = nullptr);
    ~Service();

    std::uint16_t port() const;
    /// Serves until a signal (SIGTERM, SIGINT) or stop() has drained it. A second signal ends at
    /// once.
    void run();
    void stop(); ///< from any thread
    /// As SIGHUP, from any thread: certificates, tokens, limits and log level are taken from the
    /// configuration; connections stay. What is wrong with it is logged, and all stays as it was.
    void reload();

private:
    class Private;
    explicit Service(std::unique_ptr<Private> d);
    std::unique_ptr<Private> d;
};

} // namespace sluice::service

#pragma once

#include "engine/classification/classifier.h"
#include "engine/classification/context/rediscommands.h"
#include "engine/classification/thresholds/decisionrow.h"
#include "engine/service/configuration.h"
#include "engine/service/privacy.h"

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace sluice::service {

/// Writes a share of the decisions to the stream `sluice:decisions` (XADD MAXLEN ~; a field `row`,
/// a DecisionRow). Which: whole sessions, by a hash of their name that every worker reckons alike;
/// a query without one stands for itself. Nothing waits for it: a row that finds Redis away, or
/// `queue` rows not yet answered, is dropped and counted. Everything happens on the event loop's
/// thread.
class DecisionLog
{
public:
    struct Counts
    {
        std::uint64_t written = 0;
        std::uint64_t dropped = 0;
    };
    static constexpr std::string_view stream = "sluice:decisions";

    /// `redis` nullptr: nothing is logged. All references must outlive it.
    DecisionLog(DecisionLogSettings settings, const Privacy& privacy, RedisCommands* redis,
        std::string pool, std::string version);

    /// Whether the decisions of this session (or, without one, of this request) are logged.
    bool samples(std::string_view session) const;

    /// A decision that was served, if it is among the sampled ones. `sampledBy`: the session's
    /// name, given by the client or made for it.
    void add(const Answer& answer, std::string_view query, std::string_view sampledBy,
        const std::string& requestId, const Classifier& classifier,
        std::chrono::steady_clock::time_point received);

    Counts counts() const { return *m_counts; }

private:
    DecisionLogSettings m_settings;
    const Privacy& m_privacy;
    RedisCommands* m_redis;
    std::string m_pool;
    std::string m_version;
    std::shared_ptr<Counts> m_counts = std::make_shared<Counts>();
    std::shared_ptr<std::size_t> m_waiting = std::make_shared<std::size_t>(0);
};

} // namespace sluice::service

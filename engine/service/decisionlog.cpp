#include "engine/service/decisionlog.h"

#include <algorithm>
#include <cmath>

namespace sluice::service {

namespace {

constexpr std::chrono::seconds patience{2};

/// FNV-1a, mixed by the finisher of SplitMix64: the same in every worker and version.
std::uint64_t hashOf(std::string_view text)
{
    std::uint64_t hash = 0xcbf29ce484222325U;
    for (const char c : text) {
        hash = (hash ^ std::uint8_t(c)) * 0x100000001b3U;
    }
    hash = (hash ^ (hash >> 30U)) * 0xbf58476d1ce4e5b9U;
    hash = (hash ^ (hash >> 27U)) * 0x94d049bb133111ebU;
    return hash ^ (hash >> 31U);
}

} // namespace

DecisionLog::DecisionLog(DecisionLogSettings settings, const Privacy& privacy, RedisCommands* redis,
    std::string pool, std::string version)
    : m_settings(settings)
    , m_privacy(privacy)
    , m_redis(redis)
    , m_pool(std::move(pool))
    , m_version(std::move(version))
{ }

bool DecisionLog::samples(std::string_view session) const
{
    return m_redis != nullptr
        && (m_settings.share >= 1 || std::ldexp(double(hashOf(session)), -64) < m_settings.share);
}

void DecisionLog::add(const Answer& answer, std::string_view query, std::string_view sampledBy,
    const std::string& requestId, const Classifier& classifier,
    std::chrono::steady_clock::time_point received)
{
    if (!samples(sampledBy)) {
        return;
    }
    if (*m_waiting >= m_settings.queue || !m_redis->isConnected()) {
        ++m_counts->dropped;
        return;
    }
    DecisionRow row;
    row.id = requestId;
    row.session = answer.context == ContextState::None ? "" : m_privacy.session(sampledBy);
    row.turn = answer.turn;
    row.query = m_privacy.query(query, answer.entities);
    row.model = classifier.model().hash();
    row.set = answer.thresholdSet;
    row.pool = m_pool;
    row.version = m_version;
    row.weight = 1.0 / m_settings.share;
    const auto& labels = classifier.model().labels();
    const std::size_t kept = std::min(answer.ranked.size(), Answer::leastRanked);
    for (std::size_t index = 0; index < kept; ++index) {
        const Candidate& candidate = answer.ranked[index];
        row.top.push_back({labels[std::size_t(candidate.label)], float(candidate.confidence)});
    }
    row.outOfScope = answer.outOfScope;
    row.contextState = toString(answer.context);
    row.context = answer.ruleContext;
    row.verdict = answer.verdict;
    row.rule = answer.ruling.rule;
    row.threshold = answer.ruling.threshold;
    row.milliseconds =
        std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - received)
            .count();
    ++*m_waiting;
    m_redis->command({"XADD", std::string(stream), "MAXLEN", "~", std::to_string(m_settings.keep),
                         "*", "row", row.toJson()},
        patience, [counts = m_counts, waiting = m_waiting](const Result<RedisValue>& reply) {
            --*waiting;
            ++(reply ? counts->written : counts->dropped);
        });
}

} // namespace sluice::service

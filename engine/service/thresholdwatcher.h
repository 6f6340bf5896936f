#pragma once

#include "engine/classification/classifier.h"
#include "engine/classification/context/redisconnection.h"
#include "engine/service/metrics.h"

#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>

namespace sluice::service {

/// Keeps the threshold set that a pool's pointer in Redis names: told at once by the channel
/// `sluice:{thresholds}:changed` ("<pool> <n>"), and looks by itself each second. A set that can't
/// be served (bound to another model, damaged) is refused, counted and logged, and the one served
/// before stays. Without Redis it stays too.
class ThresholdWatcher
{
public:
    /// `messages` is a connection of its own: one that subscribes takes no commands. All must
    /// outlive it.
    ThresholdWatcher(boost::asio::io_context& loop, const Classifier& classifier,
        RedisCommands& commands, RedisConnection& messages, std::string pool, Metrics& metrics);

    void start();
    /// The set in force. Never null.
    std::shared_ptr<const CompiledThresholds> current() const { return m_current; }

private:
    void look();
    void fetch(const std::string& number);
    void take(const std::string& number, const std::string& document);
    void refuse(const std::string& number, const std::string& reason);
    void schedule();

    const Classifier& m_classifier;
    RedisCommands& m_commands;
    RedisConnection& m_messages;
    std::string m_pool;
    Metrics& m_metrics;
    boost::asio::steady_timer m_timer;
    std::shared_ptr<const CompiledThresholds> m_current;
    std::string m_number = "0"; ///< served, or refused: not asked for again
    bool m_looking = false;
};

} // namespace sluice::service

#pragma once

#include "engine/classification/context/redisconnection.h"
#include "engine/service/metrics.h"
#include "engine/service/serving.h"

#include <boost/asio/steady_timer.hpp>
#include <memory>
#include <string>

namespace sluice::service {

/// Keeps the threshold set that a pool's pointer in Redis names: told at once by the channel
/// `sluice:{thresholds}:changed` ("<pool> <n>"), and looks by itself each second. What is told only
/// makes it look: the pointer decides, so that a late message changes nothing. A number below the
/// one served is taken when the pointer says so, and counted and logged as going back. A set that
/// can't be served (bound to another model, damaged) is refused, counted and logged, and the one
/// served before stays. Without Redis it stays too.
class ThresholdWatcher
{
public:
    /// `messages` is a connection of its own: one that subscribes takes no commands. All must
    /// outlive it.
    ThresholdWatcher(boost::asio::io_context& loop, std::shared_ptr<const Classifier> classifier,
        RedisCommands& commands, RedisConnection& messages, std::string pool, Metrics& metrics);

    void start();
    /// The model and the set in force. Never null.
    const ServingPointer& current() const { return m_current; }
    /// Another model from now on, with the set in force compiled for it, or with its own where that
    /// set is another model's; then looks whether the pointer names one for it.
    void serve(std::shared_ptr<const Classifier> classifier);

private:
    const CompiledThresholds& thresholds() const { return *m_current->thresholds; }
    void serve(std::shared_ptr<const CompiledThresholds> thresholds);
    void look();
    void fetch(const std::string& number);
    void take(const std::string& number, const std::string& document);
    void refuse(const std::string& number, const std::string& reason);
    void schedule();

    RedisCommands& m_commands;
    RedisConnection& m_messages;
    std::string m_pool;
    Metrics& m_metrics;
    boost::asio::steady_timer m_timer;
    ServingPointer m_current;
    std::string m_number = "0"; ///< served, or refused: not asked for again
    bool m_looking = false;
    bool m_lookAgain = false; ///< told while it was looking
};

} // namespace sluice::service

#include "engine/service/thresholdwatcher.h"

#include <spdlog/spdlog.h>

namespace sluice::service {

namespace {

constexpr std::chrono::seconds pollInterval{1};
constexpr std::chrono::milliseconds redisTimeout{500};

} // namespace

ThresholdWatcher::ThresholdWatcher(boost::asio::io_context& loop, const Classifier& classifier,
    RedisCommands& commands, RedisConnection& messages, std::string pool, Metrics& metrics)
    : m_classifier(classifier)
    , m_commands(commands)
    , m_messages(messages)
    , m_pool(std::move(pool))
    , m_metrics(metrics)
    , m_timer(loop)
{
    // The model's own set names labels of the model: it compiles.
    m_current = *classifier.compile(classifier.model().defaultThresholds());
}

void ThresholdWatcher::start()
{
    m_messages.subscribe(
        "sluice:{thresholds}:changed", [this](const std::string&, const std::string& payload) {
            if (payload.starts_with(m_pool + " ")) {
                look();
            }
        });
    look();
    schedule();
}

void ThresholdWatcher::schedule()
{
    m_timer.expires_after(pollInterval);
    m_timer.async_wait([this](const boost::system::error_code& code) {
        if (!code) {
            look();
            schedule();
        }
    });
}

void ThresholdWatcher::look()
{
    if (m_looking || !m_commands.isConnected()) {
        return;
    }
    m_looking = true;
    m_commands.command({"GET", "sluice:{thresholds}:active:" + m_pool}, redisTimeout,
        [this](const Result<RedisValue>& reply) {
            m_looking = false;
            if (!reply || reply->isNil() || reply->text == m_number) {
                return;
            }
            fetch(reply->text);
        });
}

void ThresholdWatcher::fetch(const std::string& number)
{
    if (number == "0") { // back to the model's own
        m_current = *m_classifier.compile(m_classifier.model().defaultThresholds());
        m_number = number;
        m_metrics.thresholdSet = 0;
        spdlog::info("the model's own thresholds are served from now on");
        return;
    }
    m_looking = true;
    m_commands.command({"GET", "sluice:{thresholds}:" + number}, redisTimeout,
        [this, number](const Result<RedisValue>& reply) {
            m_looking = false;
            if (!reply) {
                return; // asked again in a second
            }
            if (reply->isNil()) {
                refuse(number, "its document is missing");
                return;
            }
            take(number, reply->text);
        });
}

void ThresholdWatcher::take(const std::string& number, const std::string& document)
{
    const auto set = ThresholdSet::fromJson(document, "threshold set " + number);
    if (!set) {
        refuse(number, set.error().text());
        return;
    }
    if (std::to_string(set->number) != number) {
        refuse(number, "its document bears the number " + std::to_string(set->number));
        return;
    }
    auto compiled = m_classifier.compile(*set);
    if (!compiled) {
        refuse(number, compiled.error().text());
        return;
    }
    m_current = std::move(*compiled);
    m_number = number;
    m_metrics.thresholdSet = set->number;
    spdlog::info("threshold set {} is served from now on", number);
}

void ThresholdWatcher::refuse(const std::string& number, const std::string& reason)
{
    m_number = number;
    ++m_metrics.thresholdsRefused;
    spdlog::error("threshold set {} is not served: {}; set {} stays", number, reason,
        m_current->set().number);
}

} // namespace sluice::service

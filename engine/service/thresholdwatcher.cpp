#include "engine/service/thresholdwatcher.h"

#include <spdlog/spdlog.h>

namespace sluice::service {

namespace {

constexpr std::chrono::seconds pollInterval{1};
constexpr std::chrono::milliseconds redisTimeout{500};

/// The model's own set: it names labels of the model, so it compiles.
std::shared_ptr<const CompiledThresholds> ownThresholds(const Classifier& classifier)
{
    return *classifier.compile(classifier.model().defaultThresholds());
}

} // namespace

ThresholdWatcher::ThresholdWatcher(boost::asio::io_context& loop,
    std::shared_ptr<const Classifier> classifier, RedisCommands& commands,
    RedisConnection& messages, std::string pool, Metrics& metrics)
    : m_commands(commands)
    , m_messages(messages)
    , m_pool(std::move(pool))
    , m_metrics(metrics)
    , m_timer(loop)
{
    auto own = ownThresholds(*classifier);
    m_current = std::make_shared<const Serving>(Serving{std::move(classifier), std::move(own)});
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

void ThresholdWatcher::serve(std::shared_ptr<const CompiledThresholds> thresholds)
{
    const std::int64_t before = this->thresholds().set().number;
    const std::int64_t number = thresholds->set().number;
    if (number < before) {
        ++m_metrics.thresholdRollbacks;
        spdlog::warn("back to threshold set {} from {}, as the pointer says", number, before);
    } else {
        spdlog::info("threshold set {} is served from now on", number);
    }
    m_metrics.thresholdSet = number;
    m_current =
        std::make_shared<const Serving>(Serving{m_current->classifier, std::move(thresholds)});
}

void ThresholdWatcher::serve(std::shared_ptr<const Classifier> classifier)
{
    const ThresholdSet& set = thresholds().set();
    auto compiled = set.number == 0 ? ownThresholds(*classifier) : classifier->compile(set);
    if (!compiled) {
        spdlog::warn("threshold set {} is not this model's: its own is served", set.number);
        compiled = ownThresholds(*classifier);
    }
    m_current = std::make_shared<const Serving>(Serving{std::move(classifier), *compiled});
    m_metrics.thresholdSet = (*compiled)->set().number;
    m_number.clear(); // one that was refused may be meant for this model
    look();
}

void ThresholdWatcher::look()
{
    if (m_looking) {
        m_lookAgain = true;
        return;
    }
    if (!m_commands.isConnected()) {
        return;
    }
    m_looking = true;
    m_lookAgain = false;
    m_commands.command({"GET", "sluice:{thresholds}:active:" + m_pool}, redisTimeout,
        [this](const Result<RedisValue>& reply) {
            m_looking = false;
            if (reply && !reply->isNil() && reply->text != m_number) {
                fetch(reply->text);
            } else if (reply && m_lookAgain) {
                look();
            }
        });
}

void ThresholdWatcher::fetch(const std::string& number)
{
    if (number == "0") { // back to the model's own
        serve(ownThresholds(*m_current->classifier));
        m_number = number;
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
            } else {
                take(number, reply->text);
            }
            if (m_lookAgain) {
                look();
            }
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
    auto compiled = m_current->classifier->compile(*set);
    if (!compiled) {
        refuse(number, compiled.error().text());
        return;
    }
    serve(std::move(*compiled));
    m_number = number;
}

void ThresholdWatcher::refuse(const std::string& number, const std::string& reason)
{
    m_number = number;
    ++m_metrics.thresholdsRefused;
    spdlog::error("threshold set {} is not served: {}; set {} stays", number, reason,
        thresholds().set().number);
}

} // namespace sluice::service

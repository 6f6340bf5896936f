#include "ui/rollout/rolloutfeed.h"

#include "ui/shell/console.h"

#include <QDateTime>

namespace sluice::ui {

namespace {

constexpr int pollMs = 1000;
constexpr int quietPollMs = 5000; // while nobody looks: a stage that changes is told all the same
constexpr int mostEvents = 200;

} // namespace

RolloutFeed::RolloutFeed(Console* console, QObject* parent)
    : QObject(parent)
    , m_console(console)
    , m_desk(new ops::RolloutDesk(console->redis(), this))
{
    m_timer.setInterval(quietPollMs);
    m_timer.start();
    connect(&m_timer, &QTimer::timeout, this, &RolloutFeed::refresh);
    connect(console, &Console::environmentChanged, this, [this] {
        ++m_epoch;
        m_rollout.reset();
        m_events.clear();
        m_error.reset();
        m_read = false;
        m_asking = false;
        Q_EMIT changed();
        refresh();
    });
    connect(console, &Console::sourceChanged, this, [this](Source source) {
        if (source == Source::Redis) {
            refresh();
        }
    });
}

RolloutFeed::~RolloutFeed() = default;

void RolloutFeed::start()
{
    m_timer.start(pollMs);
    refresh();
}

void RolloutFeed::stop()
{
    m_timer.start(quietPollMs);
}

void RolloutFeed::refresh()
{
    if (m_asking || !m_console->source(Source::Redis).isUp()) {
        return;
    }
    m_asking = true;
    const int epoch = m_epoch;
    m_desk->state(this, [this, epoch](const Result<std::optional<ops::PublishedRollout>>& state) {
        if (epoch != m_epoch) {
            return;
        }
        if (!state) {
            m_asking = false;
            m_error = state.error();
            Q_EMIT failed();
            return;
        }
        m_error.reset();
        // Both are taken over at once: what is asked in between sees the last whole picture.
        m_desk->events(mostEvents, this,
            [this, epoch, rollout = *state](const Result<QList<QJsonObject>>& events) {
                if (epoch != m_epoch) {
                    return;
                }
                m_asking = false;
                m_rollout = rollout;
                m_read = true;
                if (events) {
                    m_events = *events;
                }
                Q_EMIT changed();
            });
    });
}

bool RolloutFeed::hasDriver() const
{
    return m_rollout && m_rollout->isFresh(QDateTime::currentMSecsSinceEpoch());
}

double RolloutFeed::ageSeconds() const
{
    return m_rollout ? double(QDateTime::currentMSecsSinceEpoch() - m_rollout->publishedMs) / 1000
                     : 0;
}

void RolloutFeed::ask(ops::RolloutEvent::Kind kind, const QString& reason,
    std::function<void(Result<QJsonObject>)> answered)
{
    ops::RolloutEvent event;
    event.kind = kind;
    event.by = m_console->user();
    event.reason = reason;
    // A rollback holds whatever happened meanwhile.
    if (m_rollout && kind != ops::RolloutEvent::Kind::Rollback) {
        event.expectedVersion = m_rollout->state.version;
    }
    m_desk->ask(std::move(event), this,
        [this, answered = std::move(answered)](const Result<QJsonObject>& answer) {
            answered(answer);
            refresh();
        });
}

void RolloutFeed::start(const ops::RolloutPlan& plan, const QString& live,
    std::function<void(Result<QJsonObject>)> answered)
{
    ops::RolloutEvent event;
    event.kind = ops::RolloutEvent::Kind::Start;
    event.by = m_console->user();
    event.plan = plan;
    event.live = live;
    event.rolloutId = plan.release.id % u'-'
        % QDateTime::currentDateTimeUtc().toString(QStringLiteral("yyyyMMdd-HHmmss"));
    if (m_rollout) {
        event.expectedVersion = m_rollout->state.version;
    }
    m_desk->ask(std::move(event), this,
        [this, answered = std::move(answered)](const Result<QJsonObject>& answer) {
            answered(answer);
            refresh();
        });
}

} // namespace sluice::ui

#pragma once

#include "engine/base/result.h"
#include "engine/operations/environment/environment.h"
#include "engine/operations/record/history.h"
#include "ui/shell/job.h"
#include "ui/shell/theme.h"

#include <QDateTime>
#include <QHash>
#include <QObject>
#include <QTimer>
#include <array>
#include <memory>

namespace sluice {
class Classifier;
}

namespace sluice::ops {
class History;
class LocalStack;
class PrometheusClient;
class PublishedThresholds;
class RedisClient;
class RedisMonitor;
class SecretStore;
class TrafficRouter;
struct StackStatus;
} // namespace sluice::ops

namespace sluice::ui {

enum class Source
{
    Redis,
    Prometheus,
    Balancer
};

/// How one server of the environment is reached now.
struct SourceState
{
    enum class Kind
    {
        NotConfigured,
        Connecting,
        Connected,
        Lost
    };
    Kind kind = Kind::NotConfigured;
    QString error; ///< why it is lost
    QDateTime lastAnswer; ///< UTC; invalid: none yet
    double latencyMs = 0; ///< of the last answer

    bool isUp() const { return kind == Kind::Connected; }
};

/// The time that charts show: the last `seconds`, or a fixed span.
struct TimeRange
{
    double seconds = 900;
    double start = 0; ///< seconds since 1970; both 0: relative
    double end = 0;

    bool isAbsolute() const { return end > start && end > 0; }
    bool operator==(const TimeRange&) const = default;
};

struct Notification
{
    QDateTime at; ///< UTC
    Tone tone = Tone::None;
    QString text;
    QString workspace; ///< id of the page it concerns; may be empty
};

/// What is alive behind the window: the environment and its connections, the embedded classifier,
/// the record, jobs, time range. Pages get it in their constructor and outlive nothing of it. All
/// on the GUI thread.
class Console : public QObject
{
    Q_OBJECT

public:
    /// `configFolder` empty: the user's own; `historyFile` empty: the user's own.
    explicit Console(const QString& configFolder = {}, const QString& historyFile = {},
        QObject* parent = nullptr);
    ~Console() override;

    /// Opens the record, loads the bundled model in the background.
    void start();

    // The environment.
    bool hasEnvironment() const { return m_environment.isValid(); }
    const ops::Environment& environment() const { return m_environment; }
    QList<ops::Environment> environments() const; ///< saved ones, and "local" while it runs
    const ops::EnvironmentStore& store() const { return m_store; }
    QString configFolder() const { return m_configFolder; }
    void connectTo(const ops::Environment& environment);
    void disconnectFromAll();
    void reconnect(); ///< tries every lost source again at once

    // Its servers. Pointers stay valid for the console's life, router() apart.
    SourceState source(Source source) const;
    static QString sourceName(Source source);
    ops::RedisClient* redis() const { return m_redis; }
    ops::PrometheusClient* prometheus() const { return m_prometheus; }
    ops::RedisMonitor* redisMonitor() const { return m_redisMonitor; }
    ops::PublishedThresholds* publishedThresholds() const { return m_publishedThresholds; }
    ops::TrafficRouter* router() const
    {
        return m_router.get();
    } ///< null without a balancer; new
      ///< on environmentChanged()
    ops::History* history() const { return m_history; }
    ops::SecretStore* secrets() const { return m_secrets; }
    ops::LocalStack* localStack() const { return m_localStack; }
    /// A page's own query answered or failed: keeps the state fresher than our own polling.
    void report(Source source, const Error* error, double latencyMs = 0);

    // Who I am: the ACL user of Redis, which is the role too.
    QString user() const;
    QString role() const; ///< "admin", "release lead", ...; "offline" without Redis
    QStringList users() const { return m_users; } ///< those whose secret is known
    void setUser(const QString& user); ///< reconnects Redis as another user

    // The local stack.
    void startLocalStack(); ///< or joins it; connects when it is ready
    bool isLocalStackStarting() const { return m_stackStarting; }

    // The embedded classifier.
    std::shared_ptr<const Classifier> classifier() const { return m_classifier; } ///< null: not yet
    QString modelFile() const { return m_modelFile; }
    const std::optional<Error>& classifierError() const { return m_classifierError; }
    void loadClassifier(const QString& modelFile = {}); ///< empty: the bundled one

    // What charts show.
    const TimeRange& timeRange() const { return m_range; }
    void setTimeRange(const TimeRange& range);
    bool isLive() const { return m_live; }
    void setLive(bool live); ///< paused: charts stand still

    Jobs* jobs() { return &m_jobs; }

    void notify(Tone tone, const QString& text, const QString& workspace = {});
    const QList<Notification>& notifications() const { return m_notifications; } ///< newest first
    /// Fills in time, actor and environment where empty, and writes it to the record.
    void record(ops::HistoryEntry entry);
    QString historyError() const { return m_historyError; }

Q_SIGNALS:
    void environmentChanged();
    void sourceChanged(sluice::ui::Source source);
    void userChanged();
    void classifierLoaded(); ///< or failed: see classifierError()
    void timeRangeChanged();
    void liveChanged(bool live);
    void notified(const sluice::ui::Notification& notification);
    void localStackChanged();

private:
    void openRedis();
    void takeRedisState(int state); ///< RedisClient::State
    void pollSources();
    void readStackUsers(const ops::StackStatus& status);
    void set(Source source, SourceState state);
    SourceState& at(Source source) { return m_sources.at(static_cast<std::size_t>(source)); }

    QString m_configFolder;
    ops::EnvironmentStore m_store;
    QString m_historyFile;
    ops::Environment m_environment;
    std::array<SourceState, 3> m_sources;
    ops::RedisClient* m_redis;
    ops::RedisClient* m_monitorRedis;
    ops::PrometheusClient* m_prometheus;
    ops::RedisMonitor* m_redisMonitor;
    ops::PublishedThresholds* m_publishedThresholds;
    ops::History* m_history;
    ops::SecretStore* m_secrets;
    ops::LocalStack* m_localStack;
    std::shared_ptr<ops::TrafficRouter> m_router;
    QStringList m_users;
    bool m_stackStarting = false;
    std::shared_ptr<const Classifier> m_classifier;
    QString m_modelFile;
    std::optional<Error> m_classifierError;
    TimeRange m_range;
    bool m_live = true;
    QList<Notification> m_notifications;
    QString m_historyError;
    QTimer m_poll;
    int m_epoch = 0; ///< of the environment: late answers of the last one are dropped
    Jobs m_jobs;
};

} // namespace sluice::ui

#pragma once

#include "engine/operations/environment/redisclient.h"

#include <QHash>
#include <QObject>
#include <QTimer>
#include <optional>

namespace sluice::ops {

/// What one INFO tells, and what follows from two of them.
struct RedisSample
{
    double time = 0; ///< seconds since 1970, when the answer came
    double opsPerSecond = 0; ///< difference of total_commands_processed, less our own commands; of
                             ///< the first sample Redis' own estimate
    qint64 usedMemory = 0; ///< bytes
    qint64 usedMemoryRss = 0; ///< bytes
    qint64 maxMemory = 0; ///< bytes; 0: no limit
    std::optional<double>
        windowHitRatio; ///< 0..1 over the last `window` seconds; none without look-ups in it
    std::optional<double> lifetimeHitRatio; ///< 0..1 since the server's start
    int clients = 0;
    qint64 evictedKeys = 0;
    QString version;
    QString runId;
    double ownPerSecond = 0; ///< our own commands: INFO and what noteOwnCommands() told
    double evictedPerSecond = 0;
    double expiredPerSecond = 0;
    double inputPerSecond = 0; ///< bytes over the network, as in the next
    double outputPerSecond = 0;
    double cpuShare = 0; ///< 1 = one core busy
    int blockedClients = 0;
    std::optional<double> fragmentation; ///< resident over used memory: far over 1 is fragmented,
                                         ///< under 1 is swapped out
    std::optional<qint64> lagBytes; ///< of the replica furthest behind; none without replicas
    std::optional<double> lagSeconds; ///< since it was heard of last
    QHash<QByteArray, QByteArray> info; ///< all fields
    bool restarted = false; ///< run_id changed or counters went back: the line breaks here
};

/// INFO's text as key -> value; unknown fields kept, section lines skipped.
QHash<QByteArray, QByteArray> parseRedisInfo(const QByteArray& text);

/// Polls INFO at most once a second on a client of its own (not owned; it must outlive this).
class RedisMonitor : public QObject
{
    Q_OBJECT

public:
    explicit RedisMonitor(RedisClient* client, QObject* parent = nullptr);

    /// Commands that we sent besides the INFOs; they are not counted as the service's.
    void noteOwnCommands(int count) { m_own += count; }
    void setWindow(double seconds); ///< of the windowed hit ratio; 300 by default
    void start(int intervalMs = 1000);
    void stop();

    /// Pure: the sample of this INFO given the INFOs kept before (exposed for tests).
    RedisSample digest(const QByteArray& info, double time);

Q_SIGNALS:
    void sampled(const sluice::ops::RedisSample& sample);
    void failed(const sluice::Error& error);

private:
    struct Counters
    {
        double time = 0;
        qint64 commands = 0;
        qint64 hits = 0;
        qint64 misses = 0;
        qint64 evicted = 0;
        qint64 expired = 0;
        qint64 input = 0;
        qint64 output = 0;
        double cpu = 0;
    };
    void poll();
    static void addRates(RedisSample& sample, const Counters& last, const Counters& now);

    RedisClient* m_client;
    QTimer m_timer;
    QList<Counters> m_history;
    QString m_runId;
    double m_window = 300;
    int m_intervalMs = 1000;
    int m_own = 0;
    bool m_running = false;
    bool m_waiting = false;
};

} // namespace sluice::ops

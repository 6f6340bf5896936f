#pragma once

#include "engine/operations/environment/redisclient.h"

#include <QDateTime>
#include <QHash>
#include <QList>
#include <QObject>
#include <QString>

namespace sluice::ops {

class RedisMonitor;

/// A command that took long (SLOWLOG GET); without the time on the network.
struct SlowCommand
{
    QDateTime at; ///< UTC
    qint64 micros = 0;
    QString command; ///< cut by Redis, and by us after 200 characters
    QString client; ///< address, and name where it has one
};
QList<SlowCommand> parseSlowLog(const RedisReply& reply);

/// A kind of delay that Redis saw itself (LATENCY LATEST).
struct LatencyEvent
{
    QString event; ///< "command", "fork", "aof-fsync-always" ...
    QDateTime at; ///< UTC, the last time
    qint64 lastMs = 0;
    qint64 largestMs = 0;
};
QList<LatencyEvent> parseLatencyLatest(const RedisReply& reply);

/// A line of commandstats.
struct CommandStat
{
    QString command;
    qint64 calls = 0;
    double microsPerCall = 0;
    qint64 micros = 0;
    qint64 failed = 0; ///< rejected and failed calls
};
/// From INFO's fields; the most time first.
QList<CommandStat> parseCommandStats(const QHash<QByteArray, QByteArray>& info);

/// A node of CLUSTER NODES.
struct ClusterNode
{
    QString address; ///< host:port
    bool primary = false;
    bool failing = false; ///< fail, or fail? by the node asked
    bool connected = false;
    int slotCount = 0;
    QString slotRanges; ///< "0-5460"
};
QList<ClusterNode> parseClusterNodes(const QByteArray& text);

/// A part of the key space: keys that begin alike ("sluice:session:").
struct KeyGroup
{
    QString prefix;
    qint64 keys = 0;
    qint64 bytes = 0; ///< estimated from the keys that were measured
    qint64 measured = 0;
};

/// "sluice:session:{4f}" -> "sluice:session:"; the first two parts at most, without what looks like
/// an id.
QString keyPrefix(const QByteArray& key);

/// Looks through the key space by SCAN within a budget: so many keys at most, 100 a step, a pause
/// of 20 ms between two steps, and MEMORY USAGE of one key in ten. One scan at a time.
class KeySpaceScan : public QObject
{
    Q_OBJECT

public:
    explicit KeySpaceScan(RedisClient* client, RedisMonitor* monitor, QObject* parent = nullptr);

    void start(qint64 budget);
    void cancel();
    bool isRunning() const { return m_running; }
    qint64 seen() const { return m_seen; }
    bool isComplete() const { return m_complete; } ///< the whole key space, not only the budget
    QList<KeyGroup> groups() const; ///< the most keys first

Q_SIGNALS:
    void progressed(qint64 seen);
    void finished();
    void failed(const sluice::Error& error);

private:
    void step(const QByteArray& cursor);
    void take(const RedisReply& reply);
    void end();

    RedisClient* m_client;
    RedisMonitor* m_monitor;
    QHash<QString, KeyGroup> m_groups;
    qint64 m_budget = 0;
    qint64 m_seen = 0;
    int m_epoch = 0;
    bool m_running = false;
    bool m_complete = false;
};

} // namespace sluice::ops

#include "engine/operations/monitoring/redismonitor.h"

#include <QDateTime>
#include <algorithm>
#include <utility>

namespace sluice::ops {
namespace {

constexpr int leastIntervalMs = 1000;

qint64 integer(const QHash<QByteArray, QByteArray>& info, const char* key)
{
    return info.value(key).toLongLong();
}

std::optional<double> ratio(qint64 hits, qint64 misses)
{
    return hits + misses > 0 ? std::optional(double(hits) / double(hits + misses)) : std::nullopt;
}

/// "ip=..,port=..,state=online,offset=123,lag=1" of the replica furthest behind.
void addLag(RedisSample& sample)
{
    const qint64 written = integer(sample.info, "master_repl_offset");
    for (int replica = 0; replica < integer(sample.info, "connected_slaves"); ++replica) {
        const QList<QByteArray> parts =
            sample.info.value("slave" + QByteArray::number(replica)).split(',');
        for (const QByteArray& part : parts) {
            if (part.startsWith("offset=")) {
                sample.lagBytes =
                    std::max(sample.lagBytes.value_or(0), written - part.mid(7).toLongLong());
            } else if (part.startsWith("lag=")) {
                sample.lagSeconds = std::max(sample.lagSeconds.value_or(0), part.mid(4).toDouble());
            }
        }
    }
    if (sample.info.value("role") == "slave") {
        sample.lagSeconds = sample.info.value("master_last_io_seconds_ago").toDouble();
    }
}

} // namespace

QHash<QByteArray, QByteArray> parseRedisInfo(const QByteArray& text)
{
    QHash<QByteArray, QByteArray> fields;
    const QList<QByteArray> lines = text.split('\n');
    for (const QByteArray& raw : lines) {
        const QByteArray line = raw.trimmed();
        const qsizetype colon = line.indexOf(':');
        if (colon > 0 && !line.startsWith('#')) {
            fields.insert(line.left(colon), line.mid(colon + 1));
        }
    }
    return fields;
}

RedisMonitor::RedisMonitor(RedisClient* client, QObject* parent)
    : QObject(parent)
    , m_client(client)
{
    // One shot, started again by each answer: a slow server is never asked twice at a time.
    m_timer.setSingleShot(true);
    connect(&m_timer, &QTimer::timeout, this, &RedisMonitor::poll);
}

void RedisMonitor::setWindow(double seconds)
{
    m_window = std::max(1.0, seconds);
}

void RedisMonitor::start(int intervalMs)
{
    m_intervalMs = std::max(intervalMs, leastIntervalMs);
    m_running = true;
    m_timer.start(0);
}

void RedisMonitor::stop()
{
    m_running = false;
    m_timer.stop();
}

void RedisMonitor::poll()
{
    if (m_waiting) {
        return;
    }
    m_waiting = true;
    m_client->command({QByteArrayLiteral("INFO"), QByteArrayLiteral("ALL")}, this,
        [this](const Result<RedisReply>& reply) {
            m_waiting = false;
            if (!m_running) {
                return;
            }
            m_timer.start(m_intervalMs);
            if (reply) {
                const double now = double(QDateTime::currentMSecsSinceEpoch()) / 1000.0;
                Q_EMIT sampled(digest(reply->text, now));
            } else {
                Q_EMIT failed(reply.error());
            }
        });
}

RedisSample RedisMonitor::digest(const QByteArray& info, double time)
{
    const QHash<QByteArray, QByteArray> fields = parseRedisInfo(info);
    RedisSample sample;
    sample.info = fields;
    sample.blockedClients = int(integer(fields, "blocked_clients"));
    addLag(sample);
    sample.time = time;
    sample.usedMemory = integer(fields, "used_memory");
    sample.usedMemoryRss = integer(fields, "used_memory_rss");
    sample.maxMemory = integer(fields, "maxmemory");
    sample.clients = int(integer(fields, "connected_clients"));
    sample.evictedKeys = integer(fields, "evicted_keys");
    sample.version = QString::fromUtf8(fields.value("redis_version"));
    sample.runId = QString::fromUtf8(fields.value("run_id"));

    if (sample.usedMemory > 0) {
        sample.fragmentation = double(sample.usedMemoryRss) / double(sample.usedMemory);
    }
    const Counters now{time, integer(fields, "total_commands_processed"),
        integer(fields, "keyspace_hits"), integer(fields, "keyspace_misses"),
        integer(fields, "evicted_keys"), integer(fields, "expired_keys"),
        integer(fields, "total_net_input_bytes"), integer(fields, "total_net_output_bytes"),
        fields.value("used_cpu_sys").toDouble() + fields.value("used_cpu_user").toDouble()};
    const int own = std::exchange(m_own, 0) + 1; // the INFO itself is one of the commands
    if (!m_history.isEmpty()) {
        const Counters& last = m_history.constLast();
        // CONFIG RESETSTAT sets the counters back without a restart.
        sample.restarted = sample.runId != m_runId || now.commands < last.commands
            || now.hits < last.hits || now.misses < last.misses;
        if (sample.restarted || time <= last.time) {
            m_history.clear();
        }
    }
    m_runId = sample.runId;
    sample.lifetimeHitRatio = ratio(now.hits, now.misses);
    if (m_history.isEmpty()) {
        sample.opsPerSecond = double(integer(fields, "instantaneous_ops_per_sec"));
    } else {
        const Counters& last = m_history.constLast();
        const qint64 others = std::max<qint64>(0, now.commands - last.commands - own);
        sample.opsPerSecond = double(others) / (time - last.time);
        sample.ownPerSecond = own / (time - last.time);
        addRates(sample, last, now);
        // The newest of those at or before the window's begin stays: the window is then full.
        while (m_history.size() > 1 && m_history.at(1).time <= time - m_window) {
            m_history.removeFirst();
        }
        const Counters& first = m_history.constFirst();
        sample.windowHitRatio = ratio(now.hits - first.hits, now.misses - first.misses);
    }
    m_history.append(now);
    return sample;
}

void RedisMonitor::addRates(RedisSample& sample, const Counters& last, const Counters& now)
{
    const double seconds = now.time - last.time;
    const auto rate = [seconds](auto before, auto after) {
        return std::max(0.0, double(after - before) / seconds);
    };
    sample.evictedPerSecond = rate(last.evicted, now.evicted);
    sample.expiredPerSecond = rate(last.expired, now.expired);
    sample.inputPerSecond = rate(last.input, now.input);
    sample.outputPerSecond = rate(last.output, now.output);
    sample.cpuShare = rate(last.cpu, now.cpu);
}

} // namespace sluice::ops

#include "moc_redismonitor.cpp"

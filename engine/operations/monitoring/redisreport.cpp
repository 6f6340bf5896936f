#include "engine/operations/monitoring/redisreport.h"

#include "engine/operations/monitoring/redismonitor.h"

#include <QTimer>
#include <algorithm>

namespace sluice::ops {

namespace {

constexpr int longestCommand = 200;
constexpr int keysAStep = 100;
constexpr int pauseMs = 20;
constexpr int measuredOneIn = 10;
constexpr int slotsOfACluster = 16384;

QDateTime utc(qint64 seconds)
{
    return QDateTime::fromSecsSinceEpoch(seconds, Qt::UTC);
}

} // namespace

QList<SlowCommand> parseSlowLog(const RedisReply& reply)
{
    QList<SlowCommand> commands;
    for (const RedisReply& entry : reply.items) {
        if (entry.items.size() < 4) {
            continue;
        }
        SlowCommand slow;
        slow.at = utc(entry.items[1].integer);
        slow.micros = entry.items[2].integer;
        QStringList words;
        for (const RedisReply& word : entry.items[3].items) {
            words << QString::fromUtf8(word.text);
        }
        slow.command = words.join(u' ');
        if (slow.command.size() > longestCommand) {
            slow.command = slow.command.left(longestCommand) + u'…';
        }
        slow.client = QString::fromUtf8(entry.items.value(4).text);
        if (const QString name = QString::fromUtf8(entry.items.value(5).text); !name.isEmpty()) {
            slow.client += QStringLiteral(" (%1)").arg(name);
        }
        commands << slow;
    }
    return commands;
}

QList<LatencyEvent> parseLatencyLatest(const RedisReply& reply)
{
    QList<LatencyEvent> events;
    for (const RedisReply& entry : reply.items) {
        if (entry.items.size() >= 4) {
            events << LatencyEvent{QString::fromUtf8(entry.items[0].text),
                utc(entry.items[1].integer), entry.items[2].integer, entry.items[3].integer};
        }
    }
    return events;
}

QList<CommandStat> parseCommandStats(const QHash<QByteArray, QByteArray>& info)
{
    QList<CommandStat> stats;
    for (auto field = info.begin(); field != info.end(); ++field) {
        if (!field.key().startsWith("cmdstat_")) {
            continue;
        }
        CommandStat stat;
        stat.command = QString::fromUtf8(field.key().mid(8));
        const QList<QByteArray> parts = field.value().split(',');
        for (const QByteArray& part : parts) {
            const QByteArray name = part.left(part.indexOf('='));
            const QByteArray value = part.mid(part.indexOf('=') + 1);
            if (name == "calls") {
                stat.calls = value.toLongLong();
            } else if (name == "usec") {
                stat.micros = value.toLongLong();
            } else if (name == "usec_per_call") {
                stat.microsPerCall = value.toDouble();
            } else if (name == "rejected_calls" || name == "failed_calls") {
                stat.failed += value.toLongLong();
            }
        }
        stats << stat;
    }
    std::sort(stats.begin(), stats.end(),
        [](const CommandStat& a, const CommandStat& b) { return a.micros > b.micros; });
    return stats;
}

QList<ClusterNode> parseClusterNodes(const QByteArray& text)
{
    QList<ClusterNode> nodes;
    const QList<QByteArray> lines = text.split('\n');
    for (const QByteArray& line : lines) {
        // id, address, flags, primary, ping, pong, epoch, link, slots ...
        const QList<QByteArray> words = line.simplified().split(' ');
        if (words.size() < 8) {
            continue;
        }
        ClusterNode node;
        node.address = QString::fromUtf8(words[1].left(words[1].indexOf('@')));
        const QList<QByteArray> flags = words[2].split(',');
        node.primary = flags.contains("master");
        node.failing = flags.contains("fail") || flags.contains("fail?");
        node.connected = words[7] == "connected" || flags.contains("myself");
        QStringList ranges;
        for (const QByteArray& range : words.mid(8)) {
            if (range.startsWith('[')) {
                continue; // a slot on the move
            }
            const QList<QByteArray> ends = range.split('-');
            node.slotCount +=
                std::clamp(ends.last().toInt() - ends.first().toInt() + 1, 0, slotsOfACluster);
            ranges << QString::fromUtf8(range);
        }
        node.slotRanges = ranges.join(u' ');
        nodes << node;
    }
    return nodes;
}

QString keyPrefix(const QByteArray& key)
{
    const QList<QByteArray> parts = key.split(':');
    if (parts.size() == 1) {
        return QString::fromUtf8(key.left(40));
    }
    QByteArray prefix = parts[0] + ':';
    if (parts.size() > 2 && parts[1].size() <= 24) {
        prefix += parts[1] + ':';
    }
    return QString::fromUtf8(prefix);
}

KeySpaceScan::KeySpaceScan(RedisClient* client, RedisMonitor* monitor, QObject* parent)
    : QObject(parent)
    , m_client(client)
    , m_monitor(monitor)
{ }

void KeySpaceScan::start(qint64 budget)
{
    ++m_epoch;
    m_groups.clear();
    m_seen = 0;
    m_budget = budget;
    m_complete = false;
    m_running = true;
    step("0");
}

void KeySpaceScan::cancel()
{
    if (m_running) {
        end();
    }
}

void KeySpaceScan::end()
{
    ++m_epoch;
    m_running = false;
    Q_EMIT finished();
}

void KeySpaceScan::step(const QByteArray& cursor)
{
    m_monitor->noteOwnCommands(1);
    m_client->command({"SCAN", cursor, "COUNT", QByteArray::number(keysAStep)}, this,
        [this, epoch = m_epoch](const Result<RedisReply>& reply) {
            if (epoch != m_epoch) {
                return;
            }
            if (!reply || reply->items.size() < 2) {
                m_running = false;
                Q_EMIT failed(reply ? unreachableError("Redis' answer to SCAN is not a pair.")
                                    : reply.error());
                return;
            }
            take(reply->items[1]);
            const QByteArray next = reply->items[0].text;
            Q_EMIT progressed(m_seen);
            m_complete = next == "0";
            if (m_complete || m_seen >= m_budget) {
                end();
            } else {
                QTimer::singleShot(pauseMs, this, [this, epoch, next] {
                    if (epoch == m_epoch) {
                        step(next);
                    }
                });
            }
        });
}

void KeySpaceScan::take(const RedisReply& reply)
{
    for (const RedisReply& key : reply.items) {
        const QString prefix = keyPrefix(key.text);
        KeyGroup& group = m_groups[prefix];
        group.prefix = prefix;
        if (group.keys++ % measuredOneIn == 0) {
            m_monitor->noteOwnCommands(1);
            m_client->command({"MEMORY", "USAGE", key.text}, this,
                [this, prefix, epoch = m_epoch](const Result<RedisReply>& answer) {
                    // Refused where the role may not read the key: then there is no estimate.
                    if (answer && !answer->isNil() && (epoch == m_epoch || !m_running)) {
                        m_groups[prefix].bytes += answer->integer;
                        ++m_groups[prefix].measured;
                    }
                });
        }
        ++m_seen;
    }
}

QList<KeyGroup> KeySpaceScan::groups() const
{
    QList<KeyGroup> groups = m_groups.values();
    for (KeyGroup& group : groups) {
        if (group.measured > 0) {
            group.bytes = group.bytes * group.keys / group.measured;
        }
    }
    std::sort(groups.begin(), groups.end(),
        [](const KeyGroup& a, const KeyGroup& b) { return a.keys > b.keys; });
    return groups;
}

} // namespace sluice::ops

#include "moc_redisreport.cpp"

#include "tests/support/redisclusterservers.h"

#include <QDeadlineTimer>
#include <QThread>

namespace sluice::test {

namespace {

constexpr int slots = 16384;

/// First slot of a master's share.
int firstSlot(int master)
{
    return slots * master / RedisClusterServers::masters;
}

} // namespace

bool RedisClusterServers::waitFor(const std::function<bool()>& done)
{
    const QDeadlineTimer deadline(20000);
    while (!done()) {
        if (deadline.hasExpired()) {
            return false;
        }
        QThread::msleep(20); // between two looks at the condition
    }
    return true;
}

bool RedisClusterServers::start(const QByteArray& acl, const QString& user, const QString& password)
{
    m_user = user;
    m_password = password;
    QStringList arguments{QStringLiteral("--cluster-enabled"), QStringLiteral("yes"),
        QStringLiteral("--cluster-node-timeout"), QStringLiteral("1000"),
        QStringLiteral("--cluster-replica-validity-factor"), QStringLiteral("0"),
        QStringLiteral("--repl-diskless-sync-delay"), QStringLiteral("0"),
        QStringLiteral("--cluster-port")};
    if (!user.isEmpty()) {
        arguments = QStringList{QStringLiteral("--masteruser"), user,
                        QStringLiteral("--masterauth"), password}
            + arguments;
    }
    for (std::size_t index = 0; index < m_nodes.size(); ++index) {
        m_nodes[index] = std::make_unique<RedisServer>();
        m_busPorts[index] = freePort();
        if (!m_nodes[index]->start(
                arguments + QStringList{QString::number(m_busPorts[index])}, acl)) {
            m_error = m_nodes[index]->lastError();
            return false;
        }
    }
    return join();
}

bool RedisClusterServers::join()
{
    for (int index = 0; index < masters; ++index) {
        cli(index, QStringLiteral("cluster set-config-epoch %1").arg(index + 1));
        cli(index,
            QStringLiteral("cluster addslotsrange %1 %2")
                .arg(firstSlot(index))
                .arg(firstSlot(index + 1) - 1));
    }
    for (int index = 1; index < nodes; ++index) {
        cli(0,
            QStringLiteral("cluster meet 127.0.0.1 %1 %2")
                .arg(port(index))
                .arg(m_busPorts[std::size_t(index)]));
    }
    const auto everywhere = [this](const QByteArray& command, const QByteArray& part) {
        return waitFor([&] {
            for (int index = 0; index < nodes; ++index) {
                if (!cli(index, QString::fromLatin1(command)).contains(part)) {
                    m_error =
                        QStringLiteral("node %1: %2")
                            .arg(index)
                            .arg(QString::fromUtf8(cli(index, QStringLiteral("cluster info"))));
                    return false;
                }
            }
            return true;
        });
    };
    if (!everywhere("cluster info", "cluster_known_nodes:6")) {
        return false;
    }
    for (int index = masters; index < nodes; ++index) {
        const QString master = id(index - masters);
        if (!waitFor([&] {
                return cli(index, QStringLiteral("cluster replicate ") + master) == "OK";
            })) {
            m_error = QStringLiteral("node %1 can't be a replica").arg(index);
            return false;
        }
    }
    return everywhere("cluster info", "cluster_state:ok") && waitFor([this] {
        for (int index = 0; index < nodes; ++index) {
            if (!isWell(index)) {
                return false;
            }
        }
        return true;
    });
}

/// Whether a master has its replica, a replica its data, and both know of six nodes at peace.
bool RedisClusterServers::isWell(int index)
{
    const QByteArray replication = cli(index, QStringLiteral("info replication"));
    return replication.contains(index < masters ? "connected_slaves:1" : "master_link_status:up")
        && cli(index, QStringLiteral("cluster nodes")).count(" connected") >= nodes;
}

QByteArray RedisClusterServers::cli(int index, const QString& command)
{
    return node(index).cli(command.split(QLatin1Char(' ')), m_user, m_password);
}

QString RedisClusterServers::id(int index)
{
    return QString::fromLatin1(cli(index, QStringLiteral("cluster myid")));
}

int RedisClusterServers::masterOf(int slot, int asked)
{
    // Lines of: id host:port@bus,... flags master ping pong epoch link first-last...
    const QList<QByteArray> lines = cli(asked, QStringLiteral("cluster nodes")).split('\n');
    for (const QByteArray& line : lines) {
        const QList<QByteArray> words = line.simplified().split(' ');
        for (qsizetype word = 8; word < words.size(); ++word) {
            const QList<QByteArray> range = words[word].split('-');
            if (range.front().toInt() <= slot && slot <= range.back().toInt()
                && !words[word].startsWith('[')) {
                const QByteArray address = words[1].left(words[1].indexOf('@'));
                for (int index = 0; index < nodes; ++index) {
                    if (address.endsWith(QByteArray(":" + QByteArray::number(port(index))))) {
                        return index;
                    }
                }
            }
        }
    }
    return -1;
}

} // namespace sluice::test

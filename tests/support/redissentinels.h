#pragma once

#include "tests/support/redisserver.h"

#include <array>

namespace sluice::test {

/// A real master (0), its replica (1), and two sentinels that watch them and agree on one vote: on
/// free ports of 127.0.0.1. They end with this object.
class RedisSentinels
{
public:
    static constexpr const char* name = "sessions"; ///< under which the master is watched

    ~RedisSentinels();

    /// Starts them and waits until the sentinels know the replica. False with lastError() set.
    bool start();
    RedisServer& server(int index) { return m_servers[std::size_t(index)]; }
    std::uint16_t sentinelPort(int index) const { return m_sentinels[std::size_t(index)].port; }
    bool failOver(); ///< the replica becomes the master, though that one lives
    const QString& lastError() const { return m_error; }

private:
    struct Sentinel
    {
        QProcess process;
        std::uint16_t port = 0;
    };
    bool startSentinel(Sentinel& sentinel);
    QByteArray ask(const Sentinel& sentinel, const QStringList& command) const;

    QTemporaryDir m_folder;
    std::array<RedisServer, 2> m_servers;
    std::array<Sentinel, 2> m_sentinels;
    QString m_error;
};

} // namespace sluice::test

#pragma once

#include "tests/support/redisserver.h"

#include <array>
#include <functional>
#include <memory>

namespace sluice::test {

/// A real Redis Cluster on free ports of 127.0.0.1: three masters (0 to 2), each with a replica (3
/// to 5). It ends with this object. Every wait is for a condition, and bounded.
class RedisClusterServers
{
public:
    static constexpr int masters = 3;
    static constexpr int nodes = 6;

    /// Starts them and waits until every node says that the cluster is well. `acl` as in
    /// RedisServer; `user` of it is who the test asks as, and the replicas their masters. False
    /// with lastError() set.
    bool start(const QByteArray& acl = {}, const QString& user = {}, const QString& password = {});

    RedisServer& node(int index) { return *m_nodes[std::size_t(index)]; }
    std::uint16_t port(int index) { return node(index).port(); }
    QByteArray cli(int index, const QString& command); ///< words, split at blanks
    QString id(int index); ///< the node's own name in the cluster
    /// Which node serves a slot as the node at `asked` sees it; -1: none.
    int masterOf(int slot, int asked);
    const QString& lastError() const { return m_error; }

    /// Waits until `done`, up to 20 s.
    static bool waitFor(const std::function<bool()>& done);

private:
    bool join();
    bool isWell(int index);

    std::array<std::unique_ptr<RedisServer>, nodes> m_nodes;
    std::array<std::uint16_t, nodes> m_busPorts{};
    QString m_user;
    QString m_password;
    QString m_error;
};

} // namespace sluice::test

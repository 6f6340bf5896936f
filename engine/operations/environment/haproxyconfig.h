#pragma once

#include <QByteArray>
#include <QList>
#include <QString>

namespace sluice::ops {

struct HaproxyServer
{
    QString name; ///< "blue-1"
    QString pool; ///< "blue" or "green"
    quint16 port = 0;
};

/// Where a generated HAProxy listens and keeps its files.
struct HaproxyLayout
{
    quint16 port = 0; ///< clients
    quint16 metricsPort = 0; ///< HAProxy's own Prometheus exporter
    QString socket; ///< runtime API, at most 100 bytes
    QString liveMap; ///< file: "live blue"
    QString numberMap; ///< file: "green 0", "blue 0", "until 0"
    QList<HaproxyServer> servers;
    int maxConnections = 4000;
};

/// The configuration: sessions are split by xxh32 of X-Session-Id between the live pool and the
/// other one, whose share and lease stand in the two maps. A request without a session, with a
/// lapsed lease, or for a pool without a healthy server goes to the live pool (or to the one that
/// has servers).
QByteArray haproxyConfig(const HaproxyLayout& layout);

/// What the map files hold at first, and after a reload: everything to the live pool.
QByteArray initialLiveMap(const QString& livePool);
QByteArray initialNumberMap();

} // namespace sluice::ops

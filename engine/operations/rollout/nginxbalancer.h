#pragma once

#include "engine/operations/environment/environment.h"
#include "engine/operations/rollout/driverports.h"

#include <QElapsedTimer>
#include <QNetworkAccessManager>
#include <memory>

namespace sluice::ops {

/// An nginx whose split is a file that the driver writes, taken up by a reload (SIGHUP) and read
/// back from a status address. Sessions are split by split_clients over X-Session-Id: a session
/// stays where it is, and a growing share moves only newcomers. Without the header: the live pool.
///
/// nginx itself keeps no time: it has no dead man, so that `untilMs` is not heeded, and it counts
/// nothing by pool, so that requests are counted from an access log (one short line each), and
/// servers that are up by asking the workers for /readyz.
///
/// The server's configuration (packaging/nginx/sluice-split.conf is a whole one):
///     log_format sluice_split '$sluice_pool $status';
///     access_log LOG sluice_split;
///     include SPLIT;                                      in http
///     location / { proxy_pass http://$sluice_pool; }      with upstreams blue and green
///     location = /sluice-split { return 200 $sluice_split; }   on a loopback address
class NginxBalancer : public Balancer
{
    Q_OBJECT

public:
    struct Options
    {
        QString splitFile; ///< written by us
        QString pidFile;
        QUrl status; ///< http://127.0.0.1:PORT/sluice-split
        QString accessLog; ///< cut to nothing where it grows over 16 MiB
        QList<WorkerEndpoint> workers;
    };
    explicit NginxBalancer(Options options, QObject* parent = nullptr);

    QString name() const override { return m_options.splitFile; }
    void read(QObject* context, Answered answered) override;
    void apply(
        const TrafficTarget& target, qint64 untilMs, QObject* context, Answered answered) override;
    void renew(qint64 untilMs, QObject* context, Answered answered) override;

    /// What the split file says. `generation` tells one reload from the next.
    static QByteArray splitText(const TrafficTarget& target, qint64 generation);

private:
    struct Counted
    {
        quint64 requests = 0;
        quint64 errors = 0; ///< answers 5xx
    };
    /// Asks nginx what it has, and each worker whether it is ready.
    void look(QObject* context, std::function<void(Result<TrafficSplit>, qint64)> answered);
    void waitFor(qint64 generation, const std::shared_ptr<QElapsedTimer>& since, QObject* context,
        const Answered& answered);
    Result<void> reload();
    void countLog();

    Options m_options;
    QNetworkAccessManager m_network;
    qint64 m_generation = 0;
    qint64 m_order = 0;
    qint64 m_logRead = 0;
    Counted m_blue;
    Counted m_green;
};

} // namespace sluice::ops

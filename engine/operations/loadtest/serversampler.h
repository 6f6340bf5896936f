#pragma once

#include "engine/operations/loadtest/loadresult.h"
#include "engine/operations/monitoring/prometheusclient.h"

#include <QElapsedTimer>
#include <QObject>
#include <QTimer>

namespace sluice::ops {

/// Asks Prometheus once a second how the workers are: the server's side of a load run. Nothing is
/// asked twice before it has answered; a silent Prometheus gives empty samples.
class ServerSampler : public QObject
{
    Q_OBJECT

public:
    ServerSampler(const QUrl& prometheus, QObject* parent = nullptr);

    /// What came in within the last five seconds.
    ServerSample latest() const;

private:
    struct Series
    {
        QString query;
        std::optional<double> value = {};
        QElapsedTimer age = {};
        bool asked = false;
    };
    void ask();
    void ask(Series& series);
    static std::optional<double> fresh(const Series& series);

    PrometheusClient m_client;
    QTimer m_timer;
    Series m_memory;
    Series m_cpu;
    Series m_hits;
};

} // namespace sluice::ops

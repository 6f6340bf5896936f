#pragma once

#include "engine/operations/rollout/driverports.h"

namespace sluice::ops {

/// A HAProxy with the two map files, by its runtime API.
class HaproxyBalancer : public Balancer
{
    Q_OBJECT

public:
    explicit HaproxyBalancer(const QString& socket, QObject* parent = nullptr);

    QString name() const override { return m_socket; }
    void read(QObject* context, Answered answered) override;
    void apply(
        const TrafficTarget& target, qint64 untilMs, QObject* context, Answered answered) override;
    void renew(qint64 untilMs, QObject* context, Answered answered) override;

private:
    QString m_socket;
    TrafficRouter m_router;
};

} // namespace sluice::ops

#include "engine/operations/rollout/haproxybalancer.h"

namespace sluice::ops {

HaproxyBalancer::HaproxyBalancer(const QString& socket, QObject* parent)
    : Balancer(parent)
    , m_socket(socket)
    , m_router(socket)
{ }

void HaproxyBalancer::read(QObject* context, Answered answered)
{
    m_router.read(context, std::move(answered));
}

void HaproxyBalancer::apply(
    const TrafficTarget& target, qint64 untilMs, QObject* context, Answered answered)
{
    m_router.apply(target.live, target.nextBasisPoints, untilMs, context, std::move(answered));
}

void HaproxyBalancer::renew(qint64 untilMs, QObject* context, Answered answered)
{
    m_router.renew(untilMs, context, std::move(answered));
}

} // namespace sluice::ops

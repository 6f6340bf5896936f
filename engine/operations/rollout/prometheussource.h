#pragma once

#include "engine/operations/environment/redisclient.h"
#include "engine/operations/monitoring/prometheusclient.h"
#include "engine/operations/rollout/gates.h"

#include <memory>

namespace sluice::ops {

/// Reads a rollout's gates from Prometheus (raw counters, own differences) and, for complaints,
/// from the feedback stream in Redis, and judges them (GateJudge). Every question has a time-out of
/// 5 s and is asked at the same time as the others; the answer comes once, whatever failed.
class PrometheusSource : public GateSource
{
    Q_OBJECT

public:
    struct Options
    {
        QUrl prometheus;
        double memoryLimitBytes = GateJudge::defaultMemoryLimit;
        int timeoutMs = 5000;
    };
    /// `redis` may be null (complaints are then SOURCE_DOWN); it must outlive this.
    explicit PrometheusSource(
        const Options& options, RedisClient* redis = nullptr, QObject* parent = nullptr);
    ~PrometheusSource() override;

    void evaluate(const GateContext& what, QObject* context, Answered answered) override;
    QJsonObject evidence() const override { return m_judge.save(); }
    void restore(const QJsonObject& saved) override { m_judge.restore(saved); }
    void reset() override { m_judge.reset(); }

private:
    struct Round;
    void askComplaints(const std::shared_ptr<Round>& round);
    void finishOne(const std::shared_ptr<Round>& round);

    Options m_options;
    PrometheusClient m_prometheus;
    RedisClient* m_redis;
    GateJudge m_judge;
};

/// The day's errors of one counter, sampled at a steady step, as differences a step; where a
/// counter went back there is none. For dispersionOf().
std::vector<double> stepsOf(const QList<QPointF>& samples, double stepSeconds);

} // namespace sluice::ops

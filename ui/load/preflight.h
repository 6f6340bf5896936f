#pragma once

#include "engine/operations/loadtest/scenario.h"
#include "ui/shell/theme.h"

#include <QList>
#include <QNetworkAccessManager>
#include <QObject>
#include <QPointer>
#include <QUrl>
#include <optional>

namespace sluice::ops {
class PrometheusClient;
}

namespace sluice::ui {

/// One thing looked at before a run.
struct PreflightCheck
{
    enum Kind
    {
        Target,
        Descriptors,
        Balancer,
        Headroom
    };
    Kind kind = Target;
    Tone tone = Tone::None; ///< Bad: the run must not start; Warn: it may, knowingly
    QString name; ///< "Target"
    QString text; ///< "answers in 1.2 ms"
};

/// What this machine and the balancer have to give; none: not known.
struct PreflightFacts
{
    std::optional<double> descriptorLimit = {}; ///< hard, of this machine's processes
    std::optional<double> balancerConnections = {}; ///< HAProxy's maxconn
    double cores = 1;
    double loadAverage = 0; ///< of the last minute
};

/// Connections that a scenario may need at once: users of a closed model; of an open one the
/// sessions, at most what may be in flight.
double connectionsOf(const ops::Scenario& scenario);

/// Descriptors here and in the balancer, and the generator's headroom: pure.
QList<PreflightCheck> judgeFacts(
    const ops::Scenario& scenario, const QString& generator, const PreflightFacts& facts);

/// Looks at target, machine and balancer before a run. Answers once a look(), within 3 s.
class Preflight : public QObject
{
    Q_OBJECT

public:
    explicit Preflight(QObject* parent = nullptr);

    /// `prometheus` null, or one that has no HAProxy: that limit is not known. A newer look
    /// supersedes.
    void look(const ops::Scenario& scenario, const QString& generator, const QUrl& target,
        ops::PrometheusClient* prometheus);

Q_SIGNALS:
    void looked(const QList<sluice::ui::PreflightCheck>& checks);

private:
    void answer(int number);

    QNetworkAccessManager m_network;
    ops::Scenario m_scenario;
    QString m_generator;
    PreflightFacts m_facts;
    PreflightCheck m_target;
    int m_number = 0;
    int m_open = 0;
};

/// "Bad" where one of them is, else "Warn", else "Ok".
Tone worstOf(const QList<PreflightCheck>& checks);

} // namespace sluice::ui

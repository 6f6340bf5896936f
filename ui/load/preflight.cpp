#include "ui/load/preflight.h"

#include "engine/operations/monitoring/prometheusclient.h"
#include "ui/shell/format.h"

#include <QElapsedTimer>
#include <QNetworkReply>
#include <QThread>
#include <algorithm>
#include <cstdlib>
#include <sys/resource.h>

namespace sluice::ui {

namespace {

constexpr int patienceMs = 3000;
constexpr double spareDescriptors = 200; ///< files, pipes and what libraries open
// Requests that one core of a generator can send (load tests' research; measured by its bench).
constexpr double nativePerCore = 60000;
constexpr double locustPerCore = 7000;

} // namespace

double connectionsOf(const ops::Scenario& scenario)
{
    return scenario.model == ops::LoadModel::Open
        ? std::min<double>(scenario.sessions, scenario.maxInFlight)
        : scenario.peakUsers();
}

QList<PreflightCheck> judgeFacts(
    const ops::Scenario& scenario, const QString& generator, const PreflightFacts& facts)
{
    using Check = PreflightCheck;
    const double connections = connectionsOf(scenario);
    QList<PreflightCheck> checks;
    const auto add = [&checks](
                         Check::Kind kind, Tone tone, const QString& name, const QString& text) {
        checks << Check{kind, tone, name, text};
    };

    const double needed = connections + spareDescriptors;
    const QString name = Preflight::tr("Descriptors here");
    if (!facts.descriptorLimit) {
        add(Check::Descriptors, Tone::None, name, Preflight::tr("the limit is not known"));
    } else if (needed > *facts.descriptorLimit) {
        add(Check::Descriptors, Tone::Bad, name,
            Preflight::tr("%1 needed, %2 allowed: raise ulimit -n, or take fewer users")
                .arg(format::count(needed), format::count(*facts.descriptorLimit)));
    } else {
        add(Check::Descriptors, Tone::Ok, name,
            Preflight::tr("%1 of %2")
                .arg(format::count(needed), format::count(*facts.descriptorLimit)));
    }

    const QString balancer = Preflight::tr("Balancer's connections");
    if (!facts.balancerConnections) {
        add(Check::Balancer, Tone::None, balancer,
            Preflight::tr("Prometheus knows no HAProxy here: not looked at"));
    } else if (connections > *facts.balancerConnections) {
        add(Check::Balancer, Tone::Warn, balancer,
            Preflight::tr("up to %1 wanted, HAProxy takes %2: beyond, requests wait in it")
                .arg(format::count(connections), format::count(*facts.balancerConnections)));
    } else {
        add(Check::Balancer, Tone::Ok, balancer,
            Preflight::tr("%1 of %2")
                .arg(format::count(connections), format::count(*facts.balancerConnections)));
    }

    const bool native = generator == QLatin1StringView("native");
    const double idle = std::max(0.0, facts.cores - facts.loadAverage);
    const double wanted = scenario.peakRate() / (native ? nativePerCore : locustPerCore);
    const QString headroom = Preflight::tr("Generator's headroom");
    const QString text =
        Preflight::tr("needs %1 cores, %2 of %3 idle")
            .arg(wanted < 0.01 ? QStringLiteral("under 0.01") : format::number(wanted, 2),
                format::number(idle, 2), format::number(facts.cores));
    if (wanted > facts.cores) {
        add(Check::Headroom, Tone::Bad, headroom, text);
    } else if (wanted > idle) {
        add(Check::Headroom, Tone::Warn, headroom,
            Preflight::tr("%1: this machine is busy").arg(text));
    } else {
        add(Check::Headroom, Tone::Ok, headroom, text);
    }
    return checks;
}

Tone worstOf(const QList<PreflightCheck>& checks)
{
    Tone worst = Tone::Ok;
    for (const PreflightCheck& check : checks) {
        if (check.tone == Tone::Bad) {
            return Tone::Bad;
        }
        if (check.tone == Tone::Warn) {
            worst = Tone::Warn;
        }
    }
    return worst;
}

Preflight::Preflight(QObject* parent)
    : QObject(parent)
{ }

void Preflight::look(const ops::Scenario& scenario, const QString& generator, const QUrl& target,
    ops::PrometheusClient* prometheus)
{
    const int number = ++m_number;
    m_scenario = scenario;
    m_generator = generator;
    m_facts = {};
    rlimit limit{};
    if (::getrlimit(RLIMIT_NOFILE, &limit) == 0) {
        m_facts.descriptorLimit = double(limit.rlim_max);
    }
    m_facts.cores = std::max(1, QThread::idealThreadCount());
    ::getloadavg(&m_facts.loadAverage, 1);
    m_open = prometheus != nullptr ? 2 : 1;

    QUrl ready = target;
    ready.setPath(QStringLiteral("/readyz"));
    QNetworkRequest request(ready);
    request.setTransferTimeout(patienceMs);
    QElapsedTimer clock;
    clock.start();
    QNetworkReply* reply = m_network.get(request);
    connect(reply, &QNetworkReply::finished, this, [this, reply, number, clock] {
        reply->deleteLater();
        if (number != m_number) {
            return;
        }
        const int status = reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt();
        m_target = {PreflightCheck::Target, Tone::Ok, tr("Target"), {}};
        if (status == 0) {
            m_target.tone = Tone::Bad;
            m_target.text = tr("does not answer: %1").arg(reply->errorString());
        } else if (status / 100 != 2) {
            m_target.tone = Tone::Bad;
            m_target.text = tr("is not ready: /readyz answers %1").arg(status);
        } else {
            m_target.text = tr("ready, answers in %1")
                                .arg(format::duration(double(clock.nsecsElapsed()) / 1e9));
        }
        answer(number);
    });
    if (prometheus != nullptr) {
        prometheus->query(
            QStringLiteral("sum(haproxy_process_max_connections)"), this,
            [this, number](const Result<QList<ops::InstantSample>>& samples) {
                if (number == m_number && samples && !samples->isEmpty()) {
                    m_facts.balancerConnections = samples->first().value;
                }
                answer(number);
            },
            patienceMs);
    }
}

void Preflight::answer(int number)
{
    if (number == m_number && --m_open == 0) {
        Q_EMIT looked(
            QList<PreflightCheck>{m_target} + judgeFacts(m_scenario, m_generator, m_facts));
    }
}

} // namespace sluice::ui

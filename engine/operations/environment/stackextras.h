#pragma once

#include "engine/base/result.h"

#include <QByteArray>
#include <QString>
#include <QStringList>

namespace sluice::ops {

/// A server that the local stack can have besides (`stack up --with`).
struct StackExtra
{
    const char* name; ///< "alertmanager"
    const char* program; ///< "prometheus-alertmanager"
    const char* package; ///< of Debian
    const char* healthPath; ///< answers 200 when it is ready
};
const StackExtra* stackExtra(const QString& name); ///< nullptr: there is none of that name
/// Splits "a,b"; Input error naming the choices.
Result<QStringList> stackExtrasFromString(const QString& names);

/// Where they listen; 0: not wanted.
struct StackExtraPorts
{
    quint16 alertmanager = 0;
    quint16 redisExporter = 0;
    quint16 blackboxExporter = 0;
    QStringList probes; ///< URLs that the blackbox exporter asks
};
/// What Prometheus' configuration says of them, to be appended to it.
QByteArray prometheusExtras(const StackExtraPorts& ports);
/// Alertmanager's configuration: it tells nobody, it only holds alerts and silences.
QByteArray alertmanagerConfig();
QByteArray blackboxConfig();

} // namespace sluice::ops

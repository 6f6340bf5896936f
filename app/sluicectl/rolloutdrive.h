#pragma once

#include "app/sluicectl/command.h"
#include "engine/operations/rollout/rolloutmachine.h"
#include "engine/operations/rollout/trafficrouter.h"

#include <boost/json/object.hpp>
#include <string>

namespace sluice::ctl {

boost::json::object splitToJson(const ops::TrafficSplit& split);
std::string splitInWords(const ops::TrafficSplit& split);
boost::json::value jsonOf(const QJsonObject& object);
/// A plan from a file; Input error with the file's name.
Result<ops::RolloutPlan> readPlan(const std::string& file);

/// Where a driver of that environment keeps its journal, its outbox and its socket.
struct DriverFolder
{
    QString path;

    /// The local stack's state folder, else $XDG_STATE_HOME/sluice/rollout/<environment>.
    static DriverFolder of(const ChosenEnvironment& chosen, const EnvironmentOptions& options);
    QString journal() const { return path % QStringLiteral("/rollout.journal"); }
    QString outbox() const { return path % QStringLiteral("/notifications.journal"); }
    /// A unix socket for who may write here: rollback, pause and resume, one JSON object a line.
    QString socket() const;
};

/// Asks the driver on this machine, past Redis: the state's new version, or why not. Unreachable:
/// there is none.
Result<qint64> askDriverHere(const DriverFolder& folder, const ops::RolloutEvent& event);

} // namespace sluice::ctl

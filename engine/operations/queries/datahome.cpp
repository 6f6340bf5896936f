#include "engine/operations/queries/datahome.h"

#include <QStandardPaths>

namespace sluice::ops {

QString dataHome()
{
    const QString own = qEnvironmentVariable("SLUICE_DATA_HOME");
    return own.isEmpty() ? QStandardPaths::writableLocation(QStandardPaths::GenericDataLocation)
            + QStringLiteral("/sluice")
                         : own;
}

} // namespace sluice::ops

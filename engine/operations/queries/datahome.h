#pragma once

#include <QString>

namespace sluice::ops {

/// Where this person's data are: $SLUICE_DATA_HOME, else $XDG_DATA_HOME/sluice.
QString dataHome();

} // namespace sluice::ops

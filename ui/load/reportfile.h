#pragma once

#include "engine/base/result.h"
#include "engine/operations/loadtest/loadresult.h"

#include <QString>

namespace sluice::ui {

/// Writes a run's report: PDF where the file's name ends in .pdf, else HTML; self-contained. May
/// be called on any thread. Error naming the file where it can't be written.
Result<void> writeReport(const ops::LoadResult& result, const QString& file);

} // namespace sluice::ui

#pragma once

#include "engine/classification/model/model.h"
#include "engine/classification/model/modelfile.h"

namespace sluice {

/// Trains as Model::train() documents it and lays the result out as a file.
Result<std::shared_ptr<const ModelFile>> trainModel(
    const LabelledData& data, const TrainingOptions& options);

} // namespace sluice

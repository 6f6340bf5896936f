#pragma once

#include "engine/classification/classifier.h"

#include <memory>

namespace sluice::service {

/// What a request is answered with: a model and thresholds compiled for it. Changed as one, so that
/// no request sees half of a change; who took it keeps it alive while it is needed.
struct Serving
{
    std::shared_ptr<const Classifier> classifier;
    std::shared_ptr<const CompiledThresholds> thresholds;
};
using ServingPointer = std::shared_ptr<const Serving>;

} // namespace sluice::service

#pragma once

#include "engine/classification/model/modelfile.h"

#include <string>
#include <string_view>

namespace sluice {

/// The first section of a model file (docs/FORMATS.md).
std::string metaText(const ModelMeta& meta);
/// Input error naming the member that is wrong.
Result<ModelMeta> readMeta(std::string_view text, std::string_view where);

/// Labels rounded up to 16: a row of weights fills whole vector registers.
constexpr std::size_t strideOf(std::size_t labels)
{
    return (labels + 15) / 16 * 16;
}

} // namespace sluice

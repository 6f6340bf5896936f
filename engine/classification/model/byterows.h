#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace sluice {

/// Rows of floats rounded to signed bytes with a scale a row: value = byte x scale, off by at most
/// half a scale (the row's largest magnitude / 254).
struct ByteRows
{
    std::vector<std::int8_t> bytes;
    std::vector<float> scales;

    /// `values` holds whole rows of `width`.
    static ByteRows from(std::span<const float> values, std::size_t width);
};

} // namespace sluice

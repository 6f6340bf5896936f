#include "engine/classification/model/byterows.h"

#include <algorithm>
#include <cmath>

namespace sluice {

ByteRows ByteRows::from(std::span<const float> values, std::size_t width)
{
    ByteRows rows;
    rows.bytes.resize(values.size());
    for (std::size_t begin = 0; begin < values.size(); begin += width) {
        const auto row = values.subspan(begin, width);
        float most = 0;
        for (const float value : row) {
            most = std::max(most, std::abs(value));
        }
        const float scale = most > 0 ? most / 127.0F : 1.0F;
        rows.scales.push_back(scale);
        for (std::size_t i = 0; i < width; ++i) {
            rows.bytes[begin + i] = std::int8_t(std::lround(row[i] / scale));
        }
    }
    return rows;
}

} // namespace sluice

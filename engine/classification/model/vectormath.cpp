#include "engine/classification/model/vectormath.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>

// ThreadSanitizer and AddressSanitizer run before the resolvers' environment is ready; the
// sanitizers' builds take the plain versions.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)                                \
    && !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
#define SLUICE_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define SLUICE_CLONES
#endif

namespace sluice::math {

SLUICE_CLONES void addScaled(
    float* __restrict y, const float* __restrict x, float a, std::size_t size)
{
    for (std::size_t i = 0; i < size; ++i) {
        y[i] += a * x[i];
    }
}

SLUICE_CLONES void addScaledBytes(
    float* __restrict y, const std::int8_t* __restrict x, float a, std::size_t size)
{
    for (std::size_t i = 0; i < size; ++i) {
        y[i] += a * float(x[i]);
    }
}

SLUICE_CLONES float dot(const float* __restrict x, const float* __restrict y, std::size_t size)
{
    float sum = 0;
    for (std::size_t i = 0; i < size; ++i) {
        sum += x[i] * y[i];
    }
    return sum;
}

SLUICE_CLONES void addRows(float* __restrict y, const std::int8_t* __restrict matrix,
    const float* __restrict scales, std::size_t stride, const std::uint32_t* __restrict rows,
    const float* __restrict values, std::size_t count)
{
    constexpr std::size_t ahead = 4;
    constexpr std::size_t line = 64;
    for (std::size_t index = 0; index < count; ++index) {
        if (index + ahead < count) {
            const std::int8_t* const next = matrix + std::size_t(rows[index + ahead]) * stride;
            for (std::size_t byte = 0; byte < stride; byte += line) {
                __builtin_prefetch(next + byte);
            }
        }
        const std::int8_t* const row = matrix + std::size_t(rows[index]) * stride;
        const float factor = values[index] * scales[rows[index]];
        for (std::size_t i = 0; i < stride; ++i) {
            y[i] += factor * float(row[i]);
        }
    }
}

SLUICE_CLONES void addProducts(float* __restrict y, const std::int8_t* __restrict matrix,
    const float* __restrict scales, const std::int16_t* __restrict x, float step, std::size_t rows,
    std::size_t size)
{
    for (std::size_t row = 0; row < rows; ++row) {
        const std::int8_t* const bytes = matrix + row * size;
        std::int32_t sum = 0;
        for (std::size_t i = 0; i < size; ++i) {
            sum += std::int32_t(x[i]) * std::int16_t(bytes[i]);
        }
        y[row] += scales[row] * step * float(sum);
    }
}

SLUICE_CLONES void raise(float* __restrict best, const float* __restrict x, std::size_t size)
{
    for (std::size_t i = 0; i < size; ++i) {
        best[i] = x[i] > best[i] ? x[i] : best[i];
    }
}

SLUICE_CLONES void raiseAt(float* __restrict best, std::int32_t* __restrict where,
    const float* __restrict x, std::int32_t place, std::size_t size)
{
    for (std::size_t i = 0; i < size; ++i) {
        where[i] = x[i] > best[i] ? place : where[i];
        best[i] = x[i] > best[i] ? x[i] : best[i];
    }
}

SLUICE_CLONES void multiply(float* __restrict out, std::size_t outStride, const float* __restrict x,
    std::size_t xStride, const float* __restrict w, std::size_t rows, std::size_t inner,
    std::size_t columns)
{
    // Two rows by four lanes of 16 stay in registers while the inner dimension passes, and a block
    // of W stays in the first cache while the rows pass. (GCC spills plain arrays of sums.)
    using Lane = float __attribute__((vector_size(64)));
    constexpr std::size_t lane = sizeof(Lane) / sizeof(float);
    constexpr std::size_t block = 4 * lane;
    std::size_t begin = 0;
    for (; begin + block <= columns; begin += block) {
        for (std::size_t row = 0; row < rows; row += 2) {
            const float* const first = x + row * xStride;
            const float* const second = row + 1 < rows ? first + xStride : first;
            Lane a0{}, a1{}, a2{}, a3{}, b0{}, b1{}, b2{}, b3{};
            for (std::size_t k = 0; k < inner; ++k) {
                const float* const line = w + k * columns + begin;
                Lane w0, w1, w2, w3;
                std::memcpy(&w0, line, sizeof w0);
                std::memcpy(&w1, line + lane, sizeof w1);
                std::memcpy(&w2, line + 2 * lane, sizeof w2);
                std::memcpy(&w3, line + 3 * lane, sizeof w3);
                a0 += w0 * first[k];
                a1 += w1 * first[k];
                a2 += w2 * first[k];
                a3 += w3 * first[k];
                b0 += w0 * second[k];
                b1 += w1 * second[k];
                b2 += w2 * second[k];
                b3 += w3 * second[k];
            }
            float* const to = out + row * outStride + begin;
            std::memcpy(to, &a0, sizeof a0);
            std::memcpy(to + lane, &a1, sizeof a1);
            std::memcpy(to + 2 * lane, &a2, sizeof a2);
            std::memcpy(to + 3 * lane, &a3, sizeof a3);
            if (row + 1 < rows) {
                std::memcpy(to + outStride, &b0, sizeof b0);
                std::memcpy(to + outStride + lane, &b1, sizeof b1);
                std::memcpy(to + outStride + 2 * lane, &b2, sizeof b2);
                std::memcpy(to + outStride + 3 * lane, &b3, sizeof b3);
            }
        }
    }
    for (std::size_t row = 0; row < rows && begin < columns; ++row) {
        float* const to = out + row * outStride;
        std::fill(to + begin, to + columns, 0.0F);
        for (std::size_t k = 0; k < inner; ++k) {
            for (std::size_t i = begin; i < columns; ++i) {
                to[i] += x[row * xStride + k] * w[k * columns + i];
            }
        }
    }
}

SLUICE_CLONES void adam(float* __restrict weights, float* __restrict gradient,
    float* __restrict first, float* __restrict second, std::size_t size, float rate, float root,
    float decay)
{
    for (std::size_t i = 0; i < size; ++i) {
        const float g = gradient[i] + decay * weights[i];
        first[i] = 0.9F * first[i] + 0.1F * g;
        second[i] = 0.999F * second[i] + 0.001F * g * g;
        weights[i] -= rate * first[i] / (std::sqrt(second[i]) * root + 1e-8F);
        gradient[i] = 0;
    }
}

SLUICE_CLONES void adaGrad(float* __restrict weights, float* __restrict sums,
    const float* __restrict g, float value, float rate, std::size_t size)
{
    for (std::size_t i = 0; i < size; ++i) {
        const float gradient = g[i] * value;
        sums[i] += gradient * gradient;
        weights[i] -= rate * gradient / std::sqrt(sums[i]);
    }
}

SLUICE_CLONES float exponentials(float* __restrict x, float most, std::size_t size)
{
    // 2^(k + f) with f in [-0.5, 0.5] by a polynomial of degree 6 (Taylor of e^(f ln 2)).
    constexpr float log2e = 1.44269504F;
    constexpr float highLn2 = 0.693359375F;
    constexpr float lowLn2 = -2.12194440e-4F;
    float sum = 0;
    for (std::size_t i = 0; i < size; ++i) {
        const float d = std::max(-87.0F, x[i] - most); // in this order also of no number
        const float k = std::nearbyint(d * log2e);
        const float r = (d - k * highLn2) - k * lowLn2;
        float p = 1.3888889e-3F;
        p = p * r + 8.3333333e-3F;
        p = p * r + 4.1666667e-2F;
        p = p * r + 1.6666667e-1F;
        p = p * r + 0.5F;
        p = p * r + 1.0F;
        p = p * r + 1.0F;
        x[i] = p * std::bit_cast<float>((std::int32_t(k) + 127) << 23);
        sum += x[i];
    }
    return sum;
}

} // namespace sluice::math

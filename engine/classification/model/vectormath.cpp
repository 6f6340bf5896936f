#include "engine/classification/model/vectormath.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

// ThreadSanitizer and AddressSanitizer run before the resolvers' environment is ready; the
// sanitizers' builds take the plain versions.
#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__)                                \
    && !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)
#define SLUICE_CLONES __attribute__((target_clones("arch=x86-64-v4", "arch=x86-64-v3", "default")))
#else
#define SLUICE_CLONES
#endif

#define SLUICE_INLINE inline __attribute__((always_inline))

namespace sluice::math {

namespace {

/// Sixteen values. GCC keeps plain arrays of sums in memory, these in registers.
using Lane = float __attribute__((vector_size(64)));
using HalfLane = float __attribute__((vector_size(32)));
using HalfInts = std::int32_t __attribute__((vector_size(32)));
using QuarterLane = float __attribute__((vector_size(16)));
using QuarterInts = std::int32_t __attribute__((vector_size(16)));
constexpr std::size_t lane = sizeof(Lane) / sizeof(float);

template <typename Vector, typename T> SLUICE_INLINE void load(Vector& vector, const T* from)
{
    std::memcpy(&vector, from, sizeof vector);
}

/// e^d for d <= 0: 2^(k + f) with f in [-0.5, 0.5] by a polynomial of degree 6 (Taylor of
/// e^(f ln 2)).
SLUICE_INLINE float exponential(float d)
{
    constexpr float log2e = 1.44269504F;
    constexpr float highLn2 = 0.693359375F;
    constexpr float lowLn2 = -2.12194440e-4F;
    d = std::max(-87.0F, d); // in this order also of no number
    const float k = std::nearbyint(d * log2e);
    const float r = (d - k * highLn2) - k * lowLn2;
    float p = 1.3888889e-3F;
    p = p * r + 8.3333333e-3F;
    p = p * r + 4.1666667e-2F;
    p = p * r + 1.6666667e-1F;
    p = p * r + 0.5F;
    p = p * r + 1.0F;
    p = p * r + 1.0F;
    return p * std::bit_cast<float>((std::int32_t(k) + 127) << 23);
}

/// y += the rows' sum, of `Blocks` times as many columns as `Ints` has bytes; they stay in
/// registers meanwhile. The bytes of a word are shifted apart, which any instruction set does in
/// few steps: sums[k] of a block is of its columns k, k + 4, k + 8 ...
template <typename Ints, typename Floats, std::size_t Blocks>
SLUICE_INLINE void addRowsOf(float* y, const std::int8_t* matrix, std::size_t stride,
    const std::uint32_t* rows, const float* factors, std::size_t count)
{
    Floats sums[Blocks][4];
    for (auto& block : sums) {
        for (Floats& sum : block) {
            sum = Floats{};
        }
    }
    for (std::size_t index = 0; index < count; ++index) {
        const std::int8_t* const row = matrix + std::size_t(rows[index]) * stride;
        for (std::size_t block = 0; block < Blocks; ++block) {
            Ints bytes;
            load(bytes, row + block * sizeof bytes);
            Floats* const sum = sums[block];
            sum[0] += __builtin_convertvector((bytes << 24) >> 24, Floats) * factors[index];
            sum[1] += __builtin_convertvector((bytes << 16) >> 24, Floats) * factors[index];
            sum[2] += __builtin_convertvector((bytes << 8) >> 24, Floats) * factors[index];
            sum[3] += __builtin_convertvector(bytes >> 24, Floats) * factors[index];
        }
    }
    for (std::size_t block = 0; block < Blocks; ++block) {
        float plain[4][sizeof(Ints) / 4];
        std::memcpy(plain, sums[block], sizeof plain);
        float* const to = y + block * sizeof(Ints);
        for (std::size_t i = 0; i < sizeof(Ints) / 4; ++i) {
            for (std::size_t k = 0; k < 4; ++k) {
                to[4 * i + k] += plain[k][i];
            }
        }
    }
}

/// Magnitudes are in the order of their bits; beyond infinity are those that are no numbers.
SLUICE_INLINE float highestMagnitude(const float* x, std::size_t size)
{
    std::int32_t most = 0;
    for (std::size_t i = 0; i < size; ++i) {
        most = std::max(most, std::bit_cast<std::int32_t>(x[i]) & 0x7FFFFFFF);
    }
    return std::bit_cast<float>(most);
}

SLUICE_INLINE bool isNumber(float magnitude)
{
    return magnitude <= std::numeric_limits<float>::max();
}

template <std::size_t Count>
SLUICE_INLINE void addProductsOf(const Product* products, const std::int8_t* matrix,
    const float* scales, std::size_t rows, std::size_t size)
{
    for (std::size_t row = 0; row < rows; ++row) {
        const std::int8_t* const bytes = matrix + row * size;
        std::int32_t sums[Count] = {};
        for (std::size_t i = 0; i < size; ++i) {
            for (std::size_t n = 0; n < Count; ++n) {
                sums[n] += std::int32_t(products[n].x[i]) * std::int16_t(bytes[i]);
            }
        }
        for (std::size_t n = 0; n < Count; ++n) {
            products[n].y[row] += scales[row] * products[n].step * float(sums[n]);
        }
    }
}

/// As many filters as `Ints` has bytes, from `begin` on, as in addRowsOf().
template <typename Ints, typename Floats>
SLUICE_INLINE void poolWindowsOf(float* hidden, const float* bias, const ByteRow* words,
    std::size_t count, std::size_t width, std::size_t begin, std::size_t size)
{
    Floats best[4];
    for (Floats& one : best) {
        one = Floats{} - std::numeric_limits<float>::max();
    }
    for (std::size_t end = 1; end < count + width; ++end) { // of the window, behind its last word
        Floats sums[4];
        for (Floats& sum : sums) {
            sum = Floats{};
        }
        const std::size_t first = end < width ? 0 : end - width;
        for (std::size_t word = first; word < std::min(end, count); ++word) {
            Ints bytes;
            load(bytes, words[word].bytes + (word + width - end) * size + begin);
            const float scale = words[word].scale;
            sums[0] += __builtin_convertvector((bytes << 24) >> 24, Floats) * scale;
            sums[1] += __builtin_convertvector((bytes << 16) >> 24, Floats) * scale;
            sums[2] += __builtin_convertvector((bytes << 8) >> 24, Floats) * scale;
            sums[3] += __builtin_convertvector(bytes >> 24, Floats) * scale;
        }
        for (std::size_t k = 0; k < 4; ++k) {
            best[k] = sums[k] > best[k] ? sums[k] : best[k];
        }
    }
    float plain[4][sizeof(Ints) / 4];
    std::memcpy(plain, best, sizeof plain);
    for (std::size_t i = 0; i < sizeof(Ints) / 4; ++i) {
        for (std::size_t k = 0; k < 4; ++k) {
            hidden[4 * i + k] = std::max(0.0F, plain[k][i] + bias[4 * i + k]);
        }
    }
}

} // namespace

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
    std::size_t stride, const std::uint32_t* __restrict rows, const float* __restrict factors,
    std::size_t count)
{
    std::size_t begin = 0;
    for (; begin + 64 <= stride; begin += 64) {
        addRowsOf<HalfInts, HalfLane, 2>(y + begin, matrix + begin, stride, rows, factors, count);
    }
    for (; begin + 16 <= stride; begin += 16) {
        addRowsOf<QuarterInts, QuarterLane, 1>(
            y + begin, matrix + begin, stride, rows, factors, count);
    }
    for (std::size_t index = 0; index < count && begin < stride; ++index) {
        const std::int8_t* const row = matrix + std::size_t(rows[index]) * stride;
        for (std::size_t i = begin; i < stride; ++i) {
            y[i] += factors[index] * float(row[i]);
        }
    }
}

SLUICE_CLONES void addProducts(const Product* __restrict products, std::size_t count,
    const std::int8_t* __restrict matrix, const float* __restrict scales, std::size_t rows,
    std::size_t size)
{
    std::size_t begin = 0;
    for (; begin + 4 <= count; begin += 4) {
        addProductsOf<4>(products + begin, matrix, scales, rows, size);
    }
    for (; begin < count; ++begin) {
        addProductsOf<1>(products + begin, matrix, scales, rows, size);
    }
}

SLUICE_CLONES float roundToSteps(
    std::int16_t* __restrict out, const float* __restrict x, int steps, std::size_t size)
{
    const float step = std::max(highestMagnitude(x, size), 1e-9F) / float(steps);
    if (!isNumber(step)) {
        std::fill(out, out + size, std::int16_t(0));
        return 0;
    }
    for (std::size_t i = 0; i < size; ++i) {
        out[i] = std::int16_t(std::int32_t(x[i] / step));
    }
    return step;
}

SLUICE_CLONES float roundToBytes(
    std::int8_t* __restrict out, const float* __restrict x, std::size_t size)
{
    const float scale = std::max(highestMagnitude(x, size), 1e-30F) / 127.0F;
    if (!isNumber(scale)) {
        std::fill(out, out + size, std::int8_t(0));
        return 0;
    }
    for (std::size_t i = 0; i < size; ++i) {
        out[i] = std::int8_t(std::int32_t(std::nearbyint(x[i] / scale)));
    }
    return scale;
}

SLUICE_CLONES void roundColumns(std::int8_t* __restrict out, float* __restrict scales,
    const float* __restrict x, std::size_t rows, std::size_t columns)
{
    std::fill(scales, scales + columns, 1e-30F);
    for (std::size_t row = 0; row < rows; ++row) {
        for (std::size_t i = 0; i < columns; ++i) {
            const float magnitude = std::abs(x[row * columns + i]);
            scales[i] = magnitude > scales[i] ? magnitude : scales[i];
        }
    }
    for (std::size_t i = 0; i < columns; ++i) {
        scales[i] /= 127.0F;
    }
    for (std::size_t row = 0; row < rows; ++row) {
        for (std::size_t i = 0; i < columns; ++i) {
            const float steps = std::nearbyint(x[row * columns + i] / scales[i]);
            out[row * columns + i] = std::int8_t(std::int32_t(steps));
        }
    }
}

SLUICE_CLONES void poolWindows(float* __restrict hidden, const float* __restrict bias,
    const ByteRow* __restrict words, std::size_t count, std::size_t width, std::size_t size)
{
    std::size_t begin = 0;
    for (; begin + sizeof(HalfInts) <= size; begin += sizeof(HalfInts)) {
        poolWindowsOf<HalfInts, HalfLane>(
            hidden + begin, bias + begin, words, count, width, begin, size);
    }
    for (; begin + sizeof(QuarterInts) <= size; begin += sizeof(QuarterInts)) {
        poolWindowsOf<QuarterInts, QuarterLane>(
            hidden + begin, bias + begin, words, count, width, begin, size);
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
    // of W stays in the first cache while the rows pass.
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
    float sum = 0;
    for (std::size_t i = 0; i < size; ++i) {
        x[i] = exponential(x[i] - most);
        sum += x[i];
    }
    return sum;
}

SLUICE_CLONES ExponentialSums exponentialSums(
    const float* __restrict x, float most, float factor, std::size_t size)
{
    ExponentialSums sums;
    for (std::size_t i = 0; i < size; ++i) {
        const float d = (x[i] - most) * factor;
        const float e = exponential(d);
        sums.e += e;
        sums.ed += e * d;
    }
    return sums;
}

SLUICE_CLONES float sum(const float* __restrict x, std::size_t size)
{
    float total = 0;
    for (std::size_t i = 0; i < size; ++i) {
        total += x[i];
    }
    return total;
}

SLUICE_CLONES void centre(float* __restrict x, std::size_t size)
{
    const float mean = sum(x, size) / float(size);
    for (std::size_t i = 0; i < size; ++i) {
        x[i] -= mean;
    }
}

SLUICE_CLONES std::size_t highest(const float* __restrict x, std::size_t size)
{
    std::size_t begin = 0;
    float most = x[0];
    std::size_t place = 0;
    constexpr std::size_t half = sizeof(HalfLane) / sizeof(float);
    if (size >= 2 * half) {
        // Two at a time: each waits for its own last comparison alone.
        HalfLane best[2];
        HalfInts places[2] = {{0, 1, 2, 3, 4, 5, 6, 7}, {8, 9, 10, 11, 12, 13, 14, 15}};
        HalfInts at[2] = {places[0], places[1]};
        load(best, x);
        for (begin = 2 * half; begin + 2 * half <= size; begin += 2 * half) {
            for (std::size_t i = 0; i < 2; ++i) {
                HalfLane next;
                load(next, x + begin + i * half);
                at[i] += std::int32_t(2 * half);
                places[i] = next > best[i] ? at[i] : places[i];
                best[i] = next > best[i] ? next : best[i];
            }
        }
        const auto second = best[1] > best[0] || (best[1] == best[0] && places[1] < places[0]);
        places[0] = second ? places[1] : places[0];
        best[0] = second ? best[1] : best[0];
        most = best[0][0];
        place = std::size_t(places[0][0]);
        for (std::size_t i = 1; i < half; ++i) {
            const auto other = std::size_t(places[0][i]);
            const bool higher = best[0][i] > most || (best[0][i] == most && other < place);
            place = higher ? other : place;
            most = higher ? best[0][i] : most;
        }
    }
    for (; begin < size; ++begin) {
        place = x[begin] > most ? begin : place;
        most = x[begin] > most ? x[begin] : most;
    }
    return place;
}

} // namespace sluice::math

#pragma once

#include <cstddef>
#include <cstdint>

/// The inner loops of training and scoring, each compiled for several instruction sets and chosen
/// at start (GCC's function multi-versioning), so that one binary runs everywhere and fast.
/// Pointers do not overlap; sizes count elements.
namespace sluice::math {

/// y += a x
void addScaled(float* y, const float* x, float a, std::size_t size);
/// y += a x with x as signed bytes
void addScaledBytes(float* y, const std::int8_t* x, float a, std::size_t size);
/// y += the sum of factors[i] x (row rows[i] of bytes); `matrix` has `stride` bytes a row.
void addRows(float* y, const std::int8_t* matrix, std::size_t stride, const std::uint32_t* rows,
    const float* factors, std::size_t count);
float dot(const float* x, const float* y, std::size_t size);
float sum(const float* x, std::size_t size);
/// x -= the mean of x
void centre(float* x, std::size_t size);
/// Place of the highest of `size` > 0 values; of equal ones, the first.
std::size_t highest(const float* x, std::size_t size);
/// One text's part in addProducts(): y[i] += scales[i] x step x (x . row i).
struct Product
{
    const std::int16_t* x = nullptr; ///< `size` values
    float step = 0; ///< what a value of 1 stands for
    float* y = nullptr; ///< `rows` values
};
/// For each of `count` products and each of `rows` rows of `size` bytes: several products share
/// what is read of the matrix, and come out as each alone. Sums are exact in 32 bits where size x
/// max |x| x 127 < 2^31.
void addProducts(const Product* products, std::size_t count, const std::int8_t* matrix,
    const float* scales, std::size_t rows, std::size_t size);
/// Rounds x towards zero to steps of its largest magnitude / `steps`; returns the step. 0, and all
/// values 0, where one is infinite or no number.
float roundToSteps(std::int16_t* out, const float* x, int steps, std::size_t size);
/// Rounds x to the nearest of 127 steps up to its largest magnitude; returns the step, as above.
float roundToBytes(std::int8_t* out, const float* x, std::size_t size);
/// The same for each column of finite numbers.
void roundColumns(
    std::int8_t* out, float* scales, const float* x, std::size_t rows, std::size_t columns);

/// A row of bytes: value = byte x scale.
struct ByteRow
{
    const std::int8_t* bytes = nullptr;
    float scale = 0;
};
/// A max-pooled convolution of one width over the words of a text: hidden[i] = the largest of 0 and
/// of bias[i] + the sum over the offsets of the word there, at byte offset x `size` + i of its row.
/// Windows may hang over either end of the text.
void poolWindows(float* hidden, const float* bias, const ByteRow* words, std::size_t count,
    std::size_t width, std::size_t size);

/// best[i] = max(best[i], x[i]), remembering in where[i] the `place` at which a value rose.
void raiseAt(
    float* best, std::int32_t* where, const float* x, std::int32_t place, std::size_t size);

/// out = X W: `rows` rows of X (`inner` values, `xStride` apart) times W (inner x columns, row
/// after row); rows of `out` are `outStride` apart.
void multiply(float* out, std::size_t outStride, const float* x, std::size_t xStride,
    const float* w, std::size_t rows, std::size_t inner, std::size_t columns);

/// A step of Adam (Kingma, Ba 2015, arXiv 1412.6980) with weight decay added to the gradient;
/// clears the gradient. `rate` is already corrected for the first moment's bias, `root` is the
/// second moment's correction, 1 / sqrt(1 - 0.999^t).
void adam(float* weights, float* gradient, float* first, float* second, std::size_t size,
    float rate, float root, float decay);

/// A step of AdaGrad (Duchi, Hazan, Singer 2011) on gradient value * g.
void adaGrad(
    float* weights, float* sums, const float* g, float value, float rate, std::size_t size);

/// Sums over e = e^d, d = (x - most) factor; as exponentials().
struct ExponentialSums
{
    float e = 0;
    float ed = 0; ///< e x d
};
ExponentialSums exponentialSums(const float* x, float most, float factor, std::size_t size);

/// x -> e^(x - most), returns the sum; relative error below 5e-6 (the compiler may reorder sums).
float exponentials(float* x, float most, std::size_t size);

} // namespace sluice::math

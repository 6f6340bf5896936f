#include "engine/classification/model/vectormath.h"
#include "tests/support/testcase.h"

#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <random>

using namespace sluice;

class TestVectorMath : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void addsScaled();
    void addsScaledBytes();
    void addsRows();
    void dotProduct();
    void centres();
    void findsTheHighest();
    void addsProducts();
    void productsAreExactAtTheirBound();
    void roundsToSteps();
    void roundsNoNumberToNothing();
    void roundsColumns();
    void poolsWindows();
    void raises();
    void multiplies();
    void adamSteps();
    void adaGradSteps();
    void exponentialsAreClose();
    void exponentialsSumUp();
    void sumsOfExponentials();
};

namespace {

constexpr std::size_t most = 130;

std::mt19937& engine()
{
    static std::mt19937 random(3);
    return random;
}

std::vector<float> floats(std::size_t size, float least = -2, float highest = 2)
{
    std::uniform_real_distribution<float> values(least, highest);
    std::vector<float> out(size);
    std::generate(out.begin(), out.end(), [&] { return values(engine()); });
    return out;
}

std::vector<std::int8_t> bytes(std::size_t size)
{
    std::uniform_int_distribution<int> values(-127, 127);
    std::vector<std::int8_t> out(size);
    std::generate(out.begin(), out.end(), [&] { return std::int8_t(values(engine())); });
    return out;
}

bool near(double got, double expected, double scale = 1)
{
    return std::abs(got - expected) <= 2e-5 * std::max(scale, std::abs(expected));
}

} // namespace

void TestVectorMath::addsScaled()
{
    for (std::size_t size = 0; size <= most; ++size) {
        const auto x = floats(size);
        const auto before = floats(size + 1); // the one behind must stay
        auto y = before;
        math::addScaled(y.data(), x.data(), 1.5F, size);
        for (std::size_t i = 0; i < size; ++i) {
            QVERIFY(near(double(y[i]), double(before[i]) + 1.5 * double(x[i])));
        }
        QCOMPARE(y[size], before[size]);
    }
}

void TestVectorMath::addsScaledBytes()
{
    for (std::size_t size = 0; size <= most; ++size) {
        const auto x = bytes(size);
        const auto before = floats(size + 1);
        auto y = before;
        math::addScaledBytes(y.data(), x.data(), -0.25F, size);
        for (std::size_t i = 0; i < size; ++i) {
            QVERIFY(near(double(y[i]), double(before[i]) - 0.25 * double(x[i])));
        }
        QCOMPARE(y[size], before[size]);
    }
}

void TestVectorMath::addsRows()
{
    for (const std::size_t stride : {1U, 7U, 16U, 64U, 129U, 160U}) {
        for (std::size_t count = 0; count < 12; ++count) {
            constexpr std::size_t height = 9;
            const auto matrix = bytes(height * stride);
            const auto factors = floats(count);
            std::vector<std::uint32_t> rows(count);
            std::generate(rows.begin(), rows.end(), [] { return engine()() % height; });
            const auto before = floats(stride);
            auto y = before;
            math::addRows(y.data(), matrix.data(), stride, rows.data(), factors.data(), count);
            for (std::size_t i = 0; i < stride; ++i) {
                double expected = double(before[i]);
                for (std::size_t index = 0; index < count; ++index) {
                    expected += double(factors[index]) * double(matrix[rows[index] * stride + i]);
                }
                QVERIFY(near(double(y[i]), expected, 500));
            }
        }
    }
}

void TestVectorMath::dotProduct()
{
    for (std::size_t size = 0; size <= most; ++size) {
        const auto x = floats(size);
        const auto y = floats(size);
        double expected = 0;
        for (std::size_t i = 0; i < size; ++i) {
            expected += double(x[i]) * double(y[i]);
        }
        QVERIFY(near(double(math::dot(x.data(), y.data(), size)), expected, 4));
    }
}

void TestVectorMath::centres()
{
    for (std::size_t size = 1; size <= most; ++size) {
        const auto before = floats(size + 1);
        const double sum = std::accumulate(before.begin(), before.end() - 1, 0.0);
        QVERIFY(near(double(math::sum(before.data(), size)), sum, 100));
        auto x = before;
        math::centre(x.data(), size);
        for (std::size_t i = 0; i < size; ++i) {
            QVERIFY(near(double(x[i]), double(before[i]) - sum / double(size)));
        }
        QCOMPARE(x[size], before[size]);
    }
}

void TestVectorMath::findsTheHighest()
{
    for (std::size_t size = 1; size <= most; ++size) {
        auto x = floats(size + 1);
        x[size] = 9; // behind the end
        const auto expected = std::size_t(std::max_element(x.begin(), x.end() - 1) - x.begin());
        QCOMPARE(math::highest(x.data(), size), expected);
        // Of equal ones the first, wherever they stand.
        const std::size_t first = engine()() % size;
        for (std::size_t place = first; place < size; place += 1 + engine()() % 9) {
            x[place] = 3;
        }
        QCOMPARE(math::highest(x.data(), size), first);
        std::fill(x.begin(), x.end(), -1.0F);
        QCOMPARE(math::highest(x.data(), size), std::size_t(0));
    }
}

void TestVectorMath::addsProducts()
{
    std::uniform_int_distribution<int> values(-2047, 2047);
    for (std::size_t size = 0; size <= most; ++size) {
        constexpr std::size_t rows = 5;
        const std::size_t count = size % 7;
        const auto matrix = bytes(rows * size);
        const auto scales = floats(rows);
        std::vector<std::int16_t> x(count * size);
        std::generate(x.begin(), x.end(), [&] { return std::int16_t(values(engine())); });
        const auto before = floats(count * rows);
        auto y = before;
        auto alone = before;
        std::vector<math::Product> products;
        for (std::size_t n = 0; n < count; ++n) {
            products.push_back({x.data() + n * size, 0.01F * float(n + 1), y.data() + n * rows});
            const math::Product one{products[n].x, products[n].step, alone.data() + n * rows};
            math::addProducts(&one, 1, matrix.data(), scales.data(), rows, size);
        }
        math::addProducts(products.data(), count, matrix.data(), scales.data(), rows, size);
        QCOMPARE(y, alone);
        for (std::size_t place = 0; place < y.size(); ++place) {
            const std::size_t row = place % rows;
            double sum = 0;
            for (std::size_t i = 0; i < size; ++i) {
                sum += double(x[place / rows * size + i]) * double(matrix[row * size + i]);
            }
            const double step = 0.01 * double(place / rows + 1);
            QVERIFY(near(double(y[place]), double(before[place]) + double(scales[row]) * step * sum,
                1e-3 * std::abs(sum)));
        }
    }
}

void TestVectorMath::productsAreExactAtTheirBound()
{
    // The largest CNN that a model file may have.
    constexpr std::size_t size = 8192;
    const std::vector<std::int8_t> matrix(size, -127);
    const std::vector<std::int16_t> x(size, 2047);
    const float scale = 1;
    std::array<float, 4> y{};
    std::array<math::Product, 4> products;
    for (std::size_t n = 0; n < y.size(); ++n) {
        products[n] = {x.data(), 1.0F, &y[n]};
    }
    math::addProducts(products.data(), products.size(), matrix.data(), &scale, 1, size);
    for (const float sum : y) {
        QCOMPARE(sum, float(-127.0 * 2047.0 * double(size)));
    }
}

void TestVectorMath::roundsToSteps()
{
    for (std::size_t size = 1; size <= most; ++size) {
        const auto x = floats(size);
        double largest = 0;
        for (const float value : x) {
            largest = std::max(largest, std::abs(double(value)));
        }
        std::vector<std::int16_t> steps(size + 1, 77); // the one behind must stay
        std::vector<std::int8_t> rounded(size + 1, 77);
        const float step = math::roundToSteps(steps.data(), x.data(), 2047, size);
        const float scale = math::roundToBytes(rounded.data(), x.data(), size);
        QVERIFY(near(double(step) * 2047, largest));
        QVERIFY(near(double(scale) * 127, largest));
        for (std::size_t i = 0; i < size; ++i) {
            const double left = std::abs(double(x[i])) - std::abs(double(steps[i]) * double(step));
            QVERIFY(left > -1e-5 && left < double(step) * 1.001);
            QVERIFY(std::abs(double(x[i]) - double(rounded[i]) * double(scale))
                < double(scale) * 0.501);
        }
        QCOMPARE(int(steps[size]), 77);
        QCOMPARE(int(rounded[size]), 77);
    }
}

void TestVectorMath::roundsNoNumberToNothing()
{
    for (const float bad : {std::numeric_limits<float>::infinity(), std::nanf("")}) {
        std::vector<float> x(40, 1.0F);
        x[17] = -bad;
        std::vector<std::int16_t> steps(x.size(), 77);
        std::vector<std::int8_t> rounded(x.size(), 77);
        QCOMPARE(math::roundToSteps(steps.data(), x.data(), 2047, x.size()), 0.0F);
        QCOMPARE(math::roundToBytes(rounded.data(), x.data(), x.size()), 0.0F);
        QCOMPARE(steps, std::vector<std::int16_t>(x.size(), 0));
        QCOMPARE(rounded, std::vector<std::int8_t>(x.size(), 0));
    }
    const std::vector<float> nothing(20, 0.0F);
    std::vector<std::int16_t> steps(nothing.size(), 77);
    QVERIFY(math::roundToSteps(steps.data(), nothing.data(), 2047, nothing.size()) > 0);
    QCOMPARE(steps, std::vector<std::int16_t>(nothing.size(), 0));
}

void TestVectorMath::roundsColumns()
{
    for (std::size_t columns = 1; columns <= most; ++columns) {
        const std::size_t rows = 1 + columns % 6;
        const auto x = floats(rows * columns);
        std::vector<std::int8_t> rounded(x.size());
        std::vector<float> scales(columns);
        math::roundColumns(rounded.data(), scales.data(), x.data(), rows, columns);
        for (std::size_t column = 0; column < columns; ++column) {
            double largest = 0;
            for (std::size_t row = 0; row < rows; ++row) {
                const std::size_t place = row * columns + column;
                largest = std::max(largest, std::abs(double(x[place])));
                QVERIFY(std::abs(double(x[place]) - double(rounded[place]) * double(scales[column]))
                    < double(scales[column]) * 0.501);
            }
            QVERIFY(near(double(scales[column]) * 127, largest));
        }
    }
}

void TestVectorMath::poolsWindows()
{
    for (const std::size_t size : {16U, 32U, 48U, 80U}) {
        for (const std::size_t width : {1U, 2U, 3U, 5U}) {
            for (std::size_t count = 0; count < 7; ++count) {
                const auto matrix = bytes(count * width * size);
                const auto scales = floats(count);
                const auto bias = floats(size, -300, 300);
                std::vector<math::ByteRow> words;
                for (std::size_t word = 0; word < count; ++word) {
                    words.push_back({matrix.data() + word * width * size, scales[word]});
                }
                std::vector<float> hidden(size + 1, -99.0F);
                math::poolWindows(hidden.data(), bias.data(), words.data(), count, width, size);
                for (std::size_t i = 0; i < size; ++i) {
                    double best = 0;
                    for (std::size_t end = 1; end < count + width; ++end) {
                        auto sum = double(bias[i]);
                        for (std::size_t offset = 0; offset < width; ++offset) {
                            const std::size_t word = end + offset - width; // wraps before the first
                            if (word < count) {
                                sum += double(scales[word])
                                    * double(words[word].bytes[offset * size + i]);
                            }
                        }
                        best = std::max(best, sum);
                    }
                    QVERIFY(near(double(hidden[i]), best, 500));
                }
                QCOMPARE(hidden[size], -99.0F);
            }
        }
    }
}

void TestVectorMath::raises()
{
    for (std::size_t size = 0; size <= most; ++size) {
        const auto x = floats(size);
        const auto before = floats(size);
        auto best = before;
        std::vector<std::int32_t> where(size, -7);
        math::raiseAt(best.data(), where.data(), x.data(), 3, size);
        for (std::size_t i = 0; i < size; ++i) {
            QCOMPARE(best[i], std::max(before[i], x[i]));
            QCOMPARE(where[i], x[i] > before[i] ? 3 : -7);
        }
    }
}

void TestVectorMath::multiplies()
{
    for (std::size_t columns = 0; columns <= most; ++columns) {
        const std::size_t rows = columns % 4;
        const std::size_t inner = columns % 19;
        const std::size_t xStride = inner + 2;
        const std::size_t outStride = columns + 3;
        const auto x = floats(rows * xStride);
        const auto w = floats(inner * columns);
        std::vector<float> out(rows * outStride, -99.0F);
        math::multiply(out.data(), outStride, x.data(), xStride, w.data(), rows, inner, columns);
        for (std::size_t row = 0; row < rows; ++row) {
            for (std::size_t column = 0; column < columns; ++column) {
                double expected = 0;
                for (std::size_t k = 0; k < inner; ++k) {
                    expected += double(x[row * xStride + k]) * double(w[k * columns + column]);
                }
                QVERIFY(near(double(out[row * outStride + column]), expected, 4));
            }
            QCOMPARE(out[row * outStride + columns], -99.0F);
        }
    }
}

void TestVectorMath::adamSteps()
{
    for (std::size_t size = 0; size <= most; ++size) {
        const auto weights = floats(size);
        const auto gradient = floats(size);
        const auto first = floats(size);
        const auto second = floats(size, 0, 1);
        auto w = weights;
        auto g = gradient;
        auto m = first;
        auto v = second;
        math::adam(w.data(), g.data(), m.data(), v.data(), size, 0.01F, 2.0F, 0.1F);
        for (std::size_t i = 0; i < size; ++i) {
            const double full = double(gradient[i]) + 0.1 * double(weights[i]);
            const double moment = 0.9 * double(first[i]) + 0.1 * full;
            const double square = 0.999 * double(second[i]) + 0.001 * full * full;
            QVERIFY(near(double(m[i]), moment));
            QVERIFY(near(double(v[i]), square));
            QVERIFY(near(double(w[i]),
                double(weights[i]) - 0.01 * moment / (2.0 * std::sqrt(square) + 1e-8)));
            QCOMPARE(g[i], 0.0F);
        }
    }
}

void TestVectorMath::adaGradSteps()
{
    for (std::size_t size = 0; size <= most; ++size) {
        const auto weights = floats(size);
        const auto sums = floats(size, 0.01F, 1);
        const auto gradient = floats(size);
        auto w = weights;
        auto s = sums;
        math::adaGrad(w.data(), s.data(), gradient.data(), 0.5F, 0.1F, size);
        for (std::size_t i = 0; i < size; ++i) {
            const double g = 0.5 * double(gradient[i]);
            const double sum = double(sums[i]) + g * g;
            QVERIFY(near(double(s[i]), sum));
            QVERIFY(near(double(w[i]), double(weights[i]) - 0.1 * g / std::sqrt(sum)));
        }
    }
}

void TestVectorMath::exponentialsAreClose()
{
    double worst = 0;
    constexpr std::size_t block = 64;
    for (int begin = 0; begin < 87 * 2048; begin += int(block)) {
        std::vector<float> x(block);
        for (std::size_t i = 0; i < block; ++i) {
            x[i] = -float(begin + int(i)) / 2048.0F;
        }
        const auto before = x;
        math::exponentials(x.data(), 0.0F, block);
        for (std::size_t i = 0; i < block; ++i) {
            const double expected = std::exp(double(before[i]));
            worst = std::max(worst, std::abs(double(x[i]) - expected) / expected);
        }
    }
    QVERIFY2(worst < 5e-6, qPrintable(QString::number(worst)));
}

void TestVectorMath::exponentialsSumUp()
{
    for (std::size_t size = 0; size <= most; ++size) {
        auto x = floats(size, -20, 30);
        const auto before = x;
        const float sum = math::exponentials(x.data(), 30.0F, size);
        double expected = 0;
        for (std::size_t i = 0; i < size; ++i) {
            expected += std::exp(double(before[i]) - 30.0);
        }
        QVERIFY(near(double(sum), expected, 1e-6));
    }
    // Far below, the value stays a positive normal number.
    float low = -1e6F;
    QVERIFY(math::exponentials(&low, 0.0F, 1) > 0);
    QVERIFY(std::isnormal(low) && low < 2e-38F);
}

void TestVectorMath::sumsOfExponentials()
{
    for (std::size_t size = 0; size <= most; ++size) {
        const auto x = floats(size, -4, 3);
        const math::ExponentialSums sums = math::exponentialSums(x.data(), 3.0F, 2.0F, size);
        double e = 0;
        double ed = 0;
        for (const float value : x) {
            const double d = 2 * (double(value) - 3);
            e += std::exp(d);
            ed += std::exp(d) * d;
        }
        QVERIFY(near(double(sums.e), e, 1e-6));
        QVERIFY(near(double(sums.ed), ed, 1e-6));
    }
}

QTEST_GUILESS_MAIN(TestVectorMath)
#include "tst_vectormath.moc"

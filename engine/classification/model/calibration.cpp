#include "engine/classification/model/calibration.h"

#include "engine/classification/model/scorer.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace sluice {

namespace {

constexpr std::size_t leastOutOfScopeRows = 10;

double negativeLogLikelihood(std::span<const CalibrationRow> rows, double temperature)
{
    double sum = 0;
    for (const CalibrationRow& row : rows) {
        if (row.label < 0) {
            continue;
        }
        const double most = double(*std::max_element(row.logits.begin(), row.logits.end()));
        double total = 0;
        for (const float z : row.logits) {
            total += std::exp((double(z) - most) / temperature);
        }
        sum += std::log(total) - (double(row.logits[std::size_t(row.label)]) - most) / temperature;
    }
    return sum;
}

/// Golden-section search over ln T.
double fitTemperature(std::span<const CalibrationRow> rows)
{
    const double ratio = (std::sqrt(5.0) - 1.0) / 2.0;
    double low = std::log(0.05);
    double high = std::log(20.0);
    double a = high - ratio * (high - low);
    double b = low + ratio * (high - low);
    double atA = negativeLogLikelihood(rows, std::exp(a));
    double atB = negativeLogLikelihood(rows, std::exp(b));
    for (int step = 0; step < 40; ++step) {
        if (atA < atB) {
            high = b;
            b = a;
            atB = atA;
            a = high - ratio * (high - low);
            atA = negativeLogLikelihood(rows, std::exp(a));
        } else {
            low = a;
            a = b;
            atA = atB;
            b = low + ratio * (high - low);
            atB = negativeLogLikelihood(rows, std::exp(b));
        }
    }
    return std::exp((low + high) / 2);
}

using Vector4 = std::array<double, 4>;

/// Solves the symmetric positive definite system h x = g by Gaussian elimination.
Vector4 solve(std::array<Vector4, 4> h, Vector4 g)
{
    for (std::size_t pivot = 0; pivot < 4; ++pivot) {
        for (std::size_t row = pivot + 1; row < 4; ++row) {
            const double factor = h[row][pivot] / h[pivot][pivot];
            for (std::size_t column = pivot; column < 4; ++column) {
                h[row][column] -= factor * h[pivot][column];
            }
            g[row] -= factor * g[pivot];
        }
    }
    Vector4 x{};
    for (std::size_t back = 4; back-- > 0;) {
        double sum = g[back];
        for (std::size_t column = back + 1; column < 4; ++column) {
            sum -= h[back][column] * x[column];
        }
        x[back] = sum / h[back][back];
    }
    return x;
}

void fitOutOfScope(
    std::span<const CalibrationRow> rows, std::size_t outRows, Calibration& calibration)
{
    const double ridge = 1e-3;
    const double inScopeWeight = (1.0 - assumedOutOfScopeShare) / double(rows.size() - outRows);
    const double outWeight = assumedOutOfScopeShare / double(outRows);
    std::vector<Vector4> inputs;
    inputs.reserve(rows.size());
    for (const CalibrationRow& row : rows) {
        const LogitFeatures features = logitFeatures(row.logits);
        inputs.push_back({1.0, features.maxMinusMean, features.entropy, row.unseenShare});
    }
    Vector4 w{};
    for (int step = 0; step < 50; ++step) {
        std::array<Vector4, 4> hessian{};
        Vector4 gradient{};
        for (std::size_t index = 0; index < rows.size(); ++index) {
            const Vector4& x = inputs[index];
            double z = 0;
            for (std::size_t i = 0; i < 4; ++i) {
                z += w[i] * x[i];
            }
            const double p = 1.0 / (1.0 + std::exp(-z));
            const bool out = rows[index].label < 0;
            const double weight = out ? outWeight : inScopeWeight;
            const double slope = std::max(p * (1 - p), 1e-9) * weight;
            for (std::size_t i = 0; i < 4; ++i) {
                gradient[i] += weight * (p - (out ? 1.0 : 0.0)) * x[i];
                for (std::size_t j = 0; j < 4; ++j) {
                    hessian[i][j] += slope * x[i] * x[j];
                }
            }
        }
        for (std::size_t i = 0; i < 4; ++i) {
            const double lambda = i == 0 ? 1e-9 : ridge * assumedOutOfScopeShare;
            gradient[i] += lambda * w[i];
            hessian[i][i] += lambda + 1e-12;
        }
        const Vector4 change = solve(hessian, gradient);
        double largest = 0;
        for (std::size_t i = 0; i < 4; ++i) {
            w[i] -= std::clamp(change[i], -5.0, 5.0);
            largest = std::max(largest, std::abs(change[i]));
        }
        if (largest < 1e-8) {
            break;
        }
    }
    calibration.hasOutOfScope = true;
    calibration.bias = w[0];
    calibration.maxMinusMean = w[1];
    calibration.entropy = w[2];
    calibration.unseenShare = w[3];
}

} // namespace

Calibration calibrate(std::span<const CalibrationRow> rows)
{
    Calibration calibration;
    const auto outRows = std::size_t(std::count_if(
        rows.begin(), rows.end(), [](const CalibrationRow& row) { return row.label < 0; }));
    if (rows.size() == outRows) {
        return calibration;
    }
    calibration.temperature = fitTemperature(rows);
    if (outRows >= leastOutOfScopeRows) {
        fitOutOfScope(rows, outRows, calibration);
    }
    return calibration;
}

double bestThreshold(std::span<const CalibrationRow> rows, const Calibration& calibration)
{
    struct Scored
    {
        double confidence;
        bool right; ///< the first candidate is the true label
        bool out;
    };
    std::vector<Scored> scored;
    scored.reserve(rows.size());
    std::vector<double> rightConfidences;
    bool anyOut = false;
    for (const CalibrationRow& row : rows) {
        const Scores scores = scoresOf(row.logits, calibration, row.unseenShare, 1);
        const Candidate& first = scores.top.front();
        scored.push_back({first.confidence, first.label == row.label, row.label < 0});
        anyOut = anyOut || row.label < 0;
        if (scored.back().right) {
            rightConfidences.push_back(first.confidence);
        }
    }
    const auto rounded = [](double threshold) {
        return std::clamp(std::round(threshold * 1000) / 1000, 0.0, 1.0);
    };
    if (!anyOut) {
        if (rightConfidences.empty()) {
            return 0.5;
        }
        const auto place = rightConfidences.begin() + std::ptrdiff_t(rightConfidences.size() / 20);
        std::nth_element(rightConfidences.begin(), place, rightConfidences.end());
        return rounded(*place);
    }
    std::sort(scored.begin(), scored.end(),
        [](const Scored& a, const Scored& b) { return a.confidence > b.confidence; });
    auto right = std::ptrdiff_t(
        std::count_if(scored.begin(), scored.end(), [](const Scored& s) { return s.out; }));
    std::ptrdiff_t best = right;
    double threshold = 1.0;
    for (std::size_t index = 0; index < scored.size(); ++index) {
        right += scored[index].right ? 1 : scored[index].out ? -1 : 0;
        const double next = index + 1 < scored.size() ? scored[index + 1].confidence : 0.0;
        if (right > best && next < scored[index].confidence) {
            best = right;
            threshold = (scored[index].confidence + next) / 2;
        }
    }
    return rounded(threshold);
}

} // namespace sluice

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

/// The weighted logistic loss with its ridge, at weights `w`.
double logisticLoss(std::span<const CalibrationRow> rows, const std::vector<Vector4>& inputs,
    const std::array<double, 2>& weights, const Vector4& w, double ridge)
{
    double loss = 0;
    for (std::size_t index = 0; index < rows.size(); ++index) {
        double z = 0;
        for (std::size_t i = 0; i < 4; ++i) {
            z += w[i] * inputs[index][i];
        }
        const bool out = rows[index].label < 0;
        const double signedZ = out ? z : -z;
        loss += weights[out ? 1 : 0] * (signedZ > -30 ? std::log1p(std::exp(-signedZ)) : -signedZ);
    }
    for (std::size_t i = 1; i < 4; ++i) {
        loss += ridge / 2 * w[i] * w[i];
    }
    return loss;
}

/// Newton's step (gradient divided by Hessian) at `w`.
Vector4 newtonStep(std::span<const CalibrationRow> rows, const std::vector<Vector4>& inputs,
    const std::array<double, 2>& weights, const Vector4& w, double ridge)
{
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
        const double weight = weights[out ? 1 : 0];
        for (std::size_t i = 0; i < 4; ++i) {
            gradient[i] += weight * (p - (out ? 1.0 : 0.0)) * x[i];
            for (std::size_t j = 0; j < 4; ++j) {
                hessian[i][j] += weight * std::max(p * (1 - p), 1e-9) * x[i] * x[j];
            }
        }
    }
    for (std::size_t i = 0; i < 4; ++i) {
        gradient[i] += i == 0 ? 0.0 : ridge * w[i];
        hessian[i][i] += (i == 0 ? 0.0 : ridge) + 1e-9;
    }
    return solve(hessian, gradient);
}

void fitOutOfScope(
    std::span<const CalibrationRow> rows, std::size_t outRows, Calibration& calibration)
{
    constexpr double ridge = 1e-3;
    const std::array<double, 2> weights{
        (1.0 - assumedOutOfScopeShare) / double(rows.size() - outRows),
        assumedOutOfScopeShare / double(outRows)};
    std::vector<Vector4> inputs;
    inputs.reserve(rows.size());
    for (const CalibrationRow& row : rows) {
        const LogitFeatures features = logitFeatures(row.logits);
        inputs.push_back({1.0, features.maxMinusMean, features.entropy, row.unseenShare});
    }
    // Each feature to mean 0 and deviation 1, so that the ridge treats them alike.
    Vector4 mean{};
    Vector4 deviation{};
    for (std::size_t i = 1; i < 4; ++i) {
        double sum = 0;
        double squares = 0;
        for (const Vector4& x : inputs) {
            sum += x[i];
            squares += x[i] * x[i];
        }
        mean[i] = sum / double(inputs.size());
        deviation[i] =
            std::sqrt(std::max(squares / double(inputs.size()) - mean[i] * mean[i], 1e-12));
        for (Vector4& x : inputs) {
            x[i] = (x[i] - mean[i]) / deviation[i];
        }
    }
    Vector4 w{};
    double loss = logisticLoss(rows, inputs, weights, w, ridge);
    for (int step = 0; step < 50; ++step) {
        const Vector4 change = newtonStep(rows, inputs, weights, w, ridge);
        // Half the step until it is one downhill.
        double scale = 1;
        bool better = false;
        for (int half = 0; half < 20 && !better; ++half, scale /= 2) {
            Vector4 next = w;
            for (std::size_t i = 0; i < 4; ++i) {
                next[i] -= scale * change[i];
            }
            const double nextLoss = logisticLoss(rows, inputs, weights, next, ridge);
            if (nextLoss < loss - 1e-12) {
                better = true;
                w = next;
                loss = nextLoss;
            }
        }
        if (!better) {
            break;
        }
    }
    calibration.hasOutOfScope = true;
    calibration.maxMinusMean = w[1] / deviation[1];
    calibration.entropy = w[2] / deviation[2];
    calibration.unseenShare = w[3] / deviation[3];
    calibration.bias = w[0] - w[1] * mean[1] / deviation[1] - w[2] * mean[2] / deviation[2]
        - w[3] * mean[3] / deviation[3];
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

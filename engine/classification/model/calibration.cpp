#include "engine/classification/model/calibration.h"

#include "engine/classification/model/linearsystem.h"
#include "engine/classification/model/scorer.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace sluice {

namespace {

constexpr std::size_t leastOutOfScopeRows = 10;

double negativeLogLikelihood(std::span<const CalibrationRow> rows, double temperature)
{
    double sum = 0;
    for (const CalibrationRow& row : rows) {
        if (row.label < 0 || !row.raw.known) {
            continue;
        }
        const std::vector<float>& logits = row.raw.logits;
        const double most = double(*std::max_element(logits.begin(), logits.end()));
        double total = 0;
        for (const float z : logits) {
            total += std::exp((double(z) - most) / temperature);
        }
        sum += std::log(total) - (double(logits[std::size_t(row.label)]) - most) / temperature;
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

/// A one, then the features.
constexpr std::size_t inputs = scopeFeatures + 1;
using Vector = std::array<double, inputs>;

/// The weighted logistic loss with its ridge, at weights `w`.
double logisticLoss(std::span<const CalibrationRow> rows, const std::vector<Vector>& xs,
    const std::array<double, 2>& weights, const Vector& w, double ridge)
{
    double loss = 0;
    for (std::size_t index = 0; index < rows.size(); ++index) {
        double z = 0;
        for (std::size_t i = 0; i < inputs; ++i) {
            z += w[i] * xs[index][i];
        }
        const bool out = rows[index].label < 0;
        const double signedZ = out ? z : -z;
        loss += weights[out ? 1 : 0] * (signedZ > -30 ? std::log1p(std::exp(-signedZ)) : -signedZ);
    }
    for (std::size_t i = 1; i < inputs; ++i) {
        loss += ridge / 2 * w[i] * w[i];
    }
    return loss;
}

/// Newton's step (gradient divided by Hessian) at `w`.
Vector newtonStep(std::span<const CalibrationRow> rows, const std::vector<Vector>& xs,
    const std::array<double, 2>& weights, const Vector& w, double ridge)
{
    std::array<Vector, inputs> hessian{};
    Vector gradient{};
    for (std::size_t index = 0; index < rows.size(); ++index) {
        const Vector& x = xs[index];
        double z = 0;
        for (std::size_t i = 0; i < inputs; ++i) {
            z += w[i] * x[i];
        }
        const double p = 1.0 / (1.0 + std::exp(-z));
        const bool out = rows[index].label < 0;
        const double weight = weights[out ? 1 : 0];
        for (std::size_t i = 0; i < inputs; ++i) {
            gradient[i] += weight * (p - (out ? 1.0 : 0.0)) * x[i];
            for (std::size_t j = 0; j < inputs; ++j) {
                hessian[i][j] += weight * std::max(p * (1 - p), 1e-9) * x[i] * x[j];
            }
        }
    }
    for (std::size_t i = 0; i < inputs; ++i) {
        gradient[i] += i == 0 ? 0.0 : ridge * w[i];
        hessian[i][i] += (i == 0 ? 0.0 : ridge) + 1e-9;
    }
    return solve(hessian, gradient);
}

void fitOutOfScope(
    std::span<const CalibrationRow> rows, std::size_t outRows, Calibration& calibration)
{
    constexpr double ridge = 1e-2;
    const std::array<double, 2> weights{
        (1.0 - assumedOutOfScopeShare) / double(rows.size() - outRows),
        assumedOutOfScopeShare / double(outRows)};
    std::vector<Vector> xs;
    xs.reserve(rows.size());
    for (const CalibrationRow& row : rows) {
        Vector& x = xs.emplace_back();
        x[0] = 1.0;
        std::copy(row.raw.features.begin(), row.raw.features.end(), x.begin() + 1);
    }
    // Each feature to mean 0 and deviation 1, so that the ridge treats them alike; one that never
    // differs says nothing.
    Vector mean{};
    Vector deviation{};
    for (std::size_t i = 1; i < inputs; ++i) {
        double sum = 0;
        double squares = 0;
        for (const Vector& x : xs) {
            sum += x[i];
            squares += x[i] * x[i];
        }
        mean[i] = sum / double(xs.size());
        deviation[i] = std::sqrt(std::max(squares / double(xs.size()) - mean[i] * mean[i], 0.0));
        for (Vector& x : xs) {
            x[i] = deviation[i] > 1e-6 ? (x[i] - mean[i]) / deviation[i] : 0.0;
        }
    }
    Vector w{};
    double loss = logisticLoss(rows, xs, weights, w, ridge);
    for (int step = 0; step < 50; ++step) {
        const Vector change = newtonStep(rows, xs, weights, w, ridge);
        // Half the step until it is one downhill.
        double scale = 1;
        bool better = false;
        for (int half = 0; half < 20 && !better; ++half, scale /= 2) {
            Vector next = w;
            for (std::size_t i = 0; i < inputs; ++i) {
                next[i] -= scale * change[i];
            }
            const double nextLoss = logisticLoss(rows, xs, weights, next, ridge);
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
    calibration.bias = w[0];
    for (std::size_t i = 1; i < inputs; ++i) {
        const double weight = deviation[i] > 1e-6 ? w[i] / deviation[i] : 0.0;
        calibration.weights[i - 1] = weight;
        calibration.bias -= weight * mean[i];
    }
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

double bestThreshold(std::vector<ConfidenceRow> rows)
{
    const auto rounded = [](double threshold) {
        return std::clamp(std::round(threshold * 1000) / 1000, 0.0, 1.0);
    };
    const bool none = std::none_of(
        rows.begin(), rows.end(), [](const ConfidenceRow& row) { return row.outOfScope; });
    if (none) {
        std::erase_if(rows, [](const ConfidenceRow& row) { return !row.right; });
        std::sort(rows.begin(), rows.end(),
            [](const auto& a, const auto& b) { return a.confidence > b.confidence; });
        return rows.empty() ? 0.5 : rounded(rows[rows.size() - 1 - rows.size() / 20].confidence);
    }
    const auto logit = [](double share) {
        const double inside = std::clamp(share, 1e-4, 1 - 1e-4);
        return std::log(inside / (1 - inside));
    };
    // What accepting a row gains over rejecting it; a wrong answer in scope is wrong either way.
    struct Gain
    {
        double at;
        double amount;
    };
    std::vector<Gain> gains;
    for (const ConfidenceRow& row : rows) {
        if (row.right || row.outOfScope) {
            gains.push_back({logit(row.confidence), row.right ? 1.0 : -1.0});
        }
    }
    constexpr int steps = 500; // of 0.002
    std::array<double, steps + 1> curve{};
    for (int step = 0; step <= steps; ++step) {
        const double threshold = logit(double(step) / steps);
        for (const Gain& gain : gains) {
            const double away = (gain.at - threshold) / thresholdBandwidth;
            curve[std::size_t(step)] += gain.amount * 0.5 * std::erfc(-away / std::numbers::sqrt2);
        }
    }
    const double enough =
        *std::max_element(curve.begin(), curve.end()) - thresholdTolerance * double(rows.size());
    int step = steps;
    while (curve[std::size_t(step)] < enough) {
        --step;
    }
    return rounded(double(step) / steps);
}

} // namespace sluice

#include "engine/classification/model/continuation.h"

#include "engine/classification/model/linearsystem.h"

#include <algorithm>
#include <cmath>

namespace sluice {

namespace {

/// The logits' factor, the staying features, the bonus of the intent before.
constexpr std::size_t inputs = stayingFeatures + 2;
using Vector = std::array<double, inputs>;
constexpr double ridge = 1.0;
constexpr int newtonSteps = 30;

bool asks(const QueryContext& context)
{
    if (context.system.find('?') != std::string_view::npos) {
        return true;
    }
    constexpr std::array<std::string_view, 4> kinds{"REQUEST", "CONFIRM", "OFFER", "SELECT"};
    return std::any_of(context.acts.begin(), context.acts.end(), [&](std::string_view act) {
        return std::any_of(kinds.begin(), kinds.end(),
            [&](std::string_view kind) { return act.substr(0, kind.size()) == kind; });
    });
}

/// Loss, gradient and Hessian of all rows at `w`.
struct Slope
{
    double loss = 0;
    Vector gradient{};
    std::array<Vector, inputs> hessian{};
};

/// What the bonuses see of a label: all zero but for the last two intents.
Vector inputsOf(const ContinuationRow& row, int label)
{
    Vector x{};
    x[0] = double(row.logits[std::size_t(label)]);
    if (label == row.last) {
        std::copy(row.features.begin(), row.features.end(), x.begin() + 1);
    }
    x[inputs - 1] = label == row.before ? 1.0 : 0.0;
    return x;
}

double dot(const Vector& a, const Vector& b)
{
    double sum = 0;
    for (std::size_t i = 0; i < inputs; ++i) {
        sum += a[i] * b[i];
    }
    return sum;
}

Slope slopeAt(std::span<const ContinuationRow> rows, const Vector& w)
{
    Slope slope;
    std::vector<double> shares;
    for (const ContinuationRow& row : rows) {
        const int labels = int(row.logits.size());
        shares.resize(row.logits.size());
        double most = -1e300;
        for (int label = 0; label < labels; ++label) {
            shares[std::size_t(label)] = dot(w, inputsOf(row, label));
            most = std::max(most, shares[std::size_t(label)]);
        }
        double total = 0;
        const double own = shares[std::size_t(row.label)] - most;
        for (double& share : shares) {
            share = std::exp(share - most);
            total += share;
        }
        slope.loss += std::log(total) - own;
        Vector mean{};
        for (int label = 0; label < labels; ++label) {
            const double share = shares[std::size_t(label)] / total;
            const Vector x = inputsOf(row, label);
            for (std::size_t i = 0; i < inputs; ++i) {
                mean[i] += share * x[i];
                for (std::size_t j = 0; x[i] != 0 && j < inputs; ++j) {
                    slope.hessian[i][j] += share * x[i] * x[j];
                }
            }
        }
        const Vector right = inputsOf(row, row.label);
        for (std::size_t i = 0; i < inputs; ++i) {
            slope.gradient[i] += mean[i] - right[i];
            for (std::size_t j = 0; j < inputs; ++j) {
                slope.hessian[i][j] -= mean[i] * mean[j];
            }
        }
    }
    for (std::size_t i = 0; i < inputs; ++i) {
        slope.loss += i == 0 ? 0.0 : ridge / 2 * w[i] * w[i];
        slope.gradient[i] += i == 0 ? 0.0 : ridge * w[i];
        slope.hessian[i][i] += (i == 0 ? 0.0 : ridge) + 1e-6;
    }
    return slope;
}

} // namespace

StayingFeatures stayingFeaturesOf(std::span<const float> logits, std::string_view normalised,
    std::size_t words, double unseenShare, const QueryContext& context)
{
    StayingFeatures features{};
    const auto set = [&features](
                         Staying feature, double value) { features[std::size_t(feature)] = value; };
    const bool said = !context.system.empty() || !context.acts.empty();
    const bool asked = asks(context);
    set(Staying::Bias, 1);
    set(Staying::Length, std::log1p(double(words)));
    set(Staying::Lead, double(*std::max_element(logits.begin(), logits.end()))); // centred: mean 0
    set(Staying::Unseen, unseenShare);
    set(Staying::Asked, asked ? 1 : 0);
    set(Staying::Told, said && !asked ? 1 : 0);
    set(Staying::Question, normalised.find('?') == std::string_view::npos ? 0 : 1);
    set(Staying::Late, context.turn > 2 ? 1 : 0);
    return features;
}

Continuation fitContinuation(std::span<const ContinuationRow> rows)
{
    Continuation continuation;
    if (rows.size() < fewestContinuationRows) {
        return continuation;
    }
    Vector w{};
    w[0] = 1;
    Slope slope = slopeAt(rows, w);
    for (int step = 0; step < newtonSteps; ++step) {
        const Vector change = solve(slope.hessian, slope.gradient);
        bool better = false;
        double scale = 1;
        for (int half = 0; half < 20 && !better; ++half, scale /= 2) {
            Vector next = w;
            for (std::size_t i = 0; i < inputs; ++i) {
                next[i] -= scale * change[i];
            }
            Slope there = slopeAt(rows, next);
            if (there.loss < slope.loss - 1e-9) {
                better = true;
                w = next;
                slope = there;
            }
        }
        if (!better) {
            break;
        }
    }
    // The logits keep their scale, for the temperature that is fitted to them next.
    const double factor = std::max(w[0], 1e-2);
    for (std::size_t index = 0; index < stayingFeatures; ++index) {
        continuation.weights[index] = w[index + 1] / factor;
    }
    continuation.before = w[inputs - 1] / factor;
    return continuation;
}

void addContinuation(const Continuation& continuation, const StayingFeatures& features, int last,
    int before, std::span<float> logits)
{
    if (last >= 0) {
        double bonus = 0;
        for (std::size_t index = 0; index < stayingFeatures; ++index) {
            bonus += continuation.weights[index] * features[index];
        }
        logits[std::size_t(last)] += float(bonus);
    }
    if (before >= 0 && before != last) {
        logits[std::size_t(before)] += float(continuation.before);
    }
}

} // namespace sluice

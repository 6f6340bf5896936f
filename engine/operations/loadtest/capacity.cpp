#include "engine/operations/loadtest/capacity.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <random>

namespace sluice::ops {

namespace {

constexpr int draws = 1000;

double mean(const std::vector<double>& values)
{
    return std::accumulate(values.begin(), values.end(), 0.0) / double(values.size());
}

struct Point
{
    double concurrency = 0;
    double rate = 0;
};

struct Coefficients
{
    double lambda = 0;
    double sigma = 0;
    double kappa = 0;
};

double rateAt(const Coefficients& law, double n)
{
    return law.lambda * n / (1 + law.sigma * (n - 1) + law.kappa * n * (n - 1));
}

/// Weighted least squares over the columns that are `used` (a always): normal equations, at most
/// three, by Gauss with pivots.
std::array<double, 3> solve(const std::vector<Point>& points, std::array<bool, 3> used)
{
    std::array<std::array<double, 4>, 3> m{};
    for (const Point& point : points) {
        const double n = point.concurrency;
        const double weight = point.rate / n; // relative errors
        const std::array<double, 3> row{weight, weight * (n - 1), weight * n * (n - 1)};
        for (std::size_t i = 0; i < 3; ++i) {
            for (std::size_t j = 0; j < 3; ++j) {
                m[i][j] += row[i] * row[j];
            }
            m[i][3] += row[i]; // weight * N / X = 1
        }
    }
    for (std::size_t i = 0; i < 3; ++i) {
        if (!used[i]) {
            for (std::size_t j = 0; j < 4; ++j) {
                m[i][j] = 0;
            }
            for (std::size_t j = 0; j < 3; ++j) {
                m[j][i] = 0;
            }
            m[i][i] = 1;
        }
    }
    for (std::size_t i = 0; i < 3; ++i) {
        std::size_t pivot = i;
        for (std::size_t j = i + 1; j < 3; ++j) {
            pivot = std::abs(m[j][i]) > std::abs(m[pivot][i]) ? j : pivot;
        }
        std::swap(m[i], m[pivot]);
        for (std::size_t j = 0; j < 3; ++j) {
            const double factor = j == i || m[i][i] == 0 ? 0 : m[j][i] / m[i][i];
            for (std::size_t k = i; k < 4; ++k) {
                m[j][k] -= factor * m[i][k];
            }
        }
    }
    std::array<double, 3> solution{};
    for (std::size_t i = 0; i < 3; ++i) {
        solution[i] = m[i][i] == 0 ? 0 : m[i][3] / m[i][i];
    }
    return solution;
}

double residual(const std::vector<Point>& points, const std::array<double, 3>& law)
{
    double sum = 0;
    for (const Point& point : points) {
        const double n = point.concurrency;
        const double off = (law[0] + law[1] * (n - 1) + law[2] * n * (n - 1)) * point.rate / n - 1;
        sum += off * off;
    }
    return sum;
}

/// Of the fits with b and c free or held at 0, the best one that has neither negative.
Coefficients fit(const std::vector<Point>& points)
{
    std::optional<std::array<double, 3>> best;
    for (const std::array<bool, 3> used : {std::array{true, true, true}, {true, true, false},
             {true, false, true}, {true, false, false}}) {
        const std::array<double, 3> law = solve(points, used);
        if (law[0] > 0 && law[1] >= 0 && law[2] >= 0
            && (!best || residual(points, law) < residual(points, *best))) {
            best = law;
        }
    }
    const std::array<double, 3> law = best.value_or(std::array{1.0, 0.0, 0.0});
    return {1 / law[0], law[1] / law[0], law[2] / law[0]};
}

/// One draw of the bootstrap: the steps' rates, each the mean of seconds drawn with replacement.
std::vector<Point> drawn(const std::vector<CapacityStep>& steps, std::mt19937_64& random)
{
    std::vector<Point> points;
    for (const CapacityStep& step : steps) {
        double sum = 0;
        for (std::size_t draw = 0; draw < step.rates.size(); ++draw) {
            sum += step.rates[std::size_t(random() % step.rates.size())];
        }
        points.push_back({step.concurrency, sum / double(step.rates.size())});
    }
    return points;
}

template <typename Of> Interval interval(const std::vector<Coefficients>& laws, Of of)
{
    std::vector<double> values;
    for (const Coefficients& law : laws) {
        values.push_back(of(law));
    }
    std::sort(values.begin(), values.end());
    return {values[draws / 40], values[draws - 1 - draws / 40]};
}

std::vector<Coefficients> bootstrap(const std::vector<CapacityStep>& steps)
{
    std::mt19937_64 random(20240229);
    std::vector<Coefficients> laws;
    for (int draw = 0; draw < draws; ++draw) {
        laws.push_back(fit(drawn(steps, random)));
    }
    return laws;
}

int workersAt(const CapacityQuestion& question, double rate)
{
    const double perWorker = rate / question.workers * question.busy;
    return std::max(1, int(std::min(std::ceil(question.rate / perWorker - 1e-9), 1e6)));
}

} // namespace

Scenario stepScenario(const std::vector<int>& users, double seconds)
{
    Scenario scenario;
    scenario.name = QStringLiteral("capacity");
    scenario.description =
        QStringLiteral("Steps of requests in flight, as fast as they are answered");
    scenario.model = LoadModel::Closed;
    scenario.think = {0, 0};
    scenario.phases.clear();
    for (const int step : users) {
        scenario.phases.push_back(LoadPhase{seconds, double(step)});
    }
    return scenario;
}

bool isStepLoad(const Scenario& scenario)
{
    return scenario.model == LoadModel::Closed && scenario.think.meanSeconds <= 0
        && std::all_of(scenario.phases.begin(), scenario.phases.end(),
            [](const LoadPhase& phase) { return phase.shape == RampShape::Step; });
}

Result<std::vector<CapacityStep>> stepsOf(const LoadResult& run)
{
    const Scenario& scenario = run.scenario;
    if (!isStepLoad(scenario)) {
        return inputError("the run \"" + scenario.name.toStdString()
            + "\" has no steps of users without thinking: make one with `sluicectl load capacity`");
    }
    if (run.generatorLimited) {
        return inputError(
            "the generator was the limit of this run, not the server: it says nothing "
            "of the server's capacity");
    }
    std::vector<CapacityStep> steps;
    double begin = 0;
    for (const LoadPhase& phase : scenario.phases) {
        const double end = begin + phase.seconds;
        const double from = begin + std::max(1.0, phase.seconds / 5);
        CapacityStep step;
        step.concurrency = phase.level;
        for (const LoadSecond& second : run.seconds) {
            if (second.second >= from && second.second + 1 <= end) {
                step.rates.push_back(double(std::max(0, second.completed - second.errors)));
            }
        }
        LatencyHistogram latencies;
        for (const LatencyBlock& block : run.blocks) {
            if (block.second >= from && block.second + block.seconds <= end + 1e-6) {
                latencies.merge(block.corrected, block.maxNs);
            }
        }
        begin = end;
        if (step.rates.empty() || latencies.count() == 0 || mean(step.rates) <= 0) {
            continue; // too short, stopped before it, or nothing was answered
        }
        step.rate = mean(step.rates);
        step.p99Ms = double(latencies.quantile(0.99)) / 1e6;
        steps.push_back(std::move(step));
    }
    return steps;
}

double ScalabilityFit::rateAt(double concurrency) const
{
    return ops::rateAt({lambda, sigma, kappa}, concurrency);
}

std::optional<double> ScalabilityFit::peakConcurrency() const
{
    return kappa > 0 && sigma < 1 ? std::optional(std::sqrt((1 - sigma) / kappa)) : std::nullopt;
}

Result<ScalabilityFit> fitScalability(const std::vector<CapacityStep>& steps)
{
    if (steps.size() < 3) {
        return inputError("a capacity needs three steps at least that were answered; there are "
            + std::to_string(steps.size()));
    }
    std::vector<Point> points;
    for (const CapacityStep& step : steps) {
        points.push_back({step.concurrency, step.rate});
    }
    const Coefficients law = fit(points);
    ScalabilityFit made{law.lambda, law.sigma, law.kappa};
    const std::vector<Coefficients> laws = bootstrap(steps);
    made.lambdaInterval = interval(laws, [](const Coefficients& one) { return one.lambda; });
    made.sigmaInterval = interval(laws, [](const Coefficients& one) { return one.sigma; });
    made.kappaInterval = interval(laws, [](const Coefficients& one) { return one.kappa; });
    for (const Point& point : points) {
        const double off = rateAt(law, point.concurrency) / point.rate - 1;
        made.relativeError += off * off / double(points.size());
    }
    made.relativeError = std::sqrt(made.relativeError);
    return made;
}

std::vector<Interval> rateIntervals(
    const std::vector<CapacityStep>& steps, const std::vector<double>& concurrencies)
{
    const std::vector<Coefficients> laws = bootstrap(steps);
    std::vector<Interval> intervals;
    for (const double n : concurrencies) {
        intervals.push_back(
            interval(laws, [n](const Coefficients& law) { return rateAt(law, n); }));
    }
    return intervals;
}

Result<CapacityAnswer> workersFor(const CapacityQuestion& question,
    const std::vector<CapacityStep>& steps, const ScalabilityFit& fitted)
{
    CapacityAnswer answer;
    answer.reached = false;
    for (std::size_t index = 0; index < steps.size(); ++index) {
        const CapacityStep& step = steps[index];
        if (step.p99Ms < question.p99Ms) {
            answer.concurrency = step.concurrency;
            continue;
        }
        answer.reached = true;
        if (index > 0) {
            const CapacityStep& before = steps[index - 1];
            const double share =
                std::log(question.p99Ms / before.p99Ms) / std::log(step.p99Ms / before.p99Ms);
            answer.concurrency =
                before.concurrency + share * (step.concurrency - before.concurrency);
        }
        break;
    }
    if (answer.concurrency <= 0) {
        return refusedError("not even " + std::to_string(int(steps.front().concurrency))
            + " in flight kept p99 under " + QString::number(question.p99Ms).toStdString()
            + " ms: more workers don't help");
    }
    answer.rate = fitted.rateAt(answer.concurrency);
    answer.rateInterval = rateIntervals(steps, {answer.concurrency}).front();
    answer.ratePerWorker = answer.rate / question.workers;
    answer.workers = workersAt(question, answer.rate);
    answer.workersLow = workersAt(question, answer.rateInterval.high);
    answer.workersHigh = workersAt(question, answer.rateInterval.low);
    return answer;
}

namespace {

QString origin(const CapacityQuestion& question, const CapacityAnswer& answer)
{
    return QStringLiteral("# %1 requests/s at p99 under %2 ms; measured: %3 requests/s a worker, "
                          "planned with %4 % of it.\n")
        .arg(question.rate)
        .arg(question.p99Ms)
        .arg(answer.ratePerWorker, 0, 'f', 0)
        .arg(question.busy * 100);
}

} // namespace

QString systemdSettings(const CapacityQuestion& question, const CapacityAnswer& answer)
{
    QString units;
    for (int worker = 1; worker <= std::min(answer.workers, 1000); ++worker) {
        units += QStringLiteral(" sluiced@%1.service").arg(worker);
    }
    return origin(question, answer)
        + QStringLiteral(
            "[Unit]\nDescription=Sluice workers, as many as the load needs\nWants=%1\n\n"
            "[Install]\nWantedBy=multi-user.target\n")
              .arg(units.mid(1));
}

QString autoscalerSettings(const CapacityQuestion& question, const CapacityAnswer& answer)
{
    return origin(question, answer)
        + QStringLiteral("apiVersion: autoscaling/v2\nkind: HorizontalPodAutoscaler\n"
                         "metadata:\n  name: sluiced\nspec:\n"
                         "  scaleTargetRef:\n    apiVersion: apps/v1\n    kind: Deployment\n"
                         "    name: sluiced\n  minReplicas: %1\n  maxReplicas: %2\n  metrics:\n"
                         "    - type: Resource\n      resource:\n        name: cpu\n"
                         "        target:\n          type: Utilization\n"
                         "          averageUtilization: %3\n")
              .arg(answer.workers)
              .arg(answer.workers * 2)
              .arg(int(std::lround(question.busy * 100)));
}

} // namespace sluice::ops

#include "engine/classification/thresholds/tuning.h"

#include "engine/classification/thresholds/statistics.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <fmt/format.h>
#include <limits>
#include <numeric>
#include <random>

namespace sluice {

namespace {

constexpr std::size_t folds = 5;
constexpr std::size_t fewestRows = 20;
constexpr double notByAccident = 0.05;
/// Weights of the global threshold, in rows; the last leaves only the global one.
constexpr std::array shrinkages{0.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 1e9};

using Rows = std::vector<JudgedRow>;

void sortByScore(Rows& rows)
{
    std::stable_sort(rows.begin(), rows.end(),
        [](const JudgedRow& a, const JudgedRow& b) { return a.score > b.score; });
}

double costOf(const JudgedRow& row, double threshold, const Costs& costs)
{
    if (row.score >= threshold) {
        return row.isRight() ? 0 : row.isOutOfScope() ? costs.outOfScope : costs.wrong;
    }
    return row.isRight() ? costs.rejected : 0;
}

/// The cheapest threshold for rows in falling order of score: the middle of the gap between the
/// last score accepted and the next, and of equally cheap gaps the one nearest to `wish`.
double cheapest(std::span<const JudgedRow> rows, const Costs& costs, double wish)
{
    double cost = 0;
    for (const JudgedRow& row : rows) {
        cost += costOf(row, 1.5, costs);
    }
    double best = std::numeric_limits<double>::infinity();
    double chosen = wish;
    const auto offer = [&](double low, double high) {
        const double inside = wish > low && wish <= high ? wish : (low + high) / 2;
        if (cost < best - 1e-9
            || (cost < best + 1e-9 && std::abs(inside - wish) < std::abs(chosen - wish))) {
            best = std::min(best, cost);
            chosen = inside;
        }
    };
    double above = 1;
    for (std::size_t index = 0; index < rows.size() && rows[index].score >= 0; ++index) {
        const double score = std::min(rows[index].score, 1.0);
        if (score < above) {
            offer(score, above);
        }
        above = score;
        cost += costOf(rows[index], rows[index].score, costs) - costOf(rows[index], 1.5, costs);
    }
    offer(0, above);
    return chosen;
}

/// Thresholds tuned on some rows: the global sweep, and by intent before they are drawn to it.
struct Fit
{
    struct Own
    {
        double threshold = 0;
        double rows = 0;
    };
    double global = 1;
    std::map<int, Own> own;

    double threshold(int label, double shrinkage) const
    {
        const auto found = own.find(label);
        return found == own.end() ? global : drawn(found->second, shrinkage);
    }
    double drawn(const Own& intent, double shrinkage) const
    {
        return (intent.rows * intent.threshold + shrinkage * global) / (intent.rows + shrinkage);
    }
};

Fit fitOn(Rows rows, const Costs& costs)
{
    sortByScore(rows);
    Fit fit;
    fit.global = cheapest(rows, costs, 0.5);
    std::map<int, Rows> byIntent;
    for (const JudgedRow& row : rows) {
        if (row.predicted >= 0) {
            byIntent[row.predicted].push_back(row);
        }
    }
    for (const auto& [label, part] : byIntent) {
        fit.own[label] = {cheapest(part, costs, fit.global), double(part.size())};
    }
    return fit;
}

/// Calls `judge(fit, the rows it was fitted on, the rows held out)` for every fold.
template <typename Judge> void crossFit(const Rows& rows, const Costs& costs, const Judge& judge)
{
    for (std::size_t fold = 0; fold < folds; ++fold) {
        Rows others;
        Rows heldOut;
        for (std::size_t index = 0; index < rows.size(); ++index) {
            (index % folds == fold ? heldOut : others).push_back(rows[index]);
        }
        judge(fitOn(others, costs), others, heldOut);
    }
}

/// The shrinkage that costs least on rows it was not tuned on; of equals the strongest.
double bestShrinkage(const Rows& rows, const Costs& costs)
{
    std::array<double, shrinkages.size()> cost{};
    crossFit(rows, costs, [&](const Fit& fit, const Rows&, const Rows& heldOut) {
        for (const JudgedRow& row : heldOut) {
            for (std::size_t index = 0; index < shrinkages.size(); ++index) {
                cost[index] += costOf(row, fit.threshold(row.predicted, shrinkages[index]), costs);
            }
        }
    });
    std::size_t best = shrinkages.size() - 1;
    for (std::size_t index = shrinkages.size() - 1; index-- > 0;) {
        best = cost[index] < cost[best] - 1e-9 ? index : best;
    }
    return shrinkages[best];
}

std::string reasonOf(const Suggestion& found)
{
    const std::string numbers = fmt::format(
        "on held-out rows thresholds by intent cost {:.4f} a row and one global threshold {:.4f} "
        "(in-sample they looked like {:.4f}); {} rows got cheaper, {} dearer, p = {:.3g}",
        found.heldOutPerIntent, found.heldOutGlobal, found.inSamplePerIntent, found.better,
        found.worse, found.pValue);
    if (found.heldOutPerIntent >= found.heldOutGlobal) {
        return "the global threshold stays: " + numbers;
    }
    if (found.pValue > notByAccident) {
        return "the global threshold stays, the difference may be an accident: " + numbers;
    }
    return "thresholds by intent are worth it: " + numbers;
}

} // namespace

Sweep sweep(std::span<const JudgedRow> rows)
{
    Rows sorted(rows.begin(), rows.end());
    sortByScore(sorted);
    Sweep result;
    result.rows = std::int64_t(rows.size());
    result.points.push_back({});
    for (const JudgedRow& row : sorted) {
        result.right += row.isRight() ? 1 : 0;
        if (row.score < 0) {
            continue;
        }
        const double threshold = std::min(row.score, 1.0);
        if (threshold < result.points.back().threshold) {
            result.points.push_back(result.points.back());
            result.points.back().threshold = threshold;
        }
        SweepPoint& point = result.points.back();
        ++point.accepted;
        point.outOfScope += row.isOutOfScope() ? 1 : 0;
        point.wrong += !row.isOutOfScope() && !row.isRight() ? 1 : 0;
    }
    return result;
}

double areaUnderRiskCoverage(const Sweep& sweep)
{
    double area = 0;
    std::int64_t before = 0;
    for (const SweepPoint& point : sweep.points) {
        area += point.risk() * double(point.accepted - before);
        before = point.accepted;
    }
    return before == 0 ? 0 : area / double(before);
}

const SweepPoint& costOptimum(const Sweep& sweep, const Costs& costs)
{
    return *std::min_element(
        sweep.points.begin(), sweep.points.end(), [&](const SweepPoint& a, const SweepPoint& b) {
            return sweep.cost(a, costs) < sweep.cost(b, costs);
        });
}

const SweepPoint* loosestObserved(const Sweep& sweep, double alpha)
{
    const auto found = std::find_if(sweep.points.rbegin(), sweep.points.rend(),
        [alpha](const SweepPoint& point) { return point.accepted > 0 && point.risk() <= alpha; });
    return found == sweep.points.rend() ? nullptr : &*found;
}

Result<Suggestion> suggestPerIntent(std::span<const JudgedRow> rows, const SuggestRequest& request)
{
    if (auto checked = checkHeldOut(rows, request.declaredHeldOut); !checked) {
        return checked.error();
    }
    if (rows.size() < fewestRows) {
        return inputError(fmt::format(
            "thresholds by intent need at least {} labelled rows to be judged on rows they were "
            "not tuned on; there are {}",
            fewestRows, rows.size()));
    }
    const Costs& costs = request.costs;
    Rows shuffled(rows.begin(), rows.end());
    std::mt19937_64 random(request.seed);
    for (std::size_t left = shuffled.size(); left > 1; --left) { // std::shuffle differs by library
        std::swap(shuffled[left - 1], shuffled[random() % left]);
    }
    Suggestion found;
    crossFit(shuffled, costs, [&](const Fit& fit, const Rows& others, const Rows& heldOut) {
        const double shrinkage = bestShrinkage(others, costs);
        for (const JudgedRow& row : heldOut) {
            const double global = costOf(row, fit.global, costs);
            const double own = costOf(row, fit.threshold(row.predicted, shrinkage), costs);
            found.heldOutGlobal += global;
            found.heldOutPerIntent += own;
            found.better += own < global ? 1 : 0;
            found.worse += own > global ? 1 : 0;
        }
    });
    const Fit fit = fitOn(shuffled, costs);
    found.global = fit.global;
    found.shrinkage = bestShrinkage(shuffled, costs);
    for (const JudgedRow& row : shuffled) {
        found.inSamplePerIntent += costOf(row, fit.threshold(row.predicted, 0), costs);
    }
    const auto count = double(rows.size());
    found.heldOutGlobal /= count;
    found.heldOutPerIntent /= count;
    found.inSamplePerIntent /= count;
    found.pValue = mcnemar(found.worse, found.better);
    found.reason = reasonOf(found);
    if (found.heldOutPerIntent < found.heldOutGlobal && found.pValue <= notByAccident) {
        for (const auto& [label, own] : fit.own) {
            found.perIntent[label] = fit.drawn(own, found.shrinkage);
        }
    }
    return found;
}

} // namespace sluice

#include "engine/classification/thresholds/certification.h"

#include "engine/classification/thresholds/statistics.h"

#include <algorithm>
#include <cmath>
#include <fmt/format.h>
#include <numeric>

namespace sluice {

Result<void> checkHeldOut(std::span<const JudgedRow> rows, bool declaredHeldOut)
{
    const auto count = [&](RowUse use) {
        return std::count_if(
            rows.begin(), rows.end(), [use](const JudgedRow& row) { return row.use == use; });
    };
    if (const auto training = count(RowUse::Training); training > 0) {
        return inputError(fmt::format(
            "{} rows are training rows: the model has learnt them by heart; use the calibration "
            "part, or rows that it never saw",
            training));
    }
    if (const auto stopping = count(RowUse::Stopping); stopping > 0) {
        return inputError(fmt::format(
            "{} rows are validation rows: training stopped on them; use the calibration part, or "
            "rows that the model never saw",
            stopping));
    }
    if (const auto undeclared = count(RowUse::Undeclared); undeclared > 0 && !declaredHeldOut) {
        return inputError(fmt::format(
            "{} rows are not marked as calibration rows: give them the split \"calibration\", or "
            "declare that they are held out from training, stopping and choosing",
            undeclared));
    }
    return {};
}

namespace {

/// Testing begins where twice the rows are accepted that could be certified without an error, and
/// this share of all at least: at fewer, a stray error or two among the surest answers would end it
/// at once.
constexpr double leastStart = 0.15;

/// What the rows above a threshold are.
struct Tally
{
    std::int64_t right = 0;
    std::int64_t wrong = 0; ///< in scope, another intent
    std::int64_t outOfScope = 0;

    std::int64_t accepted() const { return right + errors(); }
    std::int64_t errors() const { return wrong + outOfScope; }
    void add(const JudgedRow& row)
    {
        (row.isOutOfScope() ? outOfScope : row.isRight() ? right : wrong) += 1;
    }
};

/// The test of one threshold, at one level.
struct Test
{
    double alpha;
    double level; ///< delta, or its part
    std::optional<double> share;
    std::int64_t inScope = 0; ///< rows
    std::int64_t outOfScope = 0;

    bool passes(const Tally& tally) const
    {
        return share ? mixedBound(tally) <= alpha
                     : binomialCdf(tally.errors(), tally.accepted(), alpha) <= level;
    }
    double bound(const Tally& tally) const
    {
        // What passed is at most alpha; the quantile may say so a last digit off.
        return share ? mixedBound(tally)
                     : std::min(alpha, exactUpperBound(tally.errors(), tally.accepted(), level));
    }
    /// The share of traffic that must be accepted for a certificate to be in reach, were nothing of
    /// it wrong: the test then turns on how many rows there are alone.
    double leastCoverage() const
    {
        if (!share) {
            return double(trialsToRefute(0, alpha, level)) / double(inScope + outOfScope);
        }
        const double bad = *share * exactUpperBound(0, outOfScope, level / 3)
            + (1 - *share) * exactUpperBound(0, inScope, level / 3);
        return bad / alpha;
    }
    double mixedBound(const Tally& tally) const
    {
        const double third = level / 3;
        const double let = exactUpperBound(tally.outOfScope, outOfScope, third);
        const double wrong = exactUpperBound(tally.wrong, inScope, third);
        const double right = exactLowerBound(tally.right, inScope, third);
        const double bad = *share * let + (1 - *share) * wrong;
        const double all = bad + (1 - *share) * right;
        return all > 0 ? bad / all : 1;
    }
};

/// `more` rows like those seen, none of them accepted and wrong.
bool passesWith(std::int64_t more, Test test, Tally tally)
{
    const double factor = double(more) / double(test.inScope + test.outOfScope);
    const auto grow = [factor](std::int64_t& count) {
        count += std::int64_t(std::floor(factor * double(count)));
    };
    grow(tally.right);
    grow(test.inScope);
    grow(test.outOfScope);
    return test.passes(tally);
}

Shortfall shortfallOf(double threshold, const Test& test, const Tally& tally)
{
    constexpr std::int64_t hopeless = std::int64_t(1) << 40;
    const std::int64_t rows = test.inScope + test.outOfScope;
    Shortfall shortfall{threshold, tally.accepted(), tally.errors(), 0, -1};
    shortfall.moreAccepted = std::max<std::int64_t>(
        0, trialsToRefute(tally.errors(), test.alpha, test.level) - tally.accepted());
    if (!test.share) {
        if (tally.accepted() > 0) {
            shortfall.moreRows = std::int64_t(std::ceil(
                double(shortfall.moreAccepted) * double(rows) / double(tally.accepted())));
        }
        return shortfall;
    }
    std::int64_t high = 1;
    while (high < hopeless && !passesWith(high, test, tally)) {
        high *= 2;
    }
    if (high >= hopeless) {
        return shortfall;
    }
    std::int64_t low = high / 2;
    while (high - low > 1) {
        const std::int64_t middle = low + (high - low) / 2;
        (passesWith(middle, test, tally) ? high : low) = middle;
    }
    shortfall.moreRows = high;
    shortfall.moreAccepted =
        std::int64_t(std::ceil(double(high) * double(tally.right) / double(rows)));
    return shortfall;
}

/// Falling thresholds: quantiles of the scores, from where the share `coverage` of them is accepted
/// on (or all there are), to four digits.
std::vector<double> gridOf(std::span<const GridScore> scores, double coverage)
{
    constexpr std::size_t mostPoints = 1000;
    std::vector<double> sorted;
    for (const GridScore& score : scores) {
        if (score.score >= 0) {
            sorted.push_back(std::min(score.score, 1.0));
        }
    }
    std::sort(sorted.begin(), sorted.end(), std::greater<>());
    std::vector<double> grid;
    if (sorted.empty()) {
        return grid;
    }
    const double wanted = std::ceil(coverage * double(scores.size()));
    const auto first = std::size_t(std::clamp(wanted, 1.0, double(sorted.size())));
    const std::size_t step = std::max<std::size_t>(1, (sorted.size() - first) / mostPoints);
    for (std::size_t count = first; count <= sorted.size(); count += step) {
        const double threshold = std::floor(sorted[count - 1] * 1e4) / 1e4;
        if (grid.empty() || threshold < grid.back()) {
            grid.push_back(threshold);
        }
    }
    return grid;
}

Result<void> checkRequest(std::span<const JudgedRow> rows, const CertifyRequest& request)
{
    const auto inside = [](double share) { return share > 0 && share < 1; };
    if (!inside(request.alpha) || !inside(request.delta)) {
        return inputError("alpha and delta lie between 0 and 1: 0.05 is five per cent");
    }
    if (request.outOfScopeShare
        && !(*request.outOfScopeShare >= 0 && *request.outOfScopeShare <= 1)) {
        return inputError("the assumed out-of-scope share lies between 0 and 1");
    }
    if (rows.empty()) {
        return inputError("there are no calibration rows");
    }
    const bool anyOut = std::any_of(
        rows.begin(), rows.end(), [](const JudgedRow& row) { return row.isOutOfScope(); });
    if (request.outOfScopeShare && !anyOut) {
        return inputError("an assumed out-of-scope share needs labelled out-of-scope rows to bound "
                          "how many of them are accepted; there are none");
    }
    return checkHeldOut(rows, request.declaredHeldOut);
}

/// certify() at a level of its own; `rows` in falling order of score.
Certification search(std::span<const JudgedRow> rows, std::span<const GridScore> scores,
    double level, const CertifyRequest& request)
{
    Test test{request.alpha, level, request.outOfScopeShare};
    test.outOfScope = std::count_if(
        rows.begin(), rows.end(), [](const JudgedRow& row) { return row.isOutOfScope(); });
    test.inScope = std::int64_t(rows.size()) - test.outOfScope;
    const std::vector<double> grid = gridOf(scores, std::max(2 * test.leastCoverage(), leastStart));
    Certification result;
    Certificate certificate;
    Tally tally;
    auto row = rows.begin();
    for (const double threshold : grid) {
        for (; row != rows.end() && row->score >= threshold; ++row) {
            tally.add(*row);
        }
        if (!test.passes(tally)) {
            if (!result.certificate) {
                result.shortfall = shortfallOf(threshold, test, tally);
            }
            break;
        }
        certificate.accepted = tally.accepted();
        certificate.errors = tally.errors();
        certificate.bound = test.bound(tally);
        certificate.threshold = threshold;
        result.certificate = certificate;
    }
    if (grid.empty()) {
        result.shortfall = shortfallOf(1.0, test, tally);
    }
    if (result.certificate) {
        result.certificate->alpha = request.alpha;
        result.certificate->delta = request.delta;
        result.certificate->rows = std::int64_t(rows.size());
        result.certificate->gridOrigin = request.gridOrigin;
        result.certificate->gridStart = grid.front();
        result.certificate->gridPoints = std::int64_t(grid.size());
        result.certificate->outOfScopeShare = request.outOfScopeShare;
        result.certificate->declaredHeldOut = std::any_of(rows.begin(), rows.end(),
            [](const JudgedRow& one) { return one.use == RowUse::Undeclared; });
        result.certificate->provenance = request.provenance;
    }
    return result;
}

std::vector<JudgedRow> sorted(std::span<const JudgedRow> rows)
{
    std::vector<JudgedRow> all(rows.begin(), rows.end());
    std::sort(all.begin(), all.end(),
        [](const JudgedRow& a, const JudgedRow& b) { return a.score > b.score; });
    return all;
}

/// The rows and grid scores of one group.
struct Part
{
    std::vector<JudgedRow> rows;
    std::vector<GridScore> scores;
};

Part partOf(
    std::span<const JudgedRow> rows, std::span<const GridScore> scores, const IntentGroup& group)
{
    const auto in = [&](int label) {
        return std::find(group.labels.begin(), group.labels.end(), label) != group.labels.end();
    };
    Part part;
    std::copy_if(rows.begin(), rows.end(), std::back_inserter(part.rows),
        [&](const JudgedRow& row) { return in(row.predicted); });
    std::copy_if(scores.begin(), scores.end(), std::back_inserter(part.scores),
        [&](const GridScore& score) { return in(score.predicted); });
    return part;
}

/// The claims that share delta: the groups of the most rows, as many as could each be certified at
/// their part of it. That looks at no label.
struct Claims
{
    std::int64_t count = 1;
    std::vector<std::size_t> groups;
};

Claims claimsOf(std::span<const Part> parts, const CertifyRequest& request)
{
    std::vector<std::size_t> order(parts.size());
    std::iota(order.begin(), order.end(), std::size_t(0));
    std::stable_sort(order.begin(), order.end(),
        [&](std::size_t a, std::size_t b) { return parts[a].rows.size() > parts[b].rows.size(); });
    while (!order.empty()) {
        const std::int64_t least =
            trialsToRefute(0, request.alpha, request.delta / double(order.size()));
        if (std::int64_t(parts[order.back()].rows.size()) >= least) {
            break;
        }
        order.pop_back();
    }
    return {std::max<std::int64_t>(1, std::int64_t(order.size())), std::move(order)};
}

Result<void> checkGroups(std::span<const IntentGroup> groups, std::span<const std::string> labels)
{
    std::vector<const IntentGroup*> groupOf(labels.size(), nullptr);
    for (const IntentGroup& group : groups) {
        for (const int label : group.labels) {
            const IntentGroup*& of = groupOf[std::size_t(label)];
            if (of != nullptr) {
                return inputError(
                    fmt::format("\"{}\" is in the group {} and again in {}: an intent has one "
                                "threshold, put it into one group",
                        labels[std::size_t(label)], of->name, group.name));
            }
            of = &group;
        }
    }
    return {};
}

} // namespace

Result<Certification> certify(std::span<const JudgedRow> rows, const CertifyRequest& request)
{
    if (auto checked = checkRequest(rows, request); !checked) {
        return checked.error();
    }
    if (request.gridScores.empty()) {
        return inputError("the grid of thresholds needs scores that are not the calibration rows': "
                          "recorded traffic, or the validation part");
    }
    return search(sorted(rows), request.gridScores, request.delta, request);
}

Result<std::vector<GroupCertification>> certifyGroups(std::span<const JudgedRow> rows,
    std::span<const IntentGroup> groups, std::span<const std::string> labels, ClaimKind claim,
    const CertifyRequest& request)
{
    if (auto checked = checkRequest(rows, request); !checked) {
        return checked.error();
    }
    if (auto checked = checkGroups(groups, labels); !checked) {
        return checked.error();
    }
    if (claim == ClaimKind::Marginal) {
        return inputError("a marginal claim is about all intents: groups make group or "
                          "simultaneous claims");
    }
    if (request.outOfScopeShare) {
        return inputError("an assumed out-of-scope share speaks of all traffic; how much of a "
                          "group's would be out of scope is not known: leave it out");
    }
    const std::vector<JudgedRow> all = sorted(rows);
    std::vector<Part> parts;
    for (const IntentGroup& group : groups) {
        parts.push_back(partOf(all, request.gridScores, group));
    }
    const bool together = claim == ClaimKind::Simultaneous;
    const Claims claims = together ? claimsOf(parts, request) : Claims();
    const double level = request.delta / double(claims.count);
    const std::int64_t least = trialsToRefute(0, request.alpha, level);
    std::vector<GroupCertification> results;
    for (std::size_t index = 0; index < groups.size(); ++index) {
        const Part& part = parts[index];
        GroupCertification& result =
            results.emplace_back(GroupCertification{groups[index].name, false, {}});
        result.claimed = !together
            || std::find(claims.groups.begin(), claims.groups.end(), index) != claims.groups.end();
        if (!result.claimed) {
            const std::int64_t lacks = least - std::int64_t(part.rows.size());
            result.certification.shortfall = {1, 0, 0, std::max<std::int64_t>(1, lacks), -1};
            continue;
        }
        result.certification = search(part.rows, part.scores, level, request);
        if (auto& certificate = result.certification.certificate) {
            certificate->claim = claim;
            certificate->claims = claims.count;
            for (const int label : groups[index].labels) {
                certificate->intents.push_back(labels[std::size_t(label)]);
            }
        }
    }
    return results;
}

} // namespace sluice

#include "engine/classification/thresholds/certificate.h"

#include "engine/base/json.h"
#include "engine/classification/thresholds/thresholdset.h"

#include <boost/json/array.hpp>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace sluice {

namespace json = boost::json;

std::string_view toString(GridOrigin origin)
{
    return origin == GridOrigin::Traffic ? "traffic" : "validation";
}

std::string_view toString(ClaimKind kind)
{
    switch (kind) {
    case ClaimKind::Group:
        return "group";
    case ClaimKind::Simultaneous:
        return "simultaneous";
    case ClaimKind::Marginal:
        break;
    }
    return "marginal";
}

json::object Certificate::toJson() const
{
    return {{"alpha", alpha}, {"delta", delta}, {"claim", toString(claim)},
        {"intents", json::array(intents.begin(), intents.end())}, {"claims", claims},
        {"rows", rows}, {"accepted", accepted}, {"errors", errors}, {"bound", bound},
        {"threshold", threshold}, {"grid_origin", toString(gridOrigin)}, {"grid_start", gridStart},
        {"grid_points", gridPoints},
        {"oos_share", outOfScopeShare ? json::value(*outOfScopeShare) : json::value(nullptr)},
        {"declared_held_out", declaredHeldOut}, {"model", provenance.modelHash},
        {"data", provenance.dataHash}, {"set", provenance.setHash}, {"date", provenance.date}};
}

Result<Certificate> Certificate::fromJson(std::string_view text, std::string_view where)
{
    auto value = parseJson(text, where);
    if (!value) {
        return value.error();
    }
    Certificate read;
    JsonReader in(*value, std::string(where));
    read.alpha = in.number("alpha", 0.0, 1.0);
    read.delta = in.number("delta", 0.0, 1.0);
    const std::string claim = in.string("claim");
    for (const ClaimKind kind : {ClaimKind::Group, ClaimKind::Simultaneous}) {
        read.claim = toString(kind) == claim ? kind : read.claim;
    }
    if (toString(read.claim) != claim) {
        in.fail("claim", "marginal, group or simultaneous is expected");
    }
    read.intents = in.optionalStrings("intents");
    read.claims = in.integer("claims", 1, INT64_MAX);
    read.rows = in.integer("rows", 1, INT64_MAX);
    read.accepted = in.integer("accepted", 1, INT64_MAX);
    read.errors = in.integer("errors", 0, INT64_MAX);
    read.bound = in.number("bound", 0.0, 1.0);
    read.threshold = in.number("threshold", 0.0, 1.0);
    const std::string origin = in.string("grid_origin");
    read.gridOrigin = origin == "traffic" ? GridOrigin::Traffic : GridOrigin::Validation;
    if (toString(read.gridOrigin) != origin) {
        in.fail("grid_origin", "traffic or validation is expected");
    }
    read.gridStart = in.number("grid_start", 0.0, 1.0);
    read.gridPoints = in.integer("grid_points", 1, INT64_MAX);
    read.outOfScopeShare = in.optionalNumber("oos_share", 0.0, 1.0);
    read.declaredHeldOut = in.boolean("declared_held_out");
    read.provenance = {in.string("model"), in.string("data"), in.string("set"), in.string("date")};
    if (read.accepted > read.rows) {
        in.fail("accepted", "is more than the rows");
    }
    if (read.errors > read.accepted) {
        in.fail("errors", "is more than the accepted");
    }
    if (read.bound > read.alpha) {
        in.fail("bound", "is above alpha: nothing is certified by it");
    }
    if (read.threshold > read.gridStart) {
        in.fail("threshold", "is above the start of the grid");
    }
    if (auto done = in.finish(); !done) {
        return done.error();
    }
    return read;
}

bool Certificate::covers(const ThresholdSet& set, std::string_view modelHash) const
{
    return provenance.modelHash == modelHash && provenance.setHash == set.contentHash();
}

std::vector<std::string> Certificate::sentences() const
{
    const std::string what = claim == ClaimKind::Marginal
        ? std::string("all accepted queries")
        : fmt::format("what is accepted as {}", fmt::join(intents, ", "));
    std::vector<std::string> lines{
        fmt::format("threshold {:.4f}: of {}, at most {:.4g} % are wrong; such a certificate is "
                    "broken in at most {:.4g} % of cases",
            threshold, what, alpha * 100, delta * 100),
        fmt::format("{} of {} calibration rows accepted, {} of them wrong; bound {:.2f} %",
            accepted, rows, errors, bound * 100),
        fmt::format("grid of {} thresholds from {} scores, tested from {:.4f} down", gridPoints,
            gridOrigin == GridOrigin::Traffic ? "recorded traffic's" : "the validation rows'",
            gridStart)};
    if (claim == ClaimKind::Simultaneous) {
        lines.push_back(fmt::format("holds together with {} other claims", claims - 1));
    }
    lines.push_back(outOfScopeShare
            ? fmt::format("for traffic of which {:.4g} % is out of scope", *outOfScopeShare * 100)
            : std::string("for traffic with as much out of scope as the calibration rows"));
    lines.push_back(declaredHeldOut
            ? "the rows were held out on the caller's word"
            : "the rows are the data's calibration part: neither trained nor stopped on");
    lines.push_back("void for another model or threshold set, where context adjusts the threshold, "
                    "and when alpha was chosen on these rows");
    return lines;
}

ThresholdSet certifiedSet(ThresholdSet base, std::span<Certificate> certificates)
{
    for (const Certificate& certificate : certificates) {
        base.model = certificate.provenance.modelHash;
        if (certificate.claim == ClaimKind::Marginal) {
            base.global = certificate.threshold;
        }
        for (const std::string& intent : certificate.intents) {
            base.perIntent[intent] = certificate.threshold;
        }
    }
    const std::string hash = base.contentHash();
    for (Certificate& certificate : certificates) {
        certificate.provenance.setHash = hash;
    }
    return base;
}

} // namespace sluice

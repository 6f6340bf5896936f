#include "app/sluicectl/thresholdinput.h"

#include "engine/base/file.h"
#include "engine/base/json.h"
#include "engine/classification/thresholds/tuning.h"

#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>
#include <fmt/format.h>

namespace sluice::ctl {

namespace {

namespace json = boost::json;

struct CertifyArguments
{
    ThresholdInput input;
    double alpha = 0.05;
    double delta = 0.10;
    double outOfScopeShare = -1;
    std::string gridFrom;
    std::string claim = "marginal";
    std::string groups;
    std::string out;
    bool heldOut = false;
};

/// {"name": ["intent", ...]}; without a file each intent is a group of its own.
Result<std::vector<IntentGroup>> groupsOf(
    const std::string& file, const std::vector<std::string>& labels)
{
    std::vector<IntentGroup> groups;
    if (file.empty()) {
        for (std::size_t label = 0; label < labels.size(); ++label) {
            groups.push_back({labels[label], {int(label)}});
        }
        return groups;
    }
    const auto text = readFile(file, std::size_t(16) << 20);
    if (!text) {
        return text.error();
    }
    const auto value = parseJson(*text, file);
    if (!value) {
        return value.error();
    }
    const json::object* object = value->if_object();
    if (object == nullptr || object->empty()) {
        return inputError(file + ": an object of name: [intents] is expected");
    }
    JsonReader in(*value, file);
    for (const auto& member : *object) {
        IntentGroup& group = groups.emplace_back(IntentGroup{member.key(), {}});
        for (const std::string& intent : in.optionalStrings(member.key())) {
            const auto found = std::find(labels.begin(), labels.end(), intent);
            if (found == labels.end()) {
                in.fail(member.key(), "the model does not know \"" + intent + "\"");
                break;
            }
            group.labels.push_back(int(found - labels.begin()));
        }
    }
    if (auto done = in.finish(); !done) {
        return done.error();
    }
    return groups;
}

/// Grid scores: recorded traffic where it is given, else the data's validation part.
Result<void> addGrid(
    CertifyRequest& request, const CertifyArguments& arguments, const ScoredInput& input)
{
    const auto own = arguments.claim == "marginal" ? OwnThresholds::Keep : OwnThresholds::Replace;
    if (!arguments.gridFrom.empty()) {
        const auto traffic = scoreTraffic(input.model, arguments.gridFrom);
        if (!traffic) {
            return traffic.error();
        }
        request.gridOrigin = GridOrigin::Traffic;
        request.gridScores = gridScores(judgedRows(*traffic, input.thresholds, own));
        return {};
    }
    std::vector<LabelledQuery> validation;
    std::copy_if(input.data.queries.begin(), input.data.queries.end(),
        std::back_inserter(validation),
        [](const LabelledQuery& query) { return query.split == Split::Validation; });
    if (validation.empty()) {
        return inputError("the grid of thresholds must come from elsewhere than the calibration "
                          "rows: give recorded traffic with --grid-from, or data with a validation "
                          "part");
    }
    request.gridScores =
        gridScores(judgedRows(scoreRows(input.model, validation), input.thresholds, own));
    return {};
}

json::object toJson(const Shortfall& shortfall)
{
    return {{"threshold", shortfall.threshold}, {"accepted", shortfall.accepted},
        {"errors", shortfall.errors}, {"more_accepted", shortfall.moreAccepted},
        {"more_rows",
            shortfall.moreRows < 0 ? json::value(nullptr) : json::value(shortfall.moreRows)}};
}

std::string textOf(const GroupCertification& found)
{
    const Shortfall& shortfall = found.certification.shortfall;
    if (!found.claimed) {
        return fmt::format(
            "no claim: {} more calibration rows with this first candidate are needed "
            "to make one beside the others",
            shortfall.moreAccepted);
    }
    const std::string rows = shortfall.moreRows < 0
        ? std::string()
        : fmt::format(", or about {} more labelled rows like these", shortfall.moreRows);
    return fmt::format("not certifiable: {} accepted rows and {} errors at threshold {:.4f}, where "
                       "testing begins; {} more accepted labelled rows are needed, none of them "
                       "wrong{}",
        shortfall.accepted, shortfall.errors, shortfall.threshold, shortfall.moreAccepted, rows);
}

/// One line and one JSON object for each thing that was to be certified; the set with all that was.
int finish(const Output& output, const CertifyArguments& arguments, const ScoredInput& input,
    std::span<const GroupCertification> found, json::object result)
{
    std::vector<Certificate> certificates;
    for (const GroupCertification& one : found) {
        if (one.certification.certificate) {
            certificates.push_back(*one.certification.certificate);
        }
    }
    const ThresholdSet set = certifiedSet(input.set, certificates);
    json::array all;
    auto certificate = certificates.begin();
    for (const GroupCertification& one : found) {
        json::object item{{"name", one.name}, {"claimed", one.claimed}};
        if (one.certification.certificate) {
            item["certificate"] = certificate->toJson();
            for (const std::string& sentence : certificate->sentences()) {
                output.line(fmt::format("{:20} {}", one.name, sentence));
            }
            ++certificate;
        } else {
            item["shortfall"] = toJson(one.certification.shortfall);
            output.line(fmt::format("{:20} {}", one.name, textOf(one)));
        }
        all.push_back(std::move(item));
    }
    result["certified"] = !certificates.empty();
    result["claims"] = std::move(all);
    result["set"] = certificates.empty() ? json::value(nullptr) : json::parse(set.toJson());
    if (!arguments.out.empty() && !certificates.empty()) {
        if (auto written = writeThresholds(arguments.out, set); !written) {
            return output.fail(written.error());
        }
    }
    output.object(result);
    return certificates.empty() ? 1 : 0;
}

/// Beside the certificate: what the same rows would tempt to.
json::object naiveChoice(const Output& output, std::span<const JudgedRow> rows, double alpha)
{
    const Sweep all = sweep(rows);
    const SweepPoint* point = loosestObserved(all, alpha);
    if (point == nullptr) {
        return {{"naive", nullptr}};
    }
    output.line(fmt::format("for comparison: the loosest threshold whose observed error rate is at "
                            "most alpha would be {:.4f} (coverage {:.1f} %); that choice breaks "
                            "alpha in about half of the cases",
        point->threshold, all.coverage(*point) * 100));
    return {{"naive",
        json::object{{"threshold", point->threshold}, {"coverage", all.coverage(*point)},
            {"risk", point->risk()}}}};
}

int certify(const Output& output, const CertifyArguments& arguments)
{
    const bool marginal = arguments.claim == "marginal";
    auto input = loadInput(arguments.input);
    if (!input) {
        return output.fail(input.error());
    }
    sayLeftOut(output, input->leaveOutSeen());
    CertifyRequest request;
    request.alpha = arguments.alpha;
    request.delta = arguments.delta;
    if (arguments.outOfScopeShare >= 0) {
        request.outOfScopeShare = arguments.outOfScopeShare;
    }
    request.declaredHeldOut = arguments.heldOut;
    request.provenance = {input->model.hash(), hashOf(input->queries), {}, iso8601Now()};
    if (auto grid = addGrid(request, arguments, *input); !grid) {
        return output.fail(grid.error());
    }
    const auto rows = judgedRows(
        input->rows, input->thresholds, marginal ? OwnThresholds::Keep : OwnThresholds::Replace);
    if (marginal) {
        const auto found = sluice::certify(rows, request);
        if (!found) {
            return output.fail(found.error());
        }
        const GroupCertification all{"all queries", true, *found};
        return finish(
            output, arguments, *input, {&all, 1}, naiveChoice(output, rows, arguments.alpha));
    }
    const auto groups = groupsOf(arguments.groups, input->model.labels());
    if (!groups) {
        return output.fail(groups.error());
    }
    const auto found = certifyGroups(rows, *groups, input->model.labels(),
        arguments.claim == "group" ? ClaimKind::Group : ClaimKind::Simultaneous, request);
    if (!found) {
        return output.fail(found.error());
    }
    return finish(output, arguments, *input, *found, {});
}

} // namespace

void addCertify(CLI::App& group, Commands& commands)
{
    auto arguments = std::make_shared<CertifyArguments>();
    CLI::App* sub = commands.add(group, "certify",
        "The loosest threshold that keeps an error rate, with a certificate; exit code 1 when the "
        "rows allow none",
        [&commands, arguments] { return certify(commands.output, *arguments); });
    arguments->input.addTo(*sub);
    sub->add_option("--alpha", arguments->alpha, "the most that may be wrong among the accepted")
        ->capture_default_str();
    sub->add_option("--delta", arguments->delta, "how often such a certificate may be broken")
        ->capture_default_str();
    sub->add_option("--oos-share", arguments->outOfScopeShare,
           "assume that this share of the traffic is out of scope (default: as in the rows)")
        ->check(CLI::Range(0.0, 1.0));
    sub->add_option("--grid-from", arguments->gridFrom,
        "recorded traffic, JSON Lines with \"text\" or \"query\": where the thresholds to test "
        "come "
        "from (default: the data's validation part)");
    sub->add_option("--claim", arguments->claim,
           "marginal: of all accepted; group: of each group for itself; simultaneous: of all "
           "groups at once")
        ->capture_default_str()
        ->check(CLI::IsMember({"marginal", "group", "simultaneous"}));
    sub->add_option("--groups", arguments->groups,
        "JSON, {\"name\": [intents]}, for group and simultaneous claims (default: each intent)");
    sub->add_flag("--held-out", arguments->heldOut,
        "rows without the split \"calibration\" were not used for training, stopping or choosing");
    sub->add_option("--out", arguments->out, "writes the certified threshold set");
    sub->footer(
        "Fixed-sequence testing with the exact binomial: the test goes from strict to loose over "
        "thresholds that\nwere fixed before a label was looked at. Example:\n"
        "sluicectl thresholds certify --model helpdesk.model --data queries.jsonl --alpha 0.1");
}

} // namespace sluice::ctl

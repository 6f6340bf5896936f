#include "app/sluicectl/command.h"

#include "engine/base/file.h"
#include "engine/base/resources.h"
#include "engine/classification/classifier.h"

#include <chrono>
#include <fmt/format.h>
#include <iostream>

namespace sluice::ctl {

namespace {

struct ClassifyArguments
{
    std::string model;
    std::string catalogue;
    std::string thresholds;
    std::string session;
    std::string system;
    std::vector<std::string> systemActs;
    bool explain = false;
    std::size_t topK = 5;
    std::vector<std::string> queries;
};

void print(const Output& output, const std::string& query, const Answer& answer,
    const std::string& session)
{
    if (output.json) {
        fmt::print("{}\n", toJson(answer, query, session));
        std::fflush(stdout);
        return;
    }
    const double confidence =
        answer.candidates.empty() ? 0.0 : answer.candidates.front().confidence;
    const std::string intent = answer.candidates.empty() ? "-" : answer.candidates.front().intent;
    output.line(
        fmt::format("{:8} {:24} {:.2f} (threshold {:.2f}, {})  {}", toString(answer.verdict),
            intent, confidence, answer.ruling.threshold, toString(answer.ruling.rule), query));
    for (const Entity& entity : answer.entities) {
        output.line(fmt::format("         {} = {}{}", entity.type, entity.value,
            entity.turn > 0 ? fmt::format("  (from turn {})", entity.turn) : std::string()));
    }
    for (const Contribution& part : answer.contributions) {
        output.line(fmt::format("         {:+.2f}  {}", part.weight, part.ngram));
    }
}

Result<std::shared_ptr<const CompiledThresholds>> thresholdsFor(
    const Classifier& classifier, const std::string& file)
{
    if (file.empty()) {
        return classifier.compile(classifier.model().defaultThresholds());
    }
    auto text = readFile(file, std::size_t(16) << 20);
    if (!text) {
        return text.error();
    }
    auto set = ThresholdSet::fromJson(*text, file);
    if (!set) {
        return set.error();
    }
    return classifier.compile(*set);
}

int classify(const Output& output, const ClassifyArguments& arguments)
{
    const auto model = arguments.model.empty() ? resourceFile("helpdesk.model")
                                               : std::filesystem::path(arguments.model);
    auto catalogue = std::filesystem::path(arguments.catalogue);
    if (arguments.catalogue.empty()) {
        catalogue = resourceFile("entities.json");
    }
    if (!arguments.session.empty() && !isValidSessionId(arguments.session)) {
        return output.fail(inputError(
            "--session: 1 to 128 printable ASCII characters without blanks are expected"));
    }
    auto classifier = Classifier::load(model, catalogue);
    if (!classifier) {
        return output.fail(classifier.error());
    }
    auto thresholds = thresholdsFor(**classifier, arguments.thresholds);
    if (!thresholds) {
        return output.fail(thresholds.error());
    }

    Session session;
    session.id = arguments.session;
    int worst = 0;
    Query query{{}, arguments.system, arguments.systemActs};
    const auto one = [&](const std::string& text) {
        const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
        query.text = text;
        const auto answer =
            (*classifier)
                ->classify(query, **thresholds, session.id.empty() ? nullptr : &session, now,
                    {arguments.topK, arguments.explain});
        query = {}; // what the system said stood before this one
        if (!answer) {
            worst = std::max(worst, output.fail(answer.error()));
            return;
        }
        if (!session.id.empty()) {
            Classifier::remember(session, *answer);
        }
        print(output, text, *answer, session.id);
    };
    if (!arguments.queries.empty()) {
        for (const std::string& text : arguments.queries) {
            one(text);
        }
        return worst;
    }
    std::string line;
    while (!interrupted() && std::getline(std::cin, line)) {
        if (!line.empty() && line.back() == '\r') {
            line.pop_back();
        }
        one(line);
    }
    return worst;
}

} // namespace

void addClassify(CLI::App& app, Commands& commands)
{
    auto arguments = std::make_shared<ClassifyArguments>();
    CLI::App* sub = commands.add(app, "classify",
        "Classify queries with the engine in this program, no server needed",
        [&commands, arguments] { return classify(commands.output, *arguments); });
    sub->add_option(
        "--model", arguments->model, "model file (default: the bundled help-desk model)");
    sub->add_option(
        "--catalogue", arguments->catalogue, "entity catalogue (default: the bundled one)");
    sub->add_option("--thresholds", arguments->thresholds,
        "threshold set, JSON (default: the one trained with the model)");
    sub->add_option("--session", arguments->session,
        "the queries are turns of one conversation with this name");
    sub->add_option("--system", arguments->system, "what the system said before the first query");
    sub->add_option("--system-acts", arguments->systemActs,
           "the same as dialogue acts, ACT,... (for models trained on them)")
        ->delimiter(',')
        ->allow_extra_args(false);
    sub->add_flag("--explain", arguments->explain, "also the n-grams that spoke for and against");
    sub->add_option("--top-k", arguments->topK, "how many candidates to give")
        ->capture_default_str()
        ->check(CLI::Range(1, 100));
    sub->add_option("QUERY", arguments->queries,
        "queries; without any, one a line is read from standard input");
    sub->footer("One answer a line, in order. A query that can't be classified (blank, over 4,096 "
                "characters, not UTF-8) is\n"
                "an error line; the others go on, and the exit code is 2.\n"
                "Example: sluicectl classify \"where is my parcel A-2231?\"");
}

} // namespace sluice::ctl

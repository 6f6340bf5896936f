#include "app/sluicectl/suite.h"

#include "app/sluicectl/thresholdinput.h"
#include "engine/base/resources.h"
#include "engine/operations/queries/suiterun.h"

#include <boost/json/array.hpp>
#include <fmt/format.h>

namespace sluice::ctl {

namespace {

Result<ops::QueryTarget> engineTarget(
    const SuiteArguments& arguments, const std::string& model, const std::string& thresholds)
{
    auto classifier = Classifier::load(
        model.empty() ? resourceFile("helpdesk.model") : std::filesystem::path(model),
        arguments.catalogue.empty() ? resourceFile("entities.json")
                                    : std::filesystem::path(arguments.catalogue));
    if (!classifier) {
        return classifier.error();
    }
    ops::QueryTarget target;
    target.name =
        QStringLiteral("engine %1")
            .arg(QString::fromStdString(model.empty() ? std::string("helpdesk.model") : model));
    target.classifier = std::move(*classifier);
    ThresholdSet set = target.classifier->model().defaultThresholds();
    if (!thresholds.empty()) {
        auto read = readThresholds(thresholds);
        if (!read) {
            return read.error();
        }
        set = std::move(*read);
    }
    auto compiled = target.classifier->compile(set);
    if (!compiled) {
        return compiled.error();
    }
    target.thresholds = std::move(*compiled);
    return target;
}

Result<ops::QueryTarget> targetOf(
    const SuiteArguments& arguments, const std::string& model, const std::string& thresholds)
{
    if (arguments.target.empty()) {
        return engineTarget(arguments, model, thresholds);
    }
    if (!model.empty() || !thresholds.empty()) {
        return inputError("--target: a worker has its own model and thresholds: leave --model and "
                          "--thresholds out");
    }
    ops::QueryTarget target;
    target.worker = QUrl(QString::fromStdString(arguments.target));
    if (!target.worker.isValid() || !target.worker.scheme().startsWith(QLatin1StringView("http"))
        || target.worker.host().isEmpty()) {
        return inputError("--target: an address such as http://127.0.0.1:8080 is expected");
    }
    target.name = target.worker.toString();
    target.token = qEnvironmentVariable("SLUICE_TOKEN");
    return target;
}

boost::json::object caseObject(const ops::CaseResult& one)
{
    boost::json::object object{{"id", one.id}, {"query", one.query}, {"passed", one.passed()},
        {"newly_failing", one.newlyFailing}, {"decision", toString(one.verdict)},
        {"intent", one.intent}, {"confidence", one.confidence}};
    if (!one.passed()) {
        object["why"] = one.why;
    }
    return object;
}

void print(const Output& output, const ops::SuiteResult& result, const std::string& suite,
    const std::string& target)
{
    boost::json::array cases;
    for (const ops::CaseResult& one : result.cases) {
        cases.push_back(caseObject(one));
        if (!one.passed()) {
            output.line(fmt::format("{} {}  {}\n      {}", one.newlyFailing ? "NEW " : "fail",
                one.id, one.query, one.why));
        }
    }
    output.line(fmt::format("{} of {} passed{}, model {}, threshold set {}",
        result.cases.size() - result.failed(), result.cases.size(),
        result.hasBaseline ? fmt::format(", {} newly failing", result.newlyFailing())
                           : std::string(),
        result.facts.model.left(12).toStdString(), result.facts.thresholdSet));
    output.object({{"suite", suite}, {"target", target}, {"cases", std::move(cases)},
        {"passed", result.cases.size() - result.failed()}, {"failed", result.failed()},
        {"newly_failing", result.newlyFailing()}, {"has_baseline", result.hasBaseline},
        {"model", result.facts.model.toStdString()}, {"threshold_set", result.facts.thresholdSet}});
}

} // namespace

void addSuiteOptions(CLI::App& app, SuiteArguments& arguments)
{
    app.add_option("--suite", arguments.file,
        "instead of --data: test cases, a JSON object a line (docs/FORMATS.md)");
    app.add_option("--target", arguments.target,
        "with --suite: a worker's address (a token for it is read from $SLUICE_TOKEN)");
    app.add_option("--catalogue", arguments.catalogue,
        "with --suite: entity catalogue (default: the bundled one)");
    app.add_flag("--forget", arguments.forget,
        "with --suite: compare with no earlier run of this suite on this target");
}

int runSuite(const Output& output, const SuiteArguments& arguments, const std::string& model,
    const std::string& thresholds)
{
    const auto suite = ops::TestSuite::read(arguments.file);
    if (!suite) {
        return output.fail(suite.error());
    }
    const auto target = targetOf(arguments, model, thresholds);
    if (!target) {
        return output.fail(target.error());
    }
    const auto source = ops::openSource(*target);
    auto result = ops::runSuite(*suite, *source, {}, &interrupted());
    if (!result) {
        return output.fail(result.error());
    }
    const ops::SuiteMemory memory;
    const QString file = QString::fromStdString(arguments.file);
    if (!arguments.forget) {
        if (const auto before = memory.last(file, target->name)) {
            ops::compareWith(*result, *before);
        }
    }
    if (auto kept = memory.keep(file, target->name, *result); !kept) {
        output.progress(kept.error().text());
    }
    print(output, *result, arguments.file, target->name.toStdString());
    record(output, localUser(), {}, QStringLiteral("evaluate"),
        QStringLiteral("suite %1 on %2").arg(file, target->name),
        result->failed() == 0 ? QStringLiteral("passed") : QStringLiteral("failed"),
        {{QStringLiteral("cases"), qint64(result->cases.size())},
            {QStringLiteral("failed"), qint64(result->failed())},
            {QStringLiteral("newly_failing"), qint64(result->newlyFailing())}});
    return result->failed() == 0 ? 0 : 1;
}

} // namespace sluice::ctl

#include "app/sluicectl/command.h"

#include "engine/operations/record/history.h"
#include "engine/operations/record/historyexport.h"

#include <QJsonDocument>
#include <fmt/format.h>

namespace sluice::ctl {

namespace {

struct HistoryArguments
{
    std::string text;
    std::string kind;
    int limit = 50;
    double days = 0;
    bool csv = false;
};

int list(const Output& output, const HistoryArguments& arguments)
{
    ops::History history;
    if (auto opened = history.open(ops::History::defaultFile()); !opened) {
        return output.fail(opened.error());
    }
    const auto entries = history.entries({QString::fromStdString(arguments.text),
        QString::fromStdString(arguments.kind), arguments.limit,
        arguments.days <= 0
            ? QDateTime()
            : QDateTime::currentDateTimeUtc().addSecs(-qint64(arguments.days * 24 * 3600))});
    if (!entries) {
        return output.fail(entries.error());
    }
    if (arguments.csv) {
        std::string text = ops::toCsv(*entries).toStdString();
        text.resize(text.size() - 1); // the line ends itself
        output.line(text);
        return 0;
    }
    for (const ops::HistoryEntry& entry : *entries) {
        const std::string at = entry.at.toUTC().toString(Qt::ISODate).toStdString();
        output.object({{"id", entry.id}, {"at", at}, {"actor", entry.actor.toStdString()},
            {"environment", entry.environment.toStdString()}, {"kind", entry.kind.toStdString()},
            {"subject", entry.subject.toStdString()}, {"outcome", entry.outcome.toStdString()},
            {"details",
                QJsonDocument(entry.details).toJson(QJsonDocument::Compact).toStdString()}});
        output.line(fmt::format("{}  {:10} {:10} {:9} {:9} {}", at, entry.actor.toStdString(),
            entry.environment.toStdString(), entry.kind.toStdString(), entry.outcome.toStdString(),
            entry.subject.toStdString()));
    }
    if (entries->isEmpty()) {
        output.line("nothing recorded yet");
    }
    return 0;
}

} // namespace

void addHistory(CLI::App& app, Commands& commands)
{
    auto arguments = std::make_shared<HistoryArguments>();
    CLI::App* sub = commands.add(app, "history", "What was done, by whom: publishes, runs, shifts",
        [&commands, arguments] { return list(commands.output, *arguments); });
    sub->add_option("--text", arguments->text, "only entries with this text");
    sub->add_option("--kind", arguments->kind,
        "only this kind: publish, load, shift, rollback, train, evaluate, stack, acknowledge");
    sub->add_option("--days", arguments->days, "only what was done in so many last days");
    sub->add_flag("--csv", arguments->csv, "as CSV, as the console exports it");
    sub->add_option("--limit", arguments->limit, "at most so many, newest first")
        ->capture_default_str()
        ->check(CLI::Range(1, 100000));
}

} // namespace sluice::ctl

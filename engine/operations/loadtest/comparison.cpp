#include "engine/operations/loadtest/comparison.h"

#include "engine/base/file.h"
#include "engine/operations/loadtest/blockbootstrap.h"
#include "engine/operations/loadtest/runfolder.h"

#include <QFile>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <algorithm>
#include <cmath>

namespace sluice::ops {

namespace {

Change judged(const std::optional<Interval>& interval, double margin, bool lessIsWorse)
{
    if (!interval) {
        return Change::Unclear;
    }
    const double worst = lessIsWorse ? -interval->low : interval->high;
    const double best = lessIsWorse ? -interval->high : interval->low;
    return worst <= margin ? Change::NoWorse : best > margin ? Change::Worse : Change::Unclear;
}

ComparedFigure latency(const QString& name, double q, double before, double after,
    const LoadResult& first, const LoadResult& second, double margin, double floorMs)
{
    ComparedFigure figure{name, QStringLiteral("ms"), before, after};
    figure.change = before > 0 ? after / before - 1 : 0;
    figure.interval = quantileChange(first.blocks, second.blocks, q);
    figure.verdict =
        judged(figure.interval, before > 0 ? std::max(margin, floorMs / before) : margin, false);
    return figure;
}

std::vector<double> rates(const LoadResult& run)
{
    std::vector<double> values;
    for (const LatencyBlock& block : run.blocks) {
        if (block.seconds >= 1) { // the rest of a second at the end is no rate
            values.push_back(double(block.scheduled - block.errors) / block.seconds);
        }
    }
    return values;
}

ComparedFigure throughput(const LoadResult& before, const LoadResult& after, double margin)
{
    ComparedFigure figure{
        QStringLiteral("requests"), QStringLiteral("1/s"), before.achievedRate, after.achievedRate};
    figure.change = figure.before > 0 ? figure.after / figure.before - 1 : 0;
    figure.interval = meanChange(rates(before), rates(after));
    figure.verdict = judged(figure.interval, margin, true);
    return figure;
}

/// Newcombe's interval of the difference of two shares.
ComparedFigure errors(const LoadResult& before, const LoadResult& after)
{
    ComparedFigure figure{
        QStringLiteral("errors"), QStringLiteral("share"), before.errorShare(), after.errorShare()};
    figure.change = figure.after - figure.before;
    if (before.scheduled > 0 && after.scheduled > 0) {
        const Interval one = wilsonInterval(before.failures(), before.scheduled);
        const Interval two = wilsonInterval(after.failures(), after.scheduled);
        figure.interval =
            Interval{figure.change - std::hypot(figure.after - two.low, one.high - figure.before),
                figure.change + std::hypot(two.high - figure.after, figure.before - one.low)};
    }
    // No more errors than before is no worse, however few requests were sent.
    figure.verdict = figure.change <= 0
        ? Change::NoWorse
        : judged(figure.interval, after.scenario.targets.errorShare / 10, false);
    return figure;
}

QJsonObject shapeOf(const Scenario& scenario)
{
    QJsonObject object = scenario.toJson();
    for (const char* member : {"description", "targets", "stop_after_breached_seconds"}) {
        object.remove(QLatin1StringView(member));
    }
    return object;
}

QString baselineFile()
{
    return runsFolder() + QStringLiteral("/baselines.json");
}

QJsonObject baselines()
{
    const auto bytes = readFile(baselineFile().toStdString());
    return bytes ? QJsonDocument::fromJson(QByteArray::fromStdString(*bytes)).object()
                 : QJsonObject();
}

} // namespace

QString toString(Change change)
{
    return change == Change::NoWorse ? QStringLiteral("no worse")
        : change == Change::Worse    ? QStringLiteral("worse")
                                     : QStringLiteral("unclear");
}

bool Comparison::noWorse() const
{
    return comparable && std::all_of(figures.begin(), figures.end(), [](const auto& figure) {
        return figure.verdict == Change::NoWorse;
    });
}

QJsonObject Comparison::toJson() const
{
    QJsonArray list;
    for (const ComparedFigure& figure : figures) {
        QJsonObject object{{QStringLiteral("name"), figure.name},
            {QStringLiteral("unit"), figure.unit}, {QStringLiteral("before"), figure.before},
            {QStringLiteral("after"), figure.after}, {QStringLiteral("change"), figure.change},
            {QStringLiteral("verdict"), toString(figure.verdict)}};
        if (figure.interval) {
            object[QStringLiteral("low")] = figure.interval->low;
            object[QStringLiteral("high")] = figure.interval->high;
        }
        list << object;
    }
    return {{QStringLiteral("figures"), list}, {QStringLiteral("comparable"), comparable},
        {QStringLiteral("no_worse"), noWorse()},
        {QStringLiteral("notes"), QJsonArray::fromStringList(notes)}};
}

Comparison compareRuns(
    const LoadResult& before, const LoadResult& after, double margin, double floorMs)
{
    Comparison comparison;
    const auto exclude = [&](const QString& why) {
        comparison.notes << why;
        comparison.comparable = false;
    };
    if (shapeOf(before.scenario) != shapeOf(after.scenario)) {
        exclude(QStringLiteral("the runs asked different things: \"%1\" and \"%2\"")
                    .arg(before.scenario.name, after.scenario.name));
    }
    if (before.generator != after.generator || !before.latencyCorrected
        || !after.latencyCorrected) {
        exclude(QStringLiteral("latencies of different kinds: %1 and %2")
                    .arg(before.generator, after.generator));
    }
    for (const LoadResult* run : {&before, &after}) {
        if (run->generatorLimited || !run->completed) {
            exclude(QStringLiteral("%1 has no verdict of its own (%2)")
                        .arg(run->id,
                            run->generatorLimited ? QStringLiteral("generator was the limit")
                                                  : run->state));
        }
    }
    if (before.versions[QStringLiteral("host")] != after.versions[QStringLiteral("host")]) {
        comparison.notes << QStringLiteral("the runs were made on different machines");
    }
    const auto add = [&](const char* name, double q, double LoadResult::*member) {
        comparison.figures << latency(QString::fromLatin1(name), q, before.*member, after.*member,
            before, after, margin, floorMs);
    };
    add("p50", 0.50, &LoadResult::p50Ms);
    add("p95", 0.95, &LoadResult::p95Ms);
    add("p99", 0.99, &LoadResult::p99Ms);
    comparison.figures << throughput(before, after, margin) << errors(before, after);
    return comparison;
}

Result<void> setBaseline(const QString& idOrFolder)
{
    const auto folder = findRun(idOrFolder);
    if (!folder) {
        return folder.error();
    }
    const auto run = readRunHead(*folder);
    if (!run) {
        return run.error();
    }
    if (!run->completed || run->generatorLimited) {
        return inputError("the run " + run->id.toStdString()
            + " has no verdict, and is no measure for others: take one that ran to its end");
    }
    QJsonObject all = baselines();
    const QString place = QFileInfo(*folder).absoluteFilePath();
    all[run->scenario.name] = place.startsWith(runsFolder() + u'/') ? run->id : place;
    if (auto made = ensureWritableFolder(runsFolder().toStdString()); !made) {
        return made;
    }
    return writeFileAtomically(
        baselineFile().toStdString(), QJsonDocument(all).toJson().toStdString());
}

QString baselineOf(const QString& scenario)
{
    return baselines()[scenario].toString();
}

} // namespace sluice::ops

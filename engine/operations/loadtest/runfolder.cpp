#include "engine/operations/loadtest/runfolder.h"

#include "engine/base/file.h"
#include "engine/operations/loadtest/runrecord.h"
#include "engine/operations/loadtest/verdict.h"

#include <QDir>
#include <QFileInfo>
#include <QJsonDocument>
#include <QStandardPaths>
#include <cmath>
#include <csignal>
#include <fmt/format.h>
#include <map>
#include <unistd.h>

namespace sluice::ops {

namespace {

constexpr std::size_t maxFileBytes = std::size_t(1) << 30;

std::string pathOf(const QString& folder, const char* file)
{
    return folder.toStdString() + '/' + file;
}

Result<void> writeJson(const std::string& file, const QJsonObject& object)
{
    return writeFileAtomically(file, QJsonDocument(object).toJson().toStdString());
}

/// Lines of a file by `take`; what is no JSON object (the torn last line) is passed over.
template <typename Take> void readLines(const std::string& path, Take take)
{
    QFile file(QString::fromStdString(path));
    if (!file.open(QIODevice::ReadOnly)) {
        return;
    }
    while (!file.atEnd()) {
        const QJsonDocument line = QJsonDocument::fromJson(file.readLine());
        if (line.isObject()) {
            take(line.object());
        }
    }
}

constexpr qint64 longestSilence = 180; ///< s; result.json is rewritten every minute

bool isAlive(qint64 pid, const std::string& file)
{
    const QDateTime written = QFileInfo(QString::fromStdString(file)).lastModified();
    return pid > 0 && (::kill(pid_t(pid), 0) == 0 || errno == EPERM)
        && written.secsTo(QDateTime::currentDateTime()) < longestSilence;
}

} // namespace

Result<void> RunWriter::create(const QString& folder, LoadResult head)
{
    if (auto writable = ensureWritableFolder(folder.toStdString()); !writable) {
        return writable;
    }
    m_folder = folder;
    head.state = QStringLiteral("running");
    head.id = QFileInfo(folder).fileName();
    if (auto written = writeJson(pathOf(folder, "scenario.json"), head.scenario.toJson());
        !written) {
        return written;
    }
    for (const auto& [file, name] :
        {std::pair{&m_seconds, "seconds.jsonl"}, std::pair{&m_blocks, "histograms.jsonl"}}) {
        file->setFileName(QString::fromStdString(pathOf(folder, name)));
        if (!file->open(QIODevice::WriteOnly | QIODevice::Truncate)) {
            return inputError(file->fileName().toStdString() + " can't be written",
                file->errorString().toStdString());
        }
    }
    return save(head);
}

Result<void> RunWriter::append(QFile& file, const QJsonObject& line)
{
    const QByteArray bytes = QJsonDocument(line).toJson(QJsonDocument::Compact) + '\n';
    if (file.write(bytes) != bytes.size() || !file.flush()) {
        return internalError(
            file.fileName().toStdString() + " can't be written", file.errorString().toStdString());
    }
    return {};
}

Result<void> RunWriter::add(const LoadSecond& second)
{
    return append(m_seconds, second.toJson());
}

Result<void> RunWriter::add(const LatencyBlock& block)
{
    return append(m_blocks, block.toJson());
}

Result<void> RunWriter::save(const LoadResult& result)
{
    return writeJson(pathOf(m_folder, "result.json"), result.toJson());
}

Result<void> saveRun(const QString& folder, const LoadResult& result)
{
    RunWriter writer;
    if (auto created = writer.create(folder, result); !created) {
        return created;
    }
    for (const LoadSecond& second : result.seconds) {
        if (auto added = writer.add(second); !added) {
            return added;
        }
    }
    for (const LatencyBlock& block : result.blocks) {
        if (auto added = writer.add(block); !added) {
            return added;
        }
    }
    LoadResult named = result;
    named.id = QFileInfo(folder).fileName();
    return writer.save(named);
}

Result<LoadResult> readRunHead(const QString& folder)
{
    const std::string path = pathOf(folder, "result.json");
    const auto bytes = readFile(path, maxFileBytes);
    if (!bytes) {
        return inputError(folder.toStdString() + " holds no load run", bytes.error().text());
    }
    const QJsonDocument document = QJsonDocument::fromJson(QByteArray::fromStdString(*bytes));
    auto result = LoadResult::fromJson(document.object(), QString::fromStdString(path));
    if (result && result->state == QLatin1StringView("running") && !isAlive(result->pid, path)) {
        result->state = QStringLiteral("lost");
        result->notes << QStringLiteral(
            "the generator ended without saying so; what it had measured until then is here");
    }
    return result;
}

Result<LoadResult> readRun(const QString& folder)
{
    auto result = readRunHead(folder);
    if (!result) {
        return result;
    }
    readLines(pathOf(folder, "seconds.jsonl"),
        [&](const QJsonObject& line) { result->seconds << LoadSecond::fromJson(line); });
    readLines(pathOf(folder, "histograms.jsonl"),
        [&](const QJsonObject& line) { result->blocks.push_back(LatencyBlock::fromJson(line)); });
    if (result->state == QLatin1StringView("lost")) { // result.json is a minute behind
        result->scheduled = result->sent = result->succeeded = 0;
        result->errors.clear();
        for (const LoadSecond& second : std::as_const(result->seconds)) {
            RunRecord::count(*result, second);
        }
        figuresFromBlocks(*result);
        judge(*result);
    }
    return result;
}

QString runsFolder()
{
    const QString own = qEnvironmentVariable("SLUICE_DATA_HOME");
    return (own.isEmpty() ? QStandardPaths::writableLocation(QStandardPaths::GenericDataLocation)
                       + QStringLiteral("/sluice")
                          : own)
        + QStringLiteral("/runs");
}

QString newRunFolder(const Scenario& scenario)
{
    QString name = scenario.name;
    for (QChar& letter : name) {
        if (!letter.isLetterOrNumber()) {
            letter = u'-';
        }
    }
    const QString first =
        QStringLiteral("%1/%2-%3-%4")
            .arg(runsFolder(),
                QDateTime::currentDateTimeUtc().toString(QStringLiteral("yyyyMMdd'T'HHmmss'Z'")),
                name)
            .arg(::getpid());
    QString folder = first;
    for (int next = 2; QFileInfo::exists(folder); ++next) {
        folder = QStringLiteral("%1-%2").arg(first).arg(next);
    }
    return folder;
}

namespace {

QStringList runIds() ///< newest first
{
    QStringList ids =
        QDir(runsFolder())
            .entryList(QDir::Dirs | QDir::NoDotAndDotDot, QDir::Name | QDir::Reversed);
    return ids;
}

} // namespace

Result<QString> findRun(const QString& idOrFolder)
{
    QString folder = idOrFolder;
    if (idOrFolder == QLatin1StringView("latest")) {
        const QStringList ids = runIds();
        if (ids.isEmpty()) {
            return inputError("there is no load run yet in " + runsFolder().toStdString());
        }
        folder = runsFolder() + u'/' + ids.first();
    } else if (!idOrFolder.contains(u'/') && !QFileInfo(idOrFolder).isDir()) {
        folder = runsFolder() + u'/' + idOrFolder;
    }
    if (!QFileInfo::exists(folder + QStringLiteral("/result.json"))) {
        return inputError("there is no load run \"" + idOrFolder.toStdString()
            + "\": give the folder of one, \"latest\", or an id of `sluicectl load list`");
    }
    return folder;
}

QList<LoadResult> listRuns()
{
    QList<LoadResult> runs;
    const QStringList ids = runIds();
    for (const QString& id : ids) {
        if (auto head = readRunHead(runsFolder() + u'/' + id)) {
            runs << *head;
        }
    }
    std::stable_sort(runs.begin(), runs.end(), [](const LoadResult& one, const LoadResult& other) {
        return one.startedAt > other.startedAt;
    });
    return runs;
}

void figuresFromBlocks(LoadResult& result)
{
    LatencySum sum;
    for (const LatencyBlock& block : result.blocks) {
        sum.add(block);
    }
    sum.tell(result);
}

namespace {

void addCounts(QHash<QString, qint64>& sum, const QHash<QString, qint64>& counts)
{
    for (auto count = counts.begin(); count != counts.end(); ++count) {
        sum[count.key()] += count.value();
    }
}

void addSecond(LoadSecond& sum, const LoadSecond& part)
{
    sum.scheduled += part.scheduled;
    sum.sent += part.sent;
    sum.completed += part.completed;
    sum.errors += part.errors;
    sum.inFlight += part.inFlight;
    sum.connections += part.connections;
    sum.users += part.users;
    sum.plannedRate += part.plannedRate;
    sum.generatorCpu += part.generatorCpu;
    sum.generatorMiB += part.generatorMiB;
    addCounts(sum.errorsByKind, part.errorsByKind);
    for (auto [worst, own] : {std::pair{&sum.p50Ms, part.p50Ms}, std::pair{&sum.p95Ms, part.p95Ms},
             std::pair{&sum.p99Ms, part.p99Ms}, std::pair{&sum.maxMs, part.maxMs},
             std::pair{&sum.uncorrectedP99Ms, part.uncorrectedP99Ms},
             std::pair{&sum.lagP99Ms, part.lagP99Ms}}) {
        *worst = std::max(*worst, own);
    }
    std::map<int, qint64> cells;
    for (const QList<HeatCell>& heat : {sum.heat, part.heat}) {
        for (const HeatCell& cell : heat) {
            cells[cell.bucket] += cell.count;
        }
    }
    sum.heat.clear();
    for (const auto& [bucket, count] : cells) {
        sum.heat << HeatCell{bucket, count};
    }
}

/// Whether two runs can have been parts of one.
Result<void> areParts(const LoadResult& one, const LoadResult& other)
{
    const auto named = [](const LoadResult& run) { return run.scenario.name.toStdString(); };
    if (named(one) != named(other)) {
        return inputError("runs of different scenarios are no parts of one: \"" + named(one)
            + "\" and \"" + named(other) + '"');
    }
    if (one.scenario.model != other.scenario.model) {
        return inputError("an open and a closed run of \"" + named(one) + "\" are no parts of one");
    }
    const double seconds = one.scenario.durationSeconds();
    const double others = other.scenario.durationSeconds();
    if (std::abs(seconds - others) > 0.5) {
        return inputError(fmt::format("runs of {:g} s and {:g} s of \"{}\" are no parts of one",
            seconds, others, named(one)));
    }
    const bool apart = (one.endedAt.isValid() && other.startedAt >= one.endedAt)
        || (other.endedAt.isValid() && one.startedAt >= other.endedAt);
    if (apart) {
        return inputError("the parts " + one.id.toStdString() + " and " + other.id.toStdString()
            + " were not run at the same time: their rates don't add up");
    }
    return {};
}

} // namespace

Result<LoadResult> mergeRuns(const QList<LoadResult>& parts)
{
    if (parts.isEmpty()) {
        return inputError("there is no run to merge");
    }
    LoadResult sum = parts.first();
    std::map<int, LoadSecond> seconds;
    std::map<int, LatencyBlock> blocks;
    for (const LoadSecond& second : std::as_const(sum.seconds)) {
        seconds.emplace(second.second, second);
    }
    for (const LatencyBlock& block : sum.blocks) {
        blocks.emplace(block.second, block);
    }
    for (const LoadResult& part : parts.mid(1)) {
        if (auto alike = areParts(parts.first(), part); !alike) {
            return alike.error();
        }
        for (const LoadSecond& second : part.seconds) {
            const auto [place, made] = seconds.emplace(second.second, second);
            if (!made) {
                addSecond(place->second, second);
            }
        }
        for (const LatencyBlock& block : part.blocks) {
            const auto [place, made] = blocks.emplace(block.second, block);
            if (!made) {
                place->second.addCounts(block);
            }
        }
        addCounts(sum.errors, part.errors);
        sum.errorSamples += part.errorSamples;
        sum.scheduled += part.scheduled;
        sum.sent += part.sent;
        sum.succeeded += part.succeeded;
        sum.achievedRate += part.achievedRate;
        sum.generatorCpu += part.generatorCpu;
        sum.generatorPeakMiB += part.generatorPeakMiB;
        sum.elapsedSeconds = std::max(sum.elapsedSeconds, part.elapsedSeconds);
        sum.completed = sum.completed && part.completed;
        sum.latencyCorrected = sum.latencyCorrected && part.latencyCorrected;
        sum.notes += part.notes;
        sum.endedAt = std::max(sum.endedAt, part.endedAt);
    }
    if (!sum.completed && sum.state == QLatin1StringView("completed")) {
        sum.state = QStringLiteral("stopped");
    }
    sum.seconds.clear();
    for (const auto& [at, second] : seconds) {
        sum.seconds << second;
    }
    sum.blocks.clear();
    for (auto& [at, block] : blocks) {
        sum.blocks.push_back(std::move(block));
    }
    if (parts.size() > 1) {
        sum.notes << QStringLiteral("%1 parts merged").arg(parts.size());
        figuresFromBlocks(sum);
    }
    judge(sum);
    return sum;
}

} // namespace sluice::ops

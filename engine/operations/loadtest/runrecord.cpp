#include "engine/operations/loadtest/runrecord.h"

#include "engine/operations/loadtest/capacity.h"
#include "engine/operations/loadtest/endurance.h"
#include "engine/operations/loadtest/verdict.h"

#include <QSysInfo>
#include <QThread>
#include <unistd.h>
#include <utility>

namespace sluice::ops {

namespace {

constexpr int longRunSeconds = 100; ///< from here on blocks of ten seconds, else of one
constexpr int longStepLoadSeconds = 1800; ///< a step is to hold several blocks
constexpr int checkpointSeconds = 60;

QJsonObject machine()
{
    return {{QStringLiteral("sluicectl"), QStringLiteral(SLUICE_VERSION)},
        {QStringLiteral("kernel"), QSysInfo::kernelVersion()},
        {QStringLiteral("system"), QSysInfo::prettyProductName()},
        {QStringLiteral("host"), QSysInfo::machineHostName()},
        {QStringLiteral("cpus"), QThread::idealThreadCount()}};
}

} // namespace

RunRecord::RunRecord(Failed couldNotKeep)
    : m_couldNotKeep(std::move(couldNotKeep))
{
    m_block.seconds = 0;
}

Result<void> RunRecord::begin(const LoadOptions& options)
{
    result.scenario = options.scenario;
    result.target = options.target;
    result.environment = options.environment;
    result.seed = options.seed;
    result.startedAt = QDateTime::currentDateTimeUtc();
    result.pid = ::getpid();
    result.state = QStringLiteral("running");
    result.hasPrometheus = !options.prometheus.isEmpty();
    result.versions = machine();
    for (auto version = options.versions.begin(); version != options.versions.end(); ++version) {
        result.versions[version.key()] = version.value();
    }
    m_blockSeconds = options.scenario.durationSeconds()
            < (isStepLoad(options.scenario) ? longStepLoadSeconds : longRunSeconds)
        ? 1
        : 10;
    if (!options.folder.isEmpty()) {
        if (auto created = m_writer.create(options.folder, result); !created) {
            return created;
        }
        result.id = options.folder.section(u'/', -1, -1, QString::SectionSkipEmpty);
    }
    if (result.hasPrometheus) {
        m_sampler = std::make_unique<ServerSampler>(options.prometheus);
    }
    return {};
}

bool RunRecord::add(LoadSecond second, LatencyBlock part)
{
    if (m_sampler != nullptr) {
        second.server = m_sampler->latest();
    }
    m_latencies.add(part);
    if (m_block.seconds == 0) {
        m_block = std::move(part);
    } else {
        m_block.add(part);
    }
    if (m_block.seconds >= m_blockSeconds) {
        closeBlock();
    }
    count(result, second);
    result.seconds << second;
    if (m_writer.isOpen()) {
        keep(m_writer.add(second));
        if (const int minute = (second.second + 1) / checkpointSeconds; minute > m_savedMinute) {
            m_savedMinute = minute;
            m_latencies.tell(result);
            judge(result);
            keep(m_writer.save(result));
        }
    }
    const Scenario& scenario = result.scenario;
    m_breachedSeconds = isBreached(second, scenario.targets) ? m_breachedSeconds + 1 : 0;
    if (scenario.stopAfterBreachedSeconds <= 0 || m_breached
        || m_breachedSeconds < scenario.stopAfterBreachedSeconds) {
        return false;
    }
    m_breached = true;
    result.notes << QStringLiteral("stopped after %1 s in a row in which a target was missed")
                        .arg(m_breachedSeconds);
    return true;
}

void RunRecord::count(LoadResult& result, const LoadSecond& second)
{
    result.scheduled += second.scheduled;
    result.sent += second.sent;
    result.succeeded += second.completed;
    for (auto error = second.errorsByKind.begin(); error != second.errorsByKind.end(); ++error) {
        result.errors[error.key()] += error.value();
        // Answered, but not well.
        result.succeeded -=
            error.key().startsWith(QLatin1StringView("status ")) ? error.value() : 0;
    }
    result.generatorPeakMiB = std::max(result.generatorPeakMiB, second.generatorMiB);
    result.elapsedSeconds = second.second + 1;
    result.achievedRate = double(result.succeeded) / result.elapsedSeconds;
}

void RunRecord::finish(bool completed, const QString& otherwise)
{
    closeBlock();
    m_latencies.tell(result);
    result.endedAt = QDateTime::currentDateTimeUtc();
    result.completed = completed;
    result.state = completed ? QStringLiteral("completed")
        : m_breached         ? QStringLiteral("breached")
                             : otherwise;
    result.notes << enduranceNotes(result);
    judge(result);
    if (m_writer.isOpen()) {
        keep(m_writer.save(result));
    }
}

void RunRecord::keep(const Result<void>& written)
{
    if (!written && !std::exchange(m_failed, true)) {
        result.notes << QStringLiteral("the run folder could not be written: %1")
                            .arg(QString::fromStdString(written.error().text()));
        m_couldNotKeep(written.error());
    }
}

void RunRecord::closeBlock()
{
    if (m_block.seconds <= 0) {
        return;
    }
    if (m_writer.isOpen()) {
        keep(m_writer.add(m_block));
    }
    result.blocks.push_back(std::exchange(m_block, LatencyBlock()));
    m_block.seconds = 0;
}

} // namespace sluice::ops

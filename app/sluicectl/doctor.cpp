#include "app/sluicectl/command.h"

#include "engine/base/file.h"
#include "engine/base/resources.h"
#include "engine/classification/classifier.h"
#include "engine/operations/monitoring/redismonitor.h"
#include "engine/operations/record/history.h"

#include <QFileInfo>
#include <QStandardPaths>
#include <fmt/format.h>
#include <sys/resource.h>

namespace sluice::ctl {

namespace {

enum class Finding
{
    Ok,
    Warning,
    Failure
};

/// Collects what was looked at; the exit code is 1 when something failed.
class Report
{
public:
    explicit Report(const Output& output)
        : m_output(output)
    { }

    void add(Finding finding, const std::string& what, const std::string& detail)
    {
        static constexpr const char* words[] = {"ok", "warning", "failed"};
        const char* word = words[int(finding)];
        m_checks.push_back(
            boost::json::object{{"check", what}, {"result", word}, {"detail", detail}});
        m_output.line(fmt::format("{:8} {:28} {}", word, what, detail));
        m_failed = m_failed || finding == Finding::Failure;
    }

    int finish() const
    {
        m_output.object({{"ok", !m_failed}, {"checks", m_checks}});
        return m_failed ? 1 : 0;
    }

private:
    const Output& m_output;
    boost::json::array m_checks;
    bool m_failed = false;
};

void checkServers(Report& report)
{
    const QStringList folders = qEnvironmentVariable("PATH").split(u':', Qt::SkipEmptyParts)
        + QStringList{
            QStringLiteral("/usr/sbin"), QStringLiteral("/sbin"), QStringLiteral("/usr/bin")};
    for (const char* server : {"redis-server", "prometheus", "haproxy"}) {
        const QString found = QStandardPaths::findExecutable(QString::fromLatin1(server), folders);
        report.add(found.isEmpty() ? Finding::Failure : Finding::Ok, server,
            found.isEmpty() ? std::string("not found: install the Debian package ") + server
                            : found.toStdString());
    }
}

void checkEngine(Report& report)
{
    const auto model = resourceFile("helpdesk.model");
    const auto classifier = Classifier::load(model, resourceFile("entities.json"));
    if (!classifier) {
        report.add(Finding::Failure, "bundled model", classifier.error().text());
        return;
    }
    report.add(Finding::Ok, "bundled model",
        fmt::format("{} ({} intents)", model.string(), (*classifier)->model().labels().size()));
}

void checkFolder(Report& report, const std::string& what, const QString& folder)
{
    const auto writable = ensureWritableFolder(folder.toStdString());
    report.add(writable ? Finding::Ok : Finding::Failure, what,
        writable ? folder.toStdString() : writable.error().text());
}

void checkLimits(Report& report)
{
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    report.add(limit.rlim_cur >= 4096 || limit.rlim_max >= 4096 ? Finding::Ok : Finding::Warning,
        "file descriptors",
        fmt::format("{} now, {} at most{}", limit.rlim_cur, limit.rlim_max,
            limit.rlim_max < 4096 ? ": too few for a load test with thousands of users" : ""));
}

void checkStack(Report& report, const ops::StackStatus& status)
{
    for (const ops::StackPart& part : status.parts) {
        report.add(part.state == ops::PartState::Healthy ? Finding::Ok : Finding::Failure,
            "stack: " + part.name.toStdString(),
            part.state == ops::PartState::Healthy
                ? part.url.toString().toStdString()
                : part.detail.toStdString() + ", see " + part.logFile.toStdString());
    }
}

void checkRedis(Report& report, const ChosenEnvironment& chosen)
{
    auto client = connectRedis(chosen, QStringLiteral("viewer"));
    if (!client) {
        report.add(Finding::Failure, "Redis", client.error().text());
        return;
    }
    const auto info = await<ops::RedisReply>(2000, "Redis", [&](QObject* context, auto answered) {
        (*client)->command({QByteArrayLiteral("INFO")}, context, answered);
    });
    if (!info) {
        report.add(Finding::Failure, "Redis INFO", info.error().text());
        return;
    }
    const auto fields = ops::parseRedisInfo(info->text);
    const QByteArray policy = fields.value(QByteArrayLiteral("maxmemory_policy"));
    const bool fine =
        policy == QByteArrayLiteral("volatile-ttl") || policy == QByteArrayLiteral("noeviction");
    report.add(fine ? Finding::Ok : Finding::Warning, "Redis eviction policy",
        policy.toStdString()
            + (fine ? ""
                    : ": threshold sets and rollout state could be evicted; set maxmemory-policy "
                      "volatile-ttl"));
}

int doctor(const Output& output, const EnvironmentOptions& environment)
{
    Report report(output);
    checkServers(report);
    checkEngine(report);
    checkFolder(report, "settings folder", ops::EnvironmentStore::defaultFolder());
    checkFolder(report, "history folder", QFileInfo(ops::History::defaultFile()).path());
    checkFolder(report, "state folder",
        environment.state.empty() ? ops::LocalStack::defaultStateFolder()
                                  : QString::fromStdString(environment.state));
    checkLimits(report);
    if (environment.name == "local") {
        const auto status = ops::LocalStack::status(QString::fromStdString(environment.state));
        if (!status) {
            report.add(Finding::Failure, "local stack", status.error().text());
        } else if (!status->running) {
            report.add(Finding::Ok, "local stack", "not running");
        } else {
            checkStack(report, *status);
        }
        if (!status || !status->running) {
            return report.finish();
        }
    }
    auto chosen = environment.choose();
    if (!chosen) {
        report.add(Finding::Failure, "environment", chosen.error().text());
        return report.finish();
    }
    checkRedis(report, *chosen);
    return report.finish();
}

} // namespace

void addDoctor(CLI::App& app, Commands& commands)
{
    auto environment = std::make_shared<EnvironmentOptions>();
    CLI::App* sub = commands.add(app, "doctor",
        "Look at this machine and an environment, and say what is wrong and how to mend it",
        [&commands, environment] { return doctor(commands.output, *environment); });
    environment->addTo(*sub);
    sub->footer("Looks at: server programs, the bundled model, folders that must be writable, "
                "descriptor limits, the local\n"
                "stack's parts, Redis' eviction policy. Changes nothing. Exit code 1 when "
                "something failed.");
}

} // namespace sluice::ctl

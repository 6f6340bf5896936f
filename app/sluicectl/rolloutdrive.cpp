#include "app/sluicectl/rolloutdrive.h"

#include "engine/base/file.h"
#include "engine/operations/rollout/driver.h"
#include "engine/operations/rollout/haproxybalancer.h"
#include "engine/operations/rollout/nginxbalancer.h"
#include "engine/operations/rollout/outbox.h"
#include "engine/operations/rollout/prometheussource.h"
#include "engine/operations/rollout/rediscontrol.h"
#include "engine/operations/rollout/releasedeployer.h"

#include <QCoreApplication>
#include <QCryptographicHash>
#include <QDateTime>
#include <QDir>
#include <QElapsedTimer>
#include <QJsonDocument>
#include <QLocalServer>
#include <QLocalSocket>
#include <QStandardPaths>
#include <QSysInfo>
#include <QUrl>
#include <boost/json/parse.hpp>
#include <chrono>
#include <csignal>

namespace sluice::ctl {

namespace {

constexpr int tickMs = 20;
constexpr qint64 lastWordsMs = 5000;
constexpr qsizetype longestSocketPath = 100;
constexpr qsizetype longestLine = 65536;

std::atomic<bool>& rollbackAsked()
{
    static std::atomic<bool> flag{false};
    return flag;
}

extern "C" void onRollbackSignal(int)
{
    rollbackAsked() = true;
}

struct DriveArguments
{
    EnvironmentOptions environment;
    std::vector<std::string> sockets;
    std::string nginxSplit;
    std::string nginxPid;
    std::string nginxStatus;
    std::string nginxLog;
    std::string folder;
    double pollSeconds = 1;
    bool untilDone = false;
};

/// Commands over the unix socket: the ways that lead away from users, and the one back to them.
void answer(QLocalSocket& socket, ops::RolloutDriver& driver)
{
    while (socket.canReadLine()) {
        const QJsonObject asked = QJsonDocument::fromJson(socket.readLine(longestLine)).object();
        auto event = ops::RolloutEvent::fromJson(asked);
        using Kind = ops::RolloutEvent::Kind;
        Result<qint64> done = !event ? Result<qint64>(event.error())
            : event->kind == Kind::Rollback || event->kind == Kind::Pause
                || event->kind == Kind::Resume
            ? driver.command(*event)
            : Result<qint64>(refusedError("the socket takes rollback, pause and resume"));
        const QJsonObject told = done
            ? QJsonObject{{QStringLiteral("version"), *done},
                {QStringLiteral("phase"), ops::phaseName(driver.state().phase)},
                {QStringLiteral("active"), driver.state().isActive()}}
            : QJsonObject{{QStringLiteral("error"), QString::fromStdString(done.error().text())}};
        socket.write(QJsonDocument(told).toJson(QJsonDocument::Compact) + '\n');
        socket.flush();
    }
}

bool listen(QLocalServer& server, const QString& path, ops::RolloutDriver& driver)
{
    QLocalServer::removeServer(path); // the journal's lock says that nobody else is here
    server.setSocketOptions(QLocalServer::UserAccessOption);
    QObject::connect(&server, &QLocalServer::newConnection, &server, [&server, &driver] {
        while (QLocalSocket* socket = server.nextPendingConnection()) {
            QObject::connect(socket, &QLocalSocket::disconnected, socket, &QObject::deleteLater);
            QObject::connect(socket, &QLocalSocket::readyRead, &driver,
                [socket, &driver] { answer(*socket, driver); });
        }
    });
    return server.listen(path);
}

/// 0 done, 1 rolled back.
int outcomeOf(const Output& output, const QString& environment, const ops::RolloutState& state)
{
    const bool done =
        state.phase == ops::RolloutPhase::Finished || state.phase == ops::RolloutPhase::Warm;
    record(output, QStringLiteral("driver"), environment, QStringLiteral("rollout"),
        state.plan.release.id, done ? QStringLiteral("done") : QStringLiteral("rolled back"),
        {{QStringLiteral("rollout"), state.rolloutId}, {QStringLiteral("reason"), state.reason}});
    return done ? 0 : 1;
}

int drive(const Output& output, const DriveArguments& arguments)
{
    auto chosen = arguments.environment.choose();
    if (!chosen) {
        return output.fail(chosen.error());
    }
    QStringList sockets;
    for (const std::string& socket : arguments.sockets) {
        sockets << QString::fromStdString(socket);
    }
    const bool nginx = !arguments.nginxSplit.empty();
    if (sockets.isEmpty() && !nginx && !chosen->socket.isEmpty()) {
        sockets << chosen->socket;
    }
    if (sockets.isEmpty() && !nginx) {
        return output.fail(inputError("the environment \"" + chosen->environment.name.toStdString()
            + "\" names no balancer socket: give it with --socket"));
    }
    const DriverFolder folder = arguments.folder.empty()
        ? DriverFolder::of(*chosen, arguments.environment)
        : DriverFolder{QString::fromStdString(arguments.folder)};
    if (auto writable = ensureWritableFolder(folder.path.toStdString()); !writable) {
        return output.fail(writable.error());
    }
    auto journal = ops::FileJournal::open(folder.journal());
    if (!journal) {
        return output.fail(journal.error());
    }
    if (!(*journal)->repaired().isEmpty()) {
        output.progress(((*journal)->path() % QStringLiteral(": ") % (*journal)->repaired())
                            .
                            operator QString()
                            .toStdString());
    }
    auto outbox = ops::Outbox::open(folder.outbox());
    if (!outbox) {
        return output.fail(outbox.error());
    }
    auto redis = openRedis(*chosen, QStringLiteral("driver"));
    if (!redis) {
        return output.fail(redis.error());
    }
    std::vector<std::unique_ptr<ops::Balancer>> balancers;
    ops::RedisControl control(redis->get());
    ops::PrometheusSource::Options gateOptions;
    gateOptions.prometheus = chosen->environment.prometheus;
    ops::PrometheusSource gates(gateOptions, redis->get());
    ops::PublishedThresholds thresholds(redis->get());
    ops::ReleaseDeployer::Options deploying;
    deploying.workers = chosen->environment.workers;
    deploying.token = qEnvironmentVariable("SLUICE_TOKEN");
    ops::ReleaseDeployer works(deploying, &thresholds);

    ops::RolloutDriver::Parts parts;
    parts.journal = journal->get();
    for (const QString& socket : sockets) {
        balancers.push_back(std::make_unique<ops::HaproxyBalancer>(socket));
        parts.balancers << balancers.back().get();
    }
    if (nginx) {
        ops::NginxBalancer::Options split;
        split.splitFile = QString::fromStdString(arguments.nginxSplit);
        split.pidFile = QString::fromStdString(arguments.nginxPid);
        split.status = QUrl(QString::fromStdString(arguments.nginxStatus));
        split.accessLog = QString::fromStdString(arguments.nginxLog);
        split.workers = chosen->environment.workers;
        balancers.push_back(std::make_unique<ops::NginxBalancer>(split));
        parts.balancers << balancers.back().get();
    }
    parts.control = &control;
    parts.gates = &gates;
    parts.works = &works;
    parts.notifier = outbox->get();
    parts.wallMs = [] { return QDateTime::currentMSecsSinceEpoch(); };
    parts.steadyMs = [] {
        return qint64(std::chrono::duration_cast<std::chrono::milliseconds>(
            std::chrono::steady_clock::now().time_since_epoch())
                          .count());
    };
    ops::RolloutDriver::Options options;
    options.owner =
        QSysInfo::machineHostName() % u':' % QString::number(QCoreApplication::applicationPid());
    options.pollMs = qint64(arguments.pollSeconds * 1000);
    ops::RolloutDriver driver(std::move(parts), options);
    QObject::connect(&driver, &ops::RolloutDriver::said, &driver, [&output](const QString& line) {
        output.progress(iso8601Now() + " " + line.toStdString());
    });
    if (auto resumed = driver.resume(); !resumed) {
        return output.fail(resumed.error());
    }
    QLocalServer server;
    if (!listen(server, folder.socket(), driver)) {
        return output.fail(
            inputError("the driver's socket " + folder.socket().toStdString() + " can't be made",
                server.errorString().toStdString()));
    }
    std::signal(SIGUSR1, onRollbackSignal);

    QEventLoop loop;
    QTimer timer;
    QElapsedTimer lastWords;
    qint64 shown = driver.state().rolloutId.isEmpty() ? driver.state().version : -1;
    bool wasActive = driver.state().isActive();
    QObject::connect(&timer, &QTimer::timeout, &driver, [&] {
        if (rollbackAsked().exchange(false)) {
            ops::RolloutEvent event;
            event.kind = ops::RolloutEvent::Kind::Rollback;
            event.by = localUser();
            event.reason = QStringLiteral("SIGUSR1");
            (void)driver.command(event);
        }
        driver.tick();
        const ops::RolloutState& state = driver.state();
        if (state.version != shown) {
            shown = state.version;
            output.object(boost::json::parse(QJsonDocument(driver.published().toJson())
                                                 .toJson(QJsonDocument::Compact)
                                                 .toStdString())
                              .as_object());
            output.line(QStringLiteral("%1 %2 (stage %3): %4")
                            .arg(state.rolloutId, ops::phaseName(state.phase))
                            .arg(state.stage)
                            .arg(state.reason)
                            .toStdString());
        }
        wasActive = wasActive || state.isActive();
        const bool ended = arguments.untilDone && wasActive && !state.isActive();
        if (ended && !lastWords.isValid()) {
            lastWords.start();
        }
        // What is decided is to be seen by others too, where Redis answers.
        if (interrupted() || (ended && (driver.isSettled() || lastWords.elapsed() > lastWordsMs))) {
            loop.quit();
        }
    });
    timer.start(tickMs);
    loop.exec();
    timer.stop();
    if (!wasActive || driver.state().isActive()) {
        return 0; // the journal keeps what is under way
    }
    return outcomeOf(output, chosen->environment.name, driver.state());
}

} // namespace

DriverFolder DriverFolder::of(const ChosenEnvironment& chosen, const EnvironmentOptions& options)
{
    if (chosen.environment.name == QLatin1StringView("local")) {
        const QString state = options.state.empty() ? ops::LocalStack::defaultStateFolder()
                                                    : QString::fromStdString(options.state);
        return {state % QStringLiteral("/rollout")};
    }
    const QString home = qEnvironmentVariable("XDG_STATE_HOME",
        QStandardPaths::writableLocation(QStandardPaths::HomeLocation)
            % QStringLiteral("/.local/state"));
    return {home % QStringLiteral("/sluice/rollout/")
        % QString::fromUtf8(QUrl::toPercentEncoding(chosen.environment.name))};
}

QString DriverFolder::socket() const
{
    const QString here = QDir(path).absoluteFilePath(QStringLiteral("driver.sock"));
    if (here.toUtf8().size() <= longestSocketPath) {
        return here;
    }
    const QByteArray hash =
        QCryptographicHash::hash(here.toUtf8(), QCryptographicHash::Sha256).toHex().left(16);
    return QDir::tempPath() % QStringLiteral("/sluice-driver-") % QString::fromLatin1(hash)
        % QStringLiteral(".sock");
}

Result<qint64> askDriverHere(const DriverFolder& folder, const ops::RolloutEvent& event)
{
    QLocalSocket socket;
    socket.connectToServer(folder.socket());
    if (!socket.waitForConnected(500)) {
        return unreachableError("no driver runs here", socket.errorString().toStdString());
    }
    socket.write(QJsonDocument(event.toJson()).toJson(QJsonDocument::Compact) + '\n');
    while (!socket.canReadLine()) {
        if (!socket.waitForReadyRead(2000)) {
            return unreachableError("the driver here does not answer");
        }
    }
    const QJsonObject told = QJsonDocument::fromJson(socket.readLine()).object();
    if (told.contains(QStringLiteral("error"))) {
        return refusedError(told[QStringLiteral("error")].toString().toStdString());
    }
    if (!told[QStringLiteral("active")].toBool()
        && told[QStringLiteral("phase")].toString() != QLatin1StringView("rolled_back")) {
        return -1; // nothing was under way
    }
    return told[QStringLiteral("version")].toInteger();
}

void addRolloutDrive(CLI::App& group, Commands& commands)
{
    auto arguments = std::make_shared<DriveArguments>();
    CLI::App* sub = commands.add(group, "drive",
        "Drive rollouts: runs beside the balancer, one for each environment",
        [&commands, arguments] { return drive(commands.output, *arguments); });
    arguments->environment.addTo(*sub);
    sub->add_option("--socket", arguments->sockets,
        "HAProxy's runtime socket, again for each HAProxy (default: the environment's)");
    CLI::Option* split = sub->add_option("--nginx-split", arguments->nginxSplit,
        "nginx instead: the file with the split (packaging/nginx/sluice-split.conf)");
    split->needs(sub->add_option("--nginx-pid", arguments->nginxPid, "nginx's pid file"));
    split->needs(sub->add_option(
        "--nginx-status", arguments->nginxStatus, "where it says its split, http://..."));
    split->needs(sub->add_option(
        "--nginx-log", arguments->nginxLog, "the log that requests are counted in"));
    sub->add_option(
        "--folder", arguments->folder, "journal, notifications, socket (default: the user's own)");
    sub->add_option("--poll", arguments->pollSeconds, "seconds between two looks at the balancers")
        ->capture_default_str()
        ->check(CLI::Range(0.05, 10.0));
    sub->add_flag("--until-done", arguments->untilDone,
        "ends with the rollout: exit code 0 done, 1 rolled back");
    sub->footer("It may be killed and started again at any time: the journal says where it was. "
                "SIGUSR1 rolls back.\nA token for the workers' model upload is read from "
                "$SLUICE_TOKEN.\nExample: sluicectl rollout drive --environment production");
}

} // namespace sluice::ctl

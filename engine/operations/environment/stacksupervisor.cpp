#include "engine/operations/environment/stacksupervisor.h"

#include "engine/base/file.h"
#include "engine/base/resources.h"
#include "engine/operations/environment/haproxyconfig.h"
#include "engine/operations/environment/redisclient.h"
#include "engine/operations/environment/stackextras.h"

#include <QCoreApplication>
#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QHostAddress>
#include <QNetworkReply>
#include <QRandomGenerator>
#include <QStandardPaths>
#include <QTcpServer>
#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

namespace sluice::ops {

namespace {

constexpr int tickMs = 100;
constexpr int mostRestarts = 5;
constexpr int stopPatienceMs = 5000; ///< after that SIGKILL
constexpr std::size_t longestSocketPath =
    100; ///< sun_path has 108 bytes, and HAProxy appends to it while binding

/// Ports that are free now, all different: held open together while they are looked for.
Result<QList<quint16>> freePorts(int count)
{
    std::vector<std::unique_ptr<QTcpServer>> held;
    QList<quint16> ports;
    for (int index = 0; index < count; ++index) {
        auto server = std::make_unique<QTcpServer>();
        if (!server->listen(QHostAddress::LocalHost, 0)) {
            return internalError("no free port on 127.0.0.1", server->errorString().toStdString());
        }
        ports << server->serverPort();
        held.push_back(std::move(server));
    }
    return ports;
}

QString newPassword()
{
    QString password;
    for (int part = 0; part < 4; ++part) {
        password += QStringLiteral("%1").arg(
            QRandomGenerator::system()->generate(), 8, 16, QLatin1Char('0'));
    }
    return password;
}

QUrl loopback(const QString& scheme, quint16 port)
{
    return QUrl(QStringLiteral("%1://127.0.0.1:%2").arg(scheme).arg(port));
}

int haproxyConnections()
{
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    // Two descriptors a connection, and some for itself.
    return int(std::min<rlim_t>(9000, limit.rlim_max > 1000 ? (limit.rlim_max - 200) / 2 : 400));
}

} // namespace

StackSupervisor::StackSupervisor(StackOptions options, ProcessMark owner, QObject* parent)
    : QObject(parent)
    , m_options(std::move(options))
    , m_owner(owner)
    , m_folder{m_options.stateFolder}
{
    m_tick.setInterval(tickMs);
    connect(&m_tick, &QTimer::timeout, this, &StackSupervisor::tick);
}

StackSupervisor::~StackSupervisor()
{
    for (const auto& part : m_parts) {
        if (part->process != nullptr) {
            disconnect(part->process.get(), nullptr, this, nullptr);
            part->process->kill();
            part->process->waitForFinished(1000);
        }
    }
    if (m_lock >= 0) {
        ::close(m_lock);
    }
}

Result<void> StackSupervisor::start()
{
    if (auto prepared = m_folder.prepare(); !prepared) {
        return prepared;
    }
    if (auto locked = lock(); !locked) {
        return locked;
    }
    m_document.phase = QStringLiteral("starting");
    m_document.supervisor = ProcessMark::of(QCoreApplication::applicationPid());
    m_document.status.startedAt = QDateTime::currentDateTimeUtc();
    if (auto laidOut = layOut(); !laidOut) {
        m_document.phase = QStringLiteral("failed");
        m_document.error = QString::fromStdString(laidOut.error().text());
        publish();
        return laidOut;
    }
    publish();
    m_clock.start();
    m_tick.start();
    startStage();
    return {};
}

Result<void> StackSupervisor::lock()
{
    const QByteArray path = QFile::encodeName(m_folder.file(QStringLiteral("lock")));
    m_lock = ::open(path.constData(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (m_lock < 0 || ::flock(m_lock, LOCK_EX | LOCK_NB) != 0) {
        return refusedError("a local stack already runs in " + m_folder.path.toStdString()
            + ": see `sluicectl stack status`, or end it with `sluicectl stack down`");
    }
    return {};
}

Result<QString> StackSupervisor::find(const char* program, const char* package) const
{
    const QStringList folders = qEnvironmentVariable("PATH").split(u':', Qt::SkipEmptyParts)
        + QStringList{QStringLiteral("/usr/local/sbin"), QStringLiteral("/usr/sbin")};
    const QString found = QStandardPaths::findExecutable(QString::fromLatin1(program), folders);
    if (found.isEmpty()) {
        return inputError(std::string(program) + " is not installed: apt-get install " + package);
    }
    return found;
}

Result<void> StackSupervisor::layOut()
{
    const auto redis = find("redis-server", "redis-server");
    const auto prometheus = find("prometheus", "prometheus");
    const auto haproxy = find("haproxy", "haproxy");
    for (const auto* program : {&redis, &prometheus, &haproxy}) {
        if (!*program) {
            return program->error();
        }
    }
    if (m_options.workerProgram.isEmpty()) {
        m_options.workerProgram =
            QCoreApplication::applicationDirPath() % QLatin1StringView("/sluiced");
    }
    if (!QFileInfo(m_options.workerProgram).isExecutable()) {
        return inputError("the worker " + m_options.workerProgram.toStdString()
            + " is missing: build it, or name it with --worker");
    }
    const int workers = m_options.workersPerPool * 2;
    const auto ports = freePorts(4 + workers + int(m_options.with.size()));
    if (!ports) {
        return ports.error();
    }
    StackStatus& status = m_document.status;
    for (const QString& role : redisRoles()) {
        status.passwords.insert(role, newPassword());
    }
    status.statsSocket = m_folder.file(QStringLiteral("run/haproxy.sock"));
    if (std::size_t(status.statsSocket.toUtf8().size()) > longestSocketPath) {
        status.statsSocket = QDir::tempPath()
            % QStringLiteral("/sluice-%1-haproxy.sock").arg(QCoreApplication::applicationPid());
    }
    QFile::remove(status.statsSocket);

    const auto add = [this](const QString& name, const QString& program, quint16 port, int stage,
                         QUrl url) -> Part& {
        return addPart(name, program, port, stage, std::move(url));
    };
    const QString redisConf = m_folder.file(QStringLiteral("etc/redis.conf"));
    const QString acl = m_folder.file(QStringLiteral("etc/users.acl"));
    const QString prometheusYml = m_folder.file(QStringLiteral("etc/prometheus.yml"));
    const QString haproxyCfg = m_folder.file(QStringLiteral("etc/haproxy.cfg"));
    const quint16 redisPort = (*ports)[0];
    const quint16 prometheusPort = (*ports)[1];

    add(QStringLiteral("redis"), *redis, redisPort, 0, loopback(QStringLiteral("redis"), redisPort))
        .arguments = {redisConf};
    add(QStringLiteral("prometheus"), *prometheus, prometheusPort, 0,
        loopback(QStringLiteral("http"), prometheusPort))
        .arguments = {QStringLiteral("--config.file=") % prometheusYml,
        QStringLiteral("--storage.tsdb.path=") % m_folder.file(QStringLiteral("data/prometheus")),
        QStringLiteral("--storage.tsdb.retention.time=2d"),
        QStringLiteral("--storage.tsdb.retention.size=512MB"),
        QStringLiteral("--web.listen-address=127.0.0.1:%1").arg(prometheusPort),
        QStringLiteral("--log.level=warn")};

    HaproxyLayout layout;
    layout.port = (*ports)[2];
    layout.metricsPort = (*ports)[3];
    layout.socket = status.statsSocket;
    layout.liveMap = m_folder.file(QStringLiteral("run/live.map"));
    layout.numberMap = m_folder.file(QStringLiteral("run/num.map"));
    layout.maxConnections = haproxyConnections();
    QStringList addresses;
    for (int index = 0; index < workers; ++index) {
        const QString pool =
            index < m_options.workersPerPool ? QStringLiteral("blue") : QStringLiteral("green");
        const QString name =
            QStringLiteral("%1-%2").arg(pool).arg(index % m_options.workersPerPool + 1);
        const quint16 port = (*ports)[4 + index];
        Part& part =
            add(name, m_options.workerProgram, port, 1, loopback(QStringLiteral("http"), port));
        part.info.pool = pool;
        part.arguments = {QStringLiteral("--host"), QStringLiteral("127.0.0.1"),
            QStringLiteral("--port"), QString::number(port), QStringLiteral("--pool"), pool,
            QStringLiteral("--redis-host"), QStringLiteral("127.0.0.1"),
            QStringLiteral("--redis-port"), QString::number(redisPort),
            QStringLiteral("--redis-user"), QStringLiteral("worker"),
            QStringLiteral("--drain-seconds"), QStringLiteral("2")};
        if (!m_options.modelFile.isEmpty()) {
            part.arguments << QStringLiteral("--model") << m_options.modelFile;
        }
        if (!m_options.catalogueFile.isEmpty()) {
            part.arguments << QStringLiteral("--catalogue") << m_options.catalogueFile;
        }
        part.environment.insert(QStringLiteral("SLUICE_REDIS_PASSWORD"),
            status.passwords.value(QStringLiteral("worker")));
        layout.servers << HaproxyServer{name, pool, port};
        addresses << QStringLiteral("127.0.0.1:%1").arg(port);
    }
    add(QStringLiteral("haproxy"), *haproxy, layout.port, 2,
        loopback(QStringLiteral("http"), layout.port))
        .arguments = {QStringLiteral("-db"), QStringLiteral("-f"), haproxyCfg};

    auto more = layOutExtras(ports->mid(4 + workers), redisPort, addresses);
    if (!more) {
        return more.error();
    }

    const std::pair<QString, QByteArray> files[] = {{acl, redisUsers(status.passwords)},
        {redisConf, redisConfig(redisPort, m_folder.file(QStringLiteral("data/redis")), acl)},
        {prometheusYml,
            prometheusConfig(addresses, QStringLiteral("127.0.0.1:%1").arg(layout.metricsPort),
                QString::fromStdString(resourceFile("sluice.rules.yml").string()), *more)},
        {layout.liveMap, initialLiveMap(QStringLiteral("blue"))},
        {layout.numberMap, initialNumberMap()}, {haproxyCfg, haproxyConfig(layout)}};
    for (const auto& [path, content] : files) {
        if (auto written = writeFileAtomically(path.toStdString(), content.toStdString(), true);
            !written) {
            return written;
        }
    }
    return {};
}

StackSupervisor::Part& StackSupervisor::addPart(
    const QString& name, const QString& program, quint16 port, int stage, QUrl url)
{
    auto part = std::make_unique<Part>();
    part->info.name = name;
    part->info.port = port;
    part->info.url = std::move(url);
    part->info.logFile = m_folder.file(QStringLiteral("log/") % name % QLatin1StringView(".log"));
    part->program = program;
    part->stage = stage;
    m_parts.push_back(std::move(part));
    return *m_parts.back();
}

/// The servers of --with, a port each; what Prometheus is to know of them.
Result<QByteArray> StackSupervisor::layOutExtras(
    const QList<quint16>& ports, quint16 redisPort, const QStringList& workers)
{
    StackExtraPorts wanted;
    for (const QString& worker : workers) {
        wanted.probes << QString(
            QLatin1StringView("http://") % worker % QLatin1StringView("/readyz"));
    }
    for (qsizetype index = 0; index < m_options.with.size(); ++index) {
        const QString& name = m_options.with[index];
        const StackExtra* extra = stackExtra(name);
        if (extra == nullptr) {
            return inputError("the local stack has no part " + name.toStdString());
        }
        const auto program = find(extra->program, extra->package);
        if (!program) {
            return program.error();
        }
        const quint16 port = ports[index];
        const QString address = QStringLiteral("127.0.0.1:%1").arg(port);
        const QString file = m_folder.file(QStringLiteral("etc/%1.yml").arg(name));
        Part& part = addPart(name, *program, port, 1, loopback(QStringLiteral("http"), port));
        QByteArray content;
        if (name == QLatin1StringView("alertmanager")) {
            wanted.alertmanager = port;
            content = alertmanagerConfig();
            part.arguments = {QStringLiteral("--config.file=") % file,
                QStringLiteral("--storage.path=")
                    % m_folder.file(QStringLiteral("data/alertmanager")),
                QStringLiteral("--cluster.listen-address="), // it stands alone
                QStringLiteral("--web.listen-address=") % address};
        } else if (name == QLatin1StringView("blackbox-exporter")) {
            wanted.blackboxExporter = port;
            content = blackboxConfig();
            part.arguments = {QStringLiteral("--config.file=") % file,
                QStringLiteral("--web.listen-address=") % address};
        } else {
            wanted.redisExporter = port;
            part.arguments = {QStringLiteral("-redis.addr=redis://127.0.0.1:%1").arg(redisPort),
                QStringLiteral("-web.listen-address=") % address};
            part.environment.insert(QStringLiteral("REDIS_USER"), QStringLiteral("viewer"));
            part.environment.insert(QStringLiteral("REDIS_PASSWORD"),
                m_document.status.passwords.value(QStringLiteral("viewer")));
        }
        if (auto written = writeFileAtomically(file.toStdString(), content.toStdString(), true);
            !written) {
            return written.error();
        }
    }
    return prometheusExtras(wanted);
}

void StackSupervisor::startStage()
{
    for (const auto& part : m_parts) {
        if (part->stage == m_stage) {
            startPart(*part);
        }
    }
    publish();
}

void StackSupervisor::startPart(Part& part)
{
    part.process = std::make_unique<QProcess>();
    QProcess& process = *part.process;
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    for (auto entry = part.environment.begin(); entry != part.environment.end(); ++entry) {
        environment.insert(entry.key(), entry.value());
    }
    process.setProcessEnvironment(environment);
    process.setProgram(part.program);
    process.setArguments(part.arguments);
    process.setWorkingDirectory(m_folder.path);
    process.setProcessChannelMode(QProcess::MergedChannels);
    process.setStandardInputFile(QProcess::nullDevice());
    process.setStandardOutputFile(
        part.info.logFile, part.restarts > 0 ? QIODevice::Append : QIODevice::Truncate);
    const pid_t parent = ::getpid();
    process.setChildProcessModifier([parent] {
        // It ends with the supervisor, even when that is killed.
        ::prctl(PR_SET_PDEATHSIG, SIGTERM);
        if (::getppid() != parent) {
            ::_exit(1);
        }
    });
    connect(&process, &QProcess::finished, this, [this, raw = &part] { onExit(*raw); });
    connect(&process, &QProcess::errorOccurred, this,
        [this, raw = &part](QProcess::ProcessError error) {
            if (error == QProcess::FailedToStart) {
                onExit(*raw);
            }
        });
    setState(part, PartState::Starting, QStringLiteral("waiting until it answers"));
    process.start();
    part.info.pid = process.processId();
}

void StackSupervisor::onExit(Part& part)
{
    if (m_document.phase == QLatin1StringView("stopping")) {
        setState(part, PartState::Stopped);
        stopNext();
        return;
    }
    const QString tail = logTail(part.info.logFile);
    const QString reason = part.process->error() == QProcess::FailedToStart
        ? QStringLiteral("could not be started: ") % part.process->errorString()
        : QStringLiteral("ended by itself (code %1)").arg(part.process->exitCode());
    setState(part, PartState::Failed,
        reason % (tail.isEmpty() ? QString() : QStringLiteral(": ") % tail));
    part.info.pid = 0;
    if (m_document.phase == QLatin1StringView("starting")) {
        fail(internalError(part.info.name.toStdString() + " " + part.info.detail.toStdString(),
            "its log is " + part.info.logFile.toStdString()));
        return;
    }
    if (!part.info.pool.isEmpty() && part.restarts < mostRestarts) {
        ++part.restarts;
        QTimer::singleShot(200 << part.restarts, this, [this, raw = &part] {
            if (m_document.phase == QLatin1StringView("up")) {
                startPart(*raw);
                publish();
            }
        });
    }
    publish();
}

void StackSupervisor::tick()
{
    if (m_owner.pid != 0 && !m_owner.isAlive()
        && m_document.phase != QLatin1StringView("stopping")) {
        stop();
        return;
    }
    if (m_document.phase == QLatin1StringView("stopping")) {
        if (m_stopClock.elapsed() > stopPatienceMs) {
            for (const auto& part : m_parts) {
                if (part->process != nullptr && part->process->state() != QProcess::NotRunning
                    && part->stage == m_stage) {
                    part->process->kill();
                }
            }
        }
        return;
    }
    bool stageHealthy = true;
    for (const auto& part : m_parts) {
        if (part->info.state == PartState::Starting && !part->checking) {
            check(*part);
        }
        stageHealthy =
            stageHealthy && (part->stage > m_stage || part->info.state == PartState::Healthy);
    }
    if (m_document.phase != QLatin1StringView("starting")) {
        return;
    }
    if (stageHealthy && m_stage < 2) {
        ++m_stage;
        startStage();
    } else if (stageHealthy) {
        m_document.phase = QStringLiteral("up");
        publish();
    } else if (m_clock.elapsed() > m_options.startTimeoutMs) {
        QStringList waiting;
        for (const auto& part : m_parts) {
            if (part->info.state == PartState::Starting) {
                waiting << part->info.name % QLatin1StringView(" (log: ") % part->info.logFile
                        % QLatin1StringView(")");
            }
        }
        fail(unreachableError("the local stack was not healthy within "
            + std::to_string(m_options.startTimeoutMs / 1000) + " s; still waiting for "
            + waiting.join(QStringLiteral(", ")).toStdString()));
    }
}

void StackSupervisor::check(Part& part)
{
    part.checking = true;
    if (part.info.name == QLatin1StringView("redis")) {
        checkRedis(part);
    } else if (part.info.name == QLatin1StringView("prometheus")) {
        checkHttp(part, QStringLiteral("/-/ready"));
    } else if (const StackExtra* extra = stackExtra(part.info.name)) {
        checkHttp(part, QString::fromLatin1(extra->healthPath));
    } else {
        checkHttp(part, QStringLiteral("/readyz"));
    }
}

void StackSupervisor::checkHttp(Part& part, const QString& path)
{
    QUrl url = part.info.url;
    url.setPath(path);
    QNetworkRequest request(url);
    request.setTransferTimeout(1000);
    QNetworkReply* reply = m_network.get(request);
    connect(reply, &QNetworkReply::finished, this, [this, reply, raw = &part] {
        reply->deleteLater();
        raw->checking = false;
        if (raw->info.state == PartState::Starting
            && reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt() == 200) {
            setState(*raw, PartState::Healthy);
            publish();
        }
    });
}

void StackSupervisor::checkRedis(Part& part)
{
    auto* client = new RedisClient(this);
    connect(client, &RedisClient::stateChanged, this,
        [this, client, raw = &part](RedisClient::State state) {
            if (state != RedisClient::State::Connected && state != RedisClient::State::Lost) {
                return;
            }
            disconnect(client, nullptr, this, nullptr);
            client->deleteLater();
            raw->checking = false;
            if (raw->info.state == PartState::Starting && state == RedisClient::State::Connected) {
                setState(*raw, PartState::Healthy);
                publish();
            }
        });
    client->open(QStringLiteral("127.0.0.1"), part.info.port, QStringLiteral("viewer"),
        m_document.status.passwords.value(QStringLiteral("viewer")),
        QStringLiteral("sluice-stack"));
}

void StackSupervisor::setState(Part& part, PartState state, const QString& detail)
{
    part.info.state = state;
    part.info.detail = detail;
}

void StackSupervisor::publish()
{
    m_document.status.parts.clear();
    m_document.partStartTicks.clear();
    for (const auto& part : m_parts) {
        m_document.status.parts << part->info;
        m_document.partStartTicks << ProcessMark::of(part->info.pid).startTicks;
    }
    if (auto written = m_folder.write(m_document); !written) {
        qWarning("%s", written.error().text().c_str());
    }
}

void StackSupervisor::fail(const Error& error)
{
    m_document.error = QString::fromStdString(error.text());
    m_exitCode = exitCode(error.kind);
    stop();
}

void StackSupervisor::stop()
{
    if (m_document.phase == QLatin1StringView("stopping")) {
        return;
    }
    m_document.phase = QStringLiteral("stopping");
    m_stage = 3;
    publish();
    stopNext();
}

/// Ends the stages one after the other, the last first: balancer, workers, servers.
void StackSupervisor::stopNext()
{
    for (const auto& part : m_parts) {
        if (part->stage == m_stage && part->process != nullptr
            && part->process->state() != QProcess::NotRunning) {
            return; // its end calls again
        }
    }
    while (m_stage > 0) {
        --m_stage;
        bool any = false;
        for (const auto& part : m_parts) {
            if (part->stage == m_stage && part->process != nullptr
                && part->process->state() != QProcess::NotRunning) {
                part->process->terminate();
                any = true;
            }
        }
        if (any) {
            m_stopClock.start();
            return;
        }
    }
    m_tick.stop();
    QFile::remove(m_document.status.statsSocket);
    for (const auto& part : m_parts) {
        part->info.pid = 0;
        if (part->info.state != PartState::Failed) {
            part->info.state = PartState::Stopped;
        }
    }
    m_document.phase =
        m_document.error.isEmpty() ? QStringLiteral("down") : QStringLiteral("failed");
    publish();
    Q_EMIT finished(m_exitCode);
}

QString StackSupervisor::logTail(const QString& name)
{
    QFile file(name);
    if (!file.open(QIODevice::ReadOnly)) {
        return {};
    }
    file.seek(std::max<qint64>(0, file.size() - 2000));
    const QList<QByteArray> lines = file.readAll().trimmed().split('\n');
    QStringList last;
    for (qsizetype index = std::max<qsizetype>(0, lines.size() - 3); index < lines.size();
         ++index) {
        last << QString::fromUtf8(lines[index].trimmed());
    }
    return last.join(QStringLiteral(" / "));
}

} // namespace sluice::ops

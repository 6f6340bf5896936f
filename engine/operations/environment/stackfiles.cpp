#include "engine/operations/environment/stackfiles.h"

#include "engine/base/file.h"

#include <QCryptographicHash>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <signal.h>

namespace sluice::ops {

namespace {

QString stateName(PartState state)
{
    switch (state) {
    case PartState::Waiting:
        return QStringLiteral("waiting");
    case PartState::Starting:
        return QStringLiteral("starting");
    case PartState::Healthy:
        return QStringLiteral("healthy");
    case PartState::Failed:
        return QStringLiteral("failed");
    case PartState::Stopped:
        break;
    }
    return QStringLiteral("stopped");
}

PartState stateOf(const QString& name)
{
    for (const PartState state :
        {PartState::Waiting, PartState::Starting, PartState::Healthy, PartState::Failed}) {
        if (stateName(state) == name) {
            return state;
        }
    }
    return PartState::Stopped;
}

QJsonObject toJsonObject(const StackPart& part, qint64 startTicks)
{
    return {{QStringLiteral("name"), part.name}, {QStringLiteral("pool"), part.pool},
        {QStringLiteral("pid"), part.pid}, {QStringLiteral("start_ticks"), startTicks},
        {QStringLiteral("port"), part.port}, {QStringLiteral("url"), part.url.toString()},
        {QStringLiteral("log"), part.logFile}, {QStringLiteral("state"), stateName(part.state)},
        {QStringLiteral("detail"), part.detail}};
}

StackPart partOf(const QJsonObject& object)
{
    StackPart part;
    part.name = object[QStringLiteral("name")].toString();
    part.pool = object[QStringLiteral("pool")].toString();
    part.pid = object[QStringLiteral("pid")].toInteger();
    part.port = quint16(object[QStringLiteral("port")].toInt());
    part.url = QUrl(object[QStringLiteral("url")].toString());
    part.logFile = object[QStringLiteral("log")].toString();
    part.state = stateOf(object[QStringLiteral("state")].toString());
    part.detail = object[QStringLiteral("detail")].toString();
    return part;
}

/// The environment follows from the parts: there is one place where ports stand.
Environment environmentOf(const StackStatus& status)
{
    Environment environment;
    environment.name = QStringLiteral("local");
    environment.balancerSocket = status.statsSocket;
    for (const StackPart& part : status.parts) {
        if (part.name == QLatin1StringView("redis")) {
            environment.redis = {QStringLiteral("127.0.0.1"), part.port, QStringLiteral("admin")};
        } else if (part.name == QLatin1StringView("prometheus")) {
            environment.prometheus = part.url;
        } else if (part.name == QLatin1StringView("haproxy")) {
            environment.balancer = part.url;
        } else if (!part.pool.isEmpty()) {
            environment.workers << WorkerEndpoint{part.pool, part.url};
        }
    }
    return environment;
}

} // namespace

ProcessMark ProcessMark::of(qint64 pid)
{
    QFile stat(QStringLiteral("/proc/%1/stat").arg(pid));
    if (pid <= 0 || !stat.open(QIODevice::ReadOnly)) {
        return {pid, 0};
    }
    const QByteArray text = stat.readAll();
    // The name in brackets may hold blanks: count from behind it. State is field 3, start time
    // field 22.
    const QList<QByteArray> fields = text.mid(text.lastIndexOf(')') + 2).split(' ');
    if (fields.size() < 20 || fields[0] == "Z" || fields[0] == "X") {
        return {pid, 0};
    }
    return {pid, fields[19].toLongLong()};
}

bool ProcessMark::isAlive() const
{
    return startTicks != 0 && of(pid).startTicks == startTicks;
}

bool ProcessMark::signal(int number) const
{
    return isAlive() && ::kill(pid_t(pid), number) == 0;
}

QByteArray StackDocument::toJson() const
{
    QJsonArray parts;
    for (qsizetype index = 0; index < status.parts.size(); ++index) {
        parts << toJsonObject(status.parts[index], partStartTicks.value(index));
    }
    QJsonObject passwords;
    for (auto entry = status.passwords.begin(); entry != status.passwords.end(); ++entry) {
        passwords[entry.key()] = entry.value();
    }
    return QJsonDocument(
        QJsonObject{{QStringLiteral("phase"), phase}, {QStringLiteral("error"), error},
            {QStringLiteral("supervisor_pid"), supervisor.pid},
            {QStringLiteral("supervisor_start_ticks"), supervisor.startTicks},
            {QStringLiteral("started_at"), status.startedAt.toString(Qt::ISODateWithMs)},
            {QStringLiteral("haproxy_socket"), status.statsSocket},
            {QStringLiteral("parts"), parts}, {QStringLiteral("passwords"), passwords}})
        .toJson();
}

Result<StackDocument> StackDocument::fromJson(const QByteArray& text, const QString& where)
{
    const QJsonDocument json = QJsonDocument::fromJson(text);
    if (!json.isObject()) {
        return inputError(
            where.toStdString() + " is damaged: run `sluicectl stack down`, then remove it");
    }
    const QJsonObject object = json.object();
    StackDocument document;
    document.phase = object[QStringLiteral("phase")].toString();
    document.error = object[QStringLiteral("error")].toString();
    document.supervisor = {object[QStringLiteral("supervisor_pid")].toInteger(),
        object[QStringLiteral("supervisor_start_ticks")].toInteger()};
    document.status.startedAt =
        QDateTime::fromString(object[QStringLiteral("started_at")].toString(), Qt::ISODateWithMs);
    document.status.statsSocket = object[QStringLiteral("haproxy_socket")].toString();
    const QJsonArray parts = object[QStringLiteral("parts")].toArray();
    for (const auto& part : parts) {
        document.status.parts << partOf(part.toObject());
        document.partStartTicks << part.toObject()[QStringLiteral("start_ticks")].toInteger();
    }
    const QJsonObject passwords = object[QStringLiteral("passwords")].toObject();
    for (auto entry = passwords.begin(); entry != passwords.end(); ++entry) {
        document.status.passwords.insert(entry.key(), entry.value().toString());
    }
    document.status.environment = environmentOf(document.status);
    return document;
}

Result<void> StackFolder::prepare() const
{
    for (const char* folder : {"etc", "log", "data/redis", "data/prometheus", "run"}) {
        if (auto writable = ensureWritableFolder(file(QString::fromLatin1(folder)).toStdString());
            !writable) {
            return inputError("the local stack needs a state folder that can be written: "
                    + writable.error().message,
                writable.error().cause);
        }
    }
    return {};
}

Result<StackDocument> StackFolder::read() const
{
    const auto text = readFile(document().toStdString(), std::size_t(16) << 20);
    if (!text) {
        return text.error();
    }
    auto read = StackDocument::fromJson(QByteArray::fromStdString(*text), document());
    if (read) {
        read->status.stateFolder = path;
    }
    return read;
}

Result<void> StackFolder::write(const StackDocument& written) const
{
    return writeFileAtomically(document().toStdString(), written.toJson().toStdString(), true);
}

QByteArray redisConfig(quint16 port, const QString& dataFolder, const QString& aclFile)
{
    return "# Generated by Sluice for the local stack.\n"
           "bind 127.0.0.1\nport "
        + QByteArray::number(port) + "\ndir \"" + dataFolder.toUtf8() + "\"\naclfile \""
        + aclFile.toUtf8()
        + "\"\ndaemonize no\nsave \"\"\nappendonly yes\nappendfsync everysec\nmaxmemory 256mb\n"
          "maxmemory-policy volatile-ttl\ntcp-keepalive 60\n";
}

QStringList redisRoles()
{
    return {QStringLiteral("viewer"), QStringLiteral("tester"), QStringLiteral("admin"),
        QStringLiteral("lead"), QStringLiteral("worker"), QStringLiteral("driver")};
}

QByteArray redisUsers(const QHash<QString, QString>& passwords)
{
    // What everybody may: look. Then what a role may besides, as selectors.
    const QByteArray look =
        "resetkeys resetchannels -@all +@connection +@read -@dangerous -@blocking +xread +info "
        "+subscribe +psubscribe +unsubscribe +punsubscribe +multi +exec +discard "
        "%R~sluice:* &sluice:*";
    const QByteArray script = "+eval +evalsha +script|load +script|exists";
    const QHash<QString, QByteArray> roles{
        {QStringLiteral("viewer"), look + " +slowlog|get +latency|latest +client|list"},
        {QStringLiteral("tester"),
            look
                + " (-@all +xadd ~sluice:feedback) (-@all +set +setex +del +expire "
                  "~sluice:session:*)"},
        {QStringLiteral("admin"),
            look
                + " +watch +unwatch +slowlog|get +latency|latest +client|list (-@all +set +get "
                  "+exists "
                + script
                + " +xadd ~sluice:{thresholds}:[0-9]* ~sluice:{thresholds}:active:* "
                  "~sluice:{thresholds}:last ~sluice:{thresholds}:previous:* "
                  "~sluice:{thresholds}:log ~sluice:{thresholds}:proposal:* "
                  "~sluice:{thresholds}:rollout) (-@all +publish "
                  "&sluice:{thresholds}:*) (-@all +xadd "
                  "~sluice:audit)"},
        {QStringLiteral("lead"),
            look + " +watch +unwatch (-@all +set +get +exists +xadd " + script
                + " ~sluice:{rollout}:*) (-@all +publish &sluice:{rollout}:*) (-@all +xadd "
                  "~sluice:audit ~sluice:feedback) (-@all +set ~sluice:{thresholds}:approved:* "
                  "~sluice:{thresholds}:approval:*)"},
        {QStringLiteral("driver"),
            look + " +watch +unwatch (-@all +set +get +exists +del +pexpire +xadd " + script
                + " ~sluice:{rollout}:*) (-@all +publish &sluice:{rollout}:*) (-@all +xadd "
                  "~sluice:audit) (-@all +set +get +exists +xadd "
                + script
                + " ~sluice:{thresholds}:[0-9]* ~sluice:{thresholds}:active:* "
                  "~sluice:{thresholds}:previous:* ~sluice:{thresholds}:log "
                  "~sluice:{thresholds}:last ~sluice:{thresholds}:rollout) (-@all +publish "
                  "&sluice:{thresholds}:*)"},
        {QStringLiteral("worker"),
            "resetkeys resetchannels -@all +@connection -@dangerous +subscribe +unsubscribe "
            "+cluster|slots &sluice:{thresholds}:* "
            "(-@all +get %R~sluice:{thresholds}:*) "
            "(-@all +get +set +eval +evalsha ~sluice:session:*) (-@all +xadd ~sluice:decisions) "
            "(-@all +exists +xadd +set +eval +evalsha ~sluice:feedback ~{sluice:feedback}:*)"},
    };
    QByteArray text = "user default off nopass resetkeys resetchannels -@all\n";
    for (const QString& role : redisRoles()) {
        const QByteArray hash =
            QCryptographicHash::hash(passwords.value(role).toUtf8(), QCryptographicHash::Sha256)
                .toHex();
        text += "user " + role.toUtf8() + " on #" + hash + " " + roles.value(role) + "\n";
    }
    return text;
}

QByteArray prometheusConfig(const QStringList& workerAddresses, const QString& haproxyAddress,
    const QString& rulesFile, const QByteArray& more)
{
    const QByteArray rules =
        rulesFile.isEmpty() ? QByteArray() : "rule_files:\n  - '" + rulesFile.toUtf8() + "'\n";
    QByteArray workers;
    for (const QString& address : workerAddresses) {
        workers += (workers.isEmpty() ? "'" : ", '") + address.toUtf8() + "'";
    }
    return "# Generated by Sluice for the local stack.\n"
           "global:\n  scrape_interval: 1s\n  scrape_timeout: 900ms\n  evaluation_interval: 5s\n"
        + rules
        + "scrape_configs:\n"
          "  - job_name: sluice\n    honor_labels: true\n    static_configs:\n      - targets: ["
        + workers
        + "]\n"
          "  - job_name: haproxy\n    static_configs:\n      - targets: ['"
        + haproxyAddress.toUtf8() + "']\n" + more;
}

} // namespace sluice::ops

#include "engine/operations/environment/environment.h"

#include "engine/base/file.h"

#include <QDir>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QStandardPaths>
#include <algorithm>

namespace sluice::ops {

namespace {

QJsonObject toJson(const Environment& environment)
{
    QJsonArray workers;
    for (const WorkerEndpoint& worker : environment.workers) {
        workers << QJsonObject{
            {QStringLiteral("pool"), worker.pool}, {QStringLiteral("url"), worker.url.toString()}};
    }
    return {{QStringLiteral("name"), environment.name},
        {QStringLiteral("production"), environment.production},
        {QStringLiteral("read_only"), environment.readOnly},
        {QStringLiteral("load_target"), environment.loadTarget},
        {QStringLiteral("prometheus"), environment.prometheus.toString()},
        {QStringLiteral("redis"),
            QJsonObject{{QStringLiteral("host"), environment.redis.host},
                {QStringLiteral("port"), environment.redis.port},
                {QStringLiteral("user"), environment.redis.user}}},
        {QStringLiteral("balancer"), environment.balancer.toString()},
        {QStringLiteral("balancer_socket"), environment.balancerSocket},
        {QStringLiteral("workers"), workers}, {QStringLiteral("model"), environment.modelFile}};
}

Environment fromJson(const QJsonObject& object)
{
    Environment environment;
    environment.name = object[QStringLiteral("name")].toString();
    environment.production = object[QStringLiteral("production")].toBool();
    environment.readOnly = object[QStringLiteral("read_only")].toBool();
    environment.loadTarget = object[QStringLiteral("load_target")].toBool();
    environment.prometheus = QUrl(object[QStringLiteral("prometheus")].toString());
    const QJsonObject redis = object[QStringLiteral("redis")].toObject();
    environment.redis.host = redis[QStringLiteral("host")].toString();
    environment.redis.port = quint16(redis[QStringLiteral("port")].toInt());
    environment.redis.user = redis[QStringLiteral("user")].toString();
    environment.balancer = QUrl(object[QStringLiteral("balancer")].toString());
    environment.balancerSocket = object[QStringLiteral("balancer_socket")].toString();
    environment.modelFile = object[QStringLiteral("model")].toString();
    const QJsonArray workers = object[QStringLiteral("workers")].toArray();
    for (const auto& item : workers) {
        const QJsonObject worker = item.toObject();
        environment.workers << WorkerEndpoint{worker[QStringLiteral("pool")].toString(),
            QUrl(worker[QStringLiteral("url")].toString())};
    }
    return environment;
}

} // namespace

EnvironmentStore::EnvironmentStore(QString folder)
    : m_folder(std::move(folder))
{ }

QString EnvironmentStore::defaultFolder()
{
    const QString own = qEnvironmentVariable("SLUICE_CONFIG");
    return own.isEmpty() ? QStandardPaths::writableLocation(QStandardPaths::GenericConfigLocation)
            % QLatin1StringView("/sluice")
                         : own;
}

Result<QList<Environment>> EnvironmentStore::load() const
{
    const QString path = m_folder % QLatin1StringView("/environments.json");
    if (!QFile::exists(path)) {
        return QList<Environment>();
    }
    const auto text = readFile(path.toStdString(), std::size_t(16) << 20);
    if (!text) {
        return text.error();
    }
    QJsonParseError problem;
    const QJsonDocument document =
        QJsonDocument::fromJson(QByteArray::fromStdString(*text), &problem);
    if (problem.error != QJsonParseError::NoError || !document.isArray()) {
        return inputError(path.toStdString()
                + " is not a list of environments: mend it, or move it away to begin anew",
            problem.error == QJsonParseError::NoError ? std::string()
                                                      : problem.errorString().toStdString());
    }
    QList<Environment> environments;
    const QJsonArray list = document.array();
    for (const auto& item : list) {
        Environment environment = fromJson(item.toObject());
        if (!environment.isValid()) {
            return inputError(
                path.toStdString() + ": an environment without a name stands in it: give it one");
        }
        environments << std::move(environment);
    }
    return environments;
}

Result<void> EnvironmentStore::save(const QList<Environment>& environments) const
{
    QJsonArray list;
    for (const Environment& environment : environments) {
        list << toJson(environment);
    }
    if (auto writable = ensureWritableFolder(m_folder.toStdString()); !writable) {
        return writable;
    }
    return writeFileAtomically(
        QString(m_folder % QLatin1StringView("/environments.json")).toStdString(),
        QJsonDocument(list).toJson().toStdString());
}

Result<void> EnvironmentStore::upsert(const Environment& environment) const
{
    auto environments = load();
    if (!environments) {
        return environments.error();
    }
    const auto found = std::find_if(environments->begin(), environments->end(),
        [&](const Environment& known) { return known.name == environment.name; });
    if (found == environments->end()) {
        *environments << environment;
    } else {
        *found = environment;
    }
    return save(*environments);
}

Result<void> EnvironmentStore::remove(const QString& name) const
{
    auto environments = load();
    if (!environments) {
        return environments.error();
    }
    environments->removeIf([&](const Environment& known) { return known.name == name; });
    return save(*environments);
}

} // namespace sluice::ops

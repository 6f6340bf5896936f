#include "engine/operations/loadtest/loadrun.h"

#include <QJsonArray>
#include <QJsonDocument>

namespace sluice::ops {

namespace {

Error wrong(const QString& where, const QString& member, const QString& expected)
{
    return inputError(
        where.toStdString() + ": " + member.toStdString() + ": " + expected.toStdString());
}

/// A number of an object in its bounds, or an error.
Result<void> readNumber(const QJsonObject& object, const QString& key, double least, double most,
    const QString& where, double& out)
{
    if (!object.contains(key)) {
        return {};
    }
    const QJsonValue value = object[key];
    if (!value.isDouble() || value.toDouble() < least || value.toDouble() > most) {
        return wrong(
            where, key, QStringLiteral("a number from %1 to %2 is expected").arg(least).arg(most));
    }
    out = value.toDouble();
    return {};
}

Result<void> onlyKnown(const QJsonObject& object, const QStringList& known, const QString& where)
{
    const QStringList keys = object.keys();
    for (const QString& key : keys) {
        if (!known.contains(key)) {
            return wrong(where, key, QStringLiteral("is not known here"));
        }
    }
    return {};
}

} // namespace

Result<Scenario> Scenario::fromJson(const QByteArray& text, const QString& where)
{
    QJsonParseError problem;
    const QJsonDocument document = QJsonDocument::fromJson(text, &problem);
    if (!document.isObject()) {
        return inputError(where.toStdString() + ": not a JSON object",
            problem.error == QJsonParseError::NoError ? std::string()
                                                      : QStringLiteral("at byte %1: %2")
                                                            .arg(problem.offset)
                                                            .arg(problem.errorString())
                                                            .toStdString());
    }
    const QJsonObject object = document.object();
    if (object.contains(QStringLiteral("targets"))
        && !object[QStringLiteral("targets")].isObject()) {
        return wrong(where, QStringLiteral("targets"), QStringLiteral("an object is expected"));
    }
    if (object.contains(QStringLiteral("queries"))
        && !object[QStringLiteral("queries")].isArray()) {
        return wrong(
            where, QStringLiteral("queries"), QStringLiteral("an array of texts is expected"));
    }
    Scenario scenario;
    double users = scenario.users;
    const QJsonObject targets = object[QStringLiteral("targets")].toObject();
    const Result<void> checks[] = {
        onlyKnown(object,
            {QStringLiteral("name"), QStringLiteral("description"), QStringLiteral("users"),
                QStringLiteral("requests_per_second"), QStringLiteral("duration_seconds"),
                QStringLiteral("queries"), QStringLiteral("targets")},
            where),
        onlyKnown(targets,
            {QStringLiteral("p95_ms"), QStringLiteral("p99_ms"), QStringLiteral("error_share")},
            where),
        readNumber(object, QStringLiteral("users"), 1, maxUsers, where, users),
        readNumber(object, QStringLiteral("requests_per_second"), 0.01, maxRate, where,
            scenario.requestsPerSecond),
        readNumber(object, QStringLiteral("duration_seconds"), 1, maxSeconds, where,
            scenario.durationSeconds),
        readNumber(targets, QStringLiteral("p95_ms"), 0.001, 1e6, where, scenario.targets.p95Ms),
        readNumber(targets, QStringLiteral("p99_ms"), 0.001, 1e6, where, scenario.targets.p99Ms),
        readNumber(
            targets, QStringLiteral("error_share"), 0, 1, where, scenario.targets.errorShare)};
    for (const Result<void>& check : checks) {
        if (!check) {
            return check.error();
        }
    }
    scenario.users = int(users);
    scenario.name = object[QStringLiteral("name")].toString();
    if (scenario.name.isEmpty()) {
        return wrong(where, QStringLiteral("name"), QStringLiteral("is missing"));
    }
    const QJsonArray queries = object[QStringLiteral("queries")].toArray();
    for (const auto& query : queries) {
        if (!query.isString() || query.toString().trimmed().isEmpty()) {
            return wrong(
                where, QStringLiteral("queries"), QStringLiteral("an array of texts is expected"));
        }
        scenario.queries << query.toString();
    }
    return scenario;
}

QJsonObject Scenario::toJson() const
{
    QJsonObject object{{QStringLiteral("name"), name}, {QStringLiteral("users"), users},
        {QStringLiteral("requests_per_second"), requestsPerSecond},
        {QStringLiteral("duration_seconds"), durationSeconds},
        {QStringLiteral("targets"),
            QJsonObject{{QStringLiteral("p95_ms"), targets.p95Ms},
                {QStringLiteral("p99_ms"), targets.p99Ms},
                {QStringLiteral("error_share"), targets.errorShare}}}};
    if (!queries.isEmpty()) {
        object[QStringLiteral("queries")] = QJsonArray::fromStringList(queries);
    }
    return object;
}

Result<void> Scenario::check() const
{
    if (users < 1 || users > maxUsers) {
        return inputError("a load run has 1 to " + std::to_string(maxUsers) + " users");
    }
    if (!(requestsPerSecond > 0) || requestsPerSecond > maxRate) {
        return inputError(
            "a load run asks at most " + std::to_string(int(maxRate)) + " requests a second");
    }
    if (!(durationSeconds >= 1) || durationSeconds > maxSeconds) {
        return inputError("a load run lasts 1 second to 24 hours");
    }
    return {};
}

} // namespace sluice::ops

#include "engine/operations/loadtest/locustplan.h"

#include "engine/base/file.h"
#include "engine/base/resources.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

namespace sluice::ops {

namespace {

QJsonArray requestOf(const LocustRequest& request)
{
    return {request.path, QString::fromUtf8(request.body)};
}

QJsonArray curveOf(const QList<LocustPoint>& curve)
{
    QJsonArray points;
    for (const LocustPoint& point : curve) {
        points << QJsonArray{point.seconds, point.users, point.requestsPerSecond};
    }
    return points;
}

QString hostOf(const QUrl& target)
{
    return target.toString(QUrl::RemovePath | QUrl::RemoveQuery | QUrl::RemoveFragment
        | QUrl::RemoveUserInfo | QUrl::StripTrailingSlash);
}

/// A word that a POSIX shell takes as it is.
QString quoted(const QString& word)
{
    return QLatin1Char('\'') % QString(word).replace(u'\'', QLatin1StringView("'\\''"))
        % QLatin1Char('\'');
}

} // namespace

Result<void> LocustPlan::check() const
{
    if (curve.size() < 2 || !(seconds() > 0)) {
        return inputError("a Locust run needs a curve of at least two points in time");
    }
    for (qsizetype at = 0; at < curve.size(); ++at) {
        if ((at > 0 && curve[at].seconds < curve[at - 1].seconds) || curve[at].users < 0
            || curve[at].requestsPerSecond < 0) {
            return inputError("point " + std::to_string(at + 1)
                + " of the curve goes back in time or below zero");
        }
    }
    if (scripts.isEmpty()) {
        return inputError("a Locust run needs queries to ask");
    }
    for (const LocustScript& script : scripts) {
        if (script.requests.isEmpty() || !(script.weight > 0)) {
            return inputError("a script of a Locust run is empty, or its weight not over zero");
        }
    }
    if (target.host().isEmpty()) {
        return inputError("a Locust run needs a target like http://127.0.0.1:8080");
    }
    return {};
}

Result<QByteArray> locustfile(const LocustPlan& plan)
{
    auto body = readFile(resourceFile("loadtest/locustfile.py"), std::size_t(1) << 20);
    if (!body) {
        return internalError("the Locust part of Sluice is not installed", body.error().text());
    }
    QJsonArray scripts;
    for (const LocustScript& script : plan.scripts) {
        QJsonArray requests;
        for (const LocustRequest& request : script.requests) {
            requests << requestOf(request);
        }
        scripts << QJsonArray{script.weight, requests};
    }
    const QJsonObject object{{QStringLiteral("host"), hostOf(plan.target)},
        {QStringLiteral("curve"), curveOf(plan.curve)}, {QStringLiteral("scripts"), scripts},
        {QStringLiteral("think"), plan.thinkSeconds}, {QStringLiteral("jitter"), plan.jitter},
        {QStringLiteral("timeout"), plan.timeoutSeconds},
        {QStringLiteral("seed"), QString::number(plan.seed)}};
    // A JSON text as a JSON string is a Python string too: both know the same escapes.
    const QByteArray text = QJsonDocument(object).toJson(QJsonDocument::Compact);
    const QByteArray literal = QJsonDocument(QJsonArray{QString::fromUtf8(text)})
                                   .toJson(QJsonDocument::Compact)
                                   .chopped(1)
                                   .mid(1);
    return QByteArray(
        "PLAN = __import__(\"json\").loads(" + literal + ")\n" + QByteArray::fromStdString(*body));
}

QStringList locustMaster(const QString& program, const QString& file, const QString& bindHost,
    quint16 port, int workers, int workerWaitSeconds)
{
    // A verdict is ours: Locust ends with 1 at a single failed request.
    return {program, QStringLiteral("-f"), file, QStringLiteral("--headless"),
        QStringLiteral("--master"), QStringLiteral("--master-bind-host"), bindHost,
        QStringLiteral("--master-bind-port"), QString::number(port),
        QStringLiteral("--expect-workers"), QString::number(workers),
        QStringLiteral("--expect-workers-max-wait"), QString::number(workerWaitSeconds),
        QStringLiteral("--web-host"), QStringLiteral("127.0.0.1"), QStringLiteral("--only-summary"),
        QStringLiteral("--enable-rebalancing"), QStringLiteral("--exit-code-on-error"),
        QStringLiteral("0")};
}

QStringList locustWorker(
    const QString& program, const QString& file, const QString& masterHost, quint16 port)
{
    return {program, QStringLiteral("-f"), file, QStringLiteral("--worker"),
        QStringLiteral("--master-host"), masterHost, QStringLiteral("--master-port"),
        QString::number(port)};
}

QString remoteLocustWorker(
    const QString& program, qsizetype bytes, const QString& masterHost, quint16 port)
{
    QStringList words;
    const QStringList command = locustWorker(program, QString(), masterHost, port);
    for (const QString& word : command) {
        words << (word.isEmpty() ? QStringLiteral("\"$f\"") : quoted(word));
    }
    return QStringLiteral("f=$(mktemp --suffix=.py) && head -c %1 >\"$f\" && "
                          "SLUICE_REMOVE_LOCUSTFILE=\"$f\" exec %2")
        .arg(bytes)
        .arg(words.join(u' '));
}

} // namespace sluice::ops

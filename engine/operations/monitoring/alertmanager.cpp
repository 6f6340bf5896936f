#include "engine/operations/monitoring/alertmanager.h"

#include <QJsonArray>
#include <QJsonObject>
#include <QNetworkReply>
#include <QPointer>

namespace sluice::ops {

namespace {

constexpr int timeoutMs = 3000;

QString text(const QJsonObject& object, const char* key)
{
    return object[QLatin1StringView(key)].toString();
}

} // namespace

bool Silence::covers(const Labels& alert) const
{
    if (!exact || labels.isEmpty()) {
        return false;
    }
    for (auto label = labels.begin(); label != labels.end(); ++label) {
        if (alert.value(label.key()) != label.value()) {
            return false;
        }
    }
    return true;
}

Result<QList<Silence>> parseSilences(const QJsonDocument& answer)
{
    if (!answer.isArray()) {
        return inputError("Alertmanager's list of silences is no JSON array");
    }
    QList<Silence> silences;
    const QJsonArray all = answer.array();
    for (const auto& value : all) {
        const QJsonObject object = value.toObject();
        if (text(object[QStringLiteral("status")].toObject(), "state") != u"active") {
            continue;
        }
        Silence silence;
        silence.id = text(object, "id");
        silence.by = text(object, "createdBy");
        silence.comment = text(object, "comment");
        silence.until = QDateTime::fromString(text(object, "endsAt"), Qt::ISODateWithMs).toUTC();
        const QJsonArray matchers = object[QStringLiteral("matchers")].toArray();
        for (const auto& one : matchers) {
            const QJsonObject matcher = one.toObject();
            if (matcher[QStringLiteral("isRegex")].toBool()
                || !matcher[QStringLiteral("isEqual")].toBool(true)) {
                silence.exact = false;
                continue;
            }
            silence.labels[text(matcher, "name")] = text(matcher, "value");
        }
        silences << silence;
    }
    return silences;
}

Alertmanager::Alertmanager(QObject* parent)
    : QObject(parent)
{ }

void Alertmanager::send(const QByteArray& verb, const QUrl& base, const QString& path,
    const QByteArray& body, QObject* context, Answered<QJsonDocument> answered)
{
    QUrl url = base;
    url.setPath(base.path() % path);
    QNetworkRequest request(url);
    request.setTransferTimeout(timeoutMs);
    request.setHeader(QNetworkRequest::ContentTypeHeader, QStringLiteral("application/json"));
    QNetworkReply* reply = m_network.sendCustomRequest(request, verb, body);
    connect(reply, &QNetworkReply::finished, context, [reply, url, answered = std::move(answered)] {
        const int status = reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt();
        const QByteArray content = reply->readAll();
        const std::string where = url.toString(QUrl::RemovePath).toStdString();
        if (status == 0) {
            answered(
                unreachableError("Nobody answers at " + where, reply->errorString().toStdString()));
        } else if (status >= 300) {
            answered(refusedError(where + " refuses: HTTP " + std::to_string(status),
                content.left(300).toStdString()));
        } else {
            answered(QJsonDocument::fromJson(content));
        }
    });
    connect(reply, &QNetworkReply::finished, reply, &QObject::deleteLater);
}

void Alertmanager::discover(const QUrl& prometheus, QObject* context, Answered<QUrl> answered)
{
    send("GET", prometheus, QStringLiteral("/api/v1/alertmanagers"), {}, context,
        [answered = std::move(answered)](const Result<QJsonDocument>& answer) {
            if (!answer) {
                answered(answer.error());
                return;
            }
            const QJsonArray active = answer->object()[QStringLiteral("data")]
                                          .toObject()[QStringLiteral("activeAlertmanagers")]
                                          .toArray();
            QUrl url(active.isEmpty() ? QString() : text(active.first().toObject(), "url"));
            if (!url.isValid() || url.host().isEmpty()) {
                answered(refusedError("Prometheus sends its alerts to no Alertmanager"));
                return;
            }
            const QString path = url.path(); // .../api/v2/alerts
            url.setPath(
                path.left(std::max<qsizetype>(0, path.indexOf(QLatin1StringView("/api/")))));
            answered(url);
        });
}

void Alertmanager::silences(const QUrl& base, QObject* context, Answered<QList<Silence>> answered)
{
    send("GET", base, QStringLiteral("/api/v2/silences"), {}, context,
        [answered = std::move(answered)](const Result<QJsonDocument>& answer) {
            answered(answer ? parseSilences(*answer) : Result<QList<Silence>>(answer.error()));
        });
}

void Alertmanager::silence(const QUrl& base, const Labels& labels, const QString& by,
    const QString& comment, int minutes, QObject* context, Answered<QString> answered)
{
    QJsonArray matchers;
    for (auto label = labels.begin(); label != labels.end(); ++label) {
        matchers << QJsonObject{{QStringLiteral("name"), label.key()},
            {QStringLiteral("value"), label.value()}, {QStringLiteral("isRegex"), false},
            {QStringLiteral("isEqual"), true}};
    }
    const QDateTime now = QDateTime::currentDateTimeUtc();
    const QJsonObject body{{QStringLiteral("matchers"), matchers},
        {QStringLiteral("startsAt"), now.toString(Qt::ISODateWithMs)},
        {QStringLiteral("endsAt"), now.addSecs(qint64(minutes) * 60).toString(Qt::ISODateWithMs)},
        {QStringLiteral("createdBy"), by}, {QStringLiteral("comment"), comment}};
    send("POST", base, QStringLiteral("/api/v2/silences"),
        QJsonDocument(body).toJson(QJsonDocument::Compact), context,
        [answered = std::move(answered)](const Result<QJsonDocument>& answer) {
            answered(answer ? Result<QString>(text(answer->object(), "silenceID"))
                            : Result<QString>(answer.error()));
        });
}

void Alertmanager::end(
    const QUrl& base, const QString& id, QObject* context, Answered<QString> answered)
{
    send("DELETE", base, QStringLiteral("/api/v2/silence/") % id, {}, context,
        [id, answered = std::move(answered)](const Result<QJsonDocument>& answer) {
            answered(answer ? Result<QString>(id) : Result<QString>(answer.error()));
        });
}

} // namespace sluice::ops

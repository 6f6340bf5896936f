#include "engine/operations/monitoring/prometheusclient.h"

#include <QHostAddress>
#include <QNetworkProxy>
#include <QNetworkReply>
#include <QTimer>
#include <QUrlQuery>
#include <algorithm>
#include <cmath>

namespace sluice::ops {
namespace {

constexpr qint64 maxAnswerBytes = qint64(32) << 20;
constexpr int maxPoints = 11000;

bool isLoopback(const QString& host)
{
    return host == QLatin1StringView("localhost") || QHostAddress(host).isLoopback();
}

/// QUrlQuery leaves '+' as it is, which a form reader takes for a space.
void addField(QByteArray& form, const char* name, const QString& value)
{
    if (!form.isEmpty()) {
        form += '&';
    }
    form += name;
    form += '=';
    form += QUrl::toPercentEncoding(value);
}

QString number(double value)
{
    return QString::number(value, 'f', 3);
}

QString milliseconds(int value)
{
    return QString::number(value) + QStringLiteral("ms");
}

Error transportError(const QNetworkReply& reply, const QUrl& url)
{
    return unreachableError("Prometheus at " + url.toString(QUrl::RemoveUserInfo).toStdString()
            + " could not be reached. Check its address and that it runs.",
        reply.errorString().toStdString());
}

} // namespace

PrometheusClient::PrometheusClient(QObject* parent)
    : QObject(parent)
{ }

void PrometheusClient::setBaseUrl(const QUrl& url)
{
    m_baseUrl = url;
    m_network.setProxy(QNetworkProxy(
        isLoopback(url.host()) ? QNetworkProxy::NoProxy : QNetworkProxy::DefaultProxy));
}

QUrl PrometheusClient::baseUrl() const
{
    return m_baseUrl;
}

double PrometheusClient::stepFor(double rangeSeconds, int pixels, double minStep)
{
    const double least = std::isfinite(minStep) && minStep > 0 ? minStep : 1.0;
    if (!std::isfinite(rangeSeconds) || rangeSeconds <= 0) {
        return least;
    }
    // One less than allowed, because both ends of the range carry a point.
    const double points = std::clamp(pixels, 1, maxPoints - 1);
    return least * std::max(1.0, std::ceil(rangeSeconds / points / least));
}

void PrometheusClient::queryRange(const QString& expression, double start, double end, double step,
    QObject* context, std::function<void(Result<RangeAnswer>)> answered, int timeoutMs)
{
    std::optional<Error> wrong;
    if (!std::isfinite(start) || !std::isfinite(end) || !std::isfinite(step) || step < 0.001
        || end < start) {
        wrong = inputError("A range query needs a start, a later end and a step of 1 ms or more.");
    } else if ((end - start) / step > maxPoints) {
        wrong = inputError("The step is too small for this range: Prometheus gives at most 11,000 "
                           "points a series. Take a larger step or a shorter range.");
    }
    if (wrong) {
        QMetaObject::invokeMethod(
            context, [answered, error = *wrong] { answered(error); }, Qt::QueuedConnection);
        return;
    }
    QByteArray form;
    addField(form, "query", expression);
    addField(form, "start", number(std::floor(start / step) * step));
    addField(form, "end", number(std::floor(end / step) * step));
    addField(form, "step", number(step));
    addField(form, "timeout", milliseconds(timeoutMs));
    ask(QStringLiteral("/api/v1/query_range"), form, context, timeoutMs,
        [answered = std::move(answered), step](const Result<QByteArray>& body, int status) {
            answered(body ? parseRange(status, *body, step) : Result<RangeAnswer>(body.error()));
        });
}

void PrometheusClient::query(const QString& expression, QObject* context,
    std::function<void(Result<QList<InstantSample>>)> answered, int timeoutMs)
{
    QByteArray form;
    addField(form, "query", expression);
    addField(form, "timeout", milliseconds(timeoutMs));
    ask(QStringLiteral("/api/v1/query"), form, context, timeoutMs,
        [answered = std::move(answered)](const Result<QByteArray>& body, int status) {
            answered(
                body ? parseInstant(status, *body) : Result<QList<InstantSample>>(body.error()));
        });
}

void PrometheusClient::querySamples(const QString& rangeVector, QObject* context,
    std::function<void(Result<QList<TimeSeries>>)> answered, int timeoutMs)
{
    QByteArray form;
    addField(form, "query", rangeVector);
    addField(form, "timeout", milliseconds(timeoutMs));
    ask(QStringLiteral("/api/v1/query"), form, context, timeoutMs,
        [answered = std::move(answered)](const Result<QByteArray>& body, int status) {
            const auto parsed = body ? parseRange(status, *body, 0) : body.error();
            answered(parsed ? Result<QList<TimeSeries>>(parsed->series) : parsed.error());
        });
}

void PrometheusClient::rules(
    QObject* context, std::function<void(Result<QList<AlertRule>>)> answered, int timeoutMs)
{
    ask(QStringLiteral("/api/v1/rules"), std::nullopt, context, timeoutMs,
        [answered = std::move(answered)](const Result<QByteArray>& body, int status) {
            answered(body ? parseRules(status, *body) : Result<QList<AlertRule>>(body.error()));
        });
}

void PrometheusClient::labelNames(
    QObject* context, std::function<void(Result<QStringList>)> answered, int timeoutMs)
{
    ask(QStringLiteral("/api/v1/labels"), std::nullopt, context, timeoutMs,
        [answered = std::move(answered)](const Result<QByteArray>& body, int status) {
            answered(body ? parseNames(status, *body) : Result<QStringList>(body.error()));
        });
}

void PrometheusClient::labelValues(const QString& label, QObject* context,
    std::function<void(Result<QStringList>)> answered, int timeoutMs)
{
    ask(QStringLiteral("/api/v1/label/%1/values").arg(label), std::nullopt, context, timeoutMs,
        [answered = std::move(answered)](const Result<QByteArray>& body, int status) {
            answered(body ? parseNames(status, *body) : Result<QStringList>(body.error()));
        });
}

void PrometheusClient::ask(const QString& endpoint, const std::optional<QByteArray>& form,
    QObject* context, int timeoutMs, Received received)
{
    const bool isHttp = m_baseUrl.scheme() == QLatin1StringView("http")
        || m_baseUrl.scheme() == QLatin1StringView("https");
    if (!isHttp || m_baseUrl.host().isEmpty()) {
        QMetaObject::invokeMethod(
            context,
            [received = std::move(received)] {
                received(inputError("No Prometheus is set for this environment. Give its base URL, "
                                    "as in http://127.0.0.1:9090."),
                    0);
            },
            Qt::QueuedConnection);
        return;
    }
    QUrl url = m_baseUrl;
    QString path = url.path();
    while (path.endsWith(u'/')) {
        path.chop(1);
    }
    url.setPath(path + endpoint);
    QNetworkRequest request(url);
    request.setHeader(
        QNetworkRequest::ContentTypeHeader, QByteArrayLiteral("application/x-www-form-urlencoded"));
    // A redirect would turn the POST into a GET without its form.
    request.setAttribute(
        QNetworkRequest::RedirectPolicyAttribute, QNetworkRequest::ManualRedirectPolicy);
    QNetworkReply* reply = form ? m_network.post(request, *form) : m_network.get(request);

    struct Broken
    {
        bool late = false;
        bool large = false;
        bool abandoned = false; ///< who asked is gone
    };
    auto broken = std::make_shared<Broken>();
    // setTransferTimeout() starts again with every byte: a server that drips would never be late.
    auto* deadline = new QTimer(reply);
    deadline->setSingleShot(true);
    connect(deadline, &QTimer::timeout, reply, [reply, broken] {
        broken->late = true;
        reply->abort();
    });
    deadline->start(timeoutMs);
    // downloadProgress() comes at most every 100 ms, and not at all for what came since.
    connect(reply, &QNetworkReply::readyRead, reply, [reply, broken] {
        if (reply->bytesAvailable() > maxAnswerBytes) {
            broken->large = true;
            reply->abort();
        }
    });
    connect(reply, &QNetworkReply::finished, this,
        [reply, broken, url, timeoutMs, received = std::move(received)] {
            reply->deleteLater();
            if (broken->abandoned) {
                return;
            }
            const int status = reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt();
            if (broken->late) {
                received(unreachableError("Prometheus at "
                             + url.toString(QUrl::RemoveUserInfo).toStdString()
                             + " did not answer within " + std::to_string(timeoutMs) + " ms."),
                    status);
            } else if (broken->large) {
                received(refusedError("Prometheus' answer is over 32 MiB. Ask for fewer series, a "
                                      "shorter range or a larger step."),
                    status);
            } else if (status == 0 || (status == 200 && reply->error() != QNetworkReply::NoError)) {
                received(transportError(*reply, url), status);
            } else {
                received(reply->readAll(), status);
            }
        });
    if (context != nullptr) {
        // A QPointer would still point at a widget here: only ~QObject clears it, and a widget says
        // destroyed() before that.
        connect(context, &QObject::destroyed, reply, [reply, broken] {
            broken->abandoned = true;
            reply->abort();
        });
    }
}

} // namespace sluice::ops

#include "moc_prometheusclient.cpp"

#pragma once

#include "engine/base/result.h"

#include <QDateTime>
#include <QList>
#include <QMap>
#include <QNetworkAccessManager>
#include <QObject>
#include <QPointF>
#include <QString>
#include <QUrl>
#include <functional>
#include <optional>

namespace sluice::ops {

using Labels = QMap<QString, QString>;

/// One series of a range query: x is seconds since 1970, y the value; a gap in the data is a gap in
/// x larger than the step; NaN and infinities are left out.
struct TimeSeries
{
    Labels labels;
    QList<QPointF> points;
};

struct RangeAnswer
{
    QList<TimeSeries> series;
    QStringList warnings;
    double stepSeconds = 0;
};

struct InstantSample
{
    Labels labels;
    double time = 0; ///< seconds since 1970
    double value = 0; ///< may be NaN
};

/// One alert of a rule: it fires, or waits for the rule's `for` to pass.
struct ActiveAlert
{
    Labels labels; ///< with alertname
    bool firing = false; ///< else pending
    QDateTime since; ///< UTC
    double value = 0;
    QString summary; ///< annotation summary, else description
};

struct AlertRule
{
    QString group;
    QString name;
    QString expression;
    QString severity; ///< label severity; may be empty
    double forSeconds = 0;
    QString state; ///< "inactive", "pending", "firing"
    QString error; ///< why it could not be evaluated; empty when all is well
    QDateTime evaluatedAt; ///< UTC
    QList<ActiveAlert> alerts;
};

/// Prometheus' HTTP API (v1), asynchronous, with a time-out on each query. Answers over 32 MiB are
/// broken off. Errors: Input (the query is wrong), Refused (it can't be executed, or needs a
/// login), Unreachable (no answer in time, a proxy's error page, the server overloaded).
class PrometheusClient : public QObject
{
    Q_OBJECT

public:
    explicit PrometheusClient(QObject* parent = nullptr);

    void setBaseUrl(const QUrl& url);
    QUrl baseUrl() const;

    /// The step for a range and a width: a multiple of `minStep` (the scrape interval), never over
    /// 11,000 points, which is what Prometheus allows.
    static double stepFor(double rangeSeconds, int pixels, double minStep = 1.0);

    /// Start and end (seconds since 1970) are aligned down to the step. `context` or the client
    /// gone: no call; otherwise exactly one, never from within this function.
    void queryRange(const QString& expression, double start, double end, double step,
        QObject* context, std::function<void(Result<RangeAnswer>)> answered, int timeoutMs = 5000);
    void query(const QString& expression, QObject* context,
        std::function<void(Result<QList<InstantSample>>)> answered, int timeoutMs = 5000);
    /// The stored samples themselves, at the times they were scraped: of a range vector, as in
    /// "name[5m]". NaN is left out.
    void querySamples(const QString& rangeVector, QObject* context,
        std::function<void(Result<QList<TimeSeries>>)> answered, int timeoutMs = 5000);

    /// The alerting rules with their alerts, in the server's order.
    void rules(QObject* context, std::function<void(Result<QList<AlertRule>>)> answered,
        int timeoutMs = 5000);
    /// The names of all labels; the values of one (of `__name__`: the metrics).
    void labelNames(
        QObject* context, std::function<void(Result<QStringList>)> answered, int timeoutMs = 5000);
    void labelValues(const QString& label, QObject* context,
        std::function<void(Result<QStringList>)> answered, int timeoutMs = 5000);

    /// The parser alone: status and body of an answer.
    static Result<RangeAnswer> parseRange(int status, const QByteArray& body, double step);
    static Result<QList<InstantSample>> parseInstant(int status, const QByteArray& body);
    static Result<QList<AlertRule>> parseRules(int status, const QByteArray& body);
    static Result<QStringList> parseNames(int status, const QByteArray& body);

private:
    using Received = std::function<void(Result<QByteArray>, int status)>;
    /// GET without a form, else POST.
    void ask(const QString& endpoint, const std::optional<QByteArray>& form, QObject* context,
        int timeoutMs, Received received);

    QNetworkAccessManager m_network;
    QUrl m_baseUrl;
};

} // namespace sluice::ops

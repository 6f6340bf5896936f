#pragma once

#include "engine/base/result.h"
#include "engine/operations/monitoring/prometheusclient.h"

#include <QDateTime>
#include <QJsonDocument>
#include <QList>
#include <QNetworkAccessManager>
#include <QObject>
#include <QUrl>
#include <functional>
#include <optional>

namespace sluice::ops {

/// An alert whose notifications Alertmanager holds back until a time.
struct Silence
{
    QString id;
    Labels labels; ///< every one has to be as here (matchers of other kinds are left out)
    bool exact = true; ///< false: it has matchers that `labels` can't say
    QString by;
    QString comment;
    QDateTime until; ///< UTC

    bool covers(const Labels& alert) const;
};

/// Alertmanager's API v2 (prometheus.io/docs/alerting, openapi.yaml of 0.25), asynchronous; each
/// call has a time-out of 3 s and answers exactly once while `context` lives.
class Alertmanager : public QObject
{
    Q_OBJECT

public:
    template <typename T> using Answered = std::function<void(Result<T>)>;

    explicit Alertmanager(QObject* parent = nullptr);

    /// The first Alertmanager that this Prometheus sends to (`/api/v1/alertmanagers`); Refused when
    /// it has none.
    void discover(const QUrl& prometheus, QObject* context, Answered<QUrl> answered);
    /// Those that hold now.
    void silences(const QUrl& base, QObject* context, Answered<QList<Silence>> answered);
    /// Silences exactly the alert with these labels, from now on; answers with the silence's id.
    void silence(const QUrl& base, const Labels& labels, const QString& by, const QString& comment,
        int minutes, QObject* context, Answered<QString> answered);
    void end(const QUrl& base, const QString& id, QObject* context, Answered<QString> answered);

private:
    void send(const QByteArray& verb, const QUrl& base, const QString& path, const QByteArray& body,
        QObject* context, Answered<QJsonDocument> answered);

    QNetworkAccessManager m_network;
};

/// Reads the answer to `/api/v2/silences`; those that hold. Input error for another shape.
Result<QList<Silence>> parseSilences(const QJsonDocument& answer);

} // namespace sluice::ops

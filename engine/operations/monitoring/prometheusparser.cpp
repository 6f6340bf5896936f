// The answers of Prometheus' HTTP API, apart from how they were fetched.
#include "engine/operations/monitoring/prometheusclient.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QRegularExpression>
#include <cmath>
#include <limits>
#include <optional>

namespace sluice::ops {
namespace {

struct Data
{
    QJsonValue all;
    QString type; ///< of a query's answer
    QJsonValue result;
    QStringList warnings;
};

/// The first words of an error page, without its markup.
QString gist(const QByteArray& body)
{
    static const QRegularExpression hidden(QStringLiteral("<(script|style|head)[^>]*>.*?</\\1>"),
        QRegularExpression::CaseInsensitiveOption | QRegularExpression::DotMatchesEverythingOption);
    static const QRegularExpression tag(QStringLiteral("<[^>]*>"));
    QString text = QString::fromUtf8(body.left(4000));
    text.replace(hidden, QStringLiteral(" ")).replace(tag, QStringLiteral(" "));
    text = text.simplified();
    return text.size() > 160 ? text.left(160) + QStringLiteral("...") : text;
}

Error httpError(int status, const QByteArray& body)
{
    const std::string what = "HTTP status " + std::to_string(status);
    const std::string cause = gist(body).toStdString();
    if (status == 401 || status == 403) {
        return refusedError(
            "Prometheus wants a login, or this one is not enough: " + what + ".", cause);
    }
    if (status == 200) {
        return unreachableError(
            "The answer is not Prometheus' JSON: something else answers at this "
            "address, or the answer was cut off.",
            cause);
    }
    if (status == 404 || (status >= 300 && status < 400)) {
        return inputError("There is no Prometheus API at this address: " + what
                + ". Check the base URL and its path.",
            cause);
    }
    return unreachableError(
        "Prometheus, or a proxy before it, answered with an error page: " + what + ".", cause);
}

Error apiError(int status, const QString& type, const QString& text)
{
    const std::string cause = text.toStdString();
    if (type == QLatin1StringView("bad_data")) {
        return inputError("Prometheus does not understand the query.", cause);
    }
    if (type == QLatin1StringView("timeout") || type == QLatin1StringView("canceled")) {
        return unreachableError("Prometheus gave the query up before it was done.", cause);
    }
    if (type == QLatin1StringView("execution")) {
        return refusedError("Prometheus could not execute the query.", cause);
    }
    if (status == 503 || type == QLatin1StringView("unavailable")) {
        return unreachableError("Prometheus is not ready or overloaded.", cause);
    }
    return refusedError("Prometheus refused the query (" + type.toStdString() + ").", cause);
}

Result<Data> readEnvelope(int status, const QByteArray& body)
{
    QJsonParseError problem;
    const QJsonDocument document = QJsonDocument::fromJson(body, &problem);
    const QJsonObject envelope = document.object();
    const QString verdict = envelope.value(QLatin1StringView("status")).toString();
    if (verdict == QLatin1StringView("error")) {
        return apiError(status, envelope.value(QLatin1StringView("errorType")).toString(),
            envelope.value(QLatin1StringView("error")).toString());
    }
    if (verdict != QLatin1StringView("success") || status / 100 != 2) {
        return httpError(status, body);
    }
    Data data;
    data.all = envelope.value(QLatin1StringView("data"));
    const QJsonObject content = data.all.toObject();
    data.type = content.value(QLatin1StringView("resultType")).toString();
    data.result = content.value(QLatin1StringView("result"));
    for (const QLatin1StringView key :
        {QLatin1StringView("warnings"), QLatin1StringView("infos")}) {
        const QJsonArray texts = envelope.value(key).toArray();
        for (const auto& text : texts) {
            data.warnings.append(text.toString());
        }
    }
    return data;
}

std::optional<double> parseValue(const QJsonValue& value)
{
    const QString text = value.toString();
    if (text == QLatin1StringView("NaN")) {
        return std::numeric_limits<double>::quiet_NaN();
    }
    if (text == QLatin1StringView("+Inf") || text == QLatin1StringView("Inf")) {
        return std::numeric_limits<double>::infinity();
    }
    if (text == QLatin1StringView("-Inf")) {
        return -std::numeric_limits<double>::infinity();
    }
    bool ok = false;
    const double parsed = text.toDouble(&ok);
    return ok ? std::optional(parsed) : std::nullopt;
}

/// [seconds, "value"]
std::optional<QPointF> parsePair(const QJsonValue& value)
{
    const QJsonArray pair = value.toArray();
    if (pair.size() != 2 || !pair.at(0).isDouble()) {
        return std::nullopt;
    }
    const std::optional<double> parsed = parseValue(pair.at(1));
    return parsed ? std::optional(QPointF(pair.at(0).toDouble(), *parsed)) : std::nullopt;
}

Labels parseLabels(const QJsonObject& owner, QLatin1StringView key = QLatin1StringView("metric"))
{
    Labels labels;
    const QJsonObject metric = owner.value(key).toObject();
    for (auto it = metric.begin(); it != metric.end(); ++it) {
        labels.insert(it.key(), it.value().toString());
    }
    return labels;
}

Error malformed()
{
    return unreachableError(
        "Prometheus' answer has a sample that is not a pair of time and value.");
}

Error wrongType(const QString& type)
{
    return inputError("The query gives a "
        + (type.isEmpty() ? std::string("nothing") : type.toStdString())
        + ", which can't be shown as numbers over labels.");
}

} // namespace

Result<RangeAnswer> PrometheusClient::parseRange(int status, const QByteArray& body, double step)
{
    Result<Data> data = readEnvelope(status, body);
    if (!data) {
        return data.error();
    }
    if (data->type != QLatin1StringView("matrix")) {
        return wrongType(data->type);
    }
    RangeAnswer answer;
    answer.stepSeconds = step;
    answer.warnings = data->warnings;
    const QJsonArray result = data->result.toArray();
    for (const auto& entry : result) {
        const QJsonObject series = entry.toObject();
        if (series.contains(QLatin1StringView("histograms"))) {
            answer.warnings.append(QStringLiteral("Native histograms are left out: the query needs "
                                                  "histogram_quantile() or the like."));
        }
        TimeSeries line;
        line.labels = parseLabels(series);
        const QJsonArray values = series.value(QLatin1StringView("values")).toArray();
        line.points.reserve(values.size());
        for (const auto& value : values) {
            const std::optional<QPointF> point = parsePair(value);
            if (!point) {
                return malformed();
            }
            if (std::isfinite(point->y())) {
                line.points.append(*point);
            }
        }
        if (!line.points.isEmpty()) {
            answer.series.append(std::move(line));
        }
    }
    answer.warnings.removeDuplicates();
    return answer;
}

Result<QList<InstantSample>> PrometheusClient::parseInstant(int status, const QByteArray& body)
{
    Result<Data> data = readEnvelope(status, body);
    if (!data) {
        return data.error();
    }
    QList<InstantSample> samples;
    const auto append = [&samples](const Labels& labels, const QJsonValue& pair) {
        const std::optional<QPointF> point = parsePair(pair);
        if (point) {
            samples.append({labels, point->x(), point->y()});
        }
        return point.has_value();
    };
    if (data->type == QLatin1StringView("scalar")) {
        return append({}, data->result) ? Result(samples) : malformed();
    }
    if (data->type != QLatin1StringView("vector")) {
        return wrongType(data->type);
    }
    const QJsonArray result = data->result.toArray();
    for (const auto& entry : result) {
        const QJsonObject series = entry.toObject();
        if (series.contains(QLatin1StringView("histogram"))) {
            continue;
        }
        if (!append(parseLabels(series), series.value(QLatin1StringView("value")))) {
            return malformed();
        }
    }
    return samples;
}

namespace {

QDateTime timeOf(const QJsonValue& value)
{
    return QDateTime::fromString(value.toString(), Qt::ISODateWithMs).toUTC();
}

AlertRule parseRule(const QString& group, const QJsonObject& rule)
{
    AlertRule parsed;
    parsed.group = group;
    parsed.name = rule.value(QLatin1StringView("name")).toString();
    parsed.expression = rule.value(QLatin1StringView("query")).toString();
    parsed.severity =
        parseLabels(rule, QLatin1StringView("labels")).value(QStringLiteral("severity"));
    parsed.forSeconds = rule.value(QLatin1StringView("duration")).toDouble();
    parsed.state = rule.value(QLatin1StringView("state")).toString();
    parsed.error = rule.value(QLatin1StringView("lastError")).toString();
    parsed.evaluatedAt = timeOf(rule.value(QLatin1StringView("lastEvaluation")));
    const QJsonArray alerts = rule.value(QLatin1StringView("alerts")).toArray();
    for (const auto& entry : alerts) {
        const QJsonObject alert = entry.toObject();
        const Labels annotations = parseLabels(alert, QLatin1StringView("annotations"));
        parsed.alerts.append({parseLabels(alert, QLatin1StringView("labels")),
            alert.value(QLatin1StringView("state")).toString() == QLatin1StringView("firing"),
            timeOf(alert.value(QLatin1StringView("activeAt"))),
            parseValue(alert.value(QLatin1StringView("value"))).value_or(0),
            annotations.value(
                QStringLiteral("summary"), annotations.value(QStringLiteral("description")))});
    }
    return parsed;
}

} // namespace

Result<QList<AlertRule>> PrometheusClient::parseRules(int status, const QByteArray& body)
{
    Result<Data> data = readEnvelope(status, body);
    if (!data) {
        return data.error();
    }
    QList<AlertRule> parsed;
    const QJsonArray groups = data->all.toObject().value(QLatin1StringView("groups")).toArray();
    for (const auto& group : groups) {
        const QString name = group.toObject().value(QLatin1StringView("name")).toString();
        const QJsonArray rules = group.toObject().value(QLatin1StringView("rules")).toArray();
        for (const auto& rule : rules) {
            const QJsonObject object = rule.toObject();
            if (object.value(QLatin1StringView("type")).toString()
                == QLatin1StringView("alerting")) {
                parsed.append(parseRule(name, object));
            }
        }
    }
    return parsed;
}

Result<QStringList> PrometheusClient::parseNames(int status, const QByteArray& body)
{
    Result<Data> data = readEnvelope(status, body);
    if (!data) {
        return data.error();
    }
    QStringList names;
    const QJsonArray all = data->all.toArray();
    for (const auto& name : all) {
        names.append(name.toString());
    }
    return names;
}

} // namespace sluice::ops

#include "engine/operations/queries/workersource.h"

#include "engine/base/json.h"
#include "engine/classification/answerreader.h"

#include <QElapsedTimer>
#include <QEventLoop>
#include <QHostAddress>
#include <QJsonDocument>
#include <QJsonObject>
#include <QNetworkProxy>
#include <QNetworkReply>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>

namespace sluice::ops {

namespace json = boost::json;

namespace {

constexpr int patienceMs = 5000;

json::object bodyOf(const Query& query)
{
    json::object body{{"text", query.text}};
    if (!query.system.empty()) {
        body["system"] = query.system;
    }
    if (!query.systemActs.empty()) {
        body["system_acts"] = json::array(query.systemActs.begin(), query.systemActs.end());
    }
    return body;
}

QByteArray bytes(const json::object& object)
{
    return QByteArray::fromStdString(json::serialize(object));
}

} // namespace

WorkerSource::WorkerSource(QueryTarget target)
    : m_target(std::move(target))
{
    const QString host = m_target.worker.host();
    if (host == QLatin1StringView("localhost") || QHostAddress(host).isLoopback()) {
        m_network.setProxy(QNetworkProxy(QNetworkProxy::NoProxy));
    }
}

Result<QByteArray> WorkerSource::request(
    const char* path, const QByteArray& body, const QByteArray& session)
{
    QUrl url = m_target.worker;
    url.setPath(
        QString(url.path().chopped(url.path().endsWith(u'/') ? 1 : 0) % QLatin1StringView(path)));
    QNetworkRequest request(url);
    request.setTransferTimeout(patienceMs);
    request.setAttribute(
        QNetworkRequest::RedirectPolicyAttribute, QNetworkRequest::ManualRedirectPolicy);
    if (!session.isEmpty()) {
        request.setRawHeader("X-Session-Id", session);
    }
    if (!m_target.token.isEmpty()) {
        request.setRawHeader("Authorization", "Bearer " + m_target.token.toUtf8());
    }
    QElapsedTimer taken;
    taken.start();
    std::unique_ptr<QNetworkReply> reply;
    if (body.isEmpty()) {
        reply.reset(m_network.get(request));
    } else {
        request.setHeader(QNetworkRequest::ContentTypeHeader, QStringLiteral("application/json"));
        reply.reset(m_network.post(request, body));
    }
    QEventLoop loop;
    QObject::connect(reply.get(), &QNetworkReply::finished, &loop, &QEventLoop::quit);
    if (!reply->isFinished()) {
        loop.exec(QEventLoop::ExcludeUserInputEvents);
    }
    m_roundTripMs = double(taken.nsecsElapsed()) * 1e-6;
    const int status = reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt();
    const QByteArray answer = reply->readAll();
    const std::string where = m_target.worker.toString(QUrl::RemoveUserInfo).toStdString();
    if (status == 0) {
        return unreachableError("The worker at " + where + " did not answer. Check that it runs.",
            reply->errorString().toStdString());
    }
    if (status < 200 || status >= 300) {
        const QJsonObject problem = QJsonDocument::fromJson(answer).object();
        const QString detail = problem[QLatin1StringView("detail")].toString();
        return refusedError(
            "The worker at " + where + " answered with " + std::to_string(status) + ".",
            detail.toStdString());
    }
    return answer;
}

Result<Reply> WorkerSource::ask(const Query& query, Session& session, ContextUse use)
{
    json::object body = bodyOf(query);
    body["explain"] = true;
    if (use == ContextUse::Use) {
        body["durable"] = true; // the next turn may follow at once
    } else {
        body["context"] = use == ContextUse::None ? "none" : "read_only";
    }
    const auto text = request("/v1/classify", bytes(body),
        use == ContextUse::None ? QByteArray() : QByteArray::fromStdString(session.id));
    if (!text) {
        return text.error();
    }
    auto value = parseJson(text->toStdString(), "the worker's answer");
    if (!value) {
        return value.error();
    }
    auto read = answerFromJson(*value, "the worker's answer");
    if (!read) {
        return read.error();
    }
    if (use == ContextUse::Use) {
        Classifier::remember(session, read->answer);
    }
    return Reply{std::move(read->answer), *text, m_roundTripMs};
}

Result<std::vector<Result<Answer>>> WorkerSource::askAll(std::span<const Query> queries)
{
    json::array list;
    for (const Query& query : queries) {
        list.push_back(bodyOf(query));
    }
    const auto text = request("/v1/classify/batch", bytes({{"queries", std::move(list)}}));
    if (!text) {
        return text.error();
    }
    auto value = parseJson(text->toStdString(), "the worker's answer");
    if (!value) {
        return value.error();
    }
    const json::object* object = value->if_object();
    const json::value* member = object == nullptr ? nullptr : object->if_contains("answers");
    const json::array* answers = member == nullptr ? nullptr : member->if_array();
    if (answers == nullptr || answers->size() != queries.size()) {
        return inputError("the worker's answer: \"answers\" with one answer a query is expected");
    }
    std::vector<Result<Answer>> read;
    read.reserve(answers->size());
    for (const json::value& item : *answers) {
        const json::object* one = item.if_object();
        if (const json::value* error = one == nullptr ? nullptr : one->if_contains("error")) {
            read.emplace_back(inputError(
                error->is_string() ? std::string(error->get_string()) : json::serialize(*error)));
            continue;
        }
        auto answer = answerFromJson(item, "the worker's answer");
        if (!answer) {
            return answer.error();
        }
        read.emplace_back(std::move(answer->answer));
    }
    return read;
}

Result<TargetFacts> WorkerSource::facts()
{
    const auto text = request("/v1/info");
    if (!text) {
        return text.error();
    }
    const QJsonObject info = QJsonDocument::fromJson(*text).object();
    TargetFacts facts;
    facts.version = info[QLatin1StringView("version")].toString();
    facts.model = info[QLatin1StringView("model")].toString();
    facts.thresholdSet = info[QLatin1StringView("threshold_set")].toInteger();
    facts.threshold =
        info[QLatin1StringView("thresholds")].toObject()[QLatin1StringView("global")].toDouble();
    facts.labels = info[QLatin1StringView("labels")].toInteger();
    return facts;
}

} // namespace sluice::ops

#include "engine/service/routes/classify.h"

#include "engine/base/json.h"
#include "engine/classification/text/normaliser.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

namespace sluice::service {

namespace json = boost::json;

namespace {

/// What a query does with its session.
enum class ContextUse
{
    None, ///< nothing: it is classified as if there were none
    Use, ///< it is classified in it, and becomes its next turn
    ReadOnly ///< it is classified in it, and leaves it as it is
};

/// A classification request's body, checked.
struct ClassifyRequest
{
    Query query;
    std::string session;
    ContextUse context = ContextUse::Use;
    bool durable = false; ///< the answer waits until the turn is stored
    ClassifyOptions options;
};

ContextUse contextUseOf(JsonReader& in)
{
    const std::string name = in.optionalString("context").value_or("use");
    if (name == "none") {
        return ContextUse::None;
    }
    if (name == "read_only") {
        return ContextUse::ReadOnly;
    }
    if (name != "use") {
        in.fail("context", "one of \"none\", \"use\" and \"read_only\" is expected");
    }
    return ContextUse::Use;
}

void readQuery(JsonReader& in, Query& query)
{
    query.text = in.string("text");
    query.system = in.optionalString("system").value_or("");
    query.systemActs = in.optionalStrings("system_acts");
}

void readOptions(JsonReader& in, ClassifyOptions& options)
{
    options.explain = in.optionalBoolean("explain").value_or(false);
    options.topK = std::size_t(in.optionalInteger("top_k", 1, 100).value_or(5));
}

Result<ClassifyRequest> readClassify(const std::string& body)
{
    auto value = parseJson(body, "the body");
    if (!value) {
        return value.error();
    }
    ClassifyRequest read;
    JsonReader in(*value, "the body");
    readQuery(in, read.query);
    read.session = in.optionalString("session").value_or("");
    read.context = contextUseOf(in);
    read.durable = in.optionalBoolean("durable").value_or(false);
    if (read.durable && read.context != ContextUse::Use) {
        in.fail("durable", "nothing is stored with this \"context\": leave one of them out");
    }
    readOptions(in, read.options);
    if (auto done = in.finish(); !done) {
        return done.error();
    }
    return read;
}

/// 413 for what is too long, 400 for the rest.
Response refusedQuery(const Error& error)
{
    const bool tooLong = error.message.find("at most") != std::string::npos;
    return tooLong ? problem(413, "Content Too Large", error.message)
                   : problem(400, "Bad Request", error.message);
}

/// The configured bound, where it is below the engine's own.
Result<void> checkLength(const RouteContext& context, const Query& query)
{
    const std::size_t most = context.limits.queryCodePoints;
    return most < maxQueryCodePoints ? checkQuery(query.text, most) : Result<void>();
}

void count(const RouteContext& context, const Answer& answer)
{
    context.metrics->decision(toString(answer.verdict), answer.intent,
        answer.candidates.empty() ? 0 : answer.candidates.front().confidence);
}

/// One classification under way, from its request to its answer.
class Classification : public std::enable_shared_from_this<Classification>
{
public:
    Classification(const RouteContext& context, RequestPointer request, Server::Respond respond,
        ClassifyRequest read)
        : m_context(context)
        , m_request(std::move(request))
        , m_respond(std::move(respond))
        , m_read(std::move(read))
    { }

    void start()
    {
        const std::string_view* header = m_request->header("X-Session-Id");
        const bool given = header != nullptr || !m_read.session.empty();
        if (header != nullptr && !m_read.session.empty() && m_read.session != *header) {
            refuse("the session in the body differs from the one in X-Session-Id: the balancer "
                   "goes by the header, so send that alone");
            return;
        }
        m_id = header != nullptr ? std::string(*header) : m_read.session;
        if (given && !isValidSessionId(m_id)) {
            refuse("a session is named by 1 to 128 printable ASCII characters without blanks");
            return;
        }
        if (!given) {
            m_id = makeSessionId();
        }
        m_session.id = m_id;
        if (!given || m_read.context == ContextUse::None) {
            decide(true); // a name made here has no past to look for
            return;
        }
        m_context.sessions->load(m_id,
            [self = shared_from_this(), since = std::chrono::steady_clock::now()](
                Result<std::optional<Session>> loaded) {
                self->m_context.metrics->sessionLoad.observe(secondsSince(since));
                const bool available = loaded.ok();
                if (available && *loaded) {
                    self->m_session = std::move(**loaded);
                }
                self->decide(available);
            });
    }

private:
    void refuse(std::string_view detail) { m_respond(problem(400, "Bad Request", detail)); }

    void decide(bool available)
    {
        const bool hasContext = available && m_read.context != ContextUse::None;
        const ServingPointer serving = m_context.serving();
        if (!m_context.plainCatalogue.empty()) {
            // As slow as meant; the same patterns are in the classifier's catalogue.
            (void)EntityCatalogue::fromJson(m_context.plainCatalogue, "plain");
        }
        auto answer = serving->classifier->classify(m_read.query, *serving->thresholds,
            hasContext ? &m_session : nullptr, m_context.now(), m_read.options);
        if (!answer) {
            m_respond(refusedQuery(answer.error()));
            return;
        }
        if (!available) {
            answer->context = ContextState::Unavailable;
            ++m_context.metrics->contextUnavailable;
        }
        count(m_context, *answer);
        m_context.decisions->add(*answer, m_read.query.text, m_id, m_request->id,
            *serving->classifier, m_request->received);
        if (hasContext && m_read.context == ContextUse::Use) {
            Classifier::remember(m_session, *answer);
            save(std::move(*answer));
        } else {
            send(*answer, false);
        }
    }

    /// Stores the turn, and answers: when it is stored if that is asked for, else at once.
    void save(Answer answer)
    {
        const auto saved = [metrics = m_context.metrics, since = std::chrono::steady_clock::now()](
                               const Result<int>& done) {
            metrics->sessionSave.observe(secondsSince(since));
            metrics->sessionsNotSaved += done ? 0U : 1U;
        };
        if (!m_read.durable) {
            m_context.sessions->save(std::move(m_session), SessionWrite::Behind, saved);
            send(answer, false);
            return;
        }
        m_context.sessions->save(std::move(m_session), SessionWrite::Awaited,
            [self = shared_from_this(), answer = std::move(answer), saved](
                const Result<int>& done) mutable {
                saved(done);
                answer.turn = done ? *done : answer.turn; // another turn may have come before it
                self->send(answer, done.ok());
            });
    }

    void send(const Answer& answer, bool stored)
    {
        Response response = jsonResponse(toJson(answer, m_read.query.text, m_id));
        response.headers.emplace_back("X-Session-Id", m_id);
        if (m_read.durable) {
            response.headers.emplace_back("X-Session-Stored", stored ? "true" : "false");
        }
        m_respond(std::move(response));
    }

    const RouteContext& m_context;
    RequestPointer m_request;
    Server::Respond m_respond;
    ClassifyRequest m_read;
    std::string m_id; ///< of the session
    Session m_session; ///< as it was loaded, or new
};

/// A text, or an object with a query's members.
Result<Query> readBatchItem(const json::value& item, std::size_t index)
{
    Query query;
    if (const json::string* text = item.if_string()) {
        query.text = std::string(*text);
        return query;
    }
    const std::string where = fmt::format("the body: queries[{}]", index);
    if (!item.is_object()) {
        return inputError(where + ": every query is a text, or an object with \"text\"");
    }
    JsonReader in(item, where);
    readQuery(in, query);
    if (auto done = in.finish(); !done) {
        return done.error();
    }
    return query;
}

Result<std::vector<Query>> readBatch(JsonReader& in, const json::value* list)
{
    const json::array* items = list == nullptr ? nullptr : list->if_array();
    if (items == nullptr) {
        in.fail("queries", "an array of texts, or of objects with \"text\", is expected");
    }
    if (auto done = in.finish(); !done) {
        return done.error();
    }
    std::vector<Query> queries;
    queries.reserve(items->size());
    for (const json::value& item : *items) {
        auto query = readBatchItem(item, queries.size());
        if (!query) {
            return query.error();
        }
        queries.push_back(std::move(*query));
    }
    return queries;
}

} // namespace

void classifyRoute(
    const RouteContext& context, const RequestPointer& request, const Server::Respond& respond)
{
    auto read = readClassify(request->body);
    if (!read) {
        respond(problem(400, "Bad Request", read.error().message));
        return;
    }
    if (auto checked = checkLength(context, read->query); !checked) {
        respond(refusedQuery(checked.error()));
        return;
    }
    std::make_shared<Classification>(context, request, respond, std::move(*read))->start();
}

void batchRoute(
    const RouteContext& context, const RequestPointer& request, const Server::Respond& respond)
{
    auto value = parseJson(request->body, "the body");
    if (!value) {
        respond(problem(400, "Bad Request", value.error().message));
        return;
    }
    JsonReader in(*value, "the body");
    ClassifyOptions options;
    readOptions(in, options);
    const auto queries = readBatch(in, in.optionalValue("queries"));
    if (!queries) {
        respond(problem(400, "Bad Request", queries.error().message));
        return;
    }
    if (queries->size() > context.limits.batch) {
        respond(problem(413, "Content Too Large",
            fmt::format("{} queries are in the batch; at most {} are taken at once",
                queries->size(), context.limits.batch)));
        return;
    }
    const ServingPointer serving = context.serving();
    const std::string& requestId = request->id;
    std::string body = "{\"answers\":[";
    const auto answers =
        serving->classifier->classify(*queries, *serving->thresholds, context.now(), options);
    for (std::size_t index = 0; index < queries->size(); ++index) {
        const Query& query = (*queries)[index];
        const auto& answer = answers[index];
        const auto checked = checkLength(context, query);
        body += index == 0 ? "" : ",";
        if (!answer || !checked) {
            body += json::serialize(
                json::object{{"error", answer ? checked.error().message : answer.error().message}});
            continue;
        }
        count(context, *answer);
        const std::string id = fmt::format("{}:{}", requestId, index);
        context.decisions->add(
            *answer, query.text, id, id, *serving->classifier, request->received);
        body += toJson(*answer, query.text, {});
    }
    respond(jsonResponse(body + "]}"));
}

} // namespace sluice::service

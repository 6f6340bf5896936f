#include "engine/service/routes/classify.h"

#include "engine/base/json.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

namespace sluice::service {

namespace json = boost::json;

namespace {

/// A classification request's body, checked.
struct ClassifyRequest
{
    Query query;
    std::string session;
    bool durable = false; ///< the answer waits until the turn is stored
    ClassifyOptions options;
};

Result<ClassifyRequest> readClassify(const std::string& body)
{
    auto value = parseJson(body, "the body");
    if (!value) {
        return value.error();
    }
    ClassifyRequest read;
    JsonReader in(*value, "the body");
    read.query.text = in.string("text");
    read.session = in.optionalString("session").value_or("");
    read.query.system = in.optionalString("system").value_or("");
    read.query.systemActs = in.optionalStrings("system_acts");
    read.durable = in.optionalBoolean("durable").value_or(false);
    read.options.explain = in.optionalBoolean("explain").value_or(false);
    read.options.topK = std::size_t(in.optionalInteger("top_k", 1, 100).value_or(5));
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

void count(const RouteContext& context, const Answer& answer)
{
    context.metrics->decision(toString(answer.verdict), answer.intent,
        answer.candidates.empty() ? 0 : answer.candidates.front().confidence);
}

/// Stores the turn; `send` is called when it is stored if that is asked for, else at once.
void save(const RouteContext& context, const Session& session, Answer answer, bool durable,
    const std::function<void(const Answer&, bool stored)>& send)
{
    const auto saved = [metrics = context.metrics, since = std::chrono::steady_clock::now()](
                           const Result<int>& done) {
        metrics->sessionSave.observe(secondsSince(since));
        metrics->sessionsNotSaved += done ? 0U : 1U;
    };
    if (!durable) {
        context.sessions->save(session, SessionWrite::Behind, saved);
        send(answer, false);
        return;
    }
    context.sessions->save(session, SessionWrite::Awaited,
        [answer = std::move(answer), saved, send](const Result<int>& done) mutable {
            saved(done);
            answer.turn = done ? *done : answer.turn; // another turn may have come before it
            send(answer, done.ok());
        });
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
    const std::string* header = request->header("X-Session-Id");
    std::string id = header != nullptr ? *header : read->session;
    if (header != nullptr && !read->session.empty() && read->session != *header) {
        respond(problem(400, "Bad Request",
            "the session in the body differs from the one in X-Session-Id: the balancer goes by "
            "the header, so send that alone"));
        return;
    }
    const bool given = header != nullptr || !read->session.empty();
    if (given && !isValidSessionId(id)) {
        respond(problem(400, "Bad Request",
            "a session is named by 1 to 128 printable ASCII characters without blanks"));
        return;
    }
    if (!given) {
        id = makeSessionId();
    }
    const auto work = std::make_shared<ClassifyRequest>(std::move(*read));
    const auto send = [work, id, respond](const Answer& answer, bool stored) {
        Response response = jsonResponse(toJson(answer, work->query.text, id));
        response.headers.emplace_back("X-Session-Id", id);
        if (work->durable) {
            response.headers.emplace_back("X-Session-Stored", stored ? "true" : "false");
        }
        respond(std::move(response));
    };
    const auto finish = [&context, work, respond, send](Session session, bool available) {
        const auto thresholds = context.thresholds();
        auto answer = context.classifier->classify(
            work->query, *thresholds, available ? &session : nullptr, now(), work->options);
        if (!answer) {
            respond(refusedQuery(answer.error()));
            return;
        }
        count(context, *answer);
        if (!available) {
            answer->context = ContextState::Unavailable;
            ++context.metrics->contextUnavailable;
            send(*answer, false);
            return;
        }
        Classifier::remember(session, *answer);
        save(context, session, std::move(*answer), work->durable, send);
    };
    Session fresh;
    fresh.id = id;
    if (!given) {
        finish(std::move(fresh), true); // a name made here has no past to look for
        return;
    }
    const auto since = std::chrono::steady_clock::now();
    context.sessions->load(
        id, [&context, finish, fresh, since](Result<std::optional<Session>> loaded) {
            context.metrics->sessionLoad.observe(secondsSince(since));
            if (!loaded) {
                finish(fresh, false);
                return;
            }
            finish(*loaded ? **loaded : fresh, true);
        });
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
    const json::value* list = in.optionalValue("queries");
    ClassifyOptions options;
    options.topK = std::size_t(in.optionalInteger("top_k", 1, 100).value_or(5));
    const json::array* items = list == nullptr ? nullptr : list->if_array();
    if (items == nullptr) {
        in.fail("queries", "an array of texts, or of objects with \"text\", is expected");
    }
    if (auto done = in.finish(); !done) {
        respond(problem(400, "Bad Request", done.error().message));
        return;
    }
    if (items->size() > context.limits.batch) {
        respond(problem(413, "Content Too Large",
            fmt::format("{} queries are in the batch; at most {} are taken at once", items->size(),
                context.limits.batch)));
        return;
    }
    const auto thresholds = context.thresholds();
    std::string body = "{\"answers\":[";
    for (const json::value& item : *items) {
        Query query;
        const json::object* object = item.if_object();
        const json::value* text = object == nullptr ? &item : object->if_contains("text");
        if (text == nullptr || !text->is_string() || (object != nullptr && object->size() != 1)) {
            respond(problem(400, "Bad Request",
                "every query is a text, or an object with \"text\" and nothing else"));
            return;
        }
        query.text = std::string(text->get_string());
        const auto answer =
            context.classifier->classify(query, *thresholds, nullptr, now(), options);
        body += body.back() == '[' ? "" : ",";
        if (answer) {
            count(context, *answer);
            body += toJson(*answer, query.text, {});
        } else {
            body += json::serialize(json::object{{"error", answer.error().message}});
        }
    }
    respond(jsonResponse(body + "]}"));
}

} // namespace sluice::service

#include "engine/service/configurationfields.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <initializer_list>

namespace sluice::service {

namespace json = boost::json;

namespace {

constexpr std::string_view sections[] = {"listen", "tls", "auth", "limits", "redis", "sessions",
    "decision_log", "feedback", "privacy", "log", "sentry", "model", "plain"};

template <typename T> std::int64_t countOf(const T& value)
{
    if constexpr (requires { value.count(); }) {
        return std::int64_t(value.count());
    } else {
        return std::int64_t(value);
    }
}

/// Collects the fields of one section after the other.
class FieldList
{
public:
    void section(std::string_view name) { m_section = name; }

    void string(std::string_view key, std::string& value, std::string_view what,
        std::initializer_list<std::string_view> choices = {})
    {
        json::object schema{{"type", "string"}};
        if (choices.size() > 0) {
            schema["enum"] = json::array(choices.begin(), choices.end());
        }
        schema["default"] = value;
        add(key, std::move(schema), what,
            [&value](const json::value& given) { value = std::string(given.as_string()); });
    }

    template <typename T>
    void integer(std::string_view key, T& value, std::int64_t least, std::int64_t most,
        std::string_view what)
    {
        add(key,
            {{"type", "integer"}, {"minimum", least}, {"maximum", most},
                {"default", countOf(value)}},
            what,
            [&value](const json::value& given) { value = T(given.to_number<std::int64_t>()); });
    }

    void number(
        std::string_view key, double& value, double least, double most, std::string_view what)
    {
        add(key, {{"type", "number"}, {"minimum", least}, {"maximum", most}, {"default", value}},
            what, [&value](const json::value& given) { value = given.to_number<double>(); });
    }

    void boolean(std::string_view key, bool& value, std::string_view what)
    {
        add(key, {{"type", "boolean"}, {"default", value}}, what,
            [&value](const json::value& given) { value = given.as_bool(); });
    }

    void strings(std::string_view key, std::vector<std::string>& value, std::string_view what)
    {
        add(key, {{"type", "array"}, {"items", json::object{{"type", "string"}}}}, what,
            [&value](const json::value& given) {
                value.clear();
                for (const json::value& item : given.as_array()) {
                    value.emplace_back(item.as_string());
                }
            });
    }

    void tokens(std::string_view key, std::vector<TokenSettings>& value, std::string_view what)
    {
        const json::object item{{"type", "object"}, {"additionalProperties", false},
            {"required", json::array{"name", "sha256", "role"}},
            {"properties",
                json::object{{"name", json::object{{"type", "string"}, {"minLength", 1}}},
                    {"sha256", json::object{{"type", "string"}, {"pattern", "^[0-9a-f]{64}$"}}},
                    {"role",
                        json::object{{"type", "string"},
                            {"enum",
                                json::array{"client", "viewer", "tester", "admin", "lead"}}}}}}};
        add(key, {{"type", "array"}, {"items", item}}, what, [&value](const json::value& given) {
            value.clear();
            for (const json::value& token : given.as_array()) {
                const auto at = [&token](const char* name) {
                    return std::string(token.as_object().at(name).as_string());
                };
                value.push_back({at("name"), at("sha256"), at("role")});
            }
        });
    }

    std::vector<Field> take() { return std::move(m_fields); }

private:
    void add(std::string_view key, json::object schema, std::string_view what,
        std::function<void(const json::value&)> set)
    {
        schema["description"] = what;
        m_fields.push_back({m_section, key, std::move(schema), std::move(set)});
    }

    std::string_view m_section;
    std::vector<Field> m_fields;
};

void addEdge(FieldList& list, Configuration& all)
{
    list.section("listen");
    list.string("host", all.listen.host, "address to listen on");
    list.integer("port", all.listen.port, 0, 65535, "0: any that is free");
    list.string("port_file", all.listen.portFile, "the port is also written into this file");
    list.string(
        "pool", all.listen.pool, "which published thresholds it follows", {"blue", "green"});
    list.integer("drain_seconds", all.listen.drain, 0, 3600,
        "after SIGTERM, requests in flight may take so long");
    list.section("tls");
    list.string("certificate", all.tls.certificate,
        "PEM file, with the chain behind it; empty: plain HTTP; read again on SIGHUP");
    list.string("key", all.tls.key, "PEM file");
    list.string("client_ca", all.tls.clientCa,
        "PEM file; given, every client must show a certificate that it signed");
    list.string("minimum", all.tls.minimum, "oldest version of TLS taken", {"1.2", "1.3"});
    list.section("auth");
    list.boolean("classify_open", all.auth.classifyOpen,
        "whether classify and feedback ask for no token; admin routes always do");
    list.tokens("tokens", all.auth.tokens,
        "bearer tokens by their hash, a role each (`sluicectl token` makes one)");
}

void addLimits(FieldList& list, LimitSettings& limits)
{
    list.section("limits");
    list.integer("header_bytes", limits.headerBytes, 256, 65536, "a longer header: 431");
    list.integer(
        "body_bytes", limits.bodyBytes, 1024, 64 << 20, "a longer body, as sent or inflated: 413");
    list.integer("model_bytes", limits.modelBytes, 1024, std::int64_t(4) << 30,
        "a longer model file, uploaded with an admin's token: 413");
    list.integer("query_code_points", limits.queryCodePoints, 1, 4096, "a longer query: 413");
    list.integer("batch", limits.batch, 1, 1000, "more queries at once: 413");
    list.integer("connections", limits.connections, 1, 1000000, "more at once: 503");
    list.integer("in_flight", limits.inFlight, 1, 1000000, "more requests at once: 503");
    list.integer("queue_delay_ms", limits.queueDelay, 0, 10000,
        "requests that waited longer are answered with 503 while that lasts; 0: never");
    list.number("rate_per_client", limits.ratePerClient, 0, 1e6,
        "requests a second by token or address, beyond: 429; 0: no limit");
    list.number("burst_per_client", limits.burstPerClient, 0, 1e6,
        "requests at once by token or address; 0: one second's worth");
    list.boolean("forwarded_for", limits.forwardedFor,
        "a client's address is the last one in X-Forwarded-For: behind a balancer that sets it");
    list.integer("header_seconds", limits.headerTimeout, 1, 3600,
        "from the first byte of a request to the end of its header, beyond: 408");
    list.integer("read_seconds", limits.readTimeout, 1, 3600,
        "from the first byte of a request to its last, beyond: 408");
    list.integer("idle_seconds", limits.idleTimeout, 1, 86400, "between requests");
    list.integer("write_seconds", limits.writeTimeout, 1, 3600, "for an answer to be taken");
}

void addRest(FieldList& list, Configuration& all)
{
    list.section("redis");
    list.string("host", all.redis.host, "Redis for sessions and threshold sets");
    list.integer(
        "port", all.redis.port, 0, 65535, "0: sessions in memory, the model's own thresholds");
    list.strings("cluster", all.redis.cluster,
        "HOST:PORT of nodes of a Redis Cluster instead; the others are learnt");
    list.strings(
        "sentinels", all.redis.sentinels, "HOST:PORT of sentinels instead, which name the master");
    list.string("sentinel_master", all.redis.sentinelMaster, "under which they watch it");
    list.string("sentinel_user", all.redis.sentinelUser, "ACL user at the sentinels");
    list.string("sentinel_password", all.redis.sentinelPassword,
        "better given as SLUICE_REDIS_SENTINEL_PASSWORD");
    list.string("user", all.redis.user, "ACL user");
    list.string("password", all.redis.password, "better given as SLUICE_REDIS_PASSWORD");
    list.string("tls_ca", all.redis.tlsCa,
        "refused: Redis over TLS needs a stunnel on this host (docs/FORMATS.md)");
    list.integer("budget_ms", all.redis.budget, 1, 60000, "a query waits for its session so long");
    list.section("sessions");
    list.integer("ttl_seconds", all.sessions.life, 1, 31536000,
        "a session is kept so long after its last turn");
    list.integer("in_memory", all.sessions.inMemory, 1, 100000000, "kept where there is no Redis");
    list.section("decision_log");
    list.number("share", all.decisionLog.share, 0, 1,
        "of the sessions whose decisions go to the stream sluice:decisions");
    list.integer("keep", all.decisionLog.keep, 1, 100000000, "rows that the stream holds, about");
    list.integer("queue", all.decisionLog.queue, 1, 60000,
        "rows on their way to Redis; beyond, they are dropped and counted");
    list.section("feedback");
    list.string("folder", all.feedback.folder,
        "where feedback waits while Redis is away; empty: it is refused with 503 meanwhile");
    list.integer("buffer_mb", all.feedback.bufferMb, 1, 65536, "what may wait there, MiB");
    list.integer("keep", all.feedback.keep, 1, 100000000, "rows that the stream holds, about");
    list.section("privacy");
    list.string("queries", all.privacy.queries, "queries in the decision log",
        {"plain", "redacted", "hashed", "none"});
    list.string("sessions", all.privacy.sessions, "sessions' names in decision log and feedback",
        {"plain", "hashed"});
    list.strings("entities", all.privacy.entities,
        "types of entities that are redacted; empty: every type of the catalogue");
    list.string(
        "key", all.privacy.key, "secret under which is hashed; better given as SLUICE_PRIVACY_KEY");
    list.section("log");
    list.string("level", all.log.level, "from which level on", {"debug", "info", "warn", "error"});
    list.string("format", all.log.format, "a JSON object a line, or text", {"json", "text"});
    list.string("file", all.log.file, "empty: standard error; opened anew on SIGHUP");
    list.integer("max_mb", all.log.maxMb, 1, 65536, "a larger file is rotated: FILE.1, FILE.2 ...");
    list.integer("keep", all.log.keep, 0, 1000, "old files kept");
    list.integer("repeat_seconds", all.log.repeat, 0, 86400,
        "a line that repeats within is counted, and its number told; 0: written each time");
    list.boolean("access", all.log.access, "a line for every request");
    list.section("sentry");
    list.string("dsn", all.sentry.dsn, "errors are reported to it; empty: to nobody");
    list.string("environment", all.sentry.environment, "told with every report");
    list.string("crash_folder", all.sentry.crashFolder,
        "a crash is noted in this folder and reported at the next start; empty: not");
    list.section("model");
    list.string("file", all.model.file, "model file; empty: the bundled help-desk model");
    list.string("catalogue", all.model.catalogue,
        "entity catalogue; empty: the bundled one; \"none\": no entities");
    list.integer("cache_mb", all.model.cacheMb, 0, 65536, "result cache, MiB; 0: none");
    list.integer("watch_seconds", all.model.watch, 0, 86400,
        "looks so often whether the file was replaced, and serves the new one; 0: never");
    list.string("state_folder", all.model.stateFolder,
        "where models uploaded to /v1/admin/model are kept; empty: none are taken");
    list.section("plain");
    list.boolean("redis", all.plain.redis,
        "only to be compared with: a connection and a blocking wait for each session read or "
        "written");
    list.boolean("patterns", all.plain.patterns,
        "only to be compared with: the catalogue's patterns are compiled for every query");
}

} // namespace

std::vector<Field> fieldsOf(Configuration& configuration)
{
    FieldList list;
    addEdge(list, configuration);
    addLimits(list, configuration.limits);
    addRest(list, configuration);
    return list.take();
}

Field* findField(std::vector<Field>& fields, std::string_view path)
{
    const auto found = std::find_if(fields.begin(), fields.end(), [&](const Field& field) {
        return path.size() == field.section.size() + 1 + field.key.size()
            && path.starts_with(field.section) && path[field.section.size()] == '.'
            && path.ends_with(field.key);
    });
    return found == fields.end() ? nullptr : &*found;
}

std::span<const std::string_view> sectionNames()
{
    return sections;
}

bool isSection(std::string_view name)
{
    return std::find(std::begin(sections), std::end(sections), name) != std::end(sections);
}

} // namespace sluice::service

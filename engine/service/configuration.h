#pragma once

#include "engine/base/result.h"
#include "engine/classification/context/rediscommands.h"

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::service {

/// Where the worker listens, and which pool it belongs to.
struct ListenSettings
{
    std::string host = "127.0.0.1";
    std::uint16_t port = 0; ///< 0: any that is free
    std::string portFile; ///< the port is also written here
    std::string pool = "blue";
    std::chrono::seconds drain{5}; ///< after SIGTERM, requests in flight may take so long
};

struct TlsSettings
{
    std::string certificate; ///< PEM, the chain behind it; empty: plain HTTP
    std::string key; ///< PEM
    std::string clientCa; ///< PEM; given: every client must show a certificate signed by it
    std::string minimum = "1.2"; ///< or "1.3"
};

/// A bearer token, known by its hash alone.
struct TokenSettings
{
    std::string name; ///< whom it stands for, in logs and limits
    std::string sha256; ///< of the token, 64 lower-case hexadecimal digits
    std::string role; ///< client, viewer, tester, admin or lead
};

struct AuthSettings
{
    bool classifyOpen = true; ///< classify and feedback ask for no token
    std::vector<TokenSettings> tokens;
};

struct LimitSettings
{
    std::size_t headerBytes = 8 * 1024;
    std::size_t bodyBytes = 1024 * 1024; ///< after inflation
    std::size_t modelBytes = std::size_t(256) << 20; ///< a model uploaded by an admin
    std::size_t queryCodePoints = 4096;
    std::size_t batch = 1000;
    std::size_t connections = 20000;
    std::size_t inFlight = 1024; ///< requests being answered
    std::chrono::milliseconds queueDelay{10}; ///< aimed at; 0: never sheds
    double ratePerClient = 0; ///< requests a second; 0: no limit
    double burstPerClient = 0; ///< 0: one second's worth
    bool forwardedFor = false; ///< a client's address is X-Forwarded-For's last
    std::chrono::seconds headerTimeout{10}; ///< from a request's first byte to its header's last
    std::chrono::seconds readTimeout{15}; ///< to its body's last
    std::chrono::seconds idleTimeout{75};
    std::chrono::seconds writeTimeout{15};
};

struct RedisSettingsOfWorker
{
    std::string host = "127.0.0.1";
    std::uint16_t port = 0; ///< 0: sessions in memory, no published thresholds
    std::vector<std::string> cluster; ///< HOST:PORT, nodes of a Redis Cluster, instead
    std::vector<std::string> sentinels; ///< HOST:PORT, instead: they name the master
    std::string sentinelMaster = "mymaster"; ///< under which they watch it
    std::string sentinelUser;
    std::string sentinelPassword;
    std::string user;
    std::string password;
    std::string tlsCa; ///< refused, with what to do instead
    std::chrono::milliseconds budget{20}; ///< a query waits for its session so long
};

struct SessionSettings
{
    std::chrono::seconds life{1800};
    std::size_t inMemory = 100000; ///< sessions kept where there is no Redis
};

struct DecisionLogSettings
{
    double share = 0.1; ///< of the sessions whose decisions are logged; 0: none
    std::size_t keep = 100000; ///< rows that the stream holds, about
    std::size_t queue = 1000; ///< rows on their way to Redis, beyond: dropped
};

struct FeedbackSettings
{
    std::string folder; ///< where feedback waits while Redis is away; empty: nowhere (503)
    std::size_t bufferMb = 64; ///< what may wait there
    std::size_t keep = 100000; ///< rows that the stream holds, about
};

struct PrivacySettings
{
    std::string queries = "redacted"; ///< in log and feedback: plain, redacted, hashed or none
    std::string sessions = "plain"; ///< or hashed
    std::vector<std::string> entities; ///< types that are redacted; empty: all of the catalogue
    std::string key; ///< of the hashes
};

struct LogSettings
{
    std::string level = "info";
    std::string format = "json"; ///< or "text"
    std::string file; ///< empty: standard error
    std::uint64_t maxMb = 16; ///< a file; then it is rotated
    int keep = 5; ///< old files
    std::chrono::seconds repeat{10}; ///< a line that repeats within is only counted; 0: written
    bool access = false; ///< a line for every request
};

struct SentrySettings
{
    std::string dsn; ///< empty: nothing is reported
    std::string environment = "production";
    std::string crashFolder; ///< a crash is noted here and reported at the next start; empty: not
};

struct ModelSettings
{
    std::string file; ///< empty: the bundled one
    std::string catalogue; ///< empty: the bundled one; "none": no entities
    std::size_t cacheMb = 32; ///< result cache, MiB; 0: none
    std::chrono::seconds watch{0}; ///< looks so often whether the file has changed; 0: never
    std::string stateFolder; ///< where uploaded models are kept; empty: none are taken
};

/// How a service does it before somebody looks; to be compared with, never in production
/// (tests/bench/plain.json).
struct PlainSettings
{
    bool redis = false; ///< each load and save of a session blocks, on a connection of its own
    bool patterns = false; ///< the catalogue's patterns are compiled for every query
};

/// All that a worker can be told: one JSON file (docs/FORMATS.md), environment variables over it,
/// flags over both. The defaults are sane.
struct Configuration
{
    ListenSettings listen;
    TlsSettings tls;
    AuthSettings auth;
    LimitSettings limits;
    RedisSettingsOfWorker redis;
    SessionSettings sessions;
    DecisionLogSettings decisionLog;
    FeedbackSettings feedback;
    PrivacySettings privacy;
    LogSettings log;
    SentrySettings sentry;
    ModelSettings model;
    PlainSettings plain;

    bool usesRedis() const
    {
        return redis.port != 0 || !redis.cluster.empty() || !redis.sentinels.empty();
    }
};

/// A setting from elsewhere than the file: an environment variable, a flag.
struct Setting
{
    std::string path; ///< "listen.port"
    std::string text; ///< lists: separated by commas; objects: JSON
    std::string source; ///< how errors name it: "--port", "SLUICE_LISTEN_PORT"
};

struct LoadedConfiguration
{
    Configuration configuration;
    std::vector<std::string> problems; ///< each with its path; none: usable
};

/// Reads `file` (empty: none) and puts `settings` over it, later ones over earlier ones. Everything
/// that is wrong is told, not just the first thing.
LoadedConfiguration loadConfiguration(
    const std::filesystem::path& file, const std::vector<Setting>& settings);

/// The same from text; `where` begins every message about it.
LoadedConfiguration readConfiguration(
    std::string_view json, std::string_view where, const std::vector<Setting>& settings);

/// SLUICE_SECTION_KEY=VALUE, for every section and key of the file, out of `environment` (as
/// ::environ). A name of a section's that is no key is a Setting too, so that it is refused.
std::vector<Setting> environmentSettings(const char* const* environment);

/// The JSON Schema (2020-12) of the file: resources/schema/configuration.schema.json.
std::string configurationSchema();

} // namespace sluice::service

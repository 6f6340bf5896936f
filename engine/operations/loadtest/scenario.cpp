#include "engine/operations/loadtest/scenario.h"

#include "engine/base/json.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <array>
#include <boost/json/array.hpp>
#include <fmt/format.h>

namespace sluice::ops {

namespace json = boost::json;

namespace {

constexpr std::array models{LoadModel::Open, LoadModel::Closed};
constexpr std::array shapes{
    RampShape::Step, RampShape::Linear, RampShape::Exponential, RampShape::Smooth};
constexpr std::array sources{QuerySource::Bundled, QuerySource::Conversations, QuerySource::File,
    QuerySource::Traffic, QuerySource::Texts};
constexpr std::size_t maxPhases = 100;

QString text(std::string_view from)
{
    return QString::fromUtf8(from.data(), qsizetype(from.size()));
}

/// Reads `member` as an object by `read(JsonReader&)`, where it is there.
template <typename Read>
void readObject(JsonReader& in, std::string_view member, const std::string& where, Read read)
{
    const json::value* value = in.optionalValue(member);
    if (value == nullptr) {
        return;
    }
    JsonReader inner(*value, where + ": " + std::string(member));
    read(inner);
    if (const auto done = inner.finish(); !done) {
        in.fail(member, done.error().message.substr(where.size() + member.size() + 4));
    }
}

/// The same for each element of an array.
template <typename Read>
void readArray(JsonReader& in, std::string_view member, const std::string& where, Read read)
{
    const json::value* value = in.optionalValue(member);
    if (value == nullptr) {
        return;
    }
    if (!value->is_array() || value->get_array().empty()) {
        in.fail(member, "an array that is not empty is expected");
        return;
    }
    int index = 0;
    for (const json::value& item : value->get_array()) {
        const std::string place = fmt::format("{}: {}", where, member);
        JsonReader inner(item, place);
        read(inner);
        if (const auto done = inner.finish(); !done) {
            in.fail(fmt::format("{}[{}]", member, index),
                done.error().message.substr(place.size() + 2));
            return;
        }
        ++index;
    }
}

LoadPhase readPhase(JsonReader& in, LoadModel model)
{
    LoadPhase phase;
    phase.seconds = in.number("seconds", 0.001, Scenario::maxSeconds);
    const bool open = model == LoadModel::Open;
    const double most = open ? Scenario::maxRate : Scenario::maxUsers;
    phase.level = in.number(open ? "rate" : "users", 0, most);
    phase.from = in.optionalNumber("from", 0, most);
    if (in.optionalValue("shape") != nullptr) {
        phase.shape = namedMember(in, "shape", shapes);
    }
    return phase;
}

ScriptTurn readTurn(JsonReader& in)
{
    ScriptTurn turn{text(in.string("text")), text(in.optionalString("system").value_or("")), {}};
    for (const std::string& act : in.optionalStrings("system_acts")) {
        turn.systemActs << text(act);
    }
    if (turn.text.trimmed().isEmpty()) {
        in.fail("text", "is empty");
    }
    return turn;
}

QueryChoice readQueries(JsonReader& in)
{
    QueryChoice choice;
    choice.source = namedMember(in, "source", sources);
    choice.file = text(in.optionalString("file").value_or(""));
    choice.split = text(in.optionalString("split").value_or(""));
    for (const std::string& query : in.optionalStrings("texts")) {
        choice.texts << text(query);
        if (choice.texts.back().trimmed().isEmpty()) {
            in.fail("texts", "one is empty");
        }
    }
    choice.zipf = in.optionalNumber("zipf", 0, 10).value_or(0);
    choice.distinct = int(in.optionalInteger("distinct", 1, 1000000).value_or(0));
    const bool reads = choice.source == QuerySource::File || choice.source == QuerySource::Traffic;
    if (reads && choice.file.isEmpty()) {
        in.fail("file", "is missing");
    }
    if (choice.source == QuerySource::Texts && choice.texts.isEmpty()) {
        in.fail("texts", "is missing");
    }
    return choice;
}

RouteMix readRoutes(JsonReader& in)
{
    RouteMix mix;
    mix.classify = in.optionalNumber("classify", 0, 1e6).value_or(0);
    mix.batch = in.optionalNumber("batch", 0, 1e6).value_or(0);
    mix.feedback = in.optionalNumber("feedback", 0, 1e6).value_or(0);
    mix.info = in.optionalNumber("info", 0, 1e6).value_or(0);
    mix.batchSize = int(in.optionalInteger("batch_size", 1, 1000).value_or(mix.batchSize));
    if (mix.classify + mix.batch + mix.feedback + mix.info <= 0) {
        in.fail("classify", "no route has a share over 0");
    }
    return mix;
}

LoadTargets readTargets(JsonReader& in)
{
    LoadTargets targets;
    targets.p95Ms = in.optionalNumber("p95_ms", 0.001, 1e6).value_or(targets.p95Ms);
    targets.p99Ms = in.optionalNumber("p99_ms", 0.001, 1e6).value_or(targets.p99Ms);
    targets.errorShare = in.optionalNumber("error_share", 0, 1).value_or(targets.errorShare);
    targets.leastRate = in.optionalNumber("least_rate", 0, 1e6);
    targets.workerMiB = in.optionalNumber("worker_mib", 1, 1e6);
    targets.workerCpuShare = in.optionalNumber("worker_cpu_share", 0, 1000);
    targets.cacheHitShare = in.optionalNumber("cache_hit_share", 0, 1);
    targets.workerGrowth = in.optionalNumber("worker_mib_per_hour", 0.001, 1e6);
    return targets;
}

} // namespace

std::string_view toString(LoadModel model)
{
    return model == LoadModel::Open ? "open" : "closed";
}

std::string_view toString(QuerySource source)
{
    switch (source) {
    case QuerySource::Conversations:
        return "conversations";
    case QuerySource::File:
        return "file";
    case QuerySource::Traffic:
        return "traffic";
    case QuerySource::Texts:
        return "texts";
    case QuerySource::Bundled:
        break;
    }
    return "bundled";
}

Scenario Scenario::constant(const QString& name, int users, double rate, double seconds)
{
    Scenario scenario;
    scenario.name = name;
    scenario.sessions = users;
    scenario.phases = {LoadPhase{seconds, rate}};
    return scenario;
}

double Scenario::peakUsers() const
{
    return model == LoadModel::Open ? sessions : profile().peak();
}

double Scenario::peakRate() const
{
    if (model == LoadModel::Open) {
        return profile().peak();
    }
    return think.meanSeconds > 0 ? profile().peak() / think.meanSeconds : 0;
}

QList<CurvePoint> Scenario::curve(int points) const
{
    const LoadProfile load = profile();
    QList<CurvePoint> curve;
    const int steps = std::max(points, 2) - 1;
    for (int step = 0; step <= steps; ++step) {
        // The profile is over at its end; the curve shows its last level.
        const double at = load.seconds() * step / steps;
        const double level = load.levelAt(std::min(at, load.seconds() * (1 - 1e-9)));
        if (model == LoadModel::Open) {
            curve << CurvePoint{at, double(sessions), level};
        } else {
            curve << CurvePoint{at, level, think.meanSeconds > 0 ? level / think.meanSeconds : 0};
        }
    }
    return curve;
}

Scenario Scenario::scaled(double factor) const
{
    const double by = std::clamp(factor, 0.001, 1000.0);
    Scenario scenario = *this;
    for (LoadPhase& phase : scenario.phases) {
        phase.seconds *= by;
    }
    scenario.timeScale *= by;
    return scenario;
}

Result<Scenario> Scenario::fromJson(const QByteArray& bytes, const QString& file)
{
    const std::string where = file.toStdString();
    const auto value = parseJson({bytes.constData(), std::size_t(bytes.size())}, where);
    if (!value) {
        return value.error();
    }
    JsonReader in(*value, where);
    Scenario scenario;
    scenario.name = text(in.string("name"));
    scenario.description = text(in.optionalString("description").value_or(""));
    scenario.model = namedMember(in, "model", models);
    scenario.phases.clear();
    readArray(in, "phases", where,
        [&](JsonReader& phase) { scenario.phases.push_back(readPhase(phase, scenario.model)); });
    if (!in.failed() && (scenario.phases.empty() || scenario.phases.size() > maxPhases)) {
        in.fail("phases", fmt::format("1 to {} of them are expected", maxPhases));
    }
    scenario.sessions =
        int(in.optionalInteger("sessions", 1, maxUsers).value_or(scenario.sessions));
    readObject(in, "think_seconds", where, [&](JsonReader& think) {
        scenario.think.meanSeconds = think.number("mean", 0, 3600);
        scenario.think.jitter = think.optionalNumber("jitter", 0, 1).value_or(0.5);
    });
    readObject(in, "queries", where,
        [&](JsonReader& queries) { scenario.queries = readQueries(queries); });
    readArray(in, "conversations", where, [&](JsonReader& conversation) {
        Conversation script;
        script.weight = conversation.optionalNumber("weight", 0.000001, 1e6).value_or(1);
        readArray(
            conversation, "turns", "", [&](JsonReader& turn) { script.turns << readTurn(turn); });
        if (script.turns.isEmpty() && !conversation.failed()) {
            conversation.fail("turns", "is missing");
        }
        scenario.conversations << script;
    });
    readObject(
        in, "routes", where, [&](JsonReader& routes) { scenario.routes = readRoutes(routes); });
    readObject(in, "targets", where,
        [&](JsonReader& targets) { scenario.targets = readTargets(targets); });
    scenario.stopAfterBreachedSeconds =
        in.optionalNumber("stop_after_breached_seconds", 0, maxSeconds).value_or(0);
    scenario.maxInFlight =
        int(in.optionalInteger("max_in_flight", 1, 100000).value_or(scenario.maxInFlight));
    scenario.timeoutSeconds =
        in.optionalNumber("timeout_seconds", 0.001, 600).value_or(scenario.timeoutSeconds);
    scenario.timeScale = in.optionalNumber("time_scale", 1e-9, 1e9).value_or(1);
    if (!in.failed() && scenario.name.isEmpty()) {
        in.fail("name", "is empty");
    }
    if (const auto done = in.finish(); !done) {
        return done.error();
    }
    return scenario;
}

namespace {

QJsonObject phaseJson(const LoadPhase& phase, LoadModel model)
{
    QJsonObject object{{QStringLiteral("seconds"), phase.seconds},
        {model == LoadModel::Open ? QStringLiteral("rate") : QStringLiteral("users"), phase.level}};
    if (phase.shape != RampShape::Step) {
        object[QStringLiteral("shape")] = text(toString(phase.shape));
    }
    if (phase.from) {
        object[QStringLiteral("from")] = *phase.from;
    }
    return object;
}

QJsonObject queriesJson(const QueryChoice& queries)
{
    QJsonObject object{{QStringLiteral("source"), text(toString(queries.source))}};
    if (!queries.file.isEmpty()) {
        object[QStringLiteral("file")] = queries.file;
    }
    if (!queries.split.isEmpty()) {
        object[QStringLiteral("split")] = queries.split;
    }
    if (!queries.texts.isEmpty()) {
        object[QStringLiteral("texts")] = QJsonArray::fromStringList(queries.texts);
    }
    if (queries.zipf > 0) {
        object[QStringLiteral("zipf")] = queries.zipf;
    }
    if (queries.distinct > 0) {
        object[QStringLiteral("distinct")] = queries.distinct;
    }
    return object;
}

QJsonObject conversationJson(const Conversation& conversation)
{
    QJsonArray turns;
    for (const ScriptTurn& turn : conversation.turns) {
        QJsonObject object{{QStringLiteral("text"), turn.text}};
        if (!turn.system.isEmpty()) {
            object[QStringLiteral("system")] = turn.system;
        }
        if (!turn.systemActs.isEmpty()) {
            object[QStringLiteral("system_acts")] = QJsonArray::fromStringList(turn.systemActs);
        }
        turns << object;
    }
    QJsonObject object{{QStringLiteral("turns"), turns}};
    if (conversation.weight != 1) {
        object[QStringLiteral("weight")] = conversation.weight;
    }
    return object;
}

QJsonObject targetsJson(const LoadTargets& targets)
{
    QJsonObject object{{QStringLiteral("p95_ms"), targets.p95Ms},
        {QStringLiteral("p99_ms"), targets.p99Ms},
        {QStringLiteral("error_share"), targets.errorShare}};
    const auto add = [&](const QString& key, const std::optional<double>& value) {
        if (value) {
            object[key] = *value;
        }
    };
    add(QStringLiteral("least_rate"), targets.leastRate);
    add(QStringLiteral("worker_mib"), targets.workerMiB);
    add(QStringLiteral("worker_cpu_share"), targets.workerCpuShare);
    add(QStringLiteral("cache_hit_share"), targets.cacheHitShare);
    add(QStringLiteral("worker_mib_per_hour"), targets.workerGrowth);
    return object;
}

} // namespace

QJsonObject Scenario::toJson() const
{
    QJsonArray list;
    for (const LoadPhase& phase : phases) {
        list << phaseJson(phase, model);
    }
    QJsonObject object{{QStringLiteral("name"), name},
        {QStringLiteral("model"), text(toString(model))}, {QStringLiteral("phases"), list},
        {QStringLiteral("routes"),
            QJsonObject{{QStringLiteral("classify"), routes.classify},
                {QStringLiteral("batch"), routes.batch},
                {QStringLiteral("feedback"), routes.feedback},
                {QStringLiteral("info"), routes.info},
                {QStringLiteral("batch_size"), routes.batchSize}}},
        {QStringLiteral("targets"), targetsJson(targets)},
        {QStringLiteral("stop_after_breached_seconds"), stopAfterBreachedSeconds},
        {QStringLiteral("max_in_flight"), maxInFlight},
        {QStringLiteral("timeout_seconds"), timeoutSeconds},
        {QStringLiteral("time_scale"), timeScale}};
    if (!description.isEmpty()) {
        object[QStringLiteral("description")] = description;
    }
    if (model == LoadModel::Open) {
        object[QStringLiteral("sessions")] = sessions;
    } else {
        object[QStringLiteral("think_seconds")] = QJsonObject{
            {QStringLiteral("mean"), think.meanSeconds}, {QStringLiteral("jitter"), think.jitter}};
    }
    if (conversations.isEmpty()) {
        object[QStringLiteral("queries")] = queriesJson(queries);
    } else {
        QJsonArray scripts;
        for (const Conversation& conversation : conversations) {
            scripts << conversationJson(conversation);
        }
        object[QStringLiteral("conversations")] = scripts;
    }
    return object;
}

Result<void> Scenario::check() const
{
    const LoadProfile load = profile();
    if (phases.empty() || !(load.seconds() >= 1) || load.seconds() > maxSeconds * 1.0001) {
        return inputError("a load run lasts 1 second to 24 hours");
    }
    const double users = peakUsers();
    if (!(users >= 1) || users > maxUsers) {
        return inputError(fmt::format("a load run has 1 to {} users", maxUsers));
    }
    if (!(load.peak() > 0) || (model == LoadModel::Open && load.peak() > maxRate)) {
        return inputError(
            fmt::format("a load run asks at most {} requests a second", int(maxRate)));
    }
    const double total =
        model == LoadModel::Open ? load.areaUntil(load.seconds()) : peakRate() * load.seconds();
    if (!(total <= maxRequests)) {
        return inputError(fmt::format(
            "a load run asks at most {} requests; this one would ask {:.0f}", maxRequests, total));
    }
    return {};
}

} // namespace sluice::ops

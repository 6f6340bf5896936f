#include "engine/operations/rollout/gatereading.h"

#include <array>
#include <cmath>
#include <utility>

namespace sluice::ops {

namespace {

constexpr std::array<std::pair<GateVerdict, const char*>, 6> verdicts{
    {{GateVerdict::Pass, "PASS"}, {GateVerdict::Fail, "FAIL"},
        {GateVerdict::Inconclusive, "INCONCLUSIVE"}, {GateVerdict::NoData, "NO_DATA"},
        {GateVerdict::SourceDown, "SOURCE_DOWN"}, {GateVerdict::Cancelled, "CANCELLED"}}};
constexpr std::array<std::pair<GateAction, const char*>, 4> actions{
    {{GateAction::Rollback, "rollback"}, {GateAction::Hold, "hold"}, {GateAction::Warn, "warn"},
        {GateAction::Record, "record"}}};

template <typename Table, typename Value> QString nameIn(const Table& table, Value value)
{
    for (const auto& [one, name] : table) {
        if (one == value) {
            return QString::fromLatin1(name);
        }
    }
    return {};
}

template <typename Value, typename Table>
std::optional<Value> valueIn(const Table& table, const QString& wanted)
{
    for (const auto& [value, name] : table) {
        if (wanted == QLatin1StringView(name)) {
            return value;
        }
    }
    return std::nullopt;
}

/// JSON knows no NaN: null.
QJsonValue numberOf(double value)
{
    return std::isfinite(value) ? QJsonValue(value) : QJsonValue();
}

double numberFrom(const QJsonValue& value)
{
    return value.toDouble(std::numeric_limits<double>::quiet_NaN());
}

} // namespace

QString verdictName(GateVerdict verdict)
{
    return nameIn(verdicts, verdict);
}

std::optional<GateVerdict> verdictFromName(const QString& name)
{
    return valueIn<GateVerdict>(verdicts, name);
}

QString actionName(GateAction action)
{
    return nameIn(actions, action);
}

std::optional<GateAction> actionFromName(const QString& name)
{
    return valueIn<GateAction>(actions, name);
}

QJsonObject GateReading::toJson() const
{
    return {{QStringLiteral("gate"), gate}, {QStringLiteral("action"), actionName(action)},
        {QStringLiteral("verdict"), verdictName(verdict)},
        {QStringLiteral("value"), numberOf(value)}, {QStringLiteral("limit"), numberOf(limit)},
        {QStringLiteral("unit"), unit}, {QStringLiteral("query"), query},
        {QStringLiteral("reason"), reason}, {QStringLiteral("evidence"), numberOf(evidence)},
        {QStringLiteral("evidence_limit"), numberOf(evidenceLimit)},
        {QStringLiteral("counts"), counts}, {QStringLiteral("at_ms"), atMs}};
}

GateReading GateReading::fromJson(const QJsonObject& object)
{
    GateReading reading;
    reading.gate = object[QStringLiteral("gate")].toString();
    // What a newer or damaged document says that we don't know is no good news, and no failure.
    reading.action =
        actionFromName(object[QStringLiteral("action")].toString()).value_or(GateAction::Hold);
    reading.verdict =
        verdictFromName(object[QStringLiteral("verdict")].toString()).value_or(GateVerdict::NoData);
    reading.value = numberFrom(object[QStringLiteral("value")]);
    reading.limit = numberFrom(object[QStringLiteral("limit")]);
    reading.unit = object[QStringLiteral("unit")].toString();
    reading.query = object[QStringLiteral("query")].toString();
    reading.reason = object[QStringLiteral("reason")].toString();
    reading.evidence = numberFrom(object[QStringLiteral("evidence")]);
    reading.evidenceLimit = numberFrom(object[QStringLiteral("evidence_limit")]);
    reading.counts = object[QStringLiteral("counts")].toObject();
    reading.atMs = object[QStringLiteral("at_ms")].toInteger();
    return reading;
}

} // namespace sluice::ops

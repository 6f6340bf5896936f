#include "engine/classification/model/modelmeta.h"

#include "engine/base/json.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <fmt/format.h>

namespace sluice {

namespace json = boost::json;

namespace {

constexpr std::size_t maxLabels = 65536;
constexpr std::int64_t maxRows = std::int64_t(1) << 31;
constexpr std::size_t maxMembers = 33;
/// The scorer sums so many products of an activation (2047 steps) and a byte in 32 bits.
constexpr std::size_t maxHidden = 8192;

json::object continuationOf(const Continuation& continuation)
{
    json::object object{{"before", continuation.before}};
    for (std::size_t index = 0; index < stayingFeatures; ++index) {
        object[toString(Staying(index))] = continuation.weights[index];
    }
    return object;
}

Result<Continuation> readContinuation(const json::value& value, const std::string& where)
{
    Continuation continuation;
    JsonReader in(value, where);
    continuation.before = in.number("before", -1e3, 1e3);
    for (std::size_t index = 0; index < stayingFeatures; ++index) {
        continuation.weights[index] = in.number(toString(Staying(index)), -1e3, 1e3);
    }
    if (auto done = in.finish(); !done) {
        return done.error();
    }
    return continuation;
}

json::object calibrationOf(const Calibration& calibration)
{
    json::object weights;
    for (std::size_t index = 0; index < scopeFeatures; ++index) {
        weights[toString(ScopeFeature(index))] = calibration.weights[index];
    }
    return {{"temperature", calibration.temperature},
        {"has_out_of_scope", calibration.hasOutOfScope}, {"bias", calibration.bias},
        {"weights", std::move(weights)}};
}

/// A member of `in` that is an object; a null value, with the error noted, where it is none.
const json::value& objectOf(JsonReader& in, std::string_view key)
{
    static const json::value none;
    const json::value* value = in.optionalValue(key);
    if (value == nullptr || !value->is_object()) {
        in.fail(key, "an object is expected");
        return none;
    }
    return *value;
}

Result<Calibration> readCalibration(const json::value& value, const std::string& where)
{
    Calibration calibration;
    JsonReader in(value, where);
    calibration.temperature = in.number("temperature", 1e-3, 1e3);
    calibration.hasOutOfScope = in.boolean("has_out_of_scope");
    calibration.bias = in.number("bias", -1e6, 1e6);
    JsonReader weights(objectOf(in, "weights"), where + ": weights");
    for (std::size_t index = 0; index < scopeFeatures; ++index) {
        calibration.weights[index] = weights.number(toString(ScopeFeature(index)), -1e6, 1e6);
    }
    if (auto done = in.finish(); !done) {
        return done.error();
    }
    if (auto done = weights.finish(); !done) {
        return done.error();
    }
    return calibration;
}

std::vector<double> numbersOf(JsonReader& in, std::string_view key)
{
    std::vector<double> numbers;
    const json::value* value = in.optionalValue(key);
    const json::array* list = value == nullptr ? nullptr : value->if_array();
    if (list == nullptr) {
        in.fail(key, "an array of numbers is expected");
        return numbers;
    }
    for (const json::value& item : *list) {
        if (!item.is_number() || !(item.to_number<double>() > 0)
            || !std::isfinite(item.to_number<double>())) {
            in.fail(key, "positive numbers are expected");
            return numbers;
        }
        numbers.push_back(item.to_number<double>());
    }
    return numbers;
}

} // namespace

std::string_view toString(ScopeFeature feature)
{
    constexpr std::array<std::string_view, scopeFeatures> names{"lead", "entropy", "linear_lead",
        "linear_entropy", "least_member", "agreement", "unseen_share", "length", "seen_weight",
        "winner_weight", "mean_idf", "seen_pairs", "winner_pairs"};
    return names[std::size_t(feature)];
}

std::string_view toString(Staying feature)
{
    constexpr std::array<std::string_view, stayingFeatures> names{
        "bias", "length", "lead", "unseen", "asked", "told", "question", "late"};
    return names[std::size_t(feature)];
}

std::string metaText(const ModelMeta& meta)
{
    json::object object{{"labels", json::array(meta.labels.begin(), meta.labels.end())},
        {"tier", toString(meta.tier)}, {"data_hash", meta.dataHash}, {"seed", meta.seed},
        {"epochs", meta.epochs}, {"has_context", meta.hasContext},
        {"validation_accuracy", meta.validationAccuracy},
        {"calibration", calibrationOf(meta.calibration)}, {"threshold", meta.globalThreshold},
        {"margin", meta.margin},
        {"member_scales", json::array(meta.memberScales.begin(), meta.memberScales.end())},
        {"word_rows", meta.wordRows}, {"pair_rows", meta.pairRows},
        {"context_rows", meta.contextRows}, {"table_rows", meta.tableRows},
        {"dimension", meta.shape.dimension}, {"filters", meta.shape.filters},
        {"widths", meta.shape.widths}};
    if (!meta.continuation.isEmpty()) {
        object["continuation"] = continuationOf(meta.continuation);
    }
    return json::serialize(object);
}

Result<ModelMeta> readMeta(std::string_view text, std::string_view where)
{
    auto value = parseJson(text, where);
    if (!value) {
        return value.error();
    }
    ModelMeta meta;
    JsonReader in(*value, std::string(where));
    meta.labels = in.optionalStrings("labels");
    const std::string tier = in.string("tier");
    meta.dataHash = in.string("data_hash");
    meta.seed = std::uint64_t(in.integer("seed", 0, INT64_MAX));
    meta.epochs = int(in.integer("epochs", 0, 1000000));
    meta.hasContext = in.boolean("has_context");
    meta.validationAccuracy = in.number("validation_accuracy", 0, 1);
    const json::value& calibration = objectOf(in, "calibration");
    const json::value* continuation = in.optionalValue("continuation");
    meta.globalThreshold = in.number("threshold", 0, 1);
    meta.margin = in.number("margin", 0, 1);
    meta.memberScales = numbersOf(in, "member_scales");
    meta.wordRows = std::size_t(in.integer("word_rows", 0, maxRows));
    meta.pairRows = std::size_t(in.integer("pair_rows", 0, maxRows));
    meta.contextRows = std::size_t(in.integer("context_rows", 0, maxRows));
    meta.tableRows = std::size_t(in.integer("table_rows", 0, maxRows));
    meta.shape.dimension = std::size_t(in.integer("dimension", 0, 4096));
    meta.shape.filters = std::size_t(in.integer("filters", 0, 4096));
    meta.shape.widths = std::size_t(in.integer("widths", 0, 8));
    if (meta.labels.size() < 2 || meta.labels.size() > maxLabels
        || !std::is_sorted(meta.labels.begin(), meta.labels.end())) {
        in.fail("labels", "two or more sorted names are expected");
    }
    if (tier != toString(Tier::Fast) && tier != toString(Tier::Accurate)) {
        in.fail("tier", "fast or accurate is expected");
    }
    meta.tier = tier == toString(Tier::Accurate) ? Tier::Accurate : Tier::Fast;
    if (meta.memberScales.empty() || meta.memberScales.size() > maxMembers) {
        in.fail("member_scales", fmt::format("1 to {} numbers are expected", maxMembers));
    }
    const CnnShape& shape = meta.shape;
    if (meta.memberScales.size() > 1
        && (shape.dimension == 0 || shape.filters == 0 || shape.filters % 16 != 0
            || shape.widths == 0 || shape.hidden() > maxHidden)) {
        in.fail("filters", "the shape of the CNNs is impossible");
    }
    if (auto done = in.finish(); !done) {
        return done.error();
    }
    auto read = readCalibration(calibration, std::string(where) + ": calibration");
    if (!read) {
        return read.error();
    }
    meta.calibration = *read;
    if (continuation != nullptr) {
        auto staying = readContinuation(*continuation, std::string(where) + ": continuation");
        if (!staying) {
            return staying.error();
        }
        meta.continuation = *staying;
    }
    return meta;
}

} // namespace sluice

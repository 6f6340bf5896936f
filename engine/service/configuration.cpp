#include "engine/service/configuration.h"

#include "engine/base/file.h"
#include "engine/base/json.h"
#include "engine/service/configurationfields.h"

#include <algorithm>
#include <boost/json/serialize.hpp>
#include <cctype>
#include <charconv>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <set>

namespace sluice::service {

namespace json = boost::json;

namespace {

std::string text(const json::value& value)
{
    return std::string(value.as_string());
}

/// What is wrong with a value by its schema: pairs of path and sentence.
class Checker
{
public:
    explicit Checker(std::vector<std::string>& problems)
        : m_problems(problems)
    { }

    bool check(const json::value& value, const json::object& schema, const std::string& path)
    {
        const std::size_t before = m_problems.size();
        const std::string type = text(schema.at("type"));
        if (type == "string") {
            checkString(value, schema, path);
        } else if (type == "boolean") {
            refuse(!value.is_bool(), path, "true or false is expected");
        } else if (type == "array") {
            checkArray(value, schema, path);
        } else if (type == "object") {
            checkObject(value, schema, path);
        } else {
            checkNumber(value, schema, path, type == "integer");
        }
        return m_problems.size() == before;
    }

private:
    void refuse(bool wrong, const std::string& path, std::string_view problem)
    {
        if (wrong) {
            m_problems.push_back(path + ": " + std::string(problem));
        }
    }

    void checkString(const json::value& value, const json::object& schema, const std::string& path)
    {
        if (!value.is_string()) {
            refuse(true, path, "a string is expected");
            return;
        }
        if (const json::value* choices = schema.if_contains("enum")) {
            std::vector<std::string> names;
            for (const json::value& choice : choices->as_array()) {
                names.push_back(text(choice));
            }
            refuse(std::find(names.begin(), names.end(), text(value)) == names.end(), path,
                fmt::format("one of these is expected: {}", fmt::join(names, ", ")));
        }
        if (schema.contains("minLength")) {
            refuse(value.as_string().empty(), path, "must not be empty");
        }
        if (schema.contains("pattern")) { // the one pattern: a hash
            const std::string_view digits = value.as_string();
            refuse(digits.size() != 64
                    || digits.find_first_not_of("0123456789abcdef") != std::string_view::npos,
                path,
                "a SHA-256 of 64 lower-case hexadecimal digits is expected: `sluicectl token` "
                "prints one");
        }
    }

    void checkNumber(
        const json::value& value, const json::object& schema, const std::string& path, bool whole)
    {
        const double least = schema.at("minimum").to_number<double>();
        const double most = schema.at("maximum").to_number<double>();
        const bool isWhole = value.is_int64() || value.is_uint64();
        const double number = value.is_number() ? value.to_number<double>() : 0;
        refuse(!value.is_number() || (whole && !isWhole) || !(number >= least && number <= most),
            path,
            fmt::format(
                "a {}number from {} to {} is expected", whole ? "whole " : "", least, most));
    }

    void checkArray(const json::value& value, const json::object& schema, const std::string& path)
    {
        if (!value.is_array()) {
            refuse(true, path, "an array is expected");
            return;
        }
        std::size_t index = 0;
        for (const json::value& item : value.as_array()) {
            check(item, schema.at("items").as_object(), fmt::format("{}[{}]", path, index++));
        }
    }

    void checkObject(const json::value& value, const json::object& schema, const std::string& path)
    {
        if (!value.is_object()) {
            refuse(true, path, "an object is expected");
            return;
        }
        const json::object& known = schema.at("properties").as_object();
        for (const auto& [key, schemaOfMember] : known) {
            const json::value* member = value.as_object().if_contains(key);
            refuse(member == nullptr, path, fmt::format("\"{}\" is missing", std::string(key)));
            if (member != nullptr) {
                check(*member, schemaOfMember.as_object(), path + '.' + std::string(key));
            }
        }
        for (const auto& member : value.as_object()) {
            refuse(!known.contains(member.key()), path + '.' + std::string(member.key()),
                "is not known here");
        }
    }

    std::vector<std::string>& m_problems;
};

template <typename Number> json::value numberOr(const std::string& text)
{
    Number number{};
    const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), number);
    const bool whole = code == std::errc() && end == text.data() + text.size();
    return whole ? json::value(number) : json::value(text); // the check then says what is expected
}

/// A setting's text as the type that its field has.
json::value valueOf(const std::string& text, const json::object& schema)
{
    const std::string_view type = schema.at("type").as_string();
    if (type == "integer") {
        return numberOr<std::int64_t>(text);
    }
    if (type == "number") {
        return numberOr<double>(text);
    }
    if (type == "boolean" && (text == "true" || text == "false" || text == "1" || text == "0")) {
        return text == "true" || text == "1";
    }
    if (type == "array" && schema.at("items").at("type").as_string() == "string") {
        json::array list;
        for (std::size_t at = 0; at < text.size();) {
            const std::size_t end = std::min(text.find(',', at), text.size());
            list.emplace_back(std::string_view(text).substr(at, end - at));
            at = end + 1;
        }
        return list;
    }
    if (type == "array") {
        auto parsed = parseJson(text, "");
        return parsed ? std::move(*parsed) : json::value(text);
    }
    return json::value(text);
}

/// What no single field can tell.
void checkTogether(const Configuration& all, std::vector<std::string>& problems)
{
    const auto refuse = [&](bool wrong, std::string_view problem) {
        if (wrong) {
            problems.emplace_back(problem);
        }
    };
    refuse(all.tls.certificate.empty() != all.tls.key.empty(),
        "tls: a certificate and its key go together: give both, or neither");
    refuse(!all.tls.clientCa.empty() && all.tls.certificate.empty(),
        "tls.client_ca: clients can show certificates only over TLS: give certificate and key too");
    const int servers = int(all.redis.port != 0) + int(!all.redis.cluster.empty())
        + int(!all.redis.sentinels.empty());
    refuse(servers > 1, "redis: one server (host, port), a cluster or sentinels: give one of them");
    const auto checkNodes = [&](const char* key, const std::vector<std::string>& nodes) {
        for (const std::string& node : nodes) {
            const auto address = RedisAddress::parse(node);
            refuse(!address, address ? "" : key + address.error().message);
        }
    };
    checkNodes("redis.cluster: ", all.redis.cluster);
    checkNodes("redis.sentinels: ", all.redis.sentinels);
    refuse(!all.redis.tlsCa.empty(),
        "redis.tls_ca: this build does not speak TLS with Redis: point redis.host and redis.port "
        "at a stunnel on this host (docs/FORMATS.md)");
    const bool hashes = all.privacy.queries == "hashed" || all.privacy.sessions == "hashed";
    refuse(hashes && all.privacy.key.size() < 16,
        "privacy.key: what is hashed without a secret key of 16 bytes or more can be guessed: set "
        "SLUICE_PRIVACY_KEY, the same on every worker");
    refuse(!all.auth.classifyOpen && all.auth.tokens.empty(),
        "auth.classify_open: false with no tokens lets nobody in: add tokens (`sluicectl token`)");
    std::set<std::string> names;
    for (const TokenSettings& token : all.auth.tokens) {
        refuse(!names.insert(token.name).second,
            "auth.tokens: the name \"" + token.name + "\" is there twice");
    }
    refuse(all.limits.headerTimeout > all.limits.readTimeout,
        "limits.header_seconds: the header is part of the request: at most limits.read_seconds");
}

void readDocument(const json::value& document, std::vector<Field>& fields, const std::string& where,
    std::vector<std::string>& problems)
{
    if (!document.is_object()) {
        problems.push_back(where + ": a JSON object is expected");
        return;
    }
    const auto path = [&](const auto& section) { return where + ": " + std::string(section); };
    for (const auto& [section, members] : document.as_object()) {
        if (section == "$schema") {
            continue;
        }
        if (!isSection(section)) {
            problems.push_back(path(section) + ": is not a section; there are: "
                + fmt::format("{}", fmt::join(sectionNames(), ", ")));
            continue;
        }
        if (!members.is_object()) {
            problems.push_back(path(section) + ": an object is expected");
            continue;
        }
        for (const auto& [key, value] : members.as_object()) {
            const std::string name = std::string(section) + '.' + std::string(key);
            Field* field = findField(fields, name);
            if (field == nullptr) {
                problems.push_back(path(name) + ": is not known here");
            } else if (Checker(problems).check(value, field->schema, path(name))) {
                field->set(value);
            }
        }
    }
}

} // namespace

LoadedConfiguration readConfiguration(
    std::string_view document, std::string_view where, const std::vector<Setting>& settings)
{
    LoadedConfiguration loaded;
    std::vector<Field> fields = fieldsOf(loaded.configuration);
    const auto parsed = parseJson(document, where);
    if (!parsed) {
        loaded.problems.push_back(parsed.error().message);
        return loaded;
    }
    readDocument(*parsed, fields, std::string(where), loaded.problems);
    for (const Setting& setting : settings) {
        Field* field = findField(fields, setting.path);
        if (field == nullptr) {
            loaded.problems.push_back(setting.source + ": " + setting.path + ": is not known here");
            continue;
        }
        const json::value value = valueOf(setting.text, field->schema);
        if (Checker(loaded.problems)
                .check(value, field->schema, setting.source + ": " + setting.path)) {
            field->set(value);
        }
    }
    checkTogether(loaded.configuration, loaded.problems);
    return loaded;
}

LoadedConfiguration loadConfiguration(
    const std::filesystem::path& file, const std::vector<Setting>& settings)
{
    if (file.empty()) {
        return readConfiguration("{}", {}, settings);
    }
    const auto content = readFile(file, std::size_t(1) << 20);
    if (!content) {
        LoadedConfiguration failed;
        failed.problems.push_back(content.error().text());
        return failed;
    }
    return readConfiguration(*content, file.string(), settings);
}

std::vector<Setting> environmentSettings(const char* const* environment)
{
    constexpr std::string_view prefix = "SLUICE_";
    std::vector<Setting> settings;
    for (; *environment != nullptr; ++environment) {
        const std::string_view entry = *environment;
        const std::size_t equals = entry.find('=');
        if (!entry.starts_with(prefix) || equals == std::string_view::npos) {
            continue;
        }
        std::string name(entry.substr(prefix.size(), equals - prefix.size()));
        std::transform(name.begin(), name.end(), name.begin(),
            [](unsigned char letter) { return char(std::tolower(letter)); });
        for (const std::string_view section : sectionNames()) {
            if (name.size() > section.size() && name.starts_with(section)
                && name[section.size()] == '_') {
                settings.push_back({std::string(section) + '.' + name.substr(section.size() + 1),
                    std::string(entry.substr(equals + 1)), std::string(entry.substr(0, equals))});
                break;
            }
        }
    }
    return settings;
}

std::string configurationSchema()
{
    Configuration defaults;
    std::string sections;
    for (const std::string_view section : sectionNames()) {
        std::string members;
        for (const Field& field : fieldsOf(defaults)) {
            if (field.section == section) {
                members += fmt::format("{}\n        \"{}\": {}", members.empty() ? "" : ",",
                    field.key, json::serialize(field.schema));
            }
        }
        sections += fmt::format(",\n    \"{}\": {{\n      \"type\": \"object\",\n      "
                                "\"additionalProperties\": false,\n      "
                                "\"properties\": {{{}\n      }}\n    }}",
            section, members);
    }
    return R"({
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "title": "Sluice worker configuration",
  "description": "What sluiced --config reads; see docs/FORMATS.md. Everything may be left out.",
  "type": "object",
  "additionalProperties": false,
  "properties": {
    "$schema": {"type": "string"})"
        + sections + "\n  }\n}\n";
}

} // namespace sluice::service

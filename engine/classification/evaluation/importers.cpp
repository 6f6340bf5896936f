#include "engine/classification/evaluation/importers.h"

#include "engine/base/json.h"
#include "engine/classification/evaluation/jsonlines.h"
#include "engine/classification/evaluation/markedtext.h"
#include "engine/classification/text/normaliser.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>
#include <map>
#include <unordered_map>

namespace sluice {

namespace json = boost::json;

namespace {

std::string_view withoutBom(std::string_view text)
{
    return text.starts_with("\xEF\xBB\xBF") ? text.substr(3) : text;
}

bool equalsIgnoringCase(std::string_view a, std::string_view b)
{
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
        return std::tolower(static_cast<unsigned char>(x))
            == std::tolower(static_cast<unsigned char>(y));
    });
}

/// The names that CSV headers use for the label.
constexpr std::string_view labelNames[] = {"intent", "category", "label"};

/// Other formats' names for the out-of-scope class; ours is "oos", exactly.
bool isForeignOutOfScope(std::string_view label)
{
    for (const std::string_view name :
        {"", "none", "null", "oos", "out_of_scope", "nlu_fallback"}) {
        if (equalsIgnoringCase(label, name)) {
            return true;
        }
    }
    return false;
}

Result<void> readEntities(
    const json::value& value, const std::string& where, std::vector<Entity>& entities)
{
    const json::array* array = value.if_array();
    if (array == nullptr) {
        return inputError(where + ": entities: an array is expected");
    }
    for (const json::value& item : *array) {
        JsonReader in(item, where + ": entities");
        Entity entity;
        entity.type = in.string("type");
        entity.value = in.optionalString("value").value_or("");
        entity.text = in.optionalString("text").value_or("");
        entity.span.codePointBegin =
            std::size_t(in.optionalInteger("start", 0, 1 << 20).value_or(0));
        entity.span.codePointEnd = std::size_t(in.optionalInteger("end", 0, 1 << 20).value_or(0));
        if (auto done = in.finish(); !done) {
            return done.error();
        }
        entities.push_back(std::move(entity));
    }
    return {};
}

Result<LabelledQuery> readTurn(const json::value& turn, const std::string& where)
{
    const json::object* object = turn.if_object();
    const auto member = [&](const char* key) -> const json::value* {
        return object == nullptr ? nullptr : object->if_contains(key);
    };
    const json::value* text = member("text");
    const json::value* intent = member("intent");
    if (text == nullptr || intent == nullptr || !text->is_string() || !intent->is_string()) {
        return inputError(where + ": every turn needs the strings \"text\" and \"intent\"");
    }
    LabelledQuery row;
    row.text = text->get_string();
    row.intent = intent->get_string();
    if (const json::value* system = member("system"); system != nullptr && !system->is_null()) {
        if (!system->is_string()) {
            return inputError(where + ": \"system\" is to be a string");
        }
        row.system = system->get_string();
    }
    if (const json::value* acts = member("system_acts"); acts != nullptr && !acts->is_null()) {
        const json::array* list = acts->if_array();
        if (list == nullptr || !std::all_of(list->begin(), list->end(), [](const json::value& act) {
                return act.is_string();
            })) {
            return inputError(where + ": \"system_acts\" is to be an array of strings");
        }
        for (const json::value& act : *list) {
            row.systemActs.emplace_back(act.get_string());
        }
    }
    const auto flag = [&](const char* key) {
        const json::value* value = member(key);
        return value != nullptr && value->is_bool() && value->get_bool();
    };
    row.followUp = flag("follow_up");
    row.topicChange = flag("topic_change");
    if (const json::value* entities = member("entities"); entities != nullptr) {
        if (auto read = readEntities(*entities, where, row.entities); !read) {
            return read.error();
        }
    }
    if (const json::value* carried = member("carried"); carried != nullptr) {
        if (auto read = readEntities(*carried, where, row.carried); !read) {
            return read.error();
        }
    }
    return row;
}

/// A dialogue a line: every turn is a row.
Result<void> readDialogue(const json::array& turns, const std::string& where, Split split, int line,
    std::vector<LabelledQuery>& rows)
{
    const int dialogue = rows.empty() ? 0 : rows.back().dialogue + 1;
    int number = 0;
    for (const json::value& turn : turns) {
        auto row = readTurn(turn, where);
        if (!row) {
            return row.error();
        }
        row->dialogue = dialogue;
        row->turn = ++number;
        row->split = split;
        row->line = line;
        rows.push_back(std::move(*row));
    }
    return {};
}

Result<void> readJsonlRow(
    std::string_view text, const std::string& where, int line, std::vector<LabelledQuery>& rows)
{
    auto value = parseJson(text, where);
    if (!value) {
        return value.error();
    }
    const json::object* object = value->if_object();
    if (object == nullptr) {
        return inputError(where + ": a JSON object is expected on each line");
    }
    const auto member = [&](const char* key) -> const json::value* {
        return object->if_contains(key);
    };
    Split split = Split::None;
    if (const json::value* name = member("split"); name != nullptr && name->is_string()) {
        const auto parsed = splitFromString(std::string_view(name->get_string()));
        if (!parsed) {
            return inputError(where + ": " + parsed.error().message);
        }
        split = *parsed;
    }
    if (const json::value* turns = member("turns"); turns != nullptr && turns->is_array()) {
        return readDialogue(turns->get_array(), where, split, line, rows);
    }
    LabelledQuery row;
    row.split = split;
    row.line = line;
    const json::value* query = member("text");
    if (query == nullptr || !query->is_string()) {
        return inputError(where + ": the string \"text\" is missing");
    }
    row.text = query->get_string();
    const json::value* intent = member("intent");
    const json::value* oos = member("oos");
    if (intent != nullptr && intent->is_string()) {
        row.intent = intent->get_string();
    } else if ((intent != nullptr && intent->is_null())
        || (oos != nullptr && oos->is_bool() && oos->get_bool())) {
        row.intent = outOfScope;
    } else {
        return inputError(where + ": the string \"intent\" is missing (out of scope is \"oos\")");
    }
    if (const json::value* entities = member("entities"); entities != nullptr) {
        if (auto read = readEntities(*entities, where, row.entities); !read) {
            return read.error();
        }
    }
    rows.push_back(std::move(row));
    return {};
}

} // namespace

Result<std::vector<LabelledQuery>> readClinc(std::string_view text, std::string_view where)
{
    const auto document = JsonDocument::parse(withoutBom(text), where);
    if (!document) {
        return document.error();
    }
    const json::object* object = document->root().if_object();
    if (object == nullptr) {
        return inputError(fmt::format(
            "{}: CLINC150's format is one JSON object with train, val, test ...", where));
    }
    static const std::map<std::string_view, Split> parts{{"train", Split::Train},
        {"val", Split::Validation}, {"test", Split::Test}, {"oos_train", Split::Train},
        {"oos_val", Split::Validation}, {"oos_test", Split::Test}};
    std::vector<LabelledQuery> rows;
    bool any = false;
    for (const auto& member : *object) {
        const auto part = parts.find(std::string_view(member.key()));
        if (part == parts.end()) {
            continue;
        }
        const json::array* array = member.value().if_array();
        if (array == nullptr) {
            return inputError(
                fmt::format("{}: {}: an array of [text, label] is expected", where, part->first));
        }
        any = true;
        std::size_t index = 0;
        for (const json::value& item : *array) {
            const json::array* pair = item.if_array();
            if (pair == nullptr || pair->size() != 2 || !(*pair)[0].is_string()
                || !(*pair)[1].is_string()) {
                return inputError(
                    fmt::format("{}: {}[{}]: an array of two strings, [text, label], is expected",
                        document->place(item), part->first, index));
            }
            LabelledQuery row;
            row.text = (*pair)[0].get_string();
            row.intent = (*pair)[1].get_string();
            row.split = part->second;
            row.line = document->line(item);
            rows.push_back(std::move(row));
            ++index;
        }
    }
    if (!any) {
        return inputError(fmt::format(
            "{}: none of train, val, test, oos_train, oos_val, oos_test is in it", where));
    }
    return rows;
}

Result<std::vector<std::vector<std::string>>> parseCsv(
    std::string_view text, std::string_view where, std::vector<int>& lines)
{
    std::vector<std::vector<std::string>> records;
    std::vector<std::string> fields;
    std::string field;
    int line = 1;
    int begun = 1;
    bool quoted = false;
    bool wasQuoted = false;
    bool any = false;
    const auto endRecord = [&] {
        fields.push_back(std::move(field));
        field.clear();
        if (fields.size() > 1 || !fields.front().empty() || wasQuoted) {
            records.push_back(std::move(fields));
            lines.push_back(begun);
        }
        fields.clear();
        wasQuoted = false;
        any = false;
    };
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        if (!any) {
            begun = line;
            any = true;
        }
        line += c == '\n' ? 1 : 0;
        if (quoted) {
            if (c != '"') {
                field += c;
            } else if (at + 1 < text.size() && text[at + 1] == '"') {
                field += '"';
                ++at;
            } else {
                quoted = false;
            }
        } else if (c == '"' && field.empty() && !wasQuoted) {
            quoted = true;
            wasQuoted = true;
        } else if (c == '"') {
            return inputError(fmt::format("{}: line {}: a quote inside a field; RFC 4180 asks to "
                                          "quote the field and double the quote",
                where, line));
        } else if (c == ',') {
            fields.push_back(std::move(field));
            field.clear();
            wasQuoted = false;
        } else if (c == '\n') {
            endRecord();
        } else if (c == '\r' && at + 1 < text.size() && text[at + 1] == '\n') {
            continue;
        } else if (wasQuoted) {
            return inputError(fmt::format("{}: line {}: text after a closing quote", where, line));
        } else {
            field += c;
        }
    }
    if (quoted) {
        return inputError(fmt::format(
            "{}: line {}: a quoted field that begins here is never closed", where, begun));
    }
    if (any) {
        endRecord();
    }
    return records;
}

Result<std::vector<LabelledQuery>> readCsv(std::string_view text, std::string_view where)
{
    std::vector<int> lines;
    auto records = parseCsv(withoutBom(text), where, lines);
    if (!records) {
        return records.error();
    }
    if (records->empty()) {
        return inputError(fmt::format("{}: the file is empty", where));
    }
    const std::vector<std::string>& header = records->front();
    int textColumn = -1;
    int labelColumn = -1;
    int splitColumn = -1;
    for (int column = 0; column < int(header.size()); ++column) {
        const std::string_view name = trimmedBlanks(header[std::size_t(column)]);
        if (equalsIgnoringCase(name, "text") || equalsIgnoringCase(name, "query")) {
            textColumn = column;
        } else if (equalsIgnoringCase(name, "split")) {
            splitColumn = column;
        } else if (std::any_of(std::begin(labelNames), std::end(labelNames),
                       [&](std::string_view label) { return equalsIgnoringCase(name, label); })) {
            labelColumn = column;
        }
    }
    if (textColumn < 0 || labelColumn < 0) {
        return inputError(fmt::format("{}: line 1: the header needs a column \"text\" and one of "
                                      "\"intent\", \"category\", \"label\"",
            where));
    }
    std::vector<LabelledQuery> rows;
    rows.reserve(records->size());
    for (std::size_t index = 1; index < records->size(); ++index) {
        std::vector<std::string>& record = (*records)[index];
        if (record.size() != header.size()) {
            return inputError(fmt::format("{}: line {}: {} fields, but the header has {}", where,
                lines[index], record.size(), header.size()));
        }
        LabelledQuery row;
        row.text = std::move(record[std::size_t(textColumn)]);
        row.intent = std::string(trimmedBlanks(record[std::size_t(labelColumn)]));
        row.line = lines[index];
        if (splitColumn >= 0) {
            const auto split = splitFromString(trimmedBlanks(record[std::size_t(splitColumn)]));
            if (!split) {
                return inputError(
                    fmt::format("{}: line {}: {}", where, row.line, split.error().message));
            }
            row.split = *split;
        }
        rows.push_back(std::move(row));
    }
    return rows;
}

Result<std::vector<LabelledQuery>> readJsonl(std::string_view text, std::string_view where)
{
    text = withoutBom(text);
    std::vector<LabelledQuery> rows;
    int line = 0;
    while (!text.empty()) {
        ++line;
        const auto end = text.find('\n');
        const std::string_view row = trimmedBlanks(text.substr(0, end));
        text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
        if (row.empty()) {
            continue;
        }
        if (auto read = readJsonlRow(row, fmt::format("{}: line {}", where, line), line, rows);
            !read) {
            return read.error();
        }
    }
    return rows;
}

namespace {

json::array jsonOf(const std::vector<Entity>& entities)
{
    json::array array;
    for (const Entity& entity : entities) {
        array.push_back(
            json::object{{"type", entity.type}, {"value", entity.value}, {"text", entity.text},
                {"start", entity.span.codePointBegin}, {"end", entity.span.codePointEnd}});
    }
    return array;
}

json::object jsonOf(const LabelledQuery& row)
{
    json::object object{{"text", row.text}, {"intent", row.intent}};
    if (!row.entities.empty()) {
        object["entities"] = jsonOf(row.entities);
    }
    if (!row.system.empty()) {
        object["system"] = row.system;
    }
    if (!row.systemActs.empty()) {
        object["system_acts"] = json::array(row.systemActs.begin(), row.systemActs.end());
    }
    if (row.followUp) {
        object["follow_up"] = true;
    }
    if (row.topicChange) {
        object["topic_change"] = true;
    }
    if (!row.carried.empty()) {
        object["carried"] = jsonOf(row.carried);
    }
    return object;
}

} // namespace

std::string toJsonl(std::span<const LabelledQuery> rows)
{
    std::string text;
    for (std::size_t at = 0; at < rows.size();) {
        json::object line;
        const LabelledQuery& first = rows[at];
        if (first.dialogue < 0) {
            line = jsonOf(first);
            ++at;
        } else {
            json::array turns;
            for (; at < rows.size() && rows[at].dialogue == first.dialogue
                 && rows[at].file == first.file;
                 ++at) {
                turns.push_back(jsonOf(rows[at]));
            }
            line["turns"] = std::move(turns);
        }
        if (first.split != Split::None) {
            line["split"] = toString(first.split);
        }
        text += json::serialize(line) + '\n';
    }
    return text;
}

void mapOutOfScope(std::vector<LabelledQuery>& rows, DataFormat format)
{
    for (LabelledQuery& row : rows) {
        const bool none = format == DataFormat::Jsonl || format == DataFormat::Auto
            ? row.intent.empty()
            : isForeignOutOfScope(row.intent);
        if (none) {
            row.intent = outOfScope;
        }
    }
}

Result<LabelledData> checkRows(
    std::vector<LabelledQuery> rows, DataFormat format, std::string_view where)
{
    const auto placeOf = [](const LabelledQuery& row, std::size_t index) {
        return (row.file.empty() ? std::string() : row.file + " ")
            + (row.line > 0 ? fmt::format("line {}", row.line) : fmt::format("row {}", index + 1));
    };
    mapOutOfScope(rows, format);
    LabelledData data;
    data.report.format = format;
    data.report.rows = rows.size();
    std::unordered_map<std::string, std::size_t> seen;
    for (std::size_t index = 0; index < rows.size(); ++index) {
        LabelledQuery& row = rows[index];
        const std::string place = placeOf(row, index);
        if (auto checked = checkQuery(row.text); !checked) {
            return inputError(fmt::format("{}: {}: {}", where, place, checked.error().message));
        }
        if (auto checked = checkQuery(row.intent); !checked) {
            return inputError(fmt::format(
                "{}: {}: the intent's name: {}", where, place, checked.error().message));
        }
        if (row.dialogue >= 0) {
            data.queries.push_back(std::move(row)); // a turn means what it means where it stands
            continue;
        }
        const auto [found, fresh] = seen.try_emplace(normalise(row.text), data.queries.size());
        if (!fresh) {
            const LabelledQuery& first = data.queries[found->second];
            if (first.intent == row.intent && first.split == row.split) {
                ++data.report.duplicates;
                continue;
            }
            if (first.intent != row.intent) {
                data.report.conflicts.push_back(fmt::format("{} and {}: '{}' is {} and {}",
                    placeOf(first, found->second), place, row.text, first.intent, row.intent));
            }
        }
        data.queries.push_back(std::move(row));
    }
    if (data.queries.empty()) {
        return inputError(fmt::format("{}: there is no labelled query in it", where));
    }
    return data;
}

} // namespace sluice

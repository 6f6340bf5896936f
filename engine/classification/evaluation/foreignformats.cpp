#include "engine/classification/evaluation/foreignformats.h"

#include "engine/classification/evaluation/jsonlines.h"
#include "engine/classification/evaluation/markedtext.h"
#include "engine/classification/evaluation/yamldocument.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <filesystem>
#include <fmt/format.h>
#include <span>

namespace sluice {

namespace json = boost::json;

namespace {

std::size_t offsetOf(const json::value& object, std::string_view key)
{
    const json::value* value = memberOf(object, key);
    return value != nullptr && value->is_int64() && value->get_int64() >= 0
        ? std::size_t(value->get_int64())
        : std::size_t(-2); // outside of every text
}

Split datasetSplit(std::string_view dataset)
{
    return dataset == "Train" ? Split::Train : dataset == "Test" ? Split::Test : Split::None;
}

/// A `{name}` that stands for a value.
bool hasPlaceholder(std::string_view text, char opening, char closing)
{
    const auto begin = text.find(opening);
    const auto end = begin == std::string_view::npos ? begin : text.find(closing, begin + 1);
    return end != std::string_view::npos && end > begin + 1
        && text.substr(begin, end - begin).find(' ') == std::string_view::npos;
}

/// The pieces of a phrase: `{"text", TYPE?}`, an entity where `typeKey` names one.
Result<MarkedText> joinPieces(const json::array& pieces, std::string_view typeKey,
    std::string_view orTypeKey, const std::string& where)
{
    MarkedText marked;
    for (const json::value& piece : pieces) {
        const json::value* text = memberOf(piece, "text");
        if (text == nullptr || !text->is_string()) {
            return inputError(where + ": every piece of a phrase needs the string \"text\"");
        }
        std::string_view type = stringOf(piece, typeKey);
        type = type.empty() ? stringOf(piece, orTypeKey) : type;
        if (type.empty()) {
            marked.append(text->get_string());
        } else {
            marked.appendEntity(text->get_string(), type.starts_with('@') ? type.substr(1) : type);
        }
    }
    marked.trim();
    return marked;
}

std::span<const json::value> elementsOf(const json::array* array)
{
    return array == nullptr ? std::span<const json::value>()
                            : std::span<const json::value>(array->data(), array->size());
}

Error missing(std::string_view where, std::string_view what)
{
    return inputError(fmt::format("{}: {} is missing", where, what));
}

Result<void> addSnipsUtterances(const JsonDocument& document, const json::array& utterances,
    std::string_view intent, std::vector<LabelledQuery>& rows)
{
    for (const json::value& utterance : utterances) {
        const json::array* pieces = arrayOf(utterance, "data");
        if (pieces == nullptr) {
            return missing(document.place(utterance), "the array \"data\"");
        }
        auto marked = joinPieces(*pieces, "slot_name", "entity", document.place(utterance));
        if (!marked) {
            return marked.error();
        }
        LabelledQuery row;
        row.text = std::move(marked->text);
        row.entities = std::move(marked->entities);
        row.intent = intent;
        row.line = document.line(utterance);
        rows.push_back(std::move(row));
    }
    return {};
}

Result<ImportedRows> readSnipsYaml(std::string_view text, std::string_view where)
{
    const auto documents = parseYaml(text, where);
    if (!documents) {
        return documents.error();
    }
    ImportedRows imported;
    for (const YamlNode& document : *documents) {
        if (document.string("type") != "intent") {
            continue; // an entity's values
        }
        const std::string_view name = document.string("name");
        const YamlNode* utterances = document.member("utterances");
        if (name.empty() || utterances == nullptr) {
            return missing(fmt::format("{}: line {}", where, document.line),
                "\"name\" or \"utterances\" of the intent");
        }
        for (const YamlNode& utterance : utterances->items) {
            MarkedText marked = readSnipsMarks(utterance.text);
            LabelledQuery row;
            row.text = std::move(marked.text);
            row.entities = std::move(marked.entities);
            row.intent = name;
            row.line = utterance.line;
            imported.rows.push_back(std::move(row));
        }
    }
    return imported;
}

} // namespace

std::vector<std::string> Remarks::lines() const
{
    std::vector<std::string> lines;
    for (const auto& [what, rows] : m_counts) {
        lines.push_back(fmt::format("{} row{} {}", rows, rows == 1 ? "" : "s", what));
    }
    return lines;
}

void addEntity(LabelledQuery& row, std::string_view type, std::string_view value, std::size_t begin,
    std::size_t end, bool utf16, Remarks& remarks)
{
    const auto span =
        spanOf(row.text, begin, end, utf16 ? OffsetUnit::Utf16 : OffsetUnit::CodePoints);
    if (!span || type.empty()) {
        remarks.count(strayEntities);
        return;
    }
    Entity entity;
    entity.type = type;
    entity.span = *span;
    entity.text = row.text.substr(span->byteBegin, span->byteEnd - span->byteBegin);
    entity.value = value.empty() ? entity.text : std::string(value);
    row.entities.push_back(std::move(entity));
}

Result<ImportedRows> readAzure(std::string_view text, std::string_view where)
{
    const auto document = JsonDocument::parse(text, where);
    if (!document) {
        return document.error();
    }
    const json::value* assets = memberOf(document->root(), "assets");
    const bool clu = assets != nullptr;
    const json::array* utterances = arrayOf(clu ? *assets : document->root(), "utterances");
    if (utterances == nullptr) {
        return missing(where, "the array \"utterances\" of a LUIS app or a CLU project's assets");
    }
    ImportedRows imported;
    Remarks remarks;
    for (const json::value& utterance : *utterances) {
        LabelledQuery row;
        row.text = stringOf(utterance, "text");
        const json::value* intent = memberOf(utterance, "intent");
        if (row.text.empty() || intent == nullptr) {
            return inputError(document->place(utterance) + ": an utterance needs text and intent");
        }
        row.intent = intent->is_string() ? std::string_view(intent->get_string()) : "";
        row.line = document->line(utterance);
        row.split = datasetSplit(stringOf(utterance, "dataset"));
        for (const json::value& entity : elementsOf(arrayOf(utterance, "entities"))) {
            const std::size_t begin = offsetOf(entity, clu ? "offset" : "startPos");
            const std::size_t end =
                clu ? begin + offsetOf(entity, "length") : offsetOf(entity, "endPos") + 1;
            addEntity(
                row, stringOf(entity, clu ? "category" : "entity"), "", begin, end, true, remarks);
        }
        imported.rows.push_back(std::move(row));
    }
    imported.notes = remarks.lines();
    return imported;
}

Result<ImportedRows> readLex(std::string_view text, std::string_view where)
{
    const auto document = JsonDocument::parse(text, where);
    if (!document) {
        return document.error();
    }
    const json::value* resource = memberOf(document->root(), "resource");
    const json::array* intents = resource == nullptr ? nullptr : arrayOf(*resource, "intents");
    const bool single = resource != nullptr && arrayOf(*resource, "sampleUtterances") != nullptr;
    if (intents == nullptr && !single) {
        return missing(where, "\"resource\" with \"intents\", as Lex exports it,");
    }
    ImportedRows imported;
    Remarks remarks;
    for (const json::value& intent :
        single ? std::span<const json::value>(resource, 1) : elementsOf(intents)) {
        for (const json::value& sample : elementsOf(arrayOf(intent, "sampleUtterances"))) {
            if (!sample.is_string() || stringOf(intent, "name").empty()) {
                return inputError(
                    document->place(sample) + ": sample utterances are strings of a named intent");
            }
            LabelledQuery row;
            row.text = sample.get_string();
            row.intent = stringOf(intent, "name");
            row.line = document->line(sample);
            if (hasPlaceholder(row.text, '{', '}')) {
                remarks.count(placeholders);
            }
            imported.rows.push_back(std::move(row));
        }
    }
    imported.notes = remarks.lines();
    return imported;
}

Result<ImportedRows> readSnips(std::string_view text, std::string_view where)
{
    if (!trimmedBlanks(text).starts_with('{')) {
        return readSnipsYaml(text, where);
    }
    const auto document = JsonDocument::parse(text, where);
    if (!document) {
        return document.error();
    }
    const json::value* intents = memberOf(document->root(), "intents");
    const json::object* named =
        intents == nullptr ? document->root().if_object() : intents->if_object();
    if (named == nullptr) {
        return missing(where, "the object \"intents\"");
    }
    ImportedRows imported;
    for (const auto& intent : *named) {
        const json::array* utterances =
            intents == nullptr ? intent.value().if_array() : arrayOf(intent.value(), "utterances");
        if (utterances == nullptr) {
            return missing(document->place(intent.value()),
                fmt::format("the array of utterances of \"{}\"", std::string_view(intent.key())));
        }
        if (auto added = addSnipsUtterances(*document, *utterances, intent.key(), imported.rows);
            !added) {
            return added.error();
        }
    }
    return imported;
}

Result<ImportedRows> readNlpJs(std::string_view text, std::string_view where)
{
    const auto document = JsonDocument::parse(text, where);
    if (!document) {
        return document.error();
    }
    const json::array* data = arrayOf(document->root(), "data");
    if (data == nullptr) {
        return missing(where, "the array \"data\" of a corpus");
    }
    ImportedRows imported;
    Remarks remarks;
    for (const json::value& item : *data) {
        const json::value* intent = memberOf(item, "intent");
        if (intent == nullptr || !intent->is_string()) {
            return missing(document->place(item), "the string \"intent\"");
        }
        for (const char* part : {"utterances", "tests"}) {
            for (const json::value& utterance : elementsOf(arrayOf(item, part))) {
                if (!utterance.is_string()) {
                    return inputError(document->place(item) + ": utterances are strings");
                }
                LabelledQuery row;
                row.text = utterance.get_string();
                row.intent = intent->get_string();
                row.line = document->line(utterance);
                row.split = part == std::string_view("tests") ? Split::Test : Split::None;
                if (hasPlaceholder(row.text, '%', '%')
                    || row.text.find(" @") != std::string::npos) {
                    remarks.count(placeholders);
                }
                imported.rows.push_back(std::move(row));
            }
        }
    }
    imported.notes = remarks.lines();
    return imported;
}

Result<ImportedRows> readDialogflow(std::string_view text, std::string_view where)
{
    const auto document = JsonDocument::parse(text, where);
    if (!document) {
        return document.error();
    }
    const json::array* phrases = document->root().if_array();
    const std::string name = std::filesystem::path(where).filename().string();
    const auto suffix = name.rfind("_usersays_");
    if (phrases == nullptr || suffix == std::string::npos || suffix == 0) {
        return inputError(fmt::format("{}: Dialogflow's phrases are an array in a file "
                                      "NAME_usersays_LANGUAGE.json, which names the intent; an "
                                      "agent is read as the zip that was exported",
            where));
    }
    ImportedRows imported;
    Remarks remarks;
    for (const json::value& phrase : *phrases) {
        const json::array* pieces = arrayOf(phrase, "data");
        if (pieces == nullptr) {
            return missing(document->place(phrase), "the array \"data\"");
        }
        auto marked = joinPieces(*pieces, "meta", "", document->place(phrase));
        if (!marked) {
            return marked.error();
        }
        const json::value* isTemplate = memberOf(phrase, "isTemplate");
        if (isTemplate != nullptr && isTemplate->is_bool() && isTemplate->get_bool()) {
            remarks.count(placeholders);
        }
        LabelledQuery row;
        row.text = std::move(marked->text);
        row.entities = std::move(marked->entities);
        row.intent = name.substr(0, suffix);
        row.line = document->line(phrase);
        imported.rows.push_back(std::move(row));
    }
    imported.notes = remarks.lines();
    return imported;
}

Result<ImportedRows> readJsonRows(std::string_view text, std::string_view where)
{
    const auto document = JsonDocument::parse(text, where);
    if (!document) {
        return document.error();
    }
    const json::array* items = document->root().if_array();
    if (items == nullptr) {
        return missing(where, "the array of rows");
    }
    ImportedRows imported;
    Remarks remarks;
    for (const json::value& item : *items) {
        LabelledQuery row;
        row.text = stringOf(item, "text");
        row.text = row.text.empty() ? std::string(stringOf(item, "query")) : row.text;
        row.line = document->line(item);
        row.split = datasetSplit(stringOf(item, "dataset"));
        bool labelled = false;
        for (const char* key : {"intent", "label", "category"}) {
            const json::value* intent = memberOf(item, key);
            if (!labelled && intent != nullptr && (intent->is_string() || intent->is_null())) {
                row.intent = intent->is_null() ? "" : std::string_view(intent->get_string());
                labelled = true;
            }
        }
        if (const json::array* intents = arrayOf(item, "intents");
            intents != nullptr && !labelled) {
            if (intents->size() > 1) {
                remarks.count(severalIntents);
                continue;
            }
            labelled = intents->empty() || intents->front().is_string();
            row.intent = intents->empty() || !labelled
                ? ""
                : std::string_view(intents->front().get_string());
        }
        if (row.text.empty() || !labelled) {
            return inputError(document->place(item)
                + ": a row needs the string \"text\" and an \"intent\", \"label\" or \"category\"");
        }
        for (const json::value& entity : elementsOf(arrayOf(item, "entities"))) {
            // NLU.DevOps: the match of number `matchIndex` of the words `matchText`.
            const std::string_view match = stringOf(entity, "matchText");
            std::size_t at = match.empty() ? std::string::npos : row.text.find(match);
            for (auto n = offsetOf(entity, "matchIndex"); n < row.text.size() && n > 0; --n) {
                at = at == std::string::npos ? at : row.text.find(match, at + 1);
            }
            if (at == std::string::npos) {
                remarks.count(strayEntities);
                continue;
            }
            const auto points = [&](std::size_t bytes) {
                return std::size_t(
                    std::count_if(row.text.begin(), row.text.begin() + std::ptrdiff_t(bytes),
                        [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
            };
            addEntity(row, stringOf(entity, "entityType"), stringOf(entity, "entityValue"),
                points(at), points(at + match.size()), false, remarks);
        }
        imported.rows.push_back(std::move(row));
    }
    imported.notes = remarks.lines();
    return imported;
}

} // namespace sluice

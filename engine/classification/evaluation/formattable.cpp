#include "engine/classification/evaluation/importers.h"
#include "engine/classification/evaluation/jsonlines.h"
#include "engine/classification/evaluation/markedtext.h"

#include <algorithm>
#include <fmt/format.h>

namespace sluice {

namespace {

/// The readers of our three formats have nothing to note.
template <Result<std::vector<LabelledQuery>> (*reader)(std::string_view, std::string_view)>
Result<ImportedRows> withoutNotes(std::string_view text, std::string_view where)
{
    auto rows = reader(text, where);
    if (!rows) {
        return rows.error();
    }
    return ImportedRows{std::move(*rows), {}};
}

constexpr Importer table[] = {
    {DataFormat::Clinc, "clinc", "CLINC150", withoutNotes<readClinc>},
    {DataFormat::Csv, "csv", "CSV", withoutNotes<readCsv>},
    {DataFormat::Jsonl, "jsonl", "JSON Lines", withoutNotes<readJsonl>},
    {DataFormat::Rasa, "rasa", "Rasa", readRasa},
    {DataFormat::Dialogflow, "dialogflow", "Dialogflow", readDialogflow},
    {DataFormat::Azure, "azure", "LUIS or CLU", readAzure},
    {DataFormat::Lex, "lex", "Amazon Lex", readLex},
    {DataFormat::Snips, "snips", "Snips NLU", readSnips},
    {DataFormat::NlpJs, "nlpjs", "nlp.js", readNlpJs},
    {DataFormat::FastText, "fasttext", "fastText", readFastText},
    {DataFormat::Conll, "conll", "CoNLL", readConll},
    {DataFormat::JsonRows, "json", "JSON", readJsonRows},
};

bool hasLine(std::string_view text, std::string_view begin)
{
    if (text.starts_with(begin)) {
        return true;
    }
    for (auto at = text.find(begin); at != std::string_view::npos; at = text.find(begin, at + 1)) {
        if (text[at - 1] == '\n') {
            return true;
        }
    }
    return false;
}

DataFormat sniffObject(const JsonShape& shape)
{
    const auto any = [&](std::initializer_list<std::string_view> keys) {
        return std::any_of(keys.begin(), keys.end(), [&](auto key) { return shape.has(key); });
    };
    const auto within = [&](std::string_view key) {
        return std::find(shape.innerKeys.begin(), shape.innerKeys.end(), key)
            != shape.innerKeys.end();
    };
    if (any({"text", "turns"}) || shape.several) {
        return DataFormat::Jsonl;
    }
    if (shape.has("rasa_nlu_data")) {
        return DataFormat::Rasa;
    }
    if (any({"luis_schema_version", "assets"})
        || (shape.has("utterances") && shape.has("intents"))) {
        return DataFormat::Azure;
    }
    if (shape.has("resource") && shape.has("metadata")) {
        return DataFormat::Lex;
    }
    if (shape.has("data") && any({"locale", "name"})) {
        return DataFormat::NlpJs;
    }
    if (any({"train", "val", "test", "oos_train", "oos_val", "oos_test"})) {
        return DataFormat::Clinc;
    }
    if ((shape.has("intents") && any({"entities", "language"})) || within("data")) {
        return DataFormat::Snips;
    }
    return DataFormat::Jsonl;
}

} // namespace

std::span<const Importer> importers()
{
    return table;
}

const Importer& importerOf(DataFormat format)
{
    return *std::find_if(std::begin(table), std::end(table) - 1,
        [&](const Importer& importer) { return importer.format == format; });
}

Result<DataFormat> dataFormatFromString(std::string_view name)
{
    if (name == "auto") {
        return DataFormat::Auto;
    }
    for (const Importer& importer : table) {
        if (importer.name == name) {
            return importer.format;
        }
    }
    return inputError(
        fmt::format("there is no format \"{}\": one of {} is expected", name, dataFormatNames()));
}

std::string dataFormatNames()
{
    std::string names = "auto";
    for (const Importer& importer : table) {
        names += fmt::format(", {}", importer.name);
    }
    return names;
}

std::string_view titleOf(DataFormat format)
{
    return format == DataFormat::Auto ? std::string_view() : importerOf(format).title;
}

DataFormat sniffFormat(std::string_view text)
{
    if (text.starts_with("\xEF\xBB\xBF")) {
        text.remove_prefix(3);
    }
    text = trimmedBlanks(text);
    const JsonShape shape = shapeOf(text);
    if (shape.opening == '{') {
        return sniffObject(shape);
    }
    if (shape.opening == '[') {
        return shape.has("data") && !shape.has("intent") ? DataFormat::Dialogflow
                                                         : DataFormat::JsonRows;
    }
    if (text.starts_with("__label__")) {
        return DataFormat::FastText;
    }
    if (text.starts_with("-DOCSTART-") || hasLine(text, "# intent:")
        || hasLine(text, "# intent =")) {
        return DataFormat::Conll;
    }
    if (hasLine(text, "nlu:") || hasLine(text, "stories:") || hasLine(text, "## intent:")) {
        return DataFormat::Rasa;
    }
    if (hasLine(text, "type: intent")) {
        return DataFormat::Snips;
    }
    return DataFormat::Csv;
}

} // namespace sluice

#include "engine/classification/evaluation/archiveformats.h"

#include "engine/classification/evaluation/importers.h"
#include "engine/classification/evaluation/jsonlines.h"
#include "engine/classification/evaluation/markedtext.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <fmt/format.h>
#include <functional>
#include <optional>
#include <set>

namespace sluice {

namespace json = boost::json;

namespace {

using Members = std::span<const ArchiveMember>;

const ArchiveMember* memberNamed(Members members, const std::string& name)
{
    const auto found = std::find_if(
        members.begin(), members.end(), [&](const auto& one) { return one.name == name; });
    return found == members.end() ? nullptr : &*found;
}

std::string placeOf(std::string_view where, const ArchiveMember& member)
{
    return fmt::format("{}/{}", where, member.name);
}

bool isTrue(const json::value& object, std::string_view key)
{
    const json::value* value = memberOf(object, key);
    return value != nullptr && value->is_bool() && value->get_bool();
}

void take(ImportedRows& all, ImportedRows part, const std::string& member)
{
    for (LabelledQuery& row : part.rows) {
        row.file = member;
        all.rows.push_back(std::move(row));
    }
    for (const std::string& note : part.notes) {
        all.notes.push_back(member + ": " + note);
    }
}

/// What `intents/NAME.json` of a Dialogflow agent says of its intent.
struct AgentIntent
{
    std::string name;
    bool isFallback = false;
};

Result<AgentIntent> agentIntent(Members members, std::string_view where, const std::string& file,
    std::string_view nameKey, std::string_view fallbackKey)
{
    const ArchiveMember* member = memberNamed(members, file);
    if (member == nullptr) {
        return inputError(fmt::format("{}: {} is missing, which names the intent", where, file));
    }
    const auto document = JsonDocument::parse(member->content, placeOf(where, *member));
    if (!document) {
        return document.error();
    }
    AgentIntent intent{
        std::string(stringOf(document->root(), nameKey)), isTrue(document->root(), fallbackKey)};
    if (intent.name.empty()) {
        return inputError(fmt::format("{}: \"{}\" is missing", placeOf(where, *member), nameKey));
    }
    return intent;
}

void label(ImportedRows& rows, const AgentIntent& intent)
{
    for (LabelledQuery& row : rows.rows) {
        row.intent = intent.isFallback ? std::string(outOfScope) : intent.name;
    }
}

Result<ImportedRows> readAgent(Members members, std::string_view where)
{
    ImportedRows all;
    for (const ArchiveMember& member : members) {
        const auto suffix = member.name.rfind("_usersays_");
        if (suffix == std::string::npos || !member.name.ends_with(".json")) {
            continue;
        }
        auto rows = readDialogflow(member.content, placeOf(where, member));
        if (!rows) {
            return rows.error();
        }
        const auto intent = agentIntent(
            members, where, member.name.substr(0, suffix) + ".json", "name", "fallbackIntent");
        if (!intent) {
            return intent.error();
        }
        label(*rows, *intent);
        take(all, std::move(*rows), member.name);
    }
    // The oldest exports keep the phrases within the intent.
    for (const ArchiveMember& member : members) {
        if (!member.name.starts_with("intents/") || !member.name.ends_with(".json")
            || !shapeOf(member.content).has("userSays")) {
            continue;
        }
        const auto document = JsonDocument::parse(member.content, placeOf(where, member));
        if (!document) {
            return document.error();
        }
        const AgentIntent intent{std::string(stringOf(document->root(), "name")),
            isTrue(document->root(), "fallbackIntent")};
        const json::array* phrases = arrayOf(document->root(), "userSays");
        ImportedRows rows;
        for (std::size_t index = 0; phrases != nullptr && index < phrases->size(); ++index) {
            const json::value& phrase = (*phrases)[index];
            LabelledQuery row;
            row.line = document->line(phrase);
            if (const json::array* pieces = arrayOf(phrase, "data")) {
                for (const json::value& piece : *pieces) {
                    row.text += stringOf(piece, "text");
                }
            }
            row.text = std::string(trimmedBlanks(row.text));
            rows.rows.push_back(std::move(row));
        }
        label(rows, intent);
        take(all, std::move(rows), member.name);
    }
    return all;
}

/// Dialogflow CX: the phrases of an intent and a language, `{"trainingPhrases": [{"parts"}]}`.
Result<ImportedRows> readCx(Members members, std::string_view where)
{
    ImportedRows all;
    for (const ArchiveMember& member : members) {
        const auto folder = member.name.find("/trainingPhrases/");
        if (folder == std::string::npos) {
            continue;
        }
        const std::string intentFolder = member.name.substr(0, folder);
        const std::string base = intentFolder.substr(intentFolder.rfind('/') + 1);
        const auto intent = agentIntent(
            members, where, intentFolder + "/" + base + ".json", "displayName", "isFallback");
        if (!intent) {
            return intent.error();
        }
        const auto document = JsonDocument::parse(member.content, placeOf(where, member));
        if (!document) {
            return document.error();
        }
        const json::array* phrases = arrayOf(document->root(), "trainingPhrases");
        if (phrases == nullptr) {
            return inputError(
                placeOf(where, member) + ": the array \"trainingPhrases\" is missing");
        }
        ImportedRows rows;
        for (const json::value& phrase : *phrases) {
            MarkedText marked;
            const json::array* parts = arrayOf(phrase, "parts");
            for (std::size_t index = 0; parts != nullptr && index < parts->size(); ++index) {
                const std::string_view text = stringOf((*parts)[index], "text");
                const std::string_view type = stringOf((*parts)[index], "parameterId");
                type.empty() ? marked.append(text) : marked.appendEntity(text, type);
            }
            marked.trim();
            LabelledQuery row;
            row.text = std::move(marked.text);
            row.entities = std::move(marked.entities);
            row.line = document->line(phrase);
            rows.rows.push_back(std::move(row));
        }
        label(rows, *intent);
        take(all, std::move(rows), member.name);
    }
    return all;
}

Result<ImportedRows> readLexBot(Members members, std::string_view where)
{
    ImportedRows all;
    for (const ArchiveMember& member : members) {
        if (!member.name.ends_with("/Intent.json")) {
            continue;
        }
        const auto document = JsonDocument::parse(member.content, placeOf(where, member));
        if (!document) {
            return document.error();
        }
        const json::value& root = document->root();
        const bool fallback = stringOf(root, "parentIntentSignature") == "AMAZON.FallbackIntent";
        const json::array* samples = arrayOf(root, "sampleUtterances");
        ImportedRows rows;
        Remarks remarks;
        for (std::size_t index = 0; samples != nullptr && index < samples->size(); ++index) {
            LabelledQuery row;
            row.text = stringOf((*samples)[index], "utterance");
            row.intent = fallback ? outOfScope : stringOf(root, "name");
            row.line = document->line((*samples)[index]);
            if (row.text.find('{') != std::string::npos) {
                remarks.count(placeholders);
            }
            rows.rows.push_back(std::move(row));
        }
        rows.notes = remarks.lines();
        take(all, std::move(rows), member.name);
    }
    return all;
}

std::vector<std::string> linesOf(const std::string& text)
{
    std::vector<std::string> lines;
    std::string_view rest = text;
    while (!rest.empty()) {
        const auto end = rest.find('\n');
        lines.emplace_back(trimmedBlanks(rest.substr(0, end)));
        rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
    }
    return lines;
}

std::vector<std::string> wordsOf(const std::string& line)
{
    std::vector<std::string> words;
    std::string_view rest = line;
    while (!(rest = trimmedBlanks(rest)).empty()) {
        const auto end = rest.find_first_of(" \t");
        words.emplace_back(rest.substr(0, end));
        rest = end == std::string_view::npos ? std::string_view() : rest.substr(end);
    }
    return words;
}

/// `seq.in`, `seq.out` and `label` of each folder, line by line.
Result<ImportedRows> readParallel(Members members, std::string_view where)
{
    ImportedRows all;
    for (const ArchiveMember& member : members) {
        if (member.name != "seq.in" && !member.name.ends_with("/seq.in")) {
            continue;
        }
        const std::string folder = member.name.substr(0, member.name.size() - 6);
        const ArchiveMember* labels = memberNamed(members, folder + "label");
        const ArchiveMember* tags = memberNamed(members, folder + "seq.out");
        if (labels == nullptr) {
            return inputError(fmt::format("{}: {}label is missing", where, folder));
        }
        const auto texts = linesOf(member.content);
        const auto intents = linesOf(labels->content);
        const auto slots =
            tags == nullptr ? std::vector<std::string>(texts.size()) : linesOf(tags->content);
        if (texts.size() != intents.size() || texts.size() != slots.size()) {
            return inputError(fmt::format("{}: {}seq.in has {} lines, label {}, seq.out {}: they "
                                          "belong together line by line",
                where, folder, texts.size(), intents.size(), slots.size()));
        }
        const std::string part = folder.empty() ? "" : folder.substr(0, folder.size() - 1);
        const std::string name = part.substr(part.rfind('/') + 1);
        const auto split = splitFromString(name == "valid" || name == "dev" ? "val" : name);
        ImportedRows rows;
        for (std::size_t line = 0; line < texts.size(); ++line) {
            LabelledQuery row = taggedQuery(wordsOf(texts[line]), wordsOf(slots[line]));
            row.intent = intents[line];
            row.line = int(line) + 1;
            row.split = split ? *split : Split::None;
            rows.rows.push_back(std::move(row));
        }
        take(all, std::move(rows), member.name);
    }
    return all;
}

/// Every member that holds labelled queries, each by its own format.
Result<ImportedArchive> readEach(Members members, std::string_view where)
{
    ImportedArchive archive;
    std::set<DataFormat> formats;
    for (const ArchiveMember& member : members) {
        const DataFormat format = sniffFormat(member.content);
        auto rows = importerOf(format).read(member.content, placeOf(where, member));
        if (rows && !rows->rows.empty()) {
            mapOutOfScope(rows->rows, format);
            formats.insert(format);
            take(archive.rows, std::move(*rows), member.name);
            continue;
        }
        // CSV and JSON Lines are what is taken for the format where nothing speaks for another.
        const bool meant = (format != DataFormat::Csv && format != DataFormat::Jsonl)
            || member.name.ends_with(".csv") || member.name.ends_with(".jsonl");
        if (!rows && (meant || members.size() == 1)) {
            return rows.error();
        }
        archive.rows.notes.push_back(member.name + ": no labelled queries");
    }
    archive.format = formats.size() == 1 ? *formats.begin() : DataFormat::Auto;
    return archive;
}

bool any(Members members, const std::function<bool(const std::string&)>& holds)
{
    return std::any_of(
        members.begin(), members.end(), [&](const auto& member) { return holds(member.name); });
}

} // namespace

Result<ImportedArchive> readArchive(Members members, std::string_view where)
{
    std::optional<Result<ImportedRows>> rows;
    DataFormat format = DataFormat::Dialogflow;
    if (any(members,
            [](const auto& name) { return name.find("/trainingPhrases/") != name.npos; })) {
        rows = readCx(members, where);
    } else if (memberNamed(members, "agent.json") != nullptr
        || any(members, [](const auto& name) { return name.find("_usersays_") != name.npos; })) {
        rows = readAgent(members, where);
    } else if (any(members, [](const auto& name) { return name.ends_with("/Intent.json"); })) {
        format = DataFormat::Lex;
        rows = readLexBot(members, where);
    } else if (any(members, [](const auto& name) {
                   return name == "seq.in" || name.ends_with("/seq.in");
               })) {
        format = DataFormat::Conll;
        rows = readParallel(members, where);
    } else {
        return readEach(members, where);
    }
    if (!*rows) {
        return rows->error();
    }
    return ImportedArchive{format, std::move(**rows)};
}

} // namespace sluice

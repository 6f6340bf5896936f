#include "engine/classification/evaluation/foreignformats.h"
#include "engine/classification/evaluation/markedtext.h"

#include <fmt/format.h>

namespace sluice {

namespace {

std::vector<std::string_view> words(std::string_view line)
{
    std::vector<std::string_view> words;
    while (!(line = trimmedBlanks(line)).empty()) {
        const auto end = line.find_first_of(" \t");
        words.push_back(line.substr(0, end));
        line = end == std::string_view::npos ? std::string_view() : line.substr(end);
    }
    return words;
}

/// The value of a comment "# key: value", or "".
std::string_view commentValue(std::string_view line, std::string_view key)
{
    line = trimmedBlanks(line.substr(1));
    if (!line.starts_with(key)) {
        return {};
    }
    line = trimmedBlanks(line.substr(key.size()));
    return line.starts_with(':') || line.starts_with('=') ? trimmedBlanks(line.substr(1))
                                                          : std::string_view();
}

} // namespace

LabelledQuery taggedQuery(
    const std::vector<std::string>& tokens, const std::vector<std::string>& tags)
{
    MarkedText marked;
    std::string open; // words of an entity that is not finished
    std::string type;
    const auto close = [&] {
        if (!type.empty()) {
            marked.append(marked.text.empty() ? "" : " ");
            marked.appendEntity(open, type);
        }
        open.clear();
        type.clear();
    };
    for (std::size_t index = 0; index < tokens.size(); ++index) {
        const std::string_view tag = index < tags.size() ? std::string_view(tags[index]) : "O";
        const bool named = tag.size() > 2 && tag[1] == '-';
        const char position = named ? tag[0] : 'O';
        const std::string_view its = named ? tag.substr(2) : std::string_view();
        if (!named || position == 'B' || position == 'S' || its != type) {
            close();
        }
        if (!named) {
            marked.append(marked.text.empty() ? "" : " ");
            marked.append(tokens[index]);
            continue;
        }
        open += (open.empty() ? "" : " ") + tokens[index];
        type = its;
        if (position == 'E' || position == 'S') {
            close();
        }
    }
    close();
    marked.trim();
    LabelledQuery row;
    row.text = std::move(marked.text);
    row.entities = std::move(marked.entities);
    return row;
}

Result<ImportedRows> readConll(std::string_view text, std::string_view where)
{
    ImportedRows imported;
    std::string intent;
    bool hasIntent = false;
    bool numbered = false; // the first column numbers the tokens, the second is the word
    std::vector<std::string> tokens;
    std::vector<std::string> tags;
    int begun = 0;
    const auto finish = [&]() -> Result<void> {
        if (!tokens.empty()) {
            if (!hasIntent) {
                return inputError(fmt::format("{}: line {}: the sentence has no line \"# intent: "
                                              "NAME\" above it; without one its tags name entities "
                                              "only",
                    where, begun));
            }
            LabelledQuery row = taggedQuery(tokens, tags);
            row.intent = intent;
            row.line = begun;
            imported.rows.push_back(std::move(row));
            hasIntent = false;
        }
        tokens.clear();
        tags.clear();
        return {};
    };
    for (int number = 1; !text.empty(); ++number) {
        const auto end = text.find('\n');
        const std::string_view line = trimmedBlanks(text.substr(0, end));
        text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
        if (line.empty() || line.starts_with("-DOCSTART-")) {
            if (auto done = finish(); !done) {
                return done.error();
            }
            continue;
        }
        if (line.starts_with('#') && tokens.empty()) {
            if (const auto name = commentValue(line, "intent"); !name.empty()) {
                intent = name;
                hasIntent = true;
            }
            continue;
        }
        const auto columns = words(line);
        if (columns.size() < 2) {
            return inputError(fmt::format(
                "{}: line {}: a token and its tag are expected, apart by blanks", where, number));
        }
        if (tokens.empty()) {
            begun = number;
            numbered = columns.size() > 2 && columns.front() == "1";
        }
        tokens.emplace_back(columns[numbered ? 1 : 0]);
        tags.emplace_back(columns.back());
    }
    if (auto done = finish(); !done) {
        return done.error();
    }
    return imported;
}

Result<ImportedRows> readFastText(std::string_view text, std::string_view where)
{
    constexpr std::string_view prefix = "__label__";
    ImportedRows imported;
    Remarks remarks;
    for (int number = 1; !text.empty(); ++number) {
        const auto end = text.find('\n');
        std::string_view line = trimmedBlanks(text.substr(0, end));
        text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
        if (line.empty()) {
            continue;
        }
        LabelledQuery row;
        int labels = 0;
        while (line.starts_with(prefix)) {
            const auto blank = line.find_first_of(" \t");
            row.intent = line.substr(prefix.size(), blank - prefix.size());
            line = blank == std::string_view::npos ? std::string_view()
                                                   : trimmedBlanks(line.substr(blank));
            ++labels;
        }
        if (labels == 0 || row.intent.empty()) {
            return inputError(
                fmt::format("{}: line {}: \"__label__NAME text\" is expected", where, number));
        }
        if (labels > 1) {
            remarks.count(severalIntents);
            continue;
        }
        row.text = line;
        row.line = number;
        imported.rows.push_back(std::move(row));
    }
    imported.notes = remarks.lines();
    return imported;
}

} // namespace sluice

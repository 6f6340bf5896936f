#include "engine/classification/evaluation/foreignformats.h"
#include "engine/classification/evaluation/jsonlines.h"
#include "engine/classification/evaluation/markedtext.h"
#include "engine/classification/evaluation/yamldocument.h"

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>
#include <functional>
#include <optional>

namespace sluice {

namespace json = boost::json;

namespace {

using Synonyms = std::map<std::string, std::string, std::less<>>;

/// Calls `line(text, number)` for each line; `first` is the number of the first.
template <typename Line> Result<void> eachLine(std::string_view text, int first, Line&& line)
{
    for (int number = first; !text.empty(); ++number) {
        const auto end = text.find('\n');
        if (auto done = line(trimmedBlanks(text.substr(0, end)), number); !done) {
            return done;
        }
        text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
    }
    return {};
}

/// The text of a list's line ("- text"), or nullopt.
std::optional<std::string_view> listItem(std::string_view line)
{
    if (!line.starts_with("- ") && !line.starts_with("* ") && !line.starts_with("+ ")) {
        return std::nullopt;
    }
    return trimmedBlanks(line.substr(2));
}

class RowMaker
{
public:
    RowMaker(std::string_view where, const Synonyms& synonyms)
        : m_where(where)
        , m_synonyms(synonyms)
    { }

    Result<void> add(std::string_view text, std::string_view intent, int line)
    {
        auto row = make(text, intent, line);
        if (!row) {
            return row.error();
        }
        rows.push_back(std::move(*row));
        return {};
    }

    Result<LabelledQuery> make(std::string_view text, std::string_view intent, int line) const
    {
        auto marked = readRasaMarks(text, fmt::format("{}: line {}", m_where, line), m_synonyms);
        if (!marked) {
            return marked.error();
        }
        LabelledQuery row;
        row.text = std::move(marked->text);
        row.entities = std::move(marked->entities);
        row.intent = intent;
        row.line = line;
        return row;
    }

    std::vector<LabelledQuery> rows;

private:
    std::string m_where;
    const Synonyms& m_synonyms;
};

/// The lines of `examples: |`, or the texts of a list, each with its line.
Result<void> eachExample(const YamlNode& examples, std::string_view where,
    const std::function<Result<void>(std::string_view, int)>& then)
{
    if (examples.kind == YamlNode::Kind::Scalar) {
        return eachLine(examples.text, examples.line + (examples.literal ? 1 : 0),
            [&](std::string_view text, int line) -> Result<void> {
                if (text.empty() || text.starts_with('#')) {
                    return {};
                }
                const auto item = listItem(text);
                if (!item) {
                    return inputError(fmt::format(
                        "{}: line {}: an example is expected, \"- \" and its text", where, line));
                }
                return item->empty() ? Result<void>() : then(*item, line);
            });
    }
    for (const YamlNode& item : examples.items) {
        const std::string_view text = item.kind == YamlNode::Kind::Mapping
            ? item.string("text")
            : std::string_view(item.text);
        std::string_view example = trimmedBlanks(text);
        if (const auto marked = listItem(example)) {
            example = *marked; // a text of a list may itself be a block, "- hi"
        }
        if (auto done = then(example, item.line); !done) {
            return done;
        }
    }
    return {};
}

Synonyms synonymsOf(const YamlNode& nlu)
{
    Synonyms synonyms;
    for (const YamlNode& item : nlu.items) {
        const std::string_view value = item.string("synonym");
        const YamlNode* examples = item.member("examples");
        if (value.empty() || examples == nullptr) {
            continue;
        }
        const auto read = eachExample(*examples, "", [&](std::string_view text, int) {
            synonyms.emplace(text, value);
            return Result<void>();
        });
        if (!read) {
            continue; // synonyms are a help: what isn't one changes no row
        }
    }
    return synonyms;
}

Result<void> readNlu(const YamlNode& nlu, std::string_view where, RowMaker& maker)
{
    if (nlu.kind != YamlNode::Kind::Sequence) {
        return inputError(fmt::format("{}: line {}: nlu: a list is expected", where, nlu.line));
    }
    for (const YamlNode& item : nlu.items) {
        const std::string_view intent = item.string("intent");
        const YamlNode* examples = item.member("examples");
        if (intent.empty()) {
            continue; // synonym, regex, lookup
        }
        if (examples == nullptr) {
            return inputError(fmt::format(
                "{}: line {}: the intent \"{}\" has no examples", where, item.line, intent));
        }
        auto read = eachExample(*examples, where,
            [&](std::string_view text, int line) { return maker.add(text, intent, line); });
        if (!read) {
            return read;
        }
    }
    return {};
}

/// Stories whose steps have the user's words: those of `rasa test`.
Result<void> readStories(const YamlNode& stories, RowMaker& maker, int& dialogue)
{
    for (const YamlNode& story : stories.items) {
        const YamlNode* steps = story.member("steps");
        std::vector<std::string> acts;
        int turn = 0;
        if (steps == nullptr) {
            continue;
        }
        for (const YamlNode& step : steps->items) {
            if (const auto action = step.string("action"); !action.empty()) {
                acts.emplace_back(action);
            }
            const YamlNode* user = step.member("user");
            const std::string_view intent = step.string("intent");
            if (user == nullptr || user->kind != YamlNode::Kind::Scalar || intent.empty()) {
                continue;
            }
            std::string words(trimmedBlanks(user->text));
            std::replace(words.begin(), words.end(), '\n', ' ');
            auto row = maker.make(words, intent, user->line + (user->literal ? 1 : 0));
            if (!row) {
                return row.error();
            }
            row->dialogue = dialogue;
            row->turn = ++turn;
            row->systemActs = std::exchange(acts, {});
            row->split = Split::Test;
            maker.rows.push_back(std::move(*row));
        }
        dialogue += turn > 0 ? 1 : 0;
    }
    return {};
}

Result<ImportedRows> readYaml(std::string_view text, std::string_view where)
{
    const auto documents = parseYaml(text, where);
    if (!documents) {
        return documents.error();
    }
    ImportedRows imported;
    int dialogue = 0;
    for (const YamlNode& document : *documents) {
        const YamlNode* nlu = document.member("nlu");
        const Synonyms synonyms = nlu == nullptr ? Synonyms() : synonymsOf(*nlu);
        RowMaker maker(where, synonyms);
        if (nlu != nullptr) {
            if (auto read = readNlu(*nlu, where, maker); !read) {
                return read.error();
            }
        }
        if (const YamlNode* stories = document.member("stories")) {
            if (auto read = readStories(*stories, maker, dialogue); !read) {
                return read.error();
            }
        }
        std::move(maker.rows.begin(), maker.rows.end(), std::back_inserter(imported.rows));
    }
    return imported;
}

Result<ImportedRows> readMarkdown(std::string_view text, std::string_view where)
{
    ImportedRows imported;
    Synonyms synonyms;
    // Synonyms may stand below the examples that use them: the first round collects them.
    for (const bool collecting : {true, false}) {
        RowMaker maker(where, synonyms);
        std::string_view kind;
        std::string_view name;
        bool comment = false;
        auto read = eachLine(text, 1, [&](std::string_view line, int number) -> Result<void> {
            if (comment || line.starts_with("<!--")) {
                comment = line.find("-->") == std::string_view::npos;
                return {};
            }
            if (line.starts_with("##")) {
                line = trimmedBlanks(line.substr(line.find_first_not_of('#') == line.npos
                        ? line.size()
                        : line.find_first_not_of('#')));
                const auto colon = line.find(':');
                kind = trimmedBlanks(line.substr(0, colon));
                name =
                    colon == line.npos ? std::string_view() : trimmedBlanks(line.substr(colon + 1));
                return {};
            }
            const auto item = listItem(line);
            if (!item || item->empty() || name.empty()) {
                return {};
            }
            if (collecting && kind == "synonym") {
                synonyms.emplace(*item, name);
            }
            return !collecting && kind == "intent" ? maker.add(*item, name, number)
                                                   : Result<void>();
        });
        if (!read) {
            return read.error();
        }
        imported.rows = std::move(maker.rows);
    }
    return imported;
}

Result<ImportedRows> readJson(std::string_view text, std::string_view where)
{
    const auto document = JsonDocument::parse(text, where);
    if (!document) {
        return document.error();
    }
    const json::value* data = memberOf(document->root(), "rasa_nlu_data");
    const json::array* examples = data == nullptr ? nullptr : arrayOf(*data, "common_examples");
    if (examples == nullptr) {
        return inputError(
            fmt::format("{}: rasa_nlu_data.common_examples, an array, is missing", where));
    }
    ImportedRows imported;
    Remarks remarks;
    for (const json::value& example : *examples) {
        LabelledQuery row;
        row.line = document->line(example);
        row.text = stringOf(example, "text");
        row.intent = stringOf(example, "intent");
        if (row.text.empty() || row.intent.empty()) {
            return inputError(document->place(example) + ": an example needs text and intent");
        }
        if (const json::array* entities = arrayOf(example, "entities")) {
            for (const json::value& entity : *entities) {
                const json::value* begin = memberOf(entity, "start");
                const json::value* end = memberOf(entity, "end");
                if (begin != nullptr && end != nullptr && begin->is_int64() && end->is_int64()) {
                    addEntity(row, stringOf(entity, "entity"), stringOf(entity, "value"),
                        std::size_t(begin->get_int64()), std::size_t(end->get_int64()), false,
                        remarks);
                }
            }
        }
        imported.rows.push_back(std::move(row));
    }
    imported.notes = remarks.lines();
    return imported;
}

} // namespace

Result<ImportedRows> readRasa(std::string_view text, std::string_view where)
{
    const std::string_view content = trimmedBlanks(text);
    if (content.starts_with('{')) {
        return readJson(text, where);
    }
    if (content.starts_with("## ") || content.find("\n## ") != std::string_view::npos) {
        return readMarkdown(text, where);
    }
    return readYaml(text, where);
}

} // namespace sluice

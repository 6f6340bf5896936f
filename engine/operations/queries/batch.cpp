#include "engine/operations/queries/batch.h"

#include "engine/base/file.h"
#include "engine/base/json.h"
#include "engine/classification/evaluation/archive.h"
#include "engine/classification/evaluation/importers.h"
#include "engine/classification/evaluation/labelleddata.h"

#include <algorithm>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cctype>
#include <fmt/format.h>

namespace sluice::ops {

namespace json = boost::json;

namespace {

constexpr std::size_t maxBatchBytes = std::size_t(1) << 30;
constexpr std::size_t chunk = 256;

BatchInput labelled(LabelledData data)
{
    BatchInput input;
    input.isLabelled = true;
    input.duplicates = data.report.duplicates;
    input.queries.reserve(data.queries.size());
    for (LabelledQuery& row : data.queries) {
        input.queries.push_back(
            {{std::move(row.text), std::move(row.system), std::move(row.systemActs)},
                std::move(row.intent), row.dialogue, row.line});
    }
    return input;
}

Result<BatchInput> plainJsonl(std::string_view text, const std::string& where)
{
    BatchInput input;
    int line = 0;
    while (!text.empty()) {
        ++line;
        const auto end = text.find('\n');
        const std::string_view row = text.substr(0, end);
        text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
        if (row.find_first_not_of(" \t\r") == std::string_view::npos) {
            continue;
        }
        const std::string place = fmt::format("{}: line {}", where, line);
        const auto value = parseJson(row, place);
        if (!value) {
            return value.error();
        }
        JsonReader in(*value, place);
        BatchQuery query;
        query.line = line;
        query.query.text = in.string("text");
        query.query.system = in.optionalString("system").value_or("");
        if (auto done = in.finishKnown(); !done) {
            return done.error();
        }
        input.queries.push_back(std::move(query));
    }
    return input;
}

std::string lower(std::string_view text)
{
    std::string result(text);
    std::transform(result.begin(), result.end(), result.begin(),
        [](unsigned char c) { return char(std::tolower(c)); });
    return result;
}

/// Records whose header has a column "text" or "query"; nullopt: it is no such file.
Result<std::optional<BatchInput>> plainCsv(std::string_view text, const std::string& where)
{
    std::vector<int> lines;
    const std::string header = lower(text.substr(0, text.find_first_of(",\r\n")));
    if (header != "text" && header != "query") {
        return std::optional<BatchInput>();
    }
    auto records = parseCsv(text, where, lines);
    if (!records) {
        return records.error();
    }
    BatchInput input;
    for (std::size_t row = 1; row < records->size(); ++row) {
        BatchQuery query;
        query.query.text = (*records)[row].front();
        query.line = lines[row];
        input.queries.push_back(std::move(query));
    }
    return std::optional(std::move(input));
}

BatchInput queryALine(std::string_view text)
{
    BatchInput input;
    int line = 0;
    while (!text.empty()) {
        ++line;
        const auto end = text.find('\n');
        std::string_view row = text.substr(0, end);
        text = end == std::string_view::npos ? std::string_view() : text.substr(end + 1);
        if (row.ends_with('\r')) {
            row.remove_suffix(1);
        }
        if (row.find_first_not_of(" \t") != std::string_view::npos) {
            input.queries.push_back({{std::string(row), {}, {}}, {}, -1, line});
        }
    }
    return input;
}

/// A file that is plainly meant as labelled keeps its own error.
bool looksLabelled(std::string_view text)
{
    const DataFormat format = sniffFormat(text);
    if (isZip(text) || (format != DataFormat::Csv && format != DataFormat::Jsonl)) {
        return true;
    }
    const std::string_view head = text.substr(0, std::min<std::size_t>(text.size(), 1U << 16));
    if (head.find_first_not_of(" \t\r\n") != std::string_view::npos
        && (head[head.find_first_not_of(" \t\r\n")] == '{'
            || head[head.find_first_not_of(" \t\r\n")] == '[')) {
        return head.find("\"intent\"") != std::string_view::npos;
    }
    const std::string header = lower(head.substr(0, head.find('\n')));
    return header.find(",intent") != std::string::npos
        || header.find(",category") != std::string::npos
        || header.find(",label") != std::string::npos;
}

std::string entityText(const Answer& answer)
{
    std::string text;
    for (const Entity& entity : answer.entities) {
        text += fmt::format("{}{} = {}", text.empty() ? "" : "; ", entity.type, entity.value);
    }
    return text;
}

BatchRow rowOf(const BatchQuery& query, const Result<Answer>& answer)
{
    BatchRow row;
    row.line = query.line;
    row.text = query.query.text;
    row.expected = query.expected;
    if (!answer) {
        row.error = answer.error().text();
        return row;
    }
    row.verdict = answer->verdict;
    row.rule = answer->ruling.rule;
    if (!answer->candidates.empty()) {
        row.intent = answer->candidates.front().intent;
        row.confidence = float(answer->candidates.front().confidence);
    }
    row.threshold = float(answer->ruling.threshold);
    row.margin = float(answer->ruling.margin);
    row.microseconds = float(answer->times.total());
    row.entities = entityText(*answer);
    return row;
}

std::string csvField(std::string_view field)
{
    if (field.find_first_of(",\"\r\n") == std::string_view::npos) {
        return std::string(field);
    }
    std::string text = "\"";
    for (const char c : field) {
        text += c;
        if (c == '"') {
            text += '"';
        }
    }
    return text + '"';
}

} // namespace

Result<BatchInput> readBatch(const std::filesystem::path& file)
{
    auto data = readLabelledData(file);
    if (data) {
        return labelled(std::move(*data));
    }
    auto text = readFile(file, maxBatchBytes);
    if (!text) {
        return text.error();
    }
    std::string_view content = *text;
    if (content.starts_with("\xEF\xBB\xBF")) {
        content.remove_prefix(3);
    }
    if (looksLabelled(content)) {
        return data.error();
    }
    const auto first = content.find_first_not_of(" \t\r\n");
    Result<BatchInput> input = BatchInput();
    if (first != std::string_view::npos && content[first] == '{') {
        input = plainJsonl(content, file.string());
    } else {
        auto csv = plainCsv(content, file.string());
        if (!csv) {
            return csv.error();
        }
        input = *csv ? std::move(**csv) : queryALine(content);
    }
    if (input && input->queries.empty()) {
        return inputError(file.string() + ": there is no query in it");
    }
    return input;
}

bool BatchRow::isRight() const
{
    if (!error.empty()) {
        return false;
    }
    return expected == outOfScope ? verdict != Verdict::Accept
                                  : verdict == Verdict::Accept && intent == expected;
}

Result<std::vector<BatchRow>> classifyBatch(std::span<const BatchQuery> queries,
    AnswerSource& source, const std::function<void(std::size_t)>& progress,
    const std::atomic<bool>* cancel)
{
    std::vector<BatchRow> rows;
    rows.reserve(queries.size());
    Session session;
    int dialogue = -1;
    while (rows.size() < queries.size()) {
        if (cancel != nullptr && cancel->load(std::memory_order_relaxed)) {
            return cancelledError("The batch was stopped.");
        }
        const std::size_t begin = rows.size();
        const BatchQuery& next = queries[begin];
        if (next.dialogue >= 0) {
            if (next.dialogue != dialogue) {
                session = Session();
                session.id = makeSessionId();
                dialogue = next.dialogue;
            }
            auto reply = source.ask(next.query, session, ContextUse::Use);
            if (!reply && reply.error().kind == ErrorKind::Unreachable) {
                return reply.error();
            }
            rows.push_back(rowOf(next,
                reply ? Result<Answer>(std::move(reply->answer)) : Result<Answer>(reply.error())));
        } else {
            std::vector<Query> part;
            for (std::size_t at = begin;
                 at < queries.size() && part.size() < chunk && queries[at].dialogue < 0; ++at) {
                part.push_back(queries[at].query);
            }
            const auto answers = source.askAll(part);
            if (!answers) {
                return answers.error();
            }
            for (std::size_t at = 0; at < answers->size(); ++at) {
                rows.push_back(rowOf(queries[begin + at], (*answers)[at]));
            }
        }
        if (progress) {
            progress(rows.size());
        }
    }
    return rows;
}

std::string batchCsv(std::span<const BatchRow> rows, std::span<const int> order)
{
    std::string text =
        "line,text,expected,decision,intent,confidence,threshold,margin,rule,entities,"
        "microseconds,error\r\n";
    for (const int index : order) {
        const BatchRow& row = rows[std::size_t(index)];
        text += fmt::format("{},{},{},{},{},{:.6g},{:.6g},{:.6g},{},{},{:.4g},{}\r\n", row.line,
            csvField(row.text), csvField(row.expected),
            row.error.empty() ? toString(row.verdict) : "", csvField(row.intent), row.confidence,
            row.threshold, row.margin, row.error.empty() ? toString(row.rule) : "",
            csvField(row.entities), row.microseconds, csvField(row.error));
    }
    return text;
}

std::string batchJsonl(std::span<const BatchRow> rows, std::span<const int> order)
{
    std::string text;
    for (const int index : order) {
        const BatchRow& row = rows[std::size_t(index)];
        json::object object{{"text", row.text}};
        if (row.line > 0) {
            object["line"] = row.line;
        }
        if (!row.expected.empty()) {
            object["intent"] = row.expected;
        }
        if (row.error.empty()) {
            object["verdict"] = toString(row.verdict);
            object["predicted"] = row.intent;
            object["score"] = row.confidence;
            object["threshold"] = row.threshold;
            object["margin"] = row.margin;
            object["rule"] = toString(row.rule);
            object["found"] = row.entities;
        } else {
            object["error"] = row.error;
        }
        text += json::serialize(object) + '\n';
    }
    return text;
}

} // namespace sluice::ops

#pragma once

#include "engine/operations/queries/answersource.h"

#include <filesystem>
#include <functional>

namespace sluice::ops {

/// A query of a file, labelled or not.
struct BatchQuery
{
    Query query;
    std::string expected; ///< the label, "oos" for out of scope; empty: none
    int dialogue = -1; ///< number of its conversation in the file; -1: a query of its own
    int line = 0; ///< from 1; 0 where the format has no lines
};

struct BatchInput
{
    std::vector<BatchQuery> queries;
    std::size_t duplicates = 0; ///< left out: same text and label again
    bool isLabelled = false;
};

/// Reads every format that labelled data come in, and, where there are no labels, the same without:
/// JSON Lines and CSV with a text alone, or a query a line. Input error as the labelled data's
/// reader gives it.
Result<BatchInput> readBatch(const std::filesystem::path& file);

/// A query and what became of it.
struct BatchRow
{
    int line = 0;
    std::string text;
    std::string expected;
    Verdict verdict = Verdict::Fallback;
    Rule rule = Rule::NoSignal;
    std::string intent; ///< first candidate
    float confidence = 0;
    float threshold = 0;
    float margin = 0;
    float microseconds = 0;
    std::string entities; ///< "order_number = A-2231; date = 2026-03-12"
    std::string error; ///< why it could not be classified

    /// Accepted as expected, or out of scope and not accepted.
    bool isRight() const;
};

/// The order of the input. Conversations are run turn by turn, each in a session of its own.
/// Cancelled when `cancel` becomes true; an error of the target ends it, one of a query is in its
/// row.
Result<std::vector<BatchRow>> classifyBatch(std::span<const BatchQuery> queries,
    AnswerSource& source, const std::function<void(std::size_t)>& progress = {},
    const std::atomic<bool>* cancel = nullptr);

/// The rows as a file: RFC 4180 with a header, or a JSON object a line. `order`: which, in which
/// order.
std::string batchCsv(std::span<const BatchRow> rows, std::span<const int> order);
std::string batchJsonl(std::span<const BatchRow> rows, std::span<const int> order);

} // namespace sluice::ops

#pragma once

#include "engine/base/result.h"
#include "engine/classification/entities/entity.h"

#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// The name of the out-of-scope class in our own format; importers map other formats' names to it
/// (None, null, "", out_of_scope, nlu_fallback).
inline constexpr std::string_view outOfScope = "oos";

enum class Split
{
    Train,
    Validation,
    Calibration,
    Test,
    None
};
std::string_view toString(Split split); ///< "train", "val", "calibration", "test", ""
/// Accepts "val" and "validation"; Input error naming the choices.
Result<Split> splitFromString(std::string_view name);

enum class DataFormat
{
    Auto,
    Clinc,
    Csv,
    Jsonl,
    Rasa,
    Dialogflow,
    Azure, ///< LUIS and CLU
    Lex,
    Snips,
    NlpJs,
    FastText,
    Conll, ///< token by token, also as seq.in, seq.out and label
    JsonRows ///< an array of objects: NLU.DevOps, NLU++
};
/// "auto", "rasa" ...; Input error naming the choices.
Result<DataFormat> dataFormatFromString(std::string_view name);
/// "auto, clinc, csv ...", for help texts.
std::string dataFormatNames();
/// What a person calls it: "Rasa NLU"; Auto: "".
std::string_view titleOf(DataFormat format);

struct LabelledQuery
{
    std::string text; ///< valid UTF-8, not empty
    std::string intent; ///< or outOfScope
    Split split = Split::None; ///< None: the file has no splits, the row serves any
    std::vector<Entity> entities;
    // Of a turn of a conversation; its turns stand in order, one after another.
    int dialogue = -1; ///< number of its conversation in the file, from 0; -1: a single query
    int turn = 0; ///< from 1
    std::string system = {}; ///< what the system said just before
    std::vector<std::string> systemActs = {};
    bool followUp = false; ///< marked: leans on what was said before
    bool topicChange = false; ///< marked: another intent than the turn before
    std::vector<Entity> carried = {}; ///< marked: entities that it is about and does not name
    int line = 0; ///< where it begins in its file, from 1; 0 where the format has no lines
    std::string file = {}; ///< of an archive or folder: the file in it

    bool isOutOfScope() const { return intent == outOfScope; }
};

/// What an import found; shown before the data is used.
struct ImportReport
{
    DataFormat format = DataFormat::Auto;
    std::size_t rows = 0;
    std::size_t duplicates = 0; ///< same text and intent again; kept once
    std::vector<std::string> conflicts; ///< "line 7 and 93: 'hi there' is greeting and goodbye"
    std::vector<std::string> notes; ///< what was left out or needs a look: "12 rows left out ..."
};

struct LabelledData
{
    std::vector<LabelledQuery> queries;
    ImportReport report;

    std::vector<LabelledQuery> part(
        Split split) const; ///< rows of that split and those without one
    std::vector<std::string> intents() const; ///< sorted, without outOfScope
};

/// Reads one file, zip archive or folder in any of the formats of docs/FORMATS.md: CLINC150's JSON,
/// CSV (RFC 4180, header with text,category|intent|label[,split]), JSON Lines
/// ({"text","intent"[,"split"]...}), and those of other tools. Auto sniffs by content; an archive's
/// own layout decides. Input error with file, line and reason at the first row that is malformed.
Result<LabelledData> readLabelledData(
    const std::filesystem::path& file, DataFormat format = DataFormat::Auto);
Result<LabelledData> readLabelledData(
    std::span<const std::filesystem::path> files, DataFormat format = DataFormat::Auto);

} // namespace sluice

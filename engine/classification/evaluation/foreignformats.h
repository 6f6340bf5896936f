#pragma once

#include "engine/classification/evaluation/labelleddata.h"

#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// What a reader found in a file of another tool.
struct ImportedRows
{
    std::vector<LabelledQuery> rows; ///< unchecked: see checkRows()
    std::vector<std::string> notes; ///< what was left out or needs a look, for the preview
};

/// A reader of one format: `where` begins every error message, which says the line.
using FormatReader = Result<ImportedRows> (*)(std::string_view text, std::string_view where);

/// Rasa: NLU data in YAML (2.0 to 3.1) or Markdown (1.x) or JSON (`rasa_nlu_data`), and test
/// stories, whose turns become conversations with the actions between as the system's acts.
/// Sources: rasa.com/docs/rasa/training-data-format,
/// rasa/shared/nlu/training_data/entities_parser.py.
Result<ImportedRows> readRasa(std::string_view text, std::string_view where);

/// Azure: a LUIS app (`luis_schema_version`) or a CLU project (`assets.utterances`), exported as
/// JSON. Offsets are UTF-16 units; LUIS' `endPos` is the last one of the entity. Datasets Train and
/// Test are splits.
Result<ImportedRows> readAzure(std::string_view text, std::string_view where);

/// Amazon Lex V1's export: `resource.intents[].sampleUtterances`. (V2's is an archive.)
Result<ImportedRows> readLex(std::string_view text, std::string_view where);

/// Snips NLU: data set as JSON (`intents.NAME.utterances[].data[]`), as YAML (`type: intent`), and
/// the benchmark of 2017 (`{"NAME": [{"data": [...]}]}`).
Result<ImportedRows> readSnips(std::string_view text, std::string_view where);

/// nlp.js: a corpus, `data[].{intent, utterances[]}`; "None" is out of scope.
Result<ImportedRows> readNlpJs(std::string_view text, std::string_view where);

/// Dialogflow ES: the phrases of one intent, an array of `{data: [{text, meta}]}`; the intent is
/// the file's name (`NAME_usersays_en.json`). A whole agent is an archive.
Result<ImportedRows> readDialogflow(std::string_view text, std::string_view where);

/// fastText: a line `__label__NAME text`. Rows with several labels are left out and counted.
Result<ImportedRows> readFastText(std::string_view text, std::string_view where);

/// CoNLL: a token a line, its tag (IOB1, IOB2, BIOES) in the last column, an empty line after each
/// sentence, whose intent stands above it: `# intent: NAME` (and perhaps `# text: ...`).
Result<ImportedRows> readConll(std::string_view text, std::string_view where);

/// An array of objects with a text and an intent (`intent`, `label`, `category`), as of NLU.DevOps
/// (`matchText`), or `intents` (NLU++), of which rows that have several are left out and counted.
Result<ImportedRows> readJsonRows(std::string_view text, std::string_view where);

/// A sentence's tokens, joined by blanks, and the entities that its tags mark: B-, I-, E-, S-, O,
/// and I- at the beginning of one (IOB1).
LabelledQuery taggedQuery(
    const std::vector<std::string>& tokens, const std::vector<std::string>& tags);

/// Notes, once each, what readers leave out or leave as it is, with counts.
class Remarks
{
public:
    void count(std::string_view what) { ++m_counts[std::string(what)]; }
    std::vector<std::string> lines() const; ///< "12 rows: they have several intents ..."

private:
    std::map<std::string, std::size_t> m_counts;
};
inline constexpr std::string_view severalIntents =
    "left out, for they have several intents, and one is what is learnt";
inline constexpr std::string_view placeholders =
    "have placeholders for values, and are kept as they are";
inline constexpr std::string_view strayEntities =
    "have an entity whose place is not within the text; it is left out";

/// An entity from outside, where its place fits the text.
void addEntity(LabelledQuery& row, std::string_view type, std::string_view value, std::size_t begin,
    std::size_t end, bool utf16, Remarks& remarks);

} // namespace sluice

#pragma once

#include "engine/classification/evaluation/archive.h"
#include "engine/classification/evaluation/foreignformats.h"

#include <span>

namespace sluice {

struct ImportedArchive
{
    DataFormat format = DataFormat::Auto; ///< Auto: several
    ImportedRows rows;
};

/// The labelled queries of an archive or folder:
/// - a Dialogflow agent: ES (`intents/NAME_usersays_LANGUAGE.json` beside `intents/NAME.json`,
/// whose
///   `fallbackIntent` is out of scope; the oldest keep `userSays` within the intent) or CX
///   (`intents/NAME/trainingPhrases/LANGUAGE.json`);
/// - a Lex V2 bot (`BotLocales/LOCALE/Intents/NAME/Intent.json`; what continues
///   AMAZON.FallbackIntent is out of scope);
/// - a joint set of intents and slots: `seq.in`, `seq.out` and `label`, in folders that name a
/// split;
/// - else every file in it that holds labelled queries (a Rasa project's `data`), those that don't
///   noted.
/// Several languages are one set. Rows carry the member's name. Input error, beginning with
/// `where`.
Result<ImportedArchive> readArchive(std::span<const ArchiveMember> members, std::string_view where);

} // namespace sluice

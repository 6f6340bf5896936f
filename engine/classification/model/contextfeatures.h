#pragma once

#include "engine/classification/model/model.h"
#include "engine/classification/text/ngrams.h"

#include <span>
#include <string_view>
#include <vector>

namespace sluice {

/// Appends what came before a query as features of the group Context: the last two intents, alone
/// and together; the turn number (up to six); the system's acts, whole and by kind ("REQUEST:city",
/// "REQUEST(city)" -> "REQUEST"); its words and pairs of words; and the last intent and the acts
/// each together with the query's first word, so that "yes" to an offer differs from "yes" to a
/// question. Nothing for an empty context.
void appendContextFeatures(const QueryContext& context, const std::vector<std::string_view>& tokens,
    std::vector<Ngram>& out);

} // namespace sluice

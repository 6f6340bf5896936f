#pragma once

#include "engine/classification/classifier.h"
#include "ui/shell/theme.h"

#include <QString>
#include <QStringList>

/// An answer in words: pure functions, so that panel, table and tests say the same.
namespace sluice::ui::answertext {

Tone toneOf(Verdict verdict);
QString verdict(Verdict verdict); ///< "accept", as API and files have it
QString rule(Rule rule); ///< "at or above its threshold"
QString parts(const Ruling& ruling); ///< "global 0.47, follow up −0.05"
/// "accept refund_status 0.83"
QString summary(const Answer& answer);
/// The smallest change of the thresholds that gives another verdict; a sentence.
QString change(const Answer& answer);

/// What differs between two answers to the same query; empty: nothing that matters.
QStringList differences(const Answer& a, const Answer& b);

} // namespace sluice::ui::answertext

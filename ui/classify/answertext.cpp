#include "ui/classify/answertext.h"

#include "ui/shell/format.h"

#include <QCoreApplication>
#include <algorithm>
#include <cmath>

namespace sluice::ui::answertext {

namespace {

constexpr double visible = 0.005; ///< less than what two decimals show

struct Words
{
    Q_DECLARE_TR_FUNCTIONS(AnswerText)
};

QString text(std::string_view view)
{
    return QString::fromUtf8(view.data(), qsizetype(view.size()));
}

QString firstOf(const Answer& answer)
{
    return answer.candidates.empty() ? QString()
                                     : QString::fromStdString(answer.candidates.front().intent);
}

double confidenceOf(const Answer& answer)
{
    return answer.candidates.empty() ? 0 : answer.candidates.front().confidence;
}

QStringList entitiesOf(const Answer& answer)
{
    QStringList all;
    for (const Entity& entity : answer.entities) {
        all << QString::fromStdString(entity.type + " = " + entity.value);
    }
    all.sort();
    return all;
}

QString either(const QString& what, const QString& a, const QString& b)
{
    return Words::tr("%1: %2 | %3")
        .arg(what, a.isEmpty() ? format::missing() : a, b.isEmpty() ? format::missing() : b);
}

} // namespace

Tone toneOf(Verdict verdict)
{
    switch (verdict) {
    case Verdict::Accept:
        return Tone::Ok;
    case Verdict::Clarify:
        return Tone::Warn;
    case Verdict::Fallback:
        break;
    }
    return Tone::Bad;
}

QString verdict(Verdict verdict)
{
    return text(toString(verdict));
}

QString rule(Rule rule)
{
    switch (rule) {
    case Rule::AboveThreshold:
        return Words::tr("at or above its threshold");
    case Rule::AmbiguousMargin:
        return Words::tr("the second candidate is too near");
    case Rule::InClarifyBand:
        return Words::tr("just below its threshold");
    case Rule::RepeatedFailure:
        return Words::tr("failed repeatedly: ask instead");
    case Rule::BelowThreshold:
        return Words::tr("below its threshold: out of scope");
    case Rule::NoSignal:
        return Words::tr("nothing in it is known to the model");
    }
    return {};
}

QString parts(const Ruling& ruling)
{
    QStringList parts;
    for (const ThresholdPart& part : ruling.parts) {
        const QString amount =
            parts.isEmpty() ? format::fixed(part.amount, 2) : format::signedFixed(part.amount, 2);
        parts << QString(text(part.name).replace(u'_', u' ') % u' ' % amount);
    }
    return parts.join(QStringLiteral(", "));
}

QString summary(const Answer& answer)
{
    const QString best = firstOf(answer);
    return best.isEmpty() ? verdict(answer.verdict)
                          : QString(verdict(answer.verdict) % u' ' % best % u' '
                              % format::fixed(confidenceOf(answer), 2));
}

QString change(const Answer& answer)
{
    const Ruling& ruling = answer.ruling;
    if (ruling.rule == Rule::NoSignal || answer.candidates.empty()) {
        return Words::tr("No threshold changes it: the model knows nothing in this query.");
    }
    QStringList ways;
    if (ruling.wouldChangeAt >= 0 && !ruling.parts.empty()) {
        const ThresholdPart& base = ruling.parts.front();
        const QString which = base.name == "intent"
            ? Words::tr("the threshold of %1").arg(firstOf(answer))
            : Words::tr("the global threshold");
        ways << Words::tr("%1 at %2 instead of %3 (%4)")
                    .arg(which, format::fixed(ruling.wouldChangeAt, 3),
                        format::fixed(base.amount, 3),
                        format::signedFixed(ruling.wouldChangeAt - base.amount, 3));
    }
    if (ruling.rule == Rule::AmbiguousMargin) {
        ways << Words::tr("a margin of %1 instead of %2")
                    .arg(format::fixed(std::floor(ruling.margin * 1000) / 1000, 3),
                        format::fixed(ruling.requiredMargin, 3));
    } else if (ruling.rule == Rule::AboveThreshold && answer.candidates.size() > 1) {
        ways << Words::tr("a margin above %1 instead of %2")
                    .arg(format::fixed(ruling.margin, 3), format::fixed(ruling.requiredMargin, 3));
    }
    return ways.isEmpty()
        ? Words::tr("No threshold changes it.")
        : Words::tr("Another verdict with %1.").arg(ways.join(Words::tr(", or with ")));
}

QStringList differences(const Answer& a, const Answer& b)
{
    QStringList all;
    if (a.verdict != b.verdict) {
        all << either(Words::tr("decision"), verdict(a.verdict), verdict(b.verdict));
    }
    if (firstOf(a) != firstOf(b)) {
        all << either(Words::tr("first intent"), firstOf(a), firstOf(b));
    }
    if (a.ruling.rule != b.ruling.rule) {
        all << either(Words::tr("rule"), text(toString(a.ruling.rule)).replace(u'_', u' '),
            text(toString(b.ruling.rule)).replace(u'_', u' '));
    }
    const auto number = [&](const QString& what, double x, double y) {
        if (std::abs(x - y) >= visible) {
            all << either(what, format::fixed(x, 2), format::fixed(y, 2));
        }
    };
    number(Words::tr("confidence"), confidenceOf(a), confidenceOf(b));
    number(Words::tr("threshold"), a.ruling.threshold, b.ruling.threshold);
    number(Words::tr("required margin"), a.ruling.requiredMargin, b.ruling.requiredMargin);
    const QStringList mine = entitiesOf(a);
    const QStringList others = entitiesOf(b);
    QStringList onlyA;
    QStringList onlyB;
    std::set_difference(
        mine.begin(), mine.end(), others.begin(), others.end(), std::back_inserter(onlyA));
    std::set_difference(
        others.begin(), others.end(), mine.begin(), mine.end(), std::back_inserter(onlyB));
    if (!onlyA.isEmpty() || !onlyB.isEmpty()) {
        all << either(Words::tr("entities"), onlyA.join(QStringLiteral(", ")),
            onlyB.join(QStringLiteral(", ")));
    }
    if (a.context != b.context) {
        all << either(Words::tr("context"), text(toString(a.context)), text(toString(b.context)));
    }
    return all;
}

} // namespace sluice::ui::answertext

#include "engine/classification/thresholds/thresholdset.h"
#include "tests/support/testcase.h"

#include <QDateTime>
#include <array>
#include <cmath>
#include <random>

using namespace sluice;

// Confidences here are sums of powers of two where a boundary is met exactly.
class TestDecision : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void rule_data();
    void rule();
    void nothingKnown();
    void strangeLabel();
    void partsExplainTheThreshold();
    void thresholdIsClamped();
    void rulesAdjust_data();
    void rulesAdjust();
    void timeHoldsUntilItChanges();
    void wouldChange_data();
    void wouldChange();
    void wouldChangeFlipsTheVerdict();
    void verdictAgreesWithDecide();
};

namespace {

const std::vector<std::string> labels{"cancel", "refund", "track"};

ThresholdSet plainSet(double global, double margin, double band)
{
    ThresholdSet set;
    set.global = global;
    set.margin = margin;
    set.clarifyBand = band;
    return set;
}

CompiledThresholds compiled(const ThresholdSet& set)
{
    auto result = CompiledThresholds::compile(set, labels, "");
    Q_ASSERT(result.ok());
    return std::move(*result);
}

/// "accept above_threshold"
QByteArray told(const Ruling& ruling)
{
    const auto text =
        std::string(toString(ruling.verdict)) + " " + std::string(toString(ruling.rule));
    return QByteArray::fromStdString(text);
}

Ruling decide(const ThresholdSet& set, double first, double second, DecisionContext context = {})
{
    const std::array candidates{Candidate{0, first}, Candidate{1, second}};
    const std::size_t count = second < 0 ? 1 : 2; // below 0: there is none
    return compiled(set).decide(std::span(candidates).first(count), context);
}

} // namespace

void TestDecision::rule_data()
{
    QTest::addColumn<double>("global");
    QTest::addColumn<double>("margin");
    QTest::addColumn<double>("band");
    QTest::addColumn<double>("first");
    QTest::addColumn<double>("second");
    QTest::addColumn<int>("failures");
    QTest::addColumn<QByteArray>("expected");
    const auto row = [](const char* name, std::array<double, 5> in, int failures,
                         const char* expected) {
        QTest::newRow(name) << in[0] << in[1] << in[2] << in[3] << in[4] << failures
                            << QByteArray(expected);
    };
    row("clear", {0.5, 0.125, 0.125, 0.75, 0.1}, 0, "accept above_threshold");
    row("at the threshold", {0.5, 0.125, 0.125, 0.5, 0.1}, 0, "accept above_threshold");
    row("just below", {0.5, 0.125, 0.125, 0.4999, 0.1}, 0, "clarify in_clarify_band");
    row("at the margin", {0.5, 0.125, 0.125, 0.5, 0.375}, 0, "accept above_threshold");
    row("within the margin", {0.5, 0.125, 0.125, 0.5, 0.376}, 0, "clarify ambiguous_margin");
    row("a tie", {0.25, 0.125, 0.125, 0.5, 0.5}, 0, "clarify ambiguous_margin");
    row("a tie without margin", {0.25, 0.0, 0.125, 0.5, 0.5}, 0, "accept above_threshold");
    row("at the band's end", {0.5, 0.125, 0.125, 0.375, 0.1}, 0, "clarify in_clarify_band");
    row("below the band", {0.5, 0.125, 0.125, 0.3749, 0.1}, 0, "fallback below_threshold");
    row("no band", {0.5, 0.125, 0.0, 0.4999, 0.1}, 0, "fallback below_threshold");
    row("one failure", {0.5, 0.125, 0.125, 0.2, 0.1}, 1, "fallback below_threshold");
    row("two failures", {0.5, 0.125, 0.125, 0.2, 0.1}, 2, "clarify repeated_failure");
    row("failures do not accept", {0.5, 0.125, 0.125, 0.75, 0.7}, 9, "clarify ambiguous_margin");
    row("threshold 0", {0.0, 0.0, 0.0, 0.0, -1}, 0, "accept above_threshold");
    row("threshold 0 with margin", {0.0, 0.125, 0.0, 0.01, 0.005}, 0, "clarify ambiguous_margin");
    row("threshold 1", {1.0, 0.0, 0.0, 0.9999, 0.0}, 0, "fallback below_threshold");
    row("threshold 1 met", {1.0, 0.5, 0.0, 1.0, 0.0}, 0, "accept above_threshold");
    row("single candidate", {0.5, 0.25, 0.125, 0.5, -1}, 0, "accept above_threshold");
    row("single below margin", {0.125, 0.25, 0.125, 0.2, -1}, 0, "clarify ambiguous_margin");
}

void TestDecision::rule()
{
    QFETCH(double, global);
    QFETCH(double, margin);
    QFETCH(double, band);
    QFETCH(double, first);
    QFETCH(double, second);
    QFETCH(int, failures);
    QFETCH(QByteArray, expected);
    ThresholdSet set = plainSet(global, margin, band);
    set.failuresBeforeClarify = 2;
    const Ruling ruling = decide(set, first, second, {failures > 0, failures});
    QCOMPARE(told(ruling), expected);
    QCOMPARE(ruling.threshold, global);
    QCOMPARE(float(ruling.margin), float(second < 0 ? first : first - second));
    QCOMPARE(ruling.requiredMargin, margin);
}

void TestDecision::nothingKnown()
{
    ThresholdSet set = plainSet(0.0, 0.0, 1.0);
    set.failuresBeforeClarify = 1;
    const Ruling ruling = compiled(set).decide({}, {true, 5});
    QCOMPARE(told(ruling), "fallback no_signal");
    QCOMPARE(ruling.wouldChangeAt, -1.0);
    QVERIFY(compiled(set).verdict({}, {true, 5}) == Verdict::Fallback);
}

void TestDecision::strangeLabel()
{
    const CompiledThresholds thresholds = compiled(plainSet(0.5, 0.0, 0.0));
    for (const int label : {-1, 3, 1000000}) {
        const std::array candidates{Candidate{label, 0.75}};
        QCOMPARE(told(thresholds.decide(candidates, {})), "accept above_threshold");
        QVERIFY(thresholds.verdict(candidates, {}) == Verdict::Accept);
    }
}

void TestDecision::partsExplainTheThreshold()
{
    ThresholdSet set = plainSet(0.5, 0.0, 0.0);
    set.perIntent = {{"cancel", 0.75}};
    set.followUp = -0.125;
    set.sensitive = 0.0625;
    set.sensitiveIntents = {"cancel"};
    const CompiledThresholds thresholds = compiled(set);
    const auto text = [&](int label, bool followUp) {
        const std::array candidates{Candidate{label, 0.6875}};
        const Ruling ruling = thresholds.decide(candidates, {followUp, 0});
        QString out;
        for (const ThresholdPart& part : ruling.parts) {
            out += QStringLiteral("%1 %2 ").arg(
                QString::fromUtf8(part.name.data(), qsizetype(part.name.size())),
                QString::number(part.amount));
        }
        return QString(out + QStringLiteral("= %1").arg(ruling.threshold));
    };
    QCOMPARE(text(0, false), QStringLiteral("intent 0.75 sensitive 0.0625 = 0.8125"));
    QCOMPARE(
        text(0, true), QStringLiteral("intent 0.75 follow_up -0.125 sensitive 0.0625 = 0.6875"));
    QCOMPARE(text(1, true), QStringLiteral("global 0.5 follow_up -0.125 = 0.375"));
    QCOMPARE(text(2, false), QStringLiteral("global 0.5 = 0.5"));
}

void TestDecision::thresholdIsClamped()
{
    ThresholdSet set = plainSet(0.9, 0.0, 0.0);
    set.sensitive = 0.5;
    set.sensitiveIntents = {"cancel"};
    QCOMPARE(decide(set, 1.0, 0.0).threshold, 1.0);
    QCOMPARE(told(decide(set, 1.0, 0.0)), "accept above_threshold");
    set.sensitive = -1.0;
    QCOMPARE(decide(set, 0.0, 0.0).threshold, 0.0);
    QCOMPARE(told(decide(set, 0.0, 0.0)), "accept above_threshold");
}

namespace {

ContextRule ruleOf(Condition when, double add, std::set<std::string> intents = {})
{
    ContextRule rule;
    rule.when = when;
    rule.add = add;
    rule.intents = std::move(intents);
    return rule;
}

ContextRule hoursOf(double add, int from, int to, const char* zone)
{
    ContextRule rule = ruleOf(Condition::TimeOfDay, add);
    rule.from = from * 60;
    rule.to = to * 60;
    rule.zone = zone;
    return rule;
}

/// A rule of each condition, two of some; amounts are powers of two.
ThresholdSet ruledSet()
{
    ThresholdSet set = plainSet(0.5, 0.0, 0.0);
    set.followUp = -0.0625;
    set.sensitive = 0.03125;
    set.sensitiveIntents = {"refund"};
    ContextRule second = ruleOf(Condition::RepeatedFailure, 0.125, {"cancel"});
    second.failures = 4;
    ContextRule first = ruleOf(Condition::RepeatedFailure, -0.25);
    first.failures = 2;
    set.rules = {second, first, ruleOf(Condition::FollowUp, 0.125, {"track"}),
        ruleOf(Condition::Sensitive, 0.25, {"refund"}), hoursOf(0.0625, 22, 6, "Europe/Berlin"),
        hoursOf(0.015625, 23, 0, "Europe/Berlin"), hoursOf(-0.125, 0, 12, "")};
    return set;
}

std::chrono::sys_seconds at(const char* text)
{
    return std::chrono::sys_seconds(std::chrono::seconds(
        QDateTime::fromString(QLatin1StringView(text), Qt::ISODate).toSecsSinceEpoch()));
}

} // namespace

void TestDecision::rulesAdjust_data()
{
    QTest::addColumn<int>("label");
    QTest::addColumn<bool>("followUp");
    QTest::addColumn<int>("failures");
    QTest::addColumn<QByteArray>("time");
    QTest::addColumn<QByteArray>("expected");
    const auto row = [](const char* name, int label, bool followUp, int failures, const char* time,
                         const char* expected) {
        QTest::newRow(name) << label << followUp << failures << QByteArray(time)
                            << QByteArray(expected);
    };
    // 0 cancel, 1 refund, 2 track
    row("no context", 0, false, 0, "", "global 0.5 = 0.5");
    row("follow-up", 0, true, 0, "", "global 0.5 follow_up -0.0625 = 0.4375");
    row("follow-up of an intent", 2, true, 0, "", "global 0.5 follow_up 0.0625 = 0.5625");
    row("sensitive twice", 1, false, 0, "", "global 0.5 sensitive 0.28125 = 0.78125");
    row("one failure", 0, true, 1, "", "global 0.5 follow_up -0.0625 = 0.4375");
    row("two failures", 2, false, 2, "", "global 0.5 repeated_failure -0.25 = 0.25");
    row("three failures", 0, false, 3, "", "global 0.5 repeated_failure -0.25 = 0.25");
    row("four failures", 0, false, 4, "", "global 0.5 repeated_failure -0.125 = 0.375");
    row("many failures", 0, false, 999, "", "global 0.5 repeated_failure -0.125 = 0.375");
    row("four of another", 2, false, 4, "", "global 0.5 repeated_failure -0.25 = 0.25");
    row("summer night", 0, false, 0, "2026-07-01T20:00:00Z",
        "global 0.5 time_of_day 0.0625 = 0.5625");
    row("just before", 0, false, 0, "2026-07-01T19:59:59Z", "global 0.5 = 0.5");
    row("winter night", 0, false, 0, "2026-01-01T21:00:00Z",
        "global 0.5 time_of_day 0.0625 = 0.5625");
    row("winter, an hour before", 0, false, 0, "2026-01-01T20:59:59Z", "global 0.5 = 0.5");
    row("both of a zone", 0, false, 0, "2026-01-01T22:30:00Z",
        "global 0.5 time_of_day 0.078125 = 0.578125");
    row("both zones", 0, false, 0, "2026-01-01T04:59:59Z",
        "global 0.5 time_of_day -0.0625 = 0.4375");
    row("one zone", 0, false, 0, "2026-01-01T05:00:00Z", "global 0.5 time_of_day -0.125 = 0.375");
    row("noon", 0, false, 0, "2026-01-01T12:00:00Z", "global 0.5 = 0.5");
    row("long ago", 0, false, 0, "1960-01-01T22:30:00Z",
        "global 0.5 time_of_day 0.078125 = 0.578125");
    row("stranger", 7, true, 4, "2026-01-01T12:00:00Z",
        "global 0.5 follow_up -0.0625 repeated_failure -0.25 = 0.1875");
    row("all", 1, true, 2, "2026-01-01T21:00:00Z",
        "global 0.5 follow_up -0.0625 sensitive 0.28125 repeated_failure -0.25 time_of_day 0.0625 "
        "= 0.53125");
}

void TestDecision::rulesAdjust()
{
    QFETCH(int, label);
    QFETCH(bool, followUp);
    QFETCH(int, failures);
    QFETCH(QByteArray, time);
    QFETCH(QByteArray, expected);
    const CompiledThresholds thresholds = compiled(ruledSet());
    DecisionContext context{followUp, failures};
    if (!time.isEmpty()) {
        context.at = at(time.constData());
    }
    const std::array candidates{Candidate{label, 0.5}};
    const Ruling ruling = thresholds.decide(candidates, context);
    QByteArray found;
    for (const ThresholdPart& part : ruling.parts) {
        found += QByteArray(part.name.data(), qsizetype(part.name.size())) + ' '
            + QByteArray::number(part.amount) + ' ';
    }
    QCOMPARE(QByteArray(found + "= " + QByteArray::number(ruling.threshold, 'g', 9)), expected);
    QCOMPARE(ruling.threshold, thresholds.threshold(label, context));
}

// Within the time told nothing changes; over a day every change is told of.
void TestDecision::timeHoldsUntilItChanges()
{
    using std::chrono::minutes;
    QVERIFY(compiled(plainSet(0.5, 0, 0)).timeHoldsUntil(at("2026-01-01T12:00:00Z"))
        == std::chrono::sys_seconds::max());
    const CompiledThresholds thresholds = compiled(ruledSet());
    for (const char* day : {"2026-01-01T00:00:00Z", "2026-03-29T00:00:00Z", "2026-10-24T21:17:03Z",
             "1959-12-31T23:59:59Z"}) { // two are changes of summer time
        auto until = thresholds.timeHoldsUntil(at(day));
        double threshold = thresholds.threshold(0, {false, 0, at(day)});
        for (int minute = 1; minute < 3000; ++minute) {
            const auto now = at(day) + minutes(minute);
            const double present = thresholds.threshold(0, {false, 0, now});
            QVERIFY(now >= until || present == threshold);
            if (now >= until) {
                threshold = present;
                until = thresholds.timeHoldsUntil(now);
                QVERIFY(until > now);
            }
        }
    }
}

void TestDecision::wouldChange_data()
{
    QTest::addColumn<double>("global");
    QTest::addColumn<double>("margin");
    QTest::addColumn<double>("band");
    QTest::addColumn<double>("first");
    QTest::addColumn<double>("second");
    QTest::addColumn<double>("sensitive");
    QTest::addColumn<double>("expected");
    const auto row = [](const char* name, std::array<double, 6> in, double expected) {
        QTest::newRow(name) << in[0] << in[1] << in[2] << in[3] << in[4] << in[5] << expected;
    };
    row("accepted: above its confidence", {0.5, 0.1, 0.125, 0.75, 0.1, 0.0}, 0.75);
    row("in the band: at its confidence", {0.5, 0.1, 0.125, 0.4375, 0.1, 0.0}, 0.4375);
    // 0.48 is nearer to becoming a fallback at 0.4 + 0.1 than accepted at 0.4.
    row("in the band, nearer to its end", {0.48, 0.1, 0.1, 0.4, 0.1, 0.0}, 0.5);
    row("fallback: the band reaches it", {0.5, 0.1, 0.15, 0.1, 0.0, 0.0}, 0.25);
    row("fallback without a band", {0.5, 0.1, 0.0, 0.25, 0.1, 0.0}, 0.25);
    // Too near to accept at any threshold; above the band it would fall back.
    row("ambiguous", {0.25, 0.1, 0.125, 0.5, 0.45, 0.0}, 0.625);
    row("fallback that could be ambiguous", {0.9, 0.1, 0.0, 0.5, 0.45, 0.0}, 0.5);
    row("parts are taken off", {0.5, 0.1, 0.125, 0.75, 0.1, 0.125}, 0.625);
    row("parts leave nothing", {0.5, 0.1, 0.0, 0.25, 0.1, 0.5}, -1.0);
    row("certain: accepted at any", {0.5, 0.1, 0.125, 1.0, 0.0, 0.0}, -1.0);
    row("accepted at the margin", {0.5, 0.5, 0.5, 0.75, 0.25, 0.0}, 0.75);
    row("hopeless: accepted at 0 only", {0.5, 0.0, 0.0, 0.0, 0.0, 0.0}, 0.0);
}

void TestDecision::wouldChange()
{
    QFETCH(double, global);
    QFETCH(double, margin);
    QFETCH(double, band);
    QFETCH(double, first);
    QFETCH(double, second);
    QFETCH(double, sensitive);
    QFETCH(double, expected);
    ThresholdSet set = plainSet(global, margin, band);
    set.sensitive = sensitive;
    set.sensitiveIntents = {"cancel"};
    QCOMPARE(decide(set, first, second).wouldChangeAt, expected);
}

// What a reader does with it: a hair to the far side of it the verdict is another, a hair to the
// near side it is not; and where there is none, no threshold changes the verdict.
void TestDecision::wouldChangeFlipsTheVerdict()
{
    std::minstd_rand random(7);
    std::uniform_real_distribution<double> share(0.0, 1.0);
    int flips = 0;
    for (int round = 0; round < 20000; ++round) {
        ThresholdSet set = plainSet(share(random), share(random) * 0.3, share(random) * 0.3);
        set.followUp = share(random) * 0.4 - 0.2;
        set.failuresBeforeClarify = round % 3;
        set.rules = {ruleOf(Condition::RepeatedFailure, share(random) * 0.4 - 0.2)};
        const DecisionContext context{round % 2 == 0, round % 5};
        const double first = share(random);
        const double second = std::min(first, 1 - first) * share(random);
        const Ruling ruling = decide(set, first, second, context);
        const auto verdictAt = [&](double global) {
            ThresholdSet other = set;
            other.global = std::clamp(global, 0.0, 1.0);
            return decide(other, first, second, context).verdict;
        };
        if (ruling.wouldChangeAt < 0) {
            for (int step = 0; step <= 50; ++step) {
                QVERIFY(verdictAt(step / 50.0) == ruling.verdict);
            }
            continue;
        }
        if (std::abs(ruling.wouldChangeAt - set.global) < 1e-5) {
            continue;
        }
        const double away = ruling.wouldChangeAt > set.global ? 1e-6 : -1e-6;
        QVERIFY(verdictAt(ruling.wouldChangeAt + away) != ruling.verdict);
        QVERIFY(verdictAt(ruling.wouldChangeAt - away) == ruling.verdict);
        ++flips;
    }
    QVERIFY(flips > 15000);
}

void TestDecision::verdictAgreesWithDecide()
{
    std::minstd_rand random(3);
    std::uniform_real_distribution<double> share(0.0, 1.0);
    for (int round = 0; round < 4000; ++round) {
        ThresholdSet set = plainSet(share(random), share(random) * 0.2, share(random) * 0.2);
        set.perIntent = {{"refund", share(random)}};
        set.followUp = share(random) - 0.5;
        set.sensitive = share(random) * 0.2;
        set.sensitiveIntents = {"cancel"};
        set.failuresBeforeClarify = round % 3;
        set.rules = ruledSet().rules;
        const CompiledThresholds thresholds = compiled(set);
        const std::array candidates{
            Candidate{round % 3, share(random)}, Candidate{(round + 1) % 3, share(random) * 0.5}};
        const DecisionContext context{
            round % 2 == 0, round % 6, at("2026-06-01T00:00:00Z") + std::chrono::minutes(round)};
        QVERIFY(thresholds.decide(candidates, context).verdict
            == thresholds.verdict(candidates, context));
    }
}

QTEST_GUILESS_MAIN(TestDecision)
#include "tst_decision.moc"

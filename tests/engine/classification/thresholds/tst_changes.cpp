#include "engine/classification/thresholds/changes.h"
#include "tests/support/testcase.h"

using namespace sluice;

class TestChanges : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void equalSetsDoNotDiffer();
    void everyKindIsTold();
    void mergeTakesBothSides();
    void mergeOfOneSideIsThatSide();
    void mergeTellsConflicts();
    void removalsMergeToo();
};

namespace {

ThresholdSet baseSet()
{
    ThresholdSet set;
    set.number = 4;
    set.global = 0.5;
    set.perIntent = {{"refund", 0.75}, {"track", 0.25}};
    set.sensitiveIntents = {"refund"};
    set.rules.push_back({});
    set.rules[0].add = 0.125;
    return set;
}

QStringList texts(const std::vector<ThresholdChange>& changes)
{
    QStringList all;
    for (const ThresholdChange& change : changes) {
        all << QString::fromStdString(toText(change));
    }
    return all;
}

} // namespace

void TestChanges::equalSetsDoNotDiffer()
{
    ThresholdSet other = baseSet();
    other.number = 9;
    other.author = "ada";
    other.comment = "why";
    other.createdAt = "2026-01-01T00:00:00Z";
    QVERIFY(diff(baseSet(), other).empty());
}

void TestChanges::everyKindIsTold()
{
    ThresholdSet other = baseSet();
    other.model = "abc";
    other.global = 0.6;
    other.perIntent = {{"refund", 0.8}, {"cancel", 0.0}};
    other.margin = 0.2;
    other.clarifyBand = 0;
    other.followUp = -0.5;
    other.sensitive = 0.1;
    other.sensitiveIntents = {"cancel"};
    other.failuresBeforeClarify = 3;
    other.rules[0].failures = 9; // no part of a follow-up rule: the same condition
    other.rules[0].add = 0.25;
    ContextRule night;
    night.when = Condition::TimeOfDay;
    night.to = 360;
    night.add = 0.05;
    other.rules.push_back(night);
    QCOMPARE(texts(diff(baseSet(), other)),
        (QStringList{QStringLiteral("model: any -> abc"), QStringLiteral("global: 0.5 -> 0.6"),
            QStringLiteral("per_intent cancel: none -> 0"),
            QStringLiteral("per_intent refund: 0.75 -> 0.8"),
            QStringLiteral("per_intent track: 0.25 -> none"), QStringLiteral("margin: 0.1 -> 0.2"),
            QStringLiteral("clarify_band: 0.15 -> 0"), QStringLiteral("follow_up: 0 -> -0.5"),
            QStringLiteral("sensitive: 0 -> 0.1"),
            QStringLiteral("sensitive_intents cancel: added"),
            QStringLiteral("sensitive_intents refund: removed"),
            QStringLiteral("failures_before_clarify: 0 -> 3"),
            QStringLiteral("rules {\"when\":\"follow_up\"}: 0.125 -> 0.25"),
            QStringLiteral("rules {\"when\":\"time_of_day\",\"from\":\"00:00\",\"to\":\"06:00\","
                           "\"zone\":\"\"}: none -> 0.05")}));
    QCOMPARE(diff(other, baseSet()).size(), diff(baseSet(), other).size());
}

void TestChanges::mergeTakesBothSides()
{
    ThresholdSet ours = baseSet();
    ours.global = 0.6;
    ours.perIntent["cancel"] = 0.9;
    ours.author = "ada";
    ours.comment = "ours";
    ThresholdSet theirs = baseSet();
    theirs.perIntent["refund"] = 0.8;
    theirs.margin = 0.2;
    theirs.rules[0].add = 0.0625;
    theirs.model = "abc";
    theirs.perIntent["cancel"] = 0.9; // the same change on both sides is none to argue about
    theirs.sensitiveIntents.insert("cancel");
    theirs.failuresBeforeClarify = 2;
    theirs.number = 5;
    const ThresholdMerge merged = merge(baseSet(), ours, theirs);
    QVERIFY(merged.conflicts.empty());
    ThresholdSet expected = theirs;
    expected.number = 0;
    expected.global = 0.6;
    expected.author = "ada";
    expected.comment = "ours";
    QVERIFY(merged.merged == expected);
}

void TestChanges::mergeOfOneSideIsThatSide()
{
    ThresholdSet other = baseSet();
    other.global = 0.1;
    other.clarifyBand = 0.3;
    other.followUp = 0.2;
    other.sensitive = 0.3;
    other.rules.clear();
    for (const ThresholdMerge& merged : {merge(baseSet(), baseSet(), other),
             merge(baseSet(), other, baseSet()), merge(baseSet(), other, other)}) {
        QVERIFY(merged.conflicts.empty());
        QVERIFY(diff(merged.merged, other).empty());
    }
}

void TestChanges::mergeTellsConflicts()
{
    ThresholdSet ours = baseSet();
    ours.global = 0.6;
    ours.perIntent["refund"] = 0.8;
    ThresholdSet theirs = baseSet();
    theirs.global = 0.7;
    theirs.perIntent.erase("refund");
    const ThresholdMerge merged = merge(baseSet(), ours, theirs);
    QCOMPARE(merged.conflicts.size(), 2U);
    QCOMPARE(toText(merged.conflicts[0]), "global: base 0.5, ours 0.6, theirs 0.7");
    QCOMPARE(toText(merged.conflicts[1]), "per_intent refund: base 0.75, ours 0.8, theirs none");
    QVERIFY(diff(merged.merged, ours).empty());
}

void TestChanges::removalsMergeToo()
{
    ThresholdSet ours = baseSet();
    ours.perIntent.erase("track");
    ours.rules.clear();
    ThresholdSet theirs = baseSet();
    theirs.sensitiveIntents.clear();
    const ThresholdMerge merged = merge(baseSet(), ours, theirs);
    QVERIFY(merged.conflicts.empty());
    QVERIFY(!merged.merged.perIntent.contains("track"));
    QVERIFY(merged.merged.rules.empty());
    QVERIFY(merged.merged.sensitiveIntents.empty());
    QCOMPARE(merged.merged.perIntent.at("refund"), 0.75);
}

QTEST_GUILESS_MAIN(TestChanges)
#include "tst_changes.moc"

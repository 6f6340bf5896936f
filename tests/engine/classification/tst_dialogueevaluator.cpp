#include "engine/classification/dialogueevaluator.h"
#include "tests/engine/classification/model/toydata.h"
#include "tests/support/testcase.h"

using namespace sluice;
using test::row;
using test::turn;

class TestDialogueEvaluator : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void namesOfContexts();
    void countsTurnsAndConversations();
    void contextIsWhatIsShown();
    void ownPredictionsAreFedBack();
    void aNewConversationForgets();
    void outOfScopeIsRightWhenNotAccepted();
    void nothingIsNothing();
    void canBeCancelled();

private:
    CompiledThresholds thresholds(double global) const
    {
        ThresholdSet set;
        set.global = global;
        set.margin = 0;
        return *CompiledThresholds::compile(set, m_model->labels(), {});
    }
    DialogueEvaluation run(
        const std::vector<LabelledQuery>& rows, DialogueContext context, double global = 0) const
    {
        return *evaluateDialogues(*m_model, thresholds(global), rows, context);
    }

    std::optional<Model> m_model;
};

void TestDialogueEvaluator::initTestCase()
{
    TrainingOptions options;
    options.epochs = 20;
    auto model = Model::train(test::toyDialogues(96), options);
    QVERIFY2(model.ok(), model ? "" : model.error().message.c_str());
    m_model.emplace(std::move(*model));
    QVERIFY(m_model->hasContext());
}

void TestDialogueEvaluator::namesOfContexts()
{
    QCOMPARE(*dialogueContextFromString("none"), DialogueContext::None);
    QCOMPARE(*dialogueContextFromString("text"), DialogueContext::Text);
    QCOMPARE(*dialogueContextFromString("acts"), DialogueContext::Acts);
    const auto other = dialogueContextFromString("full");
    QVERIFY(!other.ok());
    QCOMPARE(other.error().kind, ErrorKind::Input);
    QVERIFY(other.error().message.find("\"full\"") != std::string::npos);
}

void TestDialogueEvaluator::countsTurnsAndConversations()
{
    const auto result = run({turn(0, 1, "track 3", "track"), turn(0, 2, "yes", "track_sure"),
                                row("a single query", "track"), turn(1, 1, "track 4", "cancel"),
                                turn(1, 2, "track 5", "track"), turn(1, 3, "hello", "greet"),
                                turn(2, 1, "hello", "greet")},
        DialogueContext::Text);
    QCOMPARE(result.dialogues, 3U);
    QCOMPARE(result.turns, 6U);
    QCOMPARE(result.followUps, 3U);
    QCOMPARE(result.accuracyFirstTurn, 2.0 / 3.0);
    QVERIFY(result.accuracyFollowUp > 0.3);
    QCOMPARE(result.accuracyAll * 6, result.accuracyFirstTurn * 3 + result.accuracyFollowUp * 3);
    QCOMPARE(result.dialoguesRight, 2.0 / 3.0); // one has a wrong turn
}

void TestDialogueEvaluator::contextIsWhatIsShown()
{
    std::vector<LabelledQuery> byText;
    std::vector<LabelledQuery> byActs;
    for (int index = 0; index < 6; ++index) {
        const std::string what = index % 2 == 0 ? "give_pin" : "give_town";
        byText.push_back(turn(index, 1, "hello", "greet"));
        byText.push_back(
            turn(index, 2, "four two", what, index % 2 == 0 ? "Your PIN, please" : "Which town?"));
        byActs.push_back(turn(index, 1, "hello", "greet"));
        byActs.push_back(turn(
            index, 2, "four two", what, {}, {index % 2 == 0 ? "REQUEST:pin" : "REQUEST:town"}));
    }
    QCOMPARE(run(byText, DialogueContext::Text).accuracyFollowUp, 1.0);
    QCOMPARE(run(byActs, DialogueContext::Acts).accuracyFollowUp, 1.0);
    // What is not shown cannot tell the two apart.
    QCOMPARE(run(byText, DialogueContext::Acts).accuracyFollowUp, 0.5);
    QCOMPARE(run(byActs, DialogueContext::Text).accuracyFollowUp, 0.5);
    QCOMPARE(run(byText, DialogueContext::None).accuracyFollowUp, 0.5);
    QCOMPARE(run(byText, DialogueContext::None).accuracyFirstTurn, 1.0);
}

void TestDialogueEvaluator::ownPredictionsAreFedBack()
{
    // The first turns are marked against what the model says; "yes" means what the model said.
    const std::vector<LabelledQuery> rows{turn(0, 1, "track 3", "cancel"),
        turn(0, 2, "yes", "track_sure"), turn(1, 1, "cancel order 3", "track"),
        turn(1, 2, "yes", "cancel_sure")};
    const auto result = run(rows, DialogueContext::Text);
    QCOMPARE(result.accuracyFirstTurn, 0.0);
    QCOMPARE(result.accuracyFollowUp, 1.0);
    QCOMPARE(result.dialoguesRight, 0.0);
    QCOMPARE(run(rows, DialogueContext::Acts).accuracyFollowUp, 1.0);
    QCOMPARE(run(rows, DialogueContext::None).accuracyFollowUp, 0.5);
}

void TestDialogueEvaluator::aNewConversationForgets()
{
    // A first turn is scored as if nothing had been said, whatever conversation stood before.
    const std::vector<LabelledQuery> rows{
        turn(0, 1, "cancel order 1", "cancel"), turn(1, 1, "yes", "track_sure")};
    const std::vector<LabelledQuery> alone{turn(0, 1, "yes", "track_sure")};
    QCOMPARE(run(rows, DialogueContext::Text).accuracyFirstTurn,
        0.5 + 0.5 * run(alone, DialogueContext::Text).accuracyFirstTurn);
}

void TestDialogueEvaluator::outOfScopeIsRightWhenNotAccepted()
{
    const std::vector<LabelledQuery> rows{
        turn(0, 1, "track 3", "track"), turn(0, 2, "cancel track four", "oos")};
    QCOMPARE(run(rows, DialogueContext::Text, 0).accuracyFollowUp, 0.0); // all is accepted
    QCOMPARE(run(rows, DialogueContext::Text, 1).accuracyFollowUp, 1.0); // nothing is
    QCOMPARE(run(rows, DialogueContext::Text, 1).accuracyFirstTurn, 1.0); // the first candidate
    QCOMPARE(run(rows, DialogueContext::Text, 1).dialoguesRight, 1.0);
    const std::vector<LabelledQuery> unknown{
        turn(0, 1, "\xE6\x9D\xB1", "oos"), turn(0, 2, "\xE6\x9D\xB1", "track")};
    QCOMPARE(run(unknown, DialogueContext::None).accuracyFirstTurn, 1.0);
    QCOMPARE(run(unknown, DialogueContext::None).accuracyFollowUp, 0.0);
}

void TestDialogueEvaluator::nothingIsNothing()
{
    const auto result = run({row("a single query", "track")}, DialogueContext::Text);
    QCOMPARE(result.turns, 0U);
    QCOMPARE(result.dialogues, 0U);
    QCOMPARE(result.accuracyAll, 0.0);
    QCOMPARE(result.dialoguesRight, 0.0);
}

void TestDialogueEvaluator::canBeCancelled()
{
    const std::atomic<bool> cancel = true;
    const std::vector<LabelledQuery> rows{turn(0, 1, "track 3", "track")};
    const auto result =
        evaluateDialogues(*m_model, thresholds(0), rows, DialogueContext::Text, &cancel);
    QVERIFY(!result.ok());
    QCOMPARE(result.error().kind, ErrorKind::Cancelled);
}

QTEST_GUILESS_MAIN(TestDialogueEvaluator)
#include "tst_dialogueevaluator.moc"

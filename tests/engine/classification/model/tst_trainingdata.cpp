#include "engine/classification/model/trainingdata.h"
#include "tests/engine/classification/model/toydata.h"
#include "tests/support/testcase.h"

#include <algorithm>
#include <map>

using namespace sluice;
using test::row;
using test::turn;

class TestTrainingData : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void splitsServeTheirPurpose();
    void needsTwoIntents();
    void aTenthIsHeldOut();
    void conversationsAreHeldOutWhole();
    void turnsKnowWhatCameBefore();
    void viewsShowTheirPart();
    void drawsFollowTheirShares();
    void drawsAreSeeded();
    void hashIsOfTheTrainingRows();

private:
    static TrainingData from(const std::vector<LabelledQuery>& rows, std::uint64_t seed = 1)
    {
        LabelledData data;
        data.queries = rows;
        std::mt19937_64 random(seed);
        auto parts = TrainingData::from(data, random);
        return parts ? std::move(*parts) : TrainingData();
    }
    static std::vector<std::string> texts(const std::vector<Example>& examples)
    {
        std::vector<std::string> all;
        for (const Example& example : examples) {
            all.push_back(example.text);
        }
        return all;
    }
};

void TestTrainingData::splitsServeTheirPurpose()
{
    const auto parts = from({row("Train ONE", "b"), row("no split", "a", Split::None),
        row("outside of training", "oos"), row("held", "a", Split::Validation),
        row("held outside", "oos", Split::Validation), row("tested", "b", Split::Test),
        row("only tested", "c", Split::Test), row("to calibrate", "a", Split::Calibration),
        row("of an intent that training lacks", "d", Split::Validation)});
    QCOMPARE(parts.labels, std::vector<std::string>({"a", "b"}));
    QCOMPARE(texts(parts.train), std::vector<std::string>({"train one", "no split"}));
    QCOMPARE(parts.train[0].label, 1);
    QCOMPARE(parts.train[1].label, 0);
    QCOMPARE(texts(parts.held),
        std::vector<std::string>({"held", "held outside", "outside of training"}));
    QCOMPARE(parts.held[0].label, 0);
    QCOMPARE(parts.held[1].label, -1);
    QCOMPARE(parts.held[2].label, -1);
    QVERIFY(!parts.heldIsTrain && !parts.hasContext);
}

void TestTrainingData::needsTwoIntents()
{
    LabelledData data;
    data.queries = {row("x", "a"), row("y", "oos"), row("z", "b", Split::Test)};
    std::mt19937_64 random(1);
    const auto parts = TrainingData::from(data, random);
    QVERIFY(!parts.ok());
    QCOMPARE(parts.error().kind, ErrorKind::Input);
    QVERIFY(parts.error().message.find("names 1 intents") != std::string::npos);
}

void TestTrainingData::aTenthIsHeldOut()
{
    std::vector<LabelledQuery> rows;
    for (int index = 0; index < 100; ++index) {
        rows.push_back(row("text " + std::to_string(index), index % 2 == 0 ? "a" : "b"));
    }
    rows.push_back(row("outside", "oos", Split::Validation)); // no validation to stop by
    const auto parts = from(rows);
    QVERIFY(parts.heldIsTrain);
    QCOMPARE(parts.train.size(), 90U);
    QCOMPARE(parts.held.size(), 11U);
    auto all = texts(parts.train);
    for (const std::string& text : texts(parts.held)) {
        QVERIFY(std::find(all.begin(), all.end(), text) == all.end());
        all.push_back(text);
    }
    QCOMPARE(all.size(), 101U);
    QCOMPARE(texts(from(rows).held), texts(parts.held));
    QVERIFY(texts(from(rows, 2).held) != texts(parts.held));
}

void TestTrainingData::conversationsAreHeldOutWhole()
{
    std::vector<LabelledQuery> rows;
    for (int index = 0; index < 30; ++index) {
        for (int number = 1; number <= 3; ++number) {
            rows.push_back(
                turn(index, number, "talk" + std::to_string(index), index % 2 == 0 ? "a" : "b"));
        }
    }
    const auto parts = from(rows);
    QVERIFY(parts.hasContext);
    QCOMPARE(parts.held.size(), 9U);
    QCOMPARE(parts.train.size(), 81U);
    for (const auto* part : {&parts.held, &parts.train}) {
        std::map<std::string, std::vector<int>> turns;
        for (const Example& example : *part) {
            turns[example.text].push_back(example.turn);
        }
        for (const auto& [text, numbers] : turns) {
            QCOMPARE(numbers, std::vector<int>({1, 2, 3}));
        }
    }
}

void TestTrainingData::turnsKnowWhatCameBefore()
{
    const auto parts = from({turn(0, 1, "one", "a"), turn(0, 2, "two", "b", "Which TOWN", {"ASK"}),
        turn(0, 3, "three", "a"), turn(1, 1, "four", "b"), row("alone", "a"),
        turn(2, 1, "five", "oos"), turn(2, 2, "six", "a"), turn(2, 3, "seven", "b"),
        row("held", "a", Split::Validation)});
    const auto of = [&](std::string_view text) {
        return *std::find_if(parts.train.begin(), parts.train.end(),
            [&](const Example& example) { return example.text == text; });
    };
    QCOMPARE(of("one").lastIntent, -1);
    QCOMPARE(of("two").lastIntent, 0);
    QCOMPARE(of("two").intentBefore, -1);
    QCOMPARE(of("two").system, std::string("which town"));
    QCOMPARE(of("two").acts, std::vector<std::string>({"ASK"}));
    QCOMPARE(of("three").lastIntent, 1);
    QCOMPARE(of("three").intentBefore, 0);
    QCOMPARE(of("four").lastIntent, -1);
    QCOMPARE(of("alone").hasContext, false);
    QCOMPARE(of("alone").turn, 0);
    QCOMPARE(of("six").lastIntent, -1); // the turn before is out of scope
    QCOMPARE(of("seven").lastIntent, 0);
    QCOMPARE(of("seven").intentBefore, -1);
}

void TestTrainingData::viewsShowTheirPart()
{
    const auto parts = from({turn(0, 1, "one", "a"), turn(0, 2, "two", "b"),
        turn(0, 3, "three", "a", "which town", {"ASK"}), row("held", "a", Split::Validation)});
    const ContextDraw draw(parts, 1);
    const Example& example = parts.train[2];
    QVERIFY(draw.context(example, ContextView::None).isEmpty());
    const auto intents = draw.context(example, ContextView::Intents);
    QCOMPARE(intents.lastIntent, std::string_view("b"));
    QCOMPARE(intents.intentBefore, std::string_view("a"));
    QCOMPARE(intents.turn, 3);
    QVERIFY(intents.system.empty() && intents.acts.empty());
    const auto text = draw.context(example, ContextView::Text);
    QVERIFY(text.system == "which town" && text.acts.empty());
    const auto acts = draw.context(example, ContextView::Acts);
    QVERIFY(acts.system.empty() && acts.acts.size() == 1);
    const auto full = draw.context(example, ContextView::Full);
    QVERIFY(!full.system.empty() && !full.acts.empty() && full.lastIntent == "b");
}

void TestTrainingData::drawsFollowTheirShares()
{
    std::vector<LabelledQuery> rows;
    for (int index = 0; index < 20; ++index) {
        rows.push_back(row("x", "intent" + std::to_string(10 + index)));
    }
    rows.push_back(turn(0, 1, "one", "intent10"));
    rows.push_back(turn(0, 2, "two", "intent11"));
    rows.push_back(turn(0, 3, "three", "intent12", "which town", {"ASK"}));
    rows.push_back(row("held", "intent10", Split::Validation));
    const auto parts = from(rows);
    ContextDraw contexts(parts, 4);
    QVERIFY(contexts.draw(parts.train.front()).isEmpty()); // a single query
    constexpr int draws = 20000;
    std::map<std::string, double> seen;
    for (int index = 0; index < draws; ++index) {
        const QueryContext context = contexts.draw(parts.train.back());
        const bool text = !context.system.empty();
        const bool acts = !context.acts.empty();
        QVERIFY(!(text && acts));
        if (context.isEmpty()) {
            seen["none"] += 1.0 / draws;
            continue;
        }
        QCOMPARE(context.turn, 3);
        seen[text ? "text" : acts ? "acts" : "intents"] += 1.0 / draws;
        seen["shown"] += 1;
        seen["last"] += context.lastIntent == "intent11" ? 0 : 1;
        seen["before"] += context.intentBefore == "intent10" ? 0 : 1;
    }
    QVERIFY(std::abs(seen["none"] - 0.1) < 0.02);
    QVERIFY(std::abs(seen["intents"] - 0.1) < 0.02);
    QVERIFY(std::abs(seen["text"] - 0.4) < 0.02);
    QVERIFY(std::abs(seen["acts"] - 0.4) < 0.02);
    // A random one of twenty in place of one in ten; one in twenty of these is the same again.
    QVERIFY(std::abs(seen["last"] / seen["shown"] - 0.095) < 0.015);
    QVERIFY(std::abs(seen["before"] / seen["shown"] - 0.095) < 0.015);
}

void TestTrainingData::drawsAreSeeded()
{
    const auto parts = from({turn(0, 1, "one", "a"), turn(0, 2, "two", "b", "which town", {"ASK"}),
        row("held", "a", Split::Validation)});
    const auto digests = [&](std::uint64_t seed) {
        ContextDraw contexts(parts, seed);
        std::vector<std::uint64_t> all;
        for (int index = 0; index < 100; ++index) {
            all.push_back(contexts.draw(parts.train[1]).digest());
        }
        return all;
    };
    QCOMPARE(digests(3), digests(3));
    QVERIFY(digests(3) != digests(4));
}

void TestTrainingData::hashIsOfTheTrainingRows()
{
    const std::vector<LabelledQuery> rows{
        row("one", "a"), row("two", "b"), row("held", "a", Split::Validation)};
    const std::string hash = from(rows).hash();
    QCOMPARE(hash.size(), 64U);
    auto changed = rows;
    changed[2].text = "other";
    QCOMPARE(from(changed).hash(), hash);
    changed[0].text = "other";
    QVERIFY(from(changed).hash() != hash);
    changed = rows;
    std::swap(changed[0].intent, changed[1].intent);
    QVERIFY(from(changed).hash() != hash);
}

QTEST_GUILESS_MAIN(TestTrainingData)
#include "tst_trainingdata.moc"

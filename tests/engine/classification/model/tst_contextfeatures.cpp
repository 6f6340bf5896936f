#include "engine/classification/model/contextfeatures.h"
#include "tests/support/testcase.h"

#include <algorithm>

using namespace sluice;

class TestContextFeatures : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void emptyContextSaysNothing();
    void everyPartSaysSomething();
    void actsHaveKinds();
    void firstWordMatters();
    void digestsDifferWhereFeaturesDo();
    void turnNumbersAreBounded();
    void longContextsAreBounded();
};

namespace {

std::vector<std::uint64_t> features(
    const QueryContext& context, const std::vector<std::string_view>& tokens = {"yes", "please"})
{
    std::vector<Ngram> ngrams;
    appendContextFeatures(context, tokens, ngrams);
    std::vector<std::uint64_t> hashes;
    for (const Ngram& ngram : ngrams) {
        if (ngram.group == NgramGroup::Context) {
            hashes.push_back(ngram.hash);
        }
    }
    return hashes.size() == ngrams.size() ? hashes : std::vector<std::uint64_t>{0};
}

std::size_t shared(std::vector<std::uint64_t> a, std::vector<std::uint64_t> b)
{
    std::sort(a.begin(), a.end());
    std::sort(b.begin(), b.end());
    std::vector<std::uint64_t> both;
    std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
    return both.size();
}

} // namespace

void TestContextFeatures::emptyContextSaysNothing()
{
    QVERIFY(QueryContext().isEmpty());
    QCOMPARE(QueryContext().digest(), 0U);
    std::vector<Ngram> out{{7, NgramGroup::Word}};
    appendContextFeatures({}, {"yes"}, out);
    QCOMPARE(out.size(), 1U); // appended to, not replaced
    QCOMPARE(out[0].hash, 7U);
}

void TestContextFeatures::everyPartSaysSomething()
{
    const std::vector<std::string> acts{"OFFER"};
    QCOMPARE(features({"track", {}, 0, {}, {}}).size(), 2U); // alone, and with the first word
    QCOMPARE(features({"track", "pay", 0, {}, {}}).size(), 4U); // the one before, and both
    QCOMPARE(features({{}, {}, 2, {}, {}}).size(), 1U);
    QCOMPARE(features({{}, {}, 0, "which town?", {}}).size(), 5U); // three tokens, two pairs
    QCOMPARE(features({{}, {}, 0, {}, acts}).size(), 3U); // whole, with the first word, its kind
    // The intent before alone says nothing of itself: only what follows a known one is learned.
    QCOMPARE(features({{}, "pay", 0, {}, {}}).size(), 0U);
    QVERIFY(shared(features({"track", {}, 0, {}, {}}), features({"pay", {}, 0, {}, {}})) == 0);
}

void TestContextFeatures::actsHaveKinds()
{
    const auto of = [](std::string act) {
        const std::vector<std::string> acts{std::move(act)};
        return features({{}, {}, 0, {}, acts});
    };
    const auto town = of("REQUEST:town");
    QCOMPARE(shared(town, of("REQUEST:pin")), 1U); // the kind
    QCOMPARE(shared(town, of("REQUEST(town)")), 1U);
    QCOMPARE(shared(town, of("REQUEST")), 1U);
    QCOMPARE(shared(town, of("OFFER:town")), 0U);
    QCOMPARE(shared(town, of("REQUEST:town")), 3U);
}

void TestContextFeatures::firstWordMatters()
{
    const std::vector<std::string> acts{"OFFER"};
    const QueryContext context{"track", {}, 2, "shall i?", acts};
    const auto yes = features(context, {"yes"});
    const auto no = features(context, {"no"});
    QCOMPARE(yes.size(), no.size());
    QCOMPARE(shared(yes, no), yes.size() - 2); // all but those of intent and act with it
    QCOMPARE(features(context, {}).size(), yes.size());
}

void TestContextFeatures::digestsDifferWhereFeaturesDo()
{
    const std::vector<std::string> offer{"OFFER"};
    const std::vector<std::string> ask{"REQUEST:town"};
    const std::vector<std::string> both{"OFFER", "REQUEST:town"};
    const std::vector<QueryContext> contexts{{}, {"track", {}, 0, {}, {}}, {"pay", {}, 0, {}, {}},
        {"track", "pay", 0, {}, {}}, {"pay", "track", 0, {}, {}}, {"track", {}, 1, {}, {}},
        {"track", {}, 2, {}, {}}, {{}, {}, 2, {}, {}}, {{}, {}, 6, {}, {}}, {{}, {}, 9, {}, {}},
        {{}, {}, 2, "track", {}}, {{}, {}, 2, "which town", {}}, {{}, {}, 2, "town which", {}},
        {{}, {}, 2, {}, offer}, {{}, {}, 2, {}, ask}, {{}, {}, 2, {}, both},
        {"track", "pay", 3, "which town", both}};
    for (const QueryContext& a : contexts) {
        for (const QueryContext& b : contexts) {
            QCOMPARE(a.digest() == b.digest(), features(a) == features(b));
        }
    }
}

void TestContextFeatures::turnNumbersAreBounded()
{
    QVERIFY(features({{}, {}, 5, {}, {}}) != features({{}, {}, 6, {}, {}}));
    QCOMPARE(features({{}, {}, 6, {}, {}}), features({{}, {}, 600, {}, {}}));
    QCOMPARE(
        QueryContext({{}, {}, 6, {}, {}}).digest(), QueryContext({{}, {}, 600, {}, {}}).digest());
}

void TestContextFeatures::longContextsAreBounded()
{
    std::string system;
    std::vector<std::string> acts;
    for (int index = 0; index < 1000; ++index) {
        system += "word" + std::to_string(index) + ' ';
        acts.push_back("ACT:" + std::to_string(index));
    }
    QCOMPARE(features({{}, {}, 0, system, {}}).size(), 64U + 63U);
    QCOMPARE(features({{}, {}, 0, {}, acts}).size(), 32U * 3U);
}

QTEST_GUILESS_MAIN(TestContextFeatures)
#include "tst_contextfeatures.moc"

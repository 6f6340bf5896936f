#include "engine/classification/model/continuation.h"
#include "engine/classification/model/modelmeta.h"
#include "tests/support/testcase.h"

#include <cmath>
#include <random>

using namespace sluice;

/// How much a turn leans on the intents before it.
class TestContinuation : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void findsWhatWasPlanted();
    void fewRowsTeachNothing();
    void goesToTheLastIntents();
    void readsTheContext();
    void metadataKeepIt();
    void metadataWithoutItAreRead();
};

namespace {

constexpr int labels = 6;

/// Turns that stay with a probability that short questions raise; the words know little.
std::vector<ContinuationRow> rowsOf(std::size_t count)
{
    std::mt19937_64 random(7);
    std::uniform_real_distribution<double> uniform;
    std::normal_distribution<float> noise;
    std::vector<ContinuationRow> rows;
    while (rows.size() < count) {
        ContinuationRow row;
        row.logits.resize(labels);
        row.last = int(random() % labels);
        row.label = int(random() % labels);
        const bool asked = uniform(random) < 0.5;
        if (uniform(random) < (asked ? 0.9 : 0.3)) {
            row.label = row.last;
        }
        for (float& logit : row.logits) {
            logit = noise(random);
        }
        row.logits[std::size_t(row.label)] += 1.0F;
        row.features[std::size_t(Staying::Bias)] = 1;
        row.features[std::size_t(Staying::Asked)] = asked ? 1 : 0;
        rows.push_back(std::move(row));
    }
    return rows;
}

int bestOf(const std::vector<float>& logits)
{
    return int(std::max_element(logits.begin(), logits.end()) - logits.begin());
}

} // namespace

void TestContinuation::findsWhatWasPlanted()
{
    const std::vector<ContinuationRow> rows = rowsOf(4000);
    const Continuation fitted = fitContinuation(std::span<const ContinuationRow>(rows).first(2000));
    QVERIFY(!fitted.isEmpty());
    const double bias = fitted.weights[std::size_t(Staying::Bias)];
    const double asked = fitted.weights[std::size_t(Staying::Asked)];
    // Log odds of staying against any other label: 0.3 + 0.7/6 to 0.7/6 and 0.9 + 0.1/6 to 0.1/6.
    QVERIFY2(std::abs(bias - std::log(0.4167 / 0.1167)) < 0.4, qPrintable(QString::number(bias)));
    QVERIFY2(std::abs(bias + asked - std::log(0.9167 / 0.0167)) < 0.8,
        qPrintable(QString::number(bias + asked)));
    int with = 0;
    int without = 0;
    for (std::size_t index = 2000; index < rows.size(); ++index) {
        std::vector<float> logits = rows[index].logits;
        without += bestOf(logits) == rows[index].label ? 1 : 0;
        addContinuation(fitted, rows[index].features, rows[index].last, -1, logits);
        with += bestOf(logits) == rows[index].label ? 1 : 0;
    }
    QVERIFY2(with > without + 200, qPrintable(QString::number(with - without)));
}

void TestContinuation::fewRowsTeachNothing()
{
    QVERIFY(fitContinuation(rowsOf(fewestContinuationRows - 1)).isEmpty());
}

void TestContinuation::goesToTheLastIntents()
{
    Continuation continuation;
    continuation.weights[std::size_t(Staying::Bias)] = 2;
    continuation.before = 0.5;
    StayingFeatures features{};
    features[std::size_t(Staying::Bias)] = 1;
    std::vector<float> logits(3, 0.0F);
    addContinuation(continuation, features, 1, 2, logits);
    QCOMPARE(logits, (std::vector<float>{0.0F, 2.0F, 0.5F}));
    logits.assign(3, 0.0F);
    addContinuation(continuation, features, -1, -1, logits);
    QCOMPARE(logits, (std::vector<float>(3, 0.0F)));
    addContinuation(continuation, features, 1, 1, logits);
    QCOMPARE(logits, (std::vector<float>{0.0F, 2.0F, 0.0F}));
}

void TestContinuation::readsTheContext()
{
    const std::vector<float> logits{-1.0F, 3.0F, -2.0F};
    const auto of = [&](const QueryContext& context) {
        return stayingFeaturesOf(logits, "and when?", 2, 0.5, context);
    };
    const auto at = [](const StayingFeatures& features, Staying which) {
        return features[std::size_t(which)];
    };
    QueryContext context;
    StayingFeatures features = of(context);
    QCOMPARE(at(features, Staying::Bias), 1.0);
    QCOMPARE(at(features, Staying::Length), std::log(3.0));
    QCOMPARE(at(features, Staying::Lead), 3.0);
    QCOMPARE(at(features, Staying::Unseen), 0.5);
    QCOMPARE(at(features, Staying::Question), 1.0);
    QCOMPARE(at(features, Staying::Asked) + at(features, Staying::Told), 0.0);
    QCOMPARE(at(features, Staying::Late), 0.0);
    context.turn = 3;
    context.system = "which one?";
    features = of(context);
    QCOMPARE(at(features, Staying::Asked), 1.0);
    QCOMPARE(at(features, Staying::Late), 1.0);
    context.system = "it has left.";
    QCOMPARE(at(of(context), Staying::Told), 1.0);
    const std::vector<std::string> acts{"INFORM(date)", "REQUEST(city)"};
    context.acts = acts;
    QCOMPARE(at(of(context), Staying::Asked), 1.0);
}

void TestContinuation::metadataKeepIt()
{
    ModelMeta meta;
    meta.labels = {"a", "b"};
    meta.memberScales = {1.0};
    meta.continuation.before = 0.25;
    meta.continuation.weights[std::size_t(Staying::Told)] = -1.5;
    const auto read = readMeta(metaText(meta), "meta");
    QVERIFY2(read.ok(), read ? "" : read.error().message.c_str());
    QCOMPARE(read->continuation.before, 0.25);
    QCOMPARE(read->continuation.weights, meta.continuation.weights);
}

void TestContinuation::metadataWithoutItAreRead()
{
    ModelMeta meta;
    meta.labels = {"a", "b"};
    meta.memberScales = {1.0};
    std::string text = metaText(meta);
    QVERIFY(text.find("continuation") == std::string::npos);
    const auto read = readMeta(text, "meta");
    QVERIFY(read.ok());
    QVERIFY(read->continuation.isEmpty());
    text.insert(text.size() - 1, R"(,"continuation":{"before":1})");
    const auto refused = readMeta(text, "meta");
    QVERIFY(!refused.ok());
    QVERIFY(refused.error().message.find("bias") != std::string::npos);
}

QTEST_GUILESS_MAIN(TestContinuation)
#include "tst_continuation.moc"

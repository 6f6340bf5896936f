#include "engine/classification/model/wordvocabulary.h"
#include "engine/classification/text/ngrams.h"
#include "tests/support/testcase.h"

#include <cmath>

using namespace sluice;

class TestWordVocabulary : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void wordsOfTheTextsOnce();
    void tableRowsAreWordsSeenTwice();
    void valuesAreThoseOfTheVectors();
    void frequentWordsWeighLess();
    void withoutVectors();
    void randomVectorsAreSeeded();
    void wordsSeenOnceAreUnknown();

private:
    static TrainingData data(const std::vector<std::string>& texts)
    {
        TrainingData data;
        data.labels = {"a", "b"};
        for (const std::string& text : texts) {
            Example example;
            example.text = text;
            example.label = 0;
            data.train.push_back(example);
        }
        return data;
    }
    static WordVectors vectors()
    {
        WordVectors vectors;
        vectors.dimension = 3;
        vectors.words = {"the", "parcel", "town", "rare"};
        vectors.ranks = {0, 40, 300, 90000};
        vectors.values = {1, 0, 0, 0, 1, 0, 0, 0, 1, 0.6F, -0.8F, 0};
        return vectors;
    }
    static std::uint32_t find(const WordVocabulary& words, std::string_view word)
    {
        return words.view().index.find(wordHash(word));
    }
    /// "parcel" and "zzz" twice, "the" once; "zzz" has no vector.
    static TrainingData usual() { return data({"the parcel zzz", "zzz parcel", "once"}); }
};

void TestWordVocabulary::wordsOfTheTextsOnce()
{
    QCOMPARE(wordsOf(usual()), std::vector<std::string>({"once", "parcel", "the", "zzz"}));
}

void TestWordVocabulary::tableRowsAreWordsSeenTwice()
{
    const TrainingData training = usual();
    const WordVectors given = vectors();
    const WordVocabulary words(training, &given, 1);
    QVERIFY(words.hasVectors());
    QCOMPARE(words.dimension(), 3U);
    QCOMPARE(words.tableRows(), 2U);
    QCOMPARE(words.view().tableRows, 2U);
    QCOMPARE(find(words, "parcel"), 0U);
    QCOMPARE(find(words, "zzz"), 1U);
    // The others with a vector follow, in the order of the vectors.
    QCOMPARE(find(words, "the"), 2U);
    QCOMPARE(find(words, "town"), 3U);
    QCOMPARE(find(words, "rare"), 4U);
    QCOMPARE(find(words, "once"), HashIndex::none);
    QCOMPARE(words.part().hashes.size(), 5U);
    QCOMPARE(words.part().vectors.size(), 15U);
}

void TestWordVocabulary::valuesAreThoseOfTheVectors()
{
    const TrainingData training = usual();
    const WordVectors given = vectors();
    const WordVocabulary words(training, &given, 1);
    const WordView& view = words.view();
    for (std::size_t row = 0; row < given.size(); ++row) {
        const std::size_t place = find(words, given.words[row]);
        for (std::size_t i = 0; i < 3; ++i) {
            // Of length 5 in the CNNs, rounded to bytes.
            const float expected = 5 * given.values[row * 3 + i];
            QCOMPARE(words.part().vectors[place * 3 + i], expected);
            const float rounded = float(view.vectors[place * 3 + i]) * view.scales[place];
            QVERIFY(std::abs(rounded - expected) <= 5.0F / 254.0F + 1e-5F);
        }
    }
}

void TestWordVocabulary::frequentWordsWeighLess()
{
    const TrainingData training = usual();
    const WordVectors given = vectors();
    const WordVocabulary words(training, &given, 1);
    const auto weight = [&](std::string_view word) {
        return words.view().weights[find(words, word)];
    };
    QCOMPARE(weight("zzz"), 0.0F); // no vector: no part of a mean
    QVERIFY(weight("the") > 0);
    QVERIFY(weight("parcel") > weight("the"));
    QVERIFY(weight("town") > weight("parcel"));
    QVERIFY(weight("rare") > weight("town"));
    QVERIFY(weight("rare") < 1);
}

void TestWordVocabulary::withoutVectors()
{
    const TrainingData training = usual();
    const WordVocabulary words(training, nullptr, 1);
    QVERIFY(!words.hasVectors());
    QCOMPARE(words.tableRows(), 2U);
    QCOMPARE(words.part().hashes.size(), 2U);
    for (std::size_t row = 0; row < 2; ++row) {
        QCOMPARE(words.view().weights[row], 0.0F);
        double square = 0;
        for (std::size_t i = 0; i < words.dimension(); ++i) {
            const auto value = double(words.part().vectors[row * words.dimension() + i]);
            square += value * value;
        }
        // About as long as given ones are.
        QVERIFY(std::sqrt(square) > 3.5 && std::sqrt(square) < 6.5);
    }
}

void TestWordVocabulary::randomVectorsAreSeeded()
{
    const TrainingData training = usual();
    const WordVocabulary one(training, nullptr, 1);
    QCOMPARE(WordVocabulary(training, nullptr, 1).part().vectors, one.part().vectors);
    QVERIFY(WordVocabulary(training, nullptr, 2).part().vectors != one.part().vectors);
}

void TestWordVocabulary::wordsSeenOnceAreUnknown()
{
    const TrainingData training = data({"every word", "is new"});
    const WordVocabulary words(training, nullptr, 1);
    QCOMPARE(words.tableRows(), 0U);
    QCOMPARE(find(words, "every"), HashIndex::none);
}

QTEST_GUILESS_MAIN(TestWordVocabulary)
#include "tst_wordvocabulary.moc"

#include "engine/classification/model/cnntrainer.h"
#include "engine/classification/model/model.h"
#include "engine/classification/model/modelmeta.h"
#include "engine/classification/model/trainer.h"
#include "engine/classification/text/normaliser.h"
#include "tests/engine/classification/model/toydata.h"
#include "tests/support/testcase.h"

#include <QTemporaryDir>
#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <mutex>

using namespace sluice;

class TestCnn : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void vectorsConnectSynonyms();
    void threadsChangeNothing();
    void scorerAgreesWithTheFloats();
    void contextDecides();
    void severalTextsAreAsEachAlone();
    void worksWithoutVectors();
    void everyMemberTellsItsProgress();
    void cancelledBetweenBatches();
    void cancelledFromOutside();
    void vectorsFileMustBeOne();
    void accurateModelKnowsItsTier();

private:
    TrainingOptions options(int epochs) const
    {
        TrainingOptions options;
        options.tier = Tier::Accurate;
        options.vectors = m_vectors;
        options.epochs = epochs;
        options.cnns = 1;
        return options;
    }
    static double accuracy(const Model& model, const LabelledData& data, Split split);

    test::SynonymTask m_task;
    QTemporaryDir m_folder;
    std::filesystem::path m_vectors;
};

namespace {

/// What a CNN says of a text, from its trained floats by plain loops in doubles; centred.
std::vector<double> forward(const CnnPart& cnn, const WordPart& words, const WordView& view,
    const CnnShape& shape, std::size_t labels, const std::string& text)
{
    std::vector<std::vector<double>> rows;
    for (const std::string_view token : tokenise(text)) {
        const std::uint32_t word = view.index.find(wordHash(token));
        if (word == HashIndex::none) {
            continue;
        }
        std::vector<double> row(shape.rowSize(), 0.0);
        if (word < view.tableRows) {
            std::copy_n(cnn.tables.begin() + std::ptrdiff_t(word * shape.rowSize()),
                shape.rowSize(), row.begin());
        } else {
            for (std::size_t i = 0; i < shape.dimension; ++i) {
                const auto value = double(words.vectors[word * shape.dimension + i]);
                row[shape.columns() + i] = value;
                for (std::size_t column = 0; column < shape.columns(); ++column) {
                    row[column] += value * double(cnn.kernels[i * shape.columns() + column]);
                }
            }
        }
        rows.push_back(std::move(row));
    }
    std::vector<double> hidden(shape.hidden(), 0.0);
    for (std::size_t unit = 0; unit < shape.pooled(); ++unit) {
        const auto width = std::ptrdiff_t(unit / shape.filters) + 1;
        for (std::ptrdiff_t begin = 1 - width; begin < std::ptrdiff_t(rows.size()); ++begin) {
            auto sum = double(cnn.bias[unit]);
            for (std::ptrdiff_t offset = 0; offset < width; ++offset) {
                const std::ptrdiff_t word = begin + offset;
                if (word >= 0 && word < std::ptrdiff_t(rows.size())) {
                    sum += rows[std::size_t(word)]
                               [shape.column(std::size_t(width), std::size_t(offset))
                                   + unit % shape.filters];
                }
            }
            hidden[unit] = std::max(hidden[unit], sum);
        }
    }
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < shape.dimension; ++i) {
            hidden[shape.pooled() + i] += row[shape.columns() + i] / std::sqrt(double(rows.size()));
        }
    }
    std::vector<double> logits(labels);
    double mean = 0;
    for (std::size_t label = 0; label < labels; ++label) {
        logits[label] = double(cnn.outputBias[label]);
        for (std::size_t unit = 0; unit < shape.hidden(); ++unit) {
            logits[label] += hidden[unit] * double(cnn.outputs[label * shape.hidden() + unit]);
        }
        mean += logits[label] / double(labels);
    }
    for (double& logit : logits) {
        logit -= mean;
    }
    return logits;
}

template <typename T> int winner(const T& begin, std::size_t labels)
{
    return int(std::max_element(begin, begin + std::ptrdiff_t(labels)) - begin);
}

} // namespace

double TestCnn::accuracy(const Model& model, const LabelledData& data, Split split)
{
    double right = 0;
    double all = 0;
    for (const LabelledQuery& query : data.part(split)) {
        if (!query.isOutOfScope()) {
            const Scores scores = model.score(normalise(query.text), 1);
            all += 1;
            right += !scores.top.empty()
                    && model.labels()[std::size_t(scores.top[0].label)] == query.intent
                ? 1
                : 0;
        }
    }
    return right / all;
}

void TestCnn::initTestCase()
{
    m_vectors = m_folder.filePath(QStringLiteral("vectors.txt")).toStdString();
    QVERIFY(writeFileAtomically(m_vectors, m_task.vectors).ok());
}

void TestCnn::vectorsConnectSynonyms()
{
    const auto accurate = Model::train(m_task.data, options(8));
    QVERIFY2(accurate.ok(), accurate ? "" : accurate.error().message.c_str());
    // The words of the test part stand in no training text.
    QVERIFY(accuracy(*accurate, m_task.data, Split::Test) >= 0.9);
    auto fast = options(15);
    fast.tier = Tier::Fast;
    const auto plain = Model::train(m_task.data, fast);
    QVERIFY(accuracy(*plain, m_task.data, Split::Validation) >= 0.9);
    QVERIFY(accuracy(*plain, m_task.data, Split::Test) <= 0.6);
}

void TestCnn::threadsChangeNothing()
{
    auto some = options(1);
    some.cnns = 2;
    std::vector<std::string> hashes;
    for (const int threads : {1, 2, 3}) {
        some.threads = threads;
        hashes.push_back(Model::train(m_task.data, some)->hash());
    }
    for (const std::string& hash : hashes) {
        QCOMPARE(hash, hashes.front());
    }
    some.seed = 2;
    QVERIFY(Model::train(m_task.data, some)->hash() != hashes.front());
}

void TestCnn::scorerAgreesWithTheFloats()
{
    std::mt19937_64 random(1);
    auto data = TrainingData::from(m_task.data, random);
    QVERIFY(data.ok());
    auto vectors = readWordVectors(m_vectors, {}, 1000);
    QVERIFY(vectors.ok());
    postProcess(*vectors);
    const WordVocabulary words(*data, &*vectors, 1);
    const Vocabulary vocabulary = Vocabulary::from(*data);
    const HashTable index(vocabulary.hashes);
    LinearTrainer linear(*data, vocabulary, index, &words.view());
    CnnTrainer cnn(*data, words, vocabulary, index, 5);
    std::map<int, double> told;
    const TrainingWatch watch{[&](int epoch, double, std::optional<double> accuracy) {
                                  told[epoch] = accuracy.value_or(-1);
                              },
        [] { return false; }};
    QVERIFY(linear.train(2, 1, watch) > 0);
    told.clear();
    const int kept = cnn.train(6, watch);
    QVERIFY(kept > 0);

    ModelParts parts;
    parts.linear = linear.part();
    parts.words = words.part();
    parts.cnns = {cnn.part()};
    ModelMeta meta;
    meta.labels = data->labels;
    meta.tier = Tier::Accurate;
    meta.memberScales = {1, 1};
    meta.wordRows = vocabulary.wordRows;
    meta.pairRows = vocabulary.pairRows;
    meta.tableRows = words.tableRows();
    meta.shape = CnnTrainer::shapeFor(words.dimension());
    const auto file = ModelFile::build(meta, parts);
    QVERIFY2(file.ok(), file ? "" : file.error().text().c_str());

    Scorer scorer;
    const std::size_t labels = meta.labels.size();
    double held = 0;
    double right = 0;
    for (const LabelledQuery& query : m_task.data.queries) {
        if (query.isOutOfScope()) {
            continue;
        }
        const std::string text = normalise(query.text);
        const auto expected =
            forward(parts.cnns[0], parts.words, words.view(), meta.shape, labels, text);
        QVERIFY(scorer.score(**file, text, {}).known);
        const std::vector<float>& got = scorer.members()[1];
        double largest = 0;
        double off = 0;
        for (std::size_t label = 0; label < labels; ++label) {
            largest = std::max(largest, std::abs(expected[label]));
            off = std::max(off, std::abs(expected[label] - double(got[label])));
        }
        QVERIFY2(off <= 0.04 * std::max(largest, 0.5),
            qPrintable(QStringLiteral("%1 of %2").arg(off).arg(largest)));
        if (query.split == Split::Validation) {
            held += 1;
            right += meta.labels[std::size_t(winner(expected.begin(), labels))] == query.intent;
        }
    }
    // The trainer's own forward pass counted the same.
    QVERIFY(std::abs(right / held - told.at(kept)) < 0.02);
}

void TestCnn::contextDecides()
{
    const LabelledData data = test::toyDialogues(64);
    const auto some = options(8); // none of the words has a vector
    const auto file = trainModel(data, some);
    QVERIFY2(file.ok(), file ? "" : file.error().message.c_str());
    QVERIFY((*file)->meta().hasContext);
    QVERIFY((*file)->meta().contextRows > 0);
    Scorer scorer;
    const std::vector<std::string> pin{"REQUEST:pin"};
    const std::vector<std::string> town{"REQUEST:town"};
    const std::vector<std::pair<std::string, QueryContext>> turns{
        {"track_sure", {"track", {}, 2, {}, {}}}, {"cancel_sure", {"cancel", {}, 2, {}, {}}},
        {"give_pin", {"greet", {}, 2, "your pin please", {}}},
        {"give_town", {"greet", {}, 2, "which town", {}}}, {"give_pin", {"greet", {}, 2, {}, pin}},
        {"give_town", {"greet", {}, 2, {}, town}}};
    const auto& labels = (*file)->meta().labels;
    for (const auto& [intent, context] : turns) {
        const std::string text = intent.starts_with("give") ? "four two" : "yes";
        const RawScores raw = scorer.score(**file, text, context);
        QCOMPARE(labels[std::size_t(winner(raw.logits.begin(), labels.size()))], intent);
        // By the CNN's own weights too, not by the n-grams' alone.
        const auto& own = scorer.members()[1];
        QCOMPARE(labels[std::size_t(winner(own.begin(), labels.size()))], intent);
    }
}

void TestCnn::severalTextsAreAsEachAlone()
{
    auto some = options(2);
    some.cnns = 2;
    const auto model = Model::train(m_task.data, some);
    QVERIFY2(model.ok(), model ? "" : model.error().message.c_str());
    std::vector<TextInContext> texts{{"xyzzy"}, {"?"}}; // nothing is known of them
    for (const LabelledQuery& query : m_task.data.queries) {
        texts.push_back({query.text});
        texts.push_back({std::string_view(query.text).substr(query.text.size() / 2)});
    }
    const std::vector<Scores> together = model->score(texts, 3);
    QCOMPARE(together.size(), texts.size());
    for (std::size_t text = 0; text < texts.size(); ++text) {
        const Scores alone = model->score(texts[text].text, 3);
        const Scores& same = together[text];
        QCOMPARE(same.top.size(), alone.top.size());
        QCOMPARE(std::bit_cast<std::uint64_t>(same.outOfScope),
            std::bit_cast<std::uint64_t>(alone.outOfScope));
        for (std::size_t place = 0; place < alone.top.size(); ++place) {
            QCOMPARE(same.top[place].label, alone.top[place].label);
            QCOMPARE(std::bit_cast<std::uint64_t>(same.top[place].confidence),
                std::bit_cast<std::uint64_t>(alone.top[place].confidence));
        }
    }
    QVERIFY(together[0].top.empty() && together[1].top.empty());
}

void TestCnn::worksWithoutVectors()
{
    auto some = options(4);
    some.vectors.clear();
    const auto model = Model::train(m_task.data, some);
    QVERIFY2(model.ok(), model ? "" : model.error().message.c_str());
    QVERIFY(accuracy(*model, m_task.data, Split::Validation) >= 0.9);
    // Nothing connects the words of the test part then.
    QVERIFY(accuracy(*model, m_task.data, Split::Test) <= 0.6);
}

void TestCnn::everyMemberTellsItsProgress()
{
    auto some = options(3);
    some.cnns = 2;
    some.threads = 3;
    std::map<std::string, std::vector<TrainingProgress>> told;
    some.progress = [&](const TrainingProgress& progress) {
        told[std::string(progress.member)].push_back(progress);
    };
    QVERIFY(Model::train(m_task.data, some).ok());
    QCOMPARE(told.size(), 3U);
    for (const char* member : {"n-grams", "CNN 1", "CNN 2"}) {
        const auto& passes = told[member];
        QCOMPARE(passes.size(), 3U);
        for (std::size_t index = 0; index < passes.size(); ++index) {
            QCOMPARE(passes[index].epoch, int(index) + 1);
            QCOMPARE(passes[index].epochs, 3);
            const std::optional<double> accuracy = passes[index].validationAccuracy;
            QVERIFY(accuracy && *accuracy >= 0 && *accuracy <= 1);
        }
        QVERIFY(passes.back().loss < passes.front().loss);
    }
}

void TestCnn::cancelledBetweenBatches()
{
    std::mt19937_64 random(1);
    const auto data = TrainingData::from(m_task.data, random);
    const WordVocabulary words(*data, nullptr, 1);
    const Vocabulary vocabulary = Vocabulary::from(*data);
    const HashTable index(vocabulary.hashes);
    CnnTrainer trainer(*data, words, vocabulary, index, 1);
    int asked = 0;
    int passes = 0;
    const TrainingWatch watch{
        [&](int, double, std::optional<double>) { ++passes; }, [&] { return ++asked == 3; }};
    QCOMPARE(trainer.train(10, watch), 0);
    QCOMPARE(asked, 3); // at the third batch of many
    QCOMPARE(passes, 0);
}

void TestCnn::cancelledFromOutside()
{
    std::atomic<bool> cancel = false;
    auto some = options(40);
    some.cnns = 3;
    some.threads = 2;
    some.cancel = &cancel;
    int told = 0;
    some.progress = [&](const TrainingProgress&) {
        ++told;
        cancel = true;
    };
    const auto model = Model::train(m_task.data, some);
    QVERIFY(!model.ok());
    QCOMPARE(model.error().kind, ErrorKind::Cancelled);
    QVERIFY(told <= 2); // each thread may just have ended a pass
    // Where no validation is, everything is trained again in the end: that too can be stopped.
    LabelledData whole = m_task.data;
    std::erase_if(
        whole.queries, [](const LabelledQuery& query) { return query.split == Split::Validation; });
    cancel = false;
    some = options(2);
    some.cancel = &cancel;
    some.progress = [&, passes = 0](const TrainingProgress&) mutable { cancel = ++passes > 4; };
    const auto again = Model::train(whole, some);
    QVERIFY(!again.ok());
    QCOMPARE(again.error().kind, ErrorKind::Cancelled);
    // And while the vectors are read.
    cancel = true;
    std::string many;
    for (int word = 0; word < 5000; ++word) {
        many += "word" + std::to_string(word) + " 1 2\n";
    }
    some.vectors = m_folder.filePath(QStringLiteral("many.txt")).toStdString();
    QVERIFY(writeFileAtomically(some.vectors, many).ok());
    QCOMPARE(Model::train(m_task.data, some).error().kind, ErrorKind::Cancelled);
}

void TestCnn::vectorsFileMustBeOne()
{
    auto some = options(1);
    some.vectors = m_folder.filePath(QStringLiteral("missing.txt")).toStdString();
    const auto model = Model::train(m_task.data, some);
    QVERIFY(!model.ok());
    QCOMPARE(model.error().kind, ErrorKind::Input);
    QVERIFY(model.error().message.find("missing.txt") != std::string::npos);
}

void TestCnn::accurateModelKnowsItsTier()
{
    const auto path = m_folder.filePath(QStringLiteral("a.model")).toStdString();
    LabelledData whole = m_task.data;
    std::erase_if(
        whole.queries, [](const LabelledQuery& query) { return query.split == Split::Validation; });
    const auto model = Model::train(whole, options(3));
    QVERIFY2(model.ok(), model ? "" : model.error().message.c_str());
    QVERIFY(model->save(path).ok());
    const auto loaded = Model::load(path);
    QVERIFY(loaded->tier() == Tier::Accurate);
    QVERIFY(!loaded->hasContext());
    QCOMPARE(loaded->hash(), model->hash());
    const std::string text = normalise(m_task.data.queries.front().text);
    const Scores one = model->score(text, 2);
    const Scores two = loaded->score(text, 2, {"intent1", "intent2", 3, "passed over", {}});
    QCOMPARE(two.top[0].confidence, one.top[0].confidence);
    QVERIFY(!loaded->explain(text, 0, 3).empty());
}

QTEST_GUILESS_MAIN(TestCnn)
#include "tst_cnn.moc"

#include "engine/base/file.h"
#include "engine/base/resources.h"
#include "engine/classification/model/model.h"
#include "engine/classification/model/modelfile.h"
#include "engine/classification/text/normaliser.h"
#include "tests/engine/classification/model/toydata.h"
#include "tests/support/testcase.h"

#include <QTemporaryDir>
#include <cstring>
#include <thread>

using namespace sluice;

class TestModel : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void learnsWhatItIsTold();
    void sameSeedSameFile();
    void testRowsAreNeverRead();
    void savedAndLoadedIsTheSame();
    void everyDamageIsNoticed();
    void otherVersionIsSaid();
    void truncationIsSaid();
    void refusesPoorData();
    void canBeCancelled();
    void progressIsTold();
    void nothingKnownIsNoSignal();
    void explainsByWords();
    void isSafeFromManyThreads();
    void tiersHaveNames();
    void predictedIsWhatLaterTurnsKnow();
    void conversationsAreNoticed();
    void bundledModel();
    void clincAccuracy();

private:
    LabelledData m_data;
    QTemporaryDir m_folder;
    std::filesystem::path path(const char* name) const
    {
        return m_folder.filePath(QString::fromUtf8(name)).toStdString();
    }
    static Result<Model> train(const LabelledData& data, std::uint64_t seed = 1)
    {
        TrainingOptions options;
        options.seed = seed;
        options.epochs = 8;
        return Model::train(data, options);
    }
    static double accuracy(const Model& model, const std::vector<LabelledQuery>& rows);
};

double TestModel::accuracy(const Model& model, const std::vector<LabelledQuery>& rows)
{
    double right = 0;
    double all = 0;
    for (const LabelledQuery& row : rows) {
        if (!row.isOutOfScope()) {
            const Scores scores = model.score(normalise(row.text), 1);
            all += 1;
            right += !scores.top.empty()
                    && model.labels()[std::size_t(scores.top[0].label)] == row.intent
                ? 1
                : 0;
        }
    }
    return right / all;
}

void TestModel::initTestCase()
{
    auto data = readLabelledData(
        std::filesystem::path(SLUICE_SOURCE_DIR) / "resources" / "helpdesk" / "queries.jsonl");
    QVERIFY2(data.ok(), data ? "" : data.error().message.c_str());
    m_data = std::move(*data);
}

void TestModel::learnsWhatItIsTold()
{
    const auto model = train(m_data);
    QVERIFY(model.ok());
    QCOMPARE(model->labels(), m_data.intents());
    QVERIFY(accuracy(*model, m_data.part(Split::Train)) > 0.95);
    QVERIFY(accuracy(*model, m_data.part(Split::Test)) > 0.5);
    QCOMPARE(model->hash().size(), 64U);
    QCOMPARE(model->defaultThresholds().model, model->hash());
}

void TestModel::sameSeedSameFile()
{
    const auto first = train(m_data, 5);
    const auto second = train(m_data, 5);
    const auto other = train(m_data, 6);
    QCOMPARE(first->hash(), second->hash());
    QVERIFY(first->hash() != other->hash());
    QCOMPARE(first->dataHash(), other->dataHash());
}

void TestModel::testRowsAreNeverRead()
{
    LabelledData changed = m_data;
    for (LabelledQuery& row : changed.queries) {
        if (row.split == Split::Test || row.split == Split::Calibration) {
            row.text = "nonsense " + row.text;
            row.intent = "an_intent_of_the_test_part_alone";
        }
    }
    QCOMPARE(train(changed)->hash(), train(m_data)->hash());
}

void TestModel::savedAndLoadedIsTheSame()
{
    const auto model = train(m_data);
    QVERIFY(model->save(path("a.model")).ok());
    const auto loaded = Model::load(path("a.model"));
    QVERIFY2(loaded.ok(), loaded ? "" : loaded.error().message.c_str());
    QCOMPARE(loaded->hash(), model->hash());
    QCOMPARE(loaded->labels(), model->labels());
    QCOMPARE(loaded->bytes(), std::filesystem::file_size(path("a.model")));
    QCOMPARE(loaded->defaultThresholds(), model->defaultThresholds());
    for (const LabelledQuery& row : m_data.queries) {
        const std::string text = normalise(row.text);
        const Scores one = model->score(text, 5);
        const Scores two = loaded->score(text, 5);
        QCOMPARE(one.outOfScope, two.outOfScope);
        QCOMPARE(one.top.size(), two.top.size());
        for (std::size_t index = 0; index < one.top.size(); ++index) {
            QCOMPARE(one.top[index].label, two.top[index].label);
            QCOMPARE(one.top[index].confidence, two.top[index].confidence);
        }
    }
}

void TestModel::everyDamageIsNoticed()
{
    QVERIFY(train(m_data)->save(path("whole.model")).ok());
    const std::string whole = *readFile(path("whole.model"));
    // Any bit of the header, of the section table, and bits all over the rest.
    std::vector<std::size_t> places;
    for (std::size_t place = 0; place < 160; ++place) {
        places.push_back(place);
    }
    for (std::size_t place = 160; place < whole.size(); place += whole.size() / 97) {
        places.push_back(place);
    }
    for (const std::size_t place : places) {
        const bool reserved = place >= 32 && place < 64; // of the header: says nothing
        if (reserved) {
            continue;
        }
        std::string damaged = whole;
        damaged[place] = char(damaged[place] ^ 0x40);
        const auto file = ModelFile::fromBytes(damaged, "a.model");
        QVERIFY2(!file.ok(), qPrintable(QString::number(place)));
        QCOMPARE(file.error().kind, ErrorKind::Input);
        QVERIFY(QString::fromStdString(file.error().message).startsWith(QStringLiteral("a.model")));
    }
}

void TestModel::otherVersionIsSaid()
{
    QVERIFY(train(m_data)->save(path("v.model")).ok());
    std::string bytes = *readFile(path("v.model"));
    const std::uint32_t next = ModelFile::version + 1;
    std::memcpy(bytes.data() + 8, &next, sizeof next);
    QVERIFY(writeFileAtomically(path("v.model"), bytes).ok());
    const auto loaded = Model::load(path("v.model"));
    QVERIFY(!loaded.ok());
    QVERIFY2(loaded.error().message.find("format version 3") != std::string::npos,
        loaded.error().message.c_str());
    QVERIFY(writeFileAtomically(path("text.model"), "just some text\n").ok());
    const auto text = Model::load(path("text.model"));
    QVERIFY(!text.ok());
    QVERIFY(text.error().message.find("text.model") != std::string::npos);
    QVERIFY(!Model::load(path("missing.model")).ok());
    QVERIFY(!Model::load(m_folder.path().toStdString()).ok());
}

void TestModel::truncationIsSaid()
{
    QVERIFY(train(m_data)->save(path("t.model")).ok());
    const std::string whole = *readFile(path("t.model"));
    for (const std::size_t size : {std::size_t(0), std::size_t(7), std::size_t(63), std::size_t(64),
             std::size_t(100), whole.size() / 2, whole.size() - 1}) {
        QVERIFY(writeFileAtomically(path("t.model"), std::string_view(whole).substr(0, size)).ok());
        const auto loaded = Model::load(path("t.model"));
        QVERIFY2(!loaded.ok(), qPrintable(QString::number(size)));
    }
    QVERIFY(writeFileAtomically(path("t.model"), whole + "x").ok());
    QVERIFY(!Model::load(path("t.model")).ok());
}

void TestModel::refusesPoorData()
{
    const auto row = [](std::string text, std::string intent, Split split) {
        return LabelledQuery{std::move(text), std::move(intent), split, {}, 0};
    };
    LabelledData data;
    QVERIFY(!train(data).ok());
    data.queries = {row("a", "x", Split::Train), row("b", "x", Split::Train)};
    const auto one = train(data);
    QVERIFY(!one.ok());
    QCOMPARE(one.error().kind, ErrorKind::Input);
    data.queries = {row("a", "x", Split::Test), row("b", "y", Split::Test)};
    QVERIFY(!train(data).ok());
    data.queries = {row("a", "x", Split::Train), row("b", "y", Split::Train)};
    QVERIFY(train(data).ok()); // few, but enough to tell two things apart
}

void TestModel::canBeCancelled()
{
    const std::atomic<bool> cancel = true;
    TrainingOptions options;
    options.cancel = &cancel;
    const auto model = Model::train(m_data, options);
    QVERIFY(!model.ok());
    QCOMPARE(model.error().kind, ErrorKind::Cancelled);
}

void TestModel::progressIsTold()
{
    std::vector<TrainingProgress> told;
    TrainingOptions options;
    options.epochs = 4;
    options.progress = [&](const TrainingProgress& progress) { told.push_back(progress); };
    QVERIFY(Model::train(m_data, options).ok());
    QVERIFY(!told.empty());
    QCOMPARE(told.front().epoch, 1);
    QCOMPARE(told.front().epochs, 4);
    QVERIFY(told.back().loss < told.front().loss);
    QVERIFY(told.back().validationAccuracy > 0.3);
}

void TestModel::nothingKnownIsNoSignal()
{
    const auto model = train(m_data);
    const Scores scores = model->score("\xE6\x9D\xB1\xE4\xBA\xAC", 5);
    QVERIFY(scores.top.empty());
    QCOMPARE(scores.outOfScope, 1.0);
    QCOMPARE(scores.unseenShare, 1.0);
    QVERIFY(model->score("", 5).top.empty());
    QCOMPARE(model->score("where is my parcel", 3).top.size(), 3U);
    QCOMPARE(model->score("where is my parcel", 1000).top.size(), model->labels().size());
}

void TestModel::explainsByWords()
{
    const auto model = train(m_data);
    const std::string text = "where is my parcel";
    const Scores scores = model->score(text, 1);
    const auto parts = model->explain(text, scores.top[0].label, 5);
    QCOMPARE(parts.size(), 5U);
    QVERIFY(std::is_sorted(
        parts.begin(), parts.end(), [](const Contribution& a, const Contribution& b) {
            return std::abs(a.weight) > std::abs(b.weight);
        }));
    QVERIFY(std::any_of(parts.begin(), parts.end(), [](const Contribution& part) {
        return part.weight > 0 && part.ngram.find("parcel") != std::string::npos;
    }));
}

void TestModel::isSafeFromManyThreads()
{
    const auto model = train(m_data);
    std::vector<double> expected;
    for (const LabelledQuery& row : m_data.queries) {
        const Scores scores = model->score(normalise(row.text), 1);
        expected.push_back(scores.top.empty() ? -1 : scores.top[0].confidence);
    }
    std::atomic<int> wrong = 0;
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread) {
        threads.emplace_back([&] {
            for (std::size_t index = 0; index < m_data.queries.size(); ++index) {
                const Scores scores = model->score(normalise(m_data.queries[index].text), 1);
                const double got = scores.top.empty() ? -1 : scores.top[0].confidence;
                wrong += got == expected[index] ? 0 : 1;
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    QCOMPARE(wrong.load(), 0);
}

void TestModel::tiersHaveNames()
{
    QVERIFY(*tierFromString("fast") == Tier::Fast);
    QVERIFY(*tierFromString("accurate") == Tier::Accurate);
    QCOMPARE(toString(Tier::Fast), std::string_view("fast"));
    QCOMPARE(toString(Tier::Accurate), std::string_view("accurate"));
    const auto other = tierFromString("Fast");
    QVERIFY(!other.ok());
    QCOMPARE(other.error().kind, ErrorKind::Input);
    QVERIFY(other.error().message.find("fast or accurate") != std::string::npos);
    QVERIFY(train(m_data)->tier() == Tier::Fast);
}

void TestModel::predictedIsWhatLaterTurnsKnow()
{
    LabelledData data;
    for (int index = 0; index < 40; ++index) {
        const std::string number = std::to_string(index);
        data.queries.push_back(test::row("track " + number, "track"));
        data.queries.push_back(test::row("cancel " + number, "cancel"));
        data.queries.push_back(test::row("nonsense words " + number, "oos"));
    }
    for (const bool outside : {true, false}) {
        if (!outside) {
            std::erase_if(data.queries, [](const LabelledQuery& q) { return q.isOutOfScope(); });
        }
        const auto model = train(data);
        Scores scores;
        QVERIFY(model->predicted(scores).empty()); // nothing known
        scores.top = {{1, 0.4}, {0, 0.1}};
        scores.outOfScope = 0.5;
        QCOMPARE(model->predicted(scores), std::string_view("track"));
        // Where no out-of-scope rows were, the score is no more than a lack of confidence.
        scores.outOfScope = 0.6;
        QCOMPARE(model->predicted(scores), std::string_view(outside ? "" : "track"));
    }
}

void TestModel::conversationsAreNoticed()
{
    QVERIFY(!train(m_data)->hasContext());
    const auto model = train(test::toyDialogues(32));
    QVERIFY(model->hasContext());
    QVERIFY(model->score("yes", 1, {"track", {}, 2, {}, {}}).top[0].label
        != model->score("yes", 1, {"cancel", {}, 2, {}, {}}).top[0].label);
    QVERIFY(!model->explain("yes", 0, 5, {"track", {}, 2, {}, {}}).empty());
}

void TestModel::bundledModel()
{
    const auto model = Model::load(
        std::filesystem::path(SLUICE_BINARY_DIR) / "share" / "sluice" / "helpdesk.model");
    QVERIFY2(model.ok(), model ? "" : model.error().message.c_str());
    QCOMPARE(model->labels(), m_data.intents());
    const double right = accuracy(*model, m_data.part(Split::Test));
    qInfo("bundled data, test part: accuracy in scope %.3f", right);
    QVERIFY(right > 0.65);
}

void TestModel::clincAccuracy()
{
    const QString folder = qEnvironmentVariable("SLUICE_DATA");
    if (folder.isEmpty()) {
        QSKIP("SLUICE_DATA names no folder with the public data sets; bundledModel() is the twin");
    }
    const auto data = readLabelledData(
        QString(folder + QStringLiteral("/clinc150/data_full.json")).toStdString());
    QVERIFY(data.ok());
    const auto model = Model::train(*data, {});
    QVERIFY(model.ok());
    const double right = accuracy(*model, data->part(Split::Test));
    qInfo("CLINC150 full, test part: accuracy in scope %.4f", right);
    QVERIFY(right >= 0.92);
}

QTEST_GUILESS_MAIN(TestModel)
#include "tst_model.moc"

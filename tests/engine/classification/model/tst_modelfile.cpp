#include "engine/base/file.h"
#include "engine/classification/model/modelfile.h"
#include "engine/classification/model/modelmeta.h"
#include "engine/classification/model/scorer.h"
#include "engine/classification/text/ngrams.h"
#include "tests/support/testcase.h"

#include <QTemporaryDir>
#include <algorithm>
#include <cstring>
#include <functional>

using namespace sluice;

class TestModelFile : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void builtAndMappedIsTheSame();
    void wrongPartsAreRefused_data();
    void wrongPartsAreRefused();
    void everySectionIsNeeded();
    void everySectionIsMeasured();
    void wrongTablesAreRefused();
    void wrongIndexesAreRefused();
    void metaIsReadBack();
    void wrongMetaIsSaid_data();
    void wrongMetaIsSaid();
    void strayWordsDoNoHarm();

private:
    /// Two labels, five n-grams (two words, a pair, a character n-gram, one of the context), three
    /// words with vectors, two CNNs.
    static ModelMeta meta();
    static ModelParts parts();
    static std::string bytes()
    {
        const auto file = ModelFile::build(meta(), parts());
        return file ? std::string((*file)->bytes()) : std::string();
    }
};

namespace {

constexpr std::size_t stride = 16;
constexpr std::size_t headerSize = 64;
constexpr std::size_t entrySize = 24;
/// Sections of the fixture, as their number stands in the table.
constexpr std::array sectionNames{"meta", "n-gram keys", "n-gram rows", "idf", "weights",
    "weight scales", "bias", "class bits", "dense", "dense scales", "word keys", "word rows",
    "word vectors", "word scales", "word weights", "tables", "table scales", "kernels",
    "kernel bias", "outputs", "output scales", "output bias", "context", "context scales"};

template <typename T> T at(const std::string& bytes, std::size_t place)
{
    T value{};
    std::memcpy(&value, bytes.data() + place, sizeof value);
    return value;
}

template <typename T> void put(std::string& bytes, std::size_t place, T value)
{
    std::memcpy(bytes.data() + place, &value, sizeof value);
}

/// The checksum made right, as a careful forger would.
std::string sealed(std::string bytes)
{
    put(bytes, 24, wordHash(std::string_view(bytes).substr(headerSize)));
    return bytes;
}

std::uint32_t sectionsOf(const std::string& bytes)
{
    return at<std::uint32_t>(bytes, 12);
}

/// Where the table's entry of section `id` of CNN `member` begins.
std::size_t entryOf(const std::string& bytes, std::uint32_t id, std::uint32_t member = 0)
{
    for (std::size_t index = 0; index < sectionsOf(bytes); ++index) {
        const std::size_t entry = headerSize + index * entrySize;
        if (at<std::uint32_t>(bytes, entry) == id
            && at<std::uint32_t>(bytes, entry + 4) == member) {
            return entry;
        }
    }
    return 0;
}

/// The content of section `id` begins here.
std::size_t contentOf(const std::string& bytes, std::uint32_t id)
{
    return std::size_t(at<std::uint64_t>(bytes, entryOf(bytes, id) + 8));
}

/// What is said of a file; empty where nothing is wrong.
QString refusal(const std::string& bytes)
{
    const auto file = ModelFile::fromBytes(sealed(bytes), "x.model");
    return file ? QString() : QString::fromStdString(file.error().message);
}

template <typename T> std::vector<T> ramp(std::size_t size)
{
    std::vector<T> values(size);
    for (std::size_t i = 0; i < size; ++i) {
        values[i] = T(float(i % 13) * 0.25F - 1.0F);
    }
    return values;
}

} // namespace

ModelMeta TestModelFile::meta()
{
    ModelMeta meta;
    meta.labels = {"pay", "track"};
    meta.tier = Tier::Accurate;
    meta.dataHash = "abc";
    meta.seed = 7;
    meta.epochs = 3;
    meta.hasContext = true;
    meta.validationAccuracy = 0.75;
    meta.calibration.temperature = 0.5;
    meta.calibration.hasOutOfScope = true;
    meta.calibration.bias = -1.5;
    for (std::size_t index = 0; index < scopeFeatures; ++index) {
        meta.calibration.weights[index] = double(index) - 4.5;
    }
    meta.globalThreshold = 0.25;
    meta.margin = 0.125;
    meta.memberScales = {1, 2, 0.5};
    meta.wordRows = 2;
    meta.pairRows = 1;
    meta.contextRows = 1;
    meta.tableRows = 2;
    meta.shape = {4, 16, 2};
    return meta;
}

ModelParts TestModelFile::parts()
{
    const CnnShape shape = meta().shape;
    ModelParts parts;
    parts.linear.hashes = {wordHash("my"), wordHash("parcel"), 33, 44, 55};
    parts.linear.idf = {1, 2, 3, 4, 5};
    parts.linear.weights = ramp<float>(5 * stride);
    parts.linear.bias = ramp<float>(stride);
    parts.linear.dense = ramp<float>(2 * shape.dimension * stride);
    parts.linear.classBits.assign(3 * stride / 8, 1);
    parts.words.hashes = {wordHash("my"), wordHash("parcel"), wordHash("town")};
    parts.words.vectors = ramp<float>(3 * shape.dimension);
    parts.words.weights = {1, 1, 1};
    CnnPart cnn;
    cnn.tables = ramp<float>(2 * shape.rowSize());
    cnn.kernels = ramp<float>(shape.dimension * shape.columns());
    cnn.bias = ramp<float>(shape.pooled());
    cnn.outputs = ramp<float>(2 * shape.hidden());
    cnn.outputBias = ramp<float>(stride);
    cnn.context = ramp<float>(stride);
    parts.cnns = {cnn, cnn};
    return parts;
}

void TestModelFile::builtAndMappedIsTheSame()
{
    const auto built = ModelFile::build(meta(), parts());
    QVERIFY2(built.ok(), built ? "" : built.error().text().c_str());
    QTemporaryDir folder;
    const std::filesystem::path path = folder.filePath(QStringLiteral("m")).toStdString();
    QVERIFY(writeFileAtomically(path, (*built)->bytes()).ok());
    const auto mapped = ModelFile::map(path);
    QVERIFY2(mapped.ok(), mapped ? "" : mapped.error().text().c_str());
    QCOMPARE((*mapped)->hash(), (*built)->hash());
    const auto copied = ModelFile::fromBytes((*built)->bytes(), "x");
    QCOMPARE((*copied)->hash(), (*built)->hash());
    const ModelView& view = (*mapped)->view();
    QCOMPARE(view.linear.idf.size(), 5U);
    QCOMPARE(view.linear.index.find(wordHash("parcel")), 1U);
    QCOMPARE(view.linear.index.find(999), HashIndex::none);
    QCOMPARE(view.linear.highestIdf, 5.0F);
    QCOMPARE(view.words.index.find(wordHash("town")), 2U);
    QCOMPARE(view.cnns.size(), 2U);
    const CnnPart expected = parts().cnns[1];
    QVERIFY(std::ranges::equal(view.cnns[1].kernels, expected.kernels));
    QVERIFY(std::ranges::equal(view.cnns[1].bias, expected.bias));
    for (std::size_t i = 0; i < expected.tables.size(); ++i) {
        const float scale = view.cnns[1].tableScales[i / meta().shape.rowSize()];
        QVERIFY(
            std::abs(float(view.cnns[1].tables[i]) * scale - expected.tables[i]) <= scale * 0.501F);
    }
    QVERIFY(reinterpret_cast<std::uintptr_t>(view.cnns[0].kernels.data()) % 64 == 0);
}

void TestModelFile::wrongPartsAreRefused_data()
{
    QTest::addColumn<int>("which");
    QTest::addColumn<QString>("said");
    auto add = [number = 0](const char* name, const char* said) mutable {
        QTest::addRow("%s", name) << number++ << QString::fromUtf8(said);
    };
    add("idf", "weights do not fit its labels");
    add("weights", "weights do not fit its labels");
    add("bias", "weights do not fit its labels");
    add("class bits", "word rows do not fit");
    add("dense", "word vectors do not fit");
    add("word hashes", "a dictionary points outside its rows");
    add("word vectors", "word vectors do not fit");
    add("word weights", "word vectors do not fit");
    add("tables", "a CNN does not fit its shape");
    add("kernels", "a CNN does not fit its shape");
    add("kernel bias", "a CNN does not fit its shape");
    add("outputs", "a CNN does not fit its shape");
    add("output bias", "a CNN does not fit its shape");
    add("context", "a CNN does not fit its shape");
    add("n-gram hashes", "a dictionary points outside its rows");
    add("context rows", "word rows do not fit its rows");
    add("table rows", "word vectors do not fit");
    add("a CNN less", "a CNN does not fit its shape");
}

void TestModelFile::wrongPartsAreRefused()
{
    QFETCH(int, which);
    QFETCH(QString, said);
    ModelMeta wrongMeta = meta();
    ModelParts wrong = parts();
    CnnPart& cnn = wrong.cnns[1];
    const CnnShape shape = wrongMeta.shape;
    const auto row = [](std::vector<float>& values, std::size_t width) {
        values.resize(values.size() - width);
    };
    const std::vector<std::function<void()>> changes{[&] { wrong.linear.idf.pop_back(); },
        [&] { row(wrong.linear.weights, stride); }, [&] { wrong.linear.bias.pop_back(); },
        [&] { wrong.linear.classBits.pop_back(); }, [&] { row(wrong.linear.dense, stride); },
        [&] { wrong.words.hashes.push_back(77); }, [&] { row(wrong.words.vectors, 4); },
        [&] { wrong.words.weights.pop_back(); }, [&] { row(cnn.tables, shape.rowSize()); },
        [&] { cnn.kernels.pop_back(); }, [&] { cnn.bias.pop_back(); },
        [&] { row(cnn.outputs, shape.hidden()); }, [&] { cnn.outputBias.pop_back(); },
        [&] { row(cnn.context, stride); }, [&] { wrong.linear.hashes.push_back(66); },
        [&] { wrongMeta.contextRows = 3; }, [&] { wrongMeta.tableRows = 4; },
        [&] { wrong.cnns.pop_back(); }};
    changes.at(std::size_t(which))();
    const auto file = ModelFile::build(wrongMeta, wrong);
    QVERIFY(!file.ok());
    QCOMPARE(file.error().kind, ErrorKind::Internal);
    QVERIFY2(QString::fromStdString(file.error().cause).contains(said), file.error().cause.c_str());
}

void TestModelFile::everySectionIsNeeded()
{
    const std::string whole = bytes();
    QVERIFY(refusal(whole).isEmpty());
    for (std::uint32_t id = 0; id < sectionNames.size(); ++id) {
        std::string changed = whole;
        const std::size_t entry = entryOf(changed, id);
        QVERIFY2(entry != 0, sectionNames[id]);
        put(changed, entry, std::uint32_t(200)); // an id that nobody asks for
        const QString said = refusal(changed);
        QVERIFY2(said.startsWith(QStringLiteral("x.model")), sectionNames[id]);
        QVERIFY2(id == 0 || said.contains(QStringLiteral("is damaged: ")), qPrintable(said));
    }
    // The second CNN's sections are its own.
    std::string changed = whole;
    put(changed, entryOf(changed, 17, 1), std::uint32_t(200));
    QVERIFY(refusal(changed).contains(QStringLiteral("a CNN does not fit its shape")));
}

void TestModelFile::everySectionIsMeasured()
{
    const std::string whole = bytes();
    for (std::uint32_t id = 0; id < sectionNames.size(); ++id) {
        const std::size_t entry = entryOf(whole, id);
        const auto size = at<std::uint64_t>(whole, entry + 16);
        // 4 bytes less than it should be, or 8 where elements are that large; half; nothing.
        for (const std::uint64_t shorter : {size - 8, size / 2, std::uint64_t(0)}) {
            std::string changed = whole;
            put(changed, entry + 16, shorter);
            QVERIFY2(!refusal(changed).isEmpty(), sectionNames[id]);
        }
    }
}

void TestModelFile::wrongTablesAreRefused()
{
    const std::string whole = bytes();
    const auto refused = [&](std::size_t place, std::uint64_t value, const char* said) {
        std::string changed = whole;
        put(changed, place, value);
        return refusal(changed).contains(QString::fromUtf8(said));
    };
    const std::size_t entry = entryOf(whole, 3);
    QVERIFY(refused(entry + 8, 1 << 30, "a section lies outside the file"));
    QVERIFY(refused(entry + 8, 72, "a section lies outside the file")); // not aligned
    QVERIFY(refused(entry + 16, whole.size(), "a section lies outside the file"));
    QVERIFY(refused(entry + 16, UINT64_MAX, "a section lies outside the file"));
    for (const std::uint32_t count : {0U, 257U, UINT32_MAX}) {
        std::string changed = whole;
        put(changed, 12, count);
        QVERIFY(refusal(changed).contains(QStringLiteral("its section table is wrong")));
    }
    std::string head = whole.substr(0, headerSize);
    put(head, 16, std::uint64_t(headerSize));
    QVERIFY(refusal(head).contains(QStringLiteral("its section table is wrong")));
}

void TestModelFile::wrongIndexesAreRefused()
{
    const std::string whole = bytes();
    for (const std::uint32_t keys : {1U, 10U}) {
        const std::size_t begin = contentOf(whole, keys);
        const auto size = std::size_t(at<std::uint64_t>(whole, entryOf(whole, keys) + 16));
        const std::size_t rows = contentOf(whole, keys + 1);
        std::string full = whole;
        std::string outside = whole;
        for (std::size_t place = 0; place < size / 8; ++place) {
            if (at<std::uint64_t>(full, begin + place * 8) == 0) {
                put(full, begin + place * 8, std::uint64_t(place + 1));
            } else {
                put(outside, rows + place * 4, std::uint32_t(5));
            }
        }
        // A look-up of what is not there would never end.
        QVERIFY(refusal(full).contains(QStringLiteral("a dictionary is full")));
        QVERIFY(refusal(outside).contains(QStringLiteral("a dictionary points outside its rows")));
        std::string odd = whole;
        put(odd, entryOf(odd, keys) + 16, std::uint64_t(8 * 12));
        put(odd, entryOf(odd, keys + 1) + 16, std::uint64_t(4 * 12));
        QVERIFY(refusal(odd).contains(QStringLiteral("a dictionary has an impossible size")));
    }
}

void TestModelFile::metaIsReadBack()
{
    const ModelMeta expected = meta();
    const auto read = readMeta(metaText(expected), "x");
    QVERIFY2(read.ok(), read ? "" : read.error().message.c_str());
    QCOMPARE(metaText(*read), metaText(expected));
    QCOMPARE(read->labels, expected.labels);
    QVERIFY(read->tier == expected.tier);
    QCOMPARE(read->calibration.weights, expected.calibration.weights);
    QCOMPARE(read->memberScales, expected.memberScales);
    QCOMPARE(read->shape, expected.shape);
    QCOMPARE(read->hasContext, true);
}

void TestModelFile::wrongMetaIsSaid_data()
{
    QTest::addColumn<QString>("from");
    QTest::addColumn<QString>("to");
    QTest::addColumn<QString>("said");
    const auto add = [](const char* from, const char* to, const char* said) {
        QTest::addRow("%s", to) << QString::fromUtf8(from) << QString::fromUtf8(to)
                                << QString::fromUtf8(said);
    };
    add(R"(["pay","track"])", R"(["track","pay"])", "labels: two or more sorted");
    add(R"(["pay","track"])", R"(["pay"])", "labels: two or more sorted");
    add(R"("tier":"accurate")", R"("tier":"slow")", "tier: fast or accurate");
    add(R"("data_hash":"abc")", R"("data_hash":1)", "data_hash: a string");
    add(R"("seed":7)", R"("seed":-7)", "seed: a whole number");
    add(R"("epochs":3)", R"("epochs":"3")", "epochs: a whole number");
    add(R"("has_context":true)", R"("has_context":1)", "has_context: true or false");
    add(R"("validation_accuracy":7.5E-1)", R"("validation_accuracy":7)", "validation_accuracy");
    add(R"("threshold":2.5E-1)", R"("threshold":-1)", "threshold: a number");
    add(R"("margin":1.25E-1)", R"("margin":null)", "margin");
    add(R"("member_scales":[1E0,2E0,5E-1])", R"("member_scales":[])", "member_scales: 1 to 33");
    add(R"("member_scales":[1E0,2E0,5E-1])", R"("member_scales":5)",
        "member_scales: an array of numbers");
    add(R"("member_scales":[1E0,)", R"("member_scales":[0,)", "member_scales: positive numbers");
    add(R"("member_scales":[1E0,)", R"("member_scales":["x",)", "member_scales: positive numbers");
    add(R"("word_rows":2)", R"("word_rows":-2)", "word_rows: a whole number");
    add(R"("pair_rows":1)", R"("pair_rows":9999999999)", "pair_rows: a whole number");
    add(R"("context_rows":1)", R"("context_rows":0.5)", "context_rows: a whole number");
    add(R"("table_rows":2)", R"("table_rowz":2)", "table_rows: is missing");
    add(R"("dimension":4)", R"("dimension":0)", "filters: the shape of the CNNs is impossible");
    add(R"("filters":16)", R"("filters":17)", "filters: the shape of the CNNs is impossible");
    add(R"("filters":16)", R"("filters":4096)", "filters: the shape of the CNNs is impossible");
    add(R"("widths":2)", R"("widths":9)", "widths: a whole number");
    add(R"("calibration":{)", R"("calibration":7,"other":{)", "calibration: an object");
    add(R"("temperature":5E-1)", R"("temperature":0)", "calibration: temperature");
    add(R"("weights":{)", R"("weights":[],"other":{)", "calibration: weights: an object");
    add(R"("lead":)", R"("load":)", "calibration: weights: lead: is missing");
    add(R"({"labels")", R"(["labels")", "x.model");
}

void TestModelFile::wrongMetaIsSaid()
{
    QFETCH(QString, from);
    QFETCH(QString, to);
    QFETCH(QString, said);
    ModelMeta four = meta();
    if (to == QStringLiteral("\"filters\":4096")) {
        four.shape.widths = 8; // more hidden units than the scorer can sum up
    }
    QString text = QString::fromStdString(metaText(four));
    QVERIFY2(text.contains(from), qPrintable(text));
    text.replace(from, to);
    const auto read = readMeta(text.toStdString(), "x.model");
    QVERIFY(!read.ok());
    QCOMPARE(read.error().kind, ErrorKind::Input);
    const QString message = QString::fromStdString(read.error().message);
    QVERIFY2(message.contains(said), qPrintable(message));
    QVERIFY2(message.startsWith(QStringLiteral("x.model")), qPrintable(message));
}

void TestModelFile::strayWordsDoNoHarm()
{
    // A dictionary may give a word the row of something that has no class bits.
    std::string changed = bytes();
    const std::size_t rows = contentOf(changed, 2);
    for (std::size_t place = 0; place < 16; ++place) {
        put(changed, rows + place * 4, std::uint32_t(4));
    }
    const auto file = ModelFile::fromBytes(sealed(changed), "x");
    QVERIFY2(file.ok(), file ? "" : file.error().message.c_str());
    Scorer scorer;
    const RawScores& scores = scorer.score(**file, "my parcel", {});
    QVERIFY(scores.known);
    QCOMPARE(scores.features[std::size_t(ScopeFeature::WinnerWeight)], 0.0);
    // Sections that a fast model has no use for are not looked at.
    ModelMeta fast = meta();
    fast.tier = Tier::Fast;
    fast.memberScales = {1};
    const auto plain = ModelFile::build(fast, parts());
    QVERIFY2(plain.ok(), plain ? "" : plain.error().text().c_str());
    QVERIFY((*plain)->view().cnns.empty() && (*plain)->view().words.index.keys.empty());
    QVERIFY(scorer.score(**plain, "my parcel", {}).known);
}

QTEST_GUILESS_MAIN(TestModelFile)
#include "tst_modelfile.moc"

#include "engine/base/file.h"
#include "engine/classification/model/wordvectors.h"
#include "tests/support/testcase.h"

#include <QTemporaryDir>
#include <cmath>
#include <fmt/format.h>
#include <random>

using namespace sluice;

class TestWordVectors : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void readsEveryForm_data();
    void readsEveryForm();
    void keepsNeededAndGeneral();
    void firstSpellingWins();
    void passesOverWhatIsNoWord();
    void escapesInJson();
    void refusesWhatIsMalformed_data();
    void refusesWhatIsMalformed();
    void refusesWhatIsNoFile();
    void canBeCancelled();
    void meanAndTwoComponentsAreTakenOff();
    void degenerateVectorsDoNoHarm();

private:
    using Words = std::vector<std::string>;

    Result<WordVectors> read(const std::string& text,
        const std::unordered_set<std::string_view>& needed = {}, std::size_t general = 1000,
        const std::atomic<bool>* cancel = nullptr) const
    {
        const std::filesystem::path path = m_folder.filePath(QStringLiteral("v.txt")).toStdString();
        if (!writeFileAtomically(path, text)) {
            return internalError("the test's file was not written");
        }
        return readWordVectors(path, needed, general, cancel);
    }

    QTemporaryDir m_folder;
};

void TestWordVectors::readsEveryForm_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addRow("GloVe") << QByteArray("the 1 -2.5 3e-1\nparcel 4 5 6\nof 7 8 9\n");
    QTest::addRow("no last line end") << QByteArray("the 1 -2.5 3e-1\nparcel 4 5 6\nof 7 8 9");
    QTest::addRow("word2vec") << QByteArray("3 3\nthe 1 -2.5 3e-1 \nparcel 4 5 6 \nof 7 8 9 \n");
    QTest::addRow("CRLF and tabs")
        << QByteArray("3 3\r\nthe\t1\t-2.5\t3e-1\r\nparcel 4 5 6\r\nof 7 8 9\r\n");
    QTest::addRow("wink") << QByteArray(
        R"({"precision":6,"size":3,"dimensions":3,"words":["the","parcel","of"],"vectors":{)"
        R"("the":[1,-2.5,3e-1,4.03,0],"parcel":[4, 5, 6, 8.77, 1],
           "of":[7,8,9,13.93,2]}})");
}

void TestWordVectors::readsEveryForm()
{
    QFETCH(QByteArray, text);
    const auto vectors = read(text.toStdString());
    QVERIFY2(vectors.ok(), vectors ? "" : vectors.error().message.c_str());
    QCOMPARE(vectors->dimension, 3U);
    QCOMPARE(vectors->size(), 3U);
    QCOMPARE(vectors->words, Words({"the", "parcel", "of"}));
    QCOMPARE(vectors->values, std::vector<float>({1, -2.5F, 0.3F, 4, 5, 6, 7, 8, 9}));
    QCOMPARE(vectors->ranks, std::vector<std::size_t>({0, 1, 2}));
}

void TestWordVectors::keepsNeededAndGeneral()
{
    const std::string text = "a 1\nb 2\nc 3\nd 4\ne 5\n";
    const auto two = read(text, {"d", "b", "absent"}, 2);
    QCOMPARE(two->words, Words({"a", "b", "d"}));
    QCOMPARE(two->ranks, std::vector<std::size_t>({0, 1, 3}));
    QCOMPARE(read(text, {"e"}, 0)->words, Words({"e"}));
    const std::string wink = R"({"dimensions":1,"vectors":{"a":[1],"b":[2],"c":[3]}})";
    QCOMPARE(read(wink, {"c"}, 1)->words, Words({"a", "c"}));
}

void TestWordVectors::firstSpellingWins()
{
    const auto vectors = read("The 1 1\nthe 2 2\nTHE 3 3\nparcel 4 4\n");
    QCOMPARE(vectors->words, Words({"the", "parcel"}));
    QCOMPARE(vectors->values, std::vector<float>({1, 1, 4, 4}));
    QCOMPARE(vectors->ranks, std::vector<std::size_t>({0, 3}));
}

void TestWordVectors::passesOverWhatIsNoWord()
{
    // Neither one token of a query, nor text, nor of a sane length: no values are read of them.
    const std::string text = "the 1 1\nco-op nonsense\n.. nonsense\n\xFF\xFE nonsense\n"
        + std::string(300, 'x') + " nonsense\n? 2 2\ncaf\xC3\xA9 3 3\n";
    const auto vectors = read(text);
    QVERIFY2(vectors.ok(), vectors ? "" : vectors.error().message.c_str());
    QCOMPARE(vectors->size(), 3U);
    QCOMPARE(vectors->words[1], std::string("?"));
    QCOMPARE(vectors->ranks, std::vector<std::size_t>({0, 5, 6}));
}

void TestWordVectors::escapesInJson()
{
    const auto vectors = read(R"({"size":4,"dimensions":2,"words":["\"dimensions\""],"vectors":{
        "say \"hi\"":[9,9],"back\\":[5,6],"caf\u00e9":[9,9],"}":[9,9],"parcel":[1,2]}})");
    QVERIFY2(vectors.ok(), vectors ? "" : vectors.error().message.c_str());
    QCOMPARE(vectors->words, Words({"parcel"}));
    QCOMPARE(vectors->values, std::vector<float>({1, 2}));
    QCOMPARE(vectors->ranks, std::vector<std::size_t>({4}));
}

void TestWordVectors::refusesWhatIsMalformed_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QString>("said");
    const auto add = [](const char* name, const QByteArray& text, const char* said) {
        QTest::addRow("%s", name) << text << QString::fromUtf8(said);
    };
    add("empty", "", "no word vectors are in it");
    add("header alone", "2 3\n", "no word vectors are in it");
    add("no number", "the 1 2\nparcel 1 x\n", "line 2: 1 to 1024 numbers are expected");
    add("not finite", "the 1 2\nparcel 1 nan\n", "line 2: 1 to 1024 numbers");
    add("no values", "the 1 2\nof 1 2\nparcel \n", "line 3: 1 to 1024 numbers");
    add("word alone", "the 1 2\nparcel\n", "line 2: a word and its values are expected");
    add("blank line", "the 1 2\n\nparcel 1 2\n", "line 2: a word and its values are expected");
    add("short row", "the 1 2\nparcel 1\n", "line 2: 1 values, the rows before have 2");
    add("long row", "the 1 2\nof 1 2\nparcel 1 2 3\n", "line 3: 3 values, the rows before have 2");
    add("too wide", "the" + QByteArray(" 1").repeated(1025), "line 1: 1 to 1024 numbers");
    add("prose first", "just some text\n", "line 1: 1 to 1024 numbers");
    add("other JSON", R"({"a":1})", "\"dimensions\" and \"vectors\" are missing");
    add("no vectors", R"({"dimensions":2,"words":[]})", "are missing");
    add("dimensions no number", R"({"dimensions":"x","vectors":{"a":[1]}})", "are missing");
    add("dimensions too many", R"({"dimensions":5000,"vectors":{"a":[1]}})", "are missing");
    add("vectors no object", R"({"dimensions":2,"vectors":[]})", "are missing");
    add("no entry", R"({"dimensions":2,"vectors":{}})", "no word vectors are in it");
    add("truncated row", R"({"dimensions":2,"vectors":{"a":[1,2],"b":[1)", "entry 2 is malformed");
    add("truncated word", R"({"dimensions":2,"vectors":{"a":[1,2],"b)", "entry 2 is malformed");
    add("truncated escape", R"({"dimensions":2,"vectors":{"a":[1,2],"b\)", "entry 2 is malformed");
    add("truncated after", R"({"dimensions":2,"vectors":{"a":[1,2])", "entry 2 is malformed");
    add("too few numbers", R"({"dimensions":2,"vectors":{"a":[1,2],"b":[1]}})", "entry 2 is");
    add("bad number", R"({"dimensions":2,"vectors":{"a":[1,true]}})", "entry 1 is malformed");
    add("no word", R"({"dimensions":2,"vectors":{7:[1,2]}})", "entry 1 is malformed");
}

void TestWordVectors::refusesWhatIsMalformed()
{
    QFETCH(QByteArray, text);
    QFETCH(QString, said);
    const auto vectors = read(text.toStdString());
    QVERIFY(!vectors.ok());
    QCOMPARE(vectors.error().kind, ErrorKind::Input);
    const QString message = QString::fromStdString(vectors.error().message);
    QVERIFY2(message.contains(said), qPrintable(message));
    QVERIFY2(message.contains(QStringLiteral("v.txt")), qPrintable(message));
}

void TestWordVectors::refusesWhatIsNoFile()
{
    for (const QString& path : {m_folder.path(), m_folder.filePath(QStringLiteral("missing"))}) {
        const auto vectors = readWordVectors(path.toStdString(), {}, 10);
        QVERIFY(!vectors.ok());
        QCOMPARE(vectors.error().kind, ErrorKind::Input);
        QVERIFY(vectors.error().message.find(path.toStdString()) != std::string::npos);
    }
}

void TestWordVectors::canBeCancelled()
{
    std::string text;
    std::string wink = R"({"dimensions":1,"vectors":{)";
    for (int index = 0; index < 5000; ++index) {
        const std::string word = fmt::format("word{}", index);
        text += fmt::format("{} 1\n", word);
        wink += fmt::format("\"{}\":[1],", word);
    }
    wink += "}}";
    std::atomic<bool> cancel = false;
    QCOMPARE(read(text, {}, 10000, &cancel)->size(), 5000U);
    cancel = true;
    for (const std::string& file : {text, wink}) {
        const auto vectors = read(file, {}, 10000, &cancel);
        QVERIFY(!vectors.ok());
        QCOMPARE(vectors.error().kind, ErrorKind::Cancelled);
    }
}

void TestWordVectors::meanAndTwoComponentsAreTakenOff()
{
    // Two directions, no axes, carry most of the variance around a mean that is far off.
    constexpr std::size_t dimension = 10;
    constexpr std::size_t rows = 400;
    std::mt19937 random(9);
    std::normal_distribution<double> normal;
    std::vector<double> first(dimension);
    std::vector<double> second(dimension);
    for (std::size_t i = 0; i < dimension; ++i) {
        first[i] = i % 2 == 0 ? 1 : -1;
        second[i] = i < 5 ? 1 : -1;
    }
    WordVectors vectors;
    vectors.dimension = dimension;
    for (std::size_t row = 0; row < rows; ++row) {
        const double a = 9 * normal(random);
        const double b = 5 * normal(random);
        vectors.words.push_back(fmt::format("w{}", row));
        vectors.ranks.push_back(row);
        for (std::size_t i = 0; i < dimension; ++i) {
            vectors.values.push_back(
                float(20 + a * first[i] + b * second[i] + 0.3 * normal(random)));
        }
    }
    postProcess(vectors);
    QCOMPARE(vectors.values.size(), rows * dimension);
    std::vector<double> mean(dimension, 0.0);
    double along = 0;
    for (std::size_t row = 0; row < rows; ++row) {
        double square = 0;
        double onFirst = 0;
        double onSecond = 0;
        for (std::size_t i = 0; i < dimension; ++i) {
            const auto value = double(vectors.values[row * dimension + i]);
            mean[i] += value / double(rows);
            square += value * value;
            onFirst += value * first[i] / std::sqrt(double(dimension));
            onSecond += value * second[i] / std::sqrt(double(dimension));
        }
        QVERIFY(std::abs(square - 1) < 1e-4);
        along = std::max({along, std::abs(onFirst), std::abs(onSecond)});
    }
    // What is left is noise in the other eight directions; without the removal `along` is near 1.
    QVERIFY2(along < 0.3, qPrintable(QString::number(along)));
    for (const double value : mean) {
        QVERIFY(std::abs(value) < 0.1);
    }
}

void TestWordVectors::degenerateVectorsDoNoHarm()
{
    for (const std::size_t dimension : {1U, 2U, 3U}) {
        WordVectors vectors;
        vectors.dimension = dimension;
        vectors.words = {"a", "b"};
        vectors.ranks = {0, 1};
        vectors.values.assign(2 * dimension, 3.0F); // all the same: nothing is left
        postProcess(vectors);
        QCOMPARE(vectors.values, std::vector<float>(2 * dimension, 0.0F));
    }
    WordVectors vectors;
    vectors.dimension = 1;
    vectors.words = {"a", "b"};
    vectors.ranks = {0, 1};
    vectors.values = {1, 4};
    postProcess(vectors); // no component is taken off the only dimension
    QCOMPARE(vectors.values, std::vector<float>({-1, 1}));
}

QTEST_GUILESS_MAIN(TestWordVectors)
#include "tst_wordvectors.moc"

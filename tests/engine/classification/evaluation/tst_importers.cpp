#include "engine/base/file.h"
#include "engine/base/resources.h"
#include "engine/classification/evaluation/importers.h"
#include "tests/support/testcase.h"

#include <QRegularExpression>
#include <QTemporaryDir>
#include <algorithm>
#include <map>
#include <set>

using namespace sluice;

class TestImporters : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void csvRecords_data();
    void csvRecords();
    void csvRefuses_data();
    void csvRefuses();
    void csvColumnsInAnyOrder();
    void clinc();
    void jsonl();
    void jsonlDialogues();
    void sniffs_data();
    void sniffs();
    void formatsAreNamed();
    void outOfScopeHasManyNames();
    void duplicatesAndConflictsAreReported();
    void refusesRows_data();
    void refusesRows();
    void severalFilesAreOne();
    void bundledData();
    void bundledQueriesHaveNoTwins();
    void publicData();

private:
    std::filesystem::path file(const char* name, std::string_view content)
    {
        const std::filesystem::path path = m_folder.filePath(QString::fromUtf8(name)).toStdString();
        const auto written = writeFileAtomically(path, content);
        return written ? path : std::filesystem::path();
    }
    QTemporaryDir m_folder;
};

using Records = std::vector<std::vector<std::string>>;
Q_DECLARE_METATYPE(Records)

void TestImporters::csvRecords_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<Records>("expected");
    const auto row = [](const char* name, const char* text, Records expected) {
        QTest::newRow(name) << QByteArray(text) << std::move(expected);
    };
    row("plain", "a,b\nc,d\n", {{"a", "b"}, {"c", "d"}});
    row("no newline at the end", "a,b\nc,d", {{"a", "b"}, {"c", "d"}});
    row("CRLF", "a,b\r\nc,d\r\n", {{"a", "b"}, {"c", "d"}});
    row("comma in quotes", "\"a,b\",c\n", {{"a,b", "c"}});
    row("newline in quotes", "\"a\nb\",c\n", {{"a\nb", "c"}});
    row("CRLF in quotes", "\"a\r\nb\",c\n", {{"a\r\nb", "c"}});
    row("doubled quote", "\"say \"\"hi\"\"\",c\n", {{"say \"hi\"", "c"}});
    row("empty fields", ",\n", {{"", ""}});
    row("empty quoted", "\"\"\n", {{""}});
    row("blank lines are none", "a,b\n\n\nc,d\n\n", {{"a", "b"}, {"c", "d"}});
    row("empty", "", {});
}

void TestImporters::csvRecords()
{
    QFETCH(QByteArray, text);
    QFETCH(Records, expected);
    std::vector<int> lines;
    const auto records = parseCsv(text.toStdString(), "x.csv", lines);
    QVERIFY2(records.ok(), records ? "" : records.error().message.c_str());
    QCOMPARE(*records, expected);
    QCOMPARE(lines.size(), expected.size());
}

void TestImporters::csvRefuses_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QString>("says");
    QTest::newRow("quote inside") << QByteArray("text,intent\na\"b,c\n")
                                  << QStringLiteral("line 2: a quote inside a field");
    QTest::newRow("text after quote")
        << QByteArray("text,intent\n\"a\"b,c\n") << QStringLiteral("line 2: text after");
    QTest::newRow("never closed") << QByteArray("text,intent\na,b\n\"c,d\ne,f\n")
                                  << QStringLiteral("line 3: a quoted field that begins here");
    QTest::newRow("too few") << QByteArray("text,intent\n\"a\nb\",c\nd\n")
                             << QStringLiteral("line 4: 1 fields, but the header has 2");
    QTest::newRow("too many") << QByteArray("text,intent\na,b,c\n")
                              << QStringLiteral("line 2: 3 fields");
    QTest::newRow("no header") << QByteArray("hello,there\n")
                               << QStringLiteral("line 1: the header");
    QTest::newRow("unknown split") << QByteArray("text,intent,split\na,b,dev\n")
                                   << QStringLiteral("line 2: there is no split");
    QTest::newRow("empty") << QByteArray() << QStringLiteral("empty");
}

void TestImporters::csvRefuses()
{
    QFETCH(QByteArray, text);
    QFETCH(QString, says);
    const auto rows = readCsv(text.toStdString(), "x.csv");
    QVERIFY(!rows.ok());
    QCOMPARE(rows.error().kind, ErrorKind::Input);
    const QString message = QString::fromStdString(rows.error().message);
    QVERIFY2(message.startsWith(QStringLiteral("x.csv: ")) && message.contains(says),
        qPrintable(message));
}

void TestImporters::csvColumnsInAnyOrder()
{
    const auto rows =
        readCsv("\xEF\xBB\xBFSplit, Category ,ignored,QUERY\ntest,pay,x,\"how, then?\"\n", "x.csv");
    QVERIFY(rows.ok());
    QCOMPARE(rows->size(), 1U);
    QCOMPARE(rows->front().text, std::string("how, then?"));
    QCOMPARE(rows->front().intent, std::string("pay"));
    QVERIFY(rows->front().split == Split::Test);
    QCOMPARE(rows->front().line, 2);
}

void TestImporters::clinc()
{
    const std::string text = R"({"val":[["v","b"]],"train":[["t1","a"],["t2","b"]],
        "test":[["x","a"]],"oos_val":[["o","oos"]],"oos_test":[["p","oos"]],"oos_train":[["q","oos"]]})";
    const auto data = readLabelledData(file("clinc.json", text));
    QVERIFY(data.ok());
    QVERIFY(data->report.format == DataFormat::Clinc);
    QCOMPARE(data->part(Split::Train).size(), 3U);
    QCOMPARE(data->part(Split::Validation).size(), 2U);
    QCOMPARE(data->part(Split::Test).size(), 2U);
    QCOMPARE(data->intents(), (std::vector<std::string>{"a", "b"}));

    for (const auto& [wrong, says] :
        std::map<std::string, std::string>{{R"({"train":{}})", "train: an array"},
            {R"({"train":[["a"]]})", "train[0]"}, {R"({"train":[["a","b"],["c",1]]})", "train[1]"},
            {R"({"tests":[]})", "none of train"}, {"[]", "one JSON object"}, {"{", "x.json"}}) {
        const auto refused = readClinc(wrong, "x.json");
        QVERIFY2(!refused.ok(), wrong.c_str());
        QVERIFY2(refused.error().message.find(says) != std::string::npos,
            refused.error().message.c_str());
    }
}

void TestImporters::jsonl()
{
    const std::string text =
        "\xEF\xBB\xBF{\"text\":\"a\",\"intent\":\"x\",\"split\":\"calibration\"}\r\n\n"
        "{\"text\":\"b\",\"intent\":null}\n"
        "{\"text\":\"c\",\"oos\":true}\n"
        "{\"text\":\"pay 5 EUR\",\"intent\":\"y\",\"note\":1,"
        "\"entities\":[{\"type\":\"amount\",\"value\":\"5 EUR\",\"start\":4,\"end\":9}]}";
    const auto rows = readJsonl(text, "x.jsonl");
    QVERIFY2(rows.ok(), rows ? "" : rows.error().message.c_str());
    QCOMPARE(rows->size(), 4U);
    QVERIFY((*rows)[0].split == Split::Calibration);
    QVERIFY((*rows)[1].isOutOfScope());
    QCOMPARE((*rows)[1].line, 3);
    QVERIFY((*rows)[2].isOutOfScope());
    QCOMPARE((*rows)[3].entities.size(), 1U);
    QCOMPARE((*rows)[3].entities[0].span.codePointEnd, 9U);

    for (const auto& [wrong, says] : std::map<std::string, std::string>{
             {"{\"text\":\"a\",\"intent\":\"x\"}\n[1]", "line 2: a JSON object"},
             {"{\"intent\":\"x\"}", "line 1: the string \"text\""},
             {"{\"text\":\"a\"}", "line 1: the string \"intent\""},
             {"{\"text\":\"a\",\"intent\":\"x\",\"split\":\"dev\"}", "line 1: there is no split"},
             {"{\"text\":\"a\",\"intent\":\"x\"}\n{\"text\":", "line 2"},
             {"{\"text\":\"a\",\"intent\":\"x\",\"entities\":{}}", "entities: an array"},
             {"{\"text\":\"a\",\"intent\":\"x\",\"entities\":[{}]}", "type: is missing"}}) {
        const auto refused = readJsonl(wrong, "x.jsonl");
        QVERIFY2(!refused.ok(), wrong.c_str());
        QVERIFY2(refused.error().message.find(says) != std::string::npos,
            refused.error().message.c_str());
    }
}

void TestImporters::jsonlDialogues()
{
    const auto rows = readJsonl("{\"split\":\"test\",\"turns\":[{\"text\":\"a\",\"intent\":\"x\"},"
                                "{\"text\":\"b\",\"intent\":\"oos\",\"system\":\"ok\"}]}",
        "x.jsonl");
    QVERIFY(rows.ok());
    QCOMPARE(rows->size(), 2U);
    QVERIFY((*rows)[1].split == Split::Test);
    QVERIFY((*rows)[1].isOutOfScope());
    const auto refused = readJsonl("{\"turns\":[{\"text\":\"a\"}]}", "x.jsonl");
    QVERIFY(!refused.ok());
}

void TestImporters::sniffs_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<int>("format");
    const auto row = [](const char* name, const char* text, DataFormat format) {
        QTest::newRow(name) << QByteArray(text) << int(format);
    };
    row("CLINC150 on one line", R"({"train":[["a","b"]]})", DataFormat::Clinc);
    row("CLINC150 on many", "{\n \"oos_val\": [\n", DataFormat::Clinc);
    row("JSON Lines", "{\"text\":\"a\",\"intent\":\"b\"}\n{\"text\":", DataFormat::Jsonl);
    row("JSON Lines with split", R"({"text":"a","intent":"b","split":"train"})", DataFormat::Jsonl);
    row("CSV", "text,category\n", DataFormat::Csv);
    row("nothing", "", DataFormat::Csv);
}

void TestImporters::sniffs()
{
    QFETCH(QByteArray, text);
    QFETCH(int, format);
    QCOMPARE(int(sniffFormat(text.toStdString())), format);
}

void TestImporters::formatsAreNamed()
{
    QVERIFY(*dataFormatFromString("auto") == DataFormat::Auto);
    QVERIFY(*dataFormatFromString("clinc") == DataFormat::Clinc);
    QVERIFY(*dataFormatFromString("csv") == DataFormat::Csv);
    QVERIFY(*dataFormatFromString("jsonl") == DataFormat::Jsonl);
    const auto other = dataFormatFromString("xml");
    QVERIFY(!other.ok());
    QVERIFY(other.error().message.find("\"xml\"") != std::string::npos);
    const auto missing = readLabelledData(std::filesystem::path("/no/such/data.csv"));
    QVERIFY(!missing.ok());
    QVERIFY(missing.error().message.find("/no/such/data.csv") != std::string::npos);
}

void TestImporters::outOfScopeHasManyNames()
{
    const auto csv = readLabelledData(file("names.csv",
        "text,label\na,None\nb,\nc,out_of_scope\nd,nlu_fallback\ne,NULL\nf,oos\ng,nonesuch\n"));
    QVERIFY(csv.ok());
    QCOMPARE(std::count_if(csv->queries.begin(), csv->queries.end(),
                 [](const LabelledQuery& query) { return query.isOutOfScope(); }),
        6);
    // In our own format it is "oos", exactly.
    const auto own = readLabelledData(file("names.jsonl",
        "{\"text\":\"a\",\"intent\":\"none\"}\n{\"text\":\"b\",\"intent\":\"oos\"}\n"));
    QVERIFY(own.ok());
    QVERIFY(!own->queries[0].isOutOfScope());
    QVERIFY(own->queries[1].isOutOfScope());
}

void TestImporters::duplicatesAndConflictsAreReported()
{
    const auto data = readLabelledData(
        file("twice.csv", "text,intent\nHi there,greet\nbye,leave\nhi  THERE,greet\nBYE,greet\n"));
    QVERIFY(data.ok());
    QCOMPARE(data->report.rows, 4U);
    QCOMPARE(data->report.duplicates, 1U);
    QCOMPARE(data->queries.size(), 3U);
    QCOMPARE(data->report.conflicts.size(), 1U);
    QCOMPARE(data->report.conflicts[0], std::string("line 3 and line 5: 'BYE' is leave and greet"));
}

void TestImporters::refusesRows_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QString>("says");
    QTest::newRow("blank") << QByteArray("text,intent\na,b\n\" \",c\n")
                           << QStringLiteral("line 3: the query is empty");
    QTest::newRow("invalid UTF-8")
        << QByteArray("text,intent\nab\xFF,b\n")
        << QStringLiteral("line 2: the query is not valid UTF-8: byte 2");
    QTest::newRow("too long") << QByteArray("text,intent\n" + QByteArray(5000, 'x') + ",b\n")
                              << QStringLiteral("line 2: the query is 5000");
    QTest::newRow("header only") << QByteArray("text,intent\n")
                                 << QStringLiteral("no labelled query");
}

void TestImporters::refusesRows()
{
    QFETCH(QByteArray, text);
    QFETCH(QString, says);
    const auto data = readLabelledData(file("rows.csv", text.toStdString()));
    QVERIFY(!data.ok());
    const QString message = QString::fromStdString(data.error().message);
    QVERIFY2(message.contains(QStringLiteral("rows.csv: ")) && message.contains(says),
        qPrintable(message));
}

void TestImporters::severalFilesAreOne()
{
    const std::vector<std::filesystem::path> files{file("one.csv", "text,intent\na,x\n"),
        file("two.jsonl", "{\"text\":\"b\",\"intent\":\"y\"}\n")};
    const auto data = readLabelledData(files);
    QVERIFY(data.ok());
    QCOMPARE(data->queries.size(), 2U);
    QCOMPARE(data->intents(), (std::vector<std::string>{"x", "y"}));
    const std::vector<std::filesystem::path> missing{files[0], "/no/such/file.csv"};
    QVERIFY(!readLabelledData(missing).ok());
    QVERIFY(!dataFormatFromString("xml").ok());
    for (const Split split :
        {Split::Train, Split::Validation, Split::Calibration, Split::Test, Split::None}) {
        QVERIFY(*splitFromString(toString(split)) == split);
    }
}

void TestImporters::bundledData()
{
    const std::filesystem::path folder =
        std::filesystem::path(SLUICE_SOURCE_DIR) / "resources" / "helpdesk";
    const auto data = readLabelledData(folder / "queries.jsonl");
    QVERIFY2(data.ok(), data ? "" : data.error().message.c_str());
    QCOMPARE(data->report.duplicates, 0U);
    QVERIFY2(data->report.conflicts.empty(),
        data->report.conflicts.empty() ? "" : data->report.conflicts.front().c_str());
    QVERIFY(data->queries.size() >= 4500);
    QCOMPARE(data->intents().size(), 26U);
    // Least rows of each part, and least of them out of scope: docs/DATA.md.
    const std::map<Split, std::pair<int, int>> least{{Split::Train, {1400, 100}},
        {Split::Validation, {280, 45}}, {Split::Calibration, {2200, 440}},
        {Split::Test, {300, 45}}};
    std::map<std::string, int> total;
    for (const auto& [split, rows] : least) {
        std::map<std::string, int> counts;
        const auto part = data->part(split);
        for (const LabelledQuery& query : part) {
            counts[query.intent] += 1;
            total[query.intent] += 1;
        }
        QVERIFY(int(part.size()) >= rows.first);
        QVERIFY(counts["oos"] >= rows.second);
        QCOMPARE(counts.size(), data->intents().size() + 1);
    }
    QVERIFY(total["oos"] >= 440);
    for (const auto& [intent, count] : total) {
        QVERIFY2(count >= 85, intent.c_str());
    }
    const auto talks = readLabelledData(folder / "conversations.jsonl");
    QVERIFY2(talks.ok(), talks ? "" : talks.error().message.c_str());
    const auto intents = data->intents();
    for (const LabelledQuery& turn : talks->queries) {
        QVERIFY2(
            turn.isOutOfScope() || std::binary_search(intents.begin(), intents.end(), turn.intent),
            turn.intent.c_str());
    }
}

/// No query of one part is, but for order, case and a word or so, one of another part or its own:
/// token sets share at most three quarters of their union.
void TestImporters::bundledQueriesHaveNoTwins()
{
    const auto data = readLabelledData(
        std::filesystem::path(SLUICE_SOURCE_DIR) / "resources" / "helpdesk" / "queries.jsonl");
    QVERIFY(data.ok());
    std::map<QString, int> numbers; // comparing words as numbers: there are ten million pairs
    std::vector<std::vector<int>> words;
    for (const LabelledQuery& query : data->queries) {
        static const QRegularExpression between(
            QStringLiteral("[^\\w]+"), QRegularExpression::UseUnicodePropertiesOption);
        std::set<int> own;
        for (const QString& word :
            QString::fromStdString(query.text).toLower().split(between, Qt::SkipEmptyParts)) {
            own.insert(numbers.try_emplace(word, int(numbers.size())).first->second);
        }
        words.emplace_back(own.begin(), own.end());
    }
    std::vector<int> shared;
    for (std::size_t one = 0; one < words.size(); ++one) {
        for (std::size_t other = 0; other < one; ++other) {
            const auto [fewer, more] = std::minmax({words[one].size(), words[other].size()});
            if (4 * fewer <= 3 * more) {
                continue; // too unlike in length
            }
            shared.clear();
            std::ranges::set_intersection(words[one], words[other], std::back_inserter(shared));
            if (4 * shared.size() > 3 * (fewer + more - shared.size())) {
                QFAIL((data->queries[one].text + " / " + data->queries[other].text).c_str());
            }
        }
    }
}

void TestImporters::publicData()
{
    const QString folder = qEnvironmentVariable("SLUICE_DATA");
    if (folder.isEmpty()) {
        QSKIP("SLUICE_DATA names no folder with the public data sets; bundledData() is the twin");
    }
    const auto data = readLabelledData(
        QString(folder + QStringLiteral("/clinc150/data_full.json")).toStdString());
    QVERIFY2(data.ok(), data ? "" : data.error().message.c_str());
    // Larson et al. 2019: 150 intents of 100 / 20 / 30 queries; 100 / 100 / 1,000 out of scope.
    QVERIFY(data->report.format == DataFormat::Clinc);
    QCOMPARE(data->report.rows, 23700U);
    QCOMPARE(data->intents().size(), 150U);
}

QTEST_GUILESS_MAIN(TestImporters)
#include "tst_importers.moc"

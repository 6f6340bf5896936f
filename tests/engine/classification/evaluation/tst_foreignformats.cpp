#include "engine/base/file.h"
#include "engine/classification/evaluation/archiveformats.h"
#include "engine/classification/evaluation/importers.h"
#include "engine/classification/evaluation/markedtext.h"
#include "tests/support/testcase.h"
#include "tests/support/zipfile.h"

#include <QTemporaryDir>
#include <fmt/format.h>

using namespace sluice;

/// The formats of other tools: a small file each, and what is read of it, as text.
class TestForeignFormats : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void reads_data();
    void reads();
    void refuses_data();
    void refuses();
    void leavesOutAndSays_data();
    void leavesOutAndSays();
    void archives_data();
    void archives();
    void folderIsReadAsItsZip();
    void brokenArchives();
    void namesOfOutOfScope();
    void conflictsNameTheFile();
    void offsets();
    void publicData();

private:
    std::string path(const char* name) const
    {
        return m_folder.filePath(QString::fromUtf8(name)).toStdString();
    }
    QTemporaryDir m_folder;
};

/// "line 3 [test] greet: hi Ann {name=Ann 3-6}", a row a line.
static QString shown(const std::vector<LabelledQuery>& rows)
{
    std::string text;
    for (const LabelledQuery& row : rows) {
        text += fmt::format("{}{}{}{}: {}", row.line, row.split == Split::None ? "" : " ",
            toString(row.split), " " + row.intent, row.text);
        for (const Entity& entity : row.entities) {
            text += fmt::format(" {{{}={} {}-{}}}", entity.type, entity.value,
                entity.span.codePointBegin, entity.span.codePointEnd);
        }
        for (const std::string& act : row.systemActs) {
            text += " <" + act + ">";
        }
        text += '\n';
    }
    return QString::fromStdString(text);
}

void TestForeignFormats::reads_data()
{
    QTest::addColumn<QString>("format");
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QString>("rows");
    const auto row = [](const char* name, const char* format, const char* text, const char* rows) {
        QTest::newRow(name) << QString::fromUtf8(format) << QByteArray(text)
                            << QString::fromUtf8(rows);
    };
    row("Rasa YAML", "rasa", R"(version: "3.1"
nlu:
- intent: greet
  examples: |
    - hey [Zoë](name)
    # a comment
    - fly to [berlin]{"entity": "city", "role": "to", "value": "Berlin"}

    - a [b] c
- synonym: New York
  examples: |
    - big apple
- intent: faq/refund
  examples:
  - text: |
      - how do refunds work
    metadata: {sentiment: neutral}
  - "see [big apple](city) now"
- regex: zip
  examples: |
    - \d{5}
)",
        "5 greet: hey Zoë {name=Zoë 4-7}\n"
        "7 greet: fly to berlin {city=Berlin 7-13}\n"
        "9 greet: a [b] c\n"
        "15 faq/refund: how do refunds work\n"
        "18 faq/refund: see big apple now {city=New York 4-13}\n");
    row("Rasa test stories", "rasa", R"(stories:
- story: refund
  steps:
  - user: |
      where is [my money](thing)
    intent: refund_status
  - action: utter_ask_order
  - action: action_wait
  - user: "4711"
    intent: give_order
- story: training only
  steps:
  - intent: greet
)",
        "5 test refund_status: where is my money {thing=my money 9-17}\n"
        "9 test give_order: 4711 <utter_ask_order> <action_wait>\n");
    row("Rasa Markdown", "rasa", R"(<!-- made
by hand -->
## intent:greet
- hi
* hello [Ann](name:Anna)

## lookup:city
- Paris

## intent:bye
- see you, [mate](who)
## synonym:friend
- mate
)",
        "4 greet: hi\n5 greet: hello Ann {name=Anna 6-9}\n11 bye: see you, mate {who=friend "
        "9-13}\n");
    row("Rasa JSON", "rasa", R"({"rasa_nlu_data": {"common_examples": [
 {"text": "Zoë in Rome", "intent": "where", "entities": [{"start": 7, "end": 11, "value": "rome", "entity": "city"}]},
 {"intent": "greet",
  "text": "hi"}]}})",
        "2 where: Zoë in Rome {city=rome 7-11}\n3 greet: hi\n");
    row("LUIS", "azure",
        R"({"luis_schema_version": "7.0.0", "intents": [{"name": "None"}, {"name": "Book"}],
 "utterances": [
  {"text": "😀 to Rome", "intent": "Book", "entities": [{"entity": "city", "startPos": 6, "endPos": 9}]},
  {"text": "the moon", "intent": "None", "entities": []}]})",
        "3 Book: 😀 to Rome {city=Rome 5-9}\n4 None: the moon\n");
    row("CLU", "azure",
        R"({"projectFileVersion": "2022-10-01-preview", "stringIndexType": "Utf16CodeUnit",
 "settings": {"confidenceThreshold": 0.7},
 "assets": {"intents": [{"category": "Book"}], "utterances": [
  {"text": "go to Rome", "intent": "Book", "language": "en-us", "dataset": "Train",
   "entities": [{"category": "city", "offset": 6, "length": 4}]},
  {"text": "hm", "intent": "None", "dataset": "Test"}]}})",
        "4 train Book: go to Rome {city=Rome 6-10}\n6 test None: hm\n");
    row("Lex V1", "lex",
        R"({"metadata": {"schemaVersion": "1.0", "importType": "LEX", "importFormat": "JSON"},
 "resource": {"name": "Flowers", "intents": [
  {"name": "Order", "sampleUtterances": [
   "I want flowers",
   "order {FlowerType}"]}]}})",
        "4 Order: I want flowers\n5 Order: order {FlowerType}\n");
    row("Snips", "snips", R"({"entities": {"room": {}}, "intents": {"lightsOn": {"utterances": [
 {"data": [{"text": "light in the "}, {"text": "kitchen", "entity": "room", "slot_name": "where"}, {"text": " "}]}
]}}, "language": "en"})",
        "2 lightsOn: light in the kitchen {where=kitchen 13-20}\n");
    row("Snips benchmark", "snips", R"({"PlayMusic": [
 {"data": [{"text": "play "}, {"text": "Ann", "entity": "artist"}]}]})",
        "2 PlayMusic: play Ann {artist=Ann 5-8}\n");
    row("Snips YAML", "snips", R"(---
type: intent
name: lightsOn
utterances:
  - light in the [where:room](kitchen)
---
type: entity
name: room
)",
        "5 lightsOn: light in the kitchen {where=kitchen 13-20}\n");
    row("nlp.js", "nlpjs", R"({"name": "Corpus", "locale": "en-US", "data": [
 {"intent": "user.angry", "utterances": ["I'm angry",
  "I am mad"], "tests": ["so mad"], "answers": ["sorry"]},
 {"intent": "None", "utterances": ["pancakes"]}]})",
        "2 user.angry: I'm angry\n3 user.angry: I am mad\n3 test user.angry: so mad\n4 None: "
        "pancakes\n");
    row("fastText", "fasttext", "__label__pay how to pay\n\n__label__ship\twhere is it\n",
        "1 pay: how to pay\n3 ship: where is it\n");
    row("CoNLL", "conll", R"(-DOCSTART- -X- O

# intent: book
fly VB O
to TO O
New NN B-city
York NN I-city

# text: hi there
# intent = greet
1	hi	greet	O
2	Ann	greet	S-name
)",
        "4 book: fly to New York {city=New York 7-15}\n11 greet: hi Ann {name=Ann 3-6}\n");
    row("IOB1", "conll", "# intent: x\na I-p\nb I-p\nc B-p\nd I-q\n",
        "2 x: a b c d {p=a b 0-3} {p=c 4-5} {q=d 6-7}\n");
    row("NLU.DevOps", "json", R"([{"text": "to Rome to Rome", "intent": "Book",
  "entities": [{"entityType": "city", "matchText": "Rome", "matchIndex": 1, "entityValue": "rome"}]},
 {"text": "hm", "intent": null}])",
        "1 Book: to Rome to Rome {city=rome 11-15}\n3 : hm\n");
    row("labels", "json", R"([{"label": "a", "query": "x"}])", "1 a: x\n");
}

void TestForeignFormats::reads()
{
    QFETCH(QString, format);
    QFETCH(QByteArray, text);
    QFETCH(QString, rows);
    const auto wanted = dataFormatFromString(format.toStdString());
    QVERIFY(wanted.ok());
    QCOMPARE(titleOf(sniffFormat(text.toStdString())), titleOf(*wanted));
    const auto read = importerOf(*wanted).read(text.toStdString(), "x");
    QVERIFY2(read.ok(), read ? "" : read.error().message.c_str());
    QCOMPARE(shown(read->rows), rows);
    for (const LabelledQuery& query : read->rows) {
        for (const Entity& entity : query.entities) {
            QCOMPARE(query.text.substr(
                         entity.span.byteBegin, entity.span.byteEnd - entity.span.byteBegin),
                entity.text);
        }
    }
    // CRLF is a line's end too, but where a block of YAML or JSON takes it in itself.
    const QByteArray crlf = QByteArray(text).replace("\n", "\r\n");
    const auto again = importerOf(*wanted).read(crlf.toStdString(), "x");
    QVERIFY2(again.ok(), again ? "" : again.error().message.c_str());
    QCOMPARE(shown(again->rows), rows);
    // Written in our own format they are the same rows.
    const auto ours = readJsonl(toJsonl(read->rows), "ours");
    QVERIFY2(ours.ok(), ours ? "" : ours.error().message.c_str());
    const auto withoutLines = [](std::vector<LabelledQuery> some) {
        for (LabelledQuery& query : some) {
            query.line = 0;
        }
        return shown(some);
    };
    QCOMPARE(withoutLines(*ours), withoutLines(read->rows));
}

void TestForeignFormats::refuses_data()
{
    QTest::addColumn<QString>("format");
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QString>("says");
    const auto row = [](const char* format, const char* text, const char* says) {
        QTest::newRow(says) << QString::fromUtf8(format) << QByteArray(text)
                            << QString::fromUtf8(says);
    };
    row("rasa", "nlu:\n- intent: a\n  examples: |\n    - x\n    y\n",
        "line 5: an example is expected");
    row("rasa", "nlu:\n- intent: a\n", "line 2: the intent \"a\" has no examples");
    row("rasa", "nlu: {}\n", "line 1: nlu: a list is expected");
    row("rasa", "nlu:\n- intent: a\n  examples: |\n    - [x]{\"entity\": }\n",
        "line 4: the entity of [x]");
    row("rasa", "nlu:\n- intent: a\n  examples: |\n    - [x]{\"value\": \"b\"}\n", "no \"entity\"");
    row("rasa", "nlu:\n- &a intent\n- *a\n", "line 2: anchors and aliases");
    row("rasa", "nlu:\n- intent: [a\n", "line 3: ");
    row("rasa", "{\"rasa_nlu_data\": {}}", "common_examples");
    row("azure", "{\"assets\": {}}", "\"utterances\"");
    row("azure", "{\"utterances\": [\n{\"text\": \"a\"}]}", "line 2: an utterance needs");
    row("lex", "{\"resource\": {}}", "as Lex exports it");
    row("snips", "{\"intents\": {\"a\": {}}}", "the array of utterances of \"a\"");
    row("snips", "{\"intents\": {\"a\": {\"utterances\": [\n{\"data\": [{}]}]}}}",
        "line 2: every piece of a phrase");
    row("nlpjs", "{\"data\": [{}]}", "line 1: the string \"intent\"");
    row("dialogflow", "[]", "the zip that was exported");
    row("fasttext", "__label__a b\nc d\n", "line 2: \"__label__NAME text\"");
    row("conll", "a O\n", "line 1: the sentence has no line \"# intent:");
    row("conll", "# intent: x\na\n", "line 2: a token and its tag");
    row("json", "[{\"text\": \"a\"}]", "line 1: a row needs");
}

void TestForeignFormats::refuses()
{
    QFETCH(QString, format);
    QFETCH(QByteArray, text);
    QFETCH(QString, says);
    const auto wanted = dataFormatFromString(format.toStdString());
    const auto read = importerOf(*wanted).read(text.toStdString(), "x.file");
    QVERIFY(!read.ok());
    QCOMPARE(read.error().kind, ErrorKind::Input);
    const QString message = QString::fromStdString(read.error().message);
    QVERIFY2(message.startsWith(QStringLiteral("x.file")) && message.contains(says),
        qPrintable(message));
}

void TestForeignFormats::leavesOutAndSays_data()
{
    QTest::addColumn<QString>("format");
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QString>("note");
    QTest::newRow("two labels") << QStringLiteral("fasttext")
                                << QByteArray("__label__a __label__b x\n__label__a y\n")
                                << QStringLiteral("1 row left out, for they have several intents");
    QTest::newRow("NLU++") << QStringLiteral("json")
                           << QByteArray(R"([{"text": "a", "intents": ["x", "y"]},
                                  {"text": "c", "intents": ["x", "y"]}, {"text": "b", "intents": ["x"]}])")
                           << QStringLiteral("2 rows left out, for they have several intents");
    QTest::newRow("placeholder") << QStringLiteral("lex")
                                 << QByteArray(R"({"resource": {"intents": [{"name": "a",
                                  "sampleUtterances": ["order {Flower}"]}]}})")
                                 << QStringLiteral("1 row have placeholders");
    QTest::newRow("stray entity")
        << QStringLiteral("azure")
        << QByteArray(
               R"({"utterances": [{"text": "a", "intent": "b", "entities": [{"entity": "c", "startPos": 5, "endPos": 9}]}]})")
        << QStringLiteral("1 row have an entity whose place");
}

void TestForeignFormats::leavesOutAndSays()
{
    QFETCH(QString, format);
    QFETCH(QByteArray, text);
    QFETCH(QString, note);
    const auto read =
        importerOf(*dataFormatFromString(format.toStdString())).read(text.toStdString(), "x");
    QVERIFY2(read.ok(), read ? "" : read.error().message.c_str());
    QCOMPARE(read->rows.size(), 1U);
    QCOMPARE(read->notes.size(), 1U);
    QVERIFY2(QString::fromStdString(read->notes[0]).startsWith(note), read->notes.front().c_str());
}

using Members = std::vector<ArchiveMember>;
Q_DECLARE_METATYPE(Members)

void TestForeignFormats::archives_data()
{
    QTest::addColumn<Members>("members");
    QTest::addColumn<QString>("rows");
    QTest::addColumn<QStringList>("notes");
    QTest::newRow("Dialogflow ES")
        << Members{{"agent.json", "{\"mlMinConfidence\": 0.3}"}, {"package.json", "{}"},
               {"intents/Refund.json", R"({"name": "Refund!", "fallbackIntent": false})"},
               {"intents/Refund_usersays_en.json", R"([
  {"data": [{"text": "refund for "}, {"text": "4711", "meta": "@sys.number", "alias": "order"}], "isTemplate": false},
  {"data": [{"text": "money back"}]}])"},
               {"intents/Default.json", R"({"name": "Default", "fallbackIntent": true})"},
               {"intents/Default_usersays_en.json", R"([{"data": [{"text": "banana"}]}])"}}
        << QStringLiteral("1 oos: banana\n2 Refund!: refund for 4711 {sys.number=4711 11-15}\n"
                          "3 Refund!: money back\n")
        << QStringList();
    QTest::newRow("Dialogflow, oldest") << Members{{"agent.json", "{}"},
        {"intents/A.json", R"({"name": "A", "userSays": [{"data": [{"text": "hi"}]}]})"}}
                                        << QStringLiteral("1 A: hi\n") << QStringList();
    QTest::newRow("Dialogflow CX") << Members{{"agent.json", "{}"},
        {"intents/pay/pay.json", R"({"displayName": "pay", "isFallback": false})"},
        {"intents/pay/trainingPhrases/en.json",
            R"({"trainingPhrases": [{"parts": [{"text": "pay "}, {"text": "5 EUR", "parameterId": "sum"}]}]})"}}
                                   << QStringLiteral("1 pay: pay 5 EUR {sum=5 EUR 4-9}\n")
                                   << QStringList();
    QTest::newRow("Lex V2")
        << Members{{"Bot/BotLocales/en_US/Intents/Order/Intent.json",
                       R"({"name": "Order", "sampleUtterances": [{"utterance": "buy {What}"}]})"},
               {"Bot/BotLocales/en_US/Intents/FallbackIntent/Intent.json",
                   R"({"name": "FallbackIntent", "parentIntentSignature": "AMAZON.FallbackIntent",
                       "sampleUtterances": [{"utterance": "banana"}]})"}}
        << QStringLiteral("2 oos: banana\n1 Order: buy {What}\n")
        << QStringList{QStringLiteral("1 row have placeholders")};
    QTest::newRow("seq.in") << Members{{"test/label", "book\n"}, {"test/seq.in", "to New York\n"},
        {"test/seq.out", "O B-c I-c\n"}, {"valid/label", "hi\n"}, {"valid/seq.in", "hello\n"}}
                            << QStringLiteral(
                                   "1 test book: to New York {c=New York 3-11}\n1 val hi: hello\n")
                            << QStringList();
    QTest::newRow("Rasa project") << Members{{"data/nlu.yml",
                                                 "nlu:\n- intent: a\n  examples: |\n    - x\n"},
        {"domain.yml", "intents:\n- a\n"},
        {"tests/test_stories.yml", "stories:\n- story: s\n  steps:\n  - user: y\n    intent: a\n"}}
                                  << QStringLiteral("4 a: x\n4 test a: y\n")
                                  << QStringList{QStringLiteral("domain.yml: no labelled queries")};
}

void TestForeignFormats::archives()
{
    QFETCH(Members, members);
    QFETCH(QString, rows);
    QFETCH(QStringList, notes);
    std::sort(members.begin(), members.end(),
        [](const auto& a, const auto& b) { return a.name < b.name; });
    for (const bool deflated : {false, true}) {
        const std::string zip = test::zipFile(members, deflated);
        const auto unpacked = readZip(zip, "x.zip");
        QVERIFY2(unpacked.ok(), unpacked ? "" : unpacked.error().message.c_str());
        const auto archive = readArchive(*unpacked, "x.zip");
        QVERIFY2(archive.ok(), archive ? "" : archive.error().message.c_str());
        QCOMPARE(shown(archive->rows.rows), rows);
        QCOMPARE(qsizetype(archive->rows.notes.size()), notes.size());
        for (qsizetype index = 0; index < notes.size(); ++index) {
            QVERIFY2(QString::fromStdString(archive->rows.notes[std::size_t(index)])
                         .contains(notes[index]),
                archive->rows.notes[std::size_t(index)].c_str());
        }
    }
}

void TestForeignFormats::folderIsReadAsItsZip()
{
    const Members members{{"data/a.yml", "nlu:\n- intent: a\n  examples: |\n    - x\n    - y\n"},
        {"data/b.jsonl", "{\"text\":\"z\",\"intent\":\"none\"}\n"},
        {"data/picture.png", "\x89PNG"}};
    std::filesystem::create_directories(path("rasa/data"));
    for (const ArchiveMember& member : members) {
        QVERIFY(writeFileAtomically(path("rasa/") + member.name, member.content).ok());
    }
    const Members texts{members[0], members[1]};
    QVERIFY(writeFileAtomically(path("rasa.zip"), test::zipFile(texts, true)).ok());
    const auto folder = readLabelledData(std::filesystem::path(path("rasa")));
    const auto zip = readLabelledData(std::filesystem::path(path("rasa.zip")));
    QVERIFY2(folder.ok(), folder ? "" : folder.error().message.c_str());
    QVERIFY2(zip.ok(), zip ? "" : zip.error().message.c_str());
    QCOMPARE(shown(folder->queries), QStringLiteral("4 a: x\n5 a: y\n1 none: z\n"));
    QCOMPARE(shown(zip->queries), shown(folder->queries));
    QVERIFY(folder->report.format == DataFormat::Auto);
    QVERIFY(!readLabelledData(std::filesystem::path(path("rasa/nowhere"))).ok());
}

void TestForeignFormats::brokenArchives()
{
    const Members members{{"a.jsonl", "{\"text\":\"hello hello hello\",\"intent\":\"b\"}\n"}};
    const std::string zip = test::zipFile(members, true);
    QVERIFY(readZip(zip, "x").ok());
    for (std::size_t size = 0; size < zip.size(); ++size) {
        QVERIFY2(!readZip(zip.substr(0, size), "x").ok(), std::to_string(size).c_str());
    }
    int refused = 0;
    for (std::size_t byte = 0; byte < zip.size(); ++byte) {
        std::string other = zip;
        other[byte] = char(other[byte] ^ 0x55);
        const auto read = readZip(other, "x");
        refused += read ? 0 : 1;
        // What is still read is what it was: dates, versions and names are not checked.
        QVERIFY(!read || read->empty() || read->front().content == members[0].content);
    }
    QVERIFY(refused > 40);
    const auto large = readZip(zip, "x", 10);
    QVERIFY(!large.ok());
    QVERIFY(large.error().message.find("larger than") != std::string::npos);
}

void TestForeignFormats::namesOfOutOfScope()
{
    QVERIFY(writeFileAtomically(path("luis.json"),
        R"({"luis_schema_version":"7","utterances":[{"text":"a","intent":"None"},{"text":"b","intent":"x"}]})")
                .ok());
    const auto data = readLabelledData(std::filesystem::path(path("luis.json")));
    QVERIFY(data.ok());
    QVERIFY(data->report.format == DataFormat::Azure);
    QVERIFY(data->queries[0].isOutOfScope());
    QVERIFY(!data->queries[1].isOutOfScope());
}

void TestForeignFormats::conflictsNameTheFile()
{
    const Members members{{"a.yml", "nlu:\n- intent: a\n  examples: |\n    - x\n    - X\n"},
        {"b.yml", "nlu:\n- intent: b\n  examples: |\n    - x\n"}};
    QVERIFY(writeFileAtomically(path("two.zip"), test::zipFile(members, false)).ok());
    const auto data = readLabelledData(std::filesystem::path(path("two.zip")));
    QVERIFY(data.ok());
    QCOMPARE(data->report.duplicates, 1U);
    QCOMPARE(data->report.conflicts,
        (std::vector<std::string>{"a.yml line 4 and b.yml line 4: 'x' is a and b"}));
}

void TestForeignFormats::offsets()
{
    const std::string text = "a😀é!"; // 1, 4, 2, 1 bytes
    const auto points = spanOf(text, 1, 3, OffsetUnit::CodePoints);
    const auto units = spanOf(text, 1, 4, OffsetUnit::Utf16);
    QVERIFY(points && units && *points == *units);
    QCOMPARE(points->byteBegin, 1U);
    QCOMPARE(points->byteEnd, 7U);
    QVERIFY(!spanOf(text, 2, 4, OffsetUnit::Utf16)); // within a pair of surrogates
    QVERIFY(!spanOf(text, 3, 3, OffsetUnit::CodePoints));
    QVERIFY(!spanOf(text, 3, 5, OffsetUnit::CodePoints));
    QVERIFY(spanOf(text, 3, 4, OffsetUnit::CodePoints));
}

void TestForeignFormats::publicData()
{
    const QString folder = qEnvironmentVariable("SLUICE_DATA");
    if (folder.isEmpty()) {
        QSKIP("SLUICE_DATA names no folder with the public data sets");
    }
    // Casanueva et al. 2020: 10,003 and 3,080 rows, 77 intents; some hold newlines in quotes.
    for (const auto& [name, rows] :
        {std::pair("/banking77/train.csv", 10003U), std::pair("/banking77/test.csv", 3080U)}) {
        const auto data = readLabelledData(std::filesystem::path(folder.toStdString() + name));
        QVERIFY2(data.ok(), data ? "" : data.error().message.c_str());
        QCOMPARE(data->report.rows, std::size_t(rows));
        QCOMPARE(data->intents().size(), 77U);
    }
}

QTEST_GUILESS_MAIN(TestForeignFormats)
#include "tst_foreignformats.moc"

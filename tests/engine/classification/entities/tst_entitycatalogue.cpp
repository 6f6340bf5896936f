#include "engine/classification/entities/entitycatalogue.h"
#include "tests/support/testcase.h"

#include <QTemporaryDir>
#include <thread>

using namespace sluice;

class TestEntityCatalogue : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void emptyOnes();
    void offsetsInBothUnits();
    void longestWins();
    void earlierEntryWins();
    void touchingIsNoOverlap();
    void caseMatters();
    void groupIsTheValue();
    void spanAndValueGroups();
    void fixedValue();
    void unreportedKeepOthersOff();
    void unreadableOnesAreNone();
    void wordsWithANormaliser();
    void composed_data();
    void composed();
    void zoneOfTheCatalogue();
    void manyWords();
    void words_data();
    void words();
    void emptyMatchesArePassedOver();
    void manyMatchesAreBounded();
    void manyPatterns();
    void nestedRepeatsTakeNoTime();
    void manyThreads();
    void refused_data();
    void refused();
    void refusedAmongOthers();
    void unreadableFile();
};

namespace {

constexpr std::chrono::sys_seconds now{};

Result<EntityCatalogue> catalogueOf(const std::string& entries)
{
    return EntityCatalogue::fromJson("{\"entities\":[" + entries + "]}", "list");
}

/// "type=text=value@begin-end ...", offsets in code points.
QByteArray found(const EntityCatalogue& catalogue, const std::string& text)
{
    QByteArrayList out;
    for (const Entity& entity : catalogue.extract(text, now)) {
        const TextSpan& span = entity.span;
        if (text.substr(span.byteBegin, span.byteEnd - span.byteBegin) != entity.text) {
            return "the span is not of the text";
        }
        out << QByteArray::fromStdString(entity.type + "=" + entity.text + "=" + entity.value) + '@'
                + QByteArray::number(qulonglong(span.codePointBegin)) + '-'
                + QByteArray::number(qulonglong(span.codePointEnd));
    }
    return out.join(' ');
}

QByteArray found(const char* entries, const std::string& text)
{
    const auto catalogue = catalogueOf(entries);
    return catalogue ? found(*catalogue, text)
                     : QByteArray::fromStdString(catalogue.error().text());
}

} // namespace

void TestEntityCatalogue::emptyOnes()
{
    QVERIFY(EntityCatalogue().extract("A-2231", now).empty());
    QCOMPARE(found("", "A-2231"), "");
    QCOMPARE(found(R"({"type":"n","patterns":["[0-9]+"]})", ""), "");
    const auto catalogue = catalogueOf(
        R"({"type":"a","patterns":["x","y"]},{"type":"b","words":{"c":"d"}},{"type":"a","patterns":["z"]})");
    QVERIFY(catalogue.ok());
    QCOMPARE(catalogue->size(), 4U);
    QVERIFY((catalogue->types() == std::vector<std::string>{"a", "b"}));
}

void TestEntityCatalogue::offsetsInBothUnits()
{
    const auto catalogue = catalogueOf(R"({"type":"n","patterns":["[0-9]+"]})");
    QVERIFY(catalogue.ok());
    // u-umlaut: 2 bytes; euro: 3; a smiling face: 4; e with a combining accent: 1 + 2.
    const std::string text = "\xC3\xBC 1 \xE2\x82\xAC 22 \xF0\x9F\x98\x80 333 e\xCC\x81 4";
    const auto entities = catalogue->extract(text, now);
    QCOMPARE(entities.size(), 4U);
    QVERIFY((entities[0].span == TextSpan{3, 4, 2, 3}));
    QVERIFY((entities[1].span == TextSpan{9, 11, 6, 8}));
    QVERIFY((entities[2].span == TextSpan{17, 20, 11, 14}));
    QVERIFY((entities[3].span == TextSpan{25, 26, 18, 19}));
    QCOMPARE(entities[3].turn, 0);
}

void TestEntityCatalogue::longestWins()
{
    const char* const entries =
        R"({"type":"n","patterns":["[0-9]+"]},{"type":"d","patterns":["[0-9]+-[0-9]+"]})";
    QCOMPARE(found(entries, "7 then 12-34"), "n=7=7@0-1 d=12-34=12-34@7-12");
    // The longest in the middle leaves what does not touch it.
    QCOMPARE(found(R"({"type":"a","patterns":["ab","bcd","de"]})", "abcde ab"),
        "a=bcd=bcd@1-4 a=ab=ab@6-8");
}

void TestEntityCatalogue::earlierEntryWins()
{
    QCOMPARE(found(R"({"type":"a","patterns":["[0-9]{4}"]},{"type":"b","patterns":["20.."]})",
                 "in 2026"),
        "a=2026=2026@3-7");
    QCOMPARE(found(R"({"type":"b","patterns":["20.."]},{"type":"a","patterns":["[0-9]{4}"]})",
                 "in 2026"),
        "b=2026=2026@3-7");
}

void TestEntityCatalogue::touchingIsNoOverlap()
{
    QCOMPARE(found(R"({"type":"a","patterns":["a+"]},{"type":"b","patterns":["b+"]})", "aabba"),
        "a=aa=aa@0-2 b=bb=bb@2-4 a=a=a@4-5");
}

void TestEntityCatalogue::caseMatters()
{
    QCOMPARE(found(R"({"type":"a","patterns":["[A-Z]-[0-9]"],"normaliser":"upper"})", "a-1 B-2"),
        "a=a-1=A-1@0-3 a=B-2=B-2@4-7");
    QCOMPARE(found(R"({"type":"a","patterns":["[A-Z]-[0-9]"],"case_sensitive":true})", "a-1 B-2"),
        "a=B-2=B-2@4-7");
    QCOMPARE(found(R"({"type":"a","words":{"IT":"department"},"case_sensitive":true})", "it is IT"),
        "a=IT=department@6-8");
    QCOMPARE(found("{\"type\":\"a\",\"patterns\":[\"stra\xC3\x9F"
                   "e|\xC3\x84pfel\"]}",
                 "\xC3\xA4PFEL"),
        "a=\xC3\xA4PFEL=\xC3\xA4PFEL@0-5");
}

void TestEntityCatalogue::groupIsTheValue()
{
    const char* const entries =
        R"x({"type":"size","patterns":["size\\s+(xl|l)\\b|in (large)"],"normaliser":"upper"})x";
    QCOMPARE(found(entries, "my size xl"), "size=size xl=XL@3-10");
    QCOMPARE(found(entries, "it in large"), "size=in large=IN LARGE@3-11"); // only group 1
}

void TestEntityCatalogue::words_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("expected");
    const auto row = [](const char* name, const char* text, const char* expected) {
        QTest::newRow(name) << QByteArray(text) << QByteArray(expected);
    };
    row("one", "the GREY one", "c=GREY=grey@4-8");
    row("several in a row", "red,grey red", "c=red=red@0-3 c=grey=grey@4-8 c=red=red@9-12");
    row("part of a word", "reduced greyish infrared", "");
    row("with a figure", "red2 2red", "");
    row("longest", "dark red or red", "c=dark red=dark_red@0-8 c=red=red@12-15");
    row("blanks", "dark  \tred", "c=dark  \tred=dark_red@0-10");
    row("ends in an umlaut", "in BLEU FONC\xC3\x89!", "c=BLEU FONC\xC3\x89=dark_blue@3-13");
    row("begins with one", "\xC3\x84hre", "c=\xC3\x84hre=ear@0-4");
    row("part of a word with one", "F\xC3\xA4hre \xC3\xA4hren", "");
    row("umlaut beside it", "red\xC3\xA4 \xC3\xA4red", "");
    row("combining mark beside it", "red\xCC\x81", "");
    row("sharp s", "wei\xC3\x9F", "c=wei\xC3\x9F=white@0-4");
    row("signs in it", "I like c++!", "c=c++=cpp@7-10");
    row("signs are no patterns", "cxx", "");
}

void TestEntityCatalogue::words()
{
    QFETCH(QByteArray, text);
    QFETCH(QByteArray, expected);
    const char* const entries =
        "{\"type\":\"c\",\"words\":{\"red\":\"red\",\"Grey\":\"grey\","
        "\"dark red\":\"dark_red\",\"bleu fonc\xC3\xA9\":\"dark_blue\","
        "\"\xC3\xA4hre\":\"ear\",\"wei\xC3\x9F\":\"white\",\"c++\":\"cpp\"}}";
    QCOMPARE(found(entries, text.toStdString()), expected);
}

void TestEntityCatalogue::emptyMatchesArePassedOver()
{
    QCOMPARE(found(R"({"type":"a","patterns":["x*\\b"]})", "\xC3\xA4 hello xx"), "a=xx=xx@8-10");
}

void TestEntityCatalogue::manyMatchesAreBounded()
{
    const auto catalogue = catalogueOf(R"({"type":"a","patterns":["a"]})");
    QVERIFY(catalogue.ok());
    QCOMPARE(catalogue->extract(std::string(16384, 'a'), now).size(), 256U);
}

void TestEntityCatalogue::spanAndValueGroups()
{
    const char* const entries =
        R"x({"type":"order","patterns":["order (?P<span>[0-9]+)\\b"]},)x"
        R"x({"type":"size","patterns":["(?P<span>size (?P<value>xl|l))(?: please)?\\b"],"normaliser":"upper"},)x"
        R"x({"type":"shade","patterns":["(?P<value>dark|light) (?:red|blue)"]})x";
    QCOMPARE(found(entries, "order 12 in size xl please"), "order=12=12@6-8 size=size xl=XL@12-19");
    QCOMPARE(found(entries, "dark blue"), "shade=dark blue=dark@0-9");
}

void TestEntityCatalogue::fixedValue()
{
    QCOMPARE(
        found(R"({"type":"pay","patterns":["gift ?cards?"],"value":"gift_card"})", "two giftcards"),
        "pay=giftcards=gift_card@4-13");
}

void TestEntityCatalogue::unreportedKeepOthersOff()
{
    const char* const entries =
        R"({"type":"none","words":["Pink Floyd"],"reported":false},{"type":"c","words":["pink"]})";
    QCOMPARE(found(entries, "pink, not pink floyd"), "c=pink=pink@0-4");
    const auto catalogue = catalogueOf(entries);
    QVERIFY((catalogue->types() == std::vector<std::string>{"c"}));
}

void TestEntityCatalogue::unreadableOnesAreNone()
{
    // The date that is none leaves its place to the number.
    QCOMPARE(found(R"x({"type":"d","patterns":["[0-9]+/[0-9]+"],"normaliser":"date"},)x"
                   R"x({"type":"n","patterns":["[0-9]+"],"normaliser":"number"})x",
                 "1/2 50/60"),
        "d=1/2=1970-02-01@0-3 n=50=50@4-6 n=60=60@7-9");
}

void TestEntityCatalogue::wordsWithANormaliser()
{
    QCOMPARE(found(R"({"type":"d","words":{"xmas":"25 december","noel":"?"},"normaliser":"date"})",
                 "xmas or noel"),
        "d=xmas=1969-12-25@0-4");
}

void TestEntityCatalogue::composed_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("expected");
    const auto row = [](const char* text, const char* expected) {
        QTest::newRow(text) << QByteArray(text) << QByteArray(expected);
    };
    row("1.2.1970 at 5pm", "dt=1.2.1970 at 5pm=1970-02-01T17:00@0-15");
    row("1.2.1970 5pm 3.2.1970",
        "dt=1.2.1970 5pm=1970-02-01T17:00@0-12 d=3.2.1970=1970-02-03@13-21");
    row("1.2.1970, then 5pm", "d=1.2.1970=1970-02-01@0-8 t=5pm=17:00@15-18");
    row("from 1.2.1970 to 3.2.1970", "r=from 1.2.1970 to 3.2.1970=1970-02-01/1970-02-03@0-25");
    row("afrom 1.2.1970 to 3.2.1970", "r=1.2.1970 to 3.2.1970=1970-02-01/1970-02-03@6-26");
    row("between 2 and 4pm", "tr=between 2 and 4pm=14:00/16:00@0-17");
    row("2 and 4pm", "tr=2 and 4pm=14:00/16:00@0-9");
    row("2 with 4pm", "n=2=2@0-1 t=4pm=16:00@7-10");
    row("between 4pm and 6", "tr=between 4pm and 6=16:00/18:00@0-17");
    row("\xC3\xA4 between two and 4pm", "tr=between two and 4pm=14:00/16:00@2-21");
    row("monday to wednesday", "r=monday to wednesday=1970-01-05/1970-01-07@0-19");
    // 1 January 1970 is a Thursday.
    row("friday to thursday", "r=friday to thursday=1970-01-02/1970-01-08@0-18");
    row("between 2 and 4 and 4pm", "n=2=2@8-9 tr=4 and 4pm=16:00/16:00@14-23");
    row("5pm and 6pm now", "tr=5pm and 6pm now=17:00/18:00@0-15");
}

void TestEntityCatalogue::composed()
{
    QFETCH(QByteArray, text);
    QFETCH(QByteArray, expected);
    const char* const entries =
        R"x({"type":"d","normaliser":"date","patterns":["[0-9]+\\.[0-9]+\\.[0-9]{4}","\\b[a-z]+day\\b"]},)x"
        R"x({"type":"t","normaliser":"time","patterns":["[0-9]+pm"]},)x"
        R"x({"type":"n","normaliser":"number","patterns":["\\b[0-9]\\b","\\btwo\\b"]},)x"
        R"x({"type":"dt","normaliser":"datetime","composed":["{d}(?: at)? {t}"],"value":"{1}T{2}"},)x"
        R"x({"type":"r","composed":["(?:\\bfrom )?{d} to {d}"]},)x"
        R"x({"type":"tr","composed":["\\bbetween {n} and {t}","\\bbetween {t} and {n}","(?:now)?{t} and {t} now","{n} and {t}"]})x";
    QCOMPARE(found(entries, text.toStdString()), expected);
}

void TestEntityCatalogue::zoneOfTheCatalogue()
{
    const std::string entries =
        R"("entities":[{"type":"d","patterns":["today"],"normaliser":"date"}]})";
    const auto late = std::chrono::sys_seconds(std::chrono::hours(23));
    const auto at = [&](const std::string& zone) {
        const auto catalogue = EntityCatalogue::fromJson("{" + zone + entries, "list");
        return catalogue ? catalogue->extract("today", late)[0].value : catalogue.error().text();
    };
    QCOMPARE(at(""), std::string("1970-01-01"));
    QCOMPARE(at(R"("zone":"Europe/Vienna",)"), std::string("1970-01-02"));
    QVERIFY(at(R"("zone":"Nowhere",)").starts_with("list: zone: \"Nowhere\" is no time zone"));
    const auto catalogue = EntityCatalogue::fromJson("{" + entries, "list");
    const auto vienna = Zone::fromName("Europe/Vienna");
    QCOMPARE(catalogue->extract("today", late, *vienna)[0].value, std::string("1970-01-02"));
}

void TestEntityCatalogue::manyWords()
{
    std::string list;
    for (int i = 0; i < 100'000; ++i) {
        list += (i > 0 ? ",\"name " : "\"name ") + std::to_string(i) + '"';
    }
    const std::string entry = R"({"type":"n","words":[)" + list + "]}";
    QCOMPARE(
        found(entry.c_str(), "is Name  99999 or name 100000 it"), "n=Name  99999=name 99999@3-14");
    const std::string twice = entry + "," + entry + "," + entry;
    const auto catalogue = catalogueOf(twice);
    QVERIFY(!catalogue.ok());
    QVERIFY(catalogue.error().text().find("at most 200000 words") != std::string::npos);
}

void TestEntityCatalogue::manyPatterns()
{
    std::string entries;
    for (int i = 0; i < 1000; ++i) {
        entries += (i > 0 ? "," : "");
        entries += R"({"type":"t)" + std::to_string(i) + R"(","patterns":["\\bcode)"
            + std::to_string(i) + R"([a-z]*\\b"]})";
    }
    const auto catalogue = catalogueOf(entries);
    QVERIFY2(catalogue.ok(), catalogue ? "" : catalogue.error().text().c_str());
    QCOMPARE(found(*catalogue, "code7 or code999x or code1000"),
        "t7=code7=code7@0-5 t999=code999x=code999x@9-17");
}

void TestEntityCatalogue::nestedRepeatsTakeNoTime()
{
    const auto catalogue = catalogueOf(R"({"type":"a","patterns":["(?:a+)+$|(?:a|aa)+b"]})");
    QVERIFY(catalogue.ok());
    QVERIFY(catalogue->extract(std::string(16384, 'a') + "!", now).empty());
}

void TestEntityCatalogue::manyThreads()
{
    const auto catalogue = catalogueOf(
        R"({"type":"n","patterns":["[0-9]+"]},{"type":"w","words":{"red":"r","blue":"b"}})");
    QVERIFY(catalogue.ok());
    std::atomic<int> wrong = 0;
    std::vector<std::thread> threads;
    threads.reserve(4);
    for (int number = 0; number < 4; ++number) {
        threads.emplace_back([&] {
            for (int i = 0; i < 2000; ++i) {
                wrong += catalogue->extract("red 1 blue 22 " + std::to_string(i), now).size() == 5
                    ? 0
                    : 1;
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    QCOMPARE(wrong.load(), 0);
}

void TestEntityCatalogue::refused_data()
{
    QTest::addColumn<QByteArray>("entries");
    QTest::addColumn<QByteArray>("names");
    const auto row = [](const char* name, const QByteArray& entries, const char* names) {
        QTest::newRow(name) << entries << QByteArray(names);
    };
    row("not JSON", "{", "not valid JSON at line 1");
    row("no object", "3", "entities[0]: a JSON object is expected");
    row("no type", R"({"patterns":["a"]})", "entities[0]: type: is missing");
    row("empty type", R"({"type":"","patterns":["a"]})", "type: must not be empty");
    row("type null", R"({"type":null,"patterns":["a"]})", "type: a string is expected");
    row("nothing to find", R"({"type":"a"})", "patterns, words or composed are needed");
    row("unknown member", R"({"type":"a","pattern":["a"]})", "pattern");
    row("patterns no list", R"({"type":"a","patterns":"a"})", "patterns: an array of strings");
    row("words a string", R"({"type":"a","words":"a"})", "words: an object");
    row("word a number", R"({"type":"a","words":["a",1]})", "entities[0] (a): words");
    row("word of signs alone", R"({"type":"a","words":[""]})", "words: \"\" is refused");
    row("phrase too long", R"({"type":"a","words":["1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17"]})",
        "at most 16 words");
    row("word too long", R"({"type":"a","words":[")" + QByteArray(300, 'a') + R"("]})",
        "256 bytes");
    row("value beside words", R"({"type":"a","words":["a"],"value":"b"})", "value: goes with");
    row("value for both", R"({"type":"a","patterns":["a"],"composed":["{a}"],"value":"b"})",
        "value: goes with");
    row("reported", R"({"type":"a","patterns":["a"],"reported":"no"})", "true or false");
    row("word without value", R"({"type":"a","words":{"a":1}})", "entities[0] (a): words");
    row("empty word", R"({"type":"a","words":{" ":"b"}})", "entities[0] (a): words");
    row("normaliser", R"({"type":"a","patterns":["a"],"normaliser":"dates"})",
        "normaliser: one of none,");
    row("unclosed group", R"({"type":"order","patterns":["a(b"]})",
        "the pattern \"a(b\" is refused at character 2: missing ): a(b; close the parenthesis");
    row("unclosed group among others", R"x({"type":"a","patterns":["(a)[(]\\((b(c)"]})x",
        "at character 9: missing )");
    row("closed too often", R"x({"type":"a","patterns":["(a)\\)[)]b)c"]})x",
        "at character 10: unexpected )");
    row("unclosed class", R"x({"type":"a","patterns":["[a]\u00e4[b"]})x",
        "at character 5: missing ]: [b; close the bracket");
    row("backslash at the end", R"x({"type":"a","patterns":["ab\\"]})x",
        "write \\\\ for a backslash");
    row("unknown class", R"x({"type":"a","patterns":["a[[:foo:]]"]})x", "at character 3");
    row("bad name", R"x({"type":"a","patterns":["a(?P<n b)"]})x", "each name once");
    row("two repeats", R"x({"type":"a","patterns":["ab{2}{3}{4}c","a**"]})x", "repeat once");
    row("nothing to repeat", R"x({"type":"a","patterns":["a|*b"]})x", "put something to repeat");
    row("unknown script", R"x({"type":"a","patterns":["\\pX"]})x", "names of classes");
    row("too many groups", R"x({"type":"a","patterns":["(a)(b)(c)(d)(e)(f)(g)(h)(i)(j)"]})x",
        "10 groups of at most 9");
    row("too large a program",
        R"x({"type":"a","patterns":["[a-f]{1000}[a-f]{1000}[a-f]{1000}[a-f]{1000}[a-f]{1000}"]})x",
        "instructions of at most 4000");
    row("repeats nothing", R"({"type":"order","patterns":["ab**c"]})", "at character 3");
    row("look-ahead", R"x({"type":"a","patterns":["a(?=b)"]})x",
        "at character 2: invalid perl operator: (?=; RE2 knows no look-ahead");
    row("back reference", R"x({"type":"a","patterns":["(a)\\1"]})x", "invalid escape sequence");
    row("matches nothing", R"({"type":"a","patterns":["a*"]})", "matches the empty text");
    row("too long", R"({"type":"a","patterns":[")" + QByteArray(5000, 'a') + R"("]})",
        "5000 bytes");
    row("too much memory", R"({"type":"a","patterns":["((\\pL{100}){100}){100}"]})", "is refused");
    row("thousands of repeats", R"({"type":"a","patterns":["a{5000}"]})", "invalid repetition");
    row("composed of nothing", R"({"type":"a","composed":["at"]})", "has 0 parts");
    row("composed of five",
        R"({"type":"b","patterns":["b"]},)"
        R"({"type":"a","composed":["{b}{b}{b}{b}{b}"]})",
        "has 5 parts");
    row("composed of itself", R"({"type":"a","composed":["from {a} to {a}"]})",
        "names the type \"a\" at character 7, which no entry before it has");
    row("range of three", R"({"type":"b","patterns":["b"]},{"type":"a","composed":["{b}{b}{b}"]})",
        "a range has two parts");
    row("composed before", R"({"type":"b","patterns":["b"]},{"type":"a","composed":["( {b}{b}"]})",
        "before its first part is missing )");
    row("composed between", R"({"type":"b","patterns":["b"]},{"type":"a","composed":["{b}*{b}"]})",
        "after its part 1 is no argument");
    row("composed after",
        R"({"type":"b","patterns":["b"]},{"type":"a","composed":["{b}{b}.{600}"]})",
        "after its last part is too large");
    row("case in words", R"({"type":"a","patterns":["a"],"case_sensitive":"no"})", "true or false");
}

void TestEntityCatalogue::refused()
{
    QFETCH(QByteArray, entries);
    QFETCH(QByteArray, names);
    const auto catalogue = catalogueOf(entries.toStdString());
    QVERIFY(!catalogue.ok());
    QVERIFY(catalogue.error().kind == ErrorKind::Input);
    const std::string message = catalogue.error().text();
    QVERIFY2(message.starts_with("list: "), message.c_str());
    QVERIFY2(message.find(names.toStdString()) != std::string::npos, message.c_str());
}

void TestEntityCatalogue::refusedAmongOthers()
{
    const auto catalogue =
        catalogueOf(R"({"type":"good","patterns":["a"]},{"type":"bad","patterns":["b","[z-a]"]})");
    QVERIFY(!catalogue.ok());
    const std::string message = catalogue.error().text();
    QVERIFY2(message.find("entities[1] (bad)") != std::string::npos, message.c_str());
    QVERIFY2(message.find("at character 2: invalid character class range") != std::string::npos,
        message.c_str());
    const auto list = EntityCatalogue::fromJson("[]", "list");
    QVERIFY(!list.ok());
    const auto none = EntityCatalogue::fromJson("{}", "list");
    QVERIFY(!none.ok());
}

void TestEntityCatalogue::unreadableFile()
{
    const QTemporaryDir folder;
    const auto path = folder.filePath(QStringLiteral("none.json")).toStdString();
    const auto catalogue = EntityCatalogue::fromFile(path);
    QVERIFY(!catalogue.ok());
    QVERIFY(catalogue.error().text().find("none.json") != std::string::npos);
    QVERIFY(!EntityCatalogue::fromFile(folder.path().toStdString()).ok());
}

QTEST_GUILESS_MAIN(TestEntityCatalogue)
#include "tst_entitycatalogue.moc"

#include "engine/classification/entities/patternindex.h"
#include "engine/classification/evaluation/labelleddata.h"
#include "tests/support/testcase.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <random>

using namespace sluice;

class TestPatternIndex : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void scannerFindsWhatASearchFinds();
    void scannerKeepsToItsTable();
    void filterMissesNothing_data();
    void filterMissesNothing();
    void setGivesUp();
    void filterHoldsBack();
    void candidatesStayFew();
    void largePatterns();
    void foldingSigns();
    void longTexts();
    void fullTexts();
    void bordersInLongTexts();
    void hostilePatterns_data();
    void hostilePatterns();
    void manyHostilePatterns();
    void tooMany();
};

namespace {

std::vector<std::string> found(const PatternIndex& index, const std::string& text)
{
    std::vector<PatternIndex::Hit> hits;
    index.find(text, hits);
    std::vector<std::string> out;
    for (const PatternIndex::Hit& hit : hits) {
        out.push_back(text.substr(hit.begin, hit.end - hit.begin));
    }
    return out;
}

PatternIndex indexOf(const std::vector<std::string>& patterns)
{
    PatternIndex index;
    for (std::uint32_t id = 0; id < patterns.size(); ++id) {
        const auto added = index.add(patterns[id], false, id, "test");
        if (!added) {
            qWarning("%s", added.error().text().c_str());
        }
    }
    index.finish();
    return index;
}

} // namespace

void TestPatternIndex::scannerFindsWhatASearchFinds()
{
    std::mt19937 random(5);
    const auto letters = [&](std::size_t count) {
        std::string out;
        while (out.size() < count) {
            out += "abcd"[random() % 4];
        }
        return out;
    };
    std::vector<std::string> literals;
    for (int i = 0; i < 120; ++i) {
        literals.push_back(letters(1 + random() % 6));
    }
    literals.push_back("abcdabcdabcdabcd"); // as long as is looked at
    literals.push_back("\xE2\x82\xAC");
    const LiteralScanner scanner(literals);
    LiteralScanner::Found seen;
    for (int round = 0; round < 500; ++round) {
        std::string text = letters(random() % 30);
        std::string shouted = text;
        for (char& c : shouted) {
            c = char(random() % 2 == 0 ? c - 'a' + 'A' : c);
        }
        shouted += round % 3 == 0 ? "\xE2\x82\xAC" : "x";
        text += round % 3 == 0 ? "\xE2\x82\xAC" : "x";
        scanner.scan(shouted, seen);
        std::size_t expected = 0;
        for (std::uint32_t index = 0; index < literals.size(); ++index) {
            const bool there = text.find(literals[index]) != std::string::npos;
            QCOMPARE(seen.contains(index), there);
            expected += there ? 1 : 0;
        }
        QCOMPARE(seen.literals().size(), expected);
    }
}

// Literals that would fill more than the table may hold are looked for by their beginnings.
void TestPatternIndex::scannerKeepsToItsTable()
{
    std::mt19937 random(5);
    std::vector<std::string> literals;
    for (int i = 0; i < 40'000; ++i) {
        std::string one;
        for (int length = 0; length < 16; ++length) {
            one += char('a' + random() % 26);
        }
        literals.push_back(one);
    }
    literals.push_back("zzzzzzzzzzzzzzzz");
    const LiteralScanner scanner(literals);
    LiteralScanner::Found seen;
    for (std::uint32_t index = 0; index < literals.size(); index += 997) {
        scanner.scan("so " + literals[index] + " it is", seen);
        QVERIFY(seen.contains(index));
    }
    scanner.scan("", seen);
    QVERIFY(seen.literals().empty());
    LiteralScanner().scan("text", seen);
    QVERIFY(seen.literals().empty());
}

void TestPatternIndex::filterMissesNothing_data()
{
    QTest::addColumn<QStringList>("patterns");
    QStringList shipped;
    QFile file(QStringLiteral(SLUICE_SOURCE_DIR "/resources/helpdesk/entities.json"));
    QVERIFY(file.open(QIODevice::ReadOnly));
    const QJsonObject catalogue = QJsonDocument::fromJson(file.readAll()).object();
    const QJsonArray entries = catalogue[QLatin1StringView("entities")].toArray();
    for (const auto& entry : entries) {
        const QJsonArray patterns = entry[QLatin1StringView("patterns")].toArray();
        for (const auto& pattern : patterns) {
            shipped << pattern.toString();
        }
    }
    QVERIFY(shipped.size() > 50);
    QTest::newRow("shipped") << shipped;
    QTest::newRow("of all sorts") << QStringList{QStringLiteral("."), QStringLiteral("[^a]"),
        QStringLiteral("\\d"), QStringLiteral("(?i)KASSE"), QStringLiteral("(?-i)Visa"),
        QStringLiteral("\\bkess"), QStringLiteral("straße|öl"), QStringLiteral("ÄÖ"),
        QStringLiteral("für"), QStringLiteral("a.*b.*c"), QStringLiteral("(?:ab|cd)+e?"),
        QStringLiteral("x{3}"), QStringLiteral("\\p{Lu}\\p{Ll}"), QStringLiteral("€ ?[0-9]"),
        QStringLiteral("\\?"), QStringLiteral("(?s)e.o"), QStringLiteral("^how"),
        QStringLiteral("please$"), QStringLiteral("[ek][sr]"),
        QStringLiteral("(?:order|parcel|refund|\\bcard) \\w+"), QStringLiteral("\\B't\\b"),
        QStringLiteral("ﬁ"), QStringLiteral("[^\\x00-\\x7F]"),
        QStringLiteral("n.t (?:work|come|arrive)"), QStringLiteral("\\bno\\b|\\bnot\\b")};
}

// A pattern that occurs in a text is found in it, whatever the filter thinks.
void TestPatternIndex::filterMissesNothing()
{
    QFETCH(QStringList, patterns);
    std::vector<std::string> texts{"\xC3\x84\xC3\x96 \xC3\xA4\xC3\xB6 F\xC3\x9CR STRA\xC3\x9F"
                                   "E \xC3\x96L",
        "\xE2\x84\xAA"
        "asse ka\xC5\xBF\xC5\xBF"
        "e \xE2\x84\xAA"
        "E\xC5\xBFS vi\xC5\xBF"
        "a",
        "ABCDE xXx a\nb\nc", "\xE2\x82\xAC 5?", "", "\xEF\xAC\x81"};
    for (const char* name : {"queries.jsonl", "marked.jsonl"}) {
        const auto data =
            readLabelledData(SLUICE_SOURCE_DIR "/resources/helpdesk/" + std::string(name));
        QVERIFY(data.ok());
        for (const LabelledQuery& query : data->queries) {
            texts.push_back(query.text);
        }
    }
    int total = 0;
    int fromSet = 0;
    for (const bool caseSensitive : {false, true}) {
        RE2::Options options;
        options.set_case_sensitive(caseSensitive);
        PatternFilter filter;
        PatternSet set;
        std::vector<std::unique_ptr<RE2>> expressions;
        for (const QString& pattern : std::as_const(patterns)) {
            const std::string text = pattern.toStdString();
            expressions.push_back(std::make_unique<RE2>(text, options));
            QVERIFY2(expressions.back()->ok(), text.c_str());
            filter.add(text, options);
            QVERIFY(set.add(text, caseSensitive));
        }
        filter.finish();
        QVERIFY(set.finish());
        std::vector<std::uint32_t> candidates;
        std::vector<std::uint32_t> matching;
        for (const std::string& text : texts) {
            filter.candidates(text, candidates);
            QVERIFY(std::is_sorted(candidates.begin(), candidates.end()));
            const bool said = set.matching(text, matching);
            std::vector<std::uint32_t> expected;
            for (std::uint32_t index = 0; index < expressions.size(); ++index) {
                if (RE2::PartialMatch(text, *expressions[index])) {
                    ++total;
                    expected.push_back(index);
                    QVERIFY2(std::binary_search(candidates.begin(), candidates.end(), index),
                        (expressions[index]->pattern() + " in " + text).c_str());
                }
            }
            if (said) {
                ++fromSet;
                QVERIFY2(matching == expected, text.c_str());
            }
        }
    }
    QVERIFY(total > 1000);
    QVERIFY(fromSet > 1000);
}

// An automaton that grows by a state a byte is given up, after which texts cost what they do
// without it; one that does not is kept.
void TestPatternIndex::setGivesUp()
{
    std::mt19937 random(3);
    const auto text = [&] {
        std::string out;
        while (out.size() < PatternSet::maxTextBytes) {
            out += "ab"[random() % 2];
        }
        return out;
    };
    PatternSet hostile;
    QVERIFY(hostile.add("[ab]*a[ab]{400}c", true));
    QVERIFY(hostile.finish());
    PatternSet tame;
    QVERIFY(tame.add("a[ab]c", false));
    QVERIFY(tame.finish());
    std::vector<std::uint32_t> matching;
    int calls = 0;
    while (calls < 100'000 && hostile.matching(text(), matching)) {
        ++calls;
    }
    QVERIFY(calls < 100'000);
    QVERIFY(!hostile.matching("a", matching));
    for (int call = 0; call < 2000; ++call) {
        QVERIFY(tame.matching(text(), matching));
    }
    QVERIFY(!tame.matching(text() + "c", matching)); // too long for it
    QVERIFY(tame.matching("xABCx", matching));
    QVERIFY((matching == std::vector<std::uint32_t>{0}));
}

void TestPatternIndex::filterHoldsBack()
{
    PatternFilter filter;
    const RE2::Options options;
    std::string large;
    for (int word = 0; word < 400; ++word) {
        large += (word > 0 ? "|word" : "word") + std::to_string(word * 7919) + "x";
    }
    for (const std::string& pattern : {std::string("[0-9]{3}-x"), std::string("(?:jan|feb) [0-9]"),
             std::string("a|b"), std::string("(?:\\pL+)@"), large}) {
        filter.add(pattern, options);
    }
    filter.finish();
    const auto candidates = [&](const char* text) {
        std::vector<std::uint32_t> out;
        filter.candidates(text, out);
        QByteArrayList numbers;
        for (const std::uint32_t number : out) {
            numbers << QByteArray::number(number);
        }
        return numbers.join(' ');
    };
    QCOMPARE(candidates("no figure in cold months"), "2"); // letters alone hold nothing back
    QCOMPARE(candidates("JAN 1"), "1 2");
    QCOMPARE(candidates("JAN"), "2");
    QCOMPARE(candidates("xx@xx"), "2 3");
    QCOMPARE(candidates("1"), "2");
    QCOMPARE(candidates("1-x"), "0 2");
    QCOMPARE(candidates("word79190x for me"), "2 4");
}

// However many patterns there are, a text has few that may occur.
void TestPatternIndex::candidatesStayFew()
{
    PatternFilter filter;
    const auto name = [](int number) { return "item" + std::to_string(100'000 + number * 7919); };
    for (int number = 0; number < 5000; ++number) {
        filter.add("\\b" + name(number) + "[- ]?[0-9]{2,6}\\b", RE2::Options());
    }
    filter.finish();
    std::vector<std::uint32_t> candidates;
    filter.candidates("where is my parcel, item 100 000 of 12 March", candidates);
    QVERIFY(candidates.empty());
    filter.candidates("where is " + name(77) + "-12 or " + name(4000) + "?", candidates);
    QVERIFY((candidates == std::vector<std::uint32_t>{77, 4000}));
}

// Patterns of so many words that they are not analysed one by one are found all the same.
void TestPatternIndex::largePatterns()
{
    PatternFilter filter(10'000);
    std::mt19937 random(9);
    std::vector<std::string> words;
    for (int pattern = 0; pattern < 5; ++pattern) {
        std::string large;
        for (int count = 0; count < 70; ++count) {
            std::string word;
            while (word.size() < 4) {
                word += char('a' + random() % 26);
            }
            large += (count > 0 ? "|" : "") + word;
            words.push_back(word);
        }
        filter.add(large, RE2::Options());
    }
    filter.finish();
    std::vector<std::uint32_t> candidates;
    for (std::size_t at = 0; at < words.size(); at += 7) {
        filter.candidates("a 9 " + words[at] + " 9", candidates);
        const auto pattern = std::uint32_t(at / 70);
        QVERIFY(std::binary_search(candidates.begin(), candidates.end(), pattern));
    }
}

// RE2 takes the Kelvin sign for a k and the long s for an s.
void TestPatternIndex::foldingSigns()
{
    const PatternIndex index = indexOf({"\\pL*kiss"});
    QCOMPARE(found(index, "a \xE2\x84\xAAi\xC5\xBFs"),
        std::vector<std::string>{"\xE2\x84\xAAi\xC5\xBFs"});
}

// What lies across the borders of the pieces in which a long text is searched is found.
void TestPatternIndex::longTexts()
{
    const PatternIndex index = indexOf({"\\b[a-z]+@[a-z]+\\.example\\b", "\xC3\xA4{40,}"});
    for (std::size_t before = 980; before < 1060; ++before) {
        const std::string text = std::string(before, '.') + " ann@mail.example "
            + std::string(3000, '-') + " b@c.example";
        QCOMPARE(found(index, text), (std::vector<std::string>{"ann@mail.example", "b@c.example"}));
    }
    std::string umlauts;
    for (int i = 0; i < 450; ++i) {
        umlauts += "\xC3\xA4";
    }
    for (std::size_t before = 1; before < 1100; before += 97) {
        QCOMPARE(found(index, std::string(before, '.') + umlauts + std::string(2000, '.')),
            std::vector<std::string>{umlauts});
    }
}

// A long text full of what a pattern finds is gone through to its end.
void TestPatternIndex::fullTexts()
{
    const PatternIndex index = indexOf(
        {"\\b[0-9]{1,2} (?:january|february|march|april|may|june|july|august)(?: [0-9]{4})?\\b"});
    std::string text;
    for (int count = 0; count < 200; ++count) {
        text += count % 2 == 0 ? "on 12 march 2026, " : "on 1 april, or so, ";
    }
    const auto dates = found(index, text);
    QCOMPARE(dates.size(), 200U);
    for (std::size_t at = 0; at < dates.size(); ++at) {
        QCOMPARE(dates[at], std::string(at % 2 == 0 ? "12 march 2026" : "1 april"));
    }
}

void TestPatternIndex::bordersInLongTexts()
{
    const PatternIndex index = indexOf({"\\bx\\b", "y$", "^z"});
    // None of these stands at a border or an end of the text, though some stand at one of a piece.
    for (std::size_t at = 700; at < 1100; ++at) {
        std::string text(4000, 'a');
        text.replace(at, 3, "xyz");
        QVERIFY(found(index, text).empty());
    }
    std::string text(4000, ' ');
    text.replace(1023, 1, "x");
    text.replace(3999, 1, "y");
    text.replace(0, 1, "z");
    QCOMPARE(found(index, text), (std::vector<std::string>{"x", "y", "z"}));
}

void TestPatternIndex::hostilePatterns_data()
{
    QTest::addColumn<QByteArray>("pattern");
    for (const char* pattern : {"(?:a+)+$", "(?:a|b)*a(?:a|b){500}c?x", "a.*z|a", "(.{100}){4}x",
             "(?:a?){200}a{200}", "[ab]*(?:a[ab]{300}c|b[ab]{300}d)", "(?:(?:a*)*)*b",
             "(?:a|aa|aaa|aaaa)+c", "(\\pL+ )*x", "a", "(?:.*.*.*.*.*)x"}) {
        QTest::newRow(pattern) << QByteArray(pattern);
    }
}

// Each ends, on the longest texts there are, a dozen times within the test's time; a pattern that
// went through the text for each of its places would not.
void TestPatternIndex::hostilePatterns()
{
    QFETCH(QByteArray, pattern);
    const PatternIndex index = indexOf({pattern.toStdString()});
    QCOMPARE(index.size(), 1U);
    std::mt19937 random(3);
    std::string letters = "x c d z ";
    while (letters.size() < 4096) {
        letters += "ab"[random() % 2];
    }
    std::string wide = "xcdz";
    while (wide.size() < 16'380) {
        wide += "\xF0\x9F\x98\x80";
    }
    for (const std::string& text : {letters, std::string(16'384, 'a') + "x", wide}) {
        for (int round = 0; round < 4; ++round) {
            QVERIFY(found(index, text).size() <= std::size_t(PatternIndex::maxMatches));
        }
    }
}

void TestPatternIndex::manyHostilePatterns()
{
    std::vector<std::string> patterns;
    for (int i = 0; i < 60; ++i) {
        patterns.push_back("[ab]*a[ab]{" + std::to_string(400 + i) + "}x?c");
    }
    const PatternIndex index = indexOf(patterns);
    std::string text = "c";
    std::mt19937 random(3);
    while (text.size() < 16'384) {
        text += "ab"[random() % 2];
    }
    QVERIFY(found(index, text).empty());
}

void TestPatternIndex::tooMany()
{
    PatternIndex index;
    const std::string text(3500, 'a');
    Result<void> added;
    for (int i = 0; i < 1300 && added; ++i) {
        added = index.add(text, false, 0, "here");
    }
    QVERIFY(!added.ok());
    QVERIFY(added.error().text().starts_with("here: at most 10000 patterns of 4 MiB together"));
    QVERIFY(index.size() > 1000);
}

QTEST_GUILESS_MAIN(TestPatternIndex)
#include "tst_patternindex.moc"

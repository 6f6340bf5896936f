#include "engine/classification/entities/wordindex.h"
#include "tests/support/testcase.h"

#include <fmt/format.h>
#include <random>

using namespace sluice;

class TestWordIndex : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void emptyOnes();
    void findsLongAndShort();
    void samePhraseTwice();
    void foldsOrNot_data();
    void foldsOrNot();
    void tooLong();
    void findsWhatASearchFinds();
};

namespace {

QByteArray found(const WordIndex& index, const std::string& text)
{
    std::vector<WordIndex::Hit> hits;
    index.find(text, hits);
    QByteArrayList out;
    for (const WordIndex::Hit& hit : hits) {
        out << QByteArray::number(hit.id) + '@' + QByteArray::number(qulonglong(hit.begin)) + '-'
                + QByteArray::number(qulonglong(hit.end));
    }
    return out.join(' ');
}

} // namespace

void TestWordIndex::emptyOnes()
{
    WordIndex index(true);
    QVERIFY(index.empty());
    QCOMPARE(found(index, "a text"), "");
    QVERIFY(!index.add("", 0));
    QVERIFY(!index.add(" \t", 0));
    QVERIFY(index.empty());
    QVERIFY(index.add("a", 0));
    QVERIFY(!index.empty());
    QCOMPARE(found(index, ""), "");
    QCOMPARE(found(index, "   "), "");
}

void TestWordIndex::findsLongAndShort()
{
    WordIndex index(true);
    index.add("new", 1);
    index.add("new york", 2);
    index.add("new york city hall", 3);
    index.add("york", 4);
    index.add("c++", 5);
    index.add("#1", 6);
    index.add("mail", 7);
    index.add("e-mail", 8);
    QCOMPARE(found(index, "New  York city"), "1@0-3 2@0-9 4@5-9");
    QCOMPARE(found(index, "new york city hall"), "1@0-3 2@0-8 3@0-18 4@4-8");
    QCOMPARE(found(index, "c++, c++x, xc++, c+ +"), "5@0-3");
    QCOMPARE(found(index, "#1 a#1 ##1"), "6@0-2 6@8-10");
    QCOMPARE(found(index, "E-Mail e -mail"), "8@0-6 7@2-6 7@10-14");
}

void TestWordIndex::samePhraseTwice()
{
    WordIndex index(true);
    index.add("orange", 1);
    index.add("Orange", 2);
    QCOMPARE(found(index, "ORANGE"), "2@0-6 1@0-6");
}

void TestWordIndex::foldsOrNot_data()
{
    QTest::addColumn<bool>("folding");
    QTest::addColumn<QByteArray>("phrase");
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("expected");
    const auto row = [](const char* name, bool folding, const char* phrase, const char* text,
                         const char* expected) {
        QTest::newRow(name) << folding << QByteArray(phrase) << QByteArray(text)
                            << QByteArray(expected);
    };
    row("ASCII", true, "us", "US us Us", "1@0-2 1@3-5 1@6-8");
    row("ASCII, exact", false, "US", "US us Us", "1@0-2");
    row("umlaut", true, "z\xC3\xBCrich", "Z\xC3\x9CRICH", "1@0-7");
    row("umlaut, exact", false, "Z\xC3\xBCrich", "Z\xC3\x9CRICH Z\xC3\xBCrich", "1@8-15");
    row("decomposed", true, "z\xC3\xBCrich", "zu\xCC\x88rich", "1@0-8");
    row("sharp s", true,
        "stra\xC3\x9F"
        "e",
        "STRASSE", "1@0-7");
    row("full width", true, "abc", "\xEF\xBD\x81\xEF\xBD\x82\xEF\xBD\x83", "1@0-9");
    row("no-break space", true, "new york", "new\xC2\xA0york", "1@0-9");
    row("emoji is a sign", true, "red", "\xF0\x9F\x98\x80red", "1@4-7");
    row("signs that differ by the case bit", true, "a[b", "a{b", "");
    row("underscore is a word's", true, "a", "a_", "");
    row("broken UTF-8", true, "a", "\xC3 a \xFF", "1@2-3");
}

void TestWordIndex::foldsOrNot()
{
    QFETCH(bool, folding);
    QFETCH(QByteArray, phrase);
    QFETCH(QByteArray, text);
    QFETCH(QByteArray, expected);
    WordIndex index(folding);
    QVERIFY(index.add(phrase.toStdString(), 1));
    QCOMPARE(found(index, text.toStdString()), expected);
}

void TestWordIndex::tooLong()
{
    WordIndex index(true);
    QVERIFY(index.add("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16", 1));
    QVERIFY(!index.add("1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17", 2));
    QCOMPARE(found(index, "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17"), "1@2-40");
}

// Against a search without an index, on words that share beginnings.
void TestWordIndex::findsWhatASearchFinds()
{
    std::mt19937 random(11);
    const auto phrase = [&](unsigned most) {
        std::string out;
        for (unsigned word = 0, words = 1 + unsigned(random()) % most; word < words; ++word) {
            if (word > 0) {
                out.push_back(' ');
            }
            out.append(1 + random() % 2, "abc"[random() % 3]);
        }
        return out;
    };
    std::vector<std::string> phrases;
    WordIndex index(true);
    for (std::uint32_t id = 0; id < 200; ++id) {
        phrases.push_back(phrase(4));
        index.add(phrases.back(), id);
    }
    int total = 0;
    for (int round = 0; round < 500; ++round) {
        const std::string text = phrase(12);
        std::vector<WordIndex::Hit> hits;
        index.find(text, hits);
        std::size_t expected = 0;
        const std::string padded = fmt::format(" {} ", text);
        for (const std::string& one : phrases) {
            const std::string wanted = fmt::format(" {} ", one);
            for (auto at = padded.find(wanted); at != std::string::npos;
                 at = padded.find(wanted, at + 1)) {
                ++expected;
            }
        }
        QCOMPARE(hits.size(), expected);
        for (const WordIndex::Hit& hit : hits) {
            QCOMPARE(text.substr(hit.begin, hit.end - hit.begin), phrases[hit.id]);
        }
        total += int(expected);
    }
    QVERIFY(total > 1000);
}

QTEST_GUILESS_MAIN(TestWordIndex)
#include "tst_wordindex.moc"

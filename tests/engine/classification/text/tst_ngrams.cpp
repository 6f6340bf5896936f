#include "engine/classification/text/ngrams.h"
#include "tests/support/testcase.h"

#include <algorithm>
#include <set>

using namespace sluice;

class TestNgrams : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void tokens_data();
    void tokens();
    void namesAreWhatIsHashed();
    void charactersAreCodePoints();
    void everyNgramHasAHashOfItsOwn();
    void nothingFromNothing();
};

namespace {

QStringList tokensOf(std::string_view text)
{
    QStringList list;
    for (const std::string_view token : tokenise(text)) {
        list << QString::fromUtf8(token.data(), qsizetype(token.size()));
    }
    return list;
}

QStringList namesOf(std::string_view text, bool word)
{
    QStringList list;
    for (const NamedNgram& named : namedNgrams(tokenise(text))) {
        if ((named.ngram.group != NgramGroup::Character) == word) {
            list << QString::fromStdString(named.text);
        }
    }
    return list;
}

} // namespace

void TestNgrams::tokens_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("expected");
    QTest::newRow("words") << QByteArray("where is it") << QByteArray("where|is|it");
    QTest::newRow("signs") << QByteArray("why?! 5% of $9") << QByteArray("why|?|!|5|%|of|$|9");
    QTest::newRow("others part") << QByteArray("a-b_c.d,e'f") << QByteArray("a|b|c|d|e|f");
    QTest::newRow("letters of all scripts")
        << QByteArray("größe Ж 東京") << QByteArray("größe|Ж|東京");
    QTest::newRow("only signs") << QByteArray("...") << QByteArray();
}

void TestNgrams::tokens()
{
    QFETCH(QByteArray, text);
    QFETCH(QByteArray, expected);
    QCOMPARE(tokensOf(text.toStdString()).join(u'|').toUtf8(), expected);
}

void TestNgrams::namesAreWhatIsHashed()
{
    const auto tokens = tokenise("where is it?");
    std::vector<Ngram> plain;
    extractNgrams(tokens, plain);
    const std::vector<NamedNgram> named = namedNgrams(tokens);
    const auto less = [](const Ngram& a, const Ngram& b) {
        return std::pair(a.hash, a.group) < std::pair(b.hash, b.group);
    };
    std::vector<Ngram> same;
    for (const NamedNgram& one : named) {
        same.push_back(one.ngram);
    }
    std::sort(plain.begin(), plain.end(), less);
    std::sort(same.begin(), same.end(), less);
    QCOMPARE(plain.size(), same.size());
    for (std::size_t index = 0; index < plain.size(); ++index) {
        QCOMPARE(plain[index].hash, same[index].hash);
        QCOMPARE(plain[index].group, same[index].group);
    }
    QCOMPARE(namesOf("where is it?", true).join(u'|').toUtf8(),
        (QByteArray("where|where is|is|is it|it|it ?|?")));
}

void TestNgrams::charactersAreCodePoints()
{
    const QStringList names = namesOf("größe", false);
    QVERIFY2(names.contains(QStringLiteral("~grö")), qPrintable(names.join(u' ')));
    QVERIFY(std::none_of(names.begin(), names.end(),
        [](const QString& name) { return name.contains(QChar::ReplacementCharacter); }));
}

void TestNgrams::everyNgramHasAHashOfItsOwn()
{
    std::set<std::uint64_t> hashes;
    std::set<std::pair<std::string, NgramGroup>> texts;
    for (const char* text : {"where is my parcel now", "cancel the order a 2231", "größe ändern",
             "ab", "a b", "abc", "the the the"}) {
        for (const NamedNgram& named : namedNgrams(tokenise(text))) {
            hashes.insert(named.ngram.hash);
            texts.emplace(named.text, named.ngram.group);
        }
    }
    QCOMPARE(hashes.size(), texts.size());
    QVERIFY(hashes.contains(wordHash("parcel")));
}

void TestNgrams::nothingFromNothing()
{
    std::vector<Ngram> out{{1, NgramGroup::Word}};
    extractNgrams({}, out);
    QVERIFY(out.empty());
    QVERIFY(namedNgrams({}).empty());
}

QTEST_GUILESS_MAIN(TestNgrams)
#include "tst_ngrams.moc"

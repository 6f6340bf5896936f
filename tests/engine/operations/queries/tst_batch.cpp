#include "engine/base/file.h"
#include "engine/classification/evaluation/importers.h"
#include "engine/operations/queries/batch.h"
#include "tests/support/testcase.h"

#include <QTemporaryDir>

using namespace sluice;
using namespace sluice::ops;

class TestBatch : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void readsEveryForm_data();
    void readsEveryForm();
    void labelledFilesKeepTheirErrors();
    void filesComeOut();

private:
    QTemporaryDir m_folder;
};

void TestBatch::readsEveryForm_data()
{
    QTest::addColumn<QByteArray>("content");
    QTest::addColumn<int>("rows");
    QTest::addColumn<bool>("labelled");
    QTest::newRow("our JSON Lines") << QByteArray(R"({"text":"a","intent":"x"}
{"text":"b","intent":"oos"})") << 2 << true;
    QTest::newRow("without labels") << QByteArray(R"({"text":"a"}
{"text":"b","more":1})") << 2 << false;
    QTest::newRow("CSV") << QByteArray("text,intent\na,x\n\"b, c\",y\n") << 2 << true;
    QTest::newRow("CSV, texts") << QByteArray("text\na\n\"b, \"\"c\"\"\"\n") << 2 << false;
    QTest::newRow("lines") << QByteArray("where is it\r\n\nand this?\n") << 2 << false;
    QTest::newRow("CLINC") << QByteArray(
        R"({"train":[["a","x"],["b","y"]],"oos_test":[["c","oos"]]})")
                           << 3 << true;
    QTest::newRow("conversation") << QByteArray(
        R"({"dialogue":"d","turns":[{"text":"a","intent":"x"},{"text":"b","intent":"y"}]})")
                                  << 2 << true;
}

void TestBatch::readsEveryForm()
{
    QFETCH(QByteArray, content);
    QFETCH(int, rows);
    QFETCH(bool, labelled);
    const std::string path = m_folder.filePath(QStringLiteral("file")).toStdString();
    QVERIFY(writeFileAtomically(path, content.toStdString()).ok());
    const auto input = readBatch(path);
    QVERIFY2(input.ok(), input.ok() ? "" : input.error().text().c_str());
    QCOMPARE(int(input->queries.size()), rows);
    QCOMPARE(input->isLabelled, labelled);
}

void TestBatch::labelledFilesKeepTheirErrors()
{
    const std::string path = m_folder.filePath(QStringLiteral("wrong")).toStdString();
    QVERIFY(writeFileAtomically(path, "text,intent\na\n").ok());
    const auto input = readBatch(path);
    QVERIFY(!input.ok());
    QVERIFY2(
        input.error().text().find("line 2") != std::string::npos, input.error().text().c_str());
    QVERIFY(writeFileAtomically(path, "\n \n").ok());
    QVERIFY(!readBatch(path).ok());
    QVERIFY(!readBatch(path + ".missing").ok());
}

void TestBatch::filesComeOut()
{
    BatchRow one;
    one.text = "say \"hi\", now";
    one.expected = "greeting";
    one.intent = "greeting";
    one.verdict = Verdict::Accept;
    one.confidence = 0.75F;
    BatchRow two;
    two.text = "b";
    two.error = "too long";
    const std::vector<BatchRow> rows{one, two};
    const std::vector<int> order{1, 0};
    std::vector<int> lines;
    const auto csv = parseCsv(batchCsv(rows, order), "out", lines);
    QVERIFY2(csv.ok(), csv.ok() ? "" : csv.error().text().c_str());
    QCOMPARE(csv->size(), std::size_t(3));
    QCOMPARE((*csv)[1].back(), std::string("too long"));
    QCOMPARE((*csv)[2][1], one.text);
    QCOMPARE((*csv)[2][5], std::string("0.75"));
    const auto jsonl = batchJsonl(rows, order);
    QVERIFY(jsonl.find("\"error\":\"too long\"") < jsonl.find("\"verdict\":\"accept\""));
    QVERIFY(one.isRight());
    QVERIFY(!two.isRight());
}

QTEST_GUILESS_MAIN(TestBatch)
#include "tst_batch.moc"

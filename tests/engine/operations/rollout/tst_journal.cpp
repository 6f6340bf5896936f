#include "engine/operations/rollout/journal.h"
#include "tests/support/testcase.h"

#include <QFile>
#include <QTemporaryDir>
#include <csignal>
#include <sys/resource.h>

using namespace sluice;
using namespace sluice::ops;

class TestJournal : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void comesBack();
    void tornAnywhereIsCutOff();
    void damageIsNoTear();
    void newerSchemaIsRefused();
    void olderLinesAreRead();
    void oneHolder();
    void fullDiskLeavesNoHalfLine();
    void bufferedIsMarked();
    void folderMissing();

private:
    QByteArray content()
    {
        QFile file(m_path);
        return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
    }
    void put(const QByteArray& bytes)
    {
        QFile file(m_path);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(bytes);
    }
    static QJsonObject body(int number) { return {{QStringLiteral("n"), number}}; }

    std::unique_ptr<QTemporaryDir> m_folder;
    QString m_path;
};

void TestJournal::init()
{
    failOnWarnings();
    m_folder = std::make_unique<QTemporaryDir>();
    m_path = m_folder->filePath(QStringLiteral("j"));
}

void TestJournal::comesBack()
{
    {
        const auto journal = FileJournal::open(m_path);
        QVERIFY(journal.ok());
        QVERIFY((*journal)->entries().isEmpty());
        for (int number = 0; number < 5; ++number) {
            QVERIFY((*journal)->append(QStringLiteral("INTENT"), body(number)).ok());
        }
    }
    const auto journal = FileJournal::open(m_path);
    QVERIFY(journal.ok());
    QCOMPARE((*journal)->entries().size(), 5);
    QCOMPARE((*journal)->entries()[4].number, 5);
    QCOMPARE((*journal)->entries()[4].mark, QStringLiteral("INTENT"));
    QCOMPARE((*journal)->entries()[4].body, body(4));
    QVERIFY((*journal)->repaired().isEmpty());
    QCOMPARE(FileJournal::read(m_path)->size(), 5); // while it is held
}

void TestJournal::tornAnywhereIsCutOff()
{
    {
        const auto journal = FileJournal::open(m_path);
        QVERIFY((*journal)->append({}, body(1)).ok());
        QVERIFY((*journal)->append({}, body(2)).ok());
    }
    const QByteArray whole = content();
    const qsizetype first = whole.indexOf('\n') + 1;
    for (qsizetype length = first + 1; length < whole.size(); ++length) {
        put(whole.left(length));
        const auto journal = FileJournal::open(m_path);
        QVERIFY(journal.ok());
        QCOMPARE((*journal)->entries().size(), 1);
        QVERIFY(!(*journal)->repaired().isEmpty());
        QCOMPARE(content(), whole.left(first));
        QVERIFY((*journal)->append({}, body(2)).ok()); // and it goes on
        QCOMPARE(content(), whole);
    }
}

void TestJournal::damageIsNoTear()
{
    {
        const auto journal = FileJournal::open(m_path);
        for (int number = 0; number < 3; ++number) {
            QVERIFY((*journal)->append({}, body(number)).ok());
        }
    }
    const QByteArray whole = content();
    QByteArray flipped = whole;
    flipped[20] = char(flipped[20] ^ 1);
    put(flipped);
    const auto damaged = FileJournal::open(m_path);
    QVERIFY(!damaged.ok());
    QVERIFY(damaged.error().message.find("line 1: the checksum does not fit") != std::string::npos);
    const qsizetype first = whole.indexOf('\n') + 1;
    const qsizetype second = whole.indexOf('\n', first) + 1;
    put(whole.left(first) + whole.mid(second));
    const auto gap = FileJournal::open(m_path);
    QVERIFY(!gap.ok());
    QVERIFY(gap.error().message.find("lines are missing") != std::string::npos);
}

void TestJournal::newerSchemaIsRefused()
{
    JournalEntry entry;
    entry.number = 1;
    QByteArray json = entry.toLine().mid(9).trimmed();
    json.replace("\"schema\":1", "\"schema\":2");
    // Its checksum as this program reckons it: put into a line by way of a journal's own writing.
    quint32 crc = 0xFFFFFFFFU;
    for (const char byte : json) {
        crc ^= quint8(byte);
        for (int bit = 0; bit < 8; ++bit) {
            crc = (crc & 1U) != 0U ? 0xEDB88320U ^ (crc >> 1U) : crc >> 1U;
        }
    }
    put(QByteArray::number(crc ^ 0xFFFFFFFFU, 16).rightJustified(8, '0') + ' ' + json + '\n');
    const auto journal = FileJournal::open(m_path);
    QVERIFY(!journal.ok());
    QCOMPARE(journal.error().kind, ErrorKind::Refused);
    QVERIFY(journal.error().message.find("newer version") != std::string::npos);
}

void TestJournal::olderLinesAreRead()
{
    // A line of the first version, as it stood on a disk: it is to be read for ever.
    put("90f087a2 {\"body\":{\"n\":1},\"mark\":\"INTENT\",\"number\":1,\"schema\":1}\n");
    const auto journal = FileJournal::open(m_path);
    QVERIFY2(journal.ok(), journal ? "" : journal.error().text().c_str());
    QCOMPARE((*journal)->entries().size(), 1);
    QCOMPARE((*journal)->entries()[0].body, body(1));
}

void TestJournal::oneHolder()
{
    const auto first = FileJournal::open(m_path);
    QVERIFY(first.ok());
    const auto second = FileJournal::open(m_path);
    QVERIFY(!second.ok());
    QCOMPARE(second.error().kind, ErrorKind::Refused);
}

void TestJournal::fullDiskLeavesNoHalfLine()
{
    const auto journal = FileJournal::open(m_path);
    QVERIFY((*journal)->append({}, body(1)).ok());
    const QByteArray before = content();
    // A file that may not grow by a whole line, as on a disk that is full.
    rlimit old{};
    ::getrlimit(RLIMIT_FSIZE, &old);
    const auto ignored = std::signal(SIGXFSZ, SIG_IGN);
    const rlimit tight{rlim_t(before.size() + 10), old.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &tight);
    const auto refused = (*journal)->append({}, body(2));
    ::setrlimit(RLIMIT_FSIZE, &old);
    std::signal(SIGXFSZ, ignored);
    QVERIFY(!refused.ok());
    QVERIFY(refused.error().message.find("make room") != std::string::npos);
    QCOMPARE(content(), before);
    QVERIFY((*journal)->append({}, body(2)).ok());
    QCOMPARE(FileJournal::read(m_path)->size(), 2);
}

void TestJournal::bufferedIsMarked()
{
    const auto journal = FileJournal::open(m_path);
    (*journal)->buffer(QStringLiteral("INTENT"), body(1));
    QCOMPARE((*journal)->buffered(), 1);
    QVERIFY((*journal)->append({}, body(2)).ok());
    QCOMPARE((*journal)->buffered(), 0);
    const auto entries = FileJournal::read(m_path);
    QCOMPARE(entries->size(), 2);
    QVERIFY(entries->at(0).buffered && !entries->at(1).buffered);
    QCOMPARE(entries->at(0).mark, QStringLiteral("INTENT"));
}

void TestJournal::folderMissing()
{
    QVERIFY(!FileJournal::open(m_folder->filePath(QStringLiteral("no/j"))).ok());
    QVERIFY(!FileJournal::read(m_folder->filePath(QStringLiteral("no"))).ok());
}

QTEST_APPLESS_MAIN(TestJournal)
#include "tst_journal.moc"

#include "engine/operations/rollout/journal.h"
#include "tests/support/testcase.h"

#include <QDir>
#include <QFile>
#include <QJsonArray>
#include <QTemporaryDir>
#include <csignal>
#include <sys/resource.h>
#include <unistd.h>

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
    void beginsAnew();
    void brokenOffWhileBeginningAnew();
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
    json.replace("\"schema\":2", "\"schema\":3");
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

void TestJournal::beginsAnew()
{
    const auto journal = FileJournal::open(m_path);
    const QJsonObject first{{QStringLiteral("handled"), QJsonArray()}};
    for (int round = 0; round < FileJournal::kept + 3; ++round) {
        QVERIFY((*journal)->append({}, body(round)).ok());
        QVERIFY((*journal)->startAnew(QStringLiteral("INTENT"), first).ok());
        QCOMPARE((*journal)->entries().size(), 1);
        QCOMPARE((*journal)->entries()[0].number, 2 + 2 * round); // counts on
    }
    QVERIFY((*journal)->append({}, body(7)).ok());
    QCOMPARE(FileJournal::open(m_path).error().kind, ErrorKind::Refused); // it is still held
    const auto entries = FileJournal::read(m_path);
    QVERIFY2(entries.ok(), entries ? "" : entries.error().text().c_str());
    QCOMPARE(entries->size(), 2);
    // A bounded number is kept beside it, the newest first, each of them whole.
    QCOMPARE(QDir(m_folder->path()).entryList(QDir::Files).size(), FileJournal::kept + 1);
    for (int number = 1; number <= FileJournal::kept; ++number) {
        const auto old = FileJournal::read(m_path % u'.' % QString::number(number));
        QVERIFY(old.ok());
        QCOMPARE(old->last().number, 2 * (FileJournal::kept + 3 - number) + 1);
    }
    // A line that only says a later number is a gap.
    const QByteArray whole = content();
    put(whole.mid(whole.indexOf('\n') + 1));
    QVERIFY(
        FileJournal::read(m_path).error().message.find("lines are missing") != std::string::npos);
}

void TestJournal::brokenOffWhileBeginningAnew()
{
    const auto journal = FileJournal::open(m_path);
    QVERIFY((*journal)->append({}, body(1)).ok());
    // It had its second name, and no more was done; then there was no room.
    QVERIFY(::link(QFile::encodeName(m_path).constData(),
                QFile::encodeName(m_path + QStringLiteral(".1")).constData())
        == 0);
    QVERIFY(QDir(m_folder->path()).mkdir(QStringLiteral("j.new")));
    const QJsonObject first{{QStringLiteral("handled"), QJsonArray()}};
    const auto refused = (*journal)->startAnew({}, first);
    QVERIFY(!refused.ok());
    QVERIFY(refused.error().message.find("begun anew") != std::string::npos);
    QVERIFY((*journal)->append({}, body(2)).ok()); // all is as it was
    QVERIFY(QDir(m_folder->path()).rmdir(QStringLiteral("j.new")));
    QVERIFY((*journal)->startAnew({}, first).ok());
    QCOMPARE(FileJournal::read(m_path + QStringLiteral(".1"))->size(), 2);
    QVERIFY(!QFile::exists(m_path + QStringLiteral(".2")));
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

#include "engine/service/feedbackspool.h"
#include "tests/support/testcase.h"

#include <QFile>
#include <QTemporaryDir>
#include <csignal>
#include <sys/resource.h>

using namespace sluice;
using service::FeedbackSpool;

class TestFeedbackSpool : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void keepsLinesInOrder();
    void keepsThemBeyondTheProcess();
    void damagedLinesArePassedOver();
    void isBounded();
    void fullDisk();
    void isLocked();
    void badFolder();

private:
    std::filesystem::path path() const
    {
        return m_folder.filePath(QStringLiteral("feedback-1.log")).toStdString();
    }
    QByteArray content() const
    {
        QFile file(QString::fromStdString(path().string()));
        return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
    }
    QTemporaryDir m_folder;
};

using Lines = std::vector<std::string>;
constexpr std::size_t room = 1 << 20;

void TestFeedbackSpool::keepsLinesInOrder()
{
    const auto spool = *FeedbackSpool::open(path(), room);
    QVERIFY(spool->isEmpty());
    QVERIFY(spool->front(10).empty());
    for (const char* line : {"one", "two", "three"}) {
        QVERIFY(spool->append(line).ok());
    }
    QCOMPARE(spool->lines(), 3U);
    QVERIFY(spool->front(2) == (Lines{"one", "two"}));
    QVERIFY(spool->front(2) == (Lines{"one", "two"})); // until they are dropped
    spool->drop();
    QVERIFY(spool->append("four").ok());
    QVERIFY(spool->front(10) == (Lines{"three", "four"}));
    QVERIFY(spool->append("five").ok());
    spool->drop();
    QCOMPARE(spool->lines(), 1U);
    QVERIFY(spool->front(10) == (Lines{"five"}));
    QVERIFY(spool->sync().ok());
    spool->drop();
    QVERIFY(spool->isEmpty());
    QCOMPARE(content(), QByteArray()); // what is done takes no room
    // More than is read at once.
    const std::string large(3000, 'x');
    for (int index = 0; index < 100; ++index) {
        QVERIFY(spool->append(large + std::to_string(index)).ok());
    }
    for (int index = 0; index < 100; index += 10) {
        const Lines lines = spool->front(10);
        QCOMPARE(lines.size(), 10U);
        QCOMPARE(lines[0], large + std::to_string(index));
        spool->drop();
    }
    QVERIFY(spool->isEmpty());
}

void TestFeedbackSpool::keepsThemBeyondTheProcess()
{
    {
        const auto spool = *FeedbackSpool::open(path(), room);
        QVERIFY(spool->append("one").ok());
        QVERIFY(spool->append("two").ok());
        QVERIFY(!spool->front(1).empty());
        spool->drop(); // in memory alone: at least once
    }
    const auto spool = *FeedbackSpool::open(path(), room);
    QCOMPARE(spool->lines(), 2U);
    QVERIFY(spool->front(10) == (Lines{"one", "two"}));
    spool->drop();
}

void TestFeedbackSpool::damagedLinesArePassedOver()
{
    {
        const auto spool = *FeedbackSpool::open(path(), room);
        for (const char* line : {"one", "two", "three"}) {
            QVERIFY(spool->append(line).ok());
        }
    }
    QByteArray bytes = content();
    bytes.replace("two", "tvo");
    bytes += "no line\n00000000 x\nshort"; // and one that was not finished
    QFile file(QString::fromStdString(path().string()));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(bytes);
    file.close();
    {
        const auto spool = *FeedbackSpool::open(path(), room);
        QVERIFY(spool->append("four").ok());
        QVERIFY(spool->front(10) == (Lines{"one", "three", "four"}));
        QVERIFY(spool->damaged() >= 3);
        spool->drop();
        QVERIFY(spool->isEmpty());
    }
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write("nothing\nis right\n");
    file.close();
    const auto spool = *FeedbackSpool::open(path(), room);
    QVERIFY(spool->front(10).empty());
    QVERIFY(spool->isEmpty());
}

void TestFeedbackSpool::isBounded()
{
    const auto spool = *FeedbackSpool::open(path(), 100);
    int taken = 0;
    Result<void> last;
    while (taken < 100 && last) {
        last = spool->append("0123456789");
        taken += last ? 1 : 0;
    }
    QCOMPARE(taken, 5);
    QCOMPARE(last.error().kind, ErrorKind::Refused);
    QVERIFY(!spool->append(std::string(100000, 'x')).ok());
    QCOMPARE(spool->front(10).size(), 5U);
    spool->drop();
    QVERIFY(spool->append("room again").ok());
    QVERIFY(spool->front(1) == (Lines{"room again"}));
    spool->drop();
}

// A full disk, as a limit on the size of files: the write that does not fit is taken back whole.
void TestFeedbackSpool::fullDisk()
{
    const auto before = std::signal(SIGXFSZ, SIG_IGN);
    rlimit limit{};
    QCOMPARE(::getrlimit(RLIMIT_FSIZE, &limit), 0);
    const auto spool = *FeedbackSpool::open(path(), room);
    QVERIFY(spool->append("fits").ok());
    rlimit small = limit;
    small.rlim_cur = 30;
    QCOMPARE(::setrlimit(RLIMIT_FSIZE, &small), 0);
    const auto refused = spool->append("does not fit any more");
    QCOMPARE(::setrlimit(RLIMIT_FSIZE, &limit), 0);
    std::signal(SIGXFSZ, before);
    QVERIFY(!refused.ok());
    QVERIFY(refused.error().message.find("can't be kept") != std::string::npos);
    QVERIFY(spool->append("fits again").ok());
    QVERIFY(spool->front(10) == (Lines{"fits", "fits again"}));
    spool->drop();
}

void TestFeedbackSpool::isLocked()
{
    const auto spool = FeedbackSpool::open(path(), room);
    QVERIFY(spool.ok());
    const auto second = FeedbackSpool::open(path(), room);
    QVERIFY(!second.ok());
    QCOMPARE(second.error().kind, ErrorKind::Refused);
}

void TestFeedbackSpool::badFolder()
{
    const auto spool = FeedbackSpool::open("/no/such/folder/feedback-1.log", room);
    QVERIFY(!spool.ok());
    QCOMPARE(spool.error().kind, ErrorKind::Input);
    QVERIFY(spool.error().message.find("/no/such/folder") != std::string::npos);
}

QTEST_GUILESS_MAIN(TestFeedbackSpool)
#include "tst_feedbackspool.moc"

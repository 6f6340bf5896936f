#include "engine/base/file.h"
#include "engine/base/resources.h"
#include "tests/support/testcase.h"

#include <QDir>
#include <QFile>
#include <QFileInfo>
#include <QTemporaryDir>
#include <atomic>
#include <thread>
#include <unistd.h>

using namespace sluice;

class TestFile : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void writesAndReads();
    void readingSaysWhatIsWrong();
    void readersNeverSeeHalf();
    void privateFilesAreTheOwners();
    void aFailedWriteLeavesTheOldContent();
    void unwritableFolderIsSaid();
    void resourcesCanBeElsewhere();

private:
    std::filesystem::path at(const char* name) const
    {
        return m_folder.filePath(QString::fromUtf8(name)).toStdString();
    }
    QTemporaryDir m_folder;
};

void TestFile::writesAndReads()
{
    const std::string content("a\0b\n\xFF", 5);
    QVERIFY(writeFileAtomically(at("plain"), content).ok());
    const auto read = readFile(at("plain"));
    QVERIFY(read.ok());
    QCOMPARE(*read, content);
    QVERIFY(writeFileAtomically(at("plain"), "").ok());
    QCOMPARE(*readFile(at("plain")), std::string());
}

void TestFile::readingSaysWhatIsWrong()
{
    const auto missing = readFile(at("missing"));
    QVERIFY(!missing.ok());
    QCOMPARE(missing.error().kind, ErrorKind::Input);
    QVERIFY(missing.error().message.find("missing") != std::string::npos);
    QVERIFY(!missing.error().text().empty());

    QVERIFY(!readFile(m_folder.path().toStdString()).ok()); // a folder

    QVERIFY(writeFileAtomically(at("large"), std::string(1001, 'x')).ok());
    QVERIFY(readFile(at("large"), 1001).ok());
    const auto large = readFile(at("large"), 1000);
    QVERIFY(!large.ok());
    QVERIFY(large.error().message.find("large") != std::string::npos);
}

void TestFile::readersNeverSeeHalf()
{
    const std::string one(200000, '1');
    const std::string two(100000, '2');
    QVERIFY(writeFileAtomically(at("raced"), one).ok());
    std::atomic<bool> wrong = false;
    std::atomic<bool> ended = false;
    std::thread reader([&] {
        while (!ended) {
            const auto read = readFile(at("raced"));
            wrong = wrong || !read.ok() || (*read != one && *read != two);
        }
    });
    for (int round = 0; round < 50; ++round) {
        QVERIFY(writeFileAtomically(at("raced"), round % 2 == 0 ? two : one).ok());
    }
    ended = true;
    reader.join();
    QVERIFY(!wrong);
}

void TestFile::privateFilesAreTheOwners()
{
    QVERIFY(writeFileAtomically(at("secret"), "x", true).ok());
    QCOMPARE(QFile::permissions(QString::fromStdString(at("secret").string()))
            & QFileDevice::Permissions(0x7777),
        QFileDevice::ReadOwner | QFileDevice::WriteOwner | QFileDevice::ReadUser
            | QFileDevice::WriteUser);
}

void TestFile::aFailedWriteLeavesTheOldContent()
{
    QDir(m_folder.path()).mkdir(QStringLiteral("taken"));
    QFile inside(m_folder.filePath(QStringLiteral("taken/file")));
    QVERIFY(inside.open(QIODevice::WriteOnly));
    inside.close();
    const auto written = writeFileAtomically(at("taken"), "x"); // a folder of that name is there
    QVERIFY(!written.ok());
    QVERIFY(written.error().message.find("taken") != std::string::npos);
    QVERIFY(inside.exists());
    QCOMPARE(QDir(m_folder.path()).entryList({QStringLiteral("taken*")}, QDir::AllEntries).size(),
        1); // nothing temporary is left
    QVERIFY(!writeFileAtomically(at("no/such/folder/file"), "x").ok());
}

void TestFile::unwritableFolderIsSaid()
{
    QVERIFY(ensureWritableFolder(at("made/on/the/way")).ok());
    QVERIFY(QFileInfo(QString::fromStdString(at("made/on/the/way").string())).isDir());

    const auto file = ensureWritableFolder(at("plain"));
    QVERIFY(!file.ok()); // a file, no folder
    QVERIFY(file.error().message.find("plain") != std::string::npos);
    const auto pseudo = ensureWritableFolder("/proc/sluice"); // refused to root too
    QVERIFY(!pseudo.ok());
    QVERIFY(pseudo.error().message.find("/proc/sluice") != std::string::npos);
}

void TestFile::resourcesCanBeElsewhere()
{
    qputenv("SLUICE_RESOURCES", m_folder.path().toUtf8());
    QCOMPARE(resourceFile("x.model"), at("x.model"));
    qunsetenv("SLUICE_RESOURCES");
    QVERIFY(resourceFile("x.model") != at("x.model"));
}

QTEST_GUILESS_MAIN(TestFile)
#include "tst_file.moc"

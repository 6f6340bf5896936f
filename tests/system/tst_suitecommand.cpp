#include "engine/base/file.h"
#include "engine/service/service.h"
#include "tests/support/testcase.h"
#include "tests/support/worker.h"

#include <QProcess>
#include <QTemporaryDir>

/// `sluicectl evaluate --suite`: here and on a worker, what fails and what newly fails.
class TestSuiteCommand : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void passesHereAndOnAWorker();
    void newFailuresAreTold();
    void wrongUseIsRefused();

private:
    int run(const QStringList& arguments)
    {
        QProcess process;
        process.start(qEnvironmentVariable("SLUICE_BIN") + QStringLiteral("/sluicectl"), arguments);
        if (!process.waitForFinished(30000)) {
            return -1;
        }
        m_said = process.readAllStandardOutput();
        return process.exitCode();
    }
    void write(const char* text)
    {
        QVERIFY(sluice::writeFileAtomically(m_suite.toStdString(), text).ok());
    }
    QTemporaryDir m_folder;
    QString m_suite;
    QByteArray m_said;
};

void TestSuiteCommand::initTestCase()
{
    qputenv("SLUICE_DATA_HOME", m_folder.filePath(QStringLiteral("data")).toUtf8());
    m_suite = m_folder.filePath(QStringLiteral("suite.jsonl"));
}

void TestSuiteCommand::passesHereAndOnAWorker()
{
    write(R"({"id":"a","text":"where is my parcel A-2231?","expect":{"intent":"track_parcel"}})");
    const QStringList here{
        QStringLiteral("evaluate"), QStringLiteral("--suite"), m_suite, QStringLiteral("--json")};
    QCOMPARE(run(here), 0);
    QVERIFY2(m_said.contains("\"passed\":1"), m_said.constData());
    sluice::test::Worker worker(sluice::service::Configuration{});
    QVERIFY(!worker.error);
    QCOMPARE(run(here
                 + QStringList{QStringLiteral("--target"),
                     QStringLiteral("http://127.0.0.1:%1").arg(worker.port())}),
        0);
    QVERIFY2(m_said.contains("\"passed\":1"), m_said.constData());
}

void TestSuiteCommand::newFailuresAreTold()
{
    write(R"({"id":"a","text":"where is my parcel A-2231?","expect":{"decision":"fallback"}}
{"id":"b","text":"where is my parcel?","expect":{"decision":"fallback"}})");
    const QStringList arguments{QStringLiteral("evaluate"), QStringLiteral("--suite"), m_suite};
    QCOMPARE(run(arguments), 1);
    QVERIFY2(m_said.contains("NEW  a"), m_said.constData()); // it passed the last time
    QVERIFY2(m_said.contains("fail b"), m_said.constData());
    QVERIFY(m_said.contains("1 newly failing"));
    QCOMPARE(run(arguments), 1);
    QVERIFY(m_said.contains("0 newly failing"));
}

void TestSuiteCommand::wrongUseIsRefused()
{
    QCOMPARE(run({QStringLiteral("evaluate")}), 2);
    const QStringList suite{QStringLiteral("evaluate"), QStringLiteral("--suite"), m_suite};
    QCOMPARE(run(suite + QStringList{QStringLiteral("--target"), QStringLiteral("nonsense")}), 2);
    QCOMPARE(
        run(suite + QStringList{QStringLiteral("--target"), QStringLiteral("http://127.0.0.1:1")}),
        3);
    QCOMPARE(run({QStringLiteral("evaluate"), QStringLiteral("--suite"),
                 QStringLiteral("/nowhere.jsonl")}),
        2);
}

QTEST_GUILESS_MAIN(TestSuiteCommand)
#include "tst_suitecommand.moc"

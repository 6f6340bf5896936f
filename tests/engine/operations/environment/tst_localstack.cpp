#include "engine/operations/environment/localstack.h"
#include "engine/operations/environment/stackfiles.h"
#include "tests/support/testcase.h"

#include <QDir>
#include <QFile>
#include <QProcess>
#include <QStandardPaths>
#include <QTcpSocket>
#include <QTemporaryDir>
#include <csignal>

using namespace sluice;
using namespace sluice::ops;

/// The stack's processes: that they live as long as they should, and not longer.
class TestLocalStack : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();
    void upTwiceJoins();
    void aKilledWorkerComesBack();
    void aKilledSupervisorLeavesNothing();
    void endsWithItsOwner();
    void missingServerIsSaid();
    void badModelIsSaid();
    void unwritableFolderIsSaid();
    void damagedStateIsNoObstacle();

private:
    std::optional<StackStatus> up(StackOptions options = {});
    QList<ProcessMark> marks() const;
    StackDocument document() const { return *StackFolder{m_state}.read(); }
    static bool noneAlive(const QList<ProcessMark>& marks)
    {
        return std::none_of(
            marks.begin(), marks.end(), [](const ProcessMark& mark) { return mark.isAlive(); });
    }

    std::unique_ptr<QTemporaryDir> m_folder;
    QString m_state;
    QString m_error;
};

void TestLocalStack::init()
{
    failOnWarnings();
    m_folder = std::make_unique<QTemporaryDir>();
    m_state = m_folder->filePath(QStringLiteral("stack"));
    qputenv("SLUICE_STATE", m_state.toUtf8());
}

void TestLocalStack::cleanup()
{
    LocalStack stack;
    QSignalSpy stopped(&stack, &LocalStack::stopped);
    stack.down();
    QVERIFY(stopped.wait(25000));
    m_folder.reset();
}

std::optional<StackStatus> TestLocalStack::up(StackOptions options)
{
    LocalStack stack;
    std::optional<StackStatus> status;
    bool ended = false;
    m_error.clear();
    connect(&stack, &LocalStack::ready, this, [&](const StackStatus& ready) {
        status = ready;
        ended = true;
    });
    connect(&stack, &LocalStack::failed, this, [&](const Error& error) {
        m_error = QString::fromStdString(error.text());
        ended = true;
    });
    options.workersPerPool = 1;
    stack.up(options);
    return QTest::qWaitFor([&] { return ended; }, 60000) ? status : std::nullopt;
}

QList<ProcessMark> TestLocalStack::marks() const
{
    const StackDocument found = document();
    QList<ProcessMark> marks{found.supervisor};
    for (const StackPart& part : found.status.parts) {
        marks << ProcessMark::of(part.pid);
    }
    return marks;
}

void TestLocalStack::upTwiceJoins()
{
    const auto first = up();
    QVERIFY2(first, qPrintable(m_error));
    QCOMPARE(first->parts.size(), 5);
    for (const StackPart& part : first->parts) {
        QCOMPARE(part.state, PartState::Healthy);
        QVERIFY(QFile::exists(part.logFile));
        // None on a default port of its kind.
        for (const int port : {6379, 9090, 8080, 80, 8404, 9100}) {
            QVERIFY(part.port != port);
        }
    }
    const auto second = up();
    QVERIFY2(second, qPrintable(m_error));
    for (qsizetype index = 0; index < first->parts.size(); ++index) {
        QCOMPARE(second->parts[index].pid, first->parts[index].pid);
    }
    // A supervisor started by hand in the same folder is refused.
    QProcess supervisor;
    supervisor.setProcessChannelMode(QProcess::MergedChannels);
    supervisor.start(qEnvironmentVariable("SLUICE_BIN") + QStringLiteral("/sluicectl"),
        {QStringLiteral("stack"), QStringLiteral("supervise"), QStringLiteral("--state"), m_state});
    QVERIFY(supervisor.waitForFinished(20000));
    QCOMPARE(supervisor.exitCode(), 1);
    const QList<ProcessMark> all = marks();
    LocalStack stack;
    QSignalSpy stopped(&stack, &LocalStack::stopped);
    stack.down();
    QVERIFY(stopped.wait(25000));
    QVERIFY(noneAlive(all));
    QVERIFY(!LocalStack::status()->running);
    QVERIFY(QFile::exists(first->parts[0].logFile)); // logs are kept
}

void TestLocalStack::aKilledWorkerComesBack()
{
    const auto status = up();
    QVERIFY2(status, qPrintable(m_error));
    const auto green = [](const StackStatus& all) {
        const auto found = std::find_if(all.parts.begin(), all.parts.end(),
            [](const StackPart& part) { return part.name == QLatin1StringView("green-1"); });
        return found == all.parts.end() ? StackPart() : *found;
    };
    const StackPart worker = green(*status);
    QVERIFY(worker.pid > 0);
    ::kill(pid_t(worker.pid), SIGKILL);
    const auto present = [&] {
        const auto now = LocalStack::status();
        return now ? green(*now) : StackPart();
    };
    QTRY_VERIFY_WITH_TIMEOUT(
        present().pid != worker.pid && present().state == PartState::Healthy, 20000);
    QCOMPARE(present().port, worker.port); // HAProxy and Prometheus find it where it was
}

void TestLocalStack::aKilledSupervisorLeavesNothing()
{
    QVERIFY2(up(), qPrintable(m_error));
    const QList<ProcessMark> all = marks();
    QCOMPARE(all.size(), 6);
    QVERIFY(all.first().signal(SIGKILL));
    QTRY_VERIFY_WITH_TIMEOUT(noneAlive(all), 10000);
    QVERIFY(!LocalStack::status()->running);
    QVERIFY2(up(), qPrintable(m_error)); // and it can be started again
}

void TestLocalStack::endsWithItsOwner()
{
    // A process that owns a stack, as the console does, and is killed.
    QProcess owner;
    owner.start(QStringLiteral("sleep"), {QStringLiteral("120")});
    QVERIFY(owner.waitForStarted());
    QProcess supervisor;
    supervisor.start(qEnvironmentVariable("SLUICE_BIN") + QStringLiteral("/sluicectl"),
        {QStringLiteral("stack"), QStringLiteral("supervise"), QStringLiteral("--state"), m_state,
            QStringLiteral("--workers"), QStringLiteral("1"), QStringLiteral("--owner"),
            QString::number(owner.processId())});
    QTRY_VERIFY_WITH_TIMEOUT(
        StackFolder{m_state}.read().ok() && document().phase == QLatin1StringView("up"), 40000);
    const QList<ProcessMark> all = marks();
    owner.kill();
    QVERIFY(owner.waitForFinished(5000));
    QVERIFY(supervisor.waitForFinished(20000));
    QTRY_VERIFY_WITH_TIMEOUT(noneAlive(all), 10000);
}

void TestLocalStack::missingServerIsSaid()
{
    // A PATH with everything but Prometheus.
    const QString bin = m_folder->filePath(QStringLiteral("bin"));
    QDir().mkpath(bin);
    for (const char* name : {"redis-server", "haproxy", "sh"}) {
        const QString found = QStandardPaths::findExecutable(QString::fromUtf8(name),
            {QStringLiteral("/usr/bin"), QStringLiteral("/usr/sbin"), QStringLiteral("/bin")});
        QFile::link(found, bin + u'/' + QString::fromUtf8(name));
    }
    const QByteArray path = qgetenv("PATH");
    qputenv("PATH", bin.toUtf8());
    const auto status = up();
    qputenv("PATH", path);
    QVERIFY(!status);
    QVERIFY2(m_error.contains(QStringLiteral("prometheus")), qPrintable(m_error));
    QVERIFY2(m_error.contains(QStringLiteral("apt")), qPrintable(m_error)); // what to do
}

void TestLocalStack::badModelIsSaid()
{
    QFile model(m_folder->filePath(QStringLiteral("bad.model")));
    QVERIFY(model.open(QIODevice::WriteOnly));
    model.write("not a model");
    model.close();
    StackOptions options;
    options.modelFile = model.fileName();
    QVERIFY(!up(options));
    QVERIFY2(m_error.contains(QStringLiteral("bad.model")), qPrintable(m_error));
    // The supervisor says so as the last thing it does; its own end comes a moment after.
    QTRY_VERIFY(noneAlive(marks()));
}

void TestLocalStack::unwritableFolderIsSaid()
{
    StackOptions options;
    options.stateFolder = QStringLiteral("/proc/sluice");
    QVERIFY(!up(options));
    QVERIFY2(m_error.contains(QStringLiteral("/proc/sluice")), qPrintable(m_error));
}

void TestLocalStack::damagedStateIsNoObstacle()
{
    QDir().mkpath(m_state);
    QFile file(m_state + QStringLiteral("/stack.json"));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write("{\"phase\":\"up\", \"supervisor\":");
    file.close();
    QVERIFY2(up(), qPrintable(m_error));
}

QTEST_GUILESS_MAIN(TestLocalStack)
#include "tst_localstack.moc"

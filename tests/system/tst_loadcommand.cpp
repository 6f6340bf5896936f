#include "engine/operations/loadtest/runfolder.h"
#include "tests/support/delayproxy.h"
#include "tests/support/process.h"
#include "tests/support/testcase.h"

#include <QDir>
#include <QJsonArray>
#include <QJsonDocument>
#include <QRegularExpression>
#include <QTemporaryDir>

using namespace sluice;

/// `sluicectl load` against a real worker, as scripts and the console run it: exit codes, gates,
/// and every way in which a run is ended before its time.
class TestLoadCommand : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void gateIsHeldAndBreached();
    void otherExitCodes_data();
    void otherExitCodes();
    void endsWithinASecond_data();
    void endsWithinASecond();
    void endsWhenNothingAnswers();
    void endsWithItsParent();
    void aKilledRunKeepsWhatItMeasured();
    void theGeneratorsLimitGivesNoVerdict();
    void capacityOfWhatIsKept();
    void cleanupTestCase();

private:
    struct Run
    {
        int code = -1;
        QList<QJsonObject> lines;
        QByteArray err;
        QJsonObject last(const char* member) const
        {
            return lines.isEmpty() ? QJsonObject()
                                   : lines.last()[QLatin1StringView(member)].toObject();
        }
    };
    static QString program() { return qEnvironmentVariable("SLUICE_BIN") + u"/sluicectl"; }
    static QStringList words(const char* text)
    {
        return QString::fromUtf8(text).split(u' ', Qt::SkipEmptyParts);
    }
    Run run(const QStringList& arguments);
    /// The same, again where the machine had no time for the generator: such a run gives no
    /// verdict.
    Run measured(const QStringList& arguments)
    {
        Run done = run(arguments);
        for (int more = 0;
             more < 3 && done.last("result")[QStringLiteral("generator_limited")].toBool();
             ++more) {
            done = run(arguments);
        }
        return done;
    }
    QStringList loadRun(const QString& folder, const QUrl& target, const QStringList& more) const
    {
        return QStringList{QStringLiteral("load"), QStringLiteral("run"), QStringLiteral("--json"),
                   QStringLiteral("--scenario"), m_scenario, QStringLiteral("--target"),
                   target.toString(), QStringLiteral("--out"), m_folder.filePath(folder)}
        + more;
    }
    /// Waits until `process` has said that a second went by; of which something was answered, where
    /// `answered`.
    static bool secondCame(QProcess& process, QByteArray& out, bool answered = true);
    bool begin(QProcess& process, const QStringList& arguments, bool answered = true);
    /// Waits for `process`, and reads the run folder.
    std::optional<ops::LoadResult> ended(QProcess& process, const QString& folder);
    ops::LoadResult read(const QString& folder)
    {
        auto result = ops::readRun(m_folder.filePath(folder));
        return result ? *result : ops::LoadResult();
    }
    QUrl url(quint16 port) const { return QUrl(QStringLiteral("http://127.0.0.1:%1").arg(port)); }

    QTemporaryDir m_folder;
    QString m_scenario; ///< ten seconds at 40 requests a second
    QProcess m_worker;
    quint16 m_port = 0;
};

/// A second, and what a busy machine may add to it.
constexpr qint64 endMs = 3000;

void TestLoadCommand::initTestCase()
{
    QVERIFY(m_folder.isValid());
    qputenv("SLUICE_STATE", m_folder.filePath(QStringLiteral("stack")).toUtf8());
    qputenv("SLUICE_CONFIG", m_folder.filePath(QStringLiteral("config")).toUtf8());
    qputenv("SLUICE_DATA_HOME", m_folder.filePath(QStringLiteral("data")).toUtf8());
    m_scenario = m_folder.filePath(QStringLiteral("short.json"));
    QFile file(m_scenario);
    QVERIFY(file.open(QIODevice::WriteOnly));
    // Limits that a machine under load holds too: what is tested here is the command.
    file.write(R"({"name":"short","model":"open","sessions":20,"phases":[{"seconds":10,"rate":40}],
        "targets":{"p95_ms":5000,"p99_ms":8000,"error_share":0.5}})");
    file.close();
    test::endWithTest(m_worker);
    m_worker.setStandardErrorFile(QProcess::nullDevice());
    m_worker.start(qEnvironmentVariable("SLUICE_BIN") + QStringLiteral("/sluiced"), {});
    QVERIFY(m_worker.waitForReadyRead(60000));
    m_port = quint16(m_worker.readLine().trimmed().toInt());
    QVERIFY(m_port > 0);
}

TestLoadCommand::Run TestLoadCommand::run(const QStringList& arguments)
{
    QProcess process;
    test::endWithTest(process);
    process.start(program(), arguments);
    process.closeWriteChannel();
    // Events go on meanwhile: a test may be the server.
    if (!QTest::qWaitFor([&] { return process.state() == QProcess::NotRunning; }, 90000)) {
        process.kill();
        process.waitForFinished();
        return {-1, {}, "timed out"};
    }
    Run done{process.exitCode(), {}, process.readAllStandardError()};
    for (const QByteArray& line : process.readAllStandardOutput().split('\n')) {
        if (!line.isEmpty()) {
            done.lines << QJsonDocument::fromJson(line).object();
        }
    }
    return done;
}

bool TestLoadCommand::secondCame(QProcess& process, QByteArray& out, bool answered)
{
    static const QRegularExpression counted(QStringLiteral("\"completed\":[1-9]"));
    return QTest::qWaitFor(
        [&] {
            out += process.readAllStandardOutput();
            return answered ? counted.match(QString::fromUtf8(out)).hasMatch()
                            : out.contains("\"second\":");
        },
        30000);
}

bool TestLoadCommand::begin(QProcess& process, const QStringList& arguments, bool answered)
{
    process.start(program(), arguments);
    QByteArray out;
    return secondCame(process, out, answered);
}

std::optional<ops::LoadResult> TestLoadCommand::ended(QProcess& process, const QString& folder)
{
    if (!QTest::qWaitFor([&] { return process.state() == QProcess::NotRunning; }, 30000)) {
        return std::nullopt;
    }
    auto result = ops::readRun(m_folder.filePath(folder));
    return result ? std::optional(*result) : std::nullopt;
}

void TestLoadCommand::gateIsHeldAndBreached()
{
    // Answers that take a while leave room for a busy machine's own lateness.
    test::DelayProxy proxy(m_port);
    proxy.setDelay(400);
    const QStringList gate = words("--gate baseline --margin 1 --floor-ms 150");
    // Nothing to be held against yet: said before anything is sent.
    Run done = run(loadRun(QStringLiteral("none"), url(proxy.port()), gate));
    QCOMPARE(done.code, 2);
    QVERIFY(done.last("error")[QStringLiteral("message")].toString().contains(
        QStringLiteral("no baseline")));
    QVERIFY(!QFileInfo::exists(m_folder.filePath(QStringLiteral("none"))));

    done = measured(loadRun(QStringLiteral("first"), url(proxy.port()), {}));
    QVERIFY2(done.code == 0, done.err.constData());
    QCOMPARE(done.last("result")[QStringLiteral("verdict")].toString(), QStringLiteral("passed"));
    done = run(
        words("load baseline --json") + QStringList{m_folder.filePath(QStringLiteral("first"))});
    QVERIFY2(done.code == 0, done.err.constData());

    done = measured(loadRun(QStringLiteral("second"), url(proxy.port()), gate));
    QVERIFY2(done.code == 0, done.err.constData());
    QVERIFY(done.last("comparison")[QStringLiteral("no_worse")].toBool());

    // Within its own targets, and slower than the baseline.
    proxy.setDelay(2000);
    done = measured(loadRun(QStringLiteral("third"), url(proxy.port()), gate));
    QCOMPARE(done.code, 1);
    QCOMPARE(done.last("result")[QStringLiteral("verdict")].toString(), QStringLiteral("passed"));
    const QJsonArray figures = done.last("comparison")[QStringLiteral("figures")].toArray();
    for (const QJsonValue& figure : figures) {
        if (figure[QStringLiteral("unit")].toString() == QLatin1StringView("ms")) {
            QCOMPARE(figure[QStringLiteral("verdict")].toString(), QStringLiteral("worse"));
        }
    }
    // Of another length it is another run: nothing to compare, so the gate stays shut.
    proxy.setDelay(400);
    done = run(loadRun(QStringLiteral("shorter"), url(proxy.port()), gate + words("--seconds 3")));
    QCOMPARE(done.code, 1);
    QVERIFY(!done.last("comparison")[QStringLiteral("comparable")].toBool());
}

void TestLoadCommand::otherExitCodes_data()
{
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<int>("code");
    QTest::addColumn<QString>("kind");
    const auto row = [](const char* name, const char* arguments, int code, const char* kind) {
        QTest::newRow(name) << words(arguments) << code << QString::fromLatin1(kind);
    };
    row("nobody listens", "--scenario smoke --target http://127.0.0.1:1", 3, "unreachable");
    row("no such scenario", "--scenario nomral --target http://127.0.0.1:1", 2, "input");
    row("no such run to be held against",
        "--scenario smoke --target http://127.0.0.1:1 --gate 2020-no-run", 2, "input");
    row("a target that was not typed", "--scenario smoke --target http://192.0.2.1:80", 2, "input");
    row("another one was typed", "--scenario smoke --target http://192.0.2.1:80 --i-mean 192.0.2.2",
        2, "input");
    row("no such environment", "--scenario smoke --environment nowhere", 2, "input");
}

void TestLoadCommand::otherExitCodes()
{
    QFETCH(QStringList, arguments);
    QFETCH(int, code);
    QFETCH(QString, kind);
    const QString folder = m_folder.filePath(QStringLiteral("refused"));
    const Run done = run(words("load run --json --out") + QStringList{folder} + arguments);
    QVERIFY2(done.code == code, done.err.constData());
    QCOMPARE(done.last("error")[QStringLiteral("kind")].toString(), kind);
    QVERIFY(!QFileInfo::exists(folder));
}

void TestLoadCommand::endsWithinASecond_data()
{
    QTest::addColumn<int>("signal");
    QTest::newRow("Ctrl+C") << SIGINT;
    QTest::newRow("the Stop button") << SIGTERM;
    QTest::newRow("the console's pipe closes") << 0;
}

/// An hour's run, ended after its first second: what was measured is kept, and there is no verdict.
void TestLoadCommand::endsWithinASecond()
{
    QFETCH(int, signal);
    const QString folder = QStringLiteral("ended-%1").arg(signal);
    QProcess process;
    test::endWithTest(process);
    QVERIFY(
        begin(process, loadRun(folder, url(m_port), words("--seconds 3600 --until-stdin-closes"))));
    const QDateTime asked = QDateTime::currentDateTimeUtc();
    if (signal == 0) {
        process.closeWriteChannel();
    } else {
        QCOMPARE(::kill(pid_t(process.processId()), signal), 0);
    }
    const auto result = ended(process, folder);
    QVERIFY(result);
    QCOMPARE(process.exitStatus(), QProcess::NormalExit);
    QCOMPARE(process.exitCode(), 1);
    QCOMPARE(result->state, QStringLiteral("stopped"));
    QCOMPARE(result->verdict(), QStringLiteral("no verdict"));
    const qint64 took = asked.msecsTo(result->endedAt);
    QVERIFY2(took >= 0 && took < endMs, qPrintable(QString::number(took)));
    // The folder agrees with itself: the seconds, their histograms, the sums.
    QVERIFY(!result->seconds.isEmpty() && !result->blocks.empty());
    qint64 completed = 0;
    for (const ops::LoadSecond& second : result->seconds) {
        completed += second.completed;
    }
    QVERIFY(completed > 0);
    QCOMPARE(result->succeeded, completed - result->failures());
    QVERIFY(result->p50Ms > 0);
    QVERIFY(
        std::abs(result->elapsedSeconds * 1000 - double(result->startedAt.msecsTo(result->endedAt)))
        < endMs);
    // It is read by the command too.
    const Run shown = run(words("load show --json") + QStringList{m_folder.filePath(folder)});
    QCOMPARE(shown.code, 0);
    QCOMPARE(
        shown.last("result")[QStringLiteral("verdict")].toString(), QStringLiteral("no verdict"));
}

/// What is on its way is not waited for: its time-out is half a minute.
void TestLoadCommand::endsWhenNothingAnswers()
{
    QTcpServer silent;
    QVERIFY(silent.listen(QHostAddress::LocalHost));
    connect(&silent, &QTcpServer::newConnection, &silent, [&silent] {
        QTcpSocket* socket = silent.nextPendingConnection();
        connect(socket, &QTcpSocket::readyRead, socket, [socket] {
            if (socket->readAll().startsWith("GET /v1/info")) {
                socket->write("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}");
            }
        });
    });
    const QString folder = QStringLiteral("silent");
    QProcess process;
    test::endWithTest(process);
    QVERIFY(
        begin(process, loadRun(folder, url(silent.serverPort()), words("--seconds 3600")), false));
    const QDateTime asked = QDateTime::currentDateTimeUtc();
    QCOMPARE(::kill(pid_t(process.processId()), SIGINT), 0);
    const auto result = ended(process, folder);
    QVERIFY(result);
    QCOMPARE(process.exitCode(), 1);
    QCOMPARE(result->succeeded, 0);
    QVERIFY(result->sent > 0);
    const qint64 took = asked.msecsTo(result->endedAt);
    QVERIFY2(took < endMs, qPrintable(QString::number(took)));
}

/// The console is killed and leaves its pipe open in another process: the generator ends all the
/// same, and what it had measured can be read.
void TestLoadCommand::endsWithItsParent()
{
    const QString folder = QStringLiteral("orphan");
    QProcess parent;
    test::endWithTest(parent);
    const QStringList arguments =
        loadRun(folder, url(m_port), words("--seconds 3600 --until-stdin-closes"));
    // "exec 3<&0": what sh starts in the background would have no standard input.
    parent.start(QStringLiteral("/bin/sh"),
        QStringList{QStringLiteral("-c"),
            QStringLiteral("exec 3<&0; \"$@\" <&3 & echo pid $!; wait"), QStringLiteral("sh"),
            program()}
            + arguments);
    QByteArray out;
    QVERIFY(secondCame(parent, out));
    const qsizetype at = out.indexOf("pid ") + 4;
    const pid_t generator = pid_t(out.mid(at, out.indexOf('\n', at) - at).toInt());
    QVERIFY(generator > 1 && ::kill(generator, 0) == 0);
    const QDateTime asked = QDateTime::currentDateTimeUtc();
    QCOMPARE(::kill(pid_t(parent.processId()), SIGKILL), 0);
    QTRY_VERIFY_WITH_TIMEOUT(read(folder).state == QLatin1StringView("stopped"), 30000);
    QTRY_VERIFY_WITH_TIMEOUT(::kill(generator, 0) != 0, 30000);
    const ops::LoadResult result = read(folder);
    const qint64 took = asked.msecsTo(result.endedAt);
    QVERIFY2(took < endMs, qPrintable(QString::number(took)));
    QVERIFY(result.succeeded > 0 && !result.seconds.isEmpty());
    parent.waitForFinished();
}

/// The generator itself is killed, in its first minute: no checkpoint was written yet.
void TestLoadCommand::aKilledRunKeepsWhatItMeasured()
{
    const QString folder = QStringLiteral("killed");
    QProcess process;
    test::endWithTest(process);
    QVERIFY(begin(process, loadRun(folder, url(m_port), words("--seconds 90"))));
    QCOMPARE(::kill(pid_t(process.processId()), SIGKILL), 0);
    const auto result = ended(process, folder);
    QVERIFY(result);
    QCOMPARE(result->state, QStringLiteral("lost"));
    QCOMPARE(result->verdict(), QStringLiteral("no verdict"));
    QVERIFY(!result->seconds.isEmpty());
    QVERIFY(result->succeeded > 0);
    QVERIFY(result->p95Ms > 0);
    QVERIFY(result->elapsedSeconds >= 1);
}

/// The generator is held still for a while, as on a machine that has no time for it: requests start
/// late, and it is not the worker's fault.
void TestLoadCommand::theGeneratorsLimitGivesNoVerdict()
{
    const QString folder = QStringLiteral("limited");
    QProcess process;
    test::endWithTest(process);
    QVERIFY(begin(process, loadRun(folder, url(m_port), words("--seconds 5"))));
    QCOMPARE(::kill(pid_t(process.processId()), SIGSTOP), 0);
    QTest::qWait(1000); // how long it stands still: what is tested, not waited for
    QCOMPARE(::kill(pid_t(process.processId()), SIGCONT), 0);
    const auto result = ended(process, folder);
    QVERIFY(result);
    QCOMPARE(process.exitCode(), 1);
    QVERIFY2(result->startLagP99Ms > 100, qPrintable(QString::number(result->startLagP99Ms)));
    QVERIFY(result->completed && result->generatorLimited && !result->passed);
    QCOMPARE(result->verdict(), QStringLiteral("no verdict"));
    // No measure for others either.
    const Run done = run(words("load baseline --json") + QStringList{m_folder.filePath(folder)});
    QCOMPARE(done.code, 2);
}

void TestLoadCommand::capacityOfWhatIsKept()
{
    // Of a run without steps there is nothing to say.
    const Run done = run(words("load capacity --json --run")
        + QStringList{m_folder.filePath(QStringLiteral("first"))});
    QCOMPARE(done.code, 2);
    QVERIFY2(done.last("error")[QStringLiteral("message")].toString().contains(
                 QStringLiteral("load capacity")),
        done.err.constData());
}

void TestLoadCommand::cleanupTestCase()
{
    m_worker.terminate();
    m_worker.waitForFinished();
}

QTEST_GUILESS_MAIN(TestLoadCommand)
#include "tst_loadcommand.moc"

#include "engine/operations/environment/haproxyconfig.h"
#include "engine/operations/loadtest/loadrun.h"
#include "engine/operations/queries/feedbackinbox.h"
#include "engine/operations/rollout/journal.h"
#include "engine/operations/rollout/plan.h"
#include "tests/support/process.h"
#include "tests/support/splitnginx.h"
#include "tests/support/stackfixture.h"
#include "tests/support/testcase.h"

#include <QDateTime>
#include <QElapsedTimer>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QLocalSocket>
#include <QProcess>
#include <csignal>

using namespace sluice;
using namespace sluice::ops;

/// Rollouts by the command line on the real stack (HAProxy, Redis, Prometheus) under load, with a
/// canary that is healthy, or has one fault.
class TestRollout : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();
    void healthyGoesToTheEnd();
    void faultIsRolledBack_data();
    void faultIsRolledBack();
    void complaintsActByTheirPlan_data();
    void complaintsActByTheirPlan();
    void nginxGoesToTheEnd();
    void frozenAndKilledDriver();
    void rollbackWithoutRedisOrDriver();

private:
    struct Ran
    {
        int code = -1;
        QByteArray out;
        QByteArray error;
        QJsonObject json() const { return QJsonDocument::fromJson(out).object(); }
    };
    Ran ctl(const QStringList& arguments)
    {
        QProcess process;
        test::endWithTest(process);
        process.start(m_program, arguments);
        Ran ran;
        if (process.waitForFinished(30000)) {
            ran.code = process.exitCode();
        }
        ran.out = process.readAllStandardOutput();
        ran.error = process.readAllStandardError();
        return ran;
    }
    void plant(const QByteArray& faults)
    {
        QFile file(m_faults);
        QVERIFY(file.open(QIODevice::WriteOnly));
        file.write(faults);
    }
    void load(double rate, const QUrl& target = {});
    LoadResult endLoad();
    void drive(const QStringList& more = {});
    QString startPlan(const std::function<void(PlannedGate&)>& change = {});
    QJsonObject state()
    {
        return split()[QStringLiteral("rollout")].toObject()[QStringLiteral("state")].toObject();
    }
    QString phase()
    {
        const QJsonObject now = state();
        const QString phase = now[QStringLiteral("phase")].toString();
        const QString hold = now[QStringLiteral("hold")].toString();
        // Numbers move all the time; QtTest cuts long messages.
        static const QRegularExpression number(QStringLiteral("[0-9.]+"));
        const QString seen = phase % u' ' % QString(hold).replace(number, QStringLiteral("#"));
        if (m_seen.isEmpty() || m_seen.last() != seen) {
            m_seen << seen;
            m_last = hold;
        }
        return phase;
    }
    /// What it went through, for a test that fails.
    QByteArray seen() const
    {
        return QString(m_seen.mid(qMax<qsizetype>(0, m_seen.size() - 8)).join(QStringLiteral(" | "))
            % QStringLiteral(" (") % m_last % u')')
            .toUtf8();
    }
    QJsonObject split()
    {
        return ctl({QStringLiteral("rollout"), QStringLiteral("status"), QStringLiteral("--json")})
            .json();
    }
    quint64 greenRequests();

    QString m_program;
    QString m_last;
    QStringList m_seen; ///< phases and what held them
    QString m_faults;
    std::unique_ptr<QTemporaryDir> m_folder;
    std::unique_ptr<test::StackFixture> m_stack;
    std::unique_ptr<QProcess> m_driver;
    std::unique_ptr<LoadRun> m_load;
    std::optional<LoadResult> m_loaded;
};

void TestRollout::init()
{
    m_seen.clear();
    failOnWarnings();
    m_program = qEnvironmentVariable("SLUICE_BIN") % QStringLiteral("/sluicectl");
    m_folder = std::make_unique<QTemporaryDir>();
    m_faults = m_folder->filePath(QStringLiteral("faults"));
    qputenv("SLUICE_FAULTS", m_faults.toUtf8());
    m_stack = std::make_unique<test::StackFixture>();
    QVERIFY2(
        m_stack->up(1, QStringLiteral(SLUICE_PLANTED_WORKER)), qPrintable(m_stack->lastError()));
}

void TestRollout::cleanup()
{
    if (m_load) {
        m_load->stop();
        m_load.reset();
    }
    if (m_driver) {
        m_driver->kill();
        m_driver->waitForFinished(5000);
        m_driver.reset();
    }
    QVERIFY(m_stack->down());
    m_stack.reset();
}

void TestRollout::load(double rate, const QUrl& target)
{
    // So many sessions that 5 % of them are 5 % of the requests, whatever their names hash to.
    const Scenario scenario = Scenario::constant(QStringLiteral("rollout"), 4000, rate, 120);
    m_loaded.reset();
    m_load = std::make_unique<LoadRun>();
    connect(m_load.get(), &LoadRun::finished, this,
        [this](const LoadResult& result) { m_loaded = result; });
    QVERIFY(
        m_load->start(scenario, target.isEmpty() ? m_stack->status().environment.balancer : target)
            .ok());
}

LoadResult TestRollout::endLoad()
{
    m_load->stop();
    return QTest::qWaitFor([&] { return m_loaded.has_value(); }, 10000) ? *m_loaded : LoadResult();
}

void TestRollout::drive(const QStringList& more)
{
    m_driver = std::make_unique<QProcess>();
    test::endWithTest(*m_driver);
    m_driver->setStandardErrorFile(
        m_folder->filePath(QStringLiteral("driver.log")), QIODevice::Append);
    m_driver->start(m_program,
        QStringList{QStringLiteral("rollout"), QStringLiteral("drive"), QStringLiteral("--poll"),
            QStringLiteral("0.2")}
            + more);
    QVERIFY(m_driver->waitForStarted());
}

QString TestRollout::startPlan(const std::function<void(PlannedGate&)>& change)
{
    Release release;
    release.id = QStringLiteral("r1");
    RolloutPlan plan = RolloutPlan::standard(release);
    plan.timeScale = 0.01; // windows of 3 s
    plan.leaseMs = 1000;
    plan.warmMs = 3600000;
    plan.stages.removeAt(4); // 50 %
    plan.stages[2].soakMs = plan.stages[3].soakMs = 300000; // 3 s
    for (PlannedGate& gate : plan.triggers) {
        gate.atLeast = gate.measure == Measure::Complaints ? gate.atLeast : 10; // of some 30
        if (gate.measure == Measure::ErrorProof || gate.measure == Measure::Split) {
            gate.action = GateAction::Record; // seconds of traffic prove nothing
        }
        if (change) {
            change(gate);
        }
    }
    QFile file(m_folder->filePath(QStringLiteral("plan.json")));
    if (!file.open(QIODevice::WriteOnly)) {
        return file.errorString();
    }
    file.write(QJsonDocument(plan.toJson()).toJson());
    file.close();
    Ran ran;
    QElapsedTimer clock;
    clock.start();
    do { // the driver may still be on its way to the lease
        ran = ctl({QStringLiteral("rollout"), QStringLiteral("start"), file.fileName(),
            QStringLiteral("--by"), QStringLiteral("ada")});
    } while (ran.code != 0 && clock.elapsed() < 20000);
    return ran.code == 0 ? QString() : QString::fromUtf8(ran.error);
}

void TestRollout::healthyGoesToTheEnd()
{
    load(200);
    drive();
    QCOMPARE(startPlan(), QString());
    QTRY_VERIFY2_WITH_TIMEOUT(phase() == QLatin1StringView("warm"), seen().constData(), 60000);
    QCOMPARE(split()[QStringLiteral("live")].toString(), QStringLiteral("green"));
    // The map's file goes with it, so that a reload keeps it.
    QFile map(m_stack->status().stateFolder % QStringLiteral("/run/live.map"));
    QVERIFY(map.open(QIODevice::ReadOnly));
    QCOMPARE(map.readAll(), QByteArray("live green\n"));
    // And back, by one command.
    const Ran back = ctl({QStringLiteral("rollout"), QStringLiteral("rollback"),
        QStringLiteral("--json"), QStringLiteral("--reason"), QStringLiteral("drill")});
    QCOMPARE(back.code, 0);
    QCOMPARE(back.json()[QStringLiteral("way")].toString(), QStringLiteral("driver"));
    QTRY_VERIFY2_WITH_TIMEOUT(
        phase() == QLatin1StringView("rolled_back"), seen().constData(), 5000);
    QCOMPARE(split()[QStringLiteral("live")].toString(), QStringLiteral("blue"));
    const LoadResult result = endLoad();
    qint64 failed = 0;
    for (const qint64 count : result.errors) {
        failed += count;
    }
    QVERIFY(result.succeeded > 1000);
    QCOMPARE(failed, 0);
    const Ran replay = ctl({QStringLiteral("rollout"), QStringLiteral("replay"),
        m_stack->status().stateFolder % QStringLiteral("/rollout/rollout.journal"),
        QStringLiteral("--json")});
    QVERIFY2(replay.code == 0, replay.out.constData());
}

void TestRollout::faultIsRolledBack_data()
{
    QTest::addColumn<QByteArray>("fault");
    QTest::addColumn<QString>("trigger");
    QTest::newRow("errors") << QByteArray("errors 0.3") << QStringLiteral("errors");
    QTest::newRow("slowness") << QByteArray("delay 60") << QStringLiteral("slower|response time");
    QTest::newRow("memory") << QByteArray("memory 500000000") << QStringLiteral("memory");
    QTest::newRow("crash") << QByteArray("end 1") << QStringLiteral("no server of green");
}

void TestRollout::faultIsRolledBack()
{
    QFETCH(QByteArray, fault);
    QFETCH(QString, trigger);
    load(200);
    drive();
    QCOMPARE(startPlan(), QString());
    QTRY_VERIFY2_WITH_TIMEOUT(phase() == QLatin1StringView("soaking"), seen().constData(), 40000);
    plant(fault);
    QTRY_VERIFY2_WITH_TIMEOUT(
        phase() == QLatin1StringView("rolled_back"), seen().constData(), 40000);
    const QJsonObject status = split();
    QCOMPARE(status[QStringLiteral("live")].toString(), QStringLiteral("blue"));
    QCOMPARE(status[QStringLiteral("next_share_percent")].toDouble(), 0.0);
    const QString reason = status[QStringLiteral("rollout")]
                               .toObject()[QStringLiteral("state")]
                               .toObject()[QStringLiteral("reason")]
                               .toString();
    QVERIFY2(QRegularExpression(QStringLiteral("rolled back: (more )?(") % trigger % u')')
                 .match(reason)
                 .hasMatch(),
        qPrintable(reason));
    qInfo("%s", qPrintable(reason));
}

void TestRollout::complaintsActByTheirPlan_data()
{
    QTest::addColumn<GateAction>("action");
    QTest::newRow("warns, and goes on") << GateAction::Warn;
    QTest::newRow("rolls back") << GateAction::Rollback;
}

/// Complaints about green, recorded by hand as the console does it.
void TestRollout::complaintsActByTheirPlan()
{
    QFETCH(GateAction, action);
    load(200);
    drive();
    QCOMPARE(startPlan([action](PlannedGate& gate) {
        if (gate.measure == Measure::Complaints) {
            gate.action = action;
        }
    }),
        QString());
    QTRY_VERIFY2_WITH_TIMEOUT(phase() == QLatin1StringView("soaking"), seen().constData(), 40000);
    RedisClient redis;
    redis.open(m_stack->status().environment.redis.host, m_stack->status().environment.redis.port,
        QStringLiteral("lead"), m_stack->status().passwords.value(QStringLiteral("lead")));
    QTRY_COMPARE_WITH_TIMEOUT(redis.state(), RedisClient::State::Connected, 10000);
    FeedbackInbox inbox(&redis, m_folder->filePath(QStringLiteral("inbox.json")));
    int recorded = 0;
    for (int number = 0; number < 15; ++number) {
        FeedbackItem item;
        item.kind = QStringLiteral("complaint");
        item.pool = QStringLiteral("green");
        item.by = QStringLiteral("ada");
        item.note = QStringLiteral("it asks back all the time");
        inbox.record(item, this, [&](const Result<bool>& where) {
            QVERIFY(where.ok());
            QVERIFY(*where); // where the gate counts it
            ++recorded;
        });
    }
    QTRY_COMPARE_WITH_TIMEOUT(recorded, 15, 10000);
    const bool warns = action == GateAction::Warn;
    QTRY_VERIFY2_WITH_TIMEOUT(
        phase() == (warns ? QLatin1StringView("warm") : QLatin1StringView("rolled_back")),
        seen().constData(), 60000);
    QFile log(m_folder->filePath(QStringLiteral("driver.log")));
    QVERIFY(log.open(QIODevice::ReadOnly));
    const QByteArray said = log.readAll();
    QVERIFY2(said.contains(warns ? "warning, complaints: 15 complaints about green"
                                 : "rolling back: complaints: 15 complaints about green"),
        said.constData());
}

/// The whole plan over nginx, which reloads at each share: not one request is lost.
void TestRollout::nginxGoesToTheEnd()
{
    quint16 blue = 0;
    quint16 green = 0;
    for (const WorkerEndpoint& worker : m_stack->status().environment.workers) {
        (worker.pool == QLatin1StringView("blue") ? blue : green) = quint16(worker.url.port());
    }
    test::SplitNginx nginx;
    QVERIFY(nginx.start(blue, green));
    load(200, QUrl(QStringLiteral("http://127.0.0.1:%1").arg(nginx.port())));
    const NginxBalancer::Options& options = nginx.options();
    drive({QStringLiteral("--nginx-split"), options.splitFile, QStringLiteral("--nginx-pid"),
        options.pidFile, QStringLiteral("--nginx-status"), options.status.toString(),
        QStringLiteral("--nginx-log"), options.accessLog});
    // HAProxy's counters say nothing of this traffic: the driver's own count of nginx's log and
    // the workers' metrics are what may act.
    QCOMPARE(startPlan([](PlannedGate& gate) {
        if (gate.measure != Measure::LatencyRatio && gate.measure != Measure::Memory) {
            gate.action = GateAction::Record;
        }
    }),
        QString());
    QTRY_VERIFY2_WITH_TIMEOUT(phase() == QLatin1StringView("warm"), seen().constData(), 60000);
    QFile split(options.splitFile);
    QVERIFY(split.open(QIODevice::ReadOnly));
    const QByteArray text = split.readAll();
    QVERIFY2(text.contains("green"), text.constData());
    const LoadResult result = endLoad();
    qint64 failed = 0;
    for (const qint64 count : result.errors) {
        failed += count;
    }
    qInfo("%lld answered, %lld failed", static_cast<long long>(result.succeeded),
        static_cast<long long>(failed));
    QVERIFY(result.succeeded > 1000);
    QCOMPARE(failed, 0);
}

quint64 TestRollout::greenRequests()
{
    QLocalSocket socket;
    socket.connectToServer(m_stack->status().statsSocket);
    if (!socket.waitForConnected(1000)) {
        return 0;
    }
    socket.write("show stat\n");
    QByteArray text;
    while (socket.waitForReadyRead(1000)) {
        text += socket.readAll();
    }
    QList<QByteArray> columns;
    for (const QByteArray& line : text.split('\n')) {
        const QList<QByteArray> fields = line.split(',');
        if (line.startsWith("# ")) {
            columns = line.mid(2).split(',');
        } else if (fields.value(0) == "green" && fields.value(1) == "BACKEND") {
            return fields.value(columns.indexOf("req_tot")).toULongLong();
        }
    }
    return 0;
}

void TestRollout::frozenAndKilledDriver()
{
    load(200);
    drive();
    QCOMPARE(startPlan(), QString());
    QTRY_VERIFY2_WITH_TIMEOUT(phase() == QLatin1StringView("soaking"), seen().constData(), 40000);
    // Frozen: the balancer itself takes the share back when the lease (1 s) has run out.
    QCOMPARE(::kill(pid_t(m_driver->processId()), SIGSTOP), 0);
    QTRY_VERIFY_WITH_TIMEOUT(
        split()[QStringLiteral("lease_until_ms")].toInteger() < QDateTime::currentMSecsSinceEpoch(),
        10000);
    const quint64 before = greenRequests();
    QTest::qWait(500);
    QCOMPARE(greenRequests(), before);
    // Killed, and started anew: it goes on where it was, and the share comes back.
    m_driver->kill();
    QVERIFY(m_driver->waitForFinished(5000));
    drive();
    QTRY_VERIFY_WITH_TIMEOUT(greenRequests() > before, 20000);
    QVERIFY(phase() != QStringLiteral("rolled_back"));
    qint64 failed = 0;
    for (const qint64 count : endLoad().errors) {
        failed += count;
    }
    QCOMPARE(failed, 0);
}

void TestRollout::rollbackWithoutRedisOrDriver()
{
    load(200);
    drive();
    QCOMPARE(startPlan(), QString());
    QTRY_VERIFY2_WITH_TIMEOUT(phase() == QLatin1StringView("soaking"), seen().constData(), 40000);
    QCOMPARE(::kill(pid_t(m_stack->part(QStringLiteral("redis")).pid), SIGKILL), 0);
    const Ran back =
        ctl({QStringLiteral("rollout"), QStringLiteral("rollback"), QStringLiteral("--json")});
    QVERIFY2(back.code == 0, back.error.constData());
    QCOMPARE(back.json()[QStringLiteral("way")].toString(), QStringLiteral("driver"));
    QCOMPARE(back.json()[QStringLiteral("next_share_percent")].toDouble(), 0.0);
    m_driver->kill();
    QVERIFY(m_driver->waitForFinished(5000));
    const Ran direct =
        ctl({QStringLiteral("rollout"), QStringLiteral("rollback"), QStringLiteral("--json")});
    QVERIFY2(direct.code == 0, direct.error.constData());
    QCOMPARE(direct.json()[QStringLiteral("way")].toString(), QStringLiteral("balancer"));
    // From the decision in the journal to the order that HAProxy has: milliseconds.
    const auto entries = FileJournal::read(
        m_stack->status().stateFolder % QStringLiteral("/rollout/rollout.journal"));
    QVERIFY(entries.ok());
    QVERIFY(entries->size() > 5);
    const auto at = [](const JournalEntry& entry) {
        return entry.body[QStringLiteral("event")].toObject()[QStringLiteral("at_ms")].toInteger();
    };
    const JournalEntry& applied = entries->at(entries->size() - 1);
    const JournalEntry& decided = entries->at(entries->size() - 2);
    QCOMPARE(applied.mark, QStringLiteral("APPLIED"));
    QCOMPARE(decided.mark, QStringLiteral("INTENT"));
    qInfo("decided, written, told and read back in %lld ms",
        static_cast<long long>(at(applied) - at(decided)));
}

QTEST_GUILESS_MAIN(TestRollout)
#include "tst_rollout.moc"

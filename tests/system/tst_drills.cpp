#include "engine/operations/loadtest/loadrun.h"
#include "tests/support/stackfixture.h"
#include "tests/support/testcase.h"

#include <QTimer>
#include <csignal>

using namespace sluice;
using namespace sluice::ops;

/// Servers killed, stopped and restarted under 100 requests a second: what the clients see of it.
class TestDrills : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void cleanup();
    void workerKilled();
    void workerEndsRegularly();
    void workerHangs();
    void wholePoolKilled();
    void redisHangs();
    void redisKilled();
    void prometheusKilled();

private:
    /// 12 s of load; `drill` runs after 3 s. The result, with a line of it printed.
    std::optional<LoadResult> underLoad(const std::function<void()>& drill);
    void signal(const char* name, int number)
    {
        const qint64 pid = m_stack->part(QString::fromLatin1(name)).pid;
        QVERIFY(pid > 0);
        QCOMPARE(::kill(pid_t(pid), number), 0);
    }
    static double errorShare(const LoadResult& result)
    {
        return 1 - double(result.succeeded) / double(result.scheduled);
    }
    std::unique_ptr<test::StackFixture> m_stack;
};

void TestDrills::init()
{
    failOnWarnings();
    m_stack = std::make_unique<test::StackFixture>();
    QVERIFY2(m_stack->up(), qPrintable(m_stack->lastError()));
}

void TestDrills::cleanup()
{
    QVERIFY(m_stack->down());
    m_stack.reset();
}

std::optional<LoadResult> TestDrills::underLoad(const std::function<void()>& drill)
{
    const auto scenario = Scenario::constant(QStringLiteral("drill"), 100, 100, 12);
    LoadRun run;
    std::optional<LoadResult> result;
    connect(&run, &LoadRun::finished, this, [&](const LoadResult& end) { result = end; });
    if (!run.start(scenario, m_stack->status().environment.balancer)) {
        return {};
    }
    QTimer::singleShot(3000, this, drill);
    if (!QTest::qWaitFor([&] { return result.has_value(); }, 60000)) {
        return {};
    }
    QStringList kinds;
    for (auto error = result->errors.begin(); error != result->errors.end(); ++error) {
        kinds << QStringLiteral("%1 %2").arg(error.value()).arg(error.key());
    }
    qInfo("%lld of %lld answered; p95 %.1f ms, p99 %.1f ms, longest %.0f ms%s%s",
        static_cast<long long>(result->succeeded), static_cast<long long>(result->scheduled),
        result->p95Ms, result->p99Ms, result->maxMs, kinds.isEmpty() ? "" : "; ",
        qPrintable(kinds.join(QStringLiteral(", "))));
    return result;
}

void TestDrills::workerKilled()
{
    const qint64 before = m_stack->part(QStringLiteral("blue-1")).pid;
    const auto result = underLoad([this] { signal("blue-1", SIGKILL); });
    QVERIFY(result);
    QVERIFY(errorShare(*result) < 0.01); // retried elsewhere; what was in flight may be lost
    const StackPart after = m_stack->part(QStringLiteral("blue-1"));
    QVERIFY(after.pid != before);
    QCOMPARE(after.state, PartState::Healthy);
}

void TestDrills::workerEndsRegularly()
{
    const auto result = underLoad([this] { signal("blue-1", SIGTERM); });
    QVERIFY(result);
    QCOMPARE(result->succeeded, result->scheduled); // it drains: nobody notices
}

void TestDrills::workerHangs()
{
    const auto result = underLoad([this] {
        signal("blue-1", SIGSTOP);
        QTimer::singleShot(4000, this, [this] { signal("blue-1", SIGCONT); });
    });
    QVERIFY(result);
    QVERIFY(errorShare(*result) < 0.01);
    QVERIFY(result->p99Ms < 2500); // taken out within a second, its queries asked elsewhere
}

void TestDrills::wholePoolKilled()
{
    const auto result = underLoad([this] {
        signal("blue-1", SIGKILL);
        signal("blue-2", SIGKILL);
    });
    QVERIFY(result);
    QVERIFY(errorShare(*result) < 0.01); // green takes over until blue is back
}

void TestDrills::redisHangs()
{
    const auto result = underLoad([this] {
        signal("redis", SIGSTOP);
        QTimer::singleShot(4000, this, [this] { signal("redis", SIGCONT); });
    });
    QVERIFY(result);
    QCOMPARE(result->succeeded, result->scheduled); // without context for a while, but answered
    QVERIFY(result->p99Ms < 200);
}

void TestDrills::redisKilled()
{
    const auto result = underLoad([this] { signal("redis", SIGKILL); });
    QVERIFY(result);
    QCOMPARE(result->succeeded, result->scheduled);
}

void TestDrills::prometheusKilled()
{
    const auto result = underLoad([this] { signal("prometheus", SIGKILL); });
    QVERIFY(result);
    QCOMPARE(result->succeeded, result->scheduled);
}

QTEST_GUILESS_MAIN(TestDrills)
#include "tst_drills.moc"

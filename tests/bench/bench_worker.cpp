#include "engine/operations/loadtest/loadrun.h"
#include "tests/support/stackfixture.h"

#include <QCoreApplication>
#include <QElapsedTimer>
#include <QEventLoop>
#include <QTimer>
#include <fmt/format.h>

using namespace sluice;
using namespace sluice::ops;

namespace {

std::optional<LoadResult> load(const QUrl& target, double rate, double seconds)
{
    const auto scenario = Scenario::constant(QStringLiteral("bench"), 500, rate, seconds);
    LoadRun run;
    std::optional<LoadResult> result;
    QEventLoop loop;
    QObject::connect(&run, &LoadRun::finished, &loop, [&](const LoadResult& end) {
        result = end;
        loop.quit();
    });
    if (!run.start(scenario, target)) {
        return {};
    }
    QTimer::singleShot(int(seconds * 1000) + 60000, &loop, &QEventLoop::quit);
    loop.exec();
    return result;
}

void rates(const char* name, const QUrl& target)
{
    fmt::print("{}\n", name);
    for (const double rate : {50.0, 200.0, 500.0, 2000.0, 5000.0}) {
        const auto result = load(target, rate, 8);
        if (!result) {
            fmt::print("  {:6.0f}/s no result\n", rate);
            continue;
        }
        fmt::print(
            "  {:6.0f}/s asked, {:7.1f}/s answered, errors {}, p50 {:.2f} ms, p95 {:.2f} ms, "
            "p99 {:.2f} ms{}\n",
            rate, result->achievedRate, result->scheduled - result->succeeded, result->p50Ms,
            result->p95Ms, result->p99Ms,
            result->generatorLimited ? " (the generator was the limit)" : "");
    }
}

} // namespace

int main(int argc, char** argv)
{
    const QCoreApplication app(argc, argv);
    test::StackFixture stack;
    QElapsedTimer clock;
    clock.start();
    if (!stack.up()) {
        fmt::print("{}\n", stack.lastError().toStdString());
        return 1;
    }
    fmt::print("local stack healthy after {:.2f} s\n", double(clock.elapsed()) / 1000);
    rates("one worker, asked directly (generator and worker share this machine)",
        stack.status().environment.workers.value(0).url);
    rates("through HAProxy, two workers in the live pool", stack.status().environment.balancer);
    for (const StackPart& part : stack.status().parts) {
        fmt::print("  {:12} {:7.1f} MiB resident\n", part.name.toStdString(),
            double(test::residentBytes(part.pid)) / (1 << 20));
    }
    return 0;
}

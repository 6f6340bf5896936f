#include "tests/bench/benchworker.h"
#include "tests/support/httpload.h"
#include "tests/support/redisserver.h"

#include <QCoreApplication>
#include <QFile>
#include <QTcpSocket>
#include <QThread>
#include <algorithm>
#include <boost/json.hpp>
#include <fmt/format.h>
#include <map>
#include <random>

using namespace sluice::test;

/// What pooling, pipelining, prepared patterns and the result cache gain: the same binary with
/// tests/bench/plain.json, and without it, on the same traffic. Then how workers add up.
namespace {

/// The bundled queries, asked as often as Zipf's law has it (exponent 1), by 1,000 sessions.
std::vector<std::string> traffic(bool sessions)
{
    std::vector<std::string> texts;
    QFile file(QStringLiteral(SLUICE_SOURCE_DIR "/resources/helpdesk/queries.jsonl"));
    if (!file.open(QIODevice::ReadOnly)) {
        return {};
    }
    while (!file.atEnd()) {
        const QByteArray line = file.readLine();
        texts.emplace_back(
            boost::json::parse({line.data(), std::size_t(line.size())}).at("text").as_string());
    }
    std::vector<double> weights;
    for (std::size_t rank = 1; rank <= texts.size(); ++rank) {
        weights.push_back(1.0 / double(rank));
    }
    std::mt19937 random(5);
    std::shuffle(texts.begin(), texts.end(), random);
    std::discrete_distribution<std::size_t> zipf(weights.begin(), weights.end());
    std::vector<std::string> all;
    for (int index = 0; index < 20000; ++index) {
        all.push_back(classifyRequest(
            texts[zipf(random)], sessions ? "plain-" + std::to_string(random() % 1000) : ""));
    }
    return all;
}

/// Named numbers of a text of lines "name:value" or "name value".
std::map<QByteArray, double> numbersOf(const QByteArray& text, char separator)
{
    std::map<QByteArray, double> found;
    for (const QByteArray& line : text.split('\n')) {
        const qsizetype at = line.lastIndexOf(separator);
        if (at > 0) {
            found[line.left(at)] = line.mid(at + 1).trimmed().toDouble();
        }
    }
    return found;
}

std::map<QByteArray, double> metricsOf(const BenchWorker& worker)
{
    QTcpSocket socket;
    socket.connectToHost(QStringLiteral("127.0.0.1"), worker.port());
    QByteArray text;
    if (socket.waitForConnected(2000)) {
        socket.write("GET /metrics HTTP/1.1\r\nHost: bench\r\nConnection: close\r\n\r\n");
        while (socket.waitForReadyRead(2000)) {
            text += socket.readAll();
        }
    }
    return numbersOf(text, ' ');
}

struct Figures
{
    double capacity = 0; ///< requests a second, closed loop
    double aCpuSecond = 0;
    double p50 = 0; ///< ms at 200 requests/s
    double p99 = 0;
    double cpuShare = 0; ///< of a core at 500 requests/s
    double roundTrips = 0; ///< Redis' reads from its sockets, a request
    double connects = 0; ///< connections to Redis, a request
    double resident = 0; ///< MiB
    double hits = 0; ///< share
};

Figures measure(const RedisServer& redis, const QStringList& arguments)
{
    Figures found;
    const BenchWorker worker(
        QStringList{QStringLiteral("--redis-port"), QString::number(redis.port())} + arguments);
    QThread::msleep(500);
    HttpLoad load;
    load.port = worker.port();
    load.requests = traffic(true);
    load.seconds = 2;
    runHttpLoad(load);
    load.seconds = 5;
    double before = worker.cpuSeconds();
    const auto info = [&] {
        return numbersOf(redis.cli({QStringLiteral("INFO"), QStringLiteral("stats")}), ':');
    };
    const auto statsBefore = info();
    const HttpLoadResult closed = runHttpLoad(load);
    const auto stats = info();
    const auto each = [&](const char* name) {
        return (stats.at(name) - statsBefore.at(name))
            / double(std::max<std::uint64_t>(closed.good, 1));
    };
    found.roundTrips = each("total_reads_processed");
    found.connects = each("total_connections_received");
    found.capacity = closed.goodRate();
    found.aCpuSecond = double(closed.good) / (worker.cpuSeconds() - before);
    load.rate = 200;
    load.seconds = 8;
    const HttpLoadResult paced = runHttpLoad(load);
    found.p50 = paced.percentile(0.5);
    found.p99 = paced.percentile(0.99);
    load.rate = 500;
    before = worker.cpuSeconds();
    runHttpLoad(load);
    found.cpuShare = (worker.cpuSeconds() - before) / load.seconds;
    found.resident = worker.residentMiB();
    const auto metrics = metricsOf(worker);
    const auto counted = [&metrics](const QByteArray& name) {
        const auto at = metrics.lower_bound(name);
        return at == metrics.end() || !at->first.startsWith(name) ? 0.0 : at->second;
    };
    const double hits = counted("sluice_cache_hits_total");
    found.hits = hits / std::max(1.0, hits + counted("sluice_cache_misses_total"));
    return found;
}

void compare()
{
    RedisServer redis;
    if (!redis.start()) {
        fmt::print("no redis-server: nothing is compared\n");
        return;
    }
    const QString plainFile = QStringLiteral(SLUICE_SOURCE_DIR "/tests/bench/plain.json");
    const Figures plain = measure(redis, {QStringLiteral("--config"), plainFile});
    const Figures ours = measure(redis, {});
    fmt::print("bundled queries by Zipf(1.0), 1,000 sessions read and written in Redis\n");
    fmt::print("{:44} {:>10} {:>10} {:>8}\n", "", "plain.json", "as it is", "ratio");
    const auto row = [](const char* name, double before, double after, const char* unit) {
        fmt::print("{:44} {:10.2f} {:10.2f} {:>8} {}\n", name, before, after,
            before == 0 ? "-" : fmt::format("{:.3f}", after / before), unit);
    };
    row("requests a second, closed loop, 64 at once", plain.capacity, ours.capacity, "");
    row("requests a CPU-second of the worker", plain.aCpuSecond, ours.aCpuSecond, "");
    row("p50 from the schedule at 200/s", plain.p50, ours.p50, "ms");
    row("p99 from the schedule at 200/s", plain.p99, ours.p99, "ms");
    row("processor at 500/s", 100 * plain.cpuShare, 100 * ours.cpuShare, "% of a core");
    row("reads by Redis a request (round trips)", plain.roundTrips, ours.roundTrips, "");
    row("connections to Redis a request", plain.connects, ours.connects, "");
    row("resident", plain.resident, ours.resident, "MiB");
    row("hits of the result cache", 100 * plain.hits, 100 * ours.hits, "%");
}

/// One to four worker processes, each loaded by a thread of its own.
void scale(bool sessions)
{
    RedisServer redis;
    if (!redis.start()) {
        return;
    }
    fmt::print("workers side by side, {}\n", sessions ? "sessions in Redis" : "no sessions");
    const std::vector<std::string> asked = traffic(sessions);
    for (int count = 1; count <= 4; ++count) {
        std::vector<std::unique_ptr<BenchWorker>> workers;
        for (int index = 0; index < count; ++index) {
            workers.push_back(std::make_unique<BenchWorker>(
                QStringList{QStringLiteral("--redis-port"), QString::number(redis.port())}));
        }
        QThread::msleep(500);
        std::vector<HttpLoadResult> results(workers.size());
        std::vector<std::unique_ptr<QThread>> threads;
        double before = 0;
        for (const auto& worker : workers) {
            before += worker->cpuSeconds();
        }
        for (std::size_t index = 0; index < workers.size(); ++index) {
            threads.emplace_back(QThread::create([&, index] {
                HttpLoad load;
                load.port = workers[index]->port();
                load.requests = asked;
                load.seconds = 5;
                load.connections = 64 / workers.size();
                results[index] = runHttpLoad(load);
            }));
            threads.back()->start();
        }
        for (const auto& thread : threads) {
            thread->wait();
        }
        double after = 0;
        for (const auto& worker : workers) {
            after += worker->cpuSeconds();
        }
        double rate = 0;
        double good = 0;
        double p99 = 0;
        for (const HttpLoadResult& result : results) {
            rate += result.goodRate();
            good += double(result.good);
            p99 = std::max(p99, result.percentile(0.99));
        }
        fmt::print("  {} worker{} {:8.0f} requests/s, p99 {:6.2f} ms, {:8.0f} a CPU-second\n",
            count, count == 1 ? ", " : "s,", rate, p99, good / (after - before));
    }
}

} // namespace

int main(int argc, char** argv)
{
    const QCoreApplication app(argc, argv);
    compare();
    scale(false);
    scale(true);
    return 0;
}

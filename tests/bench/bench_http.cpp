#include "tests/bench/benchworker.h"
#include "tests/support/httpload.h"
#include "tests/support/redisserver.h"

#include <QCoreApplication>
#include <QThread>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

using namespace sluice::test;

namespace {

const QStringList noCache{QStringLiteral("--cache-mb"), QStringLiteral("0")};

const std::vector<std::string> texts{"where is my parcel A-2231?", "cancel my order please",
    "I want my money back", "how do I reset my password", "the app crashes when I open it",
    "can I talk to a human", "what are your opening hours", "change my delivery address to Berlin",
    "my invoice is wrong", "do you ship to Norway"};

std::vector<std::string> requests(std::size_t sessions)
{
    std::vector<std::string> all;
    for (std::size_t index = 0; index < std::max<std::size_t>(sessions, texts.size()); ++index) {
        all.push_back(classifyRequest(
            texts[index % texts.size()], sessions == 0 ? "" : "bench-" + std::to_string(index)));
    }
    return all;
}

/// Queries of some 1,000 characters: the worker takes so long for one that the generator can offer
/// twice what it can.
std::vector<std::string> longRequests(std::size_t sessions)
{
    std::vector<std::string> all;
    for (std::size_t index = 0; index < 1000; ++index) {
        std::string text;
        for (std::size_t part = index; text.size() < 1000; ++part) {
            text += texts[part % texts.size()];
            text += ' ';
        }
        all.push_back(classifyRequest(
            text, sessions == 0 ? "" : "bench-" + std::to_string(index % sessions)));
    }
    return all;
}

/// Requests a second of the worker's processor time, and answered a second.
double capacity(const char* name, const BenchWorker& worker, std::vector<std::string> asked)
{
    HttpLoad load;
    load.port = worker.port();
    load.requests = std::move(asked);
    load.seconds = 1;
    runHttpLoad(load);
    load.seconds = 5;
    const double before = worker.cpuSeconds();
    const HttpLoadResult result = runHttpLoad(load);
    const double used = worker.cpuSeconds() - before;
    fmt::print("{:42} {:8.0f} a CPU-second, {:8.0f}/s answered, p99 {:.2f} ms, {} wrong\n", name,
        double(result.good) / used, result.goodRate(), result.percentile(0.99),
        result.wrong + result.failed + result.shed);
    return result.goodRate();
}

void overload(
    const char* name, const BenchWorker& worker, std::vector<std::string> asked, double able)
{
    HttpLoad load;
    load.port = worker.port();
    load.requests = std::move(asked);
    load.rate = 2 * able;
    load.connections = 2000;
    load.seconds = 8;
    const HttpLoadResult result = runHttpLoad(load);
    fmt::print("{:42} {:8.0f}/s offered, {:.0f}/s sent, good {:8.0f}/s = {:.0f} % of what it can, "
               "p50 {:.1f} ms, p99 of the accepted {:.1f} ms, shed {}, failed {}\n",
        name, load.rate, double(result.scheduled) / result.seconds, result.goodRate(),
        100 * result.goodRate() / able, result.percentile(0.5), result.percentile(0.99),
        result.shed, result.wrong + result.failed);
}

void idleConnections(const BenchWorker& worker, std::size_t count)
{
    HttpLoad warm;
    warm.port = worker.port();
    warm.requests = requests(0);
    warm.seconds = 1;
    runHttpLoad(warm);
    const double before = worker.residentMiB();
    const std::string request = classifyRequest("hello");
    std::vector<int> open;
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(worker.port());
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    std::size_t answered = 0;
    for (std::size_t index = 0; index < count; ++index) {
        const int one = ::socket(AF_INET, SOCK_STREAM, 0);
        char answer[4096];
        if (::connect(one, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0
            && ::send(one, request.data(), request.size(), MSG_NOSIGNAL) > 0
            && ::recv(one, answer, sizeof answer, 0) > 0) {
            ++answered; // each has asked something, and is kept alive
        }
        open.push_back(one);
    }
    fmt::print("{:6} idle connections ({} were answered) add {:.1f} MiB to {:.1f} MiB\n", count,
        answered, worker.residentMiB() - before, before);
    for (const int one : open) {
        ::close(one);
    }
}

} // namespace

int main(int argc, char** argv)
{
    const QCoreApplication app(argc, argv);
    fmt::print("one worker, help-desk model, fast tier, no result cache; generator on the other "
               "core\n");
    {
        const BenchWorker worker(noCache);
        capacity("GET /healthz", worker, {"GET /healthz HTTP/1.1\r\nHost: bench\r\n\r\n"});
        const double able = capacity("classify, no session", worker, requests(0));
        overload("classify, no session, twice that", worker, requests(0), able);
        const double longOnes = capacity("long queries", worker, longRequests(0));
        overload("long queries, twice that", worker, longRequests(0), longOnes);
        capacity("classify, 1,000 sessions in memory", worker, requests(1000));
    }
    RedisServer redis;
    if (redis.start()) {
        const BenchWorker worker(
            noCache + QStringList{QStringLiteral("--redis-port"), QString::number(redis.port())});
        QThread::msleep(500);
        const double able = capacity("classify, 1,000 sessions in Redis", worker, requests(1000));
        overload("classify, sessions in Redis, twice that", worker, requests(1000), able);
        const double longOnes = capacity("long queries, sessions", worker, longRequests(1000));
        overload("long queries, sessions, twice that", worker, longRequests(1000), longOnes);
    }
    for (const std::size_t count : {5000, 10000}) {
        const BenchWorker worker(noCache);
        idleConnections(worker, count);
    }
    return 0;
}

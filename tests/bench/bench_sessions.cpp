#include "tests/support/redisserver.h"
#include "tests/support/stackfixture.h"

#include <QCoreApplication>
#include <QFile>
#include <QProcess>
#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <cmath>
#include <fmt/format.h>
#include <memory>
#include <random>
#include <string>
#include <unistd.h>
#include <vector>

// What a request costs a worker in processor time: a closed loop of connections, each asking one
// query after the other; requests by the worker's own processor seconds. Then where results are
// best cached, on Zipf(1.0) traffic.
using namespace sluice;
namespace asio = boost::asio;
using tcp = asio::ip::tcp;
using Clock = std::chrono::steady_clock;

namespace {

/// User and system time of a process, seconds.
double cpuSeconds(qint64 pid)
{
    QFile file(QStringLiteral("/proc/%1/stat").arg(pid));
    if (!file.open(QIODevice::ReadOnly)) {
        return 0;
    }
    const QByteArray text = file.readAll();
    const auto fields = text.mid(text.lastIndexOf(')') + 2).split(' ');
    return (fields.value(11).toDouble() + fields.value(12).toDouble())
        / double(::sysconf(_SC_CLK_TCK));
}

/// Ranks from 0 with probabilities 1 / (rank + 1): by inversion of the cumulated ones.
class Zipf
{
public:
    explicit Zipf(std::size_t size)
    {
        double sum = 0;
        for (std::size_t rank = 0; rank < size; ++rank) {
            m_cumulated.push_back(sum += 1.0 / double(rank + 1));
        }
    }
    template <typename Random> std::size_t operator()(Random& random) const
    {
        std::uniform_real_distribution<double> uniform(0, m_cumulated.back());
        return std::size_t(std::lower_bound(m_cumulated.begin(), m_cumulated.end(), uniform(random))
            - m_cumulated.begin());
    }

private:
    std::vector<double> m_cumulated;
};

struct Traffic
{
    bool sessions = true;
    std::size_t sessionCount = 2000;
    bool byZipf = false; ///< queries; else all alike often
    bool affinity = true; ///< a session always meets the same worker
    const char* context = "use"; ///< where there are sessions
    std::size_t variants = 1; ///< of every query: numbers behind it
};

std::vector<std::string> readQueries()
{
    std::vector<std::string> queries;
    QFile file(QStringLiteral(SLUICE_BINARY_DIR "/share/sluice/queries.jsonl"));
    if (file.open(QIODevice::ReadOnly)) {
        for (const QByteArray& line : file.readAll().split('\n')) {
            const qsizetype at = line.indexOf("\"text\":");
            const qsizetype begin = line.indexOf('"', at + 7);
            const qsizetype end = line.indexOf('"', begin + 1);
            if (at >= 0 && end > begin && !line.mid(begin, end - begin).contains('\\')) {
                queries.push_back(line.mid(begin + 1, end - begin - 1).toStdString());
            }
        }
    }
    return queries;
}

class Client : public std::enable_shared_from_this<Client>
{
public:
    Client(asio::io_context& loop, const std::vector<std::uint16_t>& ports, const Traffic& traffic,
        const std::vector<std::string>& queries, const Zipf& zipf, unsigned seed,
        std::uint64_t& answered)
        : m_traffic(traffic)
        , m_queries(queries)
        , m_zipf(zipf)
        , m_answered(answered)
        , m_random(seed)
    {
        for (const std::uint16_t port : ports) {
            m_sockets.emplace_back(loop);
            m_sockets.back().connect({asio::ip::address_v4::loopback(), port});
            m_sockets.back().set_option(tcp::no_delay(true));
        }
    }

    void ask()
    {
        const std::size_t query = m_traffic.byZipf
            ? m_zipf(m_random)
            : m_random() % (m_queries.size() * m_traffic.variants);
        const std::size_t variant = query / m_queries.size();
        const std::size_t session = m_random() % m_traffic.sessionCount;
        const std::string body =
            fmt::format(R"({{"text":"{}{}","context":"{}"}})", m_queries[query % m_queries.size()],
                variant == 0 ? std::string() : fmt::format(" {}", variant),
                m_traffic.sessions ? m_traffic.context : "none");
        m_request = fmt::format("POST /v1/classify HTTP/1.1\r\nHost: x\r\nX-Session-Id: s{}\r\n"
                                "Content-Length: {}\r\n\r\n{}",
            session, body.size(), body);
        m_socket = &m_sockets[(m_traffic.affinity ? session : m_random()) % m_sockets.size()];
        asio::async_write(*m_socket, asio::buffer(m_request),
            [self = shared_from_this()](const boost::system::error_code& code, std::size_t) {
                if (!code) {
                    self->read();
                }
            });
    }

private:
    void read()
    {
        m_socket->async_read_some(asio::buffer(m_bytes),
            [self = shared_from_this()](const boost::system::error_code& code, std::size_t got) {
                if (!code) {
                    self->onRead(got);
                }
            });
    }

    void onRead(std::size_t got)
    {
        m_response.append(m_bytes.data(), got);
        const std::size_t head = m_response.find("\r\n\r\n");
        if (head != std::string::npos) {
            const std::size_t at = m_response.find("Content-Length: ");
            const auto length = std::strtoull(m_response.c_str() + at + 16, nullptr, 10);
            if (m_response.size() >= head + 4 + length) {
                m_answered += m_response.compare(9, 3, "200") == 0 ? 1 : 0;
                m_response.clear();
                ask();
                return;
            }
        }
        read();
    }

    const Traffic& m_traffic;
    const std::vector<std::string>& m_queries;
    const Zipf& m_zipf;
    std::uint64_t& m_answered;
    std::minstd_rand m_random;
    std::vector<tcp::socket> m_sockets;
    tcp::socket* m_socket = nullptr;
    std::string m_request;
    std::string m_response;
    std::array<char, 16384> m_bytes;
};

struct Figures
{
    double perSecond = 0;
    double perCpuSecond = 0;
    double hitShare = 0;
};

class Worker
{
public:
    explicit Worker(const QStringList& arguments)
    {
        m_process.start(
            QStringLiteral("%1/sluiced")
                .arg(qEnvironmentVariable("SLUICE_BIN", QStringLiteral(SLUICE_BINARY_DIR "/bin"))),
            QStringList{QStringLiteral("--log-level"), QStringLiteral("error")} + arguments);
        m_process.waitForReadyRead(10000);
        m_port = m_process.readLine().trimmed().toUShort();
    }
    ~Worker()
    {
        m_process.terminate();
        m_process.waitForFinished(10000);
    }
    std::uint16_t port() const { return m_port; }
    qint64 pid() const { return m_process.processId(); }

private:
    QProcess m_process;
    std::uint16_t m_port = 0;
};

/// Of all workers together.
double metric(const std::vector<std::unique_ptr<Worker>>& workers, const std::string& name)
{
    double sum = 0;
    for (const auto& worker : workers) {
        asio::io_context loop;
        tcp::socket socket(loop);
        socket.connect({asio::ip::address_v4::loopback(), worker->port()});
        asio::write(socket,
            asio::buffer(
                std::string("GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")));
        std::string text;
        boost::system::error_code ended;
        asio::read(socket, asio::dynamic_buffer(text), ended);
        const std::size_t at = text.find("\n" + name + "{");
        const std::size_t value = text.find("} ", at);
        sum += at == std::string::npos ? 0 : std::strtod(text.c_str() + value + 2, nullptr);
    }
    return sum;
}

Figures measure(const std::vector<std::unique_ptr<Worker>>& workers, const Traffic& traffic,
    int connections, double seconds)
{
    static const std::vector<std::string> queries = readQueries();
    const Zipf zipf(queries.size() * traffic.variants);
    asio::io_context loop;
    std::vector<std::uint16_t> ports;
    for (const auto& worker : workers) {
        ports.push_back(worker->port());
    }
    std::uint64_t answered = 0;
    for (int index = 0; index < connections; ++index) {
        std::make_shared<Client>(loop, ports, traffic, queries, zipf, unsigned(index + 1), answered)
            ->ask();
    }
    const auto cpu = [&workers] {
        double sum = 0;
        for (const auto& worker : workers) {
            sum += cpuSeconds(worker->pid());
        }
        return sum;
    };
    const auto run = [&loop](double time) {
        loop.run_for(
            std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(time)));
    };
    run(1);
    const std::uint64_t before = answered;
    const double cpuBefore = cpu();
    const auto start = Clock::now();
    run(seconds);
    Figures figures;
    const double passed = std::chrono::duration<double>(Clock::now() - start).count();
    figures.perSecond = double(answered - before) / passed;
    figures.perCpuSecond = double(answered - before) / std::max(cpu() - cpuBefore, 1e-9);
    const double hits = metric(workers, "sluice_cache_hits_total");
    const double misses = metric(workers, "sluice_cache_misses_total");
    figures.hitShare = hits / std::max(hits + misses, 1.0);
    return figures;
}

void cost(const char* name, const Traffic& traffic, const QStringList& arguments)
{
    std::vector<std::unique_ptr<Worker>> workers;
    workers.push_back(std::make_unique<Worker>(arguments));
    const Figures figures = measure(workers, traffic, 64, 5);
    fmt::print("{:44} {:8.0f} requests a worker CPU-second, {:8.0f} a second, {:5.1f} MiB\n", name,
        figures.perCpuSecond, figures.perSecond,
        double(test::residentBytes(workers[0]->pid())) / (1 << 20));
    std::fflush(stdout);
}

/// Four workers on Zipf(1.0) traffic.
void placement(const char* name, const Traffic& traffic, const QStringList& arguments)
{
    std::vector<std::unique_ptr<Worker>> workers;
    for (int index = 0; index < 4; ++index) {
        workers.push_back(std::make_unique<Worker>(arguments));
    }
    const Figures figures = measure(workers, traffic, 64, 5);
    fmt::print("{:52} {:5.1f} % hits, {:6.1f} us of processor time a request\n", name,
        100 * figures.hitShare, 1e6 / figures.perCpuSecond);
    std::fflush(stdout);
}

} // namespace

int main(int argc, char** argv)
{
    const QCoreApplication app(argc, argv);
    QStringList models = app.arguments().mid(1); ///< besides the bundled one
    models.prepend({});
    test::RedisServer redis;
    if (!redis.start()) {
        fmt::print("{}\n", redis.lastError().toStdString());
        return 1;
    }
    const QStringList withRedis{QStringLiteral("--redis-port"), QString::number(redis.port())};
    const QStringList noCache{QStringLiteral("--cache-mb"), QStringLiteral("0")};
    const QStringList noLog{QStringLiteral("--set"), QStringLiteral("decision_log.share=0")};
    cost("no sessions, no cache", {false, 2000, false}, noCache);
    cost("no sessions, cached", {false, 2000, true}, {});
    cost("sessions in Redis, no cache, no log", {true, 2000, false}, withRedis + noCache + noLog);
    cost("sessions in Redis, no cache, log of 10 %", {true, 2000, false}, withRedis + noCache);
    cost("sessions in Redis, cached", {true, 2000, true}, withRedis);

    fmt::print(
        "where results are best cached: 4 workers, Zipf(1.0) over 100 variants of each query\n");
    Traffic traffic;
    traffic.byZipf = true;
    traffic.variants = 100;
    for (const QString& model : models) {
        const QStringList with = withRedis + noLog
            + (model.isEmpty() ? QStringList() : QStringList{QStringLiteral("--model"), model});
        fmt::print("{}\n", model.isEmpty() ? "the bundled fast model" : model.toStdString());
        traffic.affinity = false;
        placement("no cache", traffic, with + noCache);
        placement("per process, any worker", traffic, with);
        traffic.affinity = true;
        placement("per process, by session", traffic, with);
    }
    // A second level in Redis costs each miss of the first at least one more round trip.
    Traffic none;
    none.sessions = false;
    Traffic nil;
    nil.context = "read_only";
    nil.sessionCount = 1000000000;
    placement("what a round trip costs: without", none, withRedis + noCache + noLog);
    placement(
        "what a round trip costs: with one, finding nothing", nil, withRedis + noCache + noLog);
    return 0;
}

#include "tests/support/redisserver.h"
#include "tests/support/stackfixture.h"

#include <QCoreApplication>
#include <QFile>
#include <QProcess>
#include <QStandardPaths>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/streambuf.hpp>
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
        const std::size_t query =
            m_traffic.byZipf ? m_zipf(m_random) : m_random() % m_queries.size();
        const std::size_t session = m_random() % m_traffic.sessionCount;
        const std::string body = "{\"text\":\"" + m_queries[query] + "\""
            + (m_traffic.sessions ? "}" : ",\"context\":\"none\"}");
        m_request = fmt::format("POST /v1/classify HTTP/1.1\r\nHost: x\r\nX-Session-Id: s{}\r\n"
                                "Content-Length: {}\r\n\r\n{}",
            session, body.size(), body);
        // As a balancer that hashes the session.
        m_socket = &m_sockets[session % m_sockets.size()];
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

Figures measure(const std::vector<std::unique_ptr<Worker>>& workers, const Traffic& traffic,
    int connections, double seconds)
{
    static const std::vector<std::string> queries = readQueries();
    static const Zipf zipf(queries.size());
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

} // namespace

int main(int argc, char** argv)
{
    const QCoreApplication app(argc, argv);
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
    return 0;
}

// A worker for drills: answers as sluiced does as far as HAProxy, Prometheus and a rollout look,
// and has the faults that a file asks for. The file ($SLUICE_FAULTS, lines "name value") is read
// for the pool green: errors SHARE, delay MS, memory BYTES. `end 1` ends the program at once.

#include <QCoreApplication>
#include <QElapsedTimer>
#include <QFile>
#include <QHash>
#include <QTcpServer>
#include <QTcpSocket>
#include <QTimer>
#include <array>
#include <cstdlib>

namespace {

constexpr std::array bounds{
    0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512, 1.024};

class Worker : public QTcpServer
{
public:
    Worker(QString pool, quint16 port)
        : m_pool(std::move(pool))
    {
        if (!listen(QHostAddress::LocalHost, port)) {
            std::exit(3);
        }
        connect(this, &QTcpServer::newConnection, this, [this] {
            while (QTcpSocket* socket = nextPendingConnection()) {
                serve(socket);
            }
        });
        readFaults();
        m_again.setInterval(50);
        connect(&m_again, &QTimer::timeout, this, [this] { readFaults(); });
        m_again.start();
    }

private:
    void readFaults()
    {
        m_faults.clear();
        QFile file(qEnvironmentVariable("SLUICE_FAULTS"));
        if (m_pool != QLatin1StringView("green") || !file.open(QIODevice::ReadOnly)) {
            return;
        }
        for (const QByteArray& line : file.readAll().split('\n')) {
            const QList<QByteArray> words = line.split(' ');
            m_faults.insert(words[0], words.value(1).toDouble());
        }
        if (m_faults.contains("end")) {
            std::_Exit(9);
        }
    }

    void serve(QTcpSocket* socket)
    {
        connect(socket, &QTcpSocket::disconnected, socket, &QObject::deleteLater);
        auto buffer = std::make_shared<QByteArray>();
        connect(socket, &QTcpSocket::readyRead, socket, [this, socket, buffer] {
            *buffer += socket->readAll();
            const qsizetype end = buffer->indexOf("\r\n\r\n");
            const qsizetype at = buffer->toLower().indexOf("content-length: ");
            const qsizetype body = at < 0 || at > end
                ? 0
                : buffer->mid(at + 16, buffer->indexOf('\r', at) - at - 16).toLongLong();
            if (end < 0 || buffer->size() < end + 4 + body) {
                return;
            }
            const QByteArray path = buffer->split(' ').value(1);
            buffer->clear();
            if (path != "/v1/classify") {
                write(socket, "200 OK", path == "/metrics" ? metrics() : info());
                return;
            }
            const double delay = m_faults.value("delay", 0);
            const bool fails = double(m_requests++ % 100) / 100 < m_faults.value("errors", 0);
            QTimer::singleShot(int(delay), socket, [this, socket, fails, delay] {
                count(delay / 1000 + 0.0004);
                write(socket, fails ? "500 Internal Server Error" : "200 OK", info());
            });
        });
    }

    static void write(QTcpSocket* socket, const QByteArray& status, const QByteArray& body)
    {
        socket->write("HTTP/1.1 " + status + "\r\nContent-Type: text/plain\r\nContent-Length: "
            + QByteArray::number(body.size()) + "\r\n\r\n" + body);
    }

    void count(double seconds)
    {
        for (std::size_t index = 0; index < bounds.size(); ++index) {
            m_buckets[index] += seconds <= bounds[index] ? 1 : 0;
        }
        ++m_answered;
    }

    QByteArray info() const
    {
        return R"({"version":"planted","model":"none","threshold_set":0,"thresholds":{},"pool":")"
            + m_pool.toUtf8() + "\"}";
    }

    QByteArray metrics() const
    {
        const QByteArray labels = "{pool=\"" + m_pool.toUtf8() + "\",version=\"planted\"";
        const QByteArray memory = QByteArray::number(qint64(m_faults.value("memory", 50'000'000)));
        QByteArray text =
            "# TYPE process_resident_memory_bytes gauge\nprocess_resident_memory_bytes" + labels
            + "} " + memory + "\n# TYPE sluice_memory_limit_bytes gauge\nsluice_memory_limit_bytes"
            + labels + "} 536870912\n# TYPE sluice_request_duration_seconds histogram\n";
        const QByteArray name =
            "sluice_request_duration_seconds_bucket" + labels + ",route=\"/v1/classify\",le=\"";
        for (std::size_t index = 0; index < bounds.size(); ++index) {
            text += name + QByteArray::number(bounds[index]) + "\"} "
                + QByteArray::number(m_buckets[index]) + "\n";
        }
        return text + name + "+Inf\"} " + QByteArray::number(m_answered) + "\n";
    }

    QString m_pool;
    QTimer m_again;
    QHash<QByteArray, double> m_faults;
    qint64 m_requests = 0;
    qint64 m_answered = 0;
    std::array<qint64, bounds.size()> m_buckets{};
};

} // namespace

int main(int argc, char** argv)
{
    const QCoreApplication application(argc, argv);
    const QStringList words = QCoreApplication::arguments();
    const Worker worker(words.value(words.indexOf(QStringLiteral("--pool")) + 1),
        quint16(words.value(words.indexOf(QStringLiteral("--port")) + 1).toUInt()));
    return QCoreApplication::exec();
}

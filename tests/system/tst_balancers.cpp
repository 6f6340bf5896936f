#include "engine/base/certificates.h"
#include "engine/base/file.h"
#include "tests/support/process.h"
#include "tests/support/redisserver.h"
#include "tests/support/testcase.h"
#include "tests/support/worker.h"

#include <QSslConfiguration>
#include <QTemporaryDir>

using namespace sluice;
using test::HttpAnswer;
using test::HttpClient;

/// The configurations of packaging/haproxy and packaging/nginx, in front of two real workers that
/// keep their sessions to themselves: a conversation goes on only where it stays with its worker.
class TestBalancers : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void init();
    void cleanup();
    void worksOverTls_data() { balancers(); }
    void worksOverTls();
    void sessionsStayWithTheirWorker_data() { balancers(); }
    void sessionsStayWithTheirWorker();
    void aWorkerThatEndsIsNotNoticed();
    void aWorkerThatDiesCostsWhatItHad_data() { balancers(); }
    void aWorkerThatDiesCostsWhatItHad();

private:
    static void balancers()
    {
        QTest::addColumn<bool>("haproxy");
        QTest::newRow("haproxy") << true;
        QTest::newRow("nginx") << false;
    }
    void startWorker(std::size_t index);
    void startBalancer(bool haproxy);
    HttpClient client() const { return HttpClient(m_port, m_tls); }

    QTemporaryDir m_folder;
    QSslConfiguration m_tls;
    std::array<std::unique_ptr<QProcess>, 2> m_workers;
    std::array<std::uint16_t, 2> m_ports{};
    std::unique_ptr<QProcess> m_balancer;
    std::uint16_t m_port = 0;
};

namespace {

QByteArray adapted(const char* file, const QList<std::pair<QByteArray, QByteArray>>& changes)
{
    QFile source(QStringLiteral(SLUICE_SOURCE_DIR) + QLatin1StringView(file));
    QByteArray text = source.open(QIODevice::ReadOnly) ? source.readAll() : QByteArray();
    for (const auto& [from, to] : changes) {
        if (!text.contains(from)) {
            return {}; // the configuration changed: so must this test
        }
        text.replace(from, to);
    }
    return text;
}

int turnOf(const HttpAnswer& answer)
{
    return answer.json()[QStringLiteral("turn")].toInt();
}

void end(std::unique_ptr<QProcess>& process)
{
    if (process) {
        process->terminate();
        if (!process->waitForFinished(10000)) {
            process->kill();
            process->waitForFinished(5000);
        }
        process.reset();
    }
}

} // namespace

void TestBalancers::initTestCase()
{
    const auto authority = makeAuthority("house", std::chrono::days(10));
    const auto server =
        makeCertificate(*authority, CertificateUse::Server, {"127.0.0.1"}, std::chrono::days(5));
    QVERIFY(server.ok());
    const auto path = [&](const char* name) {
        return m_folder.filePath(QLatin1StringView(name)).toStdString();
    };
    QVERIFY(writeFileAtomically(path("server.pem"), server->certificate).ok());
    QVERIFY(writeFileAtomically(path("server.key"), server->key, true).ok());
    QVERIFY(writeFileAtomically(path("both.pem"), server->certificate + server->key, true).ok());
    m_tls.setCaCertificates({QSslCertificate(QByteArray::fromStdString(authority->certificate))});
    m_tls.setPeerVerifyMode(QSslSocket::VerifyPeer);
}

void TestBalancers::init()
{
    failOnWarnings();
    for (std::size_t index = 0; index < m_workers.size(); ++index) {
        m_ports[index] = test::freePort();
        startWorker(index);
    }
    m_port = test::freePort();
}

void TestBalancers::cleanup()
{
    end(m_balancer);
    for (auto& worker : m_workers) {
        end(worker);
    }
}

void TestBalancers::startWorker(std::size_t index)
{
    auto& worker = m_workers[index];
    worker = std::make_unique<QProcess>();
    test::endWithTest(*worker);
    worker->setStandardErrorFile(QProcess::nullDevice());
    worker->start(qEnvironmentVariable("SLUICE_BIN") + QStringLiteral("/sluiced"),
        {QStringLiteral("--port"), QString::number(m_ports[index])});
    QVERIFY(worker->waitForReadyRead(20000)); // it says its port
}

void TestBalancers::startBalancer(bool haproxy)
{
    const QByteArray folder = m_folder.path().toUtf8();
    const QByteArray port = QByteArray::number(m_port);
    const QByteArray first = "127.0.0.1:" + QByteArray::number(m_ports[0]);
    const QByteArray second = "127.0.0.1:" + QByteArray::number(m_ports[1]);
    const QByteArray text = haproxy
        ? adapted("/packaging/haproxy/haproxy.cfg",
            {{"bind :8443", "bind 127.0.0.1:" + port},
                {"/etc/sluice/server.pem", folder + "/both.pem"}, {"127.0.0.1:8081", first},
                {"127.0.0.1:8082", second}, {"maxconn 20000", "maxconn 500"}})
        : adapted("/packaging/nginx/sluice.conf",
            {{"listen 8443", "listen 127.0.0.1:" + port}, {"/etc/sluice", folder},
                {"127.0.0.1:8081", first}, {"127.0.0.1:8082", second}});
    QVERIFY(!text.isEmpty());
    const QString file = m_folder.filePath(QStringLiteral("balancer.conf"));
    const QByteArray whole = haproxy
        ? text
        : "daemon off; master_process off; pid " + folder + "/nginx.pid; error_log stderr;"
            + "events {}\nhttp { access_log off; client_body_temp_path " + folder
            + "/body; proxy_temp_path " + folder + "/proxy; fastcgi_temp_path " + folder
            + "/f; uwsgi_temp_path " + folder + "/u; scgi_temp_path " + folder + "/s;\n" + text
            + "}\n";
    QVERIFY(writeFileAtomically(file.toStdString(), whole.toStdString()).ok());
    m_balancer = std::make_unique<QProcess>();
    test::endWithTest(*m_balancer);
    m_balancer->setProcessChannelMode(QProcess::ForwardedErrorChannel);
    m_balancer->start(haproxy ? QStringLiteral("haproxy") : QStringLiteral("nginx"),
        haproxy
            ? QStringList{QStringLiteral("-db"), QStringLiteral("-q"), QStringLiteral("-f"), file}
            : QStringList{QStringLiteral("-p"), m_folder.path(), QStringLiteral("-c"), file});
    QVERIFY2(m_balancer->waitForStarted(5000),
        "haproxy and nginx are needed: packaging/test.sh "
        "installs them");
    const auto listens = [this] {
        QTcpSocket probe;
        probe.connectToHost(QStringLiteral("127.0.0.1"), m_port);
        return probe.waitForConnected(1000);
    };
    QTRY_VERIFY_WITH_TIMEOUT(listens(), 10000);
    QTRY_COMPARE_WITH_TIMEOUT(client().ask("GET", "/readyz").status, 200, 10000);
}

void TestBalancers::worksOverTls()
{
    QFETCH(bool, haproxy);
    startBalancer(haproxy);
    HttpClient talk = client();
    QVERIFY(talk.isEncrypted());
    const HttpAnswer answer = talk.ask(
        "POST", "/v1/classify", R"({"text":"where is my parcel"})", "X-Request-Id: mine\r\n");
    QCOMPARE(answer.status, 200);
    QVERIFY(answer.head.toLower().contains("x-request-id: mine\r\n"));
    QVERIFY(client().classify("hello").head.toLower().contains("x-request-id: "));
    QCOMPARE(client().ask("GET", "/metrics").status, 404);
    QCOMPARE(client().ask("POST", "/v1/admin/model", "x").status, 404);
}

void TestBalancers::sessionsStayWithTheirWorker()
{
    QFETCH(bool, haproxy);
    startBalancer(haproxy);
    int turns = 0;
    for (int turn = 1; turn <= 3; ++turn) {
        for (int session = 0; session < 20; ++session) {
            const QByteArray name = "s" + QByteArray::number(session);
            turns += turnOf(client().classify("where is my parcel", name)) == turn ? 1 : 0;
        }
    }
    QCOMPARE(turns, 60);
    for (const std::uint16_t port : m_ports) { // and both have some
        const QByteArray metrics = HttpClient(port).ask("GET", "/metrics").body;
        QVERIFY(metrics.contains("route=\"/v1/classify\",status=\"200\""));
    }
}

void TestBalancers::aWorkerThatEndsIsNotNoticed()
{
    startBalancer(true);
    HttpClient talk = client();
    int wrong = 0;
    const auto ask = [&](int count) {
        for (int index = 0; index < count; ++index) {
            const QByteArray session = "s" + QByteArray::number(index % 50);
            wrong += talk.classify("where is my parcel", session).status == 200 ? 0 : 1;
        }
    };
    ask(100);
    m_workers[0]->terminate();
    while (m_workers[0]->state() != QProcess::NotRunning) {
        ask(20);
        m_workers[0]->waitForFinished(1);
    }
    ask(100);
    QCOMPARE(m_workers[0]->exitCode(), 0);
    startWorker(0);
    ask(100);
    QCOMPARE(wrong, 0);
}

void TestBalancers::aWorkerThatDiesCostsWhatItHad()
{
    QFETCH(bool, haproxy);
    startBalancer(haproxy);
    int wrong = 0;
    const auto ask = [&](const QByteArray& method, int count) {
        for (int index = 0; index < count; ++index) {
            HttpClient talk = client();
            const QByteArray session = "X-Session-Id: s" + QByteArray::number(index) + "\r\n";
            const HttpAnswer answer = method == "GET"
                ? talk.ask("GET", "/v1/info", {}, session)
                : talk.ask("POST", "/v1/classify", R"({"text":"hello"})", session);
            wrong += answer.status == 200 ? 0 : 1;
        }
    };
    ask("POST", 20);
    m_workers[1]->kill();
    m_workers[1]->waitForFinished(5000);
    ask("GET", 40); // half of them were that worker's
    QCOMPARE(wrong, 0);
    ask("POST", 40); // one at a time: none was in flight there
    QCOMPARE(wrong, 0);
}

QTEST_GUILESS_MAIN(TestBalancers)
#include "tst_balancers.moc"

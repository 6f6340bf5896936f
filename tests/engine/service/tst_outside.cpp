#include "engine/base/certificates.h"
#include "engine/base/file.h"
#include "engine/base/sha256.h"
#include "engine/reporting/httppost.h"
#include "engine/reporting/logging.h"
#include "engine/reporting/tracecontext.h"
#include "engine/service/profiler.h"
#include "tests/support/testcase.h"
#include "tests/support/worker.h"

#include <QFile>
#include <QTemporaryDir>
#include <boost/asio/io_context.hpp>

using namespace sluice;
using test::HttpAnswer;
using test::HttpClient;
using test::Worker;

/// What an operator sees of requests: access log, trace, profile.
class TestOutside : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void accessLogNamesRequestAndTrace();
    void traceIsContinued();
    void reloadOpensTheLogAnew();
    void reportsGoOverTlsToWhoIsMeant_data();
    void reportsGoOverTlsToWhoIsMeant();
    void profiles();
    void profilerTakesOneAtATime();
};

namespace {

constexpr const char* trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

QByteArray headerOf(const HttpAnswer& answer, const QByteArray& name)
{
    for (const QByteArray& line : answer.head.split('\n')) {
        if (line.startsWith(QByteArray(name + ": "))) {
            return line.mid(name.size() + 2).trimmed();
        }
    }
    return {};
}

QByteArray contentOf(const QString& name)
{
    QFile file(name);
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
}

service::Configuration withAccessLog()
{
    service::Configuration configuration;
    configuration.log.access = true;
    return configuration;
}

} // namespace

void TestOutside::accessLogNamesRequestAndTrace()
{
    const QTemporaryDir folder;
    const QString log = folder.filePath(QStringLiteral("log"));
    LogOptions options;
    options.file = log.toStdString();
    QVERIFY(startLogging(options).ok());
    Worker worker(withAccessLog());
    QVERIFY(!worker.error);
    HttpClient client(worker.port());
    client.ask("POST", "/v1/classify?secret", R"({"text":"hello"})",
        QByteArray("X-Request-Id: r-1\r\nX-Session-Id: anna\r\ntraceparent: ") + trace + "\r\n");
    client.ask("GET", "/no/such?secret", {}, "X-Request-Id: r-2\r\n");
    QJsonObject first;
    QJsonObject second;
    const auto find = [&] {
        for (const QByteArray& line : contentOf(log).split('\n')) {
            const QJsonObject one = QJsonDocument::fromJson(line).object();
            const QString id = one[QStringLiteral("request_id")].toString();
            (id == QStringLiteral("r-1") ? first : second) =
                id.isEmpty() ? (id == QStringLiteral("r-1") ? first : second) : one;
        }
        return !first.isEmpty() && !second.isEmpty();
    };
    QTRY_VERIFY(find()); // within a second
    QCOMPARE(first[QStringLiteral("message")].toString(), QStringLiteral("POST /v1/classify 200"));
    QCOMPARE(first[QStringLiteral("route")].toString(), QStringLiteral("/v1/classify"));
    QCOMPARE(first[QStringLiteral("method")].toString(), QStringLiteral("POST"));
    QCOMPARE(first[QStringLiteral("status")].toInt(), 200);
    QVERIFY(first[QStringLiteral("ms")].toDouble() > 0);
    QCOMPARE(
        first[QStringLiteral("session")].toString(), QString::fromStdString(sessionTag("anna")));
    QCOMPARE(first[QStringLiteral("trace_id")].toString(),
        QStringLiteral("4bf92f3577b34da6a3ce929d0e0e4736"));
    QCOMPARE(first[QStringLiteral("span_id")].toString().size(), 16);
    QCOMPARE(second[QStringLiteral("message")].toString(), QStringLiteral("GET other 404"));
    QVERIFY(!second.contains(QStringLiteral("trace_id")));
    QVERIFY(!contentOf(log).contains("secret") && !contentOf(log).contains("anna"));
}

void TestOutside::traceIsContinued()
{
    Worker worker{service::Configuration()};
    QVERIFY(!worker.error);
    HttpClient client(worker.port());
    const QByteArray with = QByteArray("traceparent: ") + trace + "\r\n";
    const QByteArray answered = headerOf(client.ask("GET", "/healthz", {}, with), "traceparent");
    const auto next = TraceContext::parse(answered.toStdString());
    QVERIFY2(next.has_value(), answered.constData());
    QCOMPARE(next->traceId, std::string("4bf92f3577b34da6a3ce929d0e0e4736"));
    QVERIFY(next->parentId != "00f067aa0ba902b7");
    QVERIFY(next->sampled);
    QVERIFY(headerOf(client.ask("GET", "/healthz"), "traceparent").isEmpty());
    QVERIFY(
        headerOf(client.ask("GET", "/healthz", {}, "traceparent: x\r\n"), "traceparent").isEmpty());
}

void TestOutside::reloadOpensTheLogAnew()
{
    const QTemporaryDir folder;
    const QString log = folder.filePath(QStringLiteral("log"));
    LogOptions options;
    options.file = log.toStdString();
    QVERIFY(startLogging(options).ok());
    Worker worker{service::Configuration()};
    QVERIFY(!worker.error);
    QTRY_VERIFY(contentOf(log).contains("serves on"));
    QVERIFY(QFile::rename(log, log % QStringLiteral(".old")));
    worker.reload();
    QTRY_VERIFY(contentOf(log).contains("reloaded"));
}

void TestOutside::reportsGoOverTlsToWhoIsMeant_data()
{
    QTest::addColumn<QByteArray>("name"); ///< the certificate's
    QTest::addColumn<bool>("trusted");
    QTest::addColumn<bool>("taken");
    QTest::newRow("right") << QByteArray("127.0.0.1") << true << true;
    QTest::newRow("another's certificate") << QByteArray("other.example") << true << false;
    QTest::newRow("an authority of nobody") << QByteArray("127.0.0.1") << false << false;
}

/// What sends the reports, against a worker's TLS.
void TestOutside::reportsGoOverTlsToWhoIsMeant()
{
    QFETCH(QByteArray, name);
    QFETCH(bool, trusted);
    QFETCH(bool, taken);
    const QTemporaryDir folder;
    const auto write = [&](const char* file, const std::string& text) {
        const std::string path = folder.filePath(QString::fromLatin1(file)).toStdString();
        return writeFileAtomically(path, text).ok() ? path : std::string();
    };
    const auto authority = makeAuthority("test", std::chrono::days(1));
    QVERIFY(authority.ok());
    const auto own = makeCertificate(
        *authority, CertificateUse::Server, {name.toStdString()}, std::chrono::days(1));
    QVERIFY(own.ok());
    service::Configuration configuration;
    configuration.tls.certificate = write("server.pem", own->certificate);
    configuration.tls.key = write("server.key", own->key);
    Worker worker(configuration);
    QVERIFY2(!worker.error, worker.error ? worker.error->message.c_str() : "");

    const std::string trust = write("ca.pem", authority->certificate);
    qputenv("SSL_CERT_FILE", trusted ? QByteArray::fromStdString(trust) : "/dev/null");
    qputenv("SSL_CERT_DIR", "/nowhere");
    const auto reply = post(
        {true, "127.0.0.1", worker.port(), "/v1/classify", {{"Host", "x"}}, R"({"text":"hello"})"},
        std::chrono::seconds(10));
    qunsetenv("SSL_CERT_FILE");
    qunsetenv("SSL_CERT_DIR");
    QCOMPARE(reply.ok(), taken);
    QVERIFY(!reply || reply->status == 200);
    QVERIFY2(reply || reply.error().cause.find("verify failed") != std::string::npos,
        reply ? "" : reply.error().text().c_str());
}

void TestOutside::profiles()
{
    service::Configuration configuration;
    configuration.auth.tokens = {{"boss", sha256Hex("token"), "admin"}};
    Worker worker(configuration);
    QVERIFY(!worker.error);
    HttpClient client(worker.port());
    const QByteArray token = "Authorization: Bearer token\r\n";
    client.send("POST /v1/admin/profile HTTP/1.1\r\nHost: x\r\n" + token
        + "Content-Length: 13\r\n\r\n{\"seconds\":1}");
    HttpClient other(worker.port());
    // The worker works on meanwhile, and there is something to sample.
    while (other.ask("POST", "/v1/admin/profile", R"({"seconds":1})", token).status == 401) { }
    int answered = 0;
    for (int index = 0; index < 2000; ++index) {
        answered +=
            other.classify("where is my parcel number " + QByteArray::number(index)).status == 200;
    }
    QCOMPARE(answered, 2000);
    const HttpAnswer profile = client.receive(false, 20000);
    if (profile.status == 501) {
        QVERIFY(profile.body.contains("libgoogle-perftools4"));
        QSKIP("gperftools' profiler is not installed");
    }
    QCOMPARE(profile.status, 200);
    // gperftools' format: words of a machine's size, the first five 0 3 0 PERIOD 0.
    QVERIFY(profile.body.size() > qsizetype(5 * sizeof(quint64)));
    const auto* words = reinterpret_cast<const quint64*>(profile.body.constData());
    QCOMPARE(words[0], 0U);
    QCOMPARE(words[1], 3U);
    QVERIFY(words[3] > 0);
}

void TestOutside::profilerTakesOneAtATime()
{
    boost::asio::io_context loop;
    service::Profiler profiler(loop);
    QStringList said;
    const auto note = [&](const Result<std::string>& profile) {
        said.append(
            profile ? QStringLiteral("profile") : QString::fromStdString(profile.error().message));
    };
    profiler.start(std::chrono::seconds(1), note);
    if (said.size() == 1) {
        QSKIP("gperftools' profiler is not installed");
    }
    profiler.start(std::chrono::seconds(1), note);
    QCOMPARE(said.size(), 1);
    QVERIFY(said[0].contains(QStringLiteral("is being taken")));
    loop.run();
    QCOMPARE(said.size(), 2);
    QCOMPARE(said[1], QStringLiteral("profile"));
    profiler.start(std::chrono::seconds(60), note); // ended with its owner
}

QTEST_GUILESS_MAIN(TestOutside)
#include "tst_outside.moc"

#include "engine/base/certificates.h"
#include "engine/base/file.h"
#include "tests/support/testcase.h"
#include "tests/support/worker.h"

#include <QSslCertificate>
#include <QSslKey>
#include <QTemporaryDir>

using namespace sluice;
using service::Configuration;
using service::LoadedConfiguration;
using test::HttpClient;
using test::Worker;

class TestTls : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void speaksTls();
    void oldVersionsAreRefused();
    void clientsShowCertificates();
    void reloadsWithoutDropping();
    void badFilesKeepTheOld();
    void tokensAndLimitsAreReloaded();
    void badFilesAreSaid();
    void plainClientsAndCutHandshakes();
    void longAnswersArriveWhole();

private:
    std::string write(const char* name, const std::string& content)
    {
        const std::string path = m_folder.filePath(QLatin1StringView(name)).toStdString();
        return writeFileAtomically(path, content, true).ok() ? path : std::string();
    }
    /// A server's certificate of `name`, in the files that the worker reads.
    void renew(const std::string& name, int days = 5)
    {
        const auto made = makeCertificate(
            m_authority, CertificateUse::Server, {name, "127.0.0.1"}, std::chrono::days(days));
        QVERIFY(made.ok());
        m_options.tls.certificate = write("server.pem", made->certificate);
        m_options.tls.key = write("server.key", made->key);
    }
    QSslConfiguration client(QSsl::SslProtocol protocol = QSsl::TlsV1_2OrLater) const
    {
        QSslConfiguration tls;
        tls.setProtocol(protocol);
        tls.setPeerVerifyMode(QSslSocket::VerifyPeer);
        tls.setCaCertificates(
            {QSslCertificate(QByteArray::fromStdString(m_authority.certificate))});
        return tls;
    }

    QTemporaryDir m_folder;
    Credential m_authority;
    Configuration m_options;
};

namespace {

QString nameOf(const HttpClient& client)
{
    return client.peer().subjectInfo(QSslCertificate::CommonName).value(0);
}

} // namespace

void TestTls::initTestCase()
{
    QVERIFY(QSslSocket::supportsSsl());
    const auto made = makeAuthority("house", std::chrono::days(10));
    QVERIFY(made.ok());
    m_authority = *made;
    write("ca.pem", m_authority.certificate);
    renew("first");
}

void TestTls::speaksTls()
{
    const Worker worker(m_options);
    QVERIFY2(!worker.error, worker.error ? worker.error->text().c_str() : "");
    HttpClient talk(worker.port(), client());
    QVERIFY(talk.isEncrypted());
    QCOMPARE(nameOf(talk), QStringLiteral("first"));
    for (int index = 0; index < 3; ++index) {
        QCOMPARE(talk.classify("where is my parcel", "s").status, 200);
    }
    const QByteArray metrics = talk.ask("GET", "/metrics").body;
    const qsizetype at = metrics.indexOf("\nsluice_certificate_expiry_timestamp_seconds{");
    QVERIFY(at >= 0);
    const double expires =
        metrics.mid(metrics.indexOf('}', at) + 2, 20).split('\n').value(0).toDouble();
    const double days = (expires - double(std::time(nullptr))) / 86400;
    QVERIFY2(days > 4 && days <= 5, qPrintable(QString::number(days)));
}

void TestTls::oldVersionsAreRefused()
{
    Configuration options = m_options;
    options.tls.minimum = "1.3";
    const Worker worker(options);
    QVERIFY(!HttpClient(worker.port(), client(QSsl::TlsV1_2)).isEncrypted());
    QVERIFY(HttpClient(worker.port(), client(QSsl::TlsV1_3)).isEncrypted());
    const Worker usual(m_options);
    QVERIFY(HttpClient(usual.port(), client(QSsl::TlsV1_2)).isEncrypted());
}

void TestTls::clientsShowCertificates()
{
    Configuration options = m_options;
    options.tls.clientCa = write("ca.pem", m_authority.certificate);
    const Worker worker(options);
    HttpClient stranger(worker.port(), client(QSsl::TlsV1_2));
    QVERIFY(!stranger.isEncrypted() || stranger.ask("GET", "/healthz").status == 0);
    const auto ask = [&](const Credential& authority) {
        const auto made =
            makeCertificate(authority, CertificateUse::Client, {"ci"}, std::chrono::days(1));
        QSslConfiguration tls = client(QSsl::TlsV1_2);
        tls.setLocalCertificate(QSslCertificate(QByteArray::fromStdString(made->certificate)));
        tls.setPrivateKey(QSslKey(QByteArray::fromStdString(made->key), QSsl::Ec));
        HttpClient talk(worker.port(), tls);
        return talk.isEncrypted() ? talk.ask("GET", "/healthz").status : 0;
    };
    QCOMPARE(ask(m_authority), 200);
    QCOMPARE(ask(*makeAuthority("house", std::chrono::days(1))), 0); // of the same name
}

void TestTls::reloadsWithoutDropping()
{
    Worker worker(m_options);
    HttpClient kept(worker.port(), client());
    QCOMPARE(kept.ask("GET", "/healthz").status, 200);
    renew("second");
    worker.reload();
    QTRY_COMPARE(nameOf(HttpClient(worker.port(), client())), QStringLiteral("second"));
    QCOMPARE(kept.ask("GET", "/healthz").status, 200);
    QCOMPARE(nameOf(kept), QStringLiteral("first"));
    renew("first");
}

void TestTls::badFilesKeepTheOld()
{
    int asked = 0;
    std::atomic<int> reloads = 0;
    Worker worker(m_options, {}, service::Service::systemClock, [&] {
        LoadedConfiguration loaded{m_options, {}};
        if (++asked == 1) {
            loaded.configuration.tls.key = "/no/such.key";
        } else {
            loaded.problems = {"listen.port: is wrong"};
        }
        ++reloads;
        return loaded;
    });
    for (int round = 1; round <= 2; ++round) {
        worker.reload();
        QTRY_COMPARE(reloads.load(), round);
        HttpClient talk(worker.port(), client());
        QVERIFY(talk.isEncrypted());
        QCOMPARE(talk.ask("GET", "/healthz").status, 200);
    }
}

void TestTls::tokensAndLimitsAreReloaded()
{
    Worker worker(Configuration(), {}, service::Service::systemClock, [] {
        Configuration fresh;
        fresh.auth.classifyOpen = false;
        fresh.auth.tokens = {{"a", std::string(64, 'a'), "client"}};
        fresh.limits.bodyBytes = 2048;
        return LoadedConfiguration{fresh, {}};
    });
    HttpClient talk(worker.port());
    QCOMPARE(talk.classify("hello").status, 200);
    worker.reload();
    QTRY_COMPARE(talk.classify("hello").status, 401);
    QCOMPARE(talk.ask("POST", "/v1/classify", QByteArray(3000, ' ')).status, 413);
}

void TestTls::badFilesAreSaid()
{
    const auto errorOf = [](const Configuration& options) {
        const Worker worker(options);
        return QString::fromStdString(worker.error ? worker.error->text() : "");
    };
    Configuration options = m_options;
    options.tls.certificate = "/no/such.pem";
    QVERIFY(errorOf(options).contains(u"/no/such.pem"));
    options = m_options;
    options.tls.key = write("other.key", m_authority.key);
    QVERIFY(errorOf(options).contains(u"other.key"));
    options = m_options;
    options.tls.clientCa = write("empty.pem", "nothing");
    QVERIFY(errorOf(options).contains(u"empty.pem"));
}

void TestTls::plainClientsAndCutHandshakes()
{
    Configuration options = m_options;
    options.limits.headerTimeout = std::chrono::seconds(1);
    const Worker worker(options);
    HttpClient plain(worker.port());
    plain.send("GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n");
    QVERIFY(plain.isClosed());
    HttpClient silent(worker.port());
    HttpClient begun(worker.port());
    begun.send(QByteArray::fromHex("1603010200"));
    QVERIFY(begun.isClosed());
    QVERIFY(silent.isClosed());
    QCOMPARE(HttpClient(worker.port(), client()).ask("GET", "/healthz").status, 200);
}

void TestTls::longAnswersArriveWhole()
{
    const Worker worker(m_options);
    HttpClient talk(worker.port(), client());
    QByteArray batch = "{\"queries\":[\"where is my parcel\"";
    for (int index = 1; index < 1000; ++index) {
        batch += ",\"where is my parcel A-2231, and the other " + QByteArray::number(index) + '"';
    }
    const auto answer = talk.ask("POST", "/v1/classify/batch", batch + "]}");
    QCOMPARE(answer.status, 200);
    QVERIFY(answer.body.size() > 300000);
    QVERIFY(answer.body.endsWith("]}"));
    QCOMPARE(talk.ask("GET", "/healthz").status, 200);
}

QTEST_GUILESS_MAIN(TestTls)
#include "tst_tls.moc"

#include "engine/base/certificates.h"
#include "engine/base/file.h"
#include "engine/base/sha256.h"
#include "tests/support/testcase.h"

#include <QProcess>
#include <QTemporaryDir>
#include <set>

using namespace sluice;

class TestCertificates : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void opensslTakesThem();
    void sayWhatTheyAre();
    void endWithTheirAuthority();
    void refusesWhatIsWrong();
    void tokensDiffer();

private:
    QTemporaryDir m_folder;
    QString write(const char* name, const std::string& content)
    {
        const QString path = m_folder.filePath(QLatin1StringView(name));
        return writeFileAtomically(path.toStdString(), content).ok() ? path : QString();
    }
};

void TestCertificates::opensslTakesThem()
{
    const auto authority = makeAuthority("house", std::chrono::days(10));
    QVERIFY(authority.ok());
    const auto server = makeCertificate(*authority, CertificateUse::Server,
        {"worker.example", "127.0.0.1", "::1"}, std::chrono::days(5));
    QVERIFY(server.ok());
    const auto client =
        makeCertificate(*authority, CertificateUse::Client, {"ci"}, std::chrono::days(5));
    QVERIFY(client.ok());
    const QString ca = write("ca.pem", authority->certificate);
    const QString one = write("server.pem", server->certificate);
    const QString two = write("client.pem", client->certificate);
    const auto verifies = [&](const QString& purpose, const QString& file, const QString& host) {
        QStringList arguments{QStringLiteral("verify"), QStringLiteral("-x509_strict"),
            QStringLiteral("-CAfile"), ca, QStringLiteral("-purpose"), purpose};
        if (!host.isEmpty()) {
            arguments << QStringLiteral("-verify_hostname") << host;
        }
        QProcess openssl;
        openssl.start(QStringLiteral("openssl"), arguments << file);
        return openssl.waitForFinished(10000) && openssl.exitCode() == 0;
    };
    QVERIFY(verifies(QStringLiteral("sslserver"), one, QStringLiteral("worker.example")));
    QVERIFY(!verifies(QStringLiteral("sslserver"), one, QStringLiteral("other.example")));
    QVERIFY(!verifies(QStringLiteral("sslclient"), one, {}));
    QVERIFY(verifies(QStringLiteral("sslclient"), two, {}));
    QVERIFY(!verifies(QStringLiteral("sslserver"), two, {}));
}

void TestCertificates::sayWhatTheyAre()
{
    const auto authority = makeAuthority("house", std::chrono::days(10));
    const auto server = makeCertificate(*authority, CertificateUse::Server,
        {"worker.example", "127.0.0.1", "::1"}, std::chrono::days(5));
    const QString file = write("chain.pem", server->certificate + authority->certificate);
    const auto read = readCertificates(file.toStdString());
    QVERIFY(read.ok());
    QCOMPARE(read->size(), std::size_t(2));
    const CertificateInfo& first = read->front();
    QCOMPARE(first.subject, std::string("worker.example"));
    QCOMPARE(first.issuer, std::string("house"));
    QVERIFY((first.names == std::vector<std::string>{"worker.example", "127.0.0.1", "::1"}));
    const auto left = first.expires - std::chrono::system_clock::now();
    QVERIFY(left > std::chrono::days(4) && left <= std::chrono::days(5));
    QCOMPARE(read->back().subject, std::string("house"));
}

void TestCertificates::endWithTheirAuthority()
{
    const auto authority = makeAuthority("house", std::chrono::days(2));
    const auto client =
        makeCertificate(*authority, CertificateUse::Client, {"ci"}, std::chrono::days(500));
    const auto ends = [&](const std::string& pem) {
        return readCertificates(write("x.pem", pem).toStdString())->front().expires;
    };
    QVERIFY(ends(client->certificate) == ends(authority->certificate));
}

void TestCertificates::refusesWhatIsWrong()
{
    const auto one = makeAuthority("one", std::chrono::days(2));
    const auto two = makeAuthority("two", std::chrono::days(2));
    const auto make = [&](const Credential& by, const std::vector<std::string>& names) {
        return makeCertificate(by, CertificateUse::Server, names, std::chrono::days(1));
    };
    QVERIFY(!make({one->certificate, two->key}, {"a"}).ok());
    QVERIFY(!make({"no PEM", one->key}, {"a"}).ok());
    QVERIFY(!make(*one, {}).ok());
    QVERIFY(!make(*one, {"a,DNS:evil"}).ok());
    QVERIFY(!readCertificates(write("key.pem", one->key).toStdString()).ok());
    QVERIFY(!readCertificates("/no/such/file").ok());
}

void TestCertificates::tokensDiffer()
{
    std::set<std::string> seen;
    for (int index = 0; index < 100; ++index) {
        const auto token = makeToken();
        QVERIFY(token.ok());
        QCOMPARE(token->size(), std::size_t(43));
        QVERIFY(QRegularExpression(QStringLiteral("^[A-Za-z0-9_-]+$"))
                    .match(QString::fromStdString(*token))
                    .hasMatch());
        QVERIFY(seen.insert(*token).second);
    }
}

QTEST_GUILESS_MAIN(TestCertificates)
#include "tst_certificates.moc"

#include "engine/base/file.h"
#include "engine/service/configuration.h"
#include "tests/support/testcase.h"

#include <QFile>
#include <QTemporaryDir>

using namespace sluice;
using namespace sluice::service;

class TestConfiguration : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void nothingGivenIsFine();
    void fileThenEnvironmentThenFlags();
    void everyKindIsRead();
    void everythingWrongIsTold_data();
    void everythingWrongIsTold();
    void settingsAreCheckedToo_data();
    void settingsAreCheckedToo();
    void filesThatCannotBeRead();
    void shippedSchemaIsTheReaders();
};

namespace {

QString problemsOf(const LoadedConfiguration& loaded)
{
    QStringList lines;
    for (const std::string& problem : loaded.problems) {
        lines << QString::fromStdString(problem);
    }
    return lines.join(u'\n');
}

const std::string hash(64, 'a');

} // namespace

void TestConfiguration::nothingGivenIsFine()
{
    const auto loaded = loadConfiguration({}, {});
    QCOMPARE(problemsOf(loaded), QString());
    QCOMPARE(loaded.configuration.listen.port, 0);
    QCOMPARE(loaded.configuration.limits.bodyBytes, std::size_t(1) << 20);
    QVERIFY(!loaded.configuration.usesRedis());
}

void TestConfiguration::fileThenEnvironmentThenFlags()
{
    const char* const environment[] = {"SLUICE_LISTEN_PORT=2", "SLUICE_DATA=elsewhere",
        "SLUICE_LISTEN_POOL=green", "PATH=/bin", "SLUICE_LISTEN", nullptr};
    std::vector<Setting> settings = environmentSettings(environment);
    QCOMPARE(settings.size(), std::size_t(2));
    settings.push_back({"listen.pool", "blue", "--pool"});
    const auto loaded = readConfiguration(
        R"({"listen": {"port": 1, "host": "::1", "pool": "green"}})", "f", settings);
    QCOMPARE(problemsOf(loaded), QString());
    QCOMPARE(loaded.configuration.listen.port, 2);
    QCOMPARE(loaded.configuration.listen.host, std::string("::1"));
    QCOMPARE(loaded.configuration.listen.pool, std::string("blue"));
}

void TestConfiguration::everyKindIsRead()
{
    const std::string document = R"({"$schema": "x", "auth": {"classify_open": false,
        "tokens": [{"name": "ci", "sha256": ")"
        + hash + R"(", "role": "tester"}]}, "limits": {"rate_per_client": 2.5,
        "queue_delay_ms": 7}, "redis": {"cluster": ["a:1", "b:2"]}})";
    const auto loaded = readConfiguration(document, "f", {});
    QCOMPARE(problemsOf(loaded), QString());
    const Configuration& read = loaded.configuration;
    QVERIFY(!read.auth.classifyOpen);
    QCOMPARE(read.auth.tokens.size(), std::size_t(1));
    QCOMPARE(read.auth.tokens[0].role, std::string("tester"));
    QCOMPARE(read.auth.tokens[0].sha256, hash);
    QCOMPARE(read.limits.ratePerClient, 2.5);
    QVERIFY(read.limits.queueDelay == std::chrono::milliseconds(7));
    QCOMPARE(read.redis.cluster.size(), std::size_t(2));
    QVERIFY(read.usesRedis());

    const auto assigned = readConfiguration("{}", "",
        {{"auth.tokens", R"([{"name":"a","sha256":")" + hash + R"(","role":"admin"}])", "--set"},
            {"auth.classify_open", "0", "--set"}, {"redis.cluster", "a:1,b:2,c:3", "--set"},
            {"limits.burst_per_client", "0.5", "--set"}});
    QCOMPARE(problemsOf(assigned), QString());
    QCOMPARE(assigned.configuration.auth.tokens.size(), std::size_t(1));
    QVERIFY(!assigned.configuration.auth.classifyOpen);
    QCOMPARE(assigned.configuration.redis.cluster.size(), std::size_t(3));
    QCOMPARE(assigned.configuration.limits.burstPerClient, 0.5);
}

void TestConfiguration::everythingWrongIsTold_data()
{
    QTest::addColumn<QByteArray>("document");
    QTest::addColumn<QString>("problems");
    const auto row = [](const char* name, const QByteArray& document, const char* problems) {
        QTest::newRow(name) << document << QString::fromUtf8(problems);
    };
    row("not JSON", "{", "f: not valid JSON at line 1, column 2: incomplete JSON");
    row("no object", "[]", "f: a JSON object is expected");
    row("section", R"({"lisen": {}})",
        "f: lisen: is not a section; there are: listen, tls, auth, limits, redis, sessions, "
        "decision_log, feedback, privacy, log, sentry, model, plain");
    row("section's kind", R"({"listen": 1})", "f: listen: an object is expected");
    row("all of them",
        R"({"listen": {"prot": 1, "port": 70000, "host": 1}, "log": {"level": "x"}})",
        "f: listen.prot: is not known here\n"
        "f: listen.port: a whole number from 0 to 65535 is expected\n"
        "f: listen.host: a string is expected\n"
        "f: log.level: one of these is expected: debug, info, warn, error");
    row("whole", R"({"listen": {"port": 1.5}})",
        "f: listen.port: a whole number from 0 to 65535 is expected");
    row("number", R"({"limits": {"rate_per_client": "a"}})",
        "f: limits.rate_per_client: a number from 0 to 1000000 is expected");
    row("boolean", R"({"auth": {"classify_open": 1}})",
        "f: auth.classify_open: true or false is expected");
    row("array", R"({"redis": {"cluster": "a:1"}})", "f: redis.cluster: an array is expected");
    row("item", R"({"redis": {"cluster": [1]}})", "f: redis.cluster[0]: a string is expected");
    row("node", R"({"redis": {"cluster": ["a"]}})",
        "redis.cluster: \"a\" is no address of a Redis server: host:port is expected, as "
        "127.0.0.1:6379");
    row("tokens", R"({"auth": {"tokens": [{"name": "", "sha256": "0", "extra": 1}, 2]}})",
        "f: auth.tokens[0].name: must not be empty\n"
        "f: auth.tokens[0].sha256: a SHA-256 of 64 lower-case hexadecimal digits is expected: "
        "`sluicectl token` prints one\n"
        "f: auth.tokens[0]: \"role\" is missing\n"
        "f: auth.tokens[0].extra: is not known here\n"
        "f: auth.tokens[1]: an object is expected");
    const QByteArray token =
        R"({"name": "a", "role": "admin", "sha256": ")" + QByteArray(64, 'a') + "\"}";
    row("same name", R"({"auth": {"tokens": [)" + token + "," + token + "]}}",
        "auth.tokens: the name \"a\" is there twice");
    row("nobody", R"({"auth": {"classify_open": false}})",
        "auth.classify_open: false with no tokens lets nobody in: add tokens (`sluicectl token`)");
    row("half a certificate", R"({"tls": {"key": "k"}})",
        "tls: a certificate and its key go together: give both, or neither");
    row("client CA alone", R"({"tls": {"client_ca": "k"}})",
        "tls.client_ca: clients can show certificates only over TLS: give certificate and key "
        "too");
    row("two Redis", R"({"redis": {"port": 1, "cluster": ["a:1"]}})",
        "redis: one server (host, port), a cluster or sentinels: give one of them");
    row("two Redis again", R"({"redis": {"port": 1, "sentinels": ["a:1"]}})",
        "redis: one server (host, port), a cluster or sentinels: give one of them");
    row("a sentinel that is none", R"({"redis": {"sentinels": ["a"]}})",

        "redis.sentinels: \"a\" is no address of a Redis server: host:port is expected, as "
        "127.0.0.1:6379");
    row("TLS", R"({"redis": {"tls_ca": "ca.pem"}})",
        "redis.tls_ca: this build does not speak TLS with Redis: point redis.host and redis.port "
        "at a stunnel on this host (docs/FORMATS.md)");
    row("hash without a key", R"({"privacy": {"queries": "hashed"}})",
        "privacy.key: what is hashed without a secret key of 16 bytes or more can be guessed: set "
        "SLUICE_PRIVACY_KEY, the same on every worker");
    row("times", R"({"limits": {"header_seconds": 100}})",
        "limits.header_seconds: the header is part of the request: at most limits.read_seconds");
}

void TestConfiguration::everythingWrongIsTold()
{
    QFETCH(QByteArray, document);
    QFETCH(QString, problems);
    QCOMPARE(problemsOf(readConfiguration(document.toStdString(), "f", {})), problems);
}

void TestConfiguration::settingsAreCheckedToo_data()
{
    QTest::addColumn<QString>("path");
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("problem");
    const auto row = [](const char* path, const char* text, const char* problem) {
        QTest::newRow(path) << QString::fromUtf8(path) << QString::fromUtf8(text)
                            << QString::fromUtf8(problem);
    };
    row("listen.port", "80x", "S: listen.port: a whole number from 0 to 65535 is expected");
    row("listen.no", "1", "S: listen.no: is not known here");
    row("no", "1", "S: no: is not known here");
    row("auth.classify_open", "yes", "S: auth.classify_open: true or false is expected");
    row("auth.tokens", "{", "S: auth.tokens: an array is expected");
    row("limits.rate_per_client", "-1",
        "S: limits.rate_per_client: a number from 0 to 1000000 is expected");
}

void TestConfiguration::settingsAreCheckedToo()
{
    QFETCH(QString, path);
    QFETCH(QString, text);
    QFETCH(QString, problem);
    const auto loaded =
        readConfiguration("{}", "", {{path.toStdString(), text.toStdString(), "S"}});
    QCOMPARE(problemsOf(loaded), problem);
}

void TestConfiguration::filesThatCannotBeRead()
{
    QVERIFY(problemsOf(loadConfiguration("/no/such/file", {})).contains(u"/no/such/file"));
    const QTemporaryDir folder;
    const std::string path = folder.filePath(QStringLiteral("c.json")).toStdString();
    QVERIFY(writeFileAtomically(path, "").ok());
    QVERIFY(problemsOf(loadConfiguration(path, {})).contains(u"not valid JSON"));
    QVERIFY(writeFileAtomically(path, R"({"listen": {"port": 9}})").ok());
    QCOMPARE(loadConfiguration(path, {}).configuration.listen.port, 9);
}

// sluiced --config-schema > resources/schema/configuration.schema.json
void TestConfiguration::shippedSchemaIsTheReaders()
{
    QFile file(QStringLiteral(SLUICE_SOURCE_DIR "/resources/schema/configuration.schema.json"));
    QVERIFY(file.open(QIODevice::ReadOnly));
    QCOMPARE(QString::fromUtf8(file.readAll()), QString::fromStdString(configurationSchema()));
}

QTEST_GUILESS_MAIN(TestConfiguration)
#include "tst_configuration.moc"

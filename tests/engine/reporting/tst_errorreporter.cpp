#include "engine/base/file.h"
#include "engine/reporting/crashnote.h"
#include "engine/reporting/errorreporter.h"
#include "engine/reporting/logging.h"
#include "tests/support/sentrysink.h"
#include "tests/support/testcase.h"

#include <QElapsedTimer>
#include <QFile>
#include <QTemporaryDir>
#include <csignal>
#include <spdlog/spdlog.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace sluice;
using test::SentrySink;

class TestErrorReporter : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void init()
    {
        failOnWarnings();
        m_folder = std::make_unique<QTemporaryDir>();
        LogOptions log;
        log.file = m_folder->filePath(QStringLiteral("log")).toStdString();
        QVERIFY(startLogging(log).ok());
    }
    void dsn_data();
    void dsn();
    void sendsWhatTheProtocolAsks();
    void logLinesAreReported();
    void obeysRateLimits();
    void refusedIsNotSentAgain();
    void queueIsBoundedAndNeverWaits();
    void comesBackWhenTheServerDoes();
    void endsSoonWithoutAServer();
    void crashesAreNotedAndReported();
    void notesGoToOne();

private:
    QByteArray log() const
    {
        QFile file(m_folder->filePath(QStringLiteral("log")));
        return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
    }

    std::unique_ptr<QTemporaryDir> m_folder;
};

namespace {

ReporterOptions optionsFor(const std::string& dsn)
{
    ReporterOptions options;
    options.dsn = dsn;
    options.origin.program = "sluiced";
    options.origin.version = "0.1.0";
    options.origin.tags = {{"pool", "blue"}};
    options.firstPause = std::chrono::milliseconds(50);
    return options;
}

ErrorReport saying(const std::string& message)
{
    ErrorReport report;
    report.message = message;
    return report;
}

QString text(const QJsonObject& object, const char* key)
{
    return object[QLatin1StringView(key)].toString();
}

QString messageOf(const QJsonObject& event)
{
    return text(event[QStringLiteral("message")].toObject(), "formatted");
}

} // namespace

void TestErrorReporter::dsn_data()
{
    QTest::addColumn<QByteArray>("dsn");
    QTest::addColumn<QByteArray>("host"); ///< empty: refused
    QTest::addColumn<QByteArray>("path");
    QTest::addColumn<bool>("tls");
    const auto row = [](const char* dsn, const char* host, const char* path, bool tls = true) {
        QTest::newRow(dsn) << QByteArray(dsn) << QByteArray(host) << QByteArray(path) << tls;
    };
    row("https://key@o1.ingest.sentry.io/42", "o1.ingest.sentry.io", "/api/42/envelope/");
    row("https://key:secret@sentry.example:8443/a/b/42", "sentry.example:8443",
        "/a/b/api/42/envelope/");
    row("http://key@127.0.0.1/1", "127.0.0.1", "/api/1/envelope/", false);
    row("http://key@[::1]:9000/1", "[::1]:9000", "/api/1/envelope/", false);
    for (const char* bad : {"", "key", "ftp://key@host/1", "https://host/1", "https://@host/1",
             "https://ke y@host/1", "https://key:s\r\nX: y@host/1", "https://key@host",
             "https://key@host/", "https://key@/1", "https://key@host:x/1", "https://key@host:0/1",
             "https://key@[::1/1", "https://key@[]/1", "https://key@host/a b/1",
             "https://key@host:70000/1", "https://key@[::1]x/1"}) {
        row(bad, "", "");
    }
}

void TestErrorReporter::dsn()
{
    QFETCH(QByteArray, dsn);
    QFETCH(QByteArray, host);
    QFETCH(QByteArray, path);
    QFETCH(bool, tls);
    const auto read = SentryDsn::parse(dsn.toStdString());
    QCOMPARE(read.ok(), !host.isEmpty());
    if (!read) {
        QCOMPARE(read.error().kind, ErrorKind::Input);
        QVERIFY(read.error().message.find("PROJECT_ID") != std::string::npos);
        QVERIFY(!ErrorReporter::make(optionsFor(dsn.toStdString())).ok());
        return;
    }
    QCOMPARE(read->hostHeader(), host.toStdString());
    QCOMPARE(read->path, path.toStdString());
    QCOMPARE(read->tls, tls);
}

void TestErrorReporter::sendsWhatTheProtocolAsks()
{
    SentrySink sink;
    ReporterOptions options = optionsFor(sink.dsn("publickey:secretkey"));
    const auto reporter = ErrorReporter::make(options);
    QVERIFY(reporter.ok());
    ErrorReport report = saying("gr\xc3\xbc\xc3\x9f \"quoted\"\nline");
    report.level = "warning";
    report.tags = {{"request_id", "req-1"}};
    report.traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
    report.spanId = "00f067aa0ba902b7";
    (*reporter)->report(report);
    (*reporter)->report(saying(std::string(100000, 'x')));
    QTRY_COMPARE(sink.events.size(), 2);
    QVERIFY2(sink.problems.isEmpty(), qPrintable(sink.problems.join(u'\n')));
    const QJsonObject event = sink.events[0];
    QCOMPARE(messageOf(event), QStringLiteral("grüß \"quoted\"\nline"));
    QCOMPARE(text(event, "level"), QStringLiteral("warning"));
    QCOMPARE(text(event, "release"), QStringLiteral("sluiced@0.1.0"));
    QCOMPARE(text(event, "environment"), QStringLiteral("production"));
    const QJsonObject tags = event[QStringLiteral("tags")].toObject();
    QCOMPARE(text(tags, "pool"), QStringLiteral("blue"));
    QCOMPARE(text(tags, "request_id"), QStringLiteral("req-1"));
    const QJsonObject trace =
        event[QStringLiteral("contexts")].toObject()[QStringLiteral("trace")].toObject();
    QCOMPARE(text(trace, "trace_id"), QStringLiteral("4bf92f3577b34da6a3ce929d0e0e4736"));
    QVERIFY(qAbs(event[QStringLiteral("timestamp")].toDouble()
                - double(QDateTime::currentSecsSinceEpoch()))
        < 60);
    QCOMPARE(messageOf(sink.events[1]).size(), 8192);
    QTRY_COMPARE((*reporter)->statistics().sent, 2U);
}

void TestErrorReporter::logLinesAreReported()
{
    SentrySink sink;
    auto reporter = *ErrorReporter::make(optionsFor(sink.dsn()));
    LogOptions log;
    log.file = m_folder->filePath(QStringLiteral("log")).toStdString();
    log.also = std::make_shared<ReportSink>(reporter);
    QVERIFY(startLogging(log).ok());
    const LogFields fields{
        "req-7", "abc", "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7", {}};
    {
        const LogScope scope(fields);
        spdlog::warn("no error");
        for (int index = 0; index < 50; ++index) {
            spdlog::error("Redis says no"); // its repeats are counted, not reported each
        }
    }
    spdlog::critical("worse");
    QTRY_COMPARE(sink.events.size(), 2);
    QVERIFY2(sink.problems.isEmpty(), qPrintable(sink.problems.join(u'\n')));
    QCOMPARE(messageOf(sink.events[0]), QStringLiteral("Redis says no"));
    QCOMPARE(text(sink.events[0][QStringLiteral("tags")].toObject(), "request_id"),
        QStringLiteral("req-7"));
    QCOMPARE(text(sink.events[0][QStringLiteral("tags")].toObject(), "session"),
        QStringLiteral("ba7816bf8f01"));
    QCOMPARE(text(sink.events[1], "level"), QStringLiteral("fatal"));
    reporter.reset();
    spdlog::error("nobody reports this"); // and nobody minds
    QVERIFY(log.also->should_log(spdlog::level::err));
    QCOMPARE(sink.events.size(), 2);
}

void TestErrorReporter::obeysRateLimits()
{
    SentrySink sink;
    sink.status = 429;
    sink.headers = "Retry-After: 1\r\n";
    auto reporter = *ErrorReporter::make(optionsFor(sink.dsn()));
    reporter->report(saying("one"));
    QTRY_COMPARE(reporter->statistics().limited, 1U);
    sink.status = 200;
    sink.headers = "X-Sentry-Rate-Limits: 3600:error:organization\r\n";
    reporter->report(saying("two"));
    QTRY_COMPARE(reporter->statistics().limited, 2U);
    QCOMPARE(sink.requests, 1); // it was not even asked
    // When the second is over, it is; and told to be quiet for an hour.
    while (reporter->statistics().sent == 0) {
        reporter->report(saying("three"));
        QTest::qWait(50);
    }
    QCOMPARE(sink.requests, 2);
    const auto before = reporter->statistics().limited;
    reporter->report(saying("four"));
    QTRY_COMPARE(reporter->statistics().limited, before + 1);
    QCOMPARE(sink.requests, 2);
}

void TestErrorReporter::refusedIsNotSentAgain()
{
    SentrySink sink;
    sink.status = 403;
    sink.headers = "X-Sentry-Error: no such project\r\n";
    auto reporter = *ErrorReporter::make(optionsFor(sink.dsn()));
    reporter->report(saying("one"));
    QTRY_COMPARE(reporter->statistics().refused, 1U);
    QTRY_VERIFY(log().contains("Sentry refuses a report with 403: no such project"));
    QCOMPARE(sink.requests, 1);
}

void TestErrorReporter::queueIsBoundedAndNeverWaits()
{
    SentrySink sink;
    sink.silent = true;
    ReporterOptions options = optionsFor(sink.dsn());
    options.queue = 10;
    options.timeout = std::chrono::milliseconds(100);
    auto reporter = *ErrorReporter::make(options);
    for (int index = 0; index < 1000; ++index) {
        reporter->report(
            saying(std::to_string(index))); // returns at once, whatever the server does
    }
    QVERIFY(reporter->statistics().dropped >= 989);
    QTRY_VERIFY(sink.requests >= 2); // tried again
    QVERIFY(reporter->statistics().sent == 0);
    QTRY_VERIFY(log().contains("errors can't be reported for now"));
}

void TestErrorReporter::comesBackWhenTheServerDoes()
{
    auto sink = std::make_unique<SentrySink>();
    const quint16 port = sink->serverPort();
    auto reporter = *ErrorReporter::make(optionsFor(sink->dsn()));
    sink.reset();
    reporter->report(saying("while it is away"));
    QTRY_VERIFY(log().contains("errors can't be reported for now"));
    SentrySink again;
    again.close();
    QVERIFY(again.listen(QHostAddress::LocalHost, port));
    QTRY_COMPARE(again.events.size(), 1);
    QCOMPARE(messageOf(again.events[0]), QStringLiteral("while it is away"));
    QCOMPARE(log().count("errors can't be reported"), 1);
}

void TestErrorReporter::endsSoonWithoutAServer()
{
    QElapsedTimer clock;
    clock.start();
    {
        SentrySink sink;
        sink.silent = true;
        auto reporter = *ErrorReporter::make(optionsFor(sink.dsn()));
        reporter->report(saying("one"));
        reporter->report(saying("two"));
    }
    QVERIFY(clock.elapsed() < 30000); // two seconds, unless the machine is busy
}

void TestErrorReporter::crashesAreNotedAndReported()
{
    const std::filesystem::path folder = m_folder->filePath(QStringLiteral("notes")).toStdString();
    for (const int number : {SIGSEGV, SIGABRT}) {
        const pid_t child = ::fork();
        QVERIFY(child >= 0);
        if (child == 0) {
            const rlimit noCore{0, 0};
            ::setrlimit(RLIMIT_CORE, &noCore);
            if (noteCrashes(folder).ok()) {
                ::raise(number);
            }
            ::_exit(9);
        }
        int how = 0;
        QCOMPARE(::waitpid(child, &how, 0), child);
        QVERIFY(WIFSIGNALED(how));
        QCOMPARE(WTERMSIG(how), number);
    }
    const auto reports = takeCrashNotes(folder);
    QCOMPARE(reports.size(), 2U);
    QVERIFY(takeCrashNotes(folder).empty());
    QVERIFY(std::filesystem::is_empty(folder));

    SentrySink sink;
    auto reporter = *ErrorReporter::make(optionsFor(sink.dsn()));
    for (const ErrorReport& report : reports) {
        reporter->report(report);
    }
    QTRY_COMPARE(sink.events.size(), 2);
    QVERIFY2(sink.problems.isEmpty(), qPrintable(sink.problems.join(u'\n')));
    QSet<QString> signalNames;
    for (const QJsonObject& event : sink.events) {
        QCOMPARE(text(event, "level"), QStringLiteral("fatal"));
        const QJsonObject value = event[QStringLiteral("exception")]
                                      .toObject()[QStringLiteral("values")]
                                      .toArray()[0]
                                      .toObject();
        signalNames.insert(text(value, "type"));
        QCOMPARE(value[QStringLiteral("mechanism")].toObject()[QStringLiteral("handled")].toBool(),
            false);
        const QJsonArray frames =
            value[QStringLiteral("stacktrace")].toObject()[QStringLiteral("frames")].toArray();
        QVERIFY(frames.size() > 3);
        bool ours = false;
        for (const QJsonValue& frame : frames) {
            const QJsonObject one = frame.toObject();
            ours = ours || text(one, "package").endsWith(QStringLiteral("tst_errorreporter"));
            QVERIFY(text(one, "instruction_addr").startsWith(QStringLiteral("0x")));
        }
        QVERIFY(ours);
    }
    QCOMPARE(signalNames, (QSet<QString>{QStringLiteral("SIGSEGV"), QStringLiteral("SIGABRT")}));
}

void TestErrorReporter::notesGoToOne()
{
    QVERIFY(takeCrashNotes("/no/such/folder").empty());
    QVERIFY(!noteCrashes("/proc/no/such/folder").ok());
    const std::filesystem::path folder = m_folder->path().toStdString();
    QVERIFY(
        writeFileAtomically(folder / "crash-1-1.note", "signal b\ntime 5f5e100\nnonsense\n").ok());
    QVERIFY(writeFileAtomically(folder / "other.note", "signal b\n").ok());
    const auto reports = takeCrashNotes(folder);
    QCOMPARE(reports.size(), 1U);
    QCOMPARE(reports[0].signal, std::string("SIGSEGV"));
    QVERIFY(reports[0].time == std::chrono::system_clock::from_time_t(100000000));
    QVERIFY(std::filesystem::exists(folder / "other.note"));
}

QTEST_GUILESS_MAIN(TestErrorReporter)
#include "tst_errorreporter.moc"

#include "engine/base/file.h"
#include "engine/reporting/logfile.h"
#include "engine/reporting/logging.h"
#include "tests/support/testcase.h"

#include <QFile>
#include <QJsonDocument>
#include <QJsonObject>
#include <QTemporaryDir>
#include <csignal>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/spdlog.h>
#include <sstream>
#include <sys/resource.h>
#include <thread>

using namespace sluice;

class TestLogging : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void init();
    void linesAreJson();
    void fieldsOfTheRequest();
    void badBytesStayJson();
    void textToo();
    void repeatsAreCounted();
    void repeatsOfManyMessagesAreBounded();
    void rotatesBySize();
    void fullDiskStopsNobody();
    void folderGoneAndBack();
    void reopensAMovedFile();
    void cannotOpenIsSaid();
    void accessLogIsNoRepeat();
    void manyThreads();

private:
    QByteArray read(const QString& name = QStringLiteral("log")) const
    {
        QFile file(m_folder->filePath(name));
        return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
    }
    QList<QJsonObject> lines() const
    {
        QList<QJsonObject> all;
        for (const QByteArray& line : read().split('\n')) {
            if (!line.isEmpty()) {
                all.append(QJsonDocument::fromJson(line).object());
            }
        }
        return all;
    }
    LogOptions options() const
    {
        LogOptions some;
        some.file = m_folder->filePath(QStringLiteral("log")).toStdString();
        return some;
    }

    std::unique_ptr<QTemporaryDir> m_folder;
};

namespace {

QString text(const QJsonObject& object, const char* key)
{
    return object[QLatin1StringView(key)].toString();
}

/// Files may grow to so many bytes while it lives, as on a full disk.
class FileSizeLimit
{
public:
    explicit FileSizeLimit(rlim_t bytes)
    {
        std::signal(SIGXFSZ, SIG_IGN);
        ::getrlimit(RLIMIT_FSIZE, &m_before);
        const rlimit limit{bytes, m_before.rlim_max};
        ::setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~FileSizeLimit() { ::setrlimit(RLIMIT_FSIZE, &m_before); }

private:
    rlimit m_before{};
};

} // namespace

void TestLogging::init()
{
    failOnWarnings();
    m_folder = std::make_unique<QTemporaryDir>();
}

void TestLogging::linesAreJson()
{
    QVERIFY(startLogging(options()).ok());
    const auto before = QDateTime::currentDateTimeUtc().addMSecs(-1);
    spdlog::info("a \"quoted\"\nline {}", 1);
    spdlog::debug("not at this level");
    spdlog::error("bad");
    const auto all = lines();
    QCOMPARE(all.size(), 2);
    QCOMPARE(text(all[0], "message"), QStringLiteral("a \"quoted\"\nline 1"));
    QCOMPARE(text(all[0], "level"), QStringLiteral("info"));
    QCOMPARE(text(all[1], "level"), QStringLiteral("error"));
    QCOMPARE(all[0].size(), 3);
    const QString time = text(all[0], "time");
    QVERIFY2(
        QRegularExpression(QStringLiteral("^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d\\.\\d{3}Z$"))
            .match(time)
            .hasMatch(),
        qPrintable(time));
    const auto then = QDateTime::fromString(time, Qt::ISODateWithMs);
    QVERIFY(then >= before && then <= QDateTime::currentDateTimeUtc());
}

void TestLogging::fieldsOfTheRequest()
{
    QVERIFY(startLogging(options()).ok());
    const std::string tag = sessionTag("anna@example.org");
    QCOMPARE(tag.size(), 12U);
    QCOMPARE(sessionTag(""), std::string());
    {
        LogFields fields;
        fields.requestId = "req-1";
        fields.session = "anna@example.org";
        fields.traceId = "4bf92f3577b34da6a3ce929d0e0e4736";
        fields.spanId = "00f067aa0ba902b7";
        fields.more = R"("status":503)";
        const LogScope scope(fields);
        {
            const LogFields inner{"req-2", {}, {}, {}, {}};
            const LogScope within(inner);
            spdlog::warn("inner");
        }
        spdlog::warn("outer");
    }
    spdlog::warn("none");
    const auto all = lines();
    QCOMPARE(text(all[0], "request_id"), QStringLiteral("req-2"));
    QCOMPARE(all[0].size(), 4);
    QCOMPARE(text(all[1], "request_id"), QStringLiteral("req-1"));
    QCOMPARE(text(all[1], "session"), QString::fromStdString(tag));
    QCOMPARE(text(all[1], "trace_id"), QStringLiteral("4bf92f3577b34da6a3ce929d0e0e4736"));
    QCOMPARE(text(all[1], "span_id"), QStringLiteral("00f067aa0ba902b7"));
    QCOMPARE(all[1][QStringLiteral("status")].toInt(), 503);
    QCOMPARE(all[2].size(), 3);
    QVERIFY(!read().contains("anna"));
}

void TestLogging::badBytesStayJson()
{
    QVERIFY(startLogging(options()).ok());
    spdlog::info("gr\xc3\xbc\xc3\x9f");
    spdlog::info("cut \xc3");
    const auto all = lines();
    QCOMPARE(text(all[0], "message"), QStringLiteral("grüß"));
    QCOMPARE(text(all[1], "message"), QStringLiteral("cut ?"));
}

void TestLogging::textToo()
{
    LogOptions some = options();
    some.json = false;
    some.level = "debug";
    QVERIFY(startLogging(some).ok());
    const LogFields fields{"req-1", "abc", {}, {}, R"("status":200)"};
    const LogScope scope(fields);
    spdlog::debug("hello");
    QVERIFY2(
        read().endsWith("Z debug hello request_id=req-1 session=ba7816bf8f01 \"status\":200\n"),
        read().constData());
}

void TestLogging::repeatsAreCounted()
{
    std::ostringstream out;
    auto now = std::chrono::steady_clock::time_point();
    const auto filter =
        std::make_shared<RepeatFilter>(std::make_shared<spdlog::sinks::ostream_sink_mt>(out),
            std::chrono::seconds(10), [&now] { return now; });
    spdlog::logger logger("test", filter);
    logger.set_pattern("%l %v");
    for (int second = 0; second < 5; ++second) {
        logger.warn("Redis is away");
        now += std::chrono::seconds(1);
    }
    logger.info("Redis is away"); // another level is another line
    logger.warn("something else");
    QCOMPARE(out.str(),
        std::string("warning Redis is away\ninfo Redis is away\nwarning something else\n"));
    out.str({});
    now += std::chrono::seconds(6);
    logger.flush();
    QCOMPARE(out.str(), std::string("warning Redis is away (4 times more)\n"));
    out.str({});
    logger.warn("Redis is away"); // goes on: counted, told when its ten seconds are over
    QCOMPARE(out.str(), std::string());
    now += std::chrono::seconds(10);
    logger.warn("other");
    QCOMPARE(out.str(), std::string("warning Redis is away (1 times more)\nwarning other\n"));
    out.str({});
    now += std::chrono::seconds(10);
    logger.warn("Redis is away"); // quiet for an interval: new
    QCOMPARE(out.str(), std::string("warning Redis is away\n"));
}

void TestLogging::repeatsOfManyMessagesAreBounded()
{
    std::ostringstream out;
    const auto filter = std::make_shared<RepeatFilter>(
        std::make_shared<spdlog::sinks::ostream_sink_mt>(out), std::chrono::seconds(10));
    spdlog::logger logger("test", filter);
    logger.set_pattern("%v");
    for (int round = 0; round < 2; ++round) {
        for (int index = 0; index < 300; ++index) {
            logger.info("message {}", index);
        }
    }
    const std::string all = out.str();
    QCOMPARE(std::count(all.begin(), all.end(), '\n'), 300 + 44); // 256 are remembered
}

void TestLogging::rotatesBySize()
{
    LogOptions some = options();
    some.maxBytes = 2000;
    some.keep = 2;
    QVERIFY(startLogging(some).ok());
    for (int index = 0; index < 100; ++index) {
        spdlog::info("line {:04}", index);
    }
    const QStringList files = QDir(m_folder->path()).entryList(QDir::Files);
    QCOMPARE(files.join(u' '), QStringLiteral("log log.1 log.2"));
    for (const QString& name : files) {
        QVERIFY(read(name).size() <= 2000);
    }
    const QByteArray newest =
        read(QStringLiteral("log.2")) + read(QStringLiteral("log.1")) + read();
    QVERIFY(newest.contains("line 0099"));
    QVERIFY(!newest.contains("line 0000"));
    // None is lost in between.
    const auto first = newest.mid(newest.indexOf("line ") + 5, 4).toInt();
    QCOMPARE(newest.count('\n'), 100 - first);

    some.keep = 0;
    QVERIFY(startLogging(some).ok());
    for (int index = 0; index < 100; ++index) {
        spdlog::info("line {:04}", index);
    }
    QVERIFY(read().size() <= 2000 && read().contains("line 0099"));
}

void TestLogging::fullDiskStopsNobody()
{
    QVERIFY(startLogging(options()).ok());
    {
        const FileSizeLimit limit(1000);
        for (int index = 0; index < 100; ++index) {
            spdlog::info("line {}", index);
        }
        QVERIFY(read().size() <= 1000);
    }
    spdlog::info("there is room again");
    const auto all = lines();
    const std::uint64_t lost = droppedLogLines();
    QVERIFY(lost > 50 && lost < 100);
    QCOMPARE(text(all[all.size() - 2], "message"), QStringLiteral("there is room again"));
    QCOMPARE(
        text(all.back(), "message"), QStringLiteral("%1 log lines could not be written").arg(lost));
    // The line that was cut in the middle stands alone: all others can be read.
    QCOMPARE(std::count_if(
                 all.begin(), all.end(), [](const QJsonObject& line) { return line.isEmpty(); }),
        1);
}

void TestLogging::folderGoneAndBack()
{
    const QString folder = m_folder->filePath(QStringLiteral("logs"));
    const std::string path = m_folder->filePath(QStringLiteral("logs/log")).toStdString();
    QVERIFY(QDir().mkpath(folder));
    auto file = LogFile::open(path, 100, 1);
    QVERIFY(file.ok());
    LogFile& log = **file;
    log.write(std::string(90, 'a') + "\n");
    log.flush();
    QVERIFY(QDir(folder).removeRecursively());
    log.write(std::string(90, 'b') + "\n"); // would rotate: there is nowhere to
    log.flush();
    QCOMPARE(log.dropped(), 1U);
    QVERIFY(!log.cause().empty());
    QVERIFY(QDir().mkpath(folder));
    log.write("c\n");
    log.flush();
    QCOMPARE(log.dropped(), 1U);
    QVERIFY(log.cause().empty());
    QCOMPARE(*readFile(path), std::string("c\n"));
}

void TestLogging::reopensAMovedFile()
{
    QVERIFY(startLogging(options()).ok());
    spdlog::info("before");
    QVERIFY(QFile::rename(
        m_folder->filePath(QStringLiteral("log")), m_folder->filePath(QStringLiteral("moved"))));
    reopenLog();
    spdlog::info("after");
    QVERIFY(read(QStringLiteral("moved")).contains("before"));
    QVERIFY(read().contains("after") && !read().contains("before"));
}

void TestLogging::cannotOpenIsSaid()
{
    LogOptions some;
    some.file = m_folder->filePath(QStringLiteral("no/such/folder")).toStdString();
    const auto started = startLogging(some);
    QVERIFY(!started.ok());
    QCOMPARE(started.error().kind, ErrorKind::Input);
    QVERIFY(started.error().message.find("no/such/folder") != std::string::npos);
}

void TestLogging::accessLogIsNoRepeat()
{
    LogOptions some = options();
    some.level = "error"; // of the other lines
    QVERIFY(startLogging(some).ok());
    const LogFields fields{"req-1", {}, {}, {}, R"("status":200)"};
    for (int index = 0; index < 3; ++index) {
        logAccess("GET /healthz", fields);
    }
    QTRY_COMPARE(lines().size(), 3); // within a second
    QCOMPARE(text(lines()[2], "message"), QStringLiteral("GET /healthz"));
    QCOMPARE(text(lines()[2], "request_id"), QStringLiteral("req-1"));
}

void TestLogging::manyThreads()
{
    QVERIFY(startLogging(options()).ok());
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 4; ++thread) {
        threads.emplace_back([thread] {
            const std::string id = std::to_string(thread);
            const LogFields fields{id, {}, {}, {}, {}};
            const LogScope scope(fields);
            for (int index = 0; index < 200; ++index) {
                spdlog::info("thread {} line {}", thread, index);
                logAccess("access", fields);
            }
        });
    }
    for (std::thread& thread : threads) {
        thread.join();
    }
    spdlog::get("access")->flush();
    int right = 0;
    for (const QJsonObject& line : lines()) {
        const QString said = text(line, "message");
        right += said == QStringLiteral("access")
            || said.startsWith(QStringLiteral("thread ") + text(line, "request_id"));
    }
    QCOMPARE(right, 1600);
}

QTEST_GUILESS_MAIN(TestLogging)
#include "tst_logging.moc"

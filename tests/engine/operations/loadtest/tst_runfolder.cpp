#include "engine/operations/loadtest/runfolder.h"
#include "engine/operations/loadtest/verdict.h"
#include "tests/support/testcase.h"

#include <QDir>
#include <QFile>
#include <QJsonDocument>
#include <QTemporaryDir>
#include <cmath>
#include <unistd.h>

using namespace sluice;
using namespace sluice::ops;

namespace {

std::vector<HistogramBucket> bucketsOf(std::initializer_list<int> milliseconds)
{
    LatencyHistogram histogram;
    for (const int value : milliseconds) {
        histogram.add(std::int64_t(value) * 1000000);
    }
    return histogram.buckets();
}

LoadResult made()
{
    LoadResult result;
    result.scenario = Scenario::constant(QStringLiteral("normal"), 20, 50, 2);
    result.target = QUrl(QStringLiteral("http://127.0.0.1:1"));
    result.environment = QStringLiteral("local");
    result.seed = UINT64_MAX;
    result.startedAt =
        QDateTime::fromString(QStringLiteral("2026-03-01T10:15:00.000Z"), Qt::ISODateWithMs);
    result.endedAt = result.startedAt.addSecs(2);
    result.versions = {{QStringLiteral("sluicectl"), QStringLiteral("1")}};
    result.pid = ::getpid();
    result.state = QStringLiteral("completed");
    result.completed = true;
    result.scheduled = 100;
    result.sent = 100;
    result.succeeded = 98;
    result.errors[QStringLiteral("status 503")] = 2;
    result.errorSamples << ErrorSample{QStringLiteral("status 503"), 0.5, QStringLiteral("busy")};
    result.notes << QStringLiteral("a note");
    LoadSecond second;
    second.scheduled = second.sent = 50;
    second.completed = 49;
    second.errors = 1;
    second.p95Ms = 2.5;
    second.lagP99Ms = 0.5;
    second.errorsByKind[QStringLiteral("status 503")] = 1;
    second.heat = {{20, 40}, {21, 9}};
    second.server.workerMiB = 44;
    result.seconds << second;
    second.second = 1;
    second.server = {};
    result.seconds << second;
    LatencyBlock block;
    block.seconds = 1;
    block.scheduled = 50;
    block.errors = 1;
    block.corrected = bucketsOf({1, 2, 3, 4});
    block.uncorrected = bucketsOf({1, 1, 1, 1});
    block.lag = bucketsOf({0});
    block.maxNs = 4000000;
    result.blocks.push_back(block);
    block.second = 1;
    result.blocks.push_back(block);
    figuresFromBlocks(result);
    judge(result);
    return result;
}

} // namespace

class TestRunFolder : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void savedRunCanBeRead();
    void readWhileItRuns();
    void lostRunIsSaid();
    void lostRunIsSummed();
    void damagedFilesAreReadAsFarAsTheyGo();
    void whatCantBeWrittenIsSaid();
    void badFoldersAreSaid();
    void runsAreListed();
    void partsAreMerged();
    void unlikeRunsAreNoParts();
    void heatHasEdges();

private:
    QTemporaryDir m_home;
};

void TestRunFolder::initTestCase()
{
    qputenv("SLUICE_DATA_HOME", m_home.path().toUtf8());
}

void TestRunFolder::savedRunCanBeRead()
{
    LoadResult result = made();
    const QString path = m_home.filePath(QStringLiteral("one/run"));
    QVERIFY(saveRun(path, result).ok());
    const auto again = readRun(path);
    QVERIFY2(again.ok(), again ? "" : again.error().text().c_str());
    result.id = QStringLiteral("run");
    QCOMPARE(again->toJson(), result.toJson());
    QCOMPARE(again->seed, UINT64_MAX);
    QCOMPARE(again->seconds.size(), 2);
    for (int index = 0; index < 2; ++index) {
        QCOMPARE(again->seconds[index].toJson(), result.seconds[index].toJson());
    }
    QCOMPARE(again->seconds[0].server.workerMiB, std::optional(44.0));
    QVERIFY(!again->seconds[1].server.workerMiB);
    QCOMPARE(again->blocks.size(), 2U);
    QVERIFY(again->blocks[1].corrected == result.blocks[1].corrected);
    QCOMPARE(again->verdict(), QStringLiteral("failed")); // 2 % errors
    QFile scenario(path + QStringLiteral("/scenario.json"));
    QVERIFY(scenario.open(QIODevice::ReadOnly));
    QVERIFY(Scenario::fromJson(scenario.readAll(), {}).ok());
}

void TestRunFolder::readWhileItRuns()
{
    const LoadResult result = made();
    RunWriter writer;
    const QString path = m_home.filePath(QStringLiteral("live"));
    QVERIFY(!writer.isOpen());
    QVERIFY(writer.create(path, result).ok());
    QVERIFY(writer.isOpen());
    QCOMPARE(writer.folder(), path);
    QVERIFY(writer.add(result.seconds[0]).ok());
    const auto seen = readRun(path);
    QVERIFY(seen.ok());
    QCOMPARE(seen->verdict(), QStringLiteral("running"));
    QCOMPARE(seen->seconds.size(), 1);
    // The machine fails in the middle of a line.
    QFile file(path + QStringLiteral("/seconds.jsonl"));
    QVERIFY(file.open(QIODevice::Append));
    file.write("{\"second\":1,\"sche");
    file.close();
    QCOMPARE(readRun(path)->seconds.size(), 1);
}

void TestRunFolder::lostRunIsSaid()
{
    LoadResult result = made();
    result.pid = 0;
    RunWriter writer;
    const QString path = m_home.filePath(QStringLiteral("lost"));
    QVERIFY(writer.create(path, result).ok());
    const auto seen = readRun(path);
    QVERIFY(seen.ok());
    QCOMPARE(seen->state, QStringLiteral("lost"));
    QVERIFY(seen->notes.last().contains(QStringLiteral("ended without saying so")));
}

/// Killed in its first minute: result.json is as it began, the lines say what was measured.
void TestRunFolder::lostRunIsSummed()
{
    LoadResult whole = made();
    LoadResult head = whole;
    head.pid = 0;
    head.scheduled = head.sent = head.succeeded = 0;
    head.errors.clear();
    head.p50Ms = head.p95Ms = head.p99Ms = head.maxMs = 0;
    head.completed = false;
    head.checks.clear();
    RunWriter writer;
    const QString path = m_home.filePath(QStringLiteral("killed"));
    QVERIFY(writer.create(path, head).ok());
    for (const LoadSecond& second : whole.seconds) {
        QVERIFY(writer.add(second).ok());
    }
    for (const LatencyBlock& block : whole.blocks) {
        QVERIFY(writer.add(block).ok());
    }
    const auto seen = readRun(path);
    QVERIFY(seen.ok());
    QCOMPARE(seen->scheduled, 100);
    QCOMPARE(seen->sent, 100);
    QCOMPARE(seen->succeeded, 96); // 98 answers, 2 of them 503
    QCOMPARE(seen->failures(), 2);
    QCOMPARE(seen->elapsedSeconds, 2.0);
    QCOMPARE(seen->achievedRate, 48.0);
    QCOMPARE(seen->p95Ms, whole.p95Ms);
    QVERIFY(!seen->checks.isEmpty());
    QCOMPARE(seen->verdict(), QStringLiteral("no verdict"));
}

void TestRunFolder::damagedFilesAreReadAsFarAsTheyGo()
{
    const LoadResult whole = made();
    const QString path = m_home.filePath(QStringLiteral("damaged"));
    QVERIFY(saveRun(path, whole).ok());
    const auto replace = [&](const char* name, const QByteArray& content) {
        QFile file(path + u'/' + QString::fromUtf8(name));
        return file.open(QIODevice::WriteOnly) && file.write(content) == content.size();
    };
    // Lines that are no objects, numbers that no histogram has, values of another type.
    QVERIFY(replace("histograms.jsonl",
        "\xff\xfe\n[1]\n{\"second\":\"x\",\"seconds\":[],\"corrected\":[[-1,5],[4000000000,1],["
        "\"a\"],7]}\n"
        "{\"second\":0,\"seconds\":1,\"corrected\":[[40,5]],\"max_ns\":50}\n"));
    QVERIFY(replace("seconds.jsonl", "null\n{\"second\":3,\"heat\":[[1],null,5]}\n"));
    const auto seen = readRun(path);
    QVERIFY(seen.ok());
    QCOMPARE(seen->seconds.size(), 1);
    QCOMPARE(seen->blocks.size(), 2U);
    LoadResult summed = *seen;
    figuresFromBlocks(summed);
    QVERIFY(std::isfinite(summed.p99Ms));
    QVERIFY(QFile::remove(path + QStringLiteral("/seconds.jsonl")));
    QCOMPARE(readRun(path)->seconds.size(), 0);
    // Without a scenario that is one there is no run.
    for (const QByteArray& content : {QByteArray(), QByteArray("{\"v\":1"), QByteArray("[]"),
             QByteArray("{\"v\":1,\"scenario\":{\"name\":\"a\"}}"),
             QByteArray("{\"v\":1,\"scenario\":7}")}) {
        QVERIFY(replace("result.json", content));
        const auto none = readRun(path);
        QVERIFY2(!none.ok(), content.constData());
        QCOMPARE(none.error().kind, ErrorKind::Input);
        QVERIFY2(none.error().message.find("damaged") != std::string::npos,
            none.error().message.c_str());
    }
}

void TestRunFolder::whatCantBeWrittenIsSaid()
{
    for (const char* name : {"seconds.jsonl", "histograms.jsonl", "scenario.json"}) {
        const QString path = m_home.filePath(QStringLiteral("in-the-way-") + QLatin1String(name));
        QVERIFY(QDir().mkpath(path + u'/' + QLatin1String(name))); // a folder of that name
        RunWriter writer;
        const auto created = writer.create(path, made());
        QVERIFY2(!created.ok(), name);
        QVERIFY(created.error().message.find(name) != std::string::npos);
        QVERIFY(!saveRun(path, made()).ok());
    }
    // A disk that is full, from the first line on.
    for (const char* name : {"seconds.jsonl", "histograms.jsonl"}) {
        const QString path = m_home.filePath(QStringLiteral("full-") + QLatin1String(name));
        QVERIFY(QDir().mkpath(path));
        QVERIFY(QFile::link(QStringLiteral("/dev/full"), path + u'/' + QLatin1String(name)));
        const auto saved = saveRun(path, made());
        QVERIFY2(!saved.ok(), name);
        QVERIFY(saved.error().message.find(name) != std::string::npos);
    }
}

void TestRunFolder::badFoldersAreSaid()
{
    QVERIFY(!saveRun(QStringLiteral("/proc/sluice/run"), made()).ok());
    QVERIFY(!readRun(m_home.filePath(QStringLiteral("nothing"))).ok());
    QVERIFY(!findRun(QStringLiteral("nothing")).ok());
    QDir().mkpath(m_home.filePath(QStringLiteral("other")));
    QFile file(m_home.filePath(QStringLiteral("other/result.json")));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write("{\"v\":2}");
    file.close();
    QVERIFY(!readRun(m_home.filePath(QStringLiteral("other"))).ok());
    QVERIFY(!LoadResult::fromJson({{QStringLiteral("v"), 1}}, QStringLiteral("x")).ok());
}

void TestRunFolder::runsAreListed()
{
    QVERIFY(!findRun(QStringLiteral("latest")).ok());
    LoadResult result = made();
    QVERIFY(saveRun(runsFolder() + QStringLiteral("/20260301T101500Z-a-1"), result).ok());
    result.startedAt = result.startedAt.addDays(1);
    QVERIFY(saveRun(runsFolder() + QStringLiteral("/20260302T101500Z-b-1"), result).ok());
    QVERIFY(QDir().mkpath(runsFolder() + QStringLiteral("/20250302T101500Z-broken-1")));
    const QList<LoadResult> runs = listRuns();
    QCOMPARE(runs.size(), 2);
    QCOMPARE(runs[0].id, QStringLiteral("20260302T101500Z-b-1"));
    QVERIFY(findRun(QStringLiteral("latest"))->endsWith(QStringLiteral("b-1")));
    QVERIFY(findRun(QStringLiteral("20260301T101500Z-a-1"))->endsWith(QStringLiteral("a-1")));
    const QString fresh = newRunFolder(Scenario::constant(QStringLiteral("a/b c"), 1, 1, 1));
    QVERIFY(fresh.startsWith(runsFolder()));
    QVERIFY(fresh.contains(QStringLiteral("-a-b-c-")));
    // Those of one second don't share it.
    QSet<QString> folders;
    for (int more = 0; more < 5; ++more) {
        const QString next = newRunFolder(Scenario::constant(QStringLiteral("a/b c"), 1, 1, 1));
        QVERIFY(QDir().mkpath(next));
        folders << next;
    }
    QCOMPARE(folders.size(), 5);
}

void TestRunFolder::partsAreMerged()
{
    LoadResult one = made();
    LoadResult two = made();
    two.blocks[0].corrected = bucketsOf({10, 20, 30, 40});
    two.blocks[0].maxNs = 40000000;
    two.blocks[1].second = 7;
    two.seconds[1].second = 7;
    two.completed = false;
    const auto merged = mergeRuns({one, two});
    QVERIFY(merged.ok());
    QCOMPARE(merged->scheduled, 200);
    QCOMPARE(merged->failures(), 4);
    QCOMPARE(merged->errorSamples.size(), 2);
    QCOMPARE(merged->seconds.size(), 3);
    QCOMPARE(merged->seconds[0].completed, 98);
    QCOMPARE(merged->seconds[0].heat[0].count, 80);
    QCOMPARE(merged->seconds[0].errorsByKind[QStringLiteral("status 503")], 2);
    QCOMPARE(merged->blocks.size(), 3U);
    QCOMPARE(merged->maxMs, 40.0);
    QVERIFY(!merged->completed);
    QCOMPARE(merged->state, QStringLiteral("stopped"));
    QVERIFY(!mergeRuns({}).ok());
    two.scenario.name = QStringLiteral("peak");
    QVERIFY(!mergeRuns({one, two}).ok());
    QCOMPARE(mergeRuns({one})->toJson(), one.toJson());
}

void TestRunFolder::unlikeRunsAreNoParts()
{
    const auto merged = [](auto change) {
        LoadResult other = made();
        change(other);
        const auto sum = mergeRuns({made(), other});
        return sum ? QString() : QString::fromStdString(sum.error().message);
    };
    QCOMPARE(merged([](LoadResult&) {}), QString());
    QVERIFY(merged([](LoadResult& r) {
        r.scenario.name = QStringLiteral("peak");
    }).contains(QStringLiteral("\"peak\"")));
    QVERIFY(merged([](LoadResult& r) {
        r.scenario.model = LoadModel::Closed;
    }).contains(QStringLiteral("open and a closed")));
    QVERIFY(merged([](LoadResult& r) {
        r.scenario = r.scenario.scaled(3);
    }).contains(QStringLiteral("2 s and 6 s")));
    // One after another: their rates were never there together.
    QVERIFY(merged([](LoadResult& r) {
        r.startedAt = r.endedAt;
        r.endedAt = r.startedAt.addSecs(2);
    }).contains(QStringLiteral("at the same time")));
    // Of one that was lost there is no end; of parts that overlap the sum is right.
    QCOMPARE(merged([](LoadResult& r) { r.endedAt = {}; }), QString());
    QCOMPARE(merged([](LoadResult& r) { r.startedAt = r.startedAt.addMSecs(900); }), QString());
    // A part from Locust makes the whole one uncorrected: it never passes by itself.
    LoadResult locust = made();
    locust.generator = QStringLiteral("locust");
    locust.latencyCorrected = false;
    const auto mixed = mergeRuns({made(), locust});
    QVERIFY(mixed.ok() && !mixed->latencyCorrected && !mixed->passed);
}

void TestRunFolder::heatHasEdges()
{
    LatencyHistogram histogram;
    histogram.add(500); // half a microsecond
    histogram.add(1500000);
    histogram.add(1500000);
    const QList<HeatCell> heat = heatOf(histogram);
    QCOMPARE(heat.size(), 2);
    QCOMPARE(heat[0].bucket, 0);
    QCOMPARE(heatEdgeMs(0), 0.0);
    QCOMPARE(heat[1].count, 2);
    QVERIFY(heatEdgeMs(heat[1].bucket) <= 1.5 && heatEdgeMs(heat[1].bucket + 1) > 1.5);
}

QTEST_GUILESS_MAIN(TestRunFolder)
#include "tst_runfolder.moc"

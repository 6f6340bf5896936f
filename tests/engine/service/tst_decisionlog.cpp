#include "engine/classification/thresholds/decisionrow.h"
#include "engine/service/decisionlog.h"
#include "tests/support/redisserver.h"
#include "tests/support/testcase.h"
#include "tests/support/worker.h"

#include <QJsonArray>

using namespace sluice;
using service::Configuration;
using service::DecisionLog;
using service::DecisionLogSettings;
using test::HttpAnswer;
using test::HttpClient;
using test::Worker;

class TestDecisionLog : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void samplesWholeSessions();
    void replaysAsServed();
    void rowsAreWhatConfigurationAllows();
    void dropsAndCounts();
    void streamIsBounded();

private:
    std::vector<DecisionRow> rows(const test::RedisServer& redis);
    Configuration configuration(const test::RedisServer& redis);

    std::unique_ptr<Classifier> m_classifier;
};

namespace {

/// Commands that are counted; answered at once, or not until release().
class Commands : public RedisCommands
{
public:
    void start() override { }
    bool isConnected() const override { return connected; }
    CircuitBreaker::State circuit() const override { return {}; }
    void command(const std::vector<std::string>& arguments, std::chrono::milliseconds,
        Replied replied) override
    {
        sent.push_back(arguments);
        waiting.push_back(std::move(replied));
    }
    void release(const Result<RedisValue>& reply)
    {
        for (const Replied& replied : std::exchange(waiting, {})) {
            replied(reply);
        }
    }
    bool connected = true;
    std::vector<std::vector<std::string>> sent;
    std::vector<Replied> waiting;
};

const char* const queries[] = {"where is my parcel A-2231?", "and B-10498?", "cancel it", "hello",
    "I want my money back", "qwzx", "refund", "what about Friday?", "the weather on the moon",
    "change my address", "talk to a human", "it does not work", "no", "invoice please"};

} // namespace

void TestDecisionLog::initTestCase()
{
    m_classifier = std::move(*Classifier::load(SLUICE_BINARY_DIR "/share/sluice/helpdesk.model",
        SLUICE_BINARY_DIR "/share/sluice/entities.json"));
}

Configuration TestDecisionLog::configuration(const test::RedisServer& redis)
{
    Configuration configuration;
    configuration.redis.port = redis.port();
    configuration.redis.budget = std::chrono::seconds(5);
    configuration.decisionLog.share = 1;
    return configuration;
}

std::vector<DecisionRow> TestDecisionLog::rows(const test::RedisServer& redis)
{
    std::vector<DecisionRow> rows;
    const QByteArray all = redis.cli({QStringLiteral("--raw"), QStringLiteral("XRANGE"),
        QStringLiteral("sluice:decisions"), QStringLiteral("-"), QStringLiteral("+")});
    for (const QByteArray& line : all.split('\n')) {
        if (line.startsWith('{')) {
            const auto row = DecisionRow::fromJson(line.toStdString(), "row");
            if (row) {
                rows.push_back(*row);
            } else {
                qWarning("%s", row.error().message.c_str());
            }
        }
    }
    return rows;
}

void TestDecisionLog::samplesWholeSessions()
{
    Commands redis;
    const service::Privacy privacy({});
    DecisionLogSettings settings;
    settings.share = 0.25;
    const DecisionLog one(settings, privacy, &redis, "blue", "1");
    const DecisionLog two(settings, privacy, &redis, "green", "2");
    int sampled = 0;
    for (int index = 0; index < 10000; ++index) {
        const std::string session = std::to_string(index);
        sampled += one.samples(session) ? 1 : 0;
        QCOMPARE(two.samples(session), one.samples(session)); // whichever worker has it
    }
    // Four standard deviations of a binomial: 173.
    QVERIFY2(std::abs(sampled - 2500) < 174, qPrintable(QString::number(sampled)));
    settings.share = 0;
    QVERIFY(!DecisionLog(settings, privacy, &redis, "blue", "1").samples("s"));
    settings.share = 1;
    QVERIFY(DecisionLog(settings, privacy, &redis, "blue", "1").samples("s"));
    QVERIFY(!DecisionLog(settings, privacy, nullptr, "blue", "1").samples("s"));
}

// Served by a worker with context rules, read back from the stream, judged anew: verdict by verdict
// what was served; both by the rule and by the columns that a slider replays.
void TestDecisionLog::replaysAsServed()
{
    test::RedisServer redis;
    QVERIFY2(redis.start(), qPrintable(redis.lastError()));
    ThresholdSet set;
    set.number = 5;
    set.global = 0.6;
    set.margin = 0.2;
    set.clarifyBand = 0.2;
    set.followUp = -0.1;
    set.failuresBeforeClarify = 2;
    ContextRule rule;
    rule.when = Condition::TimeOfDay;
    rule.add = 0.05;
    rule.from = 0;
    rule.to = 12 * 60;
    rule.zone = "Europe/Vienna";
    set.rules.push_back(rule);
    redis.cli({QStringLiteral("SET"), QStringLiteral("sluice:{thresholds}:5"),
        QString::fromStdString(set.toJson())});
    redis.cli({QStringLiteral("SET"), QStringLiteral("sluice:{thresholds}:active:blue"),
        QStringLiteral("5")});
    // The clock steps, forth and back.
    auto at = std::make_shared<std::atomic<std::int64_t>>(1770000000);
    const Worker worker(configuration(redis), std::chrono::seconds(0),
        [at] { return std::chrono::sys_seconds(std::chrono::seconds(at->load())); });
    HttpClient client(worker.port());
    QTRY_COMPARE(client.ask("GET", "/v1/info").json()[QStringLiteral("threshold_set")].toInt(), 5);

    std::vector<QString> served;
    for (int session = 0; session < 12; ++session) {
        for (std::size_t index = 0; index < std::size(queries); ++index) {
            const QByteArray text = queries[(index * 5 + std::size_t(session)) % 14];
            const QByteArray top = session % 2 == 0 ? ",\"top_k\":1" : "";
            const HttpAnswer answer = client.ask("POST", "/v1/classify",
                "{\"durable\":true,\"text\":\"" + text + "\"" + top + "}",
                "X-Session-Id: s" + QByteArray::number(session) + "\r\nX-Request-Id: r"
                    + QByteArray::number(served.size()) + "\r\n");
            QCOMPARE(answer.status, 200);
            served.push_back(answer.json()[QStringLiteral("decision")].toString());
            *at += index % 3 == 0 ? -40000 : 50000;
        }
    }
    QTRY_COMPARE(rows(redis).size(), served.size());
    const auto& labels = m_classifier->model().labels();
    const auto thresholds = *m_classifier->compile(set);
    std::vector<RecordedRow> recorded;
    std::array<std::uint32_t, 3> expected{};
    for (const DecisionRow& row : rows(redis)) {
        const QString& was = served[std::size_t(std::stoi(row.id.substr(1)))];
        QCOMPARE(QString::fromStdString(std::string(toString(row.verdict))), was);
        QCOMPARE(row.set, std::int64_t(5));
        QCOMPARE(row.model, m_classifier->model().hash());
        QVERIFY(row.top.size() <= 5);
        std::vector<Candidate> candidates;
        for (const DecisionRow::Scored& scored : row.top) {
            const auto label = std::lower_bound(labels.begin(), labels.end(), scored.intent);
            candidates.push_back({int(label - labels.begin()), scored.confidence});
        }
        const Ruling ruling = thresholds->decide(candidates, row.context);
        QCOMPARE(int(ruling.verdict), int(row.verdict));
        QCOMPARE(int(ruling.rule), int(row.rule));
        QCOMPARE(ruling.threshold, row.threshold);
        recorded.push_back(row.recorded(labels));
        ++expected[std::size_t(row.verdict)];
    }
    const RecordedRows all(recorded, labels.size());
    const Replay replay = all.replay(*thresholds, all.verdicts(*thresholds));
    for (const Verdict verdict : {Verdict::Accept, Verdict::Clarify, Verdict::Fallback}) {
        QVERIFY(expected[std::size_t(verdict)] > 0);
        QCOMPARE(replay.count(verdict), expected[std::size_t(verdict)]);
    }
}

void TestDecisionLog::rowsAreWhatConfigurationAllows()
{
    test::RedisServer redis;
    QVERIFY2(redis.start(), qPrintable(redis.lastError()));
    Configuration options = configuration(redis);
    options.privacy.sessions = "hashed";
    options.privacy.key = "sixteen bytes or more";
    const Worker worker(options);
    HttpClient client(worker.port());
    QTRY_VERIFY(client.hasRedis());
    const QByteArray text = "where is my parcel A-2231, write to ann@example.org";
    client.classify(text, "ann");
    client.ask("POST", "/v1/classify", "{\"text\":\"" + text + "\",\"context\":\"none\"}",
        "X-Session-Id: ann\r\n");
    client.ask("POST", "/v1/classify/batch", R"({"queries":["hello",{"text":"refund"}]})",
        "X-Request-Id: b\r\n");
    QTRY_COMPARE(rows(redis).size(), 4U);
    const std::vector<DecisionRow> all = rows(redis);
    QCOMPARE(all[0].query, std::string("where is my parcel <ORDER_NUMBER>, write to <EMAIL>"));
    QCOMPARE(all[0].session.size(), 64U);
    QCOMPARE(all[0].turn, 1);
    QCOMPARE(all[0].contextState, std::string("new"));
    QCOMPARE(all[0].weight, 1.0);
    QCOMPARE(all[0].pool, std::string("blue"));
    QCOMPARE(all[1].session, std::string()); // it was asked without its session
    QCOMPARE(all[1].contextState, std::string("none"));
    QCOMPARE(all[2].id, std::string("b:0"));
    QCOMPARE(all[3].id, std::string("b:1"));
    QVERIFY(
        client.ask("GET", "/metrics")
            .body.contains("sluice_decision_log_written_total{pool=\"blue\",version=\"test\"} 4"));
    // Redis is away: the queries are answered, the rows are counted as dropped.
    QVERIFY(redis.kill());
    QTRY_VERIFY(!client.hasRedis());
    QCOMPARE(client.classify("hello", "ann").status, 200);
    QVERIFY(
        client.ask("GET", "/metrics")
            .body.contains("sluice_decision_log_dropped_total{pool=\"blue\",version=\"test\"} 1"));
}

void TestDecisionLog::dropsAndCounts()
{
    Commands redis;
    const service::Privacy privacy({});
    DecisionLogSettings settings;
    settings.share = 1;
    settings.queue = 3;
    DecisionLog log(settings, privacy, &redis, "blue", "1");
    const auto thresholds = *m_classifier->compile(m_classifier->model().defaultThresholds());
    const Query query{"where is my parcel?", "", {}};
    const Answer answer = *m_classifier->classify(query, *thresholds, nullptr, {});
    const auto add = [&] {
        log.add(answer, query.text, "s", "r", *m_classifier, std::chrono::steady_clock::now());
    };
    for (int index = 0; index < 5; ++index) {
        add();
    }
    QCOMPARE(redis.sent.size(), 3U);
    QCOMPARE(log.counts().dropped, 2U);
    RedisValue ok;
    redis.release(ok);
    QCOMPARE(log.counts().written, 3U);
    add();
    redis.release(refusedError("OOM"));
    QCOMPARE(log.counts().dropped, 3U);
    redis.connected = false;
    add();
    QCOMPARE(log.counts().dropped, 4U);
    QCOMPARE(redis.sent.size(), 4U);
    add(); // still on its way when the log is gone
}

void TestDecisionLog::streamIsBounded()
{
    test::RedisServer redis;
    QVERIFY2(redis.start(), qPrintable(redis.lastError()));
    Configuration options = configuration(redis);
    options.decisionLog.keep = 100;
    const Worker worker(options);
    HttpClient client(worker.port());
    QTRY_VERIFY(client.hasRedis());
    QByteArray batch = R"({"queries":[)";
    for (int index = 0; index < 500; ++index) {
        batch += index == 0 ? "\"hello\"" : ",\"hello\"";
    }
    QCOMPARE(client.ask("POST", "/v1/classify/batch", batch + "]}").status, 200);
    QTRY_VERIFY(client.ask("GET", "/metrics")
                    .body.contains(
                        "sluice_decision_log_written_total{pool=\"blue\",version=\"test\"} 500"));
    const int length =
        redis.cli({QStringLiteral("XLEN"), QStringLiteral("sluice:decisions")}).toInt();
    QVERIFY2(length >= 100 && length < 300, qPrintable(QString::number(length)));
}

QTEST_GUILESS_MAIN(TestDecisionLog)
#include "tst_decisionlog.moc"

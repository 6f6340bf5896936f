#include "engine/operations/rollout/abcomparison.h"
#include "engine/operations/rollout/abreader.h"
#include "engine/operations/rollout/abreport.h"
#include "tests/support/redisserver.h"
#include "tests/support/testcase.h"

#include <QJsonArray>
#include <cmath>
#include <random>

using namespace sluice;
using namespace sluice::ops;

namespace {

const QString green = QStringLiteral("green");
const QString blue = QStringLiteral("blue");

/// Rows, made as a test wants them.
struct Traffic
{
    std::vector<PoolDecision> rows;
    std::vector<PoolFeedback> feedback;

    PoolDecision& add(const QString& pool, const QString& session, const QString& query,
        const QString& decision, qint64 atMs = 1000)
    {
        PoolDecision row;
        row.id = QStringLiteral("r%1").arg(rows.size());
        row.pool = pool;
        row.session = session;
        row.query = query;
        row.decision = decision;
        row.verdict = decision.section(u' ', 0, 0);
        row.atMs = atMs;
        rows.push_back(row);
        return rows.back();
    }
    AbComparison compare(qint64 toMs = 60000) const
    {
        return compareAb(rows, feedback, green, blue, 0, toMs);
    }
};

ComparedMeasure measureOf(const AbComparison& made, const char* key)
{
    for (const ComparedMeasure& measure : made.measures) {
        if (measure.key == QLatin1StringView(key)) {
            return measure;
        }
    }
    qFatal("no measure %s", key);
}

/// Sessions of some turns whose acceptance hangs together: each has a share of its own.
void addClustered(
    Traffic& traffic, const QString& pool, int sessions, double share, std::mt19937_64& random)
{
    std::uniform_real_distribution<double> unit(0, 1);
    std::lognormal_distribution<double> latency(1, 0.5);
    for (int session = 0; session < sessions; ++session) {
        const double own = unit(random) < share ? 0.95 : 0.05; // nearly all or nearly nothing
        const double slow = 0.5 + unit(random);
        const int turns = 1 + int(random() % 8);
        for (int turn = 0; turn < turns; ++turn) {
            const bool accepts = unit(random) < own;
            PoolDecision& row = traffic.add(pool, pool + QString::number(session), {},
                accepts ? QStringLiteral("accept a") : QStringLiteral("fallback"));
            row.confidence = own;
            row.ms = slow * latency(random);
        }
    }
}

} // namespace

/// Two pools' decisions held against each other, the unit being the session.
class TestAbComparison : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void emptyIsSaid();
    void sharesAndMeans();
    void intervalsOfSharesHoldAtTheEnds();
    void newcombesOwnExample();
    void intervalsCoverWithClusters();
    void plainIntervalsWouldNot();
    void agreementOfTheSameQueries();
    void agreementKnowsContext();
    void movedSessionsAreLeftOut();
    void slicesCountAlike();
    void feedbackFindsItsSession();
    void cancelled();
    void rowsAreRead();
    void readsBothStreams();
    void reportSaysIt();
};

void TestAbComparison::emptyIsSaid()
{
    const AbComparison nothing = Traffic().compare();
    QVERIFY(nothing.isEmpty());
    QVERIFY(abSection(nothing).contains(QStringLiteral("nothing can be compared")));
    Traffic one;
    one.add(green, QStringLiteral("a"), QStringLiteral("q"), QStringLiteral("fallback"));
    one.add(QStringLiteral("red"), QStringLiteral("b"), QStringLiteral("q"), {});
    const AbComparison alone = one.compare();
    QVERIFY(alone.isEmpty());
    QVERIFY(alone.measures.isEmpty());
    QCOMPARE(alone.outside, 1);
}

void TestAbComparison::sharesAndMeans()
{
    Traffic traffic;
    for (int session = 0; session < 20; ++session) {
        const QString name = QString::number(session);
        for (int turn = 0; turn < 2; ++turn) {
            traffic
                .add(green, QStringLiteral("g") + name, {},
                    session < 10 ? QStringLiteral("accept a") : QStringLiteral("fallback"))
                .confidence = 0.5;
            traffic
                .add(blue, QStringLiteral("b") + name, {},
                    session < 5 ? QStringLiteral("clarify a") : QStringLiteral("accept a"))
                .confidence = 0.75;
        }
    }
    const AbComparison made = traffic.compare();
    QCOMPARE(made.canarySessions, 20);
    QCOMPARE(made.stableDecisions, 40);
    const ComparedMeasure accepted = measureOf(made, "accepted");
    QCOMPARE(accepted.canary.value, 50.0);
    QCOMPARE(accepted.stable.value, 75.0);
    QCOMPARE(accepted.difference.value, -25.0);
    // Two turns that always say the same are one answer: the interval is that of 20 sessions, or
    // of 19 (the estimate's own degree of freedom), and by far not of 40 decisions.
    const Interval twenty = wilsonShare(0.5, 19);
    QVERIFY(std::abs(accepted.canary.low - 100 * twenty.low) < 1e-6);
    QVERIFY(std::abs(accepted.canary.high - 100 * twenty.high) < 1e-6);
    QCOMPARE(measureOf(made, "fallback").canary.value, 50.0);
    QCOMPARE(measureOf(made, "clarified").stable.value, 25.0);
    const ComparedMeasure confidence = measureOf(made, "confidence");
    QCOMPARE(confidence.difference.value, -0.25);
    QCOMPARE(confidence.difference.low, -0.25); // nobody differs from the mean
    QVERIFY(confidence.differs());
    QCOMPARE(differenceText(confidence, green), QStringLiteral("green is lower: worse"));
    QVERIFY(std::isnan(measureOf(made, "user_latency_p95").canary.value));
    QCOMPARE(differenceText(measureOf(made, "user_latency_p95"), green), QStringLiteral("no data"));
}

void TestAbComparison::intervalsOfSharesHoldAtTheEnds()
{
    Traffic traffic;
    for (int session = 0; session < 30; ++session) {
        traffic.add(green, QStringLiteral("g%1").arg(session), {}, QStringLiteral("accept a"));
        traffic.add(blue, QStringLiteral("b%1").arg(session), {}, QStringLiteral("accept a"));
    }
    const ComparedMeasure fallback = measureOf(traffic.compare(), "fallback");
    QCOMPARE(fallback.canary.value, 0.0);
    QCOMPARE(fallback.canary.low, 0.0);
    QVERIFY(std::abs(fallback.canary.high / 100 - wilsonInterval(0, 30).high) < 1e-9);
    QVERIFY(fallback.difference.low < -5 && fallback.difference.high > 5);
}

/// Newcombe (1998), table II, method 10: 56/70 - 48/80 gives 0.0524 to 0.3339; 10/10 - 0/10 gives
/// 0.6075 to 1.
void TestAbComparison::newcombesOwnExample()
{
    const auto of = [](double k, double n) { return wilsonShare(k / n, n); };
    const Interval first = newcombeDifference(56.0 / 70, of(56, 70), 48.0 / 80, of(48, 80));
    QVERIFY(std::abs(first.low - 0.0524) < 5e-5);
    QVERIFY(std::abs(first.high - 0.3339) < 5e-5);
    const Interval second = newcombeDifference(1, of(10, 10), 0, of(0, 10));
    QVERIFY(std::abs(second.low - 0.6075) < 5e-5);
    QCOMPARE(second.high, 1.0);
}

/// Of intervals at 95 % about 95 % hold the truth, though what a session's turns say hangs
/// together. 400 experiments: 95 % +- 3.2 points is three standard errors.
void TestAbComparison::intervalsCoverWithClusters()
{
    std::mt19937_64 random(7);
    const double truth = 0.95 * 0.7 + 0.05 * 0.3;
    const double other = 0.95 * 0.6 + 0.05 * 0.4;
    int one = 0;
    int apart = 0;
    int means = 0;
    const int experiments = 400;
    for (int experiment = 0; experiment < experiments; ++experiment) {
        Traffic traffic;
        addClustered(traffic, green, 60, 0.7, random);
        addClustered(traffic, blue, 150, 0.6, random);
        for (PoolDecision& row : traffic.rows) {
            row.ms = 0; // the bootstrap has its own test
        }
        const AbComparison made = traffic.compare();
        const ComparedMeasure accepted = measureOf(made, "accepted");
        one += accepted.canary.low <= 100 * truth && 100 * truth <= accepted.canary.high;
        const double difference = 100 * (truth - other);
        apart += accepted.difference.low <= difference && difference <= accepted.difference.high;
        const ComparedMeasure confidence = measureOf(made, "confidence");
        means += confidence.difference.low <= truth - other
            && truth - other <= confidence.difference.high;
    }
    const auto near = [](int hits) { return std::abs(hits / double(experiments) - 0.95) < 0.033; };
    qInfo("of %d intervals %d, %d and %d held the truth", experiments, one, apart, means);
    QVERIFY(near(one));
    QVERIFY(near(apart));
    QVERIFY(near(means));
}

/// Decisions taken for independent would give intervals that are much too narrow.
void TestAbComparison::plainIntervalsWouldNot()
{
    std::mt19937_64 random(11);
    const double truth = 0.95 * 0.7 + 0.05 * 0.3;
    int plain = 0;
    int bootstrapped = 0;
    const int experiments = 100;
    for (int experiment = 0; experiment < experiments; ++experiment) {
        Traffic traffic;
        addClustered(traffic, green, 60, 0.7, random);
        addClustered(traffic, blue, 60, 0.7, random);
        qint64 accepted = 0;
        qint64 all = 0;
        for (const PoolDecision& row : traffic.rows) {
            accepted += row.pool == green && row.verdict == QLatin1StringView("accept") ? 1 : 0;
            all += row.pool == green ? 1 : 0;
        }
        const Interval narrow = wilsonInterval(accepted, all);
        plain += narrow.low <= truth && truth <= narrow.high;
        // p95 of both is the same: the difference is 0.
        const ComparedMeasure p95 = measureOf(traffic.compare(), "latency_p95");
        bootstrapped += p95.difference.low <= 0 && 0 <= p95.difference.high;
    }
    qInfo("%d of %d plain intervals, %d bootstrapped ones", plain, experiments, bootstrapped);
    QVERIFY(plain < 85);
    QVERIFY(bootstrapped >= 88); // 95 less three standard errors
}

void TestAbComparison::agreementOfTheSameQueries()
{
    Traffic traffic;
    for (int session = 0; session < 12; ++session) {
        const QString g = QStringLiteral("g%1").arg(session);
        const QString b = QStringLiteral("b%1").arg(session);
        traffic.add(green, g, QStringLiteral("same"), QStringLiteral("accept a"));
        traffic.add(blue, b, QStringLiteral("same"), QStringLiteral("accept a"));
        traffic.add(green, g, QStringLiteral("other"), QStringLiteral("accept a"));
        traffic.add(blue, b, QStringLiteral("other"), QStringLiteral("fallback"));
        traffic.add(green, g, QStringLiteral("green alone"), QStringLiteral("accept c"));
    }
    AbComparison made = traffic.compare();
    QCOMPARE(made.sharedQueries, 2);
    QCOMPARE(made.agreement.value, 50.0);
    QCOMPARE(made.selfAgreement.value, 100.0);
    QCOMPARE(made.disagreements.size(), 1);
    QCOMPARE(made.disagreements[0].query, QStringLiteral("other"));
    QCOMPARE(made.disagreements[0].canary, QStringLiteral("accept a"));
    QCOMPARE(made.disagreements[0].stable, QStringLiteral("fallback"));
    QCOMPARE(made.disagreements[0].canaryCount, 12);
    QCOMPARE(made.disagreements[0].disagreement, 1.0);
    // The same rows give the same intervals.
    QCOMPARE(traffic.compare().toJson(), made.toJson());
    // Without text nothing is said, rather than something wrong.
    for (PoolDecision& row : traffic.rows) {
        row.query.clear();
    }
    made = traffic.compare();
    QCOMPARE(made.sharedQueries, 0);
    QVERIFY(std::isnan(made.agreement.value));
    QVERIFY(abSection(made).contains(QStringLiteral("agreement can't be told")));
}

/// Both pools decide by the same coin: they agree as little as one does with itself.
void TestAbComparison::agreementKnowsContext()
{
    std::mt19937_64 random(3);
    Traffic traffic;
    for (int session = 0; session < 400; ++session) {
        for (const QString& pool : {green, blue}) {
            traffic.add(pool, pool + QString::number(session), QStringLiteral("and now"),
                random() % 4 == 0 ? QStringLiteral("fallback") : QStringLiteral("accept a"));
        }
    }
    const AbComparison made = traffic.compare();
    const double truth = 100 * (0.75 * 0.75 + 0.25 * 0.25);
    QVERIFY(made.agreement.low < truth && truth < made.agreement.high);
    QVERIFY(made.selfAgreement.low < truth && truth < made.selfAgreement.high);
    QVERIFY(made.agreement.high - made.agreement.low < 12);
    QVERIFY(made.disagreements.isEmpty()); // the most frequent decision is the same
}

void TestAbComparison::movedSessionsAreLeftOut()
{
    Traffic traffic;
    traffic.add(blue, QStringLiteral("moved"), {}, QStringLiteral("fallback"), 1000);
    traffic.add(green, QStringLiteral("moved"), {}, QStringLiteral("fallback"), 2000);
    traffic.add(blue, QStringLiteral("b"), {}, QStringLiteral("accept a"));
    traffic.add(green, QStringLiteral("g"), {}, QStringLiteral("accept a"));
    traffic.add(green, {}, {}, QStringLiteral("accept a")); // sessions of their own
    traffic.add(green, {}, {}, QStringLiteral("accept a"));
    traffic.add(green, QStringLiteral("late"), {}, QStringLiteral("accept a"), 99999999);
    const AbComparison made = traffic.compare();
    QCOMPARE(made.moved, 1);
    QCOMPARE(made.stableSessions, 1);
    QCOMPARE(made.canarySessions, 3);
    QCOMPARE(measureOf(made, "fallback").stable.value, 0.0);
    QCOMPARE(differenceText(measureOf(made, "latency_p95"), green),
        QStringLiteral("too few sessions to say"));
}

/// At noon all is accepted, in the evening half; the canary's share grows. Plain means would say
/// that the canary is worse.
void TestAbComparison::slicesCountAlike()
{
    const qint64 hour = 3600000;
    Traffic traffic;
    const auto fill = [&](const QString& pool, int slice, int sessions, int oneIn) {
        for (int session = 0; session < sessions; ++session) {
            traffic.add(pool, QStringLiteral("%1/%2/%3").arg(pool).arg(slice).arg(session), {},
                session % oneIn == 0 ? QStringLiteral("accept a") : QStringLiteral("fallback"),
                slice * hour + 1000);
        }
    };
    fill(blue, 0, 90, 1);
    fill(green, 0, 10, 1);
    fill(blue, 1, 50, 2);
    fill(green, 1, 50, 2);
    fill(blue, 2, 100, 1); // the canary had nobody: no word about it
    const AbComparison made = traffic.compare(24 * hour);
    const ComparedMeasure accepted = measureOf(made, "accepted");
    QCOMPARE(made.outside, 100);
    QVERIFY(std::abs(accepted.canary.value - 100 * 35 / 60.0) < 1e-9);
    QVERIFY(std::abs(accepted.difference.value) < 1e-9);
    QVERIFY(!accepted.differs());
}

void TestAbComparison::feedbackFindsItsSession()
{
    Traffic traffic;
    for (int session = 0; session < 40; ++session) {
        traffic.add(green, QStringLiteral("g%1").arg(session), {}, QStringLiteral("accept a"));
        traffic.add(blue, QStringLiteral("b%1").arg(session), {}, QStringLiteral("accept a"));
    }
    const auto say = [&](const QString& pool, const QString& session, const QString& request,
                         const char* kind, double ms = std::numeric_limits<double>::quiet_NaN()) {
        traffic.feedback.push_back({request, session, pool, QString::fromLatin1(kind), ms});
    };
    say(green, QStringLiteral("g1"), {}, "complaint", 120);
    say(green, QStringLiteral("g1"), {}, "complaint"); // one session that complains twice
    say(green, {}, traffic.rows[4].id, "wrong"); // g2
    say(blue, QStringLiteral("b1"), {}, "right", 80);
    say(blue, QStringLiteral("nobody"), {}, "complaint");
    say(blue, {}, {}, "complaint");
    say(QStringLiteral("red"), QStringLiteral("b1"), {}, "complaint");
    const AbComparison made = traffic.compare();
    QCOMPARE(measureOf(made, "complaints").canary.value, 2.5);
    QCOMPARE(measureOf(made, "complaints").stable.value, 0.0);
    QVERIFY(!measureOf(made, "complaints").differs()); // one of 40 is nothing
    QCOMPARE(measureOf(made, "negative").canary.value, 5.0);
    QCOMPARE(measureOf(made, "feedback").stable.value, 2.5);
    QCOMPARE(measureOf(made, "user_latency_p95").canary.value, 120.0);
    QCOMPARE(made.unmatchedFeedback, 2);
    QVERIFY(abSection(made).contains(QStringLiteral("2 pieces of feedback")));
}

void TestAbComparison::cancelled()
{
    Traffic traffic;
    traffic.add(green, QStringLiteral("g"), QStringLiteral("q"), QStringLiteral("accept a"));
    traffic.add(blue, QStringLiteral("b"), QStringLiteral("q"), QStringLiteral("accept a"));
    const std::atomic<bool> cancelled = true;
    const AbComparison made =
        compareAb(traffic.rows, traffic.feedback, green, blue, 0, 60000, &cancelled);
    QVERIFY(std::isnan(made.agreement.value));
}

void TestAbComparison::rowsAreRead()
{
    const auto row = decisionFromRow(
        R"({"v":1,"id":"r1","session":"s","turn":1,"query":"Where  IS it?","at":5,"model":"m",)"
        R"("set":3,"pool":"green","version":"1","weight":1,"top":[["track",0.75],["other",0.2]],)"
        R"("out_of_scope":0.1,"context":"new","follow_up":false,"failures":0,"decision":"clarify",)"
        R"("rule":"ambiguous_margin","threshold":0.5,"ms":1.5})");
    QVERIFY2(row.ok(), row ? "" : row.error().text().c_str());
    QCOMPARE(row->query, QStringLiteral("where is it?"));
    QCOMPARE(row->decision, QStringLiteral("clarify track"));
    QCOMPARE(row->confidence, 0.75);
    QCOMPARE(row->ms, 1.5);
    QVERIFY(!decisionFromRow("no JSON").ok());
    const auto said = feedbackFromRow(R"({"id":"f","kind":"right","latency_ms":12,"pool":"blue"})");
    QCOMPARE(said->latencyMs, 12.0);
    QVERIFY(!feedbackFromRow("{}").has_value());
}

void TestAbComparison::readsBothStreams()
{
    test::RedisServer redis;
    QVERIFY2(redis.start(), qPrintable(redis.lastError()));
    const auto decision = [](const QString& pool, int number) {
        return QStringLiteral(
            R"({"v":1,"id":"%1%2","session":"%1%2","turn":1,"query":"q","at":5,"model":"m","set":3,)"
            R"("pool":"%1","version":"1","weight":1,"top":[["track",0.75]],"out_of_scope":0.1,)"
            R"("context":"new","follow_up":false,"failures":0,"decision":"accept",)"
            R"("rule":"above_threshold","threshold":0.5,"ms":1.5})")
            .arg(pool)
            .arg(number);
    };
    const auto add = [&](const char* stream, int id, const QString& row) {
        redis.cli({QStringLiteral("XADD"), QString::fromLatin1(stream), QString::number(id),
            QStringLiteral("row"), row});
    };
    for (int number = 1; number <= 20; ++number) {
        add("sluice:decisions", number * 1000, decision(number % 2 == 0 ? green : blue, number));
    }
    add("sluice:decisions", 20500, QStringLiteral("damaged"));
    add("sluice:feedback", 99000,
        QStringLiteral(R"({"id":"f","kind":"complaint","pool":"green",)"
                       R"("session":"green10"})"));
    RedisClient client;
    client.open(QStringLiteral("127.0.0.1"), redis.port(), {}, {});
    QTRY_COMPARE(client.state(), RedisClient::State::Connected);
    std::shared_ptr<AbRows> rows;
    readAbRows(&client, 5000, 21000, this,
        [&](const Result<std::shared_ptr<AbRows>>& read) { rows = read ? *read : nullptr; });
    QTRY_VERIFY(rows != nullptr);
    QCOMPARE(rows->decisions.size(), std::size_t(16));
    QCOMPARE(rows->decisions[0].atMs, 20000);
    QCOMPARE(rows->feedback.size(), std::size_t(1));
    QCOMPARE(rows->damaged, 1);
    QVERIFY(rows->isWhole);
    const AbComparison made = compareAb(rows->decisions, rows->feedback, green, blue, 5000, 21000);
    QCOMPARE(made.agreement.value, 100.0);
    QCOMPARE(measureOf(made, "complaints").canary.value, 12.5);
    // What is no stream is an error, said.
    redis.cli({QStringLiteral("SET"), QStringLiteral("sluice:feedback"), QStringLiteral("x")});
    std::optional<Error> error;
    readAbRows(&client, 5000, 21000, this, [&](const Result<std::shared_ptr<AbRows>>& read) {
        if (!read) {
            error = read.error();
        }
    });
    QTRY_VERIFY(error.has_value());
    QVERIFY(error->text().find("WRONGTYPE") != std::string::npos);
    // Nobody who is gone is called.
    auto gone = std::make_unique<QObject>();
    readAbRows(&client, 0, 21000, gone.get(),
        [](const Result<std::shared_ptr<AbRows>>&) { QFAIL("called"); });
    gone.reset();
    bool answered = false;
    client.command({"PING"}, this, [&](const Result<RedisReply>&) { answered = true; });
    QTRY_VERIFY(answered);
}

void TestAbComparison::reportSaysIt()
{
    Traffic traffic;
    for (int session = 0; session < 40; ++session) {
        traffic.add(green, QStringLiteral("g%1").arg(session), QStringLiteral("<b>"),
            QStringLiteral("fallback"));
        traffic.add(blue, QStringLiteral("b%1").arg(session), QStringLiteral("<b>"),
            QStringLiteral("accept a"));
    }
    const AbComparison made = traffic.compare();
    const QString text = abDocument(made, QStringLiteral("staging"));
    QVERIFY(text.contains(QStringLiteral("green is higher: worse")));
    QVERIFY(text.contains(QStringLiteral("&lt;b&gt;")));
    QVERIFY(!text.contains(QStringLiteral("<b>")));
    QVERIFY(text.contains(QStringLiteral("staging")));
    QCOMPARE(estimateText({-1.234, -2, 0.5}, QStringLiteral("points"), true),
        QStringLiteral("−1.23 (−2.00 to +0.50) points"));
    QCOMPARE(estimateText({}, QStringLiteral("%")), QStringLiteral("–"));
    const QJsonObject json = made.toJson();
    QCOMPARE(json[QStringLiteral("measures")].toArray().size(), 10);
    QVERIFY(json[QStringLiteral("measures")]
                .toArray()[6]
                .toObject()[QStringLiteral("canary")]
                .toObject()[QStringLiteral("value")]
                .isNull());
}

QTEST_GUILESS_MAIN(TestAbComparison)
#include "tst_abcomparison.moc"

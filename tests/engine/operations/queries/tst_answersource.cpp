#include "engine/base/json.h"
#include "engine/classification/answerreader.h"
#include "engine/operations/queries/answersource.h"
#include "engine/operations/queries/batch.h"
#include "engine/operations/queries/suiterun.h"
#include "tests/support/redisserver.h"
#include "tests/support/testcase.h"
#include "tests/support/worker.h"

#include <QTemporaryDir>

using namespace sluice;
using namespace sluice::ops;

namespace {

const char* const parcel = "where is my parcel A-2231, ordered on 12 March for 49.90 EUR?";

QueryTarget engine()
{
    const std::string share = SLUICE_BINARY_DIR "/share/sluice";
    QueryTarget target;
    target.name = QStringLiteral("engine");
    target.classifier =
        std::move(*Classifier::load(share + "/helpdesk.model", share + "/entities.json"));
    target.thresholds = *target.classifier->compile(target.classifier->model().defaultThresholds());
    return target;
}

QString told(const Answer& answer)
{
    QStringList words{QString::fromStdString(std::string(toString(answer.verdict))),
        QString::fromStdString(std::string(toString(answer.ruling.rule))),
        QString::fromStdString(answer.intent), QString::number(answer.ruling.threshold, 'f', 4),
        QString::number(answer.ruling.margin, 'f', 4), QString::number(answer.turn),
        QString::fromStdString(std::string(toString(answer.context)))};
    for (const AnswerCandidate& candidate : answer.candidates) {
        words << QString::fromStdString(candidate.intent)
              << QString::number(candidate.confidence, 'f', 4);
    }
    for (const Entity& entity : answer.entities) {
        words << QString::fromStdString(entity.type + "=" + entity.value)
              << QString::number(entity.span.byteBegin) << QString::number(entity.turn);
    }
    for (const Contribution& part : answer.contributions) {
        words << QString::fromStdString(part.ngram) << QString::number(part.weight, 'f', 2);
    }
    return words.join(u' ');
}

} // namespace

class TestAnswerSource : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void workerAndEngineSayTheSame();
    void readOnlyLeavesTheSession();
    void refusalsAreWords();
    void factsOfBoth();
    void batchesOfBothAreTheSame();
    void suitesRunOnBoth();
    void whatNewlyFailsIsTold();
    void damagedAnswersAreRefused();

private:
    QueryTarget worker() const
    {
        QueryTarget target;
        target.name = QStringLiteral("worker");
        target.worker = QUrl(QStringLiteral("http://127.0.0.1:%1").arg(m_worker->port()));
        return target;
    }
    test::RedisServer m_redis;
    std::unique_ptr<test::Worker> m_worker;
    QTemporaryDir m_folder;
};

void TestAnswerSource::initTestCase()
{
    QVERIFY2(m_redis.start(), qPrintable(m_redis.lastError()));
    service::Configuration options;
    options.redis.port = m_redis.port();
    m_worker = std::make_unique<test::Worker>(options);
    QVERIFY2(!m_worker->error, m_worker->error ? m_worker->error->text().c_str() : "");
}

void TestAnswerSource::workerAndEngineSayTheSame()
{
    const auto here = openSource(engine());
    const auto there = openSource(worker());
    Session one;
    Session two;
    one.id = makeSessionId();
    two.id = makeSessionId();
    for (const Query& query :
        {Query{parcel, {}, {}}, Query{"and for B-10498?", "It is on its way. Anything else?", {}},
            Query{"xyzzy plugh", {}, {}}}) {
        const auto a = here->ask(query, one, ContextUse::Use);
        const auto b = there->ask(query, two, ContextUse::Use);
        QVERIFY2(a.ok(), a.ok() ? "" : a.error().text().c_str());
        QVERIFY2(b.ok(), b.ok() ? "" : b.error().text().c_str());
        QCOMPARE(told(b->answer), told(a->answer));
        QVERIFY(b->roundTripMs > 0);
        QVERIFY(b->answer.times.total() > 0);
    }
    QCOMPARE(two.turnCount, 3);
    QCOMPARE(two.toJson(), one.toJson());
}

void TestAnswerSource::readOnlyLeavesTheSession()
{
    for (const QueryTarget& target : {engine(), worker()}) {
        const auto source = openSource(target);
        Session session;
        session.id = makeSessionId();
        QVERIFY(source->ask({parcel, {}, {}}, session, ContextUse::Use).ok());
        for (int time = 0; time < 2; ++time) {
            const auto reply =
                source->ask({"and for B-10498?", {}, {}}, session, ContextUse::ReadOnly);
            QVERIFY(reply.ok());
            QVERIFY(reply->answer.context == ContextState::Used);
            QCOMPARE(reply->answer.turn, 2);
        }
        QCOMPARE(session.turnCount, 1);
        const auto alone = source->ask({"and for B-10498?", {}, {}}, session, ContextUse::None);
        QVERIFY(alone.ok() && alone->answer.context == ContextState::None);
    }
}

void TestAnswerSource::refusalsAreWords()
{
    Session session;
    session.id = makeSessionId();
    const auto refused = openSource(worker())->ask({"  ", {}, {}}, session, ContextUse::Use);
    QVERIFY(!refused.ok());
    QVERIFY(refused.error().kind == ErrorKind::Refused);
    QVERIFY2(
        refused.error().text().find("400") != std::string::npos, refused.error().text().c_str());
    QCOMPARE(session.turnCount, 0);
    QueryTarget nobody = worker();
    nobody.worker.setPort(test::freePort());
    const auto gone = openSource(nobody)->ask({parcel, {}, {}}, session, ContextUse::Use);
    QVERIFY(!gone.ok() && gone.error().kind == ErrorKind::Unreachable);
    QVERIFY(!openSource(nobody)->facts().ok());
}

void TestAnswerSource::factsOfBoth()
{
    const auto here = openSource(engine())->facts();
    const auto there = openSource(worker())->facts();
    QVERIFY(here.ok() && there.ok());
    QCOMPARE(there->model, here->model);
    QCOMPARE(there->labels, here->labels);
    QCOMPARE(there->threshold, here->threshold);
}

void TestAnswerSource::batchesOfBothAreTheSame()
{
    std::vector<BatchQuery> queries;
    for (int index = 0; index < 600; ++index) {
        queries.push_back({{index % 2 == 0 ? parcel : "I want my money back", {}, {}},
            "refund_status", -1, index});
    }
    queries.push_back({{parcel, {}, {}}, "track_parcel", 0, 601});
    queries.push_back({{"and for B-10498?", {}, {}}, "track_parcel", 0, 602});
    queries.push_back({{std::string(5000, 'a'), {}, {}}, "", -1, 603});
    std::size_t seen = 0;
    const auto here =
        classifyBatch(queries, *openSource(engine()), [&](std::size_t done) { seen = done; });
    const auto there = classifyBatch(queries, *openSource(worker()));
    QVERIFY(here.ok());
    QVERIFY2(there.ok(), there.ok() ? "" : there.error().text().c_str());
    QCOMPARE(seen, queries.size());
    QCOMPARE(here->size(), queries.size());
    for (std::size_t row = 0; row < queries.size(); ++row) {
        QCOMPARE((*there)[row].intent, (*here)[row].intent);
        QCOMPARE((*there)[row].entities, (*here)[row].entities);
        QVERIFY((*there)[row].verdict == (*here)[row].verdict);
        QCOMPARE((*there)[row].error.empty(), (*here)[row].error.empty());
    }
    QVERIFY(!here->back().error.empty());
    std::atomic<bool> stop = true;
    const auto stopped = classifyBatch(queries, *openSource(engine()), {}, &stop);
    QVERIFY(!stopped.ok() && stopped.error().kind == ErrorKind::Cancelled);
}

void TestAnswerSource::suitesRunOnBoth()
{
    const auto suite = TestSuite::fromJsonl(
        R"({"text":"where is my parcel A-2231?","expect":{"intent":"track_parcel","entities":[{"type":"order_number","value":"A-2231"}]}}
{"turns":[{"text":"where is my parcel A-2231?"},{"text":"and for B-10498?"}],"expect":{"entities":[{"type":"order_number","value":"B-10498"}]}}
{"text":"xyzzy plugh","expect":{"intent":"oos"}}
{"text":"where is my parcel C-1?","expect":{"decision":"fallback"}}
)",
        "suite");
    QVERIFY2(suite.ok(), suite.ok() ? "" : suite.error().text().c_str());
    for (const QueryTarget& target : {engine(), worker()}) {
        const auto result = runSuite(*suite, *openSource(target));
        QVERIFY2(result.ok(), result.ok() ? "" : result.error().text().c_str());
        QCOMPARE(result->failed(), std::size_t(1));
        QVERIFY2(result->cases[3].why.starts_with("fallback expected, accept track_parcel"),
            result->cases[3].why.c_str());
        QVERIFY(!result->hasBaseline);
    }
}

void TestAnswerSource::whatNewlyFailsIsTold()
{
    const auto suite = TestSuite::fromJsonl(
        R"({"id":"a","text":"where is my parcel?","expect":{"intent":"track_parcel"}}
{"id":"b","text":"where is my package?","expect":{"decision":"fallback"}})",
        "suite");
    const auto source = openSource(engine());
    auto result = runSuite(*suite, *source);
    QVERIFY(result.ok());
    const SuiteMemory memory(m_folder.path());
    const QString file = QStringLiteral("suite.jsonl");
    QVERIFY(!memory.last(file, QStringLiteral("engine")).has_value());
    QVERIFY(memory.keep(file, QStringLiteral("engine"), *result).ok());
    QVERIFY(!memory.last(file, QStringLiteral("another")).has_value());
    auto before = memory.last(file, QStringLiteral("engine"));
    QVERIFY(before.has_value());
    QCOMPARE(*before, (Baseline{{"a", true}, {"b", false}}));
    compareWith(*result, *before);
    QCOMPARE(result->newlyFailing(), std::size_t(0)); // b failed before already
    (*before)["b"] = true;
    compareWith(*result, *before);
    QCOMPARE(result->newlyFailing(), std::size_t(1));
    QVERIFY(result->cases[1].newlyFailing);
}

void TestAnswerSource::damagedAnswersAreRefused()
{
    Session session;
    session.id = "s";
    const auto reply = openSource(engine())->ask({parcel, {}, {}}, session, ContextUse::Use);
    const std::string good = reply->json.toStdString();
    QVERIFY(answerFromJson(*parseJson(good, "a"), "a").ok());
    const auto broken = [&](const char* what, const char* with) {
        std::string text = good;
        text.replace(text.find(what), std::string_view(what).size(), with);
        const auto value = parseJson(text, "a");
        const auto read = answerFromJson(*value, "a");
        return read.ok() ? std::string() : read.error().text();
    };
    QVERIFY(broken("\"decision\":\"accept\"", "\"decision\":\"maybe\"").find("decision")
        != std::string::npos);
    QVERIFY(broken("\"rule\":", "\"regel\":").find("rule") != std::string::npos);
    QVERIFY(broken("\"threshold\":{\"value\"", "\"threshold\":{\"valuable\"").find("threshold")
        != std::string::npos);
    QVERIFY(broken("\"intent\":\"track_parcel\",\"confidence\"", "\"intent\":7,\"confidence\"")
                .find("intent")
        != std::string::npos);
    QVERIFY(!answerFromJson(boost::json::value(7), "a").ok());
}

QTEST_GUILESS_MAIN(TestAnswerSource)
#include "tst_answersource.moc"

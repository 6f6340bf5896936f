#include "engine/classification/classifier.h"
#include "tests/support/testcase.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <bit>
#include <chrono>
#include <map>

using namespace sluice;

class TestClassifier : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void answersWithReasons();
    void thresholdDecides();
    void thresholdKnowsTheTimeOfDay();
    void entitiesAreFound();
    void entitiesAreCarried();
    void shortFollowUpsLeanOnTheLastIntent();
    void longQueriesDoNot();
    void staysWithTheTopic();
    void anotherSubjectCarriesNothing();
    void contextStates();
    void cacheChangesNothing();
    void refusesBadQueries();
    void batchIsTheSame();
    void loadSaysWhatIsWrong();
    void jsonHasEveryField();
    void conversationsOfTheBundle();

private:
    Answer ask(const std::string& text, const Session* session = nullptr) const
    {
        auto answer = m_engine->classify({text, {}, {}}, *m_thresholds, session, m_now);
        return answer ? *answer : Answer();
    }
    Answer ask(
        const Classifier& engine, const std::string& text, const Session* session = nullptr) const
    {
        const auto thresholds = engine.compile(engine.model().defaultThresholds());
        auto answer = engine.classify({text, {}, {}}, **thresholds, session, m_now);
        return answer ? *answer : Answer();
    }
    /// An engine whose model knows queries alone.
    std::unique_ptr<Classifier> withoutConversations() const
    {
        const auto data = readLabelledData(m_share / "queries.jsonl");
        auto model = data ? Model::train(*data, {}) : Result<Model>(data.error());
        return model ? std::make_unique<Classifier>(std::move(*model), EntityCatalogue()) : nullptr;
    }
    std::unique_ptr<Classifier> m_engine;
    std::shared_ptr<const CompiledThresholds> m_thresholds;
    const std::chrono::sys_seconds m_now{std::chrono::sys_days(std::chrono::year(2026) / 3 / 20)};
    const std::filesystem::path m_share =
        std::filesystem::path(SLUICE_BINARY_DIR) / "share" / "sluice";
};

void TestClassifier::initTestCase()
{
    auto engine = Classifier::load(m_share / "helpdesk.model", m_share / "entities.json");
    QVERIFY2(engine.ok(), engine ? "" : engine.error().message.c_str());
    m_engine = std::move(*engine);
    auto thresholds = m_engine->compile(m_engine->model().defaultThresholds());
    QVERIFY(thresholds.ok());
    m_thresholds = *thresholds;
}

void TestClassifier::answersWithReasons()
{
    ClassifyOptions options;
    options.explain = true;
    const auto answer = m_engine->classify(
        {"Where is my parcel A-2231?", {}, {}}, *m_thresholds, nullptr, m_now, options);
    QVERIFY(answer.ok());
    QVERIFY(answer->verdict == Verdict::Accept);
    QCOMPARE(answer->intent, std::string("track_parcel"));
    QCOMPARE(answer->candidates.size(), 5U);
    QCOMPARE(answer->candidates[0].intent, answer->intent);
    QVERIFY(answer->candidates[0].confidence >= answer->ruling.threshold);
    QVERIFY(answer->ruling.rule == Rule::AboveThreshold);
    QVERIFY(!answer->contributions.empty());
    QVERIFY(answer->context == ContextState::None);
    QCOMPARE(answer->turn, 0);
    QVERIFY(answer->times.total() > 0);
}

void TestClassifier::thresholdDecides()
{
    ThresholdSet set = m_engine->model().defaultThresholds();
    set.number = 7;
    set.global = 1.0;
    set.clarifyBand = 0;
    const auto strict = m_engine->compile(set);
    const auto refused =
        m_engine->classify({"where is my parcel", {}, {}}, **strict, nullptr, m_now);
    QVERIFY(refused->verdict == Verdict::Fallback);
    QVERIFY(refused->intent.empty());
    QCOMPARE(refused->thresholdSet, 7);
    set.perIntent["track_parcel"] = 0.0;
    const auto mild = m_engine->compile(set);
    QVERIFY(m_engine->classify({"where is my parcel", {}, {}}, **mild, nullptr, m_now)->verdict
        == Verdict::Accept);
    set.perIntent["no_such_intent"] = 0.5;
    QVERIFY(!m_engine->compile(set).ok());
    set.perIntent.clear();
    set.model = std::string(64, '0');
    QVERIFY(!m_engine->compile(set).ok());
}

void TestClassifier::thresholdKnowsTheTimeOfDay()
{
    ThresholdSet set = m_engine->model().defaultThresholds();
    set.global = 0.25;
    ContextRule night;
    night.when = Condition::TimeOfDay;
    night.add = 0.5;
    night.to = 6 * 60; // from midnight on
    set.rules.push_back(night);
    const auto thresholds = m_engine->compile(set);
    QVERIFY(thresholds.ok());
    const auto thresholdAt = [&](int hour) {
        return m_engine
            ->classify({"where is my parcel", {}, {}}, **thresholds, nullptr,
                m_now + std::chrono::hours(hour))
            ->ruling.threshold;
    };
    QCOMPARE(thresholdAt(0), 0.75);
    QCOMPARE(thresholdAt(5), 0.75);
    QCOMPARE(thresholdAt(6), 0.25);
}

void TestClassifier::entitiesAreFound()
{
    const Answer answer =
        ask("I paid 49.90 EUR on 12 March for order A-2231, write to Me@Example.org");
    std::map<std::string, std::string> values;
    for (const Entity& entity : answer.entities) {
        values[entity.type] = entity.value;
    }
    QCOMPARE(values["amount"], std::string("49.90 EUR"));
    QCOMPARE(values["date"], std::string("2026-03-12"));
    QCOMPARE(values["order_number"], std::string("A-2231"));
    QCOMPARE(values["email"], std::string("me@example.org"));
}

void TestClassifier::entitiesAreCarried()
{
    Session session;
    session.id = "s";
    Answer first = ask("where is order A-2231, I paid 10 EUR", &session);
    Classifier::remember(session, first);
    const Answer second = ask("and B-10498?", &session);
    int orders = 0;
    bool amount = false;
    for (const Entity& entity : second.entities) {
        if (entity.type == "order_number") {
            ++orders;
            QCOMPARE(entity.value, std::string("B-10498")); // the new one stands for the old
            QCOMPARE(entity.turn, 0);
        }
        if (entity.type == "amount") {
            amount = true;
            QCOMPARE(entity.turn, 1);
        }
    }
    QCOMPARE(orders, 1);
    QVERIFY(amount);
    Classifier::remember(session, second);
    QCOMPARE(session.turns[1].entities.size(), 1U); // what was carried is not remembered again
}

void TestClassifier::shortFollowUpsLeanOnTheLastIntent()
{
    const auto engine = withoutConversations();
    QVERIFY(engine != nullptr);
    Session session;
    session.id = "s";
    session.append("track_parcel", Verdict::Accept, {});
    const Answer alone = ask(*engine, "and for B-10498?");
    const Answer after = ask(*engine, "and for B-10498?", &session);
    QCOMPARE(after.candidates[0].intent, std::string("track_parcel"));
    const auto confidenceOf = [](const Answer& answer) {
        for (const AnswerCandidate& candidate : answer.candidates) {
            if (candidate.intent == "track_parcel") {
                return candidate.confidence;
            }
        }
        return 0.0;
    };
    QVERIFY(confidenceOf(after) > confidenceOf(alone));
    double sum = 0;
    for (const AnswerCandidate& candidate : after.candidates) {
        sum += candidate.confidence;
    }
    QVERIFY(sum <= 1 + 1e-9);

    Session failed;
    failed.id = "f";
    failed.append("", Verdict::Fallback, {});
    QCOMPARE(confidenceOf(ask(*engine, "and for B-10498?", &failed)), confidenceOf(alone));
}

void TestClassifier::longQueriesDoNot()
{
    const auto engine = withoutConversations();
    QVERIFY(engine != nullptr);
    Session session;
    session.id = "s";
    session.append("track_parcel", Verdict::Accept, {});
    const std::string text = "please delete my account and everything that you know about me";
    const Answer alone = ask(*engine, text);
    const Answer after = ask(*engine, text, &session);
    QCOMPARE(after.candidates[0].intent, alone.candidates[0].intent);
    QCOMPARE(after.candidates[0].confidence, alone.candidates[0].confidence);
}

void TestClassifier::staysWithTheTopic()
{
    Session session;
    session.id = "s";
    session.append("return_item", Verdict::Accept, {});
    const std::string text = "and how long will that take";
    QVERIFY(ask(text).candidates[0].intent != "return_item");
    QCOMPARE(ask(text, &session).candidates[0].intent, std::string("return_item"));
}

void TestClassifier::anotherSubjectCarriesNothing()
{
    Session session;
    session.id = "s";
    Classifier::remember(session, ask("where is order A-2231", &session));
    const Answer same = ask("when does it arrive", &session);
    QVERIFY(!same.newSubject);
    QCOMPARE(same.entities.size(), 1U);
    QCOMPARE(same.entities[0].turn, 1);
    const Answer other = ask("and my other order, where is that one", &session);
    QVERIFY(other.newSubject);
    QVERIFY(other.entities.empty());
    Classifier::remember(session, other);
    QVERIFY(ask("when does it arrive", &session).entities.empty());
}

void TestClassifier::contextStates()
{
    Session session;
    session.id = "s";
    const Answer first = ask("where is my parcel", &session);
    QVERIFY(first.context == ContextState::New);
    QCOMPARE(first.turn, 1);
    Classifier::remember(session, first);
    const Answer second = ask("and the other one", &session);
    QVERIFY(second.context == ContextState::Used);
    QCOMPARE(second.turn, 2);
    QCOMPARE(session.turns[0].intent, std::string("track_parcel"));
    for (const ContextState state :
        {ContextState::None, ContextState::New, ContextState::Used, ContextState::Unavailable}) {
        QVERIFY(!toString(state).empty());
    }
}

void TestClassifier::cacheChangesNothing()
{
    const auto cached =
        Classifier::load(m_share / "helpdesk.model", m_share / "entities.json", 1 << 20);
    const Query query{"Where IS my parcel?", {}, {}};
    const auto first = (*cached)->classify(query, *m_thresholds, nullptr, m_now);
    const auto again =
        (*cached)->classify({"where is  my parcel?", {}, {}}, *m_thresholds, nullptr, m_now);
    QVERIFY(!first->cacheHit);
    QVERIFY(again->cacheHit);
    QCOMPARE(again->candidates[0].confidence, first->candidates[0].confidence);
    QCOMPARE(again->outOfScope, first->outOfScope);
    // Scores are cached, not decisions: another set decides anew, a session still speaks.
    ThresholdSet strict = m_engine->model().defaultThresholds();
    strict.global = 1;
    strict.clarifyBand = 0;
    QVERIFY((*cached)->classify(query, **(*cached)->compile(strict), nullptr, m_now)->verdict
        == Verdict::Fallback);
    QCOMPARE((*cached)->cacheStatistics().hits, 2U);
    QCOMPARE(m_engine->cacheStatistics().hits, 0U);
}

void TestClassifier::refusesBadQueries()
{
    for (const std::string& text :
        {std::string(), std::string(" \n"), std::string("a\xFF"), std::string(1 << 20, 'x')}) {
        const auto answer = m_engine->classify({text, {}, {}}, *m_thresholds, nullptr, m_now);
        QVERIFY(!answer.ok());
        QCOMPARE(answer.error().kind, ErrorKind::Input);
    }
    const Answer unknown = ask("東京");
    QVERIFY(unknown.verdict == Verdict::Fallback);
    QVERIFY(unknown.ruling.rule == Rule::NoSignal);
    QVERIFY(unknown.candidates.empty());
}

void TestClassifier::batchIsTheSame()
{
    const auto data = readLabelledData(m_share / "queries.jsonl");
    QVERIFY(data.ok());
    std::vector<Query> queries{{"", {}, {}}, {"where is my parcel", {}, {}}};
    for (std::size_t row = 0; row < 200; ++row) {
        queries.push_back({data->queries[row].text, row % 3 == 0 ? "which order?" : "", {}});
    }
    queries.push_back({"where is my parcel", {}, {"REQUEST:order"}});
    queries.push_back({"where is my parcel", {}, {}});
    auto cached = Classifier::load(
        m_share / "helpdesk.model", m_share / "entities.json", std::size_t(1) << 20);
    QVERIFY(cached.ok());
    ClassifyOptions options;
    options.explain = true;
    const std::vector<const Classifier*> engines{m_engine.get(), cached->get(), cached->get()};
    for (const Classifier* engine : engines) {
        const auto answers = engine->classify(queries, *m_thresholds, m_now, options);
        QCOMPARE(answers.size(), queries.size());
        QVERIFY(!answers[0].ok());
        for (std::size_t number = 1; number < queries.size(); ++number) {
            QVERIFY(answers[number].ok());
            const auto alone =
                m_engine->classify(queries[number], *m_thresholds, nullptr, m_now, options);
            Answer same = *answers[number];
            same.times = alone->times;
            same.cacheHit = alone->cacheHit;
            QCOMPARE(
                toJson(same, queries[number].text, {}), toJson(*alone, queries[number].text, {}));
            for (std::size_t place = 0; place < same.candidates.size(); ++place) {
                QCOMPARE(std::bit_cast<std::uint64_t>(same.candidates[place].confidence),
                    std::bit_cast<std::uint64_t>(alone->candidates[place].confidence));
            }
        }
    }
    QVERIFY((*cached)->cacheStatistics().hits >= 200);
}

void TestClassifier::loadSaysWhatIsWrong()
{
    const auto noModel = Classifier::load("/no/such.model", {});
    QVERIFY(!noModel.ok());
    QVERIFY(noModel.error().message.find("/no/such.model") != std::string::npos);
    const auto noCatalogue = Classifier::load(m_share / "helpdesk.model", "/no/such.json");
    QVERIFY(!noCatalogue.ok());
    QVERIFY(noCatalogue.error().message.find("/no/such.json") != std::string::npos);
    const auto bare = Classifier::load(m_share / "helpdesk.model", {});
    QVERIFY(bare.ok());
    QVERIFY((*bare)
                ->classify({"order A-2231", {}, {}}, *m_thresholds, nullptr, m_now)
                ->entities.empty());
}

void TestClassifier::jsonHasEveryField()
{
    Session session;
    session.id = "abc";
    session.append("track_parcel", Verdict::Accept, {});
    const Answer answer = ask("and A-2231 \"now\"?", &session);
    const QJsonObject object = QJsonDocument::fromJson(
        QByteArray::fromStdString(toJson(answer, "and A-2231 \"now\"?", "abc")))
                                   .object();
    for (const char* key : {"query", "decision", "intent", "confidence", "rule", "threshold",
             "margin", "required_margin", "would_change_at", "out_of_scope", "candidates",
             "entities", "context", "cache_hit", "threshold_set", "session", "turn"}) {
        QVERIFY2(object.contains(QLatin1StringView(key)), key);
    }
    QCOMPARE(object[QStringLiteral("query")].toString(), QStringLiteral("and A-2231 \"now\"?"));
    QCOMPARE(object[QStringLiteral("turn")].toInt(), 2);
    const QJsonObject threshold = object[QStringLiteral("threshold")].toObject();
    double sum = 0;
    for (const QJsonValue& part : threshold[QStringLiteral("parts")].toArray()) {
        sum += part.toObject()[QStringLiteral("amount")].toDouble();
    }
    QVERIFY(qAbs(sum - threshold[QStringLiteral("value")].toDouble()) < 1e-6);
    const QJsonObject alone =
        QJsonDocument::fromJson(QByteArray::fromStdString(toJson(ask("x"), "x", {}))).object();
    QVERIFY(!alone.contains(QStringLiteral("session")));
    QVERIFY(!alone.contains(QStringLiteral("contributions")));
    ClassifyOptions options;
    options.explain = true;
    const auto explained =
        m_engine->classify({"where is it", {}, {}}, *m_thresholds, nullptr, m_now, options);
    const QJsonArray parts =
        QJsonDocument::fromJson(QByteArray::fromStdString(toJson(*explained, "where is it", {})))
            .object()[QStringLiteral("contributions")]
            .toArray();
    QCOMPARE(std::size_t(parts.size()), explained->contributions.size());
    QVERIFY(!parts.isEmpty());
    QCOMPARE(parts[0].toObject()[QStringLiteral("ngram")].toString().toStdString(),
        explained->contributions[0].ngram);
    QVERIFY(qAbs(parts[0].toObject()[QStringLiteral("weight")].toDouble()
                - explained->contributions[0].weight)
        <= 1e-4);
}

void TestClassifier::conversationsOfTheBundle()
{
    const auto talks = readLabelledData(m_share / "conversations.jsonl");
    QVERIFY(talks.ok());
    Session session;
    int line = 0;
    int right = 0;
    int rightAlone = 0;
    for (const LabelledQuery& turn : talks->queries) {
        if (turn.line != line) {
            line = turn.line;
            session = Session{"c", 0, 0, {}};
        }
        const Answer answer = ask(turn.text, &session);
        const Answer alone = ask(turn.text);
        right += !answer.candidates.empty() && answer.candidates[0].intent == turn.intent ? 1 : 0;
        rightAlone +=
            !alone.candidates.empty() && alone.candidates[0].intent == turn.intent ? 1 : 0;
        Classifier::remember(session, answer);
    }
    qInfo("%zu turns: %d right with context, %d without", talks->queries.size(), right, rightAlone);
    QVERIFY(right > rightAlone);
}

QTEST_GUILESS_MAIN(TestClassifier)
#include "tst_classifier.moc"

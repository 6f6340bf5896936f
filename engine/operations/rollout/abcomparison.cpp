#include "engine/operations/rollout/abcomparison.h"

#include "engine/operations/rollout/abstatistics.h"

#include <QHash>
#include <QJsonArray>
#include <algorithm>
#include <cmath>
#include <map>

namespace sluice::ops {

using namespace ab;

namespace {

constexpr qsizetype mostDisagreements = 20;
constexpr double slices = 24;

/// Sorts rows into sessions, and does the reckoning.
class Comparison
{
public:
    Comparison(const std::vector<PoolDecision>& decisions,
        const std::vector<PoolFeedback>& feedback, AbComparison& made)
        : m_decisions(decisions)
        , m_feedback(feedback)
        , m_made(made)
    { }

    void run(const std::atomic<bool>* cancelled)
    {
        sort();
        weigh();
        collect();
        join();
        if (m_made.isEmpty()) {
            return;
        }
        measure(cancelled);
        if (cancelled == nullptr || !*cancelled) {
            agree(cancelled);
        }
    }

private:
    struct Place
    {
        qint64 firstMs = 0;
        QString pool; ///< empty: met both
        std::size_t index = 0; ///< in its arm, once it is known
        bool counts = false;
    };

    static QString nameOf(const PoolDecision& row)
    {
        return row.session.isEmpty() ? u'\n' + row.id : row.session;
    }
    qint64 sliceOf(qint64 ms) const { return (ms - m_made.fromMs) / m_sliceMs; }
    Arm& armOf(const QString& pool) { return pool == m_made.canary ? m_canary : m_stable; }

    void sort()
    {
        for (const PoolDecision& row : m_decisions) {
            if ((row.pool != m_made.canary && row.pool != m_made.stable) || row.atMs < m_made.fromMs
                || row.atMs > m_made.toMs) {
                continue;
            }
            m_rows.push_back(&row);
            const auto found = m_places.find(nameOf(row));
            if (found == m_places.end()) {
                m_places.insert(nameOf(row), {row.atMs, row.pool, 0, false});
                m_order << nameOf(row);
                continue;
            }
            found->firstMs = std::min(found->firstMs, row.atMs);
            if (!found->pool.isEmpty() && found->pool != row.pool) {
                found->pool.clear();
                ++m_made.moved;
            }
        }
    }

    /// What a session of the stable pool weighs, by slice; none where one pool is alone.
    void weigh()
    {
        m_sliceMs =
            qint64(std::clamp(double(m_made.toMs - m_made.fromMs) / slices, 60000.0, 3600000.0));
        for (const Place& place : m_places) {
            if (!place.pool.isEmpty()) {
                auto& [canary, stable] = m_slices[sliceOf(place.firstMs)];
                ++(place.pool == m_made.canary ? canary : stable);
            }
        }
        for (const QString& name : std::as_const(m_order)) { // a hash has none that lasts
            Place& place = m_places[name];
            const auto slice = m_slices.find(sliceOf(place.firstMs));
            if (place.pool.isEmpty() || slice->second.first == 0 || slice->second.second == 0) {
                continue;
            }
            Session session;
            const double each = slice->second.first / slice->second.second;
            session.weight = place.pool == m_made.canary ? 1 : each;
            place.counts = true;
            Arm& arm = armOf(place.pool);
            place.index = arm.size();
            arm.push_back(session);
        }
        m_made.canarySessions = qint64(m_canary.size());
        m_made.stableSessions = qint64(m_stable.size());
    }

    void collect()
    {
        QHash<QString, int> pools; // by query: 1 canary, 2 stable
        for (const PoolDecision* row : m_rows) {
            const Place& place = *m_places.constFind(nameOf(*row));
            if (place.counts && !row->query.isEmpty()) {
                pools[row->query] |= row->pool == m_made.canary ? 1 : 2;
            }
        }
        for (const PoolDecision* row : m_rows) {
            const Place& place = *m_places.constFind(nameOf(*row));
            if (!place.counts) {
                m_made.outside += place.pool.isEmpty() ? 0 : 1;
                continue;
            }
            ++(row->pool == m_made.canary ? m_made.canaryDecisions : m_made.stableDecisions);
            Session& session = armOf(row->pool)[place.index];
            ++session.decisions;
            session.accepted += row->verdict == QLatin1StringView("accept") ? 1 : 0;
            session.clarified += row->verdict == QLatin1StringView("clarify") ? 1 : 0;
            session.fallback += row->verdict == QLatin1StringView("fallback") ? 1 : 0;
            session.confidence += row->confidence;
            session.ms += row->ms;
            session.latencies.push_back(row->ms);
            m_requests.insert(row->id, &session);
            if (pools.value(row->query) == 3) {
                count(session, *row);
            }
        }
        m_made.sharedQueries = m_queries.size();
    }

    void count(Session& session, const PoolDecision& row)
    {
        const int query = numberOf(m_queries, row.query, m_queryNames);
        const auto before = m_decisionNames.size();
        const int decision =
            numberOf(m_decisionNumbers, row.query % u'\n' % row.decision, m_decisionNames);
        if (m_decisionNames.size() > before) {
            m_decisionNames.last() = row.decision;
            m_queryOf.push_back(query);
        }
        const auto cell = std::find_if(session.cells.begin(), session.cells.end(),
            [decision](const Cell& one) { return one.decision == decision; });
        if (cell == session.cells.end()) {
            session.cells.push_back({query, decision, 1});
        } else {
            ++cell->count;
        }
        const auto asked = std::find_if(session.asked.begin(), session.asked.end(),
            [query](const auto& one) { return one.first == query; });
        if (asked == session.asked.end()) {
            session.asked.emplace_back(query, 1);
        } else {
            ++asked->second;
        }
    }

    static int numberOf(QHash<QString, int>& numbers, const QString& text, QStringList& names)
    {
        const auto found = numbers.constFind(text);
        if (found != numbers.constEnd()) {
            return *found;
        }
        names << text;
        return *numbers.insert(text, int(names.size()) - 1);
    }

    /// Feedback goes to the session it is about: by its name, else by the request.
    void join()
    {
        for (const PoolFeedback& said : m_feedback) {
            if (said.pool != m_made.canary && said.pool != m_made.stable) {
                continue;
            }
            Session* session = nullptr;
            const auto place = m_places.constFind(said.session);
            if (!said.session.isEmpty() && place != m_places.constEnd() && place->counts) {
                session = &armOf(place->pool)[place->index];
            } else if (!said.request.isEmpty()) {
                session = m_requests.value(said.request);
            }
            if (session == nullptr) {
                ++m_made.unmatchedFeedback;
                continue;
            }
            session->said = 1;
            session->negative = said.kind != QLatin1StringView("right") ? 1 : session->negative;
            session->complained =
                said.kind == QLatin1StringView("complaint") ? 1 : session->complained;
            if (!std::isnan(said.latencyMs)) {
                session->userLatencies.push_back(said.latencyMs);
            }
        }
    }

    void measure(const std::atomic<bool>* cancelled)
    {
        const auto make = [this](const char* key, const char* name, const char* unit, int worse) {
            ComparedMeasure measure;
            measure.key = QString::fromLatin1(key);
            measure.name = QString::fromLatin1(name);
            measure.unit = QString::fromLatin1(unit);
            measure.worse = worse;
            m_made.measures << measure;
            return m_made.measures.size() - 1;
        };
        const auto share = [&](const char* key, const char* name, int worse, Figure over,
                               Figure under) {
            compareShares(m_made.measures[make(key, name, "%", worse)],
                ratioOf(m_canary, over, under), ratioOf(m_stable, over, under));
        };
        const auto mean = [&](const char* key, const char* name, const char* unit, int worse,
                              Figure over) {
            compareMeans(m_made.measures[make(key, name, unit, worse)],
                ratioOf(m_canary, over, &Session::decisions),
                ratioOf(m_stable, over, &Session::decisions));
        };
        const auto quantile = [&](const char* key, const char* name,
                                  std::vector<double> Session::*which, double at) {
            if (cancelled == nullptr || !*cancelled) {
                compareQuantiles(
                    m_made.measures[make(key, name, "ms", 1)], m_canary, m_stable, which, at);
            }
        };
        share("accepted", "accepted", 0, &Session::accepted, &Session::decisions);
        share("clarified", "asked back", 0, &Session::clarified, &Session::decisions);
        share("fallback", "fallback", 1, &Session::fallback, &Session::decisions);
        mean("confidence", "confidence", "", -1, &Session::confidence);
        mean("latency_mean", "latency, mean", "ms", 1, &Session::ms);
        quantile("latency_p95", "latency, p95", &Session::latencies, 0.95);
        quantile("user_latency_p95", "latency at users, p95", &Session::userLatencies, 0.95);
        share("complaints", "sessions that complained", 1, &Session::complained, nullptr);
        share("negative", "sessions with bad feedback", 1, &Session::negative, nullptr);
        share("feedback", "sessions with any feedback", 0, &Session::said, nullptr);
    }

    void agree(const std::atomic<bool>* cancelled)
    {
        if (m_queryOf.empty()) {
            return;
        }
        Agreement agreement(m_canary, m_stable, int(m_queries.size()), m_queryOf);
        std::vector<double> one(m_canary.size(), 1);
        std::vector<double> other(m_stable.size(), 1);
        const auto [with, own] = agreement.reckon(one, other);
        std::vector<double> found;
        std::vector<double> ownFound;
        std::mt19937_64 random(seed);
        const bool enough = m_canary.size() >= fewestSessions && m_stable.size() >= fewestSessions;
        for (int draw = 0; enough && draw < draws; ++draw) {
            if (cancelled != nullptr && *cancelled) {
                return;
            }
            drawSessions(one, random);
            drawSessions(other, random);
            const auto [with2, own2] = agreement.reckon(one, other);
            found.push_back(with2);
            ownFound.push_back(own2);
        }
        m_made.agreement = drawn(with, found);
        m_made.selfAgreement = drawn(own, ownFound);
        list();
    }

    /// The queries that are decided differently, what users meet most often first.
    void list()
    {
        struct Pair
        {
            double canary = 0;
            double stable = 0;
        };
        std::vector<std::map<int, Pair>> counts(std::size_t(m_queries.size()));
        for (const Arm* arm : {&m_canary, &m_stable}) {
            for (const Session& session : *arm) {
                for (const Cell& cell : session.cells) {
                    Pair& pair = counts[std::size_t(cell.query)][cell.decision];
                    (arm == &m_canary ? pair.canary : pair.stable) += cell.count;
                }
            }
        }
        for (std::size_t query = 0; query < counts.size(); ++query) {
            Disagreement one;
            one.query = m_queryNames[qsizetype(query)];
            double same = 0;
            std::pair<double, int> canaryMost{0, 0};
            std::pair<double, int> stableMost{0, 0};
            for (const auto& [decision, pair] : counts[query]) {
                one.canaryCount += qint64(pair.canary);
                one.stableCount += qint64(pair.stable);
                same += pair.canary * pair.stable;
                canaryMost = std::max(canaryMost, {pair.canary, decision});
                stableMost = std::max(stableMost, {pair.stable, decision});
            }
            one.disagreement = 1 - same / double(one.canaryCount) / double(one.stableCount);
            one.canary = m_decisionNames[canaryMost.second];
            one.stable = m_decisionNames[stableMost.second];
            if (one.canary != one.stable) {
                m_made.disagreements << one;
            }
        }
        std::sort(m_made.disagreements.begin(), m_made.disagreements.end(),
            [](const Disagreement& a, const Disagreement& b) {
                const double first = a.disagreement * double(a.canaryCount);
                const double second = b.disagreement * double(b.canaryCount);
                return first != second ? first > second : a.query < b.query;
            });
        m_made.disagreements = m_made.disagreements.mid(0, mostDisagreements);
    }

    const std::vector<PoolDecision>& m_decisions;
    const std::vector<PoolFeedback>& m_feedback;
    AbComparison& m_made;
    std::vector<const PoolDecision*> m_rows;
    QHash<QString, Place> m_places; ///< by session
    QStringList m_order; ///< of the sessions, as they came
    std::map<qint64, std::pair<double, double>> m_slices; ///< sessions of canary and stable
    qint64 m_sliceMs = 60000;
    Arm m_canary;
    Arm m_stable;
    QHash<QString, Session*> m_requests; ///< arms grow no more
    QHash<QString, int> m_queries; ///< that both pools know
    QStringList m_queryNames;
    QHash<QString, int> m_decisionNumbers; ///< by query and decision
    QStringList m_decisionNames;
    std::vector<int> m_queryOf; ///< by decision
};

QJsonValue numberOrNull(double value)
{
    return std::isfinite(value) ? QJsonValue(value) : QJsonValue();
}

QJsonObject jsonOf(const Estimate& estimate)
{
    return {{QStringLiteral("value"), numberOrNull(estimate.value)},
        {QStringLiteral("low"), numberOrNull(estimate.low)},
        {QStringLiteral("high"), numberOrNull(estimate.high)}};
}

} // namespace

AbComparison compareAb(const std::vector<PoolDecision>& decisions,
    const std::vector<PoolFeedback>& feedback, const QString& canary, const QString& stable,
    qint64 fromMs, qint64 toMs, const std::atomic<bool>* cancelled)
{
    AbComparison made;
    made.canary = canary;
    made.stable = stable;
    made.fromMs = fromMs;
    made.toMs = toMs;
    Comparison(decisions, feedback, made).run(cancelled);
    return made;
}

QJsonObject AbComparison::toJson() const
{
    QJsonArray list;
    for (const ComparedMeasure& measure : measures) {
        list << QJsonObject{{QStringLiteral("measure"), measure.key},
            {QStringLiteral("unit"), measure.unit},
            {QStringLiteral("canary"), jsonOf(measure.canary)},
            {QStringLiteral("stable"), jsonOf(measure.stable)},
            {QStringLiteral("difference"), jsonOf(measure.difference)},
            {QStringLiteral("differs"), measure.differs()},
            {QStringLiteral("canary_sessions"), measure.canarySessions},
            {QStringLiteral("stable_sessions"), measure.stableSessions}};
    }
    QJsonArray queries;
    for (const Disagreement& one : disagreements) {
        queries << QJsonObject{{QStringLiteral("query"), one.query},
            {QStringLiteral("canary"), one.canary}, {QStringLiteral("stable"), one.stable},
            {QStringLiteral("canary_count"), one.canaryCount},
            {QStringLiteral("stable_count"), one.stableCount},
            {QStringLiteral("disagreement"), one.disagreement}};
    }
    return {{QStringLiteral("canary"), canary}, {QStringLiteral("stable"), stable},
        {QStringLiteral("from_ms"), fromMs}, {QStringLiteral("to_ms"), toMs},
        {QStringLiteral("canary_sessions"), canarySessions},
        {QStringLiteral("stable_sessions"), stableSessions},
        {QStringLiteral("canary_decisions"), canaryDecisions},
        {QStringLiteral("stable_decisions"), stableDecisions}, {QStringLiteral("moved"), moved},
        {QStringLiteral("outside"), outside}, {QStringLiteral("shared_queries"), sharedQueries},
        {QStringLiteral("unmatched_feedback"), unmatchedFeedback},
        {QStringLiteral("agreement"), jsonOf(agreement)},
        {QStringLiteral("stable_self_agreement"), jsonOf(selfAgreement)},
        {QStringLiteral("measures"), list}, {QStringLiteral("disagreements"), queries}};
}

} // namespace sluice::ops

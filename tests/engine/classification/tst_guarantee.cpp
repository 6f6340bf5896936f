#include "engine/classification/evaluator.h"
#include "engine/classification/thresholds/statistics.h"
#include "engine/classification/thresholds/tuning.h"
#include "tests/support/testcase.h"

#include <cmath>
#include <random>

using namespace sluice;

/// What a certificate promises, held against real scores: calibration rows are drawn again and
/// again from a pool whose true error rate at every threshold is known, and the certificates that
/// are broken are counted. Beside it, the threshold that a slider invites to.
class TestGuarantee : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void bundledScores();
    void bundledScoresUnderShift();
    void bundledGroupsTogether();
    void bundledThresholdsByIntent();
    void clincScores();
    void clincScoresUnderShift();
    void clincGroupsTogether();
    void clincThresholdsByIntent();
};

namespace {

constexpr int draws = 1000;

struct Pool
{
    std::vector<JudgedRow> rows;
    Sweep truth;

    explicit Pool(std::vector<JudgedRow> all)
        : rows(std::move(all))
        , truth(sweep(rows))
    { }
    /// What a threshold does to the whole pool: the loosest point not looser than it.
    const SweepPoint& at(double threshold) const
    {
        const auto after = std::partition_point(truth.points.begin(), truth.points.end(),
            [threshold](const SweepPoint& point) { return point.threshold >= threshold; });
        return after == truth.points.begin() ? *after : *std::prev(after);
    }
};

struct Tally
{
    int certified = 0;
    int broken = 0;
    int naiveBroken = 0;
    double coverage = 0; ///< mean, none counting 0

    double share(int count) const { return double(count) / draws; }
    void print(const char* name) const
    {
        qInfo(
            "%s: %d draws, certificate broken %.3f (coverage %.4f, none %.3f), smallest threshold "
            "of observed risk broken %.3f",
            name, draws, share(broken), coverage / draws, share(draws - certified),
            share(naiveBroken));
    }
};

Tally drawFrom(const Pool& pool, std::size_t n, const CertifyRequest& request)
{
    std::mt19937_64 random(20240);
    Tally tally;
    std::vector<JudgedRow> rows(n);
    for (int draw = 0; draw < draws; ++draw) {
        for (JudgedRow& row : rows) {
            row = pool.rows[random() % pool.rows.size()];
        }
        const auto found = certify(rows, request);
        if (found && found->certificate) {
            const SweepPoint& truth = pool.at(found->certificate->threshold);
            ++tally.certified;
            tally.coverage += pool.truth.coverage(truth);
            tally.broken += truth.risk() > request.alpha ? 1 : 0;
        }
        const Sweep seen = sweep(rows);
        const SweepPoint* naive = loosestObserved(seen, request.alpha);
        tally.naiveBroken +=
            naive != nullptr && pool.at(naive->threshold).risk() > request.alpha ? 1 : 0;
    }
    return tally;
}

/// The most broken certificates that a true rate of delta explains, but once in a thousand.
int mostBroken(double delta)
{
    int most = int(delta * draws);
    while (binomialCdf(most, draws, delta) < 0.999) {
        ++most;
    }
    return most;
}

/// `rows` as held-out rows of no margin: the pool is the truth here, whatever else its rows did.
std::vector<JudgedRow> poolRows(const Model& model, std::span<const LabelledQuery> queries)
{
    ThresholdSet set;
    set.margin = 0;
    const auto thresholds = CompiledThresholds::compile(set, model.labels(), {});
    std::vector<JudgedRow> rows = judgedRows(scoreRows(model, queries), *thresholds);
    for (JudgedRow& row : rows) {
        row.use = RowUse::HeldOut;
    }
    return rows;
}

CertifyRequest requestOf(const Pool& pool, double alpha, double delta)
{
    CertifyRequest request;
    request.alpha = alpha;
    request.delta = delta;
    request.gridOrigin = GridOrigin::Traffic;
    request.gridScores = gridScores(pool.rows);
    return request;
}

/// Calibration rows of a twentieth out of scope; traffic of which `share` is. How often does a
/// certificate break that knows of the share, and one that does not?
struct Shifted
{
    double knowing = 0;
    double unknowing = 0;
    double certified = 0; ///< of the knowing
};

Shifted shiftedDraws(const Pool& pool, double alpha, double share)
{
    constexpr int rounds = 50;
    constexpr std::size_t rowsInScope = 7600;
    constexpr std::size_t rowsOutOfScope = 400;
    std::vector<JudgedRow> in;
    std::vector<JudgedRow> out;
    for (const JudgedRow& row : pool.rows) {
        (row.isOutOfScope() ? out : in).push_back(row);
    }
    const Pool inScope(in);
    const Pool outOfScope(out);
    const auto broken = [&](const Certificate& certificate) {
        const SweepPoint& inside = inScope.at(certificate.threshold);
        const double let = outOfScope.truth.coverage(outOfScope.at(certificate.threshold));
        const double wrong = double(inside.errors()) / double(in.size());
        const double bad = share * let + (1 - share) * wrong;
        const double all = share * let + (1 - share) * inScope.truth.coverage(inside);
        return all > 0 && bad / all > alpha;
    };
    std::mt19937_64 random(77);
    CertifyRequest request = requestOf(pool, alpha, 0.1);
    Shifted result;
    for (int round = 0; round < rounds; ++round) {
        std::vector<JudgedRow> rows;
        for (std::size_t index = 0; index < rowsInScope; ++index) {
            rows.push_back(in[random() % in.size()]);
        }
        for (std::size_t index = 0; index < rowsOutOfScope; ++index) {
            rows.push_back(out[random() % out.size()]);
        }
        for (const bool knows : {false, true}) {
            request.outOfScopeShare = knows ? std::optional(share) : std::nullopt;
            const auto found = certify(rows, request);
            if (found && found->certificate) {
                (knows ? result.knowing : result.unknowing) +=
                    broken(*found->certificate) ? 1.0 / rounds : 0.0;
                result.certified += knows ? 1.0 / rounds : 0.0;
            }
        }
    }
    qInfo("out-of-scope share %.2f: certificates broken %.3f, of those that assume it %.3f (%.3f "
          "certified)",
        share, result.unknowing, result.knowing, result.certified);
    return result;
}

/// Intents in `count` groups, all claims at once: the share of draws in which any of them breaks.
struct Together
{
    double broken = 0;
    double claims = 0; ///< certified, a draw
};

Together groupDraws(const Pool& pool, int labels, int count, std::size_t n, double alpha)
{
    constexpr int rounds = 200;
    std::vector<IntentGroup> groups;
    std::vector<Pool> truths;
    std::vector<std::string> names;
    for (int label = 0; label < labels; ++label) {
        names.push_back(std::to_string(label));
    }
    for (int group = 0; group < count; ++group) {
        std::vector<JudgedRow> rows;
        std::copy_if(pool.rows.begin(), pool.rows.end(), std::back_inserter(rows),
            [=](const JudgedRow& row) { return row.predicted % count == group; });
        truths.emplace_back(std::move(rows));
        groups.push_back({std::to_string(group), {}});
        for (int label = group; label < labels; label += count) {
            groups.back().labels.push_back(label);
        }
    }
    std::mt19937_64 random(5);
    const CertifyRequest request = requestOf(pool, alpha, 0.1);
    Together result;
    std::vector<JudgedRow> rows(n);
    for (int round = 0; round < rounds; ++round) {
        for (JudgedRow& row : rows) {
            row = pool.rows[random() % pool.rows.size()];
        }
        const auto found = certifyGroups(rows, groups, names, ClaimKind::Simultaneous, request);
        bool broken = false;
        for (std::size_t group = 0; found && group < found->size(); ++group) {
            if (const auto& certificate = (*found)[group].certification.certificate) {
                result.claims += 1.0 / rounds;
                broken = broken || truths[group].at(certificate->threshold).risk() > alpha;
            }
        }
        result.broken += broken ? 1.0 / rounds : 0.0;
    }
    qInfo("%d groups, alpha %.2f, n = %zu: any claim broken %.3f, %.2f claims a draw", count, alpha,
        n, result.broken, result.claims);
    return result;
}

double costOn(std::span<const JudgedRow> rows, const Suggestion& found)
{
    double cost = 0;
    for (const JudgedRow& row : rows) {
        const auto own = found.perIntent.find(row.predicted);
        const bool accepted =
            row.score >= (own == found.perIntent.end() ? found.global : own->second);
        cost += accepted == row.isRight() ? 0 : accepted || row.isRight() ? 1 : 0;
    }
    return cost / double(rows.size());
}

/// Suggests on one half of the pool and judges on the other, in three splits: never dearer than the
/// global sweep of the same half by more than chance, and never as cheap as it looked in-sample.
void suggestAndJudge(const Pool& pool, double slack)
{
    for (std::uint64_t seed = 1; seed <= 3; ++seed) {
        std::vector<JudgedRow> rows = pool.rows;
        std::mt19937_64 random(seed);
        std::shuffle(rows.begin(), rows.end(), random);
        const auto half = std::ptrdiff_t(rows.size() / 2);
        const std::vector<JudgedRow> tune(rows.begin(), rows.begin() + half);
        const std::vector<JudgedRow> judge(rows.begin() + half, rows.end());
        const auto found = suggestPerIntent(tune, {});
        QVERIFY(found.ok());
        Suggestion globalOnly = *found;
        globalOnly.perIntent.clear();
        qInfo("%s | judged on the other half: %.4f, global %.4f", found->reason.c_str(),
            costOn(judge, *found), costOn(judge, globalOnly));
        QVERIFY(found->inSamplePerIntent < found->heldOutPerIntent);
        QVERIFY(costOn(judge, *found) <= costOn(judge, globalOnly) + slack);
        if (found->perIntent.empty()) {
            QVERIFY(found->reason.starts_with("the global threshold stays"));
        } else {
            QVERIFY(found->heldOutPerIntent < found->heldOutGlobal);
            QVERIFY(found->pValue <= 0.05);
        }
    }
}

/// The help desk's calibration and test rows, scored by the bundled model; once.
const Pool& bundledPool()
{
    static const Pool pool = [] {
        const std::filesystem::path share =
            std::filesystem::path(SLUICE_BINARY_DIR) / "share" / "sluice";
        const auto model = Model::load(share / "helpdesk.model");
        const auto data = readLabelledData(share / "queries.jsonl");
        std::vector<LabelledQuery> queries = data->part(Split::Calibration);
        for (const LabelledQuery& query : data->part(Split::Test)) {
            queries.push_back(query);
        }
        return Pool(poolRows(*model, queries));
    }();
    return pool;
}

/// CLINC150's validation, test and out-of-scope rows, scored by a model trained here; once.
const Pool* clincPool()
{
    static std::optional<Pool> pool;
    const QByteArray folder = qgetenv("SLUICE_DATA");
    if (pool || folder.isEmpty()) {
        return pool ? &*pool : nullptr;
    }
    const auto data = readLabelledData(
        std::filesystem::path(folder.toStdString()) / "clinc150" / "data_full.json");
    if (!data) {
        return nullptr;
    }
    const auto model = Model::train(*data, {});
    if (!model) {
        return nullptr;
    }
    std::vector<LabelledQuery> queries;
    for (const LabelledQuery& query : data->queries) {
        if (query.split != Split::Train || query.isOutOfScope()) {
            queries.push_back(query);
        }
    }
    pool.emplace(poolRows(*model, queries));
    return &*pool;
}

} // namespace

// The bundled model has hard data and few of it: 400 rows, at most 30 % wrong.
void TestGuarantee::bundledScores()
{
    const Tally tally = drawFrom(bundledPool(), 400, requestOf(bundledPool(), 0.3, 0.1));
    tally.print("bundled data, alpha 30 %, n = 400");
    QVERIFY(tally.broken <= mostBroken(0.1));
    QVERIFY(tally.certified >= draws * 9 / 10);
    QVERIFY(tally.coverage / draws >= 0.1);
    QVERIFY(tally.naiveBroken > mostBroken(0.1));
    QVERIFY(tally.naiveBroken > 3 * tally.broken);
}

void TestGuarantee::bundledScoresUnderShift()
{
    const Shifted found = shiftedDraws(bundledPool(), 0.3, 0.5);
    QVERIFY(found.unknowing > 0.5);
    QVERIFY(found.knowing <= 0.1);
}

void TestGuarantee::bundledGroupsTogether()
{
    const Together found = groupDraws(bundledPool(), 26, 3, 800, 0.35);
    QVERIFY(found.broken <= 0.1);
    QVERIFY(found.claims >= 1);
}

void TestGuarantee::bundledThresholdsByIntent()
{
    suggestAndJudge(bundledPool(), 0.03);
}

void TestGuarantee::clincScores()
{
    const Pool* pool = clincPool();
    if (pool == nullptr) {
        QSKIP("SLUICE_DATA names no folder with clinc150/data_full.json");
    }
    const Tally tally = drawFrom(*pool, 1000, requestOf(*pool, 0.05, 0.1));
    tally.print("CLINC150, alpha 5 %, n = 1000");
    QVERIFY(tally.broken <= int(0.1 * draws));
    QVERIFY(tally.coverage / draws >= 0.75);
    QVERIFY(tally.naiveBroken >= int(0.4 * draws));
    const Tally strict = drawFrom(*pool, 1000, requestOf(*pool, 0.02, 0.1));
    strict.print("CLINC150, alpha 2 %, n = 1000");
    QVERIFY(strict.broken <= int(0.1 * draws));
}

void TestGuarantee::clincScoresUnderShift()
{
    const Pool* pool = clincPool();
    if (pool == nullptr) {
        QSKIP("SLUICE_DATA names no folder with clinc150/data_full.json");
    }
    const Shifted found = shiftedDraws(*pool, 0.05, 0.3);
    QVERIFY(found.unknowing > 0.9);
    QVERIFY(found.knowing <= 0.1);
    QVERIFY(found.certified >= 0.9);
}

void TestGuarantee::clincGroupsTogether()
{
    const Pool* pool = clincPool();
    if (pool == nullptr) {
        QSKIP("SLUICE_DATA names no folder with clinc150/data_full.json");
    }
    const Together found = groupDraws(*pool, 150, 5, 3000, 0.05);
    QVERIFY(found.broken <= 0.1);
    QVERIFY(found.claims >= 4);
}

void TestGuarantee::clincThresholdsByIntent()
{
    const Pool* pool = clincPool();
    if (pool == nullptr) {
        QSKIP("SLUICE_DATA names no folder with clinc150/data_full.json");
    }
    suggestAndJudge(*pool, 0.005);
}

QTEST_GUILESS_MAIN(TestGuarantee)
#include "tst_guarantee.moc"

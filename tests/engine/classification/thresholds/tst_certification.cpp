#include "engine/classification/thresholds/certification.h"
#include "engine/classification/thresholds/statistics.h"
#include "engine/classification/thresholds/thresholdset.h"
#include "tests/support/testcase.h"

#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <cmath>
#include <random>

using namespace sluice;

// The promise itself is held against real scores in tst_guarantee; here are the rules of the test.
class TestCertification : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void certifiesWhereTheBoundHolds();
    void stopsAtTheFirstFailure();
    void saysWhatIsLacking_data();
    void saysWhatIsLacking();
    void whatIsLackingSuffices();
    void gridComesFromItsScoresAlone();
    void rowsOutOfReachDoNotCount();
    void usedRowsAreRefused_data();
    void usedRowsAreRefused();
    void badRequests_data();
    void badRequests();
    void assumedShareIsMixed();
    void groupsAreJudgedApart();
    void togetherTheyShareDelta();
    void groupsRefuse();
    void certificateRoundTrips();
    void certificateRefuses_data();
    void certificateRefuses();
    void certificateIsBoundToSetAndModel();
    void certificateSpeaks();
};

namespace {

/// Rows of falling score from 1: "r" right, "w" wrong, "o" out of scope.
std::vector<JudgedRow> rowsOf(const std::string& truth, int predicted = 0)
{
    std::vector<JudgedRow> rows;
    for (std::size_t index = 0; index < truth.size(); ++index) {
        const int label = truth[index] == 'r' ? predicted
            : truth[index] == 'o'             ? -1
                                              : predicted + 1;
        rows.push_back(
            {1.0 - double(index) / double(truth.size()), label, predicted, RowUse::HeldOut});
    }
    return rows;
}

std::string repeated(const std::string& text, int times)
{
    std::string all;
    for (int time = 0; time < times; ++time) {
        all += text;
    }
    return all;
}

CertifyRequest requestOf(double alpha, double delta, std::span<const JudgedRow> scores)
{
    CertifyRequest request;
    request.alpha = alpha;
    request.delta = delta;
    for (const JudgedRow& row : scores) {
        request.gridScores.push_back({row.score, row.predicted});
    }
    return request;
}

Certificate sample()
{
    Certificate certificate;
    certificate.claim = ClaimKind::Simultaneous;
    certificate.intents = {"refund", "cancel \"all\""};
    certificate.claims = 3;
    certificate.rows = 900;
    certificate.accepted = 700;
    certificate.errors = 20;
    certificate.bound = 0.0411;
    certificate.threshold = 0.4321;
    certificate.gridOrigin = GridOrigin::Traffic;
    certificate.gridStart = 0.99;
    certificate.gridPoints = 512;
    certificate.outOfScopeShare = 0.3;
    certificate.declaredHeldOut = true;
    certificate.provenance = {"aa", "bb", "cc", "2026-03-04T10:00:00Z"};
    return certificate;
}

} // namespace

void TestCertification::certifiesWhereTheBoundHolds()
{
    // 1,000 rows, the last 300 half wrong.
    const auto rows = rowsOf(repeated("r", 700) + repeated("rw", 150));
    const auto found = certify(rows, requestOf(0.05, 0.1, rows));
    QVERIFY(found.ok());
    QVERIFY(found->certificate.has_value());
    const Certificate& certificate = *found->certificate;
    QCOMPARE(certificate.rows, 1000);
    QVERIFY(certificate.threshold < 0.3);
    QCOMPARE(certificate.bound,
        exactUpperBound(certificate.errors, certificate.accepted, certificate.delta));
    QVERIFY(certificate.bound <= 0.05);
    QVERIFY(!(exactUpperBound(certificate.errors + 1, certificate.accepted + 2, 0.1) <= 0.05));
    std::int64_t accepted = 0;
    std::int64_t errors = 0;
    for (const JudgedRow& row : rows) {
        accepted += row.score >= certificate.threshold ? 1 : 0;
        errors += row.score >= certificate.threshold && !row.isRight() ? 1 : 0;
    }
    QCOMPARE(certificate.accepted, accepted);
    QCOMPARE(certificate.errors, errors);
    QCOMPARE(certificate.gridStart, 0.851); // 15 % of the rows: the 150th score
    QCOMPARE(certificate.claims, 1);
    QVERIFY(certificate.claim == ClaimKind::Marginal && certificate.intents.empty());
}

// A looser threshold whose own bound would hold again is not looked at.
void TestCertification::stopsAtTheFirstFailure()
{
    const auto rows = rowsOf(repeated("r", 400) + repeated("w", 60) + repeated("r", 2000));
    QVERIFY(exactUpperBound(60, 2460, 0.1) < 0.05);
    const auto found = certify(rows, requestOf(0.05, 0.1, rows));
    QVERIFY(found.ok() && found->certificate);
    QVERIFY(found->certificate->accepted < 430);
}

void TestCertification::saysWhatIsLacking_data()
{
    QTest::addColumn<QByteArray>("truth");
    QTest::addColumn<int>("accepted");
    QTest::addColumn<int>("errors");
    QTest::addColumn<int>("moreAccepted");
    QTest::addColumn<int>("moreRows");
    const auto row = [](const char* name, const std::string& truth, int accepted, int errors,
                         int moreAccepted, int moreRows) {
        QTest::newRow(name) << QByteArray::fromStdString(truth) << accepted << errors
                            << moreAccepted << moreRows;
    };
    // alpha 5 %, delta 10 %: 45 rows without an error, 77 with one, 105 with two.
    row("too few", repeated("r", 30), 30, 0, 15, 15);
    row("one error", repeated("r", 49) + "w", 50, 1, 27, 27);
    row("two errors at the start", "wo" + repeated("r", 198), 90, 2, 15, 34);
    row("one row", "r", 1, 0, 44, 44);
}

void TestCertification::saysWhatIsLacking()
{
    QFETCH(QByteArray, truth);
    QFETCH(int, accepted);
    QFETCH(int, errors);
    QFETCH(int, moreAccepted);
    QFETCH(int, moreRows);
    const auto rows = rowsOf(truth.toStdString());
    const auto found = certify(rows, requestOf(0.05, 0.1, rows));
    QVERIFY(found.ok());
    QVERIFY(!found->certificate);
    QCOMPARE(found->shortfall.accepted, std::int64_t(accepted));
    QCOMPARE(found->shortfall.errors, std::int64_t(errors));
    QCOMPARE(found->shortfall.moreAccepted, std::int64_t(moreAccepted));
    QCOMPARE(found->shortfall.moreRows, std::int64_t(moreRows));
}

void TestCertification::whatIsLackingSuffices()
{
    for (const char* truth : {"rrrrrrrrrrrr", "wrrrrrrrrrrr", "wworrrrrrrrr"}) {
        const auto rows = rowsOf(truth);
        const auto found = certify(rows, requestOf(0.1, 0.05, rows));
        QVERIFY(found.ok() && !found->certificate);
        for (const int less : {0, 1}) {
            const std::int64_t trials =
                found->shortfall.accepted + found->shortfall.moreAccepted - less;
            QCOMPARE(binomialCdf(found->shortfall.errors, trials, 0.1) <= 0.05, less == 0);
        }
    }
}

// The same grid whatever the labels; and nothing between its points.
void TestCertification::gridComesFromItsScoresAlone()
{
    const auto rows = rowsOf(repeated("r", 500));
    std::vector<JudgedRow> three{rows[249], rows[399], rows[499]};
    CertifyRequest request = requestOf(0.05, 0.1, three);
    request.gridOrigin = GridOrigin::Traffic;
    const auto found = certify(rows, request);
    QVERIFY(found.ok() && found->certificate);
    QCOMPARE(found->certificate->gridPoints, 3);
    QCOMPARE(found->certificate->gridStart, 0.502);
    QCOMPARE(found->certificate->threshold, 0.002);
    QVERIFY(found->certificate->gridOrigin == GridOrigin::Traffic);
    const auto wrongs = rowsOf(repeated("r", 300) + repeated("w", 200));
    const auto stopped = certify(wrongs, request);
    QVERIFY(stopped.ok() && stopped->certificate);
    QCOMPARE(stopped->certificate->gridPoints, 3);
    QCOMPARE(stopped->certificate->gridStart, 0.502);
    QCOMPARE(stopped->certificate->threshold, 0.502);
}

void TestCertification::rowsOutOfReachDoNotCount()
{
    auto rows = rowsOf(repeated("r", 100));
    for (JudgedRow& row : rows) {
        row.score = JudgedRow::never;
    }
    auto found = certify(rows, requestOf(0.05, 0.1, rowsOf(repeated("r", 100))));
    QVERIFY(found.ok() && !found->certificate);
    QCOMPARE(found->shortfall.accepted, 0);
    QCOMPARE(found->shortfall.moreAccepted, 45);
    QCOMPARE(found->shortfall.moreRows, -1);
    found = certify(rows, requestOf(0.05, 0.1, rows)); // nor is there a grid then
    QVERIFY(found.ok() && !found->certificate);
    QCOMPARE(found->shortfall.moreAccepted, 45);
    for (JudgedRow& row : rows) {
        row.score = JudgedRow::always;
    }
    found = certify(rows, requestOf(0.05, 0.1, rows));
    QVERIFY(found.ok() && found->certificate);
    QCOMPARE(found->certificate->threshold, 1.0);
    QCOMPARE(found->certificate->accepted, 100);
}

void TestCertification::usedRowsAreRefused_data()
{
    QTest::addColumn<int>("use");
    QTest::addColumn<bool>("declared");
    QTest::addColumn<QByteArray>("names"); ///< empty: accepted
    QTest::newRow("held out") << int(RowUse::HeldOut) << false << QByteArray();
    QTest::newRow("held out, needlessly declared") << int(RowUse::HeldOut) << true << QByteArray();
    QTest::newRow("training") << int(RowUse::Training) << false
                              << QByteArray("1 rows are training");
    QTest::newRow("training, declared")
        << int(RowUse::Training) << true << QByteArray("1 rows are training");
    QTest::newRow("stopping") << int(RowUse::Stopping) << false
                              << QByteArray("1 rows are validation");
    QTest::newRow("stopping, declared")
        << int(RowUse::Stopping) << true << QByteArray("1 rows are validation");
    QTest::newRow("unknown") << int(RowUse::Undeclared) << false << QByteArray("declare");
    QTest::newRow("unknown, declared") << int(RowUse::Undeclared) << true << QByteArray();
}

void TestCertification::usedRowsAreRefused()
{
    QFETCH(int, use);
    QFETCH(bool, declared);
    QFETCH(QByteArray, names);
    auto rows = rowsOf(repeated("r", 200));
    rows[17].use = RowUse(use);
    CertifyRequest request = requestOf(0.05, 0.1, rows);
    request.declaredHeldOut = declared;
    const auto found = certify(rows, request);
    QCOMPARE(found.ok(), names.isEmpty());
    if (found) {
        QCOMPARE(found->certificate->declaredHeldOut, RowUse(use) == RowUse::Undeclared);
        return;
    }
    QVERIFY(found.error().kind == ErrorKind::Input);
    QVERIFY2(found.error().message.find(names.toStdString()) != std::string::npos,
        found.error().message.c_str());
}

void TestCertification::badRequests_data()
{
    QTest::addColumn<double>("alpha");
    QTest::addColumn<double>("delta");
    QTest::addColumn<double>("share"); ///< -9: none
    QTest::addColumn<QByteArray>("truth");
    QTest::addColumn<QByteArray>("names");
    const QByteArray good = "rrrro";
    QTest::newRow("alpha 0") << 0.0 << 0.1 << -9.0 << good << QByteArray("alpha and delta");
    QTest::newRow("alpha in per cent") << 5.0 << 0.1 << -9.0 << good << QByteArray("five per cent");
    QTest::newRow("alpha nan") << std::nan("") << 0.1 << -9.0 << good << QByteArray("alpha");
    QTest::newRow("delta 1") << 0.1 << 1.0 << -9.0 << good << QByteArray("alpha and delta");
    QTest::newRow("share") << 0.1 << 0.1 << 1.5 << good << QByteArray("out-of-scope share");
    QTest::newRow("no out of scope")
        << 0.1 << 0.1 << 0.3 << QByteArray("rrr") << QByteArray("there are none");
    QTest::newRow("no rows") << 0.1 << 0.1 << -9.0 << QByteArray()
                             << QByteArray("no calibration rows");
}

void TestCertification::badRequests()
{
    QFETCH(double, alpha);
    QFETCH(double, delta);
    QFETCH(double, share);
    QFETCH(QByteArray, truth);
    QFETCH(QByteArray, names);
    const auto rows = rowsOf(truth.toStdString());
    CertifyRequest request = requestOf(alpha, delta, rows);
    request.outOfScopeShare = share == -9.0 ? std::nullopt : std::optional(share);
    const auto found = certify(rows, request);
    QVERIFY(!found.ok());
    QVERIFY2(found.error().message.find(names.toStdString()) != std::string::npos,
        found.error().message.c_str());
    const auto fine = rowsOf("rrr");
    const auto noGrid = certify(fine, requestOf(0.1, 0.1, {}));
    QVERIFY(!noGrid.ok());
    QVERIFY(noGrid.error().message.find("recorded traffic") != std::string::npos);
}

void TestCertification::assumedShareIsMixed()
{
    // One in ten out of scope, all of it at the bottom; in scope one in 200 wrong.
    const auto rows = rowsOf(repeated(repeated("r", 199) + "w", 9) + repeated("o", 200));
    CertifyRequest request = requestOf(0.05, 0.1, rows);
    const auto plain = certify(rows, request);
    request.outOfScopeShare = 0.3;
    const auto mixed = certify(rows, request);
    QVERIFY(plain.ok() && plain->certificate && mixed.ok() && mixed->certificate);
    QVERIFY(!plain->certificate->outOfScopeShare);
    QCOMPARE(*mixed->certificate->outOfScopeShare, 0.3);
    QVERIFY(mixed->certificate->threshold > plain->certificate->threshold);
    const Certificate& found = *mixed->certificate;
    const double third = 0.1 / 3;
    const std::int64_t let = found.accepted - 1800; // all in scope are above the threshold
    QVERIFY(let > 0);
    QCOMPARE(found.errors, 9 + let);
    const double bad =
        0.3 * exactUpperBound(let, 200, third) + 0.7 * exactUpperBound(9, 1800, third);
    QCOMPARE(found.bound, bad / (bad + 0.7 * exactLowerBound(1791, 1800, third)));
    QVERIFY(found.bound <= 0.05);

    // Too few of them to say anything: how many more are needed is said, and enough.
    const auto few = rowsOf(repeated(repeated("r", 97) + "w", 3) + repeated("o", 20));
    request.gridScores = requestOf(0.05, 0.1, few).gridScores;
    const auto none = certify(few, request);
    QVERIFY(none.ok() && !none->certificate);
    QVERIFY(none->shortfall.moreRows > 0 && none->shortfall.moreAccepted > 0);
    QVERIFY(none->shortfall.moreAccepted < none->shortfall.moreRows);
    const auto hopeless = rowsOf(repeated("w", 40) + repeated("o", 40));
    request.gridScores = requestOf(0.05, 0.1, hopeless).gridScores;
    const auto never = certify(hopeless, request);
    QVERIFY(never.ok() && !never->certificate);
    QCOMPARE(never->shortfall.moreRows, -1);
}

namespace {

const std::vector<std::string> labels{"cancel", "refund", "track", "change"};

/// Cancel: 120 rows, all right; refund: 60, all right; track: 30, all right. Then cancel's wrongs.
std::vector<JudgedRow> groupRows()
{
    std::vector<JudgedRow> rows;
    const auto add = [&rows](const std::string& truth, int predicted) {
        const auto some = rowsOf(truth, predicted);
        rows.insert(rows.end(), some.begin(), some.end());
    };
    add(repeated("r", 120) + repeated("w", 80), 0);
    add(repeated("r", 60), 1);
    add(repeated("r", 30), 2);
    return rows;
}

const std::vector<IntentGroup> groups{{"money", {1}}, {"orders", {0, 3}}, {"track", {2}}};

} // namespace

void TestCertification::groupsAreJudgedApart()
{
    const auto rows = groupRows();
    const auto found =
        certifyGroups(rows, groups, labels, ClaimKind::Group, requestOf(0.05, 0.1, rows));
    QVERIFY(found.ok());
    QCOMPARE(found->size(), 3U);
    const auto& money = (*found)[0];
    QCOMPARE(money.name, "money");
    QVERIFY(money.claimed && money.certification.certificate);
    QCOMPARE(money.certification.certificate->rows, 60);
    QCOMPARE(money.certification.certificate->accepted, 60);
    QCOMPARE(money.certification.certificate->claims, 1);
    QVERIFY(money.certification.certificate->intents == std::vector<std::string>{"refund"});
    QVERIFY(money.certification.certificate->claim == ClaimKind::Group);
    const auto& orders = (*found)[1];
    QCOMPARE(orders.certification.certificate->rows, 200);
    QVERIFY((
        orders.certification.certificate->intents == std::vector<std::string>{"cancel", "change"}));
    const auto& track = (*found)[2];
    QVERIFY(track.claimed && !track.certification.certificate);
    QCOMPARE(track.certification.shortfall.moreAccepted, 15);
}

// Three claims at delta / 3 need 67 rows each: only two groups can make one, at delta / 2 (59).
void TestCertification::togetherTheyShareDelta()
{
    const auto rows = groupRows();
    const auto found =
        certifyGroups(rows, groups, labels, ClaimKind::Simultaneous, requestOf(0.05, 0.1, rows));
    QVERIFY(found.ok());
    const auto& money = (*found)[0];
    QVERIFY(money.claimed && money.certification.certificate);
    QCOMPARE(money.certification.certificate->claims, 2);
    QCOMPARE(money.certification.certificate->bound, exactUpperBound(0, 60, 0.05));
    QCOMPARE(money.certification.certificate->delta, 0.1);
    QVERIFY((*found)[1].claimed && (*found)[1].certification.certificate);
    QVERIFY(!(*found)[2].claimed && !(*found)[2].certification.certificate);
    QCOMPARE((*found)[2].certification.shortfall.moreAccepted, 29);
}

void TestCertification::groupsRefuse()
{
    const auto rows = groupRows();
    CertifyRequest request = requestOf(0.05, 0.1, rows);
    QVERIFY(!certifyGroups(rows, groups, labels, ClaimKind::Marginal, request).ok());
    QVERIFY(!certifyGroups({}, groups, labels, ClaimKind::Group, request).ok());
    auto used = rows;
    used[0].use = RowUse::Training;
    QVERIFY(!certifyGroups(used, groups, labels, ClaimKind::Group, request).ok());
    const std::vector<IntentGroup> overlapping{{"money", {1, 2}}, {"track", {2}}};
    const auto twice = certifyGroups(rows, overlapping, labels, ClaimKind::Group, request);
    QVERIFY(!twice.ok());
    QVERIFY(twice.error().message.find("\"track\" is in the group money and again in track")
        != std::string::npos);
    used[0].use = RowUse::HeldOut;
    used[0].label = -1;
    request.outOfScopeShare = 0.2;
    const auto shared = certifyGroups(used, groups, labels, ClaimKind::Group, request);
    QVERIFY(!shared.ok());
    QVERIFY(shared.error().message.find("leave it out") != std::string::npos);
}

void TestCertification::certificateRoundTrips()
{
    for (const bool plain : {false, true}) {
        Certificate certificate = sample();
        if (plain) {
            certificate.claim = ClaimKind::Marginal;
            certificate.intents.clear();
            certificate.gridOrigin = GridOrigin::Validation;
            certificate.outOfScopeShare.reset();
        }
        const auto read = Certificate::fromJson(boost::json::serialize(certificate.toJson()), "x");
        QVERIFY2(read.ok(), read ? "" : read.error().text().c_str());
        QVERIFY(*read == certificate);
    }
}

void TestCertification::certificateRefuses_data()
{
    QTest::addColumn<QByteArray>("member");
    QTest::addColumn<QByteArray>("value"); ///< empty: left out
    const auto row = [](const char* member, const char* value) {
        QTest::addRow("%s: %s", member, value) << QByteArray(member) << QByteArray(value);
    };
    for (const char* member : {"alpha", "delta", "claim", "claims", "rows", "accepted", "errors",
             "bound", "threshold", "grid_origin", "grid_start", "grid_points", "declared_held_out",
             "model", "data", "set", "date"}) {
        row(member, "");
    }
    row("claim", "\"certain\"");
    row("grid_origin", "\"labels\"");
    row("accepted", "901");
    row("errors", "701");
    row("bound", "0.06");
    row("threshold", "0.995");
    row("oos_share", "2");
    row("intents", "3");
    row("more", "3");
}

void TestCertification::certificateRefuses()
{
    QFETCH(QByteArray, member);
    QFETCH(QByteArray, value);
    boost::json::object object = sample().toJson();
    if (value.isEmpty()) {
        object.erase(member.toStdString());
    } else {
        object[member.toStdString()] = boost::json::parse(value.toStdString());
    }
    const auto read = Certificate::fromJson(boost::json::serialize(object), "x.json");
    QVERIFY(!read.ok());
    QVERIFY2(read.error().message.starts_with("x.json: " + member.toStdString()),
        read.error().message.c_str());
    QVERIFY(!Certificate::fromJson("[", "x.json").ok());
}

void TestCertification::certificateIsBoundToSetAndModel()
{
    ThresholdSet base;
    base.model = "old";
    base.perIntent = {{"track", 0.9}};
    Certificate global = sample();
    global.claim = ClaimKind::Marginal;
    global.intents.clear();
    std::array one{global};
    ThresholdSet set = certifiedSet(base, one);
    QCOMPARE(set.global, global.threshold);
    QCOMPARE(set.model, "aa");
    QCOMPARE(set.perIntent.size(), 1U);
    QVERIFY(one[0].covers(set, "aa"));
    QVERIFY(!one[0].covers(set, "ab"));
    set.comment = "published";
    set.number = 8;
    QVERIFY(one[0].covers(set, "aa"));
    set.margin += 0.01;
    QVERIFY(!one[0].covers(set, "aa"));

    std::array two{sample(), sample()};
    two[1].intents = {"track"};
    two[1].threshold = 0.25;
    const ThresholdSet grouped = certifiedSet(base, two);
    QCOMPARE(grouped.global, base.global);
    QCOMPARE(grouped.perIntent.at("refund"), two[0].threshold);
    QCOMPARE(grouped.perIntent.at("track"), 0.25);
    QVERIFY(two[0].covers(grouped, "aa") && two[1].covers(grouped, "aa"));
}

void TestCertification::certificateSpeaks()
{
    const auto all = [](const Certificate& certificate) {
        QString text;
        for (const std::string& line : certificate.sentences()) {
            text += QString::fromStdString(line) + u'\n';
        }
        return text;
    };
    const QString grouped = all(sample());
    QVERIFY(grouped.contains(QStringLiteral("accepted as refund, cancel")));
    QVERIFY(grouped.contains(QStringLiteral("together with 2 other claims")));
    QVERIFY(grouped.contains(QStringLiteral("recorded traffic's scores")));
    QVERIFY(grouped.contains(QStringLiteral("30 % is out of scope")));
    QVERIFY(grouped.contains(QStringLiteral("on the caller's word")));
    Certificate certificate = sample();
    certificate.claim = ClaimKind::Marginal;
    certificate.gridOrigin = GridOrigin::Validation;
    certificate.outOfScopeShare.reset();
    certificate.declaredHeldOut = false;
    const QString plain = all(certificate);
    QVERIFY(plain.contains(QStringLiteral("of all accepted queries, at most 5 % are wrong")));
    QVERIFY(plain.contains(QStringLiteral("the validation rows' scores, tested from 0.9900 down")));
    QVERIFY(plain.contains(QStringLiteral("as much out of scope as the calibration rows")));
    QVERIFY(plain.contains(QStringLiteral("neither trained nor stopped on")));
}

QTEST_GUILESS_MAIN(TestCertification)
#include "tst_certification.moc"

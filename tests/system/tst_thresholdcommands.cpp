#include "engine/classification/thresholds/certificate.h"
#include "engine/classification/thresholds/thresholdset.h"
#include "tests/support/testcase.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QTemporaryDir>

/// `sluicectl thresholds` where it needs no server: tuning, certifying, comparing sets.
class TestThresholdCommands : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void certifiesAndBindsTheSet();
    void saysWhatACertificateLacks();
    void gridComesFromTrafficWhereItIsGiven();
    void seenTextsAreLeftOut();
    void certifiesGroups();
    void sweepsToTheCheapest();
    void suggestsOrSaysWhyNot();
    void comparesSets();
    void mergesSets();
    void flipsAreListed();
    void badInputIsSaid_data();
    void badInputIsSaid();

private:
    struct Run
    {
        int code = -1;
        QByteArray out;
        QByteArray err;
        QByteArray all() const { return out + err; }
        QJsonObject json() const { return QJsonDocument::fromJson(out).object(); }
    };
    Run run(const QStringList& arguments);
    Run judge(const QString& command, const QStringList& more)
    {
        return run(QStringList{QStringLiteral("thresholds"), command, QStringLiteral("--model"),
                       m_model, QStringLiteral("--data"), m_queries, QStringLiteral("--json")}
            + more);
    }
    QString write(const char* name, const QByteArray& content);
    int bundledRows(const char* split); ///< of the bundled data
    QString path(const char* name) { return m_folder.filePath(QLatin1StringView(name)); }

    QTemporaryDir m_folder;
    QString m_model;
    QString m_queries;
};

namespace {

QStringList words(const char* line)
{
    return QString::fromUtf8(line).split(u' ', Qt::SkipEmptyParts);
}

std::string textOf(const QJsonValue& value)
{
    return QJsonDocument(value.toObject()).toJson().toStdString();
}

} // namespace

void TestThresholdCommands::initTestCase()
{
    QVERIFY(m_folder.isValid());
    m_model = QStringLiteral(SLUICE_BINARY_DIR) % QLatin1StringView("/share/sluice/helpdesk.model");
    m_queries =
        QStringLiteral(SLUICE_BINARY_DIR) % QLatin1StringView("/share/sluice/queries.jsonl");
}

TestThresholdCommands::Run TestThresholdCommands::run(const QStringList& arguments)
{
    QProcess process;
    process.start(qEnvironmentVariable("SLUICE_BIN") % QLatin1StringView("/sluicectl"), arguments);
    process.closeWriteChannel();
    if (!process.waitForFinished(30000)) {
        process.kill();
        process.waitForFinished();
        return {-1, {}, "timed out"};
    }
    return {process.exitCode(), process.readAllStandardOutput(), process.readAllStandardError()};
}

QString TestThresholdCommands::write(const char* name, const QByteArray& content)
{
    QFile file(path(name));
    if (file.open(QIODevice::WriteOnly)) {
        file.write(content);
    }
    return file.fileName();
}

int TestThresholdCommands::bundledRows(const char* split)
{
    QFile file(m_queries);
    const QByteArray member = QByteArray("\"split\": \"") + split + '"';
    return file.open(QIODevice::ReadOnly) ? int(file.readAll().count(member)) : -1;
}

// Half of the answers may be wrong: that the bundled model manages.
void TestThresholdCommands::certifiesAndBindsTheSet()
{
    const Run done = judge(QStringLiteral("certify"),
        words("--alpha 0.5 --out") + QStringList{path("certified.json")});
    QVERIFY2(done.code == 0, done.all().constData());
    const QJsonObject claim = done.json().value(QStringLiteral("claims"))[0].toObject();
    const auto certificate = sluice::Certificate::fromJson(
        textOf(claim.value(QStringLiteral("certificate"))), "certificate");
    QVERIFY2(certificate.ok(), certificate ? "" : certificate.error().text().c_str());
    QCOMPARE(int(certificate->rows), bundledRows("calibration"));
    QVERIFY(certificate->bound <= 0.5 && !certificate->declaredHeldOut);
    QVERIFY(certificate->gridOrigin == sluice::GridOrigin::Validation);
    QFile file(path("certified.json"));
    QVERIFY(file.open(QIODevice::ReadOnly));
    const auto set = sluice::ThresholdSet::fromJson(file.readAll().toStdString(), "set");
    QVERIFY(set.ok());
    QCOMPARE(set->global, certificate->threshold);
    QVERIFY(certificate->covers(*set, certificate->provenance.modelHash));
    QVERIFY(done.json().value(QStringLiteral("naive"))[QStringLiteral("threshold")].toDouble()
        <= certificate->threshold);
}

// At 0.1 % and 10 % it takes 2,302 accepted rows without an error.
void TestThresholdCommands::saysWhatACertificateLacks()
{
    const Run done = judge(
        QStringLiteral("certify"), words("--alpha 0.001 --out") + QStringList{path("none.json")});
    QCOMPARE(done.code, 1);
    QCOMPARE(done.json().value(QStringLiteral("certified")), QJsonValue(false));
    const QJsonObject shortfall =
        done.json().value(QStringLiteral("claims"))[0][QStringLiteral("shortfall")].toObject();
    QVERIFY(shortfall.value(QStringLiteral("more_accepted")).toInt()
        >= 2302 - bundledRows("calibration"));
    QVERIFY(shortfall.value(QStringLiteral("more_rows")).toInt()
        >= shortfall.value(QStringLiteral("more_accepted")).toInt());
    QVERIFY(!QFile::exists(path("none.json")));
    const Run spoken = run(QStringList{QStringLiteral("thresholds"), QStringLiteral("certify"),
        QStringLiteral("--model"), m_model, QStringLiteral("--data"), m_queries,
        QStringLiteral("--alpha"), QStringLiteral("0.001")});
    QCOMPARE(spoken.code, 1);
    QVERIFY(spoken.out.contains("not certifiable"));
    QVERIFY(spoken.out.contains("more accepted labelled rows are needed"));
}

void TestThresholdCommands::gridComesFromTrafficWhereItIsGiven()
{
    QByteArray traffic;
    QFile queries(m_queries);
    QVERIFY(queries.open(QIODevice::ReadOnly));
    while (!queries.atEnd()) {
        const QByteArray line = queries.readLine();
        if (line.contains(R"("split": "val")")) {
            const QJsonObject row = QJsonDocument::fromJson(line).object();
            traffic += QJsonDocument(
                           QJsonObject{{QStringLiteral("query"), row.value(QStringLiteral("text"))},
                               {QStringLiteral("decision"), QStringLiteral("accept")}})
                           .toJson(QJsonDocument::Compact)
                + "\n\n";
        }
    }
    const QStringList grid{QStringLiteral("--grid-from"), write("traffic.jsonl", traffic)};
    const auto certificateOf = [this](const QStringList& more) {
        return judge(QStringLiteral("certify"), words("--alpha 0.5") + more)
            .json()
            .value(QStringLiteral("claims"))[0][QStringLiteral("certificate")]
            .toObject();
    };
    QJsonObject fromTraffic = certificateOf(grid);
    QJsonObject fromValidation = certificateOf({});
    QCOMPARE(
        fromTraffic.value(QStringLiteral("grid_origin")).toString(), QStringLiteral("traffic"));
    // The same texts make the same grid.
    for (const char* name : {"threshold", "grid_start", "grid_points", "accepted"}) {
        QCOMPARE(fromTraffic.value(QLatin1StringView(name)),
            fromValidation.value(QLatin1StringView(name)));
    }
    const QJsonObject mixed = certificateOf(words("--oos-share 0.3 --delta 0.2"));
    QCOMPARE(mixed.value(QStringLiteral("oos_share")).toDouble(), 0.3);
    const Run declared =
        judge(QStringLiteral("certify"), words("--alpha 0.6 --split test --held-out"));
    QVERIFY2(declared.code == 0, declared.all().constData());
    QVERIFY(declared.out.contains(R"("declared_held_out":true)"));
}

// 12 of 27 calibration rows repeat what was trained or stopped on; 15 are too few to suggest from.
void TestThresholdCommands::seenTextsAreLeftOut()
{
    QByteArray rows;
    for (int index = 0; index < 30; ++index) {
        const QByteArray begin = R"({"intent": "track_parcel", "text": "where is parcel )"
            + QByteArray::number(index) + R"(", "split": ")";
        rows += begin + (index < 10 ? "train" : index < 15 ? "val" : "calibration") + "\"}\n";
        if (index < 12) {
            rows += begin + "calibration\"}\n";
        }
    }
    const Run done = run(words("thresholds suggest --model")
        + QStringList{m_model, QStringLiteral("--data"), write("seen.jsonl", rows)});
    QCOMPARE(done.code, 2);
    QVERIFY2(done.err.contains("12 rows left out"), done.err.constData());
    QVERIFY2(done.err.contains("there are 15"), done.err.constData());
}

void TestThresholdCommands::certifiesGroups()
{
    const QString groups = write("groups.json",
        R"({"orders": ["cancel_order", "change_order", "track_parcel", "delivery_delay"],
            "one": ["opening_hours"]})");
    Run done = judge(QStringLiteral("certify"),
        words("--alpha 0.7 --delta 0.2 --claim group --groups") + QStringList{groups});
    QVERIFY2(done.code == 0, done.all().constData());
    const QJsonArray claims = done.json().value(QStringLiteral("claims")).toArray();
    QCOMPARE(claims.size(), 2);
    QVERIFY(done.json().value(QStringLiteral("certified")).toBool());
    done = judge(QStringLiteral("certify"), words("--alpha 0.001 --claim simultaneous"));
    QCOMPARE(done.code, 1);
    QVERIFY(done.json().value(QStringLiteral("claims")).toArray().size() > 10); // an intent each
}

void TestThresholdCommands::sweepsToTheCheapest()
{
    const auto thresholdOf = [this](const char* costs) {
        const Run done = judge(QStringLiteral("sweep"), words(costs));
        return done.json().value(QStringLiteral("optimum"))[QStringLiteral("threshold")].toDouble();
    };
    const double plain = thresholdOf("");
    QVERIFY(thresholdOf("--cost-wrong 20 --cost-oos 20") > plain);
    QVERIFY(thresholdOf("--cost-rejected 20") < plain);
    const Run done = judge(QStringLiteral("sweep"), words("--split test"));
    QCOMPARE(done.code, 0);
    QVERIFY(done.json().value(QStringLiteral("aurc")).toDouble() > 0);
    QVERIFY(done.json().value(QStringLiteral("points")).toArray().size() > 50);
}

void TestThresholdCommands::suggestsOrSaysWhyNot()
{
    const Run done = judge(QStringLiteral("suggest"), {});
    const bool suggested = done.json().value(QStringLiteral("suggested")).toBool();
    QCOMPARE(done.code, suggested ? 0 : 1);
    const QString reason = done.json().value(QStringLiteral("reason")).toString();
    QVERIFY(reason.contains(QStringLiteral("held-out rows")));
    QCOMPARE(suggested, reason.startsWith(QStringLiteral("thresholds by intent are worth it")));
    QCOMPARE(suggested, !done.json().value(QStringLiteral("per_intent")).toObject().isEmpty());
}

void TestThresholdCommands::comparesSets()
{
    const QString a = write("a.json", R"({"global": 0.4})");
    const QString b = write("b.json",
        R"({"global": 0.5, "per_intent": {"refund": 0.9}, "rules": [{"when": "follow_up", "add": -0.1}]})");
    Run done = run({QStringLiteral("thresholds"), QStringLiteral("diff"), a, b});
    QCOMPARE(done.code, 0);
    QCOMPARE(done.out,
        "global: 0.4 -> 0.5\nper_intent refund: none -> 0.9\n"
        "rules {\"when\":\"follow_up\"}: none -> -0.1\n");
    done =
        run({QStringLiteral("thresholds"), QStringLiteral("diff"), a, b, QStringLiteral("--json")});
    const QJsonArray changes = done.json().value(QStringLiteral("changes")).toArray();
    QCOMPARE(changes.size(), 3);
    QCOMPARE(changes[1].toObject(),
        (QJsonObject{{QStringLiteral("kind"), QStringLiteral("per_intent")},
            {QStringLiteral("name"), QStringLiteral("refund")},
            {QStringLiteral("before"), QJsonValue()}, {QStringLiteral("after"), 0.9}}));
    done = run({QStringLiteral("thresholds"), QStringLiteral("diff"), a, a});
    QCOMPARE(done.out, "the sets decide alike\n");
}

void TestThresholdCommands::mergesSets()
{
    const QString base = write("base.json", R"({"global": 0.4})");
    const QString ours = write("ours.json", R"({"global": 0.5})");
    const QString theirs = write("theirs.json", R"({"global": 0.4, "margin": 0.2})");
    const QString rival = write("rival.json", R"({"global": 0.6})");
    const QStringList merge{QStringLiteral("thresholds"), QStringLiteral("merge"), base, ours};
    Run done = run(merge + QStringList{theirs, QStringLiteral("--out"), path("merged.json")});
    QCOMPARE(done.code, 0);
    QFile file(path("merged.json"));
    QVERIFY(file.open(QIODevice::ReadOnly));
    const auto set = sluice::ThresholdSet::fromJson(file.readAll().toStdString(), "set");
    QVERIFY(set.ok());
    QCOMPARE(set->global, 0.5);
    QCOMPARE(set->margin, 0.2);
    done = run(merge + QStringList{rival});
    QCOMPARE(done.code, 1);
    QCOMPARE(done.out, "conflict: global: base 0.4, ours 0.5, theirs 0.6\n");
    done = run(merge + QStringList{rival, QStringLiteral("--json")});
    QCOMPARE(done.json().value(QStringLiteral("conflicts")).toArray().size(), 1);
    QVERIFY(done.json().value(QStringLiteral("set")).isNull());
}

void TestThresholdCommands::flipsAreListed()
{
    const QStringList strict{QStringLiteral("--thresholds"),
        write("strict.json", R"({"global": 1, "margin": 0, "clarify_band": 0})"),
        QStringLiteral("--live"),
        write("loose.json", R"({"global": 0, "margin": 0, "clarify_band": 0})")};
    Run done = judge(QStringLiteral("flips"), words("--split test --list 5") + strict);
    QVERIFY2(done.code == 0, done.all().constData());
    const QJsonObject result = done.json();
    QCOMPARE(result.value(QStringLiteral("rows")).toInt(), bundledRows("test"));
    QVERIFY(result.value(QStringLiteral("flipped")).toInt() > bundledRows("test") / 2);
    QCOMPARE(result.value(QStringLiteral("flipped")).toInt(),
        result.value(QStringLiteral("better")).toInt()
            + result.value(QStringLiteral("worse")).toInt());
    QCOMPARE(result.value(QStringLiteral("queries")).toArray().size(), 5);
    QCOMPARE(result.value(QStringLiteral("queries"))[0][QStringLiteral("from")].toString(),
        QStringLiteral("accept"));
    QCOMPARE(
        result
            .value(QStringLiteral("verdicts"))[QStringLiteral("accept")][QStringLiteral("fallback")]
            .toInt(),
        result.value(QStringLiteral("flipped")).toInt());
    done = judge(QStringLiteral("flips"), words("--split test"));
    QCOMPARE(done.json().value(QStringLiteral("flipped")).toInt(), 0);
}

void TestThresholdCommands::badInputIsSaid_data()
{
    QTest::addColumn<QStringList>("arguments"); ///< after model and data, where they are needed
    QTest::addColumn<QByteArray>("says");
    const auto row = [](const char* name, const char* arguments, const char* says) {
        QTest::newRow(name) << words(arguments) << QByteArray(says);
    };
    row("alpha in per cent", "certify --alpha 5", "alpha and delta lie between 0 and 1");
    row("training rows", "certify --split train", "training rows");
    row("training rows declared", "certify --split train --held-out", "training rows");
    row("validation rows", "certify --split val", "validation rows");
    row("test rows", "certify --split test", "declare");
    row("training rows suggested on", "suggest --split train", "training rows");
    row("claim", "certify --claim absolute", "--claim");
    row("split", "sweep --split middle", "middle");
    row("no groups", "certify --claim group --groups GROUPS", "does not know \"nonsense\"");
    row("groups of nothing", "certify --claim group --groups LIST", "an object of name");
    row("share and groups", "certify --claim group --oos-share 0.3", "leave it out");
    row("share", "certify --oos-share 1.5", "oos-share");
    row("no traffic file", "certify --grid-from MISSING", "missing.json");
    row("traffic without text", "certify --grid-from GROUPS", "line 1: an object with");
    row("empty traffic", "certify --grid-from EMPTY", "no query in it");
    row("negative cost", "sweep --cost-wrong -1", "cost-wrong");
    row("set of another model", "sweep --thresholds OTHER", "was tuned on model");
    row("no such set", "flips --live MISSING", "missing.json");
    row("no set", "diff LIST LIST", "a JSON object is expected");
    row("no base", "merge MISSING GROUPS GROUPS", "missing.json");
    row("output folder", "merge SET SET SET --out /nowhere/x.json", "/nowhere");
}

void TestThresholdCommands::badInputIsSaid()
{
    QFETCH(QStringList, arguments);
    QFETCH(QByteArray, says);
    const QHash<QString, QString> files{
        {QStringLiteral("GROUPS"), write("bad-groups.json", R"({"a": ["nonsense"]})")},
        {QStringLiteral("LIST"), write("list.json", "[1]")},
        {QStringLiteral("EMPTY"), write("empty.json", "\n \n")},
        {QStringLiteral("OTHER"), write("other.json", R"({"global": 0.5, "model": "abcdef"})")},
        {QStringLiteral("SET"), write("set.json", R"({"global": 0.5})")},
        {QStringLiteral("MISSING"), path("missing.json")}};
    for (QString& argument : arguments) {
        argument = files.value(argument, argument);
    }
    const QString command = arguments.takeFirst();
    const bool judging = command != QStringLiteral("diff") && command != QStringLiteral("merge");
    const Run done = judging ? judge(command, arguments)
                             : run(QStringList{QStringLiteral("thresholds"), command} + arguments);
    QCOMPARE(done.code, 2);
    QVERIFY2(done.err.contains(says) || done.out.contains(says), done.all().constData());
}

QTEST_GUILESS_MAIN(TestThresholdCommands)
#include "tst_thresholdcommands.moc"

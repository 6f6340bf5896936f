#include "tests/support/testcase.h"

#include <QDir>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QProcess>
#include <QTemporaryDir>

/// sluicectl as scripts use it: the exact forms, JSON on standard output, exit codes, and what bad
/// input gets.
class TestCommandLine : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase();
    void trainsEvaluatesAndClassifies();
    void classifiesAfterWhatTheSystemSaid();
    void trainsTheSameFileFromTheSameSeed();
    void everyCommandHasHelp_data();
    void everyCommandHasHelp();
    void badInputIsSaid_data();
    void badInputIsSaid();
    void clincReachesItsFloor();
    void stackGoesUpAndDown();

private:
    struct Run
    {
        int code = -1;
        QByteArray out;
        QByteArray err;
        QJsonObject json() const
        {
            return QJsonDocument::fromJson(out.trimmed().split('\n').last()).object();
        }
    };
    Run run(const QStringList& arguments, const QByteArray& input = {}, int timeoutMs = 60000);
    QString write(const QString& name, const QByteArray& content);
    QString queries() const
    {
        return QStringLiteral(SLUICE_SOURCE_DIR)
            % QLatin1StringView("/resources/helpdesk/queries.jsonl");
    }
    QString bundled() const
    {
        return QStringLiteral(SLUICE_BINARY_DIR)
            % QLatin1StringView("/share/sluice/helpdesk.model");
    }

    QTemporaryDir m_folder;
};

void TestCommandLine::initTestCase()
{
    QVERIFY(m_folder.isValid());
    qputenv("SLUICE_STATE", m_folder.filePath(QStringLiteral("stack")).toUtf8());
    qputenv("SLUICE_CONFIG", m_folder.filePath(QStringLiteral("config")).toUtf8());
    qputenv("SLUICE_DATA_HOME", m_folder.filePath(QStringLiteral("data")).toUtf8());
}

/// A test that failed half way leaves no stack running.
void TestCommandLine::cleanupTestCase()
{
    run({QStringLiteral("stack"), QStringLiteral("down")});
}

TestCommandLine::Run TestCommandLine::run(
    const QStringList& arguments, const QByteArray& input, int timeoutMs)
{
    QProcess process;
    process.start(qEnvironmentVariable("SLUICE_BIN") % QLatin1StringView("/sluicectl"), arguments);
    process.write(input);
    process.closeWriteChannel();
    if (!process.waitForFinished(timeoutMs)) {
        process.kill();
        process.waitForFinished();
        return {-1, {}, "timed out"};
    }
    return {process.exitCode(), process.readAllStandardOutput(), process.readAllStandardError()};
}

QString TestCommandLine::write(const QString& name, const QByteArray& content)
{
    QFile file(m_folder.filePath(name));
    if (file.open(QIODevice::WriteOnly)) {
        file.write(content);
    }
    return file.fileName();
}

void TestCommandLine::trainsEvaluatesAndClassifies()
{
    const QString model = m_folder.filePath(QStringLiteral("own.model"));
    Run done = run({QStringLiteral("train"), QStringLiteral("--data"), queries(),
        QStringLiteral("--out"), model, QStringLiteral("--json")});
    QVERIFY2(done.code == 0, done.err.constData());
    QVERIFY(done.json()[QStringLiteral("intents")].toInt() >= 20);
    QVERIFY(done.json()[QStringLiteral("rows")].toInt() >= 3000);
    done = run({QStringLiteral("evaluate"), QStringLiteral("--model"), model,
        QStringLiteral("--data"), queries(), QStringLiteral("--split"), QStringLiteral("test"),
        QStringLiteral("--json")});
    QVERIFY2(done.code == 0, done.err.constData());
    const QJsonObject evaluation = done.json();
    QVERIFY(evaluation[QStringLiteral("accuracy_in_scope")].toDouble()
        > 0.6); // 26 intents, about 53 training rows each
    QVERIFY(evaluation[QStringLiteral("oos_auroc")].toDouble() > 0.75);
    QVERIFY(evaluation[QStringLiteral("n_in_scope")].toInt() > 200);
    QVERIFY(evaluation[QStringLiteral("n_oos")].toInt() > 50);
    for (const char* field : {"oos_recall", "threshold", "coverage", "ece"}) {
        QVERIFY2(evaluation.contains(QString::fromLatin1(field)), field);
    }
    done = run({QStringLiteral("classify"), QStringLiteral("--model"), model,
                   QStringLiteral("--session"), QStringLiteral("s1"), QStringLiteral("--json")},
        "where is my parcel A-2231?\nand for B-10498?\n");
    QVERIFY2(done.code == 0, done.err.constData());
    const QList<QByteArray> lines = done.out.trimmed().split('\n');
    QCOMPARE(lines.size(), 2);
    const QJsonObject second = QJsonDocument::fromJson(lines[1]).object();
    QCOMPARE(second[QStringLiteral("turn")].toInt(), 2);
    QCOMPARE(second[QStringLiteral("context")].toString(), QStringLiteral("used"));
    QCOMPARE(second[QStringLiteral("entities")]
                 .toArray()
                 .first()
                 .toObject()[QStringLiteral("value")]
                 .toString(),
        QStringLiteral("B-10498"));
}

void TestCommandLine::classifiesAfterWhatTheSystemSaid()
{
    const auto confidences = [this](const QStringList& options) {
        const Run done = run(QStringList{QStringLiteral("classify"), QStringLiteral("--json")}
            + options + QStringList{QStringLiteral("0664 555 0118"), QStringLiteral("hello")});
        QList<double> all;
        for (const QByteArray& line : done.out.trimmed().split('\n')) {
            all << QJsonDocument::fromJson(line).object()[QStringLiteral("confidence")].toDouble();
        }
        return all;
    };
    const QList<double> alone = confidences({});
    const QList<double> said = confidences(
        {QStringLiteral("--system"), QStringLiteral("Which mobile number should I use?")});
    const QList<double> acts = confidences(
        {QStringLiteral("--system-acts"), QStringLiteral("INFORM(link_sent),REQUEST(phone)")});
    QCOMPARE(alone.size(), 2);
    QCOMPARE(said.size(), 2);
    QCOMPARE(acts.size(), 2);
    QVERIFY(said[0] != alone[0]);
    QVERIFY(acts[0] != alone[0]);
    QCOMPARE(said[1], alone[1]); // it stood before the first one
    QCOMPARE(acts[1], alone[1]);
}

void TestCommandLine::trainsTheSameFileFromTheSameSeed()
{
    const QStringList common{QStringLiteral("train"), QStringLiteral("--data"), queries(),
        QStringLiteral("--seed"), QStringLiteral("7"), QStringLiteral("--json"),
        QStringLiteral("--out")};
    const Run first = run(common + QStringList{m_folder.filePath(QStringLiteral("a.model"))});
    const Run second = run(common + QStringList{m_folder.filePath(QStringLiteral("b.model"))});
    QCOMPARE(first.code, 0);
    QCOMPARE(first.json()[QStringLiteral("hash")], second.json()[QStringLiteral("hash")]);
    QVERIFY(!first.json()[QStringLiteral("hash")].toString().isEmpty());
}

void TestCommandLine::everyCommandHasHelp_data()
{
    QTest::addColumn<QString>("command");
    for (const char* command : {"train", "evaluate", "classify", "thresholds", "thresholds publish",
             "load run", "rollout shift", "stack up", "doctor", "history"}) {
        QTest::addRow("%s", command) << QString::fromLatin1(command);
    }
}

void TestCommandLine::everyCommandHasHelp()
{
    QFETCH(QString, command);
    const Run help = run(command.split(u' ') + QStringList{QStringLiteral("--help")});
    QCOMPARE(help.code, 0);
    QVERIFY(help.out.size() > 150);
}

void TestCommandLine::badInputIsSaid_data()
{
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<QByteArray>("input");
    QTest::addColumn<int>("code");
    QTest::addColumn<QByteArray>("said");
    const auto words = [](const char* text) { return QString::fromLatin1(text).split(u' '); };
    const QString out = m_folder.filePath(QStringLiteral("x.model"));
    const auto train = [&](const QString& data) {
        return QStringList{
            QStringLiteral("train"), QStringLiteral("--data"), data, QStringLiteral("--out"), out};
    };
    const auto classify = [&](const QString& model) {
        return QStringList{
            QStringLiteral("classify"), QStringLiteral("--model"), model, QStringLiteral("hello")};
    };
    QFile model(bundled());
    QVERIFY(model.open(QIODevice::ReadOnly));
    const QByteArray whole = model.readAll();
    QByteArray other = whole;
    other[8] = 99;
    QByteArray damaged = whole;
    damaged[whole.size() / 2] = char(damaged[whole.size() / 2] ^ 1);

    QTest::newRow("no command") << QStringList{} << QByteArray() << 2 << QByteArray("subcommand");
    QTest::newRow("unknown option")
        << words("classify --nonsense 1") << QByteArray() << 2 << QByteArray("nonsense");
    QTest::newRow("no such data") << train(QStringLiteral("/nowhere/x.jsonl")) << QByteArray() << 2
                                  << QByteArray("cannot read /nowhere/x.jsonl");
    QTest::newRow("bad line") << train(
        write(QStringLiteral("bad.jsonl"), "{\"text\":\"a\",\"intent\":\"b\"}\n{\"text\":\n"))
                              << QByteArray() << 2 << QByteArray("line 2");
    QTest::newRow("open quote") << train(
        write(QStringLiteral("bad.csv"), "text,category\n\"never closed,b\n"))
                                << QByteArray() << 2 << QByteArray("never closed");
    QTest::newRow("bad UTF-8") << train(
        write(QStringLiteral("latin.csv"), "text,category\ncaf\xe9,b\n"))
                               << QByteArray() << 2 << QByteArray("UTF-8");
    QTest::newRow("one intent") << train(
        write(QStringLiteral("one.jsonl"), "{\"text\":\"a\",\"intent\":\"b\"}\n"))
                                << QByteArray() << 2 << QByteArray("at least two");
    QTest::newRow("no model") << classify(QStringLiteral("/nowhere/x.model")) << QByteArray() << 2
                              << QByteArray("cannot read the model");
    QTest::newRow("not a model") << classify(queries()) << QByteArray() << 2
                                 << QByteArray("is no Sluice model");
    QTest::newRow("other version") << classify(write(QStringLiteral("other.model"), other))
                                   << QByteArray() << 2 << QByteArray("version 99");
    QTest::newRow("truncated") << classify(
        write(QStringLiteral("short.model"), whole.first(whole.size() - 100)))
                               << QByteArray() << 2 << QByteArray("truncated");
    QTest::newRow("damaged") << classify(write(QStringLiteral("hurt.model"), damaged))
                             << QByteArray() << 2 << QByteArray("damaged");
    QTest::newRow("empty query") << words("classify") << QByteArray("\n") << 2
                                 << QByteArray("the query is empty");
    QTest::newRow("a query of 1 MB")
        << words("classify") << QByteArray(1 << 20, 'a') << 2 << QByteArray("at most 4096");
    QTest::newRow("a query that is not UTF-8")
        << words("classify") << QByteArray("caf\xe9\n") << 2 << QByteArray("UTF-8");
    QTest::newRow("folder that can't be written")
        << QStringList{QStringLiteral("train"), QStringLiteral("--data"), queries(),
               QStringLiteral("--out"), QStringLiteral("/proc/none/x.model")}
        << QByteArray() << 2 << QByteArray("/proc/none");
    QTest::newRow("state folder that can't be written")
        << words("stack up --state /proc/none") << QByteArray() << 2 << QByteArray("state folder");
    QTest::newRow("no stack") << words("thresholds show") << QByteArray() << 3
                              << QByteArray("not running");
    QTest::newRow("foreign load target")
        << words("load run --target http://192.0.2.1:80 --seconds 1") << QByteArray() << 2
        << QByteArray("is not this machine");
    QTest::newRow("unknown environment") << words("rollout status --environment nowhere")
                                         << QByteArray() << 2 << QByteArray("no environment");
}

void TestCommandLine::badInputIsSaid()
{
    QFETCH(QStringList, arguments);
    QFETCH(QByteArray, input);
    QFETCH(int, code);
    QFETCH(QByteArray, said);
    const Run done = run(arguments, input);
    QVERIFY2(done.code == code, done.err.constData());
    QVERIFY2(done.err.contains(said), done.err.constData());
}

void TestCommandLine::clincReachesItsFloor()
{
    const QString data = qEnvironmentVariable("SLUICE_DATA");
    if (data.isEmpty()) {
        QSKIP("SLUICE_DATA names no folder with the public data sets: CLINC150 is not measured");
    }
    const QString file = data % QLatin1StringView("/clinc150/data_full.json");
    const QString model = m_folder.filePath(QStringLiteral("clinc.model"));
    Run done = run({QStringLiteral("train"), QStringLiteral("--data"), file,
                       QStringLiteral("--out"), model, QStringLiteral("--json")},
        {}, 180000);
    QVERIFY2(done.code == 0, done.err.constData());
    done = run({QStringLiteral("evaluate"), QStringLiteral("--model"), model,
        QStringLiteral("--data"), file, QStringLiteral("--json")});
    QVERIFY2(done.code == 0, done.err.constData());
    QVERIFY(done.json()[QStringLiteral("accuracy_in_scope")].toDouble() >= 0.92);
    QVERIFY(done.json()[QStringLiteral("oos_auroc")].toDouble() >= 0.95);
    QCOMPARE(done.json()[QStringLiteral("n_in_scope")].toInt(), 4500);
    QCOMPARE(done.json()[QStringLiteral("n_oos")].toInt(), 1000);
}

void TestCommandLine::stackGoesUpAndDown()
{
    const QString state = m_folder.filePath(QStringLiteral("stack"));
    Run done = run({QStringLiteral("stack"), QStringLiteral("up"), QStringLiteral("--json")});
    QVERIFY2(done.code == 0, done.err.constData());
    const QJsonObject first = done.json();
    QVERIFY(first[QStringLiteral("running")].toBool());
    QCOMPARE(first[QStringLiteral("parts")].toArray().size(), 7);
    QVERIFY(!first[QStringLiteral("balancer")].toString().isEmpty());

    // A second `up` joins the one that runs.
    done = run({QStringLiteral("stack"), QStringLiteral("up"), QStringLiteral("--json")});
    QCOMPARE(done.code, 0);
    QCOMPARE(done.json()[QStringLiteral("balancer")], first[QStringLiteral("balancer")]);

    done = run({QStringLiteral("thresholds"), QStringLiteral("publish"), QStringLiteral("--pool"),
        QStringLiteral("blue"), QStringLiteral("--global"), QStringLiteral("0.55"),
        QStringLiteral("--comment"), QStringLiteral("a test"), QStringLiteral("--json")});
    QVERIFY2(done.code == 0, done.err.constData());
    QVERIFY(done.json()[QStringLiteral("arrived")].toBool());
    done = run({QStringLiteral("thresholds"), QStringLiteral("show"), QStringLiteral("--json")});
    const QJsonObject active = done.json()[QStringLiteral("active")].toObject();
    QCOMPARE(active[QStringLiteral("global")].toDouble(), 0.55);
    // What was not asked to change is as the model had it.
    QCOMPARE(active[QStringLiteral("margin")].toDouble(), 0.05);
    QCOMPARE(active[QStringLiteral("model")].toString().size(), 64);
    done = run({QStringLiteral("thresholds"), QStringLiteral("publish"), QStringLiteral("--global"),
        QStringLiteral("0.5"), QStringLiteral("--user"), QStringLiteral("viewer")});
    QCOMPARE(done.code, 1);
    QVERIFY2(done.err.contains("may not do that: an admin"), done.err.constData());
    done = run({QStringLiteral("doctor"), QStringLiteral("--json")});
    QVERIFY2(done.code == 0, done.out.constData());
    done = run({QStringLiteral("rollout"), QStringLiteral("shift"), QStringLiteral("25"),
        QStringLiteral("--json")});
    QVERIFY2(done.code == 0, done.err.constData());
    QCOMPARE(done.json()[QStringLiteral("next_share_percent")].toDouble(), 25.0);
    done = run({QStringLiteral("rollout"), QStringLiteral("rollback"), QStringLiteral("--json")});
    QCOMPARE(done.json()[QStringLiteral("next_share_percent")].toDouble(), 0.0);
    done = run({QStringLiteral("load"), QStringLiteral("run"), QStringLiteral("--scenario"),
        QStringLiteral("smoke"), QStringLiteral("--seconds"), QStringLiteral("3"),
        QStringLiteral("--json")});
    QVERIFY2(done.code == 0 || done.code == 1, done.err.constData());
    const QJsonObject load = done.json()[QStringLiteral("result")].toObject();
    QVERIFY(load[QStringLiteral("succeeded")].toInt() > 0);
    QCOMPARE(load[QStringLiteral("succeeded")], load[QStringLiteral("scheduled")]);
    done = run({QStringLiteral("history"), QStringLiteral("--json")});
    QVERIFY(done.out.split('\n').size() >= 4);

    done = run({QStringLiteral("stack"), QStringLiteral("down")});
    QCOMPARE(done.code, 0);
    done = run({QStringLiteral("stack"), QStringLiteral("status"), QStringLiteral("--json")});
    QCOMPARE(done.code, 1);
    QVERIFY(QDir(state % QLatin1StringView("/log")).entryList({QStringLiteral("redis.log")}).size()
        == 1); // logs are kept
    const QJsonArray parts = first[QStringLiteral("parts")].toArray();
    for (const QJsonValue& part : parts) {
        QTRY_VERIFY(!QFile::exists(QStringLiteral("/proc/%1/exe")
                                       .arg(part.toObject()[QStringLiteral("pid")].toInteger()))
            || QFile::symLinkTarget(QStringLiteral("/proc/%1/exe")
                                        .arg(part.toObject()[QStringLiteral("pid")].toInteger()))
                   .isEmpty());
    }
}

QTEST_GUILESS_MAIN(TestCommandLine)
#include "tst_commandline.moc"

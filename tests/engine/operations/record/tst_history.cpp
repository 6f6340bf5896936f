#include "engine/operations/record/history.h"
#include "engine/operations/record/historyexport.h"
#include "tests/support/testcase.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QTemporaryDir>

using namespace sluice;
using namespace sluice::ops;

class TestHistory : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void keepsWhatWasDone();
    void filters();
    void hostileTextIsText();
    void twoProgramsShareIt();
    void unusableFilesAreSaid();
    void closedStoreRefuses();
    void sinceLeavesOutTheOlder();
    void exportsAsTables();
    void twoEntriesAreCompared();
};

namespace {

HistoryEntry entry(const char* kind, const char* subject, const char* actor = "admin")
{
    HistoryEntry made;
    made.at = QDateTime(QDate(2026, 3, 1), QTime(12, 0), Qt::UTC);
    made.actor = QString::fromUtf8(actor);
    made.environment = QStringLiteral("local");
    made.kind = QString::fromUtf8(kind);
    made.subject = QString::fromUtf8(subject);
    made.outcome = QStringLiteral("done");
    made.details = {{QStringLiteral("number"), 42}};
    return made;
}

} // namespace

void TestHistory::keepsWhatWasDone()
{
    QTemporaryDir folder;
    const QString file = folder.filePath(QStringLiteral("new/history.sqlite"));
    {
        History history;
        QVERIFY(history.open(file).ok());
        QSignalSpy added(&history, &History::added);
        QCOMPARE(*history.add(entry("publish", "set 42 to green")), 1);
        QCOMPARE(*history.add(entry("load", "normal, 10 s")), 2);
        QCOMPARE(added.size(), 2);
    }
    History history;
    QVERIFY(history.open(file).ok());
    const auto all = history.entries({});
    QVERIFY(all.ok());
    QCOMPARE(all->size(), 2);
    QCOMPARE(all->at(0).kind, QStringLiteral("load")); // newest first
    QCOMPARE(all->at(1).at, entry("", "").at);
    QCOMPARE(all->at(1).details, entry("", "").details);
}

void TestHistory::filters()
{
    QTemporaryDir folder;
    History history;
    QVERIFY(history.open(folder.filePath(QStringLiteral("h.sqlite"))).ok());
    for (int index = 0; index < 30; ++index) {
        QVERIFY(history
                    .add(entry(index % 3 == 0 ? "publish" : "load",
                        qPrintable(QString::number(index)), index == 7 ? "ada" : "admin"))
                    .ok());
    }
    QCOMPARE(history.entries({{}, QStringLiteral("publish"), 1000})->size(), 10);
    QCOMPARE(history.entries({QStringLiteral("ADA"), {}, 1000})->size(), 1);
    QCOMPARE(history.entries({{}, {}, 5})->size(), 5);
    QCOMPARE(history.entries({QStringLiteral("nothing like it"), {}, 5})->size(), 0);
}

void TestHistory::hostileTextIsText()
{
    QTemporaryDir folder;
    History history;
    QVERIFY(history.open(folder.filePath(QStringLiteral("h.sqlite"))).ok());
    const char* const hostile = "'); DROP TABLE entry; -- 100% _ \\ é";
    QVERIFY(history.add(entry("publish", hostile)).ok());
    QVERIFY(history.add(entry("publish", "plain")).ok());
    QCOMPARE(history.entries({QString::fromUtf8(hostile), {}, 10})->size(), 1);
    QCOMPARE(history.entries({QStringLiteral("%"), {}, 10})->size(), 1); // a sign, not a pattern
    QCOMPARE(history.entries({QStringLiteral("_"), {}, 10})->size(), 1);
    QCOMPARE(history.entries({QStringLiteral("'"), {}, 10})->size(), 1);
}

void TestHistory::twoProgramsShareIt()
{
    QTemporaryDir folder;
    const QString file = folder.filePath(QStringLiteral("h.sqlite"));
    History console;
    History commandLine;
    QVERIFY(console.open(file).ok());
    QVERIFY(commandLine.open(file).ok());
    for (int index = 0; index < 20; ++index) {
        QVERIFY((index % 2 == 0 ? console : commandLine).add(entry("load", "x")).ok());
    }
    QCOMPARE(console.entries({})->size(), 20);
}

void TestHistory::unusableFilesAreSaid()
{
    QTemporaryDir folder;
    QFile file(folder.filePath(QStringLiteral("text.sqlite")));
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write(QByteArray(5000, 'x'));
    file.close();
    History history;
    const auto opened = history.open(file.fileName());
    QVERIFY(!opened.ok());
    QVERIFY2(opened.error().text().find("text.sqlite") != std::string::npos,
        opened.error().text().c_str());
    History elsewhere;
    QVERIFY(!elsewhere.open(QStringLiteral("/proc/sluice/h.sqlite")).ok());
}

void TestHistory::closedStoreRefuses()
{
    History history;
    QVERIFY(!history.add(entry("load", "x")).ok());
    QVERIFY(!history.entries({}).ok());
    QVERIFY(!history.kinds().ok());
}

void TestHistory::sinceLeavesOutTheOlder()
{
    QTemporaryDir folder;
    History history;
    QVERIFY(history.open(folder.filePath(QStringLiteral("h.sqlite"))).ok());
    HistoryEntry one = entry("load", "old");
    QVERIFY(history.add(one).ok());
    one.subject = QStringLiteral("new");
    one.kind = QStringLiteral("acknowledge");
    one.at = one.at.addDays(2);
    QVERIFY(history.add(one).ok());
    const auto newer = history.entries({{}, {}, 10, one.at.addSecs(-3600)});
    QCOMPARE(newer->size(), 1);
    QCOMPARE(newer->front().subject, QStringLiteral("new"));
    QCOMPARE(history.entries({{}, {}, 10, one.at})->size(), 1);
    QCOMPARE(
        *history.kinds(), QStringList({QStringLiteral("acknowledge"), QStringLiteral("load")}));
}

void TestHistory::exportsAsTables()
{
    const QList<HistoryEntry> entries{entry("publish", "=1+1, \"quoted\""), entry("load", "plain")};
    const QList<QByteArray> lines = toCsv(entries).split('\n');
    QCOMPARE(
        lines.at(0).trimmed(), QByteArray("id,at,actor,environment,kind,subject,outcome,details"));
    QCOMPARE(lines.at(1).trimmed(),
        QByteArray("0,\"2026-03-01T12:00:00.000Z\",\"admin\",\"local\",\"publish\","
                   "\"'=1+1, \"\"quoted\"\"\",\"done\",\"{\"\"number\"\":42}\""));
    const QJsonArray read = QJsonDocument::fromJson(toJson(entries)).array();
    QCOMPARE(read.size(), 2);
    QCOMPARE(read.at(0).toObject()[QStringLiteral("subject")].toString(), entries.at(0).subject);
    QCOMPARE(read.at(1).toObject()[QStringLiteral("details")].toObject(), entries.at(1).details);
}

void TestHistory::twoEntriesAreCompared()
{
    HistoryEntry before = entry("publish", "set 1 to blue");
    HistoryEntry after = entry("publish", "set 2 to blue", "mira");
    before.details[QStringLiteral("thresholds")] = QJsonObject{{QStringLiteral("global"), 0.5}};
    after.details[QStringLiteral("thresholds")] =
        QJsonObject{{QStringLiteral("global"), 0.62}, {QStringLiteral("margin"), 0.1}};
    QStringList lines;
    for (const HistoryDifference& one : difference(before, after)) {
        lines << QString(one.name % u' ' % one.before % u" -> " % one.after);
    }
    QCOMPARE(lines.join(u'\n'),
        QStringLiteral("actor admin -> mira\nsubject set 1 to blue -> set 2 to blue\n"
                       "thresholds.global 0.5 -> 0.62\nthresholds.margin  -> 0.1"));
    QVERIFY(difference(before, before).isEmpty());
}

QTEST_GUILESS_MAIN(TestHistory)
#include "tst_history.moc"

#include "engine/operations/loadtest/locustplan.h"
#include "tests/support/testcase.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

using namespace sluice;
using namespace sluice::ops;

class TestLocustPlan : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void refusesNonsense_data();
    void refusesNonsense();
    void thePlanIsOneLine();
    void remoteWordsAreQuoted();

private:
    static LocustPlan sound()
    {
        LocustPlan plan;
        plan.target = QUrl(QStringLiteral("http://u:p@127.0.0.1:8080/v1?x"));
        plan.curve = {{0, 0, 0}, {10, 100, 50}};
        plan.scripts = {{{{QStringLiteral("/v1/classify"), "{\"text\":\"a\\n\\\"é\"}"}}, 2}};
        return plan;
    }
};

void TestLocustPlan::refusesNonsense_data()
{
    QTest::addColumn<int>("what");
    QTest::newRow("one point") << 0;
    QTest::newRow("no time") << 1;
    QTest::newRow("back in time") << 2;
    QTest::newRow("less than nobody") << 3;
    QTest::newRow("nothing to ask") << 4;
    QTest::newRow("a script that never comes") << 5;
    QTest::newRow("an empty script") << 6;
    QTest::newRow("no target") << 7;
}

void TestLocustPlan::refusesNonsense()
{
    QFETCH(int, what);
    LocustPlan plan = sound();
    QVERIFY(plan.check().ok());
    switch (what) {
    case 0:
        plan.curve = {{0, 1, 1}};
        break;
    case 1:
        plan.curve = {{0, 1, 1}, {0, 1, 1}};
        break;
    case 2:
        plan.curve = {{0, 1, 1}, {5, 1, 1}, {4, 1, 1}};
        break;
    case 3:
        plan.curve = {{0, 1, 1}, {5, -1, 1}};
        break;
    case 4:
        plan.scripts.clear();
        break;
    case 5:
        plan.scripts[0].weight = 0;
        break;
    case 6:
        plan.scripts[0].requests.clear();
        break;
    default:
        plan.target = QUrl();
    }
    const auto checked = plan.check();
    QVERIFY(!checked.ok());
    QCOMPARE(checked.error().kind, ErrorKind::Input);
}

void TestLocustPlan::thePlanIsOneLine()
{
    const auto made = locustfile(sound());
    QVERIFY(made.ok());
    const QByteArray line = made->left(made->indexOf('\n'));
    const QByteArray before = "PLAN = __import__(\"json\").loads(";
    QVERIFY(line.startsWith(before));
    // The literal is a JSON string, which holds the plan.
    const QJsonArray literal =
        QJsonDocument::fromJson(QByteArray('[' + line.mid(before.size()).chopped(1) + ']')).array();
    const QJsonObject plan = QJsonDocument::fromJson(literal[0].toString().toUtf8()).object();
    QCOMPARE(plan[QStringLiteral("host")].toString(), QStringLiteral("http://127.0.0.1:8080"));
    QCOMPARE(plan[QStringLiteral("curve")].toArray().size(), 2);
    QCOMPARE(plan[QStringLiteral("scripts")][0][1][0][1].toString().toUtf8(),
        sound().scripts[0].requests[0].body);
    // The ways round the faults of Debian's package.
    for (const char* cure : {"__version__ or \"2.12.1\"", "CSV_STATS_FLUSH_INTERVAL_SEC = 1",
             "events.quit.add_listener"}) {
        QVERIFY2(made->contains(cure), cure);
    }
    const QStringList master = locustMaster(
        QStringLiteral("locust"), QStringLiteral("f.py"), QStringLiteral("127.0.0.1"), 5557, 3, 30);
    QCOMPARE(master.value(master.indexOf(QStringLiteral("--expect-workers-max-wait")) + 1),
        QStringLiteral("30"));
    QCOMPARE(master.value(master.indexOf(QStringLiteral("--web-host")) + 1),
        QStringLiteral("127.0.0.1"));
    QVERIFY(!master.contains(QStringLiteral("-t"))); // Locust refuses it beside a shape
}

void TestLocustPlan::remoteWordsAreQuoted()
{
    QCOMPARE(
        remoteLocustWorker(QStringLiteral("/opt/it's/locust"), 123, QStringLiteral("10.0.0.1"), 99),
        QStringLiteral("f=$(mktemp --suffix=.py) && head -c 123 >\"$f\" && "
                       "SLUICE_REMOVE_LOCUSTFILE=\"$f\" exec '/opt/it'\\''s/locust' '-f' \"$f\" "
                       "'--worker' '--master-host' '10.0.0.1' '--master-port' '99'"));
}

QTEST_GUILESS_MAIN(TestLocustPlan)
#include "tst_locustplan.moc"

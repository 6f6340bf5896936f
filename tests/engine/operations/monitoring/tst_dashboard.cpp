#include "engine/operations/monitoring/dashboard.h"
#include "tests/support/testcase.h"

#include <QFile>
#include <QProcess>
#include <QTemporaryDir>

using namespace sluice::ops;

class TestDashboard : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void panelsAndVariablesAreRead();
    void whatIsNotUnderstoodIsSaid();
    void badFilesAreRefused();
    void queriesAreExpanded();
    void legendsAreFilled();
    void ownPagesSurviveTheirExport();
    void theExportersDashboardIsRead();
};

namespace {

const QByteArray small = R"json({"title":"Small","templating":{"list":[
    {"name":"DS","type":"datasource","query":"prometheus"},
    {"name":"instance","type":"query","query":{"query":"label_values(redis_up{ns=~\"$ns\"}, instance)"}},
    {"name":"ns","type":"constant","query":"prod"}]},
  "panels":[
    {"type":"row","title":"R","panels":[{"type":"gauge","title":"Memory","gridPos":{"x":12,"y":9,"w":6,"h":5},
      "fieldConfig":{"defaults":{"unit":"percent","min":0,"max":100,
        "thresholds":{"steps":[{"color":"green","value":null},{"color":"red","value":80}]}}},
      "targets":[{"expr":"m"}]}]},
    {"type":"timeseries","title":"Rate","gridPos":{"x":0,"y":0,"w":12,"h":8},
      "fieldConfig":{"defaults":{"unit":"reqps"}},
      "targets":[{"expr":"rate(x{i=~\"$instance\"}[1m])\n  > 0","legendFormat":"{{ cmd }}"},
                 {"expr":"hidden","hide":true}]},
    {"type":"news","title":"News"},
    {"type":"stat","title":"Empty","targets":[]}]})json";

} // namespace

void TestDashboard::panelsAndVariablesAreRead()
{
    const auto read = parseGrafana(small);
    QVERIFY(read);
    QCOMPARE(read->title, QStringLiteral("Small"));
    QCOMPARE(read->panels.size(), 2);
    const DashboardPanel& rate = read->panels[0];
    QCOMPARE(rate.title, QStringLiteral("Rate")); // sorted by place
    QCOMPARE(rate.queries.size(), 1);
    QCOMPARE(rate.queries[0].expression, QStringLiteral("rate(x{i=~\"$instance\"}[1m]) > 0"));
    const DashboardPanel& memory = read->panels[1];
    QCOMPARE(memory.kind, DashboardPanel::Kind::Gauge);
    QCOMPARE(memory.warnAt, std::optional(80.0));
    QCOMPARE(memory.most, std::optional(100.0));
    QCOMPARE(read->variables.size(), 2);
    QCOMPARE(read->variables[0].label, QStringLiteral("instance"));
    QVERIFY(read->variables[1].fixed);
    QCOMPARE(read->variables[1].value, QStringLiteral("prod"));
}

void TestDashboard::whatIsNotUnderstoodIsSaid()
{
    const auto read = parseGrafana(small);
    QVERIFY(read);
    QCOMPARE(read->leftOut.size(), 2);
    QVERIFY(read->leftOut[0].contains(QLatin1StringView("News")));
    QVERIFY(read->leftOut[1].contains(QLatin1StringView("no PromQL")));
}

void TestDashboard::badFilesAreRefused()
{
    for (const char* text : {"", "{", "[]", "{}", R"({"panels":[{"type":"news"}]})", "\xff\xfe"}) {
        const auto read = parseGrafana(text);
        QVERIFY2(!read, text);
        QVERIFY(!read.error().message.empty());
    }
}

void TestDashboard::queriesAreExpanded()
{
    const QList<DashboardVariable> variables{{QStringLiteral("instance"), {}, {}, false},
        {QStringLiteral("ns"), {}, QStringLiteral("prod"), true}};
    QCOMPARE(expandQuery(QStringLiteral("x{a=~\"$instance\",b=\"[[ns]]\",c=\"${ns:regex}\"}"),
                 variables, 3600, 15, 5),
        QStringLiteral("x{a=~\".*\",b=\"prod\",c=\"prod\"}"));
    QCOMPARE(expandQuery(QStringLiteral("rate(x[$__rate_interval])"), {}, 3600, 15, 5),
        QStringLiteral("rate(x[20000ms])")); // max(15 + 5, 4 * 5)
    QCOMPARE(expandQuery(QStringLiteral("rate(x[$__interval])"), {}, 3600, 15, 5),
        QStringLiteral("rate(x[15000ms])"));
    QCOMPARE(expandQuery(QStringLiteral("x[$__range] $unknown"), {}, 60, 15, 5),
        QStringLiteral("x[60000ms] $unknown"));
}

void TestDashboard::legendsAreFilled()
{
    const Labels labels{{QStringLiteral("__name__"), QStringLiteral("up")},
        {QStringLiteral("job"), QStringLiteral("{{job}}")}};
    QCOMPARE(legendOf(QStringLiteral("used, {{ job }}"), labels),
        QStringLiteral("used, {{job}}")); // a value is not a pattern
    QCOMPARE(legendOf({}, labels), QStringLiteral("up{job=\"{{job}}\"}"));
    QCOMPARE(legendOf(QStringLiteral("{{missing}}!"), labels), QStringLiteral("!"));
}

void TestDashboard::ownPagesSurviveTheirExport()
{
    const auto read = parseGrafana(small);
    QVERIFY(read);
    const auto again = parseGrafana(read->toGrafana());
    QVERIFY(again);
    QVERIFY(again->leftOut.isEmpty());
    QCOMPARE(again->title, read->title);
    QCOMPARE(again->panels.size(), read->panels.size());
    for (int index = 0; index < again->panels.size(); ++index) {
        QCOMPARE(again->panels[index].title, read->panels[index].title);
        QCOMPARE(again->panels[index].kind, read->panels[index].kind);
        QCOMPARE(again->panels[index].unit, read->panels[index].unit);
        QCOMPARE(again->panels[index].x, read->panels[index].x);
        QCOMPARE(again->panels[index].warnAt, read->panels[index].warnAt);
        QCOMPARE(
            again->panels[index].queries[0].expression, read->panels[index].queries[0].expression);
    }
    QCOMPARE(again->variables.size(), 2);
    QCOMPARE(again->variables[0].label, QStringLiteral("instance"));
}

void TestDashboard::theExportersDashboardIsRead()
{
    const QString data = qEnvironmentVariable("SLUICE_DATA");
    if (data.isEmpty()) {
        QSKIP("SLUICE_DATA is not set: redis_exporter's dashboard is not read");
    }
    QFile file(data + QStringLiteral("/dashboards/redis_exporter.json"));
    QVERIFY2(file.open(QIODevice::ReadOnly), qPrintable(file.fileName()));
    const auto read = parseGrafana(file.readAll());
    QVERIFY(read);
    QVERIFY2(read->leftOut.isEmpty(), qPrintable(read->leftOut.join(u'\n')));
    QCOMPARE(read->panels.size(), 13);
    QCOMPARE(read->variables.size(), 2);
    QCOMPARE(read->variables[0].name, QStringLiteral("namespace"));
    QCOMPARE(read->variables[1].label, QStringLiteral("instance"));
    // Every query of it is PromQL once its variables are set: promtool reads it as a rule.
    QByteArray rules = "groups:\n  - name: exporter\n    rules:\n";
    int number = 0;
    for (const DashboardPanel& panel : read->panels) {
        for (const DashboardQuery& query : panel.queries) {
            rules += "      - record: r" + QByteArray::number(number++) + "\n        expr: '"
                + expandQuery(query.expression, read->variables, 3600, 15, 5).toUtf8() + "'\n";
        }
    }
    QCOMPARE(number, 19);
    QTemporaryDir folder;
    QFile written(folder.filePath(QStringLiteral("exporter.yml")));
    QVERIFY(written.open(QIODevice::WriteOnly));
    written.write(rules);
    written.close();
    QProcess promtool;
    promtool.setProcessChannelMode(QProcess::MergedChannels);
    promtool.start(QStringLiteral("promtool"),
        {QStringLiteral("check"), QStringLiteral("rules"), written.fileName()});
    QVERIFY(promtool.waitForFinished(30000));
    QVERIFY2(promtool.exitCode() == 0, promtool.readAll().constData());
}

QTEST_GUILESS_MAIN(TestDashboard)
#include "tst_dashboard.moc"

#include "tests/support/testcase.h"
#include "tests/support/worker.h"

#include <QDebug>
#include <QFile>
#include <QProcess>
#include <QRegularExpression>

using namespace sluice;
using test::HttpClient;
using test::Worker;

/// docs/METRICS.md against what a worker writes.
class TestMetricsTable : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void tableIsWhatIsWritten();
    void openMetricsHasTheSame();
    void promtoolIsContent();

private:
    std::unique_ptr<Worker> m_worker;
    QByteArray m_text;
    QByteArray m_openMetrics;
};

namespace {

struct Family
{
    QString type;
    QString help;
    QString unit;
    QSet<QString> labels;
};

/// The table's row of a family; `name` as in the text format.
QString row(const QString& name, const Family& family)
{
    QStringList labels(family.labels.begin(), family.labels.end());
    labels.sort();
    for (QString& label : labels) {
        label = u'`' + label + u'`';
    }
    return QStringLiteral("| `%1` | %2 | %3 | %4 | %5 |")
        .arg(name, family.type, labels.join(QStringLiteral(", ")), family.unit, family.help);
}

/// The families of a text in either format; those without a series have the label "(no series)".
QMap<QString, Family> families(const QByteArray& text)
{
    static const QRegularExpression sample(QStringLiteral(R"(^(\w+)\{([^}]*)\})"));
    static const QRegularExpression label(QStringLiteral(R"((\w+)=")"));
    QMap<QString, Family> found;
    QString current;
    for (const QString& line : QString::fromUtf8(text).split(u'\n')) {
        const QString rest = line.section(u' ', 3);
        if (line.startsWith(QStringLiteral("# HELP "))) {
            current = line.section(u' ', 2, 2);
            found[current].help = rest;
            found[current].labels = {QStringLiteral("(no series)")};
        } else if (line.startsWith(QStringLiteral("# TYPE "))) {
            found[current].type = rest;
        } else if (line.startsWith(QStringLiteral("# UNIT "))) {
            found[current].unit = rest;
        } else if (const auto match = sample.match(line); match.hasMatch()) {
            found[current].labels.remove(QStringLiteral("(no series)"));
            auto labels = label.globalMatch(match.captured(2));
            while (labels.hasNext()) {
                found[current].labels.insert(labels.next().captured(1));
            }
            const QStringList common{
                QStringLiteral("pool"), QStringLiteral("version"), QStringLiteral("le")};
            for (const QString& name : common) {
                found[current].labels.remove(name);
            }
        }
    }
    return found;
}

} // namespace

void TestMetricsTable::initTestCase()
{
    m_worker = std::make_unique<Worker>(service::Configuration());
    QVERIFY2(!m_worker->error, m_worker->error ? m_worker->error->message.c_str() : "");
    HttpClient client(m_worker->port());
    QCOMPARE(client
                 .ask("POST", "/v1/classify", R"({"text":"where is my parcel A-2231?"})",
                     "X-Request-Id: table-1\r\n")
                 .status,
        200);
    m_text = client.ask("GET", "/metrics").body;
    const auto answer = client.ask("GET", "/metrics", {},
        "Accept: application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5\r\n");
    QVERIFY2(answer.head.contains("application/openmetrics-text; version=1.0.0"),
        answer.head.constData());
    m_openMetrics = answer.body;
}

void TestMetricsTable::tableIsWhatIsWritten()
{
    QStringList written;
    const QMap<QString, Family> found = families(m_openMetrics);
    for (auto family = found.begin(); family != found.end(); ++family) {
        // In OpenMetrics the family goes without these.
        const QString suffix = family->type == QStringLiteral("counter") ? QStringLiteral("_total")
            : family->type == QStringLiteral("info")                     ? QStringLiteral("_info")
                                                                         : QString();
        written.append(row(family.key() + suffix, *family));
    }
    QVERIFY(written.size() > 10);
    QFile file(QStringLiteral(SLUICE_SOURCE_DIR "/docs/METRICS.md"));
    QVERIFY(file.open(QIODevice::ReadOnly));
    const QStringList table = QString::fromUtf8(file.readAll())
                                  .split(u'\n')
                                  .filter(QRegularExpression(QStringLiteral("^\\| `")));
    QString wrong;
    for (const QString& line : written) {
        wrong += table.contains(line) ? QString() : QStringLiteral("\nmissing: ") + line;
    }
    for (const QString& line : table) {
        wrong += written.contains(line) ? QString() : QStringLiteral("\nnot so:  ") + line;
    }
    if (!wrong.isEmpty()) {
        qInfo().noquote() << wrong; // whole: a failure's message is cut
    }
    QVERIFY2(wrong.isEmpty(), "docs/METRICS.md differs from what a worker writes: see above");
}

void TestMetricsTable::openMetricsHasTheSame()
{
    // The series are the same in both, but for exemplars and the end.
    const auto series = [](const QByteArray& text) {
        QSet<QString> names;
        for (const QString& line : QString::fromUtf8(text).split(u'\n')) {
            if (!line.startsWith(u'#') && !line.isEmpty()
                && !line.contains(QStringLiteral("route=\"/metrics\""))) {
                names.insert(line.left(line.indexOf(u'}') + 1));
            }
        }
        return names;
    };
    QCOMPARE(series(m_openMetrics), series(m_text));
    QVERIFY(m_openMetrics.endsWith("\n# EOF\n"));
    QVERIFY(!m_text.contains("EOF"));
    QVERIFY(!m_text.contains("request_id="));
    QVERIFY2(m_openMetrics.contains("# {request_id=\"table-1\"} "), m_openMetrics.constData());
}

void TestMetricsTable::promtoolIsContent()
{
    QProcess promtool;
    promtool.setProcessChannelMode(QProcess::MergedChannels);
    promtool.start(
        QStringLiteral("promtool"), {QStringLiteral("check"), QStringLiteral("metrics")});
    if (!promtool.waitForStarted(10000)) {
        QSKIP("promtool is not installed (package prometheus)");
    }
    promtool.write(m_text);
    promtool.closeWriteChannel();
    QVERIFY(promtool.waitForFinished(20000));
    const QByteArray said = promtool.readAll();
    QVERIFY2(promtool.exitCode() == 0, said.constData());
}

QTEST_GUILESS_MAIN(TestMetricsTable)
#include "tst_metrics_table.moc"

#include "engine/reporting/clientreporting.h"
#include "tests/support/sentrysink.h"
#include "tests/support/testcase.h"

#include <spdlog/sinks/null_sink.h>
#include <spdlog/spdlog.h>

using namespace sluice;

/// Console and command line report what went wrong inside them, when somebody asks for it.
class TestClientReporting : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void offByDefault();
    void refusesWhatIsNoDsn();
    void reportsWhatIsOurs();
};

void TestClientReporting::initTestCase()
{
    spdlog::set_default_logger(
        std::make_shared<spdlog::logger>("test", std::make_shared<spdlog::sinks::null_sink_mt>()));
    qunsetenv("SLUICE_SENTRY_DSN");
}

void TestClientReporting::offByDefault()
{
    const auto reporter = reportFromEnvironment("sluicectl");
    QVERIFY(reporter.ok());
    QVERIFY(*reporter == nullptr);
    QCOMPARE(spdlog::default_logger()->sinks().size(), 1U);
    reportInternal(internalError("goes nowhere"));
}

void TestClientReporting::refusesWhatIsNoDsn()
{
    qputenv("SLUICE_SENTRY_DSN", "nonsense");
    const auto reporter = reportFromEnvironment("sluicectl");
    QVERIFY(!reporter.ok());
    QVERIFY2(QString::fromStdString(reporter.error().message)
                 .startsWith(QStringLiteral("SLUICE_SENTRY_DSN: ")),
        reporter.error().message.c_str());
}

void TestClientReporting::reportsWhatIsOurs()
{
    test::SentrySink sentry;
    qputenv("SLUICE_SENTRY_DSN", sentry.dsn().c_str());
    const auto reporter = reportFromEnvironment("sluicectl");
    QVERIFY(reporter.ok());
    QVERIFY(*reporter != nullptr);
    reportInternal(inputError("somebody typed it wrong"));
    reportInternal(unreachableError("a server is away"));
    reportInternal(internalError("the disk is full", "ENOSPC"));
    spdlog::warn("not an error");
    spdlog::error("logged as one");
    QTRY_COMPARE_WITH_TIMEOUT(sentry.events.size(), 2, 10000);
    QVERIFY2(sentry.problems.isEmpty(), qPrintable(sentry.problems.join(u'\n')));
    const QByteArray all = QJsonDocument(QJsonArray{sentry.events[0], sentry.events[1]}).toJson();
    QVERIFY(all.contains("the disk is full (ENOSPC)"));
    QVERIFY(all.contains("logged as one"));
    QCOMPARE(sentry.events[0][QStringLiteral("release")].toString().section(u'@', 0, 0),
        QStringLiteral("sluicectl"));
    QCOMPARE(sentry.events[0][QStringLiteral("environment")].toString(), QStringLiteral("desktop"));
}

QTEST_GUILESS_MAIN(TestClientReporting)
#include "tst_clientreporting.moc"

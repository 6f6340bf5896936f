#include "engine/reporting/tracecontext.h"
#include "tests/support/testcase.h"

using sluice::TraceContext;

class TestTraceContext : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void reads_data();
    void reads();
    void continues();
};

void TestTraceContext::reads_data()
{
    QTest::addColumn<QByteArray>("header");
    QTest::addColumn<bool>("valid");
    QTest::addColumn<bool>("sampled");
    const auto row = [](const char* name, const char* header, bool valid, bool sampled = false) {
        QTest::newRow(name) << QByteArray(header) << valid << sampled;
    };
    row("sampled", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", true, true);
    row("not sampled", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00", true);
    row("other flags", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-fb", true, true);
    row("later version", "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what-ever", true,
        true);
    row("later version, same length", "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        true, true);
    row("later version, no dash", "cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01.x",
        false);
    row("version 00 is no longer", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
        false);
    row("version ff", "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false);
    row("upper case", "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01", false);
    row("no trace", "00-00000000000000000000000000000000-00f067aa0ba902b7-01", false);
    row("no parent", "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", false);
    row("short", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0", false);
    row("no dashes", "00 4bf92f3577b34da6a3ce929d0e0e4736 00f067aa0ba902b7 01", false);
    row("flags", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x", false);
    row("empty", "", false);
}

void TestTraceContext::reads()
{
    QFETCH(QByteArray, header);
    QFETCH(bool, valid);
    QFETCH(bool, sampled);
    const auto context = TraceContext::parse(header.toStdString());
    QCOMPARE(context.has_value(), valid);
    if (context) {
        QCOMPARE(context->traceId, std::string("4bf92f3577b34da6a3ce929d0e0e4736"));
        QCOMPARE(context->parentId, std::string("00f067aa0ba902b7"));
        QCOMPARE(context->sampled, sampled);
    }
}

void TestTraceContext::continues()
{
    const auto context =
        TraceContext::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    const auto next = TraceContext::parse(context->header());
    QVERIFY(next.has_value());
    QCOMPARE(next->traceId, context->traceId);
    QCOMPARE(next->parentId, context->spanId);
    QVERIFY(next->parentId != context->parentId);
    QVERIFY(next->sampled);
    const auto quiet =
        TraceContext::parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-02");
    QVERIFY(quiet->header().ends_with("-00"));
}

QTEST_GUILESS_MAIN(TestTraceContext)
#include "tst_tracecontext.moc"

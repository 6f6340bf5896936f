#include "engine/classification/thresholds/thresholdset.h"
#include "tests/support/testcase.h"

using namespace sluice;

class TestThresholdSet : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void roundTrip();
    void defaults();
    void zeroIsZero();
    void refused_data();
    void refused();
    void compileRefusesStrangers();
    void compileChecksTheModel();
};

void TestThresholdSet::roundTrip()
{
    ThresholdSet set;
    set.number = 42;
    set.model = "abc123";
    set.global = 0.47;
    set.perIntent = {{"refund", 0.8}, {"gr\xC3\xBC\xC3\x9F \"gott\"", 0.0}};
    set.margin = 0.05;
    set.clarifyBand = 0.2;
    set.followUp = -0.05;
    set.sensitive = 0.1;
    set.sensitiveIntents = {"close_account", "refund"};
    set.failuresBeforeClarify = 2;
    set.author = "ada";
    set.comment = "line one\nline two";
    set.createdAt = "2026-03-04T10:00:00Z";
    const auto read = ThresholdSet::fromJson(set.toJson(), "set");
    QVERIFY2(read.ok(), read ? "" : read.error().text().c_str());
    QVERIFY(*read == set);
}

void TestThresholdSet::defaults()
{
    const auto read = ThresholdSet::fromJson(R"({"global": 0.6})", "set");
    QVERIFY(read.ok());
    ThresholdSet expected;
    expected.global = 0.6;
    QVERIFY(*read == expected);
}

void TestThresholdSet::zeroIsZero()
{
    const auto read = ThresholdSet::fromJson(
        R"({"global": 0, "margin": 0, "clarify_band": 0, "per_intent": {"a": 0}})", "set");
    QVERIFY(read.ok());
    QCOMPARE(read->global, 0.0);
    QCOMPARE(read->margin, 0.0);
    QCOMPARE(read->clarifyBand, 0.0);
    QCOMPARE(read->perIntent.at("a"), 0.0);
}

void TestThresholdSet::refused_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("names"); ///< what the message must say
    const auto row = [](const char* name, const char* text, const char* names) {
        QTest::newRow(name) << QByteArray(text) << QByteArray(names);
    };
    row("nothing", "", "not valid JSON");
    row("cut off", R"({"global": 0.5)", "not valid JSON");
    row("no object", "[0.5]", "object");
    row("global missing", "{}", "global: is missing");
    row("global null", R"({"global": null})", "global: a number");
    row("global text", R"({"global": "0.5"})", "global: a number");
    row("global above 1", R"({"global": 1.0001})", "global: a number from 0 to 1");
    row("global below 0", R"({"global": -0.1})", "global");
    row("global huge", R"({"global": 1e999})", "");
    row("unknown member", R"({"global": 0.5, "treshold": 1})", "treshold: is not known");
    row("per intent above 1", R"({"global": 0.5, "per_intent": {"refund": 2}})",
        "set: per_intent: refund: a number from 0 to 1");
    row("per intent null", R"({"global": 0.5, "per_intent": {"refund": null}})", "refund");
    row("per intent true", R"({"global": 0.5, "per_intent": {"refund": true}})", "refund");
    row("per intent list", R"({"global": 0.5, "per_intent": [1]})", "per_intent");
    row("margin", R"({"global": 0.5, "margin": 1.5})", "margin");
    row("band", R"({"global": 0.5, "clarify_band": -1})", "clarify_band");
    row("follow up", R"({"global": 0.5, "follow_up": -1.5})", "follow_up");
    row("sensitive", R"({"global": 0.5, "sensitive": "high"})", "sensitive");
    row("sensitive intents", R"({"global": 0.5, "sensitive_intents": "a"})", "sensitive_intents");
    row("failures", R"({"global": 0.5, "failures_before_clarify": 1.5})", "failures_before");
    row("failures below 0", R"({"global": 0.5, "failures_before_clarify": -1})", "failures_before");
    row("number", R"({"global": 0.5, "number": -3})", "number");
    row("comment", R"({"global": 0.5, "comment": 3})", "comment");
    row("invalid UTF-8", "{\"global\": 0.5, \"comment\": \"\xFF\"}", "not valid JSON");
}

void TestThresholdSet::refused()
{
    QFETCH(QByteArray, text);
    QFETCH(QByteArray, names);
    const auto read =
        ThresholdSet::fromJson(std::string_view(text.data(), std::size_t(text.size())), "set");
    QVERIFY(!read.ok());
    QVERIFY(read.error().kind == ErrorKind::Input);
    const std::string message = read.error().text();
    QVERIFY2(message.starts_with("set"), message.c_str());
    QVERIFY2(message.find(names.toStdString()) != std::string::npos, message.c_str());
}

void TestThresholdSet::compileRefusesStrangers()
{
    const std::vector<std::string> labels{"cancel", "refund"};
    ThresholdSet set;
    set.perIntent = {{"refnud", 0.5}};
    auto compiled = CompiledThresholds::compile(set, labels, "");
    QVERIFY(!compiled.ok());
    QVERIFY(compiled.error().message.find("\"refnud\"") != std::string::npos);
    set.perIntent.clear();
    set.sensitiveIntents = {"close_account"};
    compiled = CompiledThresholds::compile(set, labels, "");
    QVERIFY(!compiled.ok());
    QVERIFY(compiled.error().message.find("sensitive_intents") != std::string::npos);
}

void TestThresholdSet::compileChecksTheModel()
{
    const std::vector<std::string> labels{"cancel"};
    ThresholdSet set;
    QVERIFY(CompiledThresholds::compile(set, labels, "aaaa").ok());
    set.model = "aaaa";
    QVERIFY(CompiledThresholds::compile(set, labels, "aaaa").ok());
    QVERIFY(CompiledThresholds::compile(set, labels, "").ok());
    const auto other = CompiledThresholds::compile(set, labels, "bbbb");
    QVERIFY(!other.ok());
    QVERIFY(other.error().message.find("bbbb") != std::string::npos);
}

QTEST_GUILESS_MAIN(TestThresholdSet)
#include "tst_thresholdset.moc"

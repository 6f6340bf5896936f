#include "engine/base/json.h"
#include "engine/classification/thresholds/thresholdset.h"
#include "tests/support/testcase.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>

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
    void rulesRoundTrip();
    void setsWithoutRulesLookAsBefore();
    void contentHashIsOfWhatDecides();
    void schemaAndReaderAgree();
    void schemaBoundsAreTheReaders_data();
    void schemaBoundsAreTheReaders();
    void compileRefusesStrangers();
    void compileChecksTheModel();
};

namespace {

/// A set that says something in every member, and has a rule of each condition.
ThresholdSet fullSet()
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
    ContextRule rule;
    rule.when = Condition::FollowUp;
    rule.add = -0.02;
    rule.intents = {"refund"};
    set.rules.push_back(rule);
    rule.when = Condition::Sensitive;
    rule.add = 0.25;
    set.rules.push_back(rule);
    rule = {};
    rule.when = Condition::RepeatedFailure;
    rule.add = -0.1;
    rule.failures = 3;
    set.rules.push_back(rule);
    rule = {};
    rule.when = Condition::TimeOfDay;
    rule.add = 0.05;
    rule.from = 22 * 60;
    rule.to = 6 * 60 + 30;
    rule.zone = "Europe/Berlin";
    set.rules.push_back(rule);
    return set;
}

QJsonObject objectOf(const ThresholdSet& set)
{
    return QJsonDocument::fromJson(QByteArray::fromStdString(set.toJson())).object();
}

Result<ThresholdSet> read(const QJsonObject& object)
{
    const QByteArray text = QJsonDocument(object).toJson();
    return ThresholdSet::fromJson(std::string_view(text.data(), std::size_t(text.size())), "set");
}

QJsonObject schema()
{
    QFile file(QStringLiteral(SLUICE_SOURCE_DIR)
        % QLatin1StringView("/resources/schema/thresholds.schema.json"));
    return file.open(QIODevice::ReadOnly) ? QJsonDocument::fromJson(file.readAll()).object()
                                          : QJsonObject();
}

/// The schema of the rules with that condition.
QJsonObject ruleSchema(const QString& when)
{
    const QJsonArray kinds = schema()
                                 .value(QStringLiteral("properties"))[QStringLiteral(
                                     "rules")][QStringLiteral("items")][QStringLiteral("oneOf")]
                                 .toArray();
    for (const QJsonValue& kind : kinds) {
        if (kind[QStringLiteral("properties")][QStringLiteral("when")][QStringLiteral("const")]
            == when) {
            return kind.toObject();
        }
    }
    return {};
}

} // namespace

void TestThresholdSet::roundTrip()
{
    ThresholdSet set = fullSet();
    set.rules.clear();
    const auto again = ThresholdSet::fromJson(set.toJson(), "set");
    QVERIFY2(again.ok(), again ? "" : again.error().text().c_str());
    QVERIFY(*again == set);
}

void TestThresholdSet::rulesRoundTrip()
{
    const ThresholdSet set = fullSet();
    const auto again = ThresholdSet::fromJson(set.toJson(), "set");
    QVERIFY2(again.ok(), again ? "" : again.error().text().c_str());
    QVERIFY(*again == set);
    QVERIFY(set.toJson().find(R"("from":"22:00","to":"06:30")") != std::string::npos);
}

// A worker that knows no rules refuses a set with the member.
void TestThresholdSet::setsWithoutRulesLookAsBefore()
{
    QVERIFY(!objectOf(ThresholdSet()).contains(QStringLiteral("rules")));
}

void TestThresholdSet::contentHashIsOfWhatDecides()
{
    const ThresholdSet set = fullSet();
    ThresholdSet other = set;
    other.number = 7;
    other.author = "bob";
    other.comment = "else";
    other.createdAt = "";
    QCOMPARE(other.contentHash(), set.contentHash());
    other.global += 0.01;
    QVERIFY(other.contentHash() != set.contentHash());
    other = set;
    other.rules[0].add = 0;
    QVERIFY(other.contentHash() != set.contentHash());
}

// Every member that is written stands in the schema, and every member of the schema is written by
// a set that says everything, and read back.
void TestThresholdSet::schemaAndReaderAgree()
{
    const auto names = [](const QJsonObject& properties) { return properties.keys(); };
    const QJsonObject all = objectOf(fullSet());
    QCOMPARE(names(all), names(schema().value(QStringLiteral("properties")).toObject()));
    const QJsonArray rules = all.value(QStringLiteral("rules")).toArray();
    QCOMPARE(rules.size(), 4);
    for (const QJsonValue& rule : rules) {
        const QJsonObject kind = ruleSchema(rule[QStringLiteral("when")].toString());
        const QJsonObject properties = kind.value(QStringLiteral("properties")).toObject();
        QJsonObject full = rule.toObject();
        full.insert(QStringLiteral("intents"), QJsonArray{QStringLiteral("refund")});
        QCOMPARE(names(full), names(properties));
        const auto with = [&](const QJsonObject& changed) {
            QJsonObject set = all;
            set.insert(QStringLiteral("rules"), QJsonArray{changed});
            return read(set).ok();
        };
        QVERIFY(with(full));
        const QJsonArray required = kind.value(QStringLiteral("required")).toArray();
        for (const QString& name : names(full)) {
            QJsonObject less = full;
            less.remove(name);
            QVERIFY2(with(less) != required.contains(name), qPrintable(name));
        }
        QJsonObject more = full;
        more.insert(QStringLiteral("until"), 1);
        QVERIFY(!with(more));
    }
    const QJsonArray required = schema().value(QStringLiteral("required")).toArray();
    for (const QString& name : names(all)) {
        QJsonObject less = all;
        less.remove(name);
        QVERIFY2(read(less).ok() != required.contains(name), qPrintable(name));
    }
}

void TestThresholdSet::schemaBoundsAreTheReaders_data()
{
    QTest::addColumn<QString>("when");
    QTest::addColumn<QString>("member");
    const QJsonObject members = schema().value(QStringLiteral("properties")).toObject();
    for (const QString& member : members.keys()) {
        QTest::newRow(qPrintable(member)) << QString() << member;
    }
    for (const QJsonValue& rule : objectOf(fullSet()).value(QStringLiteral("rules")).toArray()) {
        const QString when = rule[QStringLiteral("when")].toString();
        const QJsonObject rules = ruleSchema(when).value(QStringLiteral("properties")).toObject();
        for (const QString& member : rules.keys()) {
            QTest::newRow(qPrintable(QString(when % u' ' % member))) << when << member;
        }
    }
}

// Least and most of a number are read, the next beyond is refused; another type is refused.
void TestThresholdSet::schemaBoundsAreTheReaders()
{
    QFETCH(QString, when);
    QFETCH(QString, member);
    QJsonObject set = objectOf(fullSet());
    QJsonObject rule;
    for (const QJsonValue& one : set.value(QStringLiteral("rules")).toArray()) {
        rule = one[QStringLiteral("when")] == when ? one.toObject() : rule;
    }
    const QJsonObject kind = (when.isEmpty() ? schema() : ruleSchema(when))
                                 .value(QStringLiteral("properties"))[member]
                                 .toObject();
    QVERIFY(!kind.isEmpty());
    const auto reads = [&](const QJsonValue& value) {
        QJsonObject changed = set;
        if (when.isEmpty()) {
            changed.insert(member, value);
        } else {
            QJsonObject changedRule = rule;
            changedRule.insert(member, value);
            changed.insert(QStringLiteral("rules"), QJsonArray{changedRule});
        }
        return read(changed).ok();
    };
    const QString type = kind.value(QStringLiteral("type")).toString();
    const bool integer = type == QStringLiteral("integer");
    const double step = integer ? 1.0 : 1e-6;
    for (const auto& [bound, beyond] : {std::pair("minimum", -step), std::pair("maximum", step)}) {
        const QJsonValue limit = kind.value(QLatin1StringView(bound));
        if (!limit.isUndefined()) {
            QVERIFY(reads(limit));
            QVERIFY(!reads(limit.toDouble() + beyond));
        }
    }
    QVERIFY(!integer || !reads(1.5));
    QVERIFY(!reads(true));
    QVERIFY(!reads(type == QStringLiteral("string") ? QJsonValue(1) : QJsonValue(QString())));
    if (const QJsonValue pattern = kind.value(QStringLiteral("pattern")); pattern.isString()) {
        for (const char* time :
            {"00:00", "23:59", "24:00", "12:60", "1:00", "12:0a", "", " 12:00", "12-00"}) {
            const QRegularExpression expression(pattern.toString());
            const QString text = QLatin1StringView(time);
            QCOMPARE(reads(text), expression.match(text).hasMatch());
        }
    }
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
    row("rules no list", R"({"global": 0.5, "rules": {}})", "rules");
    row("rule no object", R"({"global": 0.5, "rules": [1]})", "rules[0]: a JSON object");
    row("rule of what", R"({"global": 0.5, "rules": [{"when": "full_moon", "add": 1}]})",
        "rules[0]: when: follow_up, sensitive");
    row("rule without when", R"({"global": 0.5, "rules": [{"add": 1}]})", "when: is missing");
    row("rule's amount", R"({"global": 0.5, "rules": [{"when": "follow_up", "add": 2}]})",
        "rules[0]: add");
    row("rule's stranger",
        R"({"global": 0.5, "rules": [{"when": "follow_up", "add": 0.1, "failures": 2}]})",
        "failures: is not known");
    row("rule of nobody", R"({"global": 0.5, "rules": [{"when": "sensitive", "add": 0.1}]})",
        "intents: name the intents");
    row("rule's time",
        R"({"global": 0.5, "rules": [{"when": "time_of_day", "add": 0, "from": "25:00", "to": "01:00"}]})",
        "from: a time of day");
    row("rule's zone",
        R"({"global": 0.5, "rules": [{"when": "time_of_day", "add": 0, "from": "22:00",
            "to": "01:00", "zone": "Europe/Berlyn"}]})",
        "no time zone \"Europe/Berlyn\"");
    row("two of a condition",
        R"({"global": 0.5, "rules": [{"when": "follow_up", "add": 0.1}, {"when": "follow_up",
            "add": 0.2}]})",
        "rules[1]: an earlier rule has the same condition");
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
    set.sensitiveIntents.clear();
    set.rules.push_back({});
    set.rules[0].intents = {"cancel", "elsewhere"};
    compiled = CompiledThresholds::compile(set, labels, "");
    QVERIFY(!compiled.ok());
    QVERIFY(compiled.error().message.find("rules names \"elsewhere\"") != std::string::npos);
    set.rules[0] = {};
    set.rules[0].when = Condition::TimeOfDay;
    set.rules[0].zone = "Nowhere";
    QVERIFY(!CompiledThresholds::compile(set, labels, "").ok());
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

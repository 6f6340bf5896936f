#include "engine/operations/loadtest/jmeterplan.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QXmlStreamWriter>
#include <algorithm>
#include <cmath>

namespace sluice::ops {

namespace {

constexpr int steps = 10; ///< of a rate that changes, and of users that leave
constexpr double startsPerSecond = 100; ///< of threads, where a phase begins at its level

/// Writes the elements that JMeter's files are made of.
class Writer
{
public:
    explicit Writer(QByteArray* out)
        : m_xml(out)
    {
        m_xml.setAutoFormatting(true);
        m_xml.setAutoFormattingIndent(1);
        m_xml.writeStartDocument();
    }

    void begin(const char* element, const char* gui, const char* type, const QString& name)
    {
        m_xml.writeStartElement(QString::fromLatin1(element));
        m_xml.writeAttribute(QStringLiteral("guiclass"), QString::fromLatin1(gui));
        m_xml.writeAttribute(QStringLiteral("testclass"), QString::fromLatin1(type));
        m_xml.writeAttribute(QStringLiteral("testname"), name);
        m_xml.writeAttribute(QStringLiteral("enabled"), QStringLiteral("true"));
    }
    void end() { m_xml.writeEndElement(); }
    void openTree() { m_xml.writeStartElement(QStringLiteral("hashTree")); }
    void emptyTree() { m_xml.writeEmptyElement(QStringLiteral("hashTree")); }
    void prop(const char* type, const QString& name, const QString& value)
    {
        m_xml.writeStartElement(QString::fromLatin1(type));
        m_xml.writeAttribute(QStringLiteral("name"), name);
        m_xml.writeCharacters(value);
        m_xml.writeEndElement();
    }
    void text(const char* name, const QString& value)
    {
        prop("stringProp", QString::fromLatin1(name), value);
    }
    void flag(const char* name, bool value)
    {
        prop("boolProp", QString::fromLatin1(name),
            value ? QStringLiteral("true") : QStringLiteral("false"));
    }
    void number(const char* name, qint64 value)
    {
        prop("stringProp", QString::fromLatin1(name), QString::number(value));
    }
    void beginProp(const char* element, const char* name, const char* type)
    {
        m_xml.writeStartElement(QString::fromLatin1(element));
        m_xml.writeAttribute(QStringLiteral("name"), QString::fromLatin1(name));
        if (*type != 0) {
            m_xml.writeAttribute(QStringLiteral("elementType"), QString::fromLatin1(type));
        }
    }
    QXmlStreamWriter& xml() { return m_xml; }

private:
    QXmlStreamWriter m_xml;
};

QString bodyOf(const ScriptTurn& turn)
{
    QJsonObject body{{QStringLiteral("text"), turn.text}};
    if (!turn.system.isEmpty()) {
        body[QStringLiteral("system")] = turn.system;
    }
    if (!turn.systemActs.isEmpty()) {
        body[QStringLiteral("system_acts")] = QJsonArray::fromStringList(turn.systemActs);
    }
    QString text = QString::fromUtf8(QJsonDocument(body).toJson(QJsonDocument::Compact));
    // JMeter takes ${...} for a variable.
    return text.replace(QStringLiteral("${"), QStringLiteral("\\u0024{"));
}

void writeHeaders(Writer& out, const QString& session)
{
    out.begin("HeaderManager", "HeaderPanel", "HeaderManager", QStringLiteral("Headers"));
    out.beginProp("collectionProp", "HeaderManager.headers", "");
    for (const auto& [name, value] : {std::pair{QStringLiteral("Content-Type"),
                                          QStringLiteral("application/json; charset=utf-8")},
             std::pair{QStringLiteral("X-Session-Id"), session}}) {
        out.beginProp("elementProp", "", "Header");
        out.text("Header.name", name);
        out.text("Header.value", value);
        out.end();
    }
    out.end();
    out.end();
    out.emptyTree();
}

void writeSampler(Writer& out, const QString& name, const ScriptTurn& turn, const QString& session)
{
    out.begin("HTTPSamplerProxy", "HttpTestSampleGui", "HTTPSamplerProxy", name);
    out.flag("HTTPSampler.postBodyRaw", true);
    out.beginProp("elementProp", "HTTPsampler.Arguments", "Arguments");
    out.beginProp("collectionProp", "Arguments.arguments", "");
    out.beginProp("elementProp", "", "HTTPArgument");
    out.flag("HTTPArgument.always_encode", false);
    out.text("Argument.value", bodyOf(turn));
    out.text("Argument.metadata", QStringLiteral("="));
    out.end();
    out.end();
    out.end();
    out.text("HTTPSampler.path", QStringLiteral("/v1/classify"));
    out.text("HTTPSampler.method", QStringLiteral("POST"));
    out.text("HTTPSampler.contentEncoding", QStringLiteral("UTF-8"));
    out.flag("HTTPSampler.use_keepalive", true);
    out.end();
    out.openTree();
    writeHeaders(out, session);
    out.end();
}

void writeScripts(Writer& out, const QList<Conversation>& conversations)
{
    // A new name each time round, for those that are conversations.
    out.begin("UserParameters", "UserParametersGui", "UserParameters", QStringLiteral("Session"));
    out.beginProp("collectionProp", "UserParameters.names", "");
    out.prop("stringProp", QString(), QStringLiteral("session"));
    out.end();
    out.beginProp("collectionProp", "UserParameters.thread_values", "");
    out.beginProp("collectionProp", "", "");
    out.prop("stringProp", QString(), QStringLiteral("load-${__UUID()}"));
    out.end();
    out.end();
    out.flag("UserParameters.per_iteration", true);
    out.end();
    out.emptyTree();

    out.begin("RandomController", "RandomControlGui", "RandomController",
        QStringLiteral("One at random"));
    out.end();
    out.openTree();
    int number = 0;
    for (const Conversation& conversation : conversations) {
        const QString name = QStringLiteral("script %1").arg(++number);
        if (conversation.turns.size() == 1) {
            writeSampler(out, name, conversation.turns.first(),
                QStringLiteral("load-${__threadNum}-${session_seed}"));
            continue;
        }
        out.begin("GenericController", "LogicControllerGui", "GenericController", name);
        out.end();
        out.openTree();
        int turn = 0;
        for (const ScriptTurn& said : conversation.turns) {
            writeSampler(out, QStringLiteral("%1, turn %2").arg(name).arg(++turn), said,
                QStringLiteral("${session}"));
        }
        out.end();
    }
    out.end();
}

void writeTimer(Writer& out, const JMeterGroup& group, const ThinkTime& think)
{
    if (group.requestsPerSecond > 0) {
        out.begin("ConstantThroughputTimer", "TestBeanGUI", "ConstantThroughputTimer",
            QStringLiteral("Rate"));
        out.xml().writeStartElement(QStringLiteral("doubleProp"));
        out.xml().writeTextElement(QStringLiteral("name"), QStringLiteral("throughput"));
        out.xml().writeTextElement(
            QStringLiteral("value"), QString::number(group.requestsPerSecond * 60, 'f', 3));
        out.xml().writeTextElement(QStringLiteral("savedValue"), QStringLiteral("0.0"));
        out.xml().writeEndElement();
        // All threads of this group together.
        out.prop("intProp", QStringLiteral("calcMode"), QStringLiteral("2"));
    } else {
        out.begin("UniformRandomTimer", "UniformRandomTimerGui", "UniformRandomTimer",
            QStringLiteral("Time to think"));
        out.number(
            "ConstantTimer.delay", std::llround(think.meanSeconds * (1 - think.jitter) * 1000));
        out.text("RandomTimer.range",
            QString::number(think.meanSeconds * 2 * think.jitter * 1000, 'f', 1));
    }
    out.end();
    out.emptyTree();
}

void writeGroup(Writer& out, const JMeterGroup& group, const Scenario& scenario,
    const QList<Conversation>& conversations)
{
    out.begin("ThreadGroup", "ThreadGroupGui", "ThreadGroup", group.name);
    out.text("ThreadGroup.on_sample_error", QStringLiteral("continue"));
    out.beginProp("elementProp", "ThreadGroup.main_controller", "LoopController");
    out.flag("LoopController.continue_forever", false);
    out.prop("intProp", QStringLiteral("LoopController.loops"), QStringLiteral("-1"));
    out.end();
    out.number("ThreadGroup.num_threads", group.threads);
    out.number("ThreadGroup.ramp_time", std::llround(group.rampSeconds));
    out.flag("ThreadGroup.scheduler", true);
    out.number("ThreadGroup.duration", std::max(1LL, std::llround(group.seconds)));
    out.number("ThreadGroup.delay", std::llround(group.start));
    out.end();
    out.openTree();
    writeTimer(out, group, scenario.think);
    writeScripts(out, conversations);
    out.end();
}

void writeDefaults(Writer& out, const Scenario& scenario, const QUrl& target)
{
    const auto timeout = std::llround(scenario.timeoutSeconds * 1000);
    out.begin(
        "ConfigTestElement", "HttpDefaultsGui", "ConfigTestElement", QStringLiteral("Target"));
    out.beginProp("elementProp", "HTTPsampler.Arguments", "Arguments");
    out.beginProp("collectionProp", "Arguments.arguments", "");
    out.end();
    out.end();
    out.text("HTTPSampler.domain", target.host());
    out.number(
        "HTTPSampler.port", target.port(target.scheme() == QLatin1StringView("https") ? 443 : 80));
    out.text("HTTPSampler.protocol", target.scheme());
    out.text("HTTPSampler.implementation", QStringLiteral("HttpClient4"));
    out.number("HTTPSampler.connect_timeout", timeout);
    out.number("HTTPSampler.response_timeout", timeout);
    out.end();
    out.emptyTree();
}

} // namespace

QList<JMeterGroup> jmeterGroups(const Scenario& scenario)
{
    const LoadProfile profile = scenario.profile();
    const bool open = scenario.model == LoadModel::Open;
    QList<JMeterGroup> groups;
    double begin = 0;
    int number = 0;
    const auto add = [&](double start, double seconds, double threads, double ramp, double rate) {
        if (threads >= 0.5 && seconds > 0) {
            groups << JMeterGroup{QStringLiteral("phase %1").arg(number), start, seconds,
                std::max(1, int(std::lround(threads))), ramp, rate};
        }
    };
    for (const LoadPhase& phase : scenario.phases) {
        ++number;
        const double from = profile.levelAt(begin);
        const bool level = phase.shape == RampShape::Step || from == phase.level;
        if (open) {
            const int pieces = level ? 1 : steps;
            for (int piece = 0; piece < pieces; ++piece) {
                const double length = phase.seconds / pieces;
                const double start = begin + length * piece;
                const double rate = level ? phase.level : profile.levelAt(start + length / 2);
                add(start, length, rate > 0 ? scenario.sessions : 0,
                    std::min(length, scenario.sessions / startsPerSecond), rate);
            }
        } else if (level) {
            add(begin, phase.seconds, phase.level,
                std::min(phase.seconds, phase.level / startsPerSecond), 0);
        } else if (from < phase.level) {
            add(begin, phase.seconds, from, std::min(phase.seconds, from / startsPerSecond), 0);
            add(begin, phase.seconds, phase.level - from, phase.seconds, 0);
        } else {
            add(begin, phase.seconds, phase.level,
                std::min(phase.seconds, phase.level / startsPerSecond), 0);
            for (int step = 1; step <= steps; ++step) {
                const double length = phase.seconds * step / steps;
                add(begin, length, (from - phase.level) / steps,
                    std::min(length, (from - phase.level) / steps / startsPerSecond), 0);
            }
        }
        begin += phase.seconds;
    }
    return groups;
}

Result<QByteArray> jmeterPlan(
    const Scenario& scenario, const QUrl& target, quint64 seed, int scripts)
{
    if (target.host().isEmpty()) {
        return inputError("a JMeter test plan needs a target like http://127.0.0.1:8080");
    }
    if (auto checked = scenario.check(); !checked) {
        return checked.error();
    }
    auto conversations = resolveConversations(scenario, seed);
    if (!conversations) {
        return conversations.error();
    }
    const qsizetype all = conversations->size();
    std::stable_sort(conversations->begin(), conversations->end(),
        [](const Conversation& one, const Conversation& other) {
            return one.weight > other.weight;
        });
    conversations->resize(std::min<qsizetype>(all, std::max(1, scripts)));

    QByteArray text;
    Writer out(&text);
    out.xml().writeStartElement(QStringLiteral("jmeterTestPlan"));
    out.xml().writeAttribute(QStringLiteral("version"), QStringLiteral("1.2"));
    out.xml().writeAttribute(QStringLiteral("properties"), QStringLiteral("2.8"));
    out.openTree();
    out.begin("TestPlan", "TestPlanGui", "TestPlan", scenario.name);
    out.text("TestPlan.comments",
        QStringLiteral("%1 Written by Sluice: %2 of the scenario's %3 scripts, all as likely. "
                       "JMeter has no open model, and its times count from the actual send.")
            .arg(scenario.description)
            .arg(conversations->size())
            .arg(all));
    out.flag("TestPlan.functional_mode", false);
    out.flag("TestPlan.serialize_threadgroups", false);
    out.beginProp("elementProp", "TestPlan.user_defined_variables", "Arguments");
    out.beginProp("collectionProp", "Arguments.arguments", "");
    out.beginProp("elementProp", "session_seed", "Argument");
    out.text("Argument.name", QStringLiteral("session_seed"));
    out.text("Argument.value", QStringLiteral("${__UUID()}"));
    out.text("Argument.metadata", QStringLiteral("="));
    out.end();
    out.end();
    out.end();
    out.end();
    out.openTree();
    writeDefaults(out, scenario, target);
    for (const JMeterGroup& group : jmeterGroups(scenario)) {
        writeGroup(out, group, scenario, *conversations);
    }
    out.end();
    out.end();
    out.end();
    out.xml().writeEndDocument();
    return text;
}

} // namespace sluice::ops

#include "engine/operations/rollout/plan.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QRegularExpression>
#include <QSet>
#include <QUrl>
#include <array>
#include <cmath>
#include <functional>
#include <utility>

namespace sluice::ops {

namespace {

constexpr std::array<std::pair<Measure, const char*>, 9> measures{
    {{Measure::ErrorRate, "error_rate"}, {Measure::ErrorEvidence, "error_evidence"},
        {Measure::ErrorProof, "error_proof"}, {Measure::LatencyRatio, "latency_ratio"},
        {Measure::LatencyEvidence, "latency_evidence"}, {Measure::Memory, "memory"},
        {Measure::Complaints, "complaints"}, {Measure::Split, "split"}, {Measure::Query, "query"}}};

constexpr std::array<std::pair<PlannedStage::Kind, const char*>, 3> kinds{
    {{PlannedStage::Kind::Deploy, "deploy"}, {PlannedStage::Kind::Staging, "staging"},
        {PlannedStage::Kind::Share, "share"}}};

const QStringList hookTimes{QStringLiteral("deploy"), QStringLiteral("staging"),
    QStringLiteral("rolled_back"), QStringLiteral("finished")};

/// Reads one object of a plan: the first thing that is wrong is kept, and what nobody asked for is
/// wrong as well.
class Reader
{
public:
    Reader(QJsonObject object, QString where, std::optional<Error>& wrong)
        : m_object(std::move(object))
        , m_where(std::move(where))
        , m_wrong(wrong)
    { }
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;
    ~Reader()
    {
        for (const QString& key : m_object.keys()) {
            if (!m_known.contains(key)) {
                say(key, QStringLiteral("is not known here"));
            }
        }
    }

    bool has(const char* key)
    {
        m_known << QString::fromLatin1(key);
        return m_object.contains(QLatin1StringView(key));
    }
    QString text(const char* key, const QString& otherwise = {})
    {
        return value(key, otherwise, QStringLiteral("is to be a text"), &QJsonValue::isString,
            [](const QJsonValue& found) { return found.toString(); });
    }
    bool flag(const char* key, bool otherwise)
    {
        return value(key, otherwise, QStringLiteral("is to be true or false"), &QJsonValue::isBool,
            [](const QJsonValue& found) { return found.toBool(); });
    }
    double number(const char* key, double otherwise, double least, double most)
    {
        const double found = value(key, otherwise, QStringLiteral("is to be a number"),
            &QJsonValue::isDouble, [](const QJsonValue& got) { return got.toDouble(); });
        if (found < least || found > most) {
            say(QString::fromLatin1(key),
                QStringLiteral("is to be between %1 and %2").arg(least).arg(most));
            return otherwise;
        }
        return found;
    }
    /// Written in seconds (minutes, hours: `unitMs`), held in milliseconds.
    qint64 duration(
        const char* key, qint64 otherwiseMs, double unitMs, double mostMs = 30.0 * 864e5)
    {
        return qint64(
            std::llround(number(key, double(otherwiseMs) / unitMs, 0, mostMs / unitMs) * unitMs));
    }
    QStringList texts(const char* key)
    {
        QStringList found;
        for (const auto& item : list(key)) {
            if (!item.isString()) {
                say(QString::fromLatin1(key), QStringLiteral("is to be a list of texts"));
                break;
            }
            found << item.toString();
        }
        return found;
    }
    template <typename Value, typename Table>
    Value oneOf(const char* key, const Table& table, Value otherwise)
    {
        const QString found = text(key);
        if (!has(key)) {
            return otherwise;
        }
        QStringList names;
        for (const auto& [one, name] : table) {
            if (found == QLatin1StringView(name)) {
                return one;
            }
            names << QString::fromLatin1(name);
        }
        say(QString::fromLatin1(key),
            QStringLiteral("is to be one of ") % names.join(QStringLiteral(", ")));
        return otherwise;
    }
    QDateTime time(const char* key)
    {
        const QDateTime found = QDateTime::fromString(text(key), Qt::ISODate);
        if (!found.isValid() || found.timeSpec() == Qt::LocalTime) {
            say(QString::fromLatin1(key),
                QStringLiteral("is to be a time with its zone, as 2026-12-24T00:00:00Z"));
        }
        return found.toUTC();
    }
    void object(const char* key, const std::function<void(Reader&)>& read)
    {
        if (!has(key)) {
            return;
        }
        const QJsonValue found = m_object[QLatin1StringView(key)];
        if (!found.isObject()) {
            say(QString::fromLatin1(key), QStringLiteral("is to be an object"));
            return;
        }
        Reader reader(found.toObject(), m_where % u'.' % QLatin1StringView(key), m_wrong);
        read(reader);
    }
    void objects(const char* key, const std::function<void(Reader&)>& read)
    {
        const QJsonArray items = list(key);
        for (qsizetype index = 0; index < items.size(); ++index) {
            const QString where =
                QStringLiteral("%1.%2[%3]").arg(m_where, QLatin1StringView(key)).arg(index);
            if (!items[index].isObject()) {
                say(QString::fromLatin1(key), QStringLiteral("is to be a list of objects"));
                return;
            }
            Reader reader(items[index].toObject(), where, m_wrong);
            read(reader);
        }
    }
    void say(const QString& key, const QString& what)
    {
        if (!m_wrong) {
            m_wrong = inputError(QString(m_where % u'.' % key % u' ' % what).toStdString());
        }
    }

private:
    QJsonArray list(const char* key)
    {
        return value(key, QJsonArray(), QStringLiteral("is to be a list"), &QJsonValue::isArray,
            [](const QJsonValue& found) { return found.toArray(); });
    }
    template <typename Value, typename Get>
    Value value(const char* key, const Value& otherwise, const QString& what,
        bool (QJsonValue::*is)() const, const Get& get)
    {
        if (!has(key)) {
            return otherwise;
        }
        const QJsonValue found = m_object[QLatin1StringView(key)];
        if (!(found.*is)()) {
            say(QString::fromLatin1(key), what);
            return otherwise;
        }
        return get(found);
    }

    QJsonObject m_object;
    QString m_where;
    QSet<QString> m_known;
    std::optional<Error>& m_wrong;
};

Release readRelease(Reader& from)
{
    Release release;
    release.id = from.text("id");
    if (release.id.isEmpty()) {
        from.say(QStringLiteral("id"), QStringLiteral("is missing: give the release a name"));
    }
    release.workerVersion = from.text("worker_version");
    release.modelHash = from.text("model_sha256");
    release.modelFile = from.text("model_file");
    static const QRegularExpression hash(QStringLiteral("^([0-9a-f]{64})?$"));
    if (!hash.match(release.modelHash).hasMatch()) {
        from.say(QStringLiteral("model_sha256"),
            QStringLiteral("is to be 64 hexadecimal digits in lower case"));
    }
    if (!release.modelFile.isEmpty() && release.modelHash.isEmpty()) {
        from.say(QStringLiteral("model_sha256"), QStringLiteral("is missing beside model_file"));
    }
    release.thresholdSet = qint64(from.number("threshold_set", -1, -1, 9e15));
    return release;
}

PlannedStage readStage(Reader& from)
{
    PlannedStage stage;
    stage.kind = from.oneOf("kind", kinds, PlannedStage::Kind::Share);
    if (stage.kind == PlannedStage::Kind::Share) {
        stage.shareBasisPoints = int(std::lround(from.number("share_percent", 0, 0.01, 100) * 100));
        stage.soakMs = from.duration("soak_minutes", 0, 60000);
        stage.gates = from.texts("gates");
        stage.automatic = from.flag("automatic", true);
        stage.promoters = from.texts("promoters");
    }
    stage.name = from.text("name");
    if (stage.name.isEmpty()) {
        from.say(QStringLiteral("name"), QStringLiteral("is missing"));
    }
    return stage;
}

PlannedGate readGate(Reader& from)
{
    constexpr std::array<std::pair<GateAction, const char*>, 4> actions{
        {{GateAction::Rollback, "rollback"}, {GateAction::Hold, "hold"}, {GateAction::Warn, "warn"},
            {GateAction::Record, "record"}}};
    PlannedGate gate;
    gate.name = from.text("name");
    gate.measure = from.oneOf("measure", measures, Measure::Query);
    gate.action = from.oneOf("action", actions, GateAction::Hold);
    gate.limit = from.number("limit", 0, 0, 1e12);
    gate.windowMs = from.duration("window_minutes", 300000, 60000);
    gate.atLeast = from.number("at_least", 0, 0, 1e12);
    gate.alpha = from.number("alpha", 0.001, 1e-9, 0.5);
    gate.query = from.text("query");
    if (gate.name.isEmpty() || (gate.measure == Measure::Query && gate.query.isEmpty())) {
        from.say(gate.name.isEmpty() ? QStringLiteral("name") : QStringLiteral("query"),
            QStringLiteral("is missing"));
    }
    return gate;
}

PlannedHook readHook(Reader& from)
{
    PlannedHook hook;
    hook.at = from.text("at");
    hook.command = from.texts("command");
    hook.url = from.text("url");
    hook.timeoutMs = from.duration("timeout_seconds", 60000, 1000);
    if (!hookTimes.contains(hook.at)) {
        from.say(QStringLiteral("at"),
            QStringLiteral("is to be one of ") % hookTimes.join(QStringLiteral(", ")));
    }
    if (hook.command.isEmpty() == hook.url.isEmpty()) {
        from.say(QStringLiteral("command"), QStringLiteral("or url is to be given, one of them"));
    }
    return hook;
}

PlannedSuite readSuite(Reader& from)
{
    PlannedSuite suite;
    suite.file = from.text("file");
    suite.timeoutMs = from.duration("timeout_seconds", 300000, 1000);
    return suite;
}

/// What is right in each part and wrong together.
std::optional<Error> wrongTogether(const RolloutPlan& plan, const QString& where)
{
    const auto wrong = [&](const QString& what) {
        return inputError(QString(where % what).toStdString());
    };
    int share = 0;
    bool staging = false;
    QSet<QString> names;
    for (const PlannedGate& gate : plan.triggers) {
        if (names.contains(gate.name)) {
            return wrong(QStringLiteral(": two triggers are called \"%1\"").arg(gate.name));
        }
        names << gate.name;
    }
    for (const PlannedStage& stage : plan.stages) {
        if (stage.kind == PlannedStage::Kind::Share) {
            if (stage.shareBasisPoints <= share) {
                return wrong(QStringLiteral(": stage \"%1\" does not raise the share; each stage "
                                            "takes more sessions than the one before")
                                 .arg(stage.name));
            }
            share = stage.shareBasisPoints;
        } else if (share > 0 || (staging && stage.kind == PlannedStage::Kind::Deploy)) {
            return wrong(QStringLiteral(": stage \"%1\" comes too late; the order is deploy, "
                                        "staging, then the shares")
                             .arg(stage.name));
        }
        staging = staging || stage.kind == PlannedStage::Kind::Staging;
        for (const QString& gate : stage.gates) {
            if (!names.contains(gate)) {
                return wrong(QStringLiteral(": stage \"%1\" names a gate \"%2\" that is no trigger")
                                 .arg(stage.name, gate));
            }
        }
    }
    if (share != 10000) {
        return wrong(QStringLiteral(": the last stage is to be 100 %"));
    }
    for (const FreezeWindow& freeze : plan.freezes) {
        if (freeze.to <= freeze.from) {
            return wrong(QStringLiteral(": a freeze ends before it begins"));
        }
    }
    return std::nullopt;
}

QJsonObject toJson(const PlannedStage& stage)
{
    QJsonObject object{{QStringLiteral("name"), stage.name}};
    for (const auto& [kind, name] : kinds) {
        if (kind == stage.kind) {
            object[QStringLiteral("kind")] = QString::fromLatin1(name);
        }
    }
    if (stage.kind == PlannedStage::Kind::Share) {
        object[QStringLiteral("share_percent")] = stage.shareBasisPoints / 100.0;
        object[QStringLiteral("soak_minutes")] = double(stage.soakMs) / 60000;
        object[QStringLiteral("gates")] = QJsonArray::fromStringList(stage.gates);
        object[QStringLiteral("automatic")] = stage.automatic;
        object[QStringLiteral("promoters")] = QJsonArray::fromStringList(stage.promoters);
    }
    return object;
}

QJsonObject toJson(const PlannedGate& gate)
{
    QJsonObject object{{QStringLiteral("name"), gate.name},
        {QStringLiteral("measure"), measureName(gate.measure)},
        {QStringLiteral("action"), actionName(gate.action)}, {QStringLiteral("limit"), gate.limit},
        {QStringLiteral("window_minutes"), double(gate.windowMs) / 60000},
        {QStringLiteral("at_least"), gate.atLeast}, {QStringLiteral("alpha"), gate.alpha}};
    if (!gate.query.isEmpty()) {
        object[QStringLiteral("query")] = gate.query;
    }
    return object;
}

QJsonObject toJson(const PlannedHook& hook)
{
    QJsonObject object{{QStringLiteral("at"), hook.at},
        {QStringLiteral("timeout_seconds"), double(hook.timeoutMs) / 1000}};
    if (hook.url.isEmpty()) {
        object[QStringLiteral("command")] = QJsonArray::fromStringList(hook.command);
    } else {
        object[QStringLiteral("url")] = hook.url;
    }
    return object;
}

QJsonObject toJson(const PlannedSuite& suite)
{
    return {{QStringLiteral("file"), suite.file},
        {QStringLiteral("timeout_seconds"), double(suite.timeoutMs) / 1000}};
}

QJsonObject toJson(const Release& release)
{
    return {{QStringLiteral("id"), release.id},
        {QStringLiteral("worker_version"), release.workerVersion},
        {QStringLiteral("model_sha256"), release.modelHash},
        {QStringLiteral("model_file"), release.modelFile},
        {QStringLiteral("threshold_set"), release.thresholdSet}};
}

template <typename List, typename Make> QJsonArray arrayOf(const List& list, const Make& make)
{
    QJsonArray array;
    for (const auto& item : list) {
        array << make(item);
    }
    return array;
}

} // namespace

QString measureName(Measure measure)
{
    for (const auto& [one, name] : measures) {
        if (one == measure) {
            return QString::fromLatin1(name);
        }
    }
    return {};
}

std::optional<Measure> measureFromName(const QString& wanted)
{
    for (const auto& [one, name] : measures) {
        if (wanted == QLatin1StringView(name)) {
            return one;
        }
    }
    return std::nullopt;
}

RolloutPlan RolloutPlan::standard(Release release)
{
    RolloutPlan plan;
    plan.release = std::move(release);
    const auto share = [](const char* name, int basisPoints, qint64 hours) {
        PlannedStage stage;
        stage.name = QString::fromLatin1(name);
        stage.shareBasisPoints = basisPoints;
        stage.soakMs = hours * 3600000;
        return stage;
    };
    PlannedStage deploy;
    deploy.name = QStringLiteral("deploy");
    deploy.kind = PlannedStage::Kind::Deploy;
    PlannedStage staging;
    staging.name = QStringLiteral("staging");
    staging.kind = PlannedStage::Kind::Staging;
    plan.stages = {deploy, staging, share("5 %", 500, 2), share("25 %", 2500, 2),
        share("50 %", 5000, 4), share("100 %", 10000, 0)};
    const auto gate = [](const char* name, Measure measure, GateAction action, double limit,
                          double atLeast = 0) {
        PlannedGate made;
        made.name = QString::fromLatin1(name);
        made.measure = measure;
        made.action = action;
        made.limit = limit;
        made.atLeast = atLeast;
        return made;
    };
    plan.triggers = {gate("errors", Measure::ErrorRate, GateAction::Rollback, 0.01, 200),
        gate("response time", Measure::LatencyRatio, GateAction::Rollback, 2, 200),
        gate("memory", Measure::Memory, GateAction::Rollback, 0.8),
        gate("complaints", Measure::Complaints, GateAction::Warn, 2, 10),
        gate("more errors", Measure::ErrorEvidence, GateAction::Rollback, 1),
        gate("slower", Measure::LatencyEvidence, GateAction::Rollback, 2),
        gate("no worse", Measure::ErrorProof, GateAction::Hold, 2),
        gate("split", Measure::Split, GateAction::Hold, 0.01)};
    return plan;
}

Result<RolloutPlan> RolloutPlan::fromJson(const QByteArray& text, const QString& where)
{
    QJsonParseError wrong;
    const QJsonDocument document = QJsonDocument::fromJson(text, &wrong);
    if (!document.isObject()) {
        return inputError(where.toStdString() + " is not a rollout plan in JSON",
            QString(
                wrong.errorString() % QStringLiteral(" at byte ") % QString::number(wrong.offset))
                .toStdString());
    }
    return fromJson(document.object(), where);
}

Result<RolloutPlan> RolloutPlan::fromJson(const QJsonObject& object, const QString& where)
{
    RolloutPlan plan;
    std::optional<Error> wrong;
    {
        Reader from(object, where, wrong);
        if (from.number("schema", 0, 0, 1e9) != schema) {
            from.say(QStringLiteral("schema"), QStringLiteral("is to be %1").arg(schema));
        }
        from.has("$schema");
        if (!from.has("release")) {
            from.say(QStringLiteral("release"), QStringLiteral("is missing"));
        }
        from.object("release", [&](Reader& part) { plan.release = readRelease(part); });
        from.objects("stages", [&](Reader& part) { plan.stages << readStage(part); });
        from.objects("triggers", [&](Reader& part) { plan.triggers << readGate(part); });
        from.object("smoke", [&](Reader& part) { plan.smoke = readSuite(part); });
        from.object("system", [&](Reader& part) { plan.system = readSuite(part); });
        from.objects("hooks", [&](Reader& part) { plan.hooks << readHook(part); });
        from.objects("freeze", [&](Reader& part) {
            plan.freezes << FreezeWindow{part.time("from"), part.time("to"), part.text("why")};
        });
        from.objects("checklist", [&](Reader& part) {
            plan.checklist << ChecklistItem{part.text("task"), part.text("check")};
        });
        from.objects("notifications", [&](Reader& part) {
            plan.notifications << WebhookTarget{part.text("url"), part.flag("slack", false)};
            if (!QUrl(plan.notifications.last().url).scheme().startsWith(QStringLiteral("http"))) {
                part.say(QStringLiteral("url"), QStringLiteral("is to be an http address"));
            }
        });
        plan.timeScale = from.number("time_scale", 1, 1e-6, 10);
        plan.leaseMs = from.duration("lease_seconds", 10000, 1000, 3600000);
        plan.warmMs = from.duration("warm_hours", 86400000, 3600000);
    }
    if (!wrong) {
        wrong = wrongTogether(plan, where);
    }
    if (!wrong && plan.leaseMs < 100) {
        wrong = inputError(where.toStdString() + ".lease_seconds is to be at least 0.1");
    }
    return wrong ? Result<RolloutPlan>(*wrong) : Result<RolloutPlan>(std::move(plan));
}

QJsonObject RolloutPlan::toJson() const
{
    QJsonObject object{{QStringLiteral("schema"), schema},
        {QStringLiteral("release"), ops::toJson(release)},
        {QStringLiteral("stages"),
            arrayOf(stages, [](const PlannedStage& stage) { return ops::toJson(stage); })},
        {QStringLiteral("triggers"),
            arrayOf(triggers, [](const PlannedGate& gate) { return ops::toJson(gate); })},
        {QStringLiteral("hooks"),
            arrayOf(hooks, [](const PlannedHook& hook) { return ops::toJson(hook); })},
        {QStringLiteral("freeze"),
            arrayOf(freezes,
                [](const FreezeWindow& freeze) {
                    return QJsonObject{{QStringLiteral("from"), freeze.from.toString(Qt::ISODate)},
                        {QStringLiteral("to"), freeze.to.toString(Qt::ISODate)},
                        {QStringLiteral("why"), freeze.why}};
                })},
        {QStringLiteral("checklist"),
            arrayOf(checklist,
                [](const ChecklistItem& item) {
                    return QJsonObject{
                        {QStringLiteral("task"), item.task}, {QStringLiteral("check"), item.check}};
                })},
        {QStringLiteral("notifications"),
            arrayOf(notifications,
                [](const WebhookTarget& target) {
                    return QJsonObject{{QStringLiteral("url"), target.url},
                        {QStringLiteral("slack"), target.slack}};
                })},
        {QStringLiteral("time_scale"), timeScale},
        {QStringLiteral("lease_seconds"), double(leaseMs) / 1000},
        {QStringLiteral("warm_hours"), double(warmMs) / 3600000}};
    if (!smoke.file.isEmpty()) {
        object[QStringLiteral("smoke")] = ops::toJson(smoke);
    }
    if (!system.file.isEmpty()) {
        object[QStringLiteral("system")] = ops::toJson(system);
    }
    return object;
}

const PlannedGate* RolloutPlan::gate(const QString& name) const
{
    for (const PlannedGate& one : triggers) {
        if (one.name == name) {
            return &one;
        }
    }
    return nullptr;
}

bool RolloutPlan::waitsFor(int stage, const QString& gate) const
{
    const QStringList named =
        stage >= 0 && stage < stages.size() ? stages[stage].gates : QStringList();
    return named.isEmpty() || named.contains(gate);
}

const FreezeWindow* RolloutPlan::freezeAt(qint64 ms) const
{
    for (const FreezeWindow& freeze : freezes) {
        if (freeze.from.toMSecsSinceEpoch() <= ms && ms < freeze.to.toMSecsSinceEpoch()) {
            return &freeze;
        }
    }
    return nullptr;
}

} // namespace sluice::ops

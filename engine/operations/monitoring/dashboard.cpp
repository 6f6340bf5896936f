#include "engine/operations/monitoring/dashboard.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QRegularExpression>
#include <algorithm>
#include <cmath>

namespace sluice::ops {

namespace {

using namespace Qt::StringLiterals;

constexpr int mostPanels = 200;

std::optional<DashboardPanel::Kind> kindOf(const QString& type)
{
    if (type == "timeseries"_L1 || type == "graph"_L1) {
        return DashboardPanel::Kind::TimeSeries;
    }
    if (type == "stat"_L1 || type == "singlestat"_L1) {
        return DashboardPanel::Kind::Stat;
    }
    if (type == "gauge"_L1) {
        return DashboardPanel::Kind::Gauge;
    }
    if (type == "table"_L1 || type == "table-old"_L1) {
        return DashboardPanel::Kind::Table;
    }
    return std::nullopt;
}

QString typeOf(DashboardPanel::Kind kind)
{
    switch (kind) {
    case DashboardPanel::Kind::Stat:
        return QStringLiteral("stat");
    case DashboardPanel::Kind::Gauge:
        return QStringLiteral("gauge");
    case DashboardPanel::Kind::Table:
        return QStringLiteral("table");
    case DashboardPanel::Kind::TimeSeries:
        break;
    }
    return QStringLiteral("timeseries");
}

std::optional<double> numberIn(const QJsonObject& object, QLatin1StringView key)
{
    const QJsonValue value = object.value(key);
    return value.isDouble() ? std::optional(value.toDouble()) : std::nullopt;
}

std::optional<double> firstThreshold(const QJsonObject& defaults)
{
    const QJsonArray steps = defaults.value("thresholds"_L1).toObject().value("steps"_L1).toArray();
    for (const auto& step : steps) {
        if (const auto value = numberIn(step.toObject(), "value"_L1)) {
            return value;
        }
    }
    return std::nullopt;
}

void addPanels(const QJsonArray& panels, int rowY, Dashboard& dashboard);

void addPanel(const QJsonObject& object, int rowY, Dashboard& dashboard)
{
    const QString type = object.value("type"_L1).toString();
    if (type == "row"_L1) {
        addPanels(object.value("panels"_L1).toArray(), rowY, dashboard);
        return;
    }
    DashboardPanel panel;
    panel.title = object.value("title"_L1).toString();
    const auto kind = kindOf(type);
    if (!kind) {
        dashboard.leftOut << QStringLiteral("panel \"%1\": a %2 is not shown here")
                                 .arg(panel.title, type.isEmpty() ? u"panel without type"_s : type);
        return;
    }
    panel.kind = *kind;
    const QJsonObject place = object.value("gridPos"_L1).toObject();
    panel.x = std::clamp(place.value("x"_L1).toInt(), 0, 23);
    panel.y = std::max(0, place.value("y"_L1).toInt(rowY));
    panel.width =
        std::clamp(place.value("w"_L1).toInt(object.value("span"_L1).toInt(6) * 2), 1, 24);
    panel.height = std::clamp(place.value("h"_L1).toInt(8), 1, 40);
    const QJsonObject defaults =
        object.value("fieldConfig"_L1).toObject().value("defaults"_L1).toObject();
    panel.unit = defaults.value("unit"_L1).toString(object.value("format"_L1).toString());
    panel.least = numberIn(defaults, "min"_L1);
    panel.most = numberIn(defaults, "max"_L1);
    panel.warnAt = firstThreshold(defaults);
    const QJsonArray targets = object.value("targets"_L1).toArray();
    for (const auto& entry : targets) {
        const QJsonObject target = entry.toObject();
        const QString expression = target.value("expr"_L1).toString().simplified();
        if (!expression.isEmpty() && !target.value("hide"_L1).toBool()) {
            panel.queries << DashboardQuery{expression, target.value("legendFormat"_L1).toString()};
        }
    }
    if (panel.queries.isEmpty()) {
        dashboard.leftOut
            << QStringLiteral("panel \"%1\": it has no PromQL query").arg(panel.title);
    } else if (dashboard.panels.size() < mostPanels) {
        dashboard.panels << panel;
    }
}

void addPanels(const QJsonArray& panels, int rowY, Dashboard& dashboard)
{
    for (const auto& panel : panels) {
        addPanel(panel.toObject(), rowY, dashboard);
    }
}

void addVariable(const QJsonObject& object, Dashboard& dashboard)
{
    const QString type = object.value("type"_L1).toString();
    DashboardVariable variable;
    variable.name = object.value("name"_L1).toString();
    if (variable.name.isEmpty() || type == "datasource"_L1) {
        return; // the environment's Prometheus it is
    }
    if (type == "query"_L1) {
        const QJsonValue query = object.value("query"_L1);
        const QString text =
            query.isObject() ? query.toObject().value("query"_L1).toString() : query.toString();
        static const QRegularExpression form(
            QStringLiteral("label_values\\((?:.*,)?\\s*([A-Za-z_][A-Za-z0-9_]*)\\s*\\)"));
        variable.label = form.match(text).captured(1);
    } else {
        variable.fixed = true;
        const QJsonValue value = object.value("current"_L1).toObject().value("value"_L1);
        variable.value = value.isString() ? value.toString() : object.value("query"_L1).toString();
    }
    dashboard.variables << variable;
}

QString interval(double seconds)
{
    return QString::number(qint64(std::ceil(std::max(0.001, seconds) * 1000))) + u"ms";
}

} // namespace

Result<Dashboard> parseGrafana(const QByteArray& json)
{
    QJsonParseError problem;
    const QJsonDocument document = QJsonDocument::fromJson(json, &problem);
    if (!document.isObject()) {
        return inputError("This is not JSON: " + problem.errorString().toStdString() + " at byte "
            + std::to_string(problem.offset)
            + ". Export the dashboard from Grafana (Share, Export, Save to file).");
    }
    QJsonObject root = document.object();
    if (root.value("dashboard"_L1).isObject()) { // as Grafana's HTTP API wraps it
        root = root.value("dashboard"_L1).toObject();
    }
    Dashboard dashboard;
    dashboard.title = root.value("title"_L1).toString();
    const QJsonArray variables = root.value("templating"_L1).toObject().value("list"_L1).toArray();
    for (const auto& variable : variables) {
        addVariable(variable.toObject(), dashboard);
    }
    addPanels(root.value("panels"_L1).toArray(), 0, dashboard);
    const QJsonArray rows = root.value("rows"_L1).toArray();
    for (int row = 0; row < rows.size(); ++row) {
        addPanels(rows[row].toObject().value("panels"_L1).toArray(), row * 8, dashboard);
    }
    if (dashboard.panels.isEmpty()) {
        return inputError("There is no panel in it that can be shown: time series, stat, gauge or "
                          "table with a PromQL query.",
            dashboard.leftOut.join(u"; ").toStdString());
    }
    std::stable_sort(dashboard.panels.begin(), dashboard.panels.end(),
        [](const DashboardPanel& a, const DashboardPanel& b) {
            return std::pair(a.y, a.x) < std::pair(b.y, b.x);
        });
    return dashboard;
}

QByteArray Dashboard::toGrafana() const
{
    QJsonArray list;
    list << QJsonObject{{"name"_L1, "DS_PROM"_L1}, {"label"_L1, "datasource"_L1},
        {"type"_L1, "datasource"_L1}, {"query"_L1, "prometheus"_L1}};
    for (const DashboardVariable& variable : variables) {
        if (variable.fixed) {
            list << QJsonObject{{"name"_L1, variable.name}, {"type"_L1, "constant"_L1},
                {"query"_L1, variable.value},
                {"current"_L1, QJsonObject{{"value"_L1, variable.value}}}};
        } else {
            list << QJsonObject{{"name"_L1, variable.name}, {"type"_L1, "query"_L1},
                {"query"_L1, QStringLiteral("label_values(%1)").arg(variable.label)},
                {"includeAll"_L1, true}, {"allValue"_L1, ".*"_L1}, {"refresh"_L1, 2}};
        }
    }
    const QJsonObject source{{"type"_L1, "prometheus"_L1}, {"uid"_L1, "${DS_PROM}"_L1}};
    QJsonArray all;
    for (const DashboardPanel& panel : panels) {
        QJsonArray targets;
        for (int index = 0; index < panel.queries.size(); ++index) {
            targets << QJsonObject{{"datasource"_L1, source},
                {"expr"_L1, panel.queries[index].expression},
                {"legendFormat"_L1, panel.queries[index].legend},
                {"refId"_L1, QString(QChar(u'A' + index % 26))}};
        }
        QJsonObject defaults{{"unit"_L1, panel.unit}};
        if (panel.least) {
            defaults["min"_L1] = *panel.least;
        }
        if (panel.most) {
            defaults["max"_L1] = *panel.most;
        }
        if (panel.warnAt) {
            defaults["thresholds"_L1] = QJsonObject{{"mode"_L1, "absolute"_L1},
                {"steps"_L1,
                    QJsonArray{
                        QJsonObject{{"color"_L1, "green"_L1}, {"value"_L1, QJsonValue::Null}},
                        QJsonObject{{"color"_L1, "red"_L1}, {"value"_L1, *panel.warnAt}}}}};
        }
        all << QJsonObject{{"id"_L1, int(all.size()) + 1}, {"type"_L1, typeOf(panel.kind)},
            {"title"_L1, panel.title}, {"datasource"_L1, source},
            {"gridPos"_L1,
                QJsonObject{{"x"_L1, panel.x}, {"y"_L1, panel.y}, {"w"_L1, panel.width},
                    {"h"_L1, panel.height}}},
            {"fieldConfig"_L1,
                QJsonObject{{"defaults"_L1, defaults}, {"overrides"_L1, QJsonArray()}}},
            {"options"_L1, QJsonObject()}, {"targets"_L1, targets}};
    }
    return QJsonDocument(
        QJsonObject{{"title"_L1, title}, {"schemaVersion"_L1, 39}, {"editable"_L1, true},
            {"time"_L1, QJsonObject{{"from"_L1, "now-1h"_L1}, {"to"_L1, "now"_L1}}},
            {"refresh"_L1, "10s"_L1}, {"templating"_L1, QJsonObject{{"list"_L1, list}}},
            {"panels"_L1, all}})
        .toJson();
}

QString expandQuery(const QString& expression, const QList<DashboardVariable>& variables,
    double rangeSeconds, double stepSeconds, double scrapeSeconds)
{
    QHash<QString, QString> values{
        {QStringLiteral("__interval"), interval(std::max(stepSeconds, scrapeSeconds))},
        {QStringLiteral("__interval_ms"), QString::number(qint64(stepSeconds * 1000))},
        {QStringLiteral("__rate_interval"),
            interval(std::max(stepSeconds + scrapeSeconds, 4 * scrapeSeconds))},
        {QStringLiteral("__range"), interval(rangeSeconds)},
        {QStringLiteral("__range_s"), QString::number(qint64(rangeSeconds))},
        {QStringLiteral("__range_ms"), QString::number(qint64(rangeSeconds * 1000))}};
    for (const DashboardVariable& variable : variables) {
        values.insert(variable.name, variable.value.isEmpty() ? u".*"_s : variable.value);
    }
    static const QRegularExpression use(
        QStringLiteral("\\$\\{(\\w+)(?::\\w+)?\\}|\\[\\[(\\w+)\\]\\]|\\$(\\w+)"));
    QString expanded;
    qsizetype from = 0;
    for (auto matches = use.globalMatch(expression); matches.hasNext();) {
        const QRegularExpressionMatch match = matches.next();
        const QString name = match.captured(1) + match.captured(2) + match.captured(3);
        expanded += expression.mid(from, match.capturedStart() - from);
        expanded += values.value(name, match.captured());
        from = match.capturedEnd();
    }
    return expanded + expression.mid(from);
}

QString legendOf(const QString& format, const Labels& labels)
{
    if (format.isEmpty() || format == "__auto"_L1) {
        QStringList words;
        for (auto label = labels.begin(); label != labels.end(); ++label) {
            if (label.key() != "__name__"_L1) {
                words << label.key() + u"=\"" + label.value() + u'"';
            }
        }
        const QString name = labels.value(QStringLiteral("__name__"));
        return words.isEmpty() && !name.isEmpty() ? name : name + u'{' + words.join(u", ") + u'}';
    }
    static const QRegularExpression use(QStringLiteral("\\{\\{\\s*(\\w+)\\s*\\}\\}"));
    QString legend;
    qsizetype from = 0;
    for (auto matches = use.globalMatch(format); matches.hasNext();) {
        const QRegularExpressionMatch match = matches.next();
        legend += format.mid(from, match.capturedStart() - from) + labels.value(match.captured(1));
        from = match.capturedEnd();
    }
    return legend + format.mid(from);
}

} // namespace sluice::ops

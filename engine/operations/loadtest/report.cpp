#include "engine/operations/loadtest/report.h"

#include <QJsonDocument>
#include <QLocale>
#include <algorithm>
#include <cmath>

namespace sluice::ops {

namespace {

constexpr int width = 900;
constexpr int height = 220;
constexpr int left = 64;
constexpr int right = 12;
constexpr int top = 24;
constexpr int bottom = 24;
constexpr int columns = 400; ///< that a line is reduced to

/// Okabe and Ito's colours, as the console draws its series.
constexpr const char* inks[] = {"#0072b2", "#009e73", "#e69f00", "#cc79a7", "#56b4e9", "#d55e00"};
constexpr const char* dashes[] = {"", "6 3", "2 2", "8 2 2 2", "1 3", "12 4"};

QString number(double value)
{
    const double size = std::abs(value);
    if (value == 0) {
        return QStringLiteral("0");
    }
    return QLocale::c().toString(value, 'f',
        size >= 100       ? 0
            : size >= 10  ? 1
            : size >= 0.1 ? 2
                          : 3);
}

QString count(qint64 value)
{
    QLocale locale(QLocale::English);
    return locale.toString(value);
}

QString clock(double seconds)
{
    const auto whole = std::llround(seconds);
    return whole >= 3600
        ? QStringLiteral("%1:%2 h").arg(whole / 3600).arg(whole / 60 % 60, 2, 10, QLatin1Char('0'))
        : QStringLiteral("%1:%2").arg(whole / 60).arg(whole % 60, 2, 10, QLatin1Char('0'));
}

/// 1, 2 or 5 times a power of ten.
double niceStep(double span, int most)
{
    const double raw = span / std::max(1, most);
    const double power = std::pow(10, std::floor(std::log10(raw)));
    const double share = raw / power;
    return power * (share <= 1 ? 1 : share <= 2 ? 2 : share <= 5 ? 5 : 10);
}

struct Line
{
    QString name;
    std::function<std::optional<double>(const LoadSecond&)> value;
};

/// A drawing of seconds from left to right.
class Plot
{
public:
    explicit Plot(const QList<LoadSecond>& seconds)
        : m_seconds(seconds)
        , m_end(seconds.last().second + 1)
    {
        m_svg = QStringLiteral(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %1 %2\" width=\"%1\" "
            "height=\"%2\" font-family=\"Inter, sans-serif\" font-size=\"11\">")
                    .arg(width)
                    .arg(height);
    }

    void axes(double most, const QString& unit)
    {
        m_most = most > 0 ? most * 1.05 : 1;
        const double step = niceStep(m_most, 4);
        for (double value = 0; value <= m_most; value += step) {
            const double y = yOf(value);
            m_svg += QStringLiteral("<line x1=\"%1\" x2=\"%2\" y1=\"%3\" y2=\"%3\" "
                                    "stroke=\"#d8dee6\"/><text x=\"%4\" y=\"%5\" "
                                    "text-anchor=\"end\" fill=\"#5c6876\">%6%7</text>")
                         .arg(left)
                         .arg(width - right)
                         .arg(y, 0, 'f', 1)
                         .arg(left - 6)
                         .arg(y + 4, 0, 'f', 1)
                         .arg(number(value), unit);
        }
        timeAxis();
    }

    void timeAxis()
    {
        double step = niceStep(m_end, 8);
        if (m_end > 120) {
            step = std::max(60.0, std::ceil(step / 60) * 60);
        }
        for (double at = 0; at <= m_end; at += std::max(1.0, step)) {
            m_svg += QStringLiteral("<text x=\"%1\" y=\"%2\" text-anchor=\"middle\" "
                                    "fill=\"#5c6876\">%3</text>")
                         .arg(xOf(at), 0, 'f', 1)
                         .arg(height - 6)
                         .arg(clock(at));
        }
    }

    /// Each column of the picture shows the largest value within it.
    void line(int index, const Line& what)
    {
        QString points;
        int last = -1;
        double most = 0;
        bool any = false;
        const auto put = [&](int column) {
            if (any) {
                points += QStringLiteral("%1,%2 ")
                              .arg(left + (column + 0.5) * plotWidth() / columnCount(), 0, 'f', 1)
                              .arg(yOf(most), 0, 'f', 1);
            }
        };
        for (const LoadSecond& second : m_seconds) {
            const int column = int((second.second + 0.5) / m_end * columnCount());
            if (column != last) {
                put(last);
                last = column;
                any = false;
            }
            if (const auto value = what.value(second)) {
                most = any ? std::max(most, *value) : *value;
                any = true;
            }
        }
        put(last);
        m_svg += QStringLiteral("<polyline fill=\"none\" stroke=\"%1\" stroke-width=\"1.5\" "
                                "stroke-dasharray=\"%2\" points=\"%3\"/>")
                     .arg(QString::fromLatin1(inks[index % 6]),
                         QString::fromLatin1(dashes[index % 6]), points.trimmed());
        const double x = left + m_legend;
        m_svg +=
            QStringLiteral("<line x1=\"%1\" x2=\"%2\" y1=\"11\" y2=\"11\" stroke=\"%3\" "
                           "stroke-width=\"2\" stroke-dasharray=\"%4\"/><text x=\"%5\" "
                           "y=\"15\" fill=\"#1b2129\">%6</text>")
                .arg(x)
                .arg(x + 18)
                .arg(QString::fromLatin1(inks[index % 6]), QString::fromLatin1(dashes[index % 6]))
                .arg(x + 23)
                .arg(what.name.toHtmlEscaped());
        m_legend += 40 + 7 * double(what.name.size());
    }

    void limit(double value, const QString& text)
    {
        if (value > m_most) {
            return;
        }
        m_svg += QStringLiteral("<line x1=\"%1\" x2=\"%2\" y1=\"%3\" y2=\"%3\" stroke=\"#c04a00\" "
                                "stroke-dasharray=\"4 3\"/><text x=\"%2\" y=\"%4\" "
                                "text-anchor=\"end\" fill=\"#c04a00\">%5</text>")
                     .arg(left)
                     .arg(width - right)
                     .arg(yOf(value), 0, 'f', 1)
                     .arg(yOf(value) - 4, 0, 'f', 1)
                     .arg(text.toHtmlEscaped());
    }

    void heat()
    {
        QMap<std::pair<int, int>, qint64> cells; // column, bucket
        int low = 1000;
        int high = 0;
        const int across = std::min(120, m_end);
        for (const LoadSecond& second : m_seconds) {
            for (const HeatCell& cell : second.heat) {
                const int column = std::min(across - 1, second.second * across / m_end);
                cells[{column, cell.bucket}] += cell.count;
                low = std::min(low, cell.bucket);
                high = std::max(high, cell.bucket);
            }
        }
        const qint64 most = cells.isEmpty() ? 0 : *std::max_element(cells.begin(), cells.end());
        const double band = double(height - top - bottom) / std::max(1, high - low + 1);
        const double step = plotWidth() / across;
        for (auto cell = cells.begin(); cell != cells.end(); ++cell) {
            m_svg +=
                QStringLiteral("<rect x=\"%1\" y=\"%2\" width=\"%3\" height=\"%4\" "
                               "fill=\"#0072b2\" fill-opacity=\"%5\"/>")
                    .arg(left + cell.key().first * step, 0, 'f', 1)
                    .arg(height - bottom - (cell.key().second - low + 1) * band, 0, 'f', 1)
                    .arg(step + 0.3, 0, 'f', 1)
                    .arg(band, 0, 'f', 1)
                    .arg(0.08 + 0.92 * std::sqrt(double(cell.value()) / double(most)), 0, 'f', 2);
        }
        const int every = std::max(1, int(std::ceil(14 / band)));
        for (int bucket = low; bucket <= high; bucket += every) {
            m_svg += QStringLiteral("<text x=\"%1\" y=\"%2\" text-anchor=\"end\" "
                                    "fill=\"#5c6876\">%3 ms</text>")
                         .arg(left - 6)
                         .arg(height - bottom - (bucket - low) * band, 0, 'f', 1)
                         .arg(number(heatEdgeMs(bucket)));
        }
        timeAxis();
    }

    QByteArray done() const { return QString(m_svg + QStringLiteral("</svg>")).toUtf8(); }

private:
    static double plotWidth() { return width - left - right; }
    int columnCount() const { return std::min(columns, m_end); }
    double xOf(double seconds) const { return left + seconds / m_end * plotWidth(); }
    double yOf(double value) const
    {
        return height - bottom - value / m_most * (height - top - bottom);
    }

    const QList<LoadSecond>& m_seconds;
    int m_end;
    double m_most = 1;
    double m_legend = 0;
    QString m_svg;
};

ReportChart lines(const LoadResult& result, const QString& title, const QString& hint,
    const QList<Line>& what, const QString& unit, double limit = 0, const QString& limitText = {})
{
    double most = 0;
    for (const Line& line : what) {
        for (const LoadSecond& second : result.seconds) {
            most = std::max(most, line.value(second).value_or(0));
        }
    }
    Plot plot(result.seconds);
    plot.axes(most, unit);
    int index = 0;
    for (const Line& line : what) {
        plot.line(index++, line);
    }
    if (limit > 0) {
        plot.limit(limit, limitText);
    }
    return {title, hint, plot.done()};
}

QString row(const QStringList& cells, bool head = false)
{
    const QString tag = head ? QStringLiteral("th") : QStringLiteral("td");
    QString text = QStringLiteral("<tr>");
    for (qsizetype at = 0; at < cells.size(); ++at) {
        text +=
            QStringLiteral("<%1 align=\"%2\">%3</%1>")
                .arg(tag, at == 0 ? QStringLiteral("left") : QStringLiteral("right"), cells[at]);
    }
    return text + QStringLiteral("</tr>\n");
}

QString table(const QString& rows)
{
    return QStringLiteral("<table cellspacing=\"0\" cellpadding=\"4\" width=\"100%\">\n") + rows
        + QStringLiteral("</table>\n");
}

QString checkTable(const LoadResult& result)
{
    QString rows =
        row({QStringLiteral("target"), QStringLiteral("value"), QStringLiteral("95 % interval"),
                QStringLiteral("limit"), QStringLiteral("margin"), QStringLiteral("verdict")},
            true);
    for (const LoadCheck& check : result.checks) {
        const double factor = check.unit == QLatin1StringView("share") ? 100 : 1;
        const bool judged = check.state == CheckState::Passed || check.state == CheckState::Failed;
        const bool latency = check.unit == QLatin1StringView("ms");
        const QString word = check.state == CheckState::Passed
            ? QStringLiteral("<span class=\"ok\">✓ pass</span>")
            : check.state == CheckState::Failed
            ? QStringLiteral("<span class=\"bad\">✕ fail</span>")
            : check.state == CheckState::NoData ? QStringLiteral("△ no data")
                                                : QStringLiteral("○ not measured");
        rows += row({check.name.toHtmlEscaped()
                + (latency && !result.latencyCorrected ? QStringLiteral(" (uncorrected)")
                                                       : QString()),
            check.value.toHtmlEscaped(),
            check.low && check.high
                ? QStringLiteral("%1 to %2")
                      .arg(number(*check.low * factor), number(*check.high * factor))
                : QStringLiteral("–"),
            (check.atLeast ? QStringLiteral("≥ ") : QStringLiteral("&lt; "))
                + check.limit.toHtmlEscaped(),
            judged ? QStringLiteral("%1 %").arg(check.margin() * 100, 0, 'f', 0)
                   : QStringLiteral("–"),
            word});
    }
    return table(rows);
}

QString errorTable(const LoadResult& result)
{
    if (result.errors.isEmpty()) {
        return QStringLiteral("<p>None.</p>\n");
    }
    QStringList kinds = result.errors.keys();
    std::sort(kinds.begin(), kinds.end(), [&](const QString& one, const QString& other) {
        return result.errors[one] > result.errors[other];
    });
    QString rows = row({QStringLiteral("kind"), QStringLiteral("count"),
                           QStringLiteral("of all requests"), QStringLiteral("one of them")},
        true);
    for (const QString& kind : std::as_const(kinds)) {
        const auto sample = std::find_if(result.errorSamples.begin(), result.errorSamples.end(),
            [&](const ErrorSample& one) { return one.kind == kind; });
        rows += row({kind.toHtmlEscaped(), count(result.errors[kind]),
            QStringLiteral("%1 %").arg(result.scheduled > 0
                    ? number(100.0 * double(result.errors[kind]) / double(result.scheduled))
                    : QStringLiteral("–")),
            sample == result.errorSamples.end()
                ? QStringLiteral("–")
                : QStringLiteral("second %1: %2")
                      .arg(sample->second, 0, 'f', 0)
                      .arg(sample->detail.left(160).toHtmlEscaped())});
    }
    return table(rows);
}

QString figureTable(const LoadResult& result)
{
    const auto ms = [](double value) { return QString(number(value) + QStringLiteral(" ms")); };
    QString rows;
    rows += row({QStringLiteral("scheduled, sent, answered well"),
        QStringLiteral("%1, %2, %3")
            .arg(count(result.scheduled), count(result.sent), count(result.succeeded))});
    rows += row({QStringLiteral("answered a second"), number(result.achievedRate)});
    rows += row({QStringLiteral("p50, p95, p99, longest"),
        QStringList{ms(result.p50Ms), ms(result.p95Ms), ms(result.p99Ms), ms(result.maxMs)}.join(
            QStringLiteral(", "))});
    rows += row({QStringLiteral("p95, p99 from the actual send"),
        ms(result.uncorrectedP95Ms) + QStringLiteral(", ") + ms(result.uncorrectedP99Ms)});
    rows += row({QStringLiteral("generator's own start lag, p99"),
        result.latencyCorrected ? ms(result.startLagP99Ms) : QStringLiteral("not known")});
    rows += row({QStringLiteral("generator's processor, mean"),
        QStringLiteral("%1 cores").arg(number(result.generatorCpu))});
    return table(rows);
}

QString environmentTable(const LoadResult& result)
{
    QString rows;
    const auto add = [&](const QString& name, const QString& value) {
        if (!value.isEmpty()) {
            rows += row({name, value.toHtmlEscaped()});
        }
    };
    add(QStringLiteral("target"), result.target.toString());
    add(QStringLiteral("environment"), result.environment);
    add(QStringLiteral("generator"), result.generator);
    add(QStringLiteral("started"), result.startedAt.toString(Qt::ISODate));
    add(QStringLiteral("ended"), result.endedAt.toString(Qt::ISODate));
    add(QStringLiteral("seed"), QString::number(result.seed));
    add(QStringLiteral("run"), result.id);
    for (auto version = result.versions.begin(); version != result.versions.end(); ++version) {
        add(version.key(), version.value().toVariant().toString());
    }
    return table(rows);
}

QString section(const QString& title, const QString& text)
{
    return QStringLiteral("<h2>%1</h2>\n%2").arg(title, text);
}

} // namespace

QList<ReportChart> reportCharts(const LoadResult& result)
{
    QList<ReportChart> charts;
    if (result.seconds.isEmpty()) {
        return charts;
    }
    using Value = std::optional<double>;
    charts << lines(result, QStringLiteral("Requests a second"),
        QStringLiteral("answered and planned"),
        {{QStringLiteral("answered"), [](const LoadSecond& s) -> Value { return s.completed; }},
            {QStringLiteral("planned"),
                [](const LoadSecond& s) -> Value {
                    return s.plannedRate > 0 ? s.plannedRate : s.scheduled;
                }}},
        {});
    charts << lines(result, QStringLiteral("Users"), QStringLiteral("and requests in flight"),
        {{QStringLiteral("users"), [](const LoadSecond& s) -> Value { return s.users; }},
            {QStringLiteral("in flight"), [](const LoadSecond& s) -> Value { return s.inFlight; }}},
        {});
    charts << lines(result, QStringLiteral("Response time"),
        result.latencyCorrected ? QStringLiteral("from the intended start")
                                : QStringLiteral("from the actual send: uncorrected"),
        {{QStringLiteral("p50"), [](const LoadSecond& s) -> Value { return s.p50Ms; }},
            {QStringLiteral("p95"), [](const LoadSecond& s) -> Value { return s.p95Ms; }},
            {QStringLiteral("p99"), [](const LoadSecond& s) -> Value { return s.p99Ms; }}},
        QStringLiteral(" ms"), result.scenario.targets.p95Ms,
        QStringLiteral("p95 fails at %1 ms").arg(result.scenario.targets.p95Ms));
    {
        Plot plot(result.seconds);
        plot.heat();
        charts << ReportChart{QStringLiteral("Answers by response time"),
            QStringLiteral("the darker, the more"), plot.done()};
    }
    if (!result.errors.isEmpty()) {
        QStringList kinds = result.errors.keys();
        kinds.sort();
        QList<Line> all;
        for (const QString& kind : kinds.mid(0, 6)) {
            all << Line{kind, [kind](const LoadSecond& s) -> Value {
                            return double(s.errorsByKind.value(kind));
                        }};
        }
        charts << lines(
            result, QStringLiteral("Errors a second"), QStringLiteral("by kind"), all, {});
    }
    const bool served = std::any_of(result.seconds.begin(), result.seconds.end(),
        [](const LoadSecond& s) { return s.server.workerCpuShare || s.server.workerMiB; });
    if (served) {
        charts << lines(result, QStringLiteral("The service's processor and cache"),
            QStringLiteral("busiest worker's share of a core; share of queries from the cache"),
            {{QStringLiteral("processor"),
                 [](const LoadSecond& s) -> Value {
                     return s.server.workerCpuShare ? Value(*s.server.workerCpuShare * 100)
                                                    : Value();
                 }},
                {QStringLiteral("cache hits"),
                    [](const LoadSecond& s) -> Value {
                        return s.server.cacheHitShare ? Value(*s.server.cacheHitShare * 100)
                                                      : Value();
                    }}},
            QStringLiteral(" %"));
        charts << lines(result, QStringLiteral("The service's memory"),
            QStringLiteral("largest worker, resident"),
            {{QStringLiteral("memory"),
                [](const LoadSecond& s) -> Value { return s.server.workerMiB; }}},
            QStringLiteral(" MiB"));
    }
    return charts;
}

QString reportHtml(const LoadResult& result,
    const std::function<QString(int index, const ReportChart& chart)>& picture)
{
    const QString verdict = result.verdict();
    const bool good = verdict == QLatin1StringView("passed");
    const bool bad = verdict == QLatin1StringView("failed");
    QString body = QStringLiteral("<h1>Load run: %1</h1>\n<p class=\"%2\"><b>%3 %4</b></p>\n")
                       .arg(result.scenario.name.toHtmlEscaped(),
                           good      ? QStringLiteral("ok")
                               : bad ? QStringLiteral("bad")
                                     : QStringLiteral("warn"),
                           good      ? QStringLiteral("✓")
                               : bad ? QStringLiteral("✕")
                                     : QStringLiteral("△"),
                           verdict);
    if (!result.scenario.description.isEmpty()) {
        body += QStringLiteral("<p>%1</p>\n").arg(result.scenario.description.toHtmlEscaped());
    }
    if (result.scenario.timeScale != 1) {
        body += QStringLiteral("<p class=\"warn\">Its phases lasted %1 times as long as the "
                               "scenario says.</p>\n")
                    .arg(result.scenario.timeScale);
    }
    if (result.generatorLimited) {
        body += QStringLiteral("<p class=\"warn\">The generator, not the service, was the limit: "
                               "no verdict.</p>\n");
    }
    QString notes;
    for (const QString& note : result.notes) {
        notes += QStringLiteral("<li>%1</li>\n").arg(note.toHtmlEscaped());
    }
    body += section(QStringLiteral("Targets"), checkTable(result));
    if (!notes.isEmpty()) {
        body += section(QStringLiteral("Notes"), QStringLiteral("<ul>\n%1</ul>\n").arg(notes));
    }
    QString pictures;
    int index = 0;
    for (const ReportChart& chart : reportCharts(result)) {
        pictures += QStringLiteral("<h3>%1</h3><p class=\"hint\">%2</p>\n%3\n")
                        .arg(chart.title, chart.hint,
                            picture ? picture(index, chart) : QString::fromUtf8(chart.svg));
        ++index;
    }
    if (!pictures.isEmpty()) {
        body += section(QStringLiteral("Over time"), pictures);
    }
    body += section(QStringLiteral("Errors"), errorTable(result));
    body += section(QStringLiteral("Figures"), figureTable(result));
    body += section(QStringLiteral("Environment"), environmentTable(result));
    body += section(QStringLiteral("Scenario"),
        QStringLiteral("<pre>%1</pre>\n")
            .arg(QString::fromUtf8(QJsonDocument(result.scenario.toJson()).toJson())
                     .toHtmlEscaped()));
    return QStringLiteral(
               "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">"
               "<title>Load run: %1</title>\n<style>\n"
               "body { font-family: Inter, sans-serif; font-size: 13px; color: #1b2129; "
               "max-width: 920px; margin: 24px auto; }\n"
               "h1 { font-size: 22px; } h2 { font-size: 15px; margin-top: 24px; } "
               "h3 { font-size: 13px; margin-bottom: 0; }\n"
               "th { color: #5c6876; font-weight: 600; border-bottom: 1px solid #d8dee6; } "
               "td { border-bottom: 1px solid #d8dee6; }\n"
               ".hint { color: #5c6876; margin: 0 0 4px 0; } .ok { color: #00805c; } "
               ".bad { color: #c04a00; } .warn { color: #b26b00; }\n"
               "svg { max-width: 100%; height: auto; } pre { font-size: 11px; }\n"
               "</style></head>\n<body>\n")
               .arg(result.scenario.name.toHtmlEscaped())
        + body + QStringLiteral("</body></html>\n");
}

} // namespace sluice::ops

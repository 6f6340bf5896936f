#include "ui/monitor/alertspage.h"

#include "ui/shell/button.h"
#include "ui/shell/card.h"
#include "ui/shell/plaintable.h"
#include "ui/shell/stateview.h"
#include "ui/shell/text.h"

#include <QComboBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLineEdit>
#include <QTableWidget>
#include <QVBoxLayout>
#include <algorithm>

namespace sluice::ui {

namespace {

const QString kind = QStringLiteral("acknowledge");
constexpr int pastPoints = 500;

enum Column
{
    State,
    Name,
    Severity,
    Since,
    Summary,
    ColumnCount
};

/// Firing first, then what waits, then the rest.
int rank(const ops::AlertRule& rule, const std::optional<ops::ActiveAlert>& alert)
{
    if (!rule.error.isEmpty()) {
        return 0;
    }
    return alert ? (alert->firing ? 0 : 1) : 2;
}

QDateTime utc(double seconds)
{
    return QDateTime::fromMSecsSinceEpoch(qint64(seconds * 1000), Qt::UTC);
}

} // namespace

AlertsPage::AlertsPage(Console* console, ChartGroup* group, QWidget* parent)
    : MonitorPage(console, group, parent)
    , m_state(new StateView(this))
    , m_rules(new QTableWidget(0, ColumnCount, this))
    , m_past(new QTableWidget(0, 4, this))
    , m_nothingPast(new Text(FontRole::Base, Ink::Faint, tr("Nothing fired in this time."), this))
    , m_title(new Text(FontRole::Title, Ink::Text, {}, this))
    , m_detail(new Text(FontRole::Base, Ink::Muted, {}, this))
    , m_note(new QLineEdit(this))
    , m_acknowledge(new Button(tr("Acknowledge"), ButtonRole::Primary, this))
    , m_hours(new QComboBox(this))
    , m_silence(new Button(tr("Silence"), ButtonRole::Plain, this))
    , m_alertmanager(new ops::Alertmanager(this))
{
    auto* page = new QWidget(this);
    auto* columns = new QHBoxLayout(page);
    columns->setContentsMargins(0, 0, 0, 0);
    columns->setSpacing(12);
    auto* left = new QVBoxLayout;
    left->setSpacing(12);
    left->addWidget(makeRules(), 3);
    auto* past = new Card(tr("What fired"), tr("in the time that the charts show"), page);
    plainTable(m_past, tr("What fired"));
    m_past->setHorizontalHeaderLabels({tr("from"), tr("to"), tr("for"), tr("alert")});
    m_past->horizontalHeader()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    m_past->horizontalHeader()->setStretchLastSection(true);
    past->content()->addWidget(m_past, 1);
    past->content()->addWidget(m_nothingPast, 0, Qt::AlignTop);
    past->content()->addStretch();
    left->addWidget(past, 2);
    columns->addLayout(left, 3);
    columns->addWidget(makeDetail(), 2);
    m_state->setDataWidget(page);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_state);
    m_state->showLoading(tr("Asking Prometheus for its rules"), false);
}

QWidget* AlertsPage::makeRules()
{
    auto* card = new Card(tr("Rules"), tr("as Prometheus evaluates them"), this);
    plainTable(m_rules, tr("Alerting rules"));
    m_rules->setSelectionMode(QAbstractItemView::SingleSelection);
    m_rules->setHorizontalHeaderLabels(
        {tr("state"), tr("rule"), tr("severity"), tr("since"), tr("says")});
    m_rules->horizontalHeader()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    m_rules->horizontalHeader()->setSectionResizeMode(QHeaderView::ResizeToContents);
    m_rules->horizontalHeader()->setSectionResizeMode(Summary, QHeaderView::Stretch);
    card->content()->addWidget(m_rules, 1);
    connect(m_rules, &QTableWidget::currentCellChanged, this, [this](int row) {
        if (!m_filling && row >= 0 && row < m_rows.size()) {
            const Row& chosen = m_rows[row];
            m_inHand = chosen.alert ? ops::alertKey(chosen.alert->labels) : chosen.rule.name;
            showDetail();
        }
    });
    return card;
}

QWidget* AlertsPage::makeDetail()
{
    auto* card = new Card(tr("In hand"), {}, this);
    m_title->setWordWrap(true);
    m_detail->setWordWrap(true);
    m_detail->setTextFormat(Qt::PlainText);
    m_detail->setTextInteractionFlags(Qt::TextSelectableByMouse | Qt::TextSelectableByKeyboard);
    m_note->setPlaceholderText(tr("What is being done about it"));
    m_note->setAccessibleName(tr("Note of the acknowledgement"));
    card->content()->addWidget(m_title);
    card->content()->addWidget(m_detail);
    card->content()->addStretch(1);
    card->content()->addWidget(m_note);
    m_hours->setAccessibleName(tr("How long to be silent"));
    for (const auto& [minutes, name] : {std::pair(60, tr("1 hour")), std::pair(240, tr("4 hours")),
             std::pair(1440, tr("1 day"))}) {
        m_hours->addItem(name, minutes);
    }
    auto* buttons = new QHBoxLayout;
    buttons->addWidget(m_silence);
    buttons->addWidget(m_hours);
    buttons->addStretch();
    buttons->addWidget(m_acknowledge);
    card->content()->addLayout(buttons);
    connect(m_silence, &Button::clicked, this,
        [this] { silence(m_note->text().trimmed(), m_hours->currentData().toInt()); });
    const auto run = [this] { acknowledge(m_note->text().trimmed()); };
    connect(m_acknowledge, &Button::clicked, this, run);
    connect(m_note, &QLineEdit::returnPressed, this, run);
    return card;
}

void AlertsPage::tick(const Moment& moment)
{
    MonitorPage::tick(moment);
    if (moment.round % 5 != 0 || console()->environment().prometheus.isEmpty()) {
        return;
    }
    askAlertmanager();
    const double step =
        std::max(5.0, ops::PrometheusClient::stepFor(moment.end - moment.start, pastPoints));
    console()->prometheus()->queryRange(QStringLiteral("ALERTS{alertstate=\"firing\"}"),
        moment.start, moment.end, step, this,
        [this, end = moment.end](const Result<ops::RangeAnswer>& answer) {
            if (answer) {
                showPast(*answer, end);
            }
        });
}

std::optional<ops::HistoryEntry> AlertsPage::acknowledgement(const ops::ActiveAlert& alert) const
{
    const QString key = ops::alertKey(alert.labels);
    for (const ops::HistoryEntry& entry : m_acknowledged) {
        if (entry.subject == key && entry.at >= alert.since
            && entry.environment == console()->environment().name) {
            return entry;
        }
    }
    return std::nullopt;
}

void AlertsPage::showRules(const Result<QList<ops::AlertRule>>& rules)
{
    if (!rules) {
        if (m_state->state() != StateView::State::Data) {
            m_state->showError(tr("Prometheus' rules can't be read"), rules.error());
        }
        return;
    }
    if (rules->isEmpty()) {
        m_state->showEmpty(tr("Prometheus has no alerting rules"),
            tr("Ours are in packaging/prometheus/sluice.rules.yml: the owners' targets, the error "
               "budget, parts that are down, the fallback share. Name the file under rule_files in "
               "prometheus.yml and reload Prometheus."));
        return;
    }
    const auto acknowledged = console()->history()->entries({{}, kind, 500});
    m_acknowledged = acknowledged ? *acknowledged : QList<ops::HistoryEntry>();
    m_rows.clear();
    for (const ops::AlertRule& rule : *rules) {
        for (const ops::ActiveAlert& alert : rule.alerts) {
            m_rows << Row{rule, alert};
        }
        if (rule.alerts.isEmpty()) {
            m_rows << Row{rule, std::nullopt};
        }
    }
    std::stable_sort(m_rows.begin(), m_rows.end(),
        [](const Row& a, const Row& b) { return rank(a.rule, a.alert) < rank(b.rule, b.alert); });
    const QDateTime now = QDateTime::currentDateTimeUtc();
    int unseen = 0;
    int inHandRow = 0; // what nobody chose is the worst
    m_filling = true;
    m_rules->setRowCount(int(m_rows.size()));
    for (int row = 0; row < m_rows.size(); ++row) {
        const Row& shown = m_rows[row];
        const bool firing = shown.alert && shown.alert->firing;
        const bool seen = firing && acknowledgement(*shown.alert).has_value();
        unseen += firing && !seen ? 1 : 0;
        const bool silent = firing && silenceOf(*shown.alert) != nullptr;
        const Tone tone = !shown.rule.error.isEmpty() ? Tone::Warn
            : seen                                    ? Tone::Warn
            : firing                                  ? Tone::Bad
            : shown.alert                             ? Tone::Warn
                                                      : Tone::Ok;
        const QString word = !shown.rule.error.isEmpty() ? tr("broken")
            : silent                                     ? tr("silent")
            : seen                                       ? tr("seen")
            : firing                                     ? tr("fires")
            : shown.alert                                ? tr("waits")
                                                         : tr("at rest");
        const QString texts[ColumnCount] = {QString(Theme::glyph(tone) % u' ' % word),
            shown.rule.name, shown.rule.severity,
            shown.alert ? format::when(shown.alert->since, now) : QString(),
            shown.alert ? shown.alert->summary : shown.rule.error};
        for (int column = 0; column < ColumnCount; ++column) {
            auto* item = new QTableWidgetItem(texts[column]);
            item->setToolTip(column == Name ? shown.rule.expression : texts[column]);
            if (column == State) {
                item->setForeground(theme().color(tone));
            }
            m_rules->setItem(row, column, item);
        }
        const QString key = shown.alert ? ops::alertKey(shown.alert->labels) : shown.rule.name;
        inHandRow = key == m_inHand ? row : inHandRow;
    }
    m_rules->setCurrentCell(inHandRow, 0);
    m_filling = false;
    m_state->showData();
    showDetail();
    if (unseen != m_unseen) {
        m_unseen = unseen;
        Q_EMIT unseenChanged(unseen);
    }
}

const AlertsPage::Row* AlertsPage::inHand() const
{
    const int row = m_rules->currentRow();
    return row >= 0 && row < m_rows.size() ? &m_rows[row] : nullptr;
}

void AlertsPage::showDetail()
{
    const Row* row = inHand();
    const bool firing = row != nullptr && row->alert && row->alert->firing;
    const auto seen = firing ? acknowledgement(*row->alert) : std::nullopt;
    const ops::Silence* silent = firing ? silenceOf(*row->alert) : nullptr;
    const bool canSilence = firing && !m_alertmanagerUrl.isEmpty();
    m_silence->setVisible(canSilence);
    m_silence->setText(silent != nullptr ? tr("End the silence") : tr("Silence"));
    m_silence->setToolTip(tr("At Alertmanager %1").arg(m_alertmanagerUrl.toString()));
    m_silence->setEnabled(!console()->environment().readOnly);
    m_hours->setVisible(canSilence && silent == nullptr);
    m_note->setVisible(firing && (!seen || canSilence));
    m_acknowledge->setVisible(firing && !seen);
    if (row == nullptr) {
        m_title->setText(tr("No rule is chosen"));
        m_detail->clear();
        return;
    }
    m_title->setText(row->rule.name);
    QStringList lines;
    if (row->alert) {
        lines << row->alert->summary
              << tr("%1 since %2, value %3")
                     .arg(row->alert->firing ? tr("Fires") : tr("Waits"),
                         format::when(row->alert->since, QDateTime::currentDateTimeUtc()),
                         format::number(row->alert->value));
        for (auto label = row->alert->labels.begin(); label != row->alert->labels.end(); ++label) {
            lines << QString(label.key() % QStringLiteral(" = ") % label.value());
        }
    } else {
        lines << tr("At rest.");
    }
    if (seen) {
        lines << tr("Acknowledged by %1, %2: %3")
                     .arg(seen->actor, format::when(seen->at, QDateTime::currentDateTimeUtc()),
                         seen->outcome);
    }
    if (silent != nullptr) {
        lines << tr("Silenced until %1 by %2: %3")
                     .arg(format::when(silent->until, QDateTime::currentDateTimeUtc()), silent->by,
                         silent->comment);
    }
    if (!row->rule.error.isEmpty()) {
        lines << tr("It can't be evaluated: %1").arg(row->rule.error);
    }
    lines << QString() << row->rule.expression
          << (row->rule.forSeconds > 0
                     ? tr("must hold for %1; group %2")
                           .arg(format::duration(row->rule.forSeconds), row->rule.group)
                     : tr("at once; group %1").arg(row->rule.group));
    m_detail->setText(lines.join(u'\n'));
}

void AlertsPage::acknowledge(const QString& note)
{
    const Row* row = inHand();
    if (row == nullptr || !row->alert || !row->alert->firing) {
        return;
    }
    ops::HistoryEntry entry;
    entry.kind = kind;
    entry.subject = ops::alertKey(row->alert->labels);
    entry.outcome = note.isEmpty() ? tr("seen") : note;
    entry.details = {{QStringLiteral("summary"), row->alert->summary}};
    console()->record(entry);
    m_note->clear();
    QList<ops::AlertRule> rules;
    for (const Row& one : std::as_const(m_rows)) {
        if (rules.isEmpty() || rules.last().name != one.rule.name) {
            rules << one.rule;
        }
    }
    showRules(rules);
}

const ops::Silence* AlertsPage::silenceOf(const ops::ActiveAlert& alert) const
{
    const auto found = std::find_if(m_silences.begin(), m_silences.end(),
        [&](const ops::Silence& silence) { return silence.covers(alert.labels); });
    return found == m_silences.end() ? nullptr : &*found;
}

void AlertsPage::askAlertmanager()
{
    const QUrl prometheus = console()->environment().prometheus;
    m_alertmanager->discover(prometheus, this, [this, prometheus](const Result<QUrl>& url) {
        if (prometheus != console()->environment().prometheus) {
            return; // another environment by now
        }
        m_alertmanagerUrl = url ? *url : QUrl();
        if (!url) {
            m_silences.clear();
            showDetail();
            return;
        }
        m_alertmanager->silences(*url, this, [this](const Result<QList<ops::Silence>>& silences) {
            m_silences = silences ? *silences : QList<ops::Silence>();
            showDetail();
        });
    });
}

void AlertsPage::silence(const QString& note, int minutes)
{
    const Row* row = inHand();
    if (row == nullptr || !row->alert || m_alertmanagerUrl.isEmpty()) {
        return;
    }
    const QString key = ops::alertKey(row->alert->labels);
    if (const ops::Silence* silent = silenceOf(*row->alert)) {
        m_alertmanager->end(m_alertmanagerUrl, silent->id, this,
            [this, key](const Result<QString>& done) { onSilenced(key, tr("ended"), done); });
        return;
    }
    m_alertmanager->silence(m_alertmanagerUrl, row->alert->labels, console()->user(),
        note.isEmpty() ? tr("silenced in the console") : note, minutes, this,
        [this, key, minutes](const Result<QString>& done) {
            onSilenced(key, tr("for %1").arg(format::duration(minutes * 60.0)), done);
        });
}

void AlertsPage::onSilenced(
    const QString& subject, const QString& outcome, const Result<QString>& done)
{
    ops::HistoryEntry entry;
    entry.kind = QStringLiteral("silence");
    entry.subject = subject;
    entry.outcome = done ? outcome : QStringLiteral("refused");
    if (done) {
        entry.details = {{QStringLiteral("silence"), *done}};
        m_note->clear();
    } else {
        console()->notify(
            Tone::Bad, QString::fromStdString(done.error().text()), QStringLiteral("monitor"));
    }
    console()->record(entry);
    askAlertmanager();
}

void AlertsPage::showPast(const ops::RangeAnswer& answer, double end)
{
    const QList<ops::AlertSpan> spans = ops::alertSpans(answer, end).mid(0, 500);
    const QDateTime now = QDateTime::currentDateTimeUtc();
    m_past->setRowCount(int(spans.size()));
    m_nothingPast->setVisible(spans.isEmpty());
    m_past->setVisible(!spans.isEmpty());
    for (int row = 0; row < spans.size(); ++row) {
        const ops::AlertSpan& span = spans[row];
        const QString texts[] = {format::when(utc(span.start), now),
            span.open ? tr("still") : format::when(utc(span.end), now),
            format::duration(std::max(answer.stepSeconds, span.end - span.start)), span.key};
        for (int column = 0; column < 4; ++column) {
            auto* item = new QTableWidgetItem(texts[column]);
            item->setToolTip(texts[column]);
            m_past->setItem(row, column, item);
        }
    }
}

void AlertsPage::reset()
{
    MonitorPage::reset();
    m_rows.clear();
    m_silences.clear();
    m_alertmanagerUrl.clear();
    m_inHand.clear();
    m_rules->setRowCount(0);
    m_past->setRowCount(0);
    m_unseen = 0;
    Q_EMIT unseenChanged(0);
    m_state->showLoading(tr("Asking Prometheus for its rules"), false);
}

} // namespace sluice::ui

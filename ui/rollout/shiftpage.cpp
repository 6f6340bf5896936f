#include "ui/rollout/shiftpage.h"

#include "ui/charts/chartgroup.h"
#include "ui/charts/livechart.h"
#include "ui/rollout/sharebar.h"
#include "ui/shell/button.h"
#include "ui/shell/card.h"
#include "ui/shell/confirmdialog.h"
#include "ui/shell/console.h"
#include "ui/shell/format.h"
#include "ui/shell/infobanner.h"
#include "ui/shell/plaintable.h"
#include "ui/shell/stateview.h"

#include <QDoubleSpinBox>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QSpinBox>
#include <QTableWidget>
#include <QVBoxLayout>
#include <cmath>

namespace sluice::ui {

namespace {

constexpr int pollMs = 1000;
constexpr double chartSeconds = 300;

double nowSeconds()
{
    return double(QDateTime::currentMSecsSinceEpoch()) / 1000;
}

} // namespace

ShiftPage::ShiftPage(Console* console, QWidget* parent)
    : QWidget(parent)
    , m_console(console)
    , m_state(new StateView(this))
    , m_group(new ChartGroup(this))
{
    auto* page = new QWidget(this);
    auto* rows = new QVBoxLayout(page);
    rows->setContentsMargins(0, 0, 0, 0);
    rows->setSpacing(12);
    rows->addWidget(makeShare());
    auto* below = new QHBoxLayout;
    below->setSpacing(12);
    below->addWidget(makeCharts(), 1);
    below->addWidget(makeTable());
    rows->addLayout(below, 1);
    m_state->setDataWidget(page);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_state);

    connect(m_state, &StateView::actionTriggered, console, &Console::startLocalStack);
    connect(m_state, &StateView::retryRequested, this, &ShiftPage::read);
    connect(console, &Console::environmentChanged, this, [this] {
        m_split.reset();
        m_before.reset();
        m_points.clear();
        m_reading = false;
        setBusy(false);
        updateState();
        read();
    });
    connect(console, &Console::localStackChanged, this, &ShiftPage::updateState);
    m_poll.setInterval(pollMs);
    connect(&m_poll, &QTimer::timeout, this, &ShiftPage::read);
    updateState();
}

QWidget* ShiftPage::makeShare()
{
    auto* card = new Card(
        tr("Share of the sessions"), tr("as HAProxy says it, read back after every change"), this);
    m_bar = new ShareBar(card);
    card->content()->addWidget(m_bar);
    m_lease = new Text(FontRole::Base, Ink::Muted, {}, card);
    card->content()->addWidget(m_lease);
    m_banner = new InfoBanner(card);
    card->content()->addWidget(m_banner);
    auto* row = new QHBoxLayout;
    row->setSpacing(8);
    row->addWidget(new Text(FontRole::Base, Ink::Muted, tr("Send"), card));
    m_share = new QDoubleSpinBox(card);
    m_share->setRange(0, 100);
    m_share->setDecimals(2);
    m_share->setValue(5);
    m_share->setSuffix(tr(" %"));
    m_share->setAccessibleName(tr("Share of sessions for the other pool"));
    row->addWidget(m_share);
    for (const int step : {5, 25, 50, 100}) {
        auto* button = new Button(tr("%1 %").arg(step), ButtonRole::Plain, card);
        button->setToolTip(tr("Fills in %1 %").arg(step));
        connect(button, &Button::clicked, this, [this, step] { m_share->setValue(step); });
        m_steps << button;
        row->addWidget(button);
    }
    row->addWidget(new Text(FontRole::Base, Ink::Muted, tr("for"), card));
    m_hold = new QSpinBox(card);
    m_hold->setRange(1, 43200);
    m_hold->setValue(60);
    m_hold->setSuffix(tr(" min"));
    m_hold->setAccessibleName(tr("Minutes until the balancer sends everything back by itself"));
    m_hold->setToolTip(tr("After that the balancer by itself sends everything to the live pool"));
    row->addWidget(m_hold);
    m_shift = new Button(tr("Shift…"), ButtonRole::Primary, card);
    connect(m_shift, &Button::clicked, this, [this] { confirmShift(m_share->value()); });
    row->addWidget(m_shift);
    row->addStretch();
    m_swap = new Button(tr("Make it live…"), ButtonRole::Plain, card);
    m_swap->setToolTip(tr("The pools change roles: what a rollout at 100 % ends with"));
    connect(m_swap, &Button::clicked, this, &ShiftPage::confirmSwap);
    row->addWidget(m_swap);
    m_back = new Button(tr("Roll back"), ButtonRole::Danger, card);
    m_back->setToolTip(tr("Everything to the live pool, at once, without a question"));
    connect(m_back, &Button::clicked, this, &ShiftPage::rollBack);
    row->addWidget(m_back);
    card->content()->addLayout(row);
    card->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Maximum);
    return card;
}

QWidget* ShiftPage::makeCharts()
{
    auto* area = new QWidget(this);
    auto* layout = new QVBoxLayout(area);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(12);
    const auto add = [&](const QString& name, const QString& hint, Unit unit) {
        auto* card = new Card(name, hint, area);
        auto* chart = new LiveChart(name, m_group, unit, card);
        chart->setGap(5);
        card->content()->addWidget(chart, 1);
        layout->addWidget(card, 1);
        return chart;
    };
    m_shareChart = add(
        tr("Share of the other pool"), tr("configured, and observed in the requests"), Unit::Share);
    m_shareChart->setLeastTop(0.1);
    m_rateChart = add(tr("Requests a second"), tr("by pool, at the balancer"), Unit::PerSecond);
    m_rateChart->setEmptyText(tr("no requests yet"));
    return area;
}

QWidget* ShiftPage::makeTable()
{
    auto* card = new Card(tr("Pools"), tr("at the balancer, since it started"), this);
    card->setFixedWidth(360);
    m_table = new QTableWidget(0, 3, card);
    plainTable(m_table, tr("Pools"));
    m_table->setSelectionMode(QAbstractItemView::NoSelection);
    m_table->horizontalHeader()->setSectionResizeMode(QHeaderView::Stretch);
    card->content()->addWidget(m_table, 1);
    card->content()->addWidget(
        new Text(FontRole::CardTitle, Ink::Muted, tr("If this console closes"), card));
    auto* note = new Text(FontRole::Base, Ink::Muted,
        tr("Nothing changes at once: the share is held until its time is over, then the balancer "
           "by itself sends everything to the live pool."),
        card);
    note->setWordWrap(true);
    card->content()->addWidget(note);
    return card;
}

void ShiftPage::setChips(const QList<ChipText>& chips)
{
    m_chips = chips;
    Q_EMIT chipsChanged();
}

void ShiftPage::activated()
{
    m_poll.start();
    read();
}

void ShiftPage::deactivated()
{
    m_poll.stop();
}

void ShiftPage::read()
{
    if (console()->router() == nullptr || m_reading || m_busy) {
        return;
    }
    m_reading = true;
    console()->router()->read(this, [this](const Result<ops::TrafficSplit>& split) {
        m_reading = false;
        onRead(split);
    });
}

void ShiftPage::onRead(const Result<ops::TrafficSplit>& split)
{
    if (!split) {
        console()->report(Source::Balancer, &split.error());
        m_bar->setUnknown();
        m_shareChart->setStale(true);
        m_rateChart->setStale(true);
        m_state->showDisconnected(
            {tr("HAProxy does not answer"), QString::fromStdString(split.error().text()),
                tr("The last reading stays; it goes on by itself when HAProxy is back.")},
            m_beforeTime > 0
                ? format::clock(QDateTime::fromMSecsSinceEpoch(qint64(m_beforeTime * 1000)))
                : QString());
        return;
    }
    console()->report(Source::Balancer, nullptr);
    m_split = *split;
    m_shareChart->setStale(false);
    m_rateChart->setStale(false);
    m_state->showData();
    sample();
    show();
}

void ShiftPage::sample()
{
    const double now = nowSeconds();
    const auto add = [&](const QString& line, double value) {
        QList<QPointF>& points = m_points[line];
        points << QPointF(now, value);
        while (!points.isEmpty() && points.first().x() < now - 2 * chartSeconds) {
            points.removeFirst();
        }
    };
    const bool leaseRuns = m_split->leaseUntilMs > QDateTime::currentMSecsSinceEpoch();
    add(tr("configured"), leaseRuns ? m_split->nextShareBasisPoints / 10000.0 : 0.0);
    if (m_before && m_before->live == m_split->live && now > m_beforeTime
        && m_split->liveRequests >= m_before->liveRequests
        && m_split->nextRequests >= m_before->nextRequests) {
        const double live = double(m_split->liveRequests - m_before->liveRequests);
        const double next = double(m_split->nextRequests - m_before->nextRequests);
        const double seconds = now - m_beforeTime;
        if (live + next > 0) {
            add(tr("observed"), next / (live + next));
        }
        add(m_split->live, live / seconds);
        add(m_split->next, next / seconds);
    }
    m_before = m_split;
    m_beforeTime = now;
    m_group->setLiveRange(now - chartSeconds, now);
    m_shareChart->setSeries({{tr("configured"), m_points.value(tr("configured")), 2, false, true},
        {tr("observed"), m_points.value(tr("observed")), 1, true, true}});
    m_rateChart->setSeries(
        {{QStringLiteral("blue"), m_points.value(QStringLiteral("blue")), 0, false, true},
            {QStringLiteral("green"), m_points.value(QStringLiteral("green")), 1, false, true}});
}

void ShiftPage::show()
{
    const ops::TrafficSplit& split = *m_split;
    const qint64 left = split.leaseUntilMs - QDateTime::currentMSecsSinceEpoch();
    const bool held = split.nextShareBasisPoints > 0 && left > 0;
    m_bar->setShare(split.live, split.next, held ? split.nextShareBasisPoints / 10000.0 : 0.0);
    if (split.nextShareBasisPoints == 0) {
        m_lease->setText(tr("Everything goes to %1.").arg(split.live));
    } else if (held) {
        m_lease->setText(
            tr("%1 is held for %2 more; then the balancer by itself sends everything to %3.")
                .arg(format::percent(split.nextShareBasisPoints / 10000.0),
                    format::age(double(left) / 1000), split.live));
    } else {
        m_lease->setText(
            tr("The time of %1 is over: the balancer sends everything to %2.")
                .arg(format::percent(split.nextShareBasisPoints / 10000.0), split.live));
    }
    m_back->setText(tr("Roll back to %1").arg(split.live));
    m_swap->setText(tr("Make %1 live…").arg(split.next));
    m_table->setHorizontalHeaderLabels({QString(), split.live, split.next});
    const QList<QStringList> rows{{tr("role"), tr("live"), tr("other")},
        {tr("configured share"),
            format::percent(1 - (held ? split.nextShareBasisPoints / 10000.0 : 0)),
            format::percent(held ? split.nextShareBasisPoints / 10000.0 : 0)},
        {tr("healthy servers"), QString::number(split.liveServersUp),
            QString::number(split.nextServersUp)},
        {tr("requests"), format::count(double(split.liveRequests)),
            format::count(double(split.nextRequests))},
        {tr("errors"), format::count(double(split.liveErrors)),
            format::count(double(split.nextErrors))}};
    m_table->setRowCount(int(rows.size()));
    for (int row = 0; row < rows.size(); ++row) {
        for (int column = 0; column < 3; ++column) {
            auto* item = new QTableWidgetItem(rows[row][column]);
            item->setTextAlignment(
                (column == 0 ? Qt::AlignLeft : Qt::AlignRight) | Qt::AlignVCenter);
            if (column == 0) {
                item->setForeground(theme().colors().muted);
            }
            m_table->setItem(row, column, item);
        }
    }
    setChips({ChipText{tr("live "), split.live, {}, {}, {}},
        ChipText{tr("%1 takes ").arg(split.next),
            format::percent(held ? split.nextShareBasisPoints / 10000.0 : 0), {}, {}, {}}});
    setBusy(m_busy);
}

void ShiftPage::confirmShift(double percent)
{
    if (!m_split) {
        return;
    }
    Confirmation question;
    question.title =
        tr("Shift %1 % of the sessions to %2").arg(format::number(percent, 4), m_split->next);
    question.object = tr("%1 with %2 healthy servers; %3 keeps the rest")
                          .arg(m_split->next)
                          .arg(m_split->nextServersUp)
                          .arg(m_split->live);
    question.consequence = tr("Held for %1 minutes. \"Roll back to %2\" undoes it at once.")
                               .arg(m_hold->value())
                               .arg(m_split->live);
    question.verb = tr("Shift to %1").arg(m_split->next);
    question.environment = console()->environment().name;
    question.production = console()->environment().production;
    auto* dialog = new ConfirmDialog(question, this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    connect(dialog, &QDialog::accepted, this, [this, percent] { shift(percent); });
    dialog->open();
}

void ShiftPage::confirmSwap()
{
    if (!m_split) {
        return;
    }
    Confirmation question;
    question.title = tr("Make %1 the live pool").arg(m_split->next);
    question.object = tr("all sessions move from %1 to %2").arg(m_split->live, m_split->next);
    question.consequence =
        tr("The pools change roles; the same button brings %1 back.").arg(m_split->live);
    question.verb = tr("Make %1 live").arg(m_split->next);
    question.environment = console()->environment().name;
    question.production = console()->environment().production;
    question.typeToConfirm =
        console()->environment().production ? console()->environment().name : QString();
    auto* dialog = new ConfirmDialog(question, this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    const QString next = m_split->next;
    connect(dialog, &QDialog::accepted, this, [this, next] {
        if (console()->router() == nullptr) {
            return;
        }
        setBusy(true);
        console()->router()->swapLive(this, [this, next](const Result<ops::TrafficSplit>& split) {
            onChanged(QStringLiteral("shift"), tr("%1 made live").arg(next), split);
        });
    });
    dialog->open();
}

void ShiftPage::shift(double percent)
{
    if (console()->router() == nullptr) {
        return;
    }
    setBusy(true);
    const qint64 until = QDateTime::currentMSecsSinceEpoch() + qint64(m_hold->value()) * 60000;
    const QString next = m_split ? m_split->next : QString();
    console()->router()->shift(int(std::lround(percent * 100)), until, this,
        [this, percent, next](const Result<ops::TrafficSplit>& split) {
            onChanged(QStringLiteral("shift"),
                tr("%1 % to %2").arg(format::number(percent, 4), next), split);
        });
}

void ShiftPage::rollBack()
{
    if (console()->router() == nullptr) {
        return;
    }
    setBusy(true);
    console()->router()->rollback(this, [this](const Result<ops::TrafficSplit>& split) {
        onChanged(QStringLiteral("rollback"),
            split ? tr("everything to %1").arg(split->live) : tr("everything to the live pool"),
            split);
    });
}

void ShiftPage::onChanged(
    const QString& kind, const QString& subject, const Result<ops::TrafficSplit>& split)
{
    setBusy(false);
    ops::HistoryEntry entry;
    entry.kind = kind;
    entry.subject = subject;
    entry.outcome = split ? QStringLiteral("done") : QStringLiteral("refused");
    if (split) {
        entry.details = {{QStringLiteral("live"), split->live},
            {QStringLiteral("share_basis_points"), split->nextShareBasisPoints}};
        m_banner->show(Tone::Ok,
            kind == QLatin1StringView("rollback") ? tr("Rolled back: %1.").arg(subject)
                                                  : tr("Shifted: %1.").arg(subject));
        m_split = *split;
        show();
    } else {
        entry.details = {{QStringLiteral("error"), QString::fromStdString(split.error().text())}};
        m_banner->show(Tone::Bad, QString::fromStdString(split.error().text()));
    }
    console()->record(entry);
}

void ShiftPage::setBusy(bool busy)
{
    m_busy = busy;
    const bool able = !busy && m_split && !console()->environment().readOnly;
    for (Button* button : std::initializer_list<Button*>{m_shift, m_swap}) {
        button->setEnabled(able && m_split->nextServersUp > 0);
    }
    m_back->setEnabled(
        console()->router() != nullptr && !busy && !console()->environment().readOnly);
}

void ShiftPage::updateState()
{
    if (console()->router() != nullptr) {
        if (!m_split) {
            m_state->showLoading(tr("Asking HAProxy"), false);
        }
    } else if (console()->isLocalStackStarting()) {
        m_state->showLoading(tr("Starting the local stack"), false);
    } else if (console()->hasEnvironment()) {
        m_state->showDisconnected({tr("This environment has no balancer socket"),
            tr("Traffic is shifted through HAProxy's runtime API."),
            tr("Add its socket to the environment, or start the local stack.")});
    } else {
        m_state->showEmpty(tr("No balancer is connected"),
            tr("Here traffic is shifted between the blue and the green pool, read back from "
               "HAProxy, and brought back with one button."),
            tr("Start the local stack"));
    }
    setBusy(m_busy);
}

} // namespace sluice::ui

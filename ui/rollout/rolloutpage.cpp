#include "ui/rollout/rolloutpage.h"

#include "engine/operations/rollout/trafficrouter.h"
#include "ui/rollout/complaintrecorder.h"
#include "ui/rollout/driverhost.h"
#include "ui/rollout/evidenceview.h"
#include "ui/rollout/gatetable.h"
#include "ui/rollout/rolloutcharts.h"
#include "ui/rollout/rolloutfeed.h"
#include "ui/rollout/stagestrip.h"
#include "ui/shell/button.h"
#include "ui/shell/card.h"
#include "ui/shell/confirmdialog.h"
#include "ui/shell/console.h"
#include "ui/shell/format.h"
#include "ui/shell/infobanner.h"
#include "ui/shell/stateview.h"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QVBoxLayout>
#include <cmath>

namespace sluice::ui {

namespace {

using Kind = ops::RolloutEvent::Kind;
using Phase = ops::RolloutPhase;

/// What an entry of the audit trail says, for a person.
QString wordsOf(const QJsonObject& event)
{
    const QString kind = event[QLatin1StringView("kind")].toString();
    const QString reason = event[QLatin1StringView("reason")].toString();
    const QString refused = event[QLatin1StringView("refused")].toString();
    const auto known = ops::eventFromName(kind);
    QString words = kind;
    words.replace(u'_', u' ');
    if (known) {
        switch (*known) {
        case Kind::Applied:
            words = RolloutPage::tr("balancers set and read back");
            break;
        case Kind::Verified:
            words = RolloutPage::tr("share seen in the traffic: the soak begins");
            break;
        case Kind::Watched:
            words = RolloutPage::tr("watched");
            break;
        case Kind::Foreign:
            words = RolloutPage::tr("somebody else changed a balancer");
            break;
        case Kind::Restarted:
            words = RolloutPage::tr("a balancer was started anew");
            break;
        case Kind::EvidenceLost:
            words = RolloutPage::tr("evidence begins anew");
            break;
        default:
            break;
        }
    }
    if (!refused.isEmpty()) {
        return RolloutPage::tr("%1 refused: %2").arg(words, refused);
    }
    return reason.isEmpty() || reason == words ? words : words + QStringLiteral(" · ") + reason;
}

} // namespace

RolloutPage::RolloutPage(Console* console, RolloutFeed* feed, DriverHost* host, QWidget* parent)
    : QWidget(parent)
    , m_console(console)
    , m_feed(feed)
    , m_host(host)
    , m_state(new StateView(this))
{
    auto* page = new QWidget(this);
    auto* rows = new QVBoxLayout(page);
    rows->setContentsMargins(0, 0, 0, 0);
    rows->setSpacing(12);
    rows->addWidget(makeHead());
    auto* below = new QHBoxLayout;
    below->setSpacing(12);
    auto* left = new QVBoxLayout;
    left->setSpacing(12);
    m_charts = new RolloutCharts(console, page);
    left->addWidget(m_charts, 3);
    left->addWidget(makeHappened(), 1);
    below->addLayout(left, 1);
    below->addWidget(makeGates());
    rows->addLayout(below, 1);
    m_state->setDataWidget(page);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->addWidget(m_state);
    connect(m_state, &StateView::actionTriggered, this, [this] {
        m_console->hasEnvironment() ? Q_EMIT planWanted() : m_console->startLocalStack();
    });
    connect(m_state, &StateView::retryRequested, feed, &RolloutFeed::refresh);
    connect(feed, &RolloutFeed::changed, this, &RolloutPage::show);
    connect(feed, &RolloutFeed::failed, this, &RolloutPage::updateState);
    connect(host, &DriverHost::changed, this, &RolloutPage::show);
    connect(console, &Console::sourceChanged, this, [this] { updateState(); });
    connect(console, &Console::localStackChanged, this, &RolloutPage::updateState);
    connect(console, &Console::environmentChanged, this, [this] {
        m_charts->clear();
        m_busy = false;
        updateState();
    });
    connect(&theme(), &Theme::changed, this, &RolloutPage::show);
    updateState();
}

QWidget* RolloutPage::makeHead()
{
    auto* card = new Card({}, {}, this);
    auto* row = new QHBoxLayout;
    row->setSpacing(16);
    m_strip = new StageStrip(card);
    row->addWidget(m_strip, 1);
    auto* buttons = new QVBoxLayout;
    buttons->setSpacing(5);
    m_pause = new Button(tr("Pause"), ButtonRole::Plain, card);
    m_promote = new Button(tr("Promote…"), ButtonRole::Primary, card);
    m_back = new Button(tr("Roll back"), ButtonRole::Danger, card);
    for (Button* button : {m_pause, m_promote, m_back}) {
        button->setMinimumWidth(168);
        buttons->addWidget(button);
    }
    buttons->addStretch();
    row->addLayout(buttons);
    card->content()->addLayout(row);
    auto* line = new QHBoxLayout;
    m_outlook = new Text(FontRole::Base, Ink::Muted, {}, card);
    m_outlook->setWordWrap(true);
    line->addWidget(m_outlook, 1);
    m_complain = new Button(tr("Record a complaint…"), ButtonRole::Flat, card);
    m_complain->setToolTip(tr("What somebody told you: the complaints gate counts it"));
    line->addWidget(m_complain);
    m_report = new Button(tr("Report…"), ButtonRole::Flat, card);
    m_report->setToolTip(tr("All that is known of this rollout, as HTML or PDF"));
    line->addWidget(m_report);
    card->content()->addLayout(line);
    m_banner = new InfoBanner(card);
    card->content()->addWidget(m_banner);
    m_driverBanner = new InfoBanner(card);
    card->content()->addWidget(m_driverBanner);
    card->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Maximum);
    connect(m_pause, &Button::clicked, this, &RolloutPage::pauseOrResume);
    connect(m_promote, &Button::clicked, this, &RolloutPage::promote);
    connect(m_back, &Button::clicked, this, &RolloutPage::rollBack);
    connect(m_report, &Button::clicked, this, &RolloutPage::reportWanted);
    m_complaints = new ComplaintRecorder(m_console, this);
    connect(m_complain, &Button::clicked, this, [this] {
        if (m_feed->rollout()) {
            const ops::RolloutState& state = m_feed->rollout()->state;
            m_complaints->ask(state.canary, state.stable, this);
        }
    });
    connect(m_complaints, &ComplaintRecorder::recorded, this,
        [this](Tone tone, const QString& text) { m_banner->show(tone, text); });
    connect(m_driverBanner, &InfoBanner::actionTriggered, m_host, &DriverHost::start);
    connect(m_banner, &InfoBanner::actionTriggered, this, [this] {
        m_banner->dismiss();
        m_console->setUser(QStringLiteral("lead"));
    });
    return card;
}

QWidget* RolloutPage::makeGates()
{
    m_gateCard = new Card(tr("Gates of this stage"), {}, this);
    m_gateCard->setFixedWidth(430);
    m_gates = new GateTable(m_gateCard);
    m_gateCard->content()->addWidget(m_gates, 3);
    m_gateCard->content()->addWidget(
        new Text(FontRole::CardTitle, Ink::Muted, tr("Share of the sessions"), m_gateCard));
    m_shares = new QTableWidget(0, 4, m_gateCard);
    dressRolloutTable(m_shares, tr("Share of the sessions"));
    m_shares->setHorizontalHeaderLabels(
        {tr("balancer"), tr("asked"), tr("configured"), tr("observed")});
    m_shares->horizontalHeaderItem(0)->setTextAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    m_shares->setMinimumHeight(84);
    m_gateCard->content()->addWidget(m_shares, 1);
    m_gateCard->content()->addWidget(
        new Text(FontRole::CardTitle, Ink::Muted, tr("If the driver dies"), m_gateCard));
    m_death = new Text(FontRole::Base, Ink::Muted, {}, m_gateCard);
    m_death->setWordWrap(true);
    m_gateCard->content()->addWidget(m_death);
    return m_gateCard;
}

QWidget* RolloutPage::makeHappened()
{
    auto* card = new Card(tr("What happened"), tr("who, when, why; newest first"), this);
    m_happened = new QTableWidget(0, 4, card);
    dressRolloutTable(m_happened, tr("What happened"));
    m_happened->horizontalHeader()->hide();
    m_happened->horizontalHeader()->setSectionResizeMode(0, QHeaderView::ResizeToContents);
    m_happened->horizontalHeader()->setSectionResizeMode(2, QHeaderView::Stretch);
    card->content()->addWidget(m_happened, 1);
    return card;
}

void RolloutPage::activated()
{
    m_feed->start();
    updateState();
}

void RolloutPage::deactivated()
{
    m_feed->stop();
}

QString RolloutPage::promotion(const ops::RolloutState& state) const
{
    const auto next = state.stage + 1;
    return next < state.plan.stages.size() ? state.plan.stages[next].name : QString();
}

void RolloutPage::show()
{
    updateState();
    if (!m_feed->rollout() || m_feed->rollout()->state.phase == Phase::Idle) {
        return;
    }
    const ops::PublishedRollout& rollout = *m_feed->rollout();
    const ops::RolloutState& state = rollout.state;
    const bool driven = m_feed->hasDriver();
    m_strip->setBoxes(stageBoxes(state));
    m_gates->setReadings(state);
    m_gateCard->setHint(GateTable::summary(state.readings));
    m_charts->refresh(rollout);
    m_charts->setMarks(m_feed->events());
    m_charts->evidence()->setStale(!driven);
    showButtons(rollout, driven);
    showShares(rollout);
    showHappened();
    showDriver(rollout, driven);
}

void RolloutPage::showButtons(const ops::PublishedRollout& rollout, bool driven)
{
    const ops::RolloutState& state = rollout.state;
    const bool able = !m_busy && !m_console->environment().readOnly;
    const QString next = promotion(state);
    m_pause->setText(state.paused || state.foreign ? tr("Resume") : tr("Pause"));
    m_pause->setToolTip(state.paused
            ? tr("The clock runs on; nothing that was watched is lost")
            : tr("Share and watching stay as they are, the clock stands still; a trigger still "
                 "rolls back"));
    m_pause->setEnabled(able && driven && state.isActive() && state.phase != Phase::RollingBack);
    m_promote->setText(next.isEmpty() ? tr("Promote…") : tr("Promote to %1…").arg(next));
    m_promote->setToolTip(next.isEmpty()
            ? tr("This is the last stage")
            : tr("Goes on to %1 at once, over what is not yet watched or proven").arg(next));
    m_promote->setEnabled(able && driven && !next.isEmpty() && !state.paused && !state.foreign
        && (state.phase == Phase::Soaking || state.phase == Phase::Waiting));
    m_complain->setEnabled(!m_console->environment().readOnly);
    m_back->setText(tr("Roll back to %1").arg(state.stable));
    m_back->setToolTip(
        tr("Everything to %1, at once and without a question. Needs no driver.").arg(state.stable));
    m_back->setEnabled(able && state.isActive() && state.phase != Phase::RollingBack);
    QString outlook;
    if (state.paused) {
        outlook = tr("Paused by %1: the clock stands, a trigger still rolls back.").arg(state.by);
    } else if (!state.hold.isEmpty()) {
        outlook = tr("Holds: %1").arg(state.hold);
    } else if (state.phase == Phase::Soaking && !next.isEmpty()) {
        outlook = state.currentStage()->automatic
            ? tr("Goes on to %1 by itself when the soak is over and every gate passes.").arg(next)
            : tr("After the soak a person promotes to %1.").arg(next);
    } else if (state.phase == Phase::RolledBack) {
        outlook = tr("%1, by %2. %3 has all sessions.").arg(state.reason, state.by, state.stable);
    } else if (state.phase == Phase::Warm) {
        outlook = tr("%1 is live. %2 stays warm until %3: until then one click goes back.")
                      .arg(state.canary, state.stable,
                          format::when(QDateTime::fromMSecsSinceEpoch(state.warmUntilMs),
                              QDateTime::currentDateTime()));
    } else if (state.phase == Phase::Finished) {
        outlook = tr("Finished: %1 is live.").arg(state.canary);
    } else {
        outlook = state.reason;
    }
    m_outlook->setText(outlook);
    m_outlook->setInk(state.phase == Phase::RolledBack ? Ink::Bad
            : !state.hold.isEmpty()                    ? Ink::Warn
                                                       : Ink::Muted);
}

void RolloutPage::showShares(const ops::PublishedRollout& rollout)
{
    const Colors& colors = theme().colors();
    const ops::RolloutState& state = rollout.state;
    const double asked = state.canaryBasisPoints() / 10000.0;
    m_shares->setRowCount(int(rollout.balancers.size()));
    for (int row = 0; row < m_shares->rowCount(); ++row) {
        const ops::BalancerReport& balancer = rollout.balancers[row];
        const bool swapped = balancer.configured.live == state.canary;
        const double configured = swapped ? 1 : balancer.configured.nextBasisPoints / 10000.0;
        const bool right = balancer.reachable && std::abs(configured - asked) < 5e-5;
        setCell(m_shares, row, 0, balancer.name, {}, balancer.error);
        setCell(m_shares, row, 1, format::percent(asked));
        setCell(m_shares, row, 2,
            balancer.reachable ? format::percent(configured) : tr("△ not reached"),
            right ? QColor() : colors.warn, balancer.error);
        setCell(m_shares, row, 3, {});
    }
    if (m_shares->rowCount() > 0) {
        const bool known = !std::isnan(rollout.observedShare);
        const bool near = known && std::abs(rollout.observedShare - asked) <= 0.2 * asked + 0.005;
        setCell(m_shares, 0, 3, known ? format::percent(rollout.observedShare) : format::missing(),
            near ? colors.ok : colors.warn,
            tr("of %1 requests at all balancers; those without a session stay on %2")
                .arg(format::count(rollout.observedRequests), state.stable));
    }
    m_death->setText(tr("The balancers send everything to %1 within %2.")
                         .arg(state.target.live.isEmpty() ? state.stable : state.target.live,
                             format::duration(double(state.plan.leaseMs) / 1000)));
}

void RolloutPage::showHappened()
{
    const QList<QJsonObject>& events = m_feed->events();
    QList<QJsonObject> shown;
    for (qsizetype index = events.size() - 1; index >= 0; --index) {
        // Plain watching is journalled for its clock, and says nothing to a reader.
        if (events[index][QLatin1StringView("kind")].toString() != QLatin1StringView("watched")
            || !events[index][QLatin1StringView("mark")].toString().isEmpty()
            || events[index][QLatin1StringView("phase")].toString()
                == QLatin1StringView("rolling_back")) {
            shown << events[index];
        }
    }
    const Colors& colors = theme().colors();
    m_happened->setRowCount(int(shown.size()));
    for (int row = 0; row < m_happened->rowCount(); ++row) {
        const QJsonObject& event = shown[row];
        const QDateTime at =
            QDateTime::fromMSecsSinceEpoch(event[QLatin1StringView("at_ms")].toInteger());
        const QString words = wordsOf(event);
        setCell(m_happened, row, 0, format::clock(at), colors.muted, at.toString(Qt::ISODate));
        setCell(m_happened, row, 1, event[QLatin1StringView("by")].toString());
        setCell(m_happened, row, 2, words, {}, words);
        setCell(m_happened, row, 3, event[QLatin1StringView("mark")].toString(), colors.muted,
            tr("line %1 of the journal").arg(event[QLatin1StringView("number")].toInteger()));
        m_happened->item(row, 2)->setTextAlignment(Qt::AlignLeft | Qt::AlignVCenter);
        m_happened->item(row, 1)->setTextAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    }
}

void RolloutPage::showDriver(const ops::PublishedRollout& rollout, bool driven)
{
    const ops::RolloutState& state = rollout.state;
    const QString age = format::age(m_feed->ageSeconds());
    if (driven) {
        if (rollout.journalFailing) {
            m_driverBanner->show(Tone::Bad,
                tr("The driver's journal can't be written (%1): no step goes forward; rolling back "
                   "still works.")
                    .arg(rollout.journalError));
        } else {
            m_driverBanner->dismiss();
        }
    } else if (m_host->isRunning()) {
        m_driverBanner->show(
            Tone::Warn, tr("The driver of this console (process %1) starts.").arg(m_host->pid()));
    } else {
        QString text = state.isActive()
            ? tr("Nobody drives this rollout (last heard of %1 ago): the balancers have sent "
                 "everything to %2.")
                  .arg(age, state.target.live.isEmpty() ? state.stable : state.target.live)
            : tr("No driver runs in this environment.");
        if (!m_host->trouble().isEmpty()) {
            text += u' ' + tr("The one started here ended: %1.").arg(m_host->trouble());
        }
        m_driverBanner->show(
            state.isActive() ? Tone::Bad : Tone::None, text, tr("Host a driver here"));
    }
    const QString what = QStringList{state.plan.release.workerVersion,
        state.plan.release.modelHash.isEmpty()
            ? QString()
            : tr("model %1").arg(format::shortHash(state.plan.release.modelHash)),
        state.plan.release.thresholdSet >= 0 ? tr("set %1").arg(state.plan.release.thresholdSet)
                                             : QString()}
                             .filter(QRegularExpression(QStringLiteral(".")))
                             .join(QStringLiteral(" · "));
    m_chips = {ChipText{tr("release "), state.plan.release.id,
                   what.isEmpty() ? QString() : QStringLiteral(" · ") + what, {}, state.rolloutId},
        ChipText{tr("driver "),
            !driven                   ? tr("none")
                : m_host->isRunning() ? tr("this console")
                                      : rollout.driver,
            QStringLiteral(" · ") + age, driven ? Tone::Ok : Tone::Bad,
            tr("published %1 ago, lease %2, epoch %3")
                .arg(age, format::duration(double(state.plan.leaseMs) / 1000))
                .arg(rollout.epoch)}};
    Q_EMIT chipsChanged();
}

void RolloutPage::updateState()
{
    const SourceState redis = m_console->source(Source::Redis);
    const bool hasData = m_feed->rollout() && m_feed->rollout()->state.phase != Phase::Idle;
    if (!m_console->hasEnvironment()) {
        m_console->isLocalStackStarting()
            ? m_state->showLoading(tr("Starting the local stack"), false)
            : m_state->showEmpty(tr("No environment is connected"),
                tr("A rollout moves the sessions to a new release in stages, watches it, and takes "
                   "them back by itself when it is worse."),
                tr("Start the local stack"));
    } else if (redis.kind == SourceState::Kind::NotConfigured) {
        m_state->showDisconnected(
            {tr("This environment has no Redis"), tr("The driver publishes a rollout there."),
                tr("Add it to the environment, or start the local stack.")});
    } else if (redis.kind == SourceState::Kind::Lost
        || (m_feed->error() && m_feed->error()->kind == ErrorKind::Unreachable)) {
        m_state->showDisconnected(
            {tr("Redis does not answer"),
                redis.error.isEmpty() && m_feed->error()
                    ? QString::fromStdString(m_feed->error()->text())
                    : redis.error,
                tr("The driver goes no step forward without it; \"Roll back\" works all the "
                   "same.")},
            m_feed->rollout()
                ? format::clock(QDateTime::fromMSecsSinceEpoch(m_feed->rollout()->publishedMs))
                : QString());
    } else if (m_feed->error()) {
        m_state->showError(tr("What Redis holds of the rollout can't be read"), *m_feed->error(),
            tr("It is asked again every second."));
    } else if (!m_feed->isRead()) {
        m_state->showLoading(tr("Asking Redis for the rollout"), false);
    } else if (!hasData) {
        m_state->showEmpty(tr("No rollout yet"),
            tr("A rollout moves the sessions to a new release in stages, watches it, and takes "
               "them back by itself when it is worse."),
            tr("Plan a rollout…"));
    } else {
        m_state->showData();
    }
}

void RolloutPage::send(Kind kind, const QString& reason, const QString& done)
{
    m_busy = true;
    m_feed->ask(kind, reason, [this, kind, reason, done](const Result<QJsonObject>& answer) {
        m_busy = false;
        ops::HistoryEntry entry;
        entry.kind = QStringLiteral("rollout");
        entry.subject = done;
        entry.outcome = answer ? QStringLiteral("done") : QStringLiteral("refused");
        entry.details = {
            {QStringLiteral("command"), ops::eventName(kind)}, {QStringLiteral("reason"), reason}};
        if (m_feed->rollout()) {
            entry.details[QStringLiteral("rollout")] = m_feed->rollout()->state.rolloutId;
        }
        if (answer) {
            m_banner->show(Tone::Ok, done);
        } else {
            entry.details[QStringLiteral("error")] = QString::fromStdString(answer.error().text());
            const bool asLead = answer.error().kind == ErrorKind::Refused
                && m_console->user() != QLatin1StringView("lead")
                && m_console->users().contains(QStringLiteral("lead"));
            m_banner->show(Tone::Bad, QString::fromStdString(answer.error().text()),
                asLead ? tr("Become lead") : QString());
        }
        m_console->record(entry);
        show();
    });
    if (m_feed->rollout()) {
        showButtons(*m_feed->rollout(), m_feed->hasDriver());
    }
}

void RolloutPage::pauseOrResume()
{
    if (!m_feed->rollout()) {
        return;
    }
    const ops::RolloutState& state = m_feed->rollout()->state;
    const bool resume = state.paused || state.foreign;
    send(resume ? Kind::Resume : Kind::Pause, {}, resume ? tr("Resumed.") : tr("Paused."));
}

void RolloutPage::rollBack()
{
    if (!m_feed->rollout()) {
        return;
    }
    const QString stable = m_feed->rollout()->state.stable;
    if (m_feed->hasDriver() && m_console->source(Source::Redis).isUp()) {
        send(Kind::Rollback, tr("asked for by %1").arg(m_console->user()),
            tr("Rolls back to %1.").arg(stable));
    } else {
        rollBackAtBalancer();
    }
}

void RolloutPage::rollBackAtBalancer()
{
    ops::TrafficRouter* router = m_console->router();
    if (router == nullptr) {
        m_banner->show(Tone::Bad,
            tr("Neither a driver nor a balancer's socket is at hand. Run `sluicectl rollout "
               "rollback` beside the balancer."));
        return;
    }
    m_busy = true;
    const QString stable = m_feed->rollout()->state.stable;
    const auto told = [this, stable](const Result<ops::TrafficSplit>& split) {
        m_busy = false;
        ops::HistoryEntry entry;
        entry.kind = QStringLiteral("rollback");
        entry.subject = tr("everything to %1, at the balancer").arg(stable);
        entry.outcome = split ? QStringLiteral("done") : QStringLiteral("refused");
        m_console->record(entry);
        m_banner->show(split ? Tone::Ok : Tone::Bad,
            split ? tr("The balancer sends everything to %1. No driver knows of it yet.")
                        .arg(split->live)
                  : QString::fromStdString(split.error().text()));
        m_feed->refresh();
    };
    router->read(this, [this, router, stable, told](const Result<ops::TrafficSplit>& split) {
        if (!split || m_console->router() != router) {
            told(split);
        } else if (split->live != stable) { // after 100 %: the pools have changed roles
            router->swapLive(this, told);
        } else {
            router->rollback(this, told);
        }
    });
}

void RolloutPage::promote()
{
    if (!m_feed->rollout()) {
        return;
    }
    const ops::RolloutState& state = m_feed->rollout()->state;
    const QString next = promotion(state);
    QStringList open;
    for (const ops::GateReading& reading : state.readings) {
        if (reading.holds() && state.plan.waitsFor(state.stage, reading.gate)) {
            open << tr("%1 (%2)").arg(reading.gate, verdictWord(reading).word);
        }
    }
    if (state.soakLeftMs() > 0) {
        open << tr("%1 of the soak").arg(format::duration(double(state.soakLeftMs()) / 1000));
    }
    Confirmation question;
    question.title = tr("Promote %1 to %2").arg(state.plan.release.id, next);
    question.object = open.isEmpty()
        ? tr("The soak is over and every gate passes.")
        : tr("Not waited for: %1.").arg(open.join(QStringLiteral(", ")));
    question.consequence = tr(
        "%1 gets more of the sessions at once, those it has stay. \"Roll back to %2\" takes them "
        "back.")
                               .arg(state.canary, state.stable);
    question.verb = tr("Promote to %1").arg(next);
    question.environment = m_console->environment().name;
    question.production = m_console->environment().production;
    question.typeToConfirm = question.production ? question.environment : QString();
    question.reasonWanted = open.isEmpty() ? QString() : tr("Why it is right all the same");
    auto* dialog = new ConfirmDialog(question, this);
    connect(dialog, &QDialog::accepted, this, [this, dialog, next] {
        send(Kind::Promote, dialog->reason(), tr("Promoted to %1.").arg(next));
    });
    dialog->open();
}

} // namespace sluice::ui

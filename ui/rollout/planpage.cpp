#include "ui/rollout/planpage.h"

#include "engine/base/file.h"
#include "ui/rollout/dryrundialog.h"
#include "ui/rollout/gatetable.h"
#include "ui/rollout/rolloutfeed.h"
#include "ui/shell/button.h"
#include "ui/shell/card.h"
#include "ui/shell/confirmdialog.h"
#include "ui/shell/console.h"
#include "ui/shell/format.h"
#include "ui/shell/infobanner.h"

#include <QFileDialog>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QLineEdit>
#include <QSpinBox>
#include <QTableWidget>
#include <QVBoxLayout>
#include <cmath>

namespace sluice::ui {

namespace {

using State = ops::PreflightResult::State;

Tone toneOf(State state)
{
    switch (state) {
    case State::Passed:
        return Tone::Ok;
    case State::Warned:
        return Tone::Warn;
    case State::Failed:
        return Tone::Bad;
    case State::Unknown:
        break;
    }
    return Tone::None;
}

} // namespace

PlanPage::PlanPage(Console* console, RolloutFeed* feed, QWidget* parent)
    : QWidget(parent)
    , m_console(console)
    , m_feed(feed)
{
    auto* columns = new QHBoxLayout(this);
    columns->setContentsMargins(0, 0, 0, 0);
    columns->setSpacing(12);
    auto* left = new QVBoxLayout;
    left->setSpacing(12);
    left->addWidget(makeRelease());
    left->addWidget(makeStages(), 1);
    columns->addLayout(left, 3);
    columns->addWidget(makeChecklist(), 2);
    connect(feed, &RolloutFeed::changed, this, &PlanPage::updateStart);
    connect(console, &Console::environmentChanged, this, [this] {
        m_decidable.clear();
        m_results.clear();
        showStages();
        showChecks({});
        activated();
    });
    // A server that is there now can be looked at.
    connect(console, &Console::sourceChanged, this, [this](Source source) {
        const bool up = m_console->source(source).isUp();
        const bool isNew = up && !m_up.contains(int(source));
        up ? void(m_up.insert(int(source))) : void(m_up.remove(int(source)));
        if (isNew && isVisible()) {
            activated();
        }
    });
    connect(&theme(), &Theme::changed, this, [this] {
        showStages();
        showChecks(m_results);
    });
    showStages();
    updateStart();
}

QWidget* PlanPage::makeRelease()
{
    auto* card = new Card(tr("Release"), tr("what is empty stays as it is"), this);
    auto* form = new QFormLayout;
    form->setHorizontalSpacing(12);
    form->setVerticalSpacing(6);
    const auto field = [&](const QString& label, const QString& hint) {
        auto* edit = new QLineEdit(card);
        edit->setAccessibleName(label);
        edit->setPlaceholderText(hint);
        form->addRow(new Text(FontRole::Base, Ink::Muted, label, card), edit);
        return edit;
    };
    m_id = field(tr("Name"), tr("2026-11-24.1"));
    m_version = field(tr("Worker version"), tr("as /v1/info is to say it; a hook installs it"));
    m_modelFile = field(tr("Model file"), tr("uploaded to the idle pool"));
    m_set = new QSpinBox(card);
    m_set->setRange(-1, 1'000'000'000);
    m_set->setValue(-1);
    m_set->setSpecialValueText(tr("unchanged"));
    m_set->setAccessibleName(tr("Threshold set"));
    form->addRow(new Text(FontRole::Base, Ink::Muted, tr("Threshold set"), card), m_set);
    card->content()->addLayout(form);
    connect(m_id, &QLineEdit::textChanged, this, &PlanPage::updateStart);
    card->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Maximum);
    return card;
}

QWidget* PlanPage::makeStages()
{
    auto* card = new Card(tr("Stages"), tr("and what their traffic can decide"), this);
    auto* open = new Button(tr("Open a plan…"), ButtonRole::Flat, card);
    connect(open, &Button::clicked, this, &PlanPage::askToOpen);
    m_dryRun = new Button(tr("Dry run…"), ButtonRole::Flat, card);
    m_dryRun->setToolTip(tr("What this plan would have done with what Prometheus recorded"));
    connect(m_dryRun, &Button::clicked, this, [this] {
        auto* dialog = new DryRunDialog(m_console, plan(), this);
        dialog->setAttribute(Qt::WA_DeleteOnClose);
        dialog->open();
    });
    card->addToTitle(m_dryRun);
    card->addToTitle(open);
    m_origin = new Text(FontRole::Base, Ink::Muted, tr("The default plan."), card);
    card->content()->addWidget(m_origin);
    m_stages = new QTableWidget(0, 3, card);
    dressRolloutTable(m_stages, tr("Stages"));
    m_stages->setHorizontalHeaderLabels(
        {tr("stage"), tr("soak"), tr("what its traffic can decide")});
    m_stages->horizontalHeader()->setSectionResizeMode(0, QHeaderView::ResizeToContents);
    m_stages->horizontalHeader()->setSectionResizeMode(2, QHeaderView::Stretch);
    m_stages->horizontalHeader()->setDefaultAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    makeRoomy(m_stages);
    card->content()->addWidget(m_stages, 1);
    m_traffic = new Text(FontRole::Base, Ink::Muted, {}, card);
    m_traffic->setWordWrap(true);
    card->content()->addWidget(m_traffic);
    return card;
}

QWidget* PlanPage::makeChecklist()
{
    auto* card = new Card(tr("Before the start"), tr("what a machine can tell is looked at"), this);
    auto* again = new Button(tr("Look again"), ButtonRole::Flat, card);
    connect(again, &Button::clicked, this, &PlanPage::activated);
    card->addToTitle(again);
    m_checks = new QTableWidget(0, 2, card);
    dressRolloutTable(m_checks, tr("Checklist"));
    m_checks->horizontalHeader()->hide();
    makeRoomy(m_checks);
    connect(m_checks, &QTableWidget::itemChanged, this, &PlanPage::updateStart);
    card->content()->addWidget(m_checks, 1);
    m_banner = new InfoBanner(card);
    card->content()->addWidget(m_banner);
    connect(m_banner, &InfoBanner::actionTriggered, this, [this] {
        m_banner->dismiss();
        m_console->setUser(QStringLiteral("lead"));
    });
    auto* row = new QHBoxLayout;
    m_summary = new Text(FontRole::Base, Ink::Muted, {}, card);
    m_summary->setWordWrap(true);
    row->addWidget(m_summary, 1);
    m_start = new Button(tr("Start…"), ButtonRole::Primary, card);
    connect(m_start, &Button::clicked, this, &PlanPage::confirmStart);
    row->addWidget(m_start);
    card->content()->addLayout(row);
    return card;
}

void PlanPage::activated()
{
    ++m_round;
    measureTraffic();
    check();
}

void PlanPage::askToOpen()
{
    auto* dialog = new QFileDialog(this, tr("Open a plan"), {}, tr("Plans (*.json)"));
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->setFileMode(QFileDialog::ExistingFile);
    connect(dialog, &QFileDialog::fileSelected, this, &PlanPage::openPlan);
    dialog->open();
}

void PlanPage::openPlan(const QString& file)
{
    const auto text = readFile(file.toStdString(), std::size_t(1) << 20);
    const auto plan = text ? ops::RolloutPlan::fromJson(QByteArray::fromStdString(*text), file)
                           : Result<ops::RolloutPlan>(text.error());
    if (!plan) {
        m_banner->show(Tone::Bad, QString::fromStdString(plan.error().text()));
        return;
    }
    m_plan = *plan;
    m_id->setText(m_plan.release.id);
    m_version->setText(m_plan.release.workerVersion);
    m_modelFile->setText(m_plan.release.modelFile);
    m_set->setValue(int(m_plan.release.thresholdSet));
    m_origin->setText(file);
    m_decidable.clear();
    showStages();
    activated();
}

ops::RolloutPlan PlanPage::plan() const
{
    ops::RolloutPlan plan = m_plan;
    plan.release.id = m_id->text().trimmed();
    plan.release.workerVersion = m_version->text().trimmed();
    plan.release.modelFile = m_modelFile->text().trimmed();
    plan.release.thresholdSet = m_set->value();
    return plan;
}

void PlanPage::showStages()
{
    m_stages->setRowCount(int(m_plan.stages.size()));
    for (int row = 0; row < m_stages->rowCount(); ++row) {
        const ops::PlannedStage& stage = m_plan.stages[row];
        const bool share = stage.kind == ops::PlannedStage::Kind::Share;
        setCell(m_stages, row, 0, stage.name);
        setCell(m_stages, row, 1,
            share && stage.soakMs > 0 ? format::duration(double(m_plan.scaled(stage.soakMs)) / 1000)
                                      : format::missing(),
            theme().colors().muted);
        const QString can = share ? m_decidable.value(row) : tr("no users");
        setCell(m_stages, row, 2, can, theme().colors().muted, can);
        m_stages->item(row, 2)->setTextAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    }
}

/// The traffic at the balancer: all pools together, since the stages divide it anew.
void PlanPage::measureTraffic()
{
    if (m_console->environment().prometheus.isEmpty()) {
        m_traffic->setText(tr("Without Prometheus nothing is known of the traffic."));
        return;
    }
    const QString rates = QStringLiteral(
        "label_replace(sum(rate(haproxy_backend_http_requests_total{proxy=~\"blue|green\"}[5m])), "
        "\"what\", \"rate\", \"\", \"\") or "
        "label_replace(sum(rate(haproxy_backend_http_responses_total{proxy=~\"blue|green\","
        "code=\"5xx\"}[5m])), \"what\", \"errors\", \"\", \"\")");
    m_console->prometheus()->query(
        rates, this, [this, round = m_round](const Result<QList<ops::InstantSample>>& answer) {
            if (round != m_round) {
                return;
            }
            double rate = 0;
            double errors = 0;
            if (answer) {
                for (const ops::InstantSample& sample : *answer) {
                    (sample.labels.value(QStringLiteral("what")) == QLatin1StringView("rate")
                            ? rate
                            : errors) = sample.value;
                }
            }
            if (!answer || !(rate > 0)) {
                m_traffic->setText(answer ? tr("No requests in the last five minutes: what the "
                                               "gates can decide depends on "
                                               "the traffic to come.")
                                          : QString::fromStdString(answer.error().text()));
                return;
            }
            ops::StageTraffic all;
            all.canaryPerSecond = rate;
            all.errorShare = errors / rate;
            m_traffic->setText(tr("Reckoned with the last five minutes: %1, %2 errors.")
                                   .arg(format::rate(rate), format::percent(all.errorShare)));
            decide(all);
        });
}

void PlanPage::decide(const ops::StageTraffic& all)
{
    const ops::RolloutPlan plan = m_plan;
    m_console->jobs()->start<QStringList>(
        tr("What the stages can decide"), QStringLiteral("rollout-decidability"),
        [plan, all](JobControl& control) -> Result<QStringList> {
            QStringList said;
            for (const ops::PlannedStage& stage : plan.stages) {
                const double share = stage.shareBasisPoints / 10000.0;
                if (stage.kind != ops::PlannedStage::Kind::Share || control.isCancelled()) {
                    said << QString();
                } else if (share >= 1) {
                    said << PlanPage::tr("All traffic: response time is held against the last "
                                         "stable hour.");
                } else {
                    ops::StageTraffic traffic = all;
                    traffic.canaryPerSecond = all.canaryPerSecond * share;
                    traffic.baselinePerSecond = all.canaryPerSecond * (1 - share);
                    traffic.soakSeconds = std::max(1.0, double(plan.scaled(stage.soakMs)) / 1000);
                    traffic.scrapeSeconds = std::min(15.0, traffic.soakSeconds / 4);
                    said << ops::decidability(traffic).text(traffic);
                }
            }
            return said;
        },
        this,
        [this](const Result<QStringList>& said) {
            if (said) {
                m_decidable = *said;
                showStages();
            }
        });
}

void PlanPage::check()
{
    m_preflight.run(m_console->router(),
        m_console->environment().prometheus.isEmpty() ? nullptr : m_console->prometheus(),
        m_console->environment().redis.port == 0 ? nullptr : m_console->redis(),
        m_console->environment().workers, this,
        [this, round = m_round](const QList<ops::PreflightResult>& results) {
            if (round == m_round) {
                showChecks(results);
            }
        });
}

void PlanPage::showChecks(QList<ops::PreflightResult> results)
{
    m_results = std::move(results);
    const QSignalBlocker quiet(m_checks);
    QStringList own; // of the plan: a person ticks them
    for (const ops::ChecklistItem& item : m_plan.checklist) {
        if (item.check.isEmpty()) {
            own << item.task;
        }
    }
    m_checks->setRowCount(int(m_results.size() + own.size()));
    for (int row = 0; row < m_results.size(); ++row) {
        const ops::PreflightResult& result = m_results[row];
        const Tone tone = toneOf(result.state);
        setCell(m_checks, row, 0, result.task + u'\n' + result.text,
            result.state == State::Passed ? QColor() : theme().color(tone), result.text);
        const QString word = result.state == State::Passed ? tr("passed")
            : result.state == State::Warned                ? tr("look")
            : result.state == State::Failed                ? tr("failed")
                                                           : tr("unknown");
        setCell(m_checks, row, 1, Theme::glyph(tone) + u' ' + word, theme().color(tone));
    }
    for (int index = 0; index < own.size(); ++index) {
        const int row = int(m_results.size()) + index;
        setCell(m_checks, row, 0, own[index]);
        setCell(m_checks, row, 1, tr("done by hand"), theme().colors().muted);
        QTableWidgetItem* item = m_checks->item(row, 0);
        item->setFlags(item->flags() | Qt::ItemIsUserCheckable);
        if (item->data(Qt::CheckStateRole).isNull()) {
            item->setCheckState(Qt::Unchecked);
        }
    }
    updateStart();
}

void PlanPage::updateStart()
{
    QStringList open;
    for (const ops::PreflightResult& result : m_results) {
        if (result.state == State::Failed) {
            open << result.check;
        }
    }
    for (int row = int(m_results.size()); row < m_checks->rowCount(); ++row) {
        if (m_checks->item(row, 0)->checkState() != Qt::Checked) {
            open << m_checks->item(row, 0)->text();
        }
    }
    const bool active = m_feed->rollout() && m_feed->rollout()->state.isActive();
    const bool named = !m_id->text().trimmed().isEmpty();
    m_start->setEnabled(!m_busy && named && !active && m_feed->isRead()
        && m_console->router() != nullptr && !m_console->environment().readOnly);
    m_summary->setText(active ? tr("Rollout %1 is under way: it has to end first.")
                                    .arg(m_feed->rollout()->state.rolloutId)
            : !named          ? tr("Give the release a name.")
            : !open.isEmpty() ? tr("Open: %1. Starting all the same asks for a reason.")
                                    .arg(open.join(QStringLiteral(", ")))
            : !m_feed->hasDriver() ? tr("No driver runs here: the rollout page can host one.")
                                   : tr("Ready."));
    m_start->setToolTip(tr("Begins with %1; no session moves before the first share.")
                            .arg(m_plan.stages.isEmpty() ? QString() : m_plan.stages.first().name));
}

void PlanPage::confirmStart()
{
    if (m_console->router() == nullptr) {
        return;
    }
    m_busy = true;
    updateStart();
    // Which pool is live is the balancer's to say.
    m_console->router()->read(this, [this](const Result<ops::TrafficSplit>& split) {
        m_busy = false;
        updateStart();
        if (!split) {
            m_banner->show(Tone::Bad, QString::fromStdString(split.error().text()));
            return;
        }
        const ops::RolloutPlan wanted = plan();
        Confirmation question;
        question.title = tr("Start the rollout of %1").arg(wanted.release.id);
        question.object = tr("%1 stages, onto %2; %3 is live")
                              .arg(wanted.stages.size())
                              .arg(split->next, split->live);
        question.consequence =
            tr("%1 is changed first. Sessions move only when the tests there have passed; \"Roll "
               "back to %2\" takes them back at any time.")
                .arg(split->next, split->live);
        question.verb = tr("Start");
        question.environment = m_console->environment().name;
        question.production = m_console->environment().production;
        question.reasonWanted = m_summary->text().startsWith(tr("Open:"))
            ? m_summary->text() + u' ' + tr("Why all the same?")
            : QString();
        auto* dialog = new ConfirmDialog(question, this);
        connect(dialog, &QDialog::accepted, this, [this, dialog, wanted, live = split->live] {
            m_busy = true;
            updateStart();
            const QString reason = dialog->reason();
            m_feed->start(wanted, live, [this, wanted, reason](const Result<QJsonObject>& answer) {
                m_busy = false;
                ops::HistoryEntry entry;
                entry.kind = QStringLiteral("rollout");
                entry.subject = tr("start of %1").arg(wanted.release.id);
                entry.outcome = answer ? QStringLiteral("done") : QStringLiteral("refused");
                entry.details = {{QStringLiteral("command"), QStringLiteral("start")},
                    {QStringLiteral("reason"), reason}};
                m_console->record(entry);
                updateStart();
                if (answer) {
                    Q_EMIT started();
                    return;
                }
                const bool asLead = answer.error().kind == ErrorKind::Refused
                    && m_console->user() != QLatin1StringView("lead")
                    && m_console->users().contains(QStringLiteral("lead"));
                m_banner->show(Tone::Bad, QString::fromStdString(answer.error().text()),
                    asLead ? tr("Become lead") : QString());
            });
        });
        dialog->open();
    });
}

} // namespace sluice::ui

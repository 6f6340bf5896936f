#include "ui/rollout/dryrundialog.h"

#include "ui/rollout/gatetable.h"
#include "ui/shell/button.h"
#include "ui/shell/console.h"
#include "ui/shell/format.h"
#include "ui/shell/stateview.h"

#include <QComboBox>
#include <QDateTimeEdit>
#include <QHeaderView>
#include <QTableWidget>
#include <QVBoxLayout>
#include <algorithm>

namespace sluice::ui {

namespace {

using Outcome = ops::DryRunStage::Outcome;

Tone toneOf(Outcome outcome)
{
    return outcome == Outcome::Passed    ? Tone::Ok
        : outcome == Outcome::RolledBack ? Tone::Bad
        : outcome == Outcome::UnderWay   ? Tone::Warn
                                         : Tone::None;
}

QString wordOf(Outcome outcome)
{
    return outcome == Outcome::Passed    ? DryRunDialog::tr("passed")
        : outcome == Outcome::RolledBack ? DryRunDialog::tr("rolled back")
        : outcome == Outcome::UnderWay   ? DryRunDialog::tr("under way")
                                         : DryRunDialog::tr("not reached");
}

} // namespace

DryRunDialog::DryRunDialog(Console* console, const ops::RolloutPlan& plan, QWidget* parent)
    : QDialog(parent)
    , m_console(console)
    , m_plan(plan)
    , m_reader(console->prometheus(), console->redis())
    , m_from(new QDateTimeEdit(this))
    , m_to(new QDateTimeEdit(this))
    , m_canary(new QComboBox(this))
    , m_run(new Button(tr("Run"), ButtonRole::Primary, this))
    , m_state(new StateView(this))
    , m_summary(new Text(FontRole::Title, Ink::Text, {}, this))
    , m_notes(new Text(FontRole::Base, Ink::Muted, {}, this))
    , m_stages(new QTableWidget(0, 5, this))
{
    setWindowTitle(tr("Dry run of the plan"));
    resize(860, 460);
    const QDateTime now = QDateTime::currentDateTime();
    double planned = 0;
    for (const ops::PlannedStage& stage : plan.stages) {
        planned += double(plan.scaled(stage.soakMs)) / 1000;
    }
    const qint64 seconds = std::clamp(qint64(planned * 1.25) + 60, qint64(60), qint64(86400));
    m_from->setDateTime(now.addSecs(-seconds));
    m_to->setDateTime(now);
    m_from->setAccessibleName(tr("From"));
    m_to->setAccessibleName(tr("To"));
    for (QDateTimeEdit* edit : {m_from, m_to}) {
        edit->setDisplayFormat(QStringLiteral("yyyy-MM-dd HH:mm:ss"));
        edit->setCalendarPopup(true);
    }
    m_canary->setAccessibleName(tr("The new release's pool"));
    m_canary->addItems({QStringLiteral("green"), QStringLiteral("blue")});
    auto* row = new QHBoxLayout;
    row->setSpacing(8);
    const auto label = [&](const QString& text) {
        row->addWidget(new Text(FontRole::Base, Ink::Muted, text, this));
    };
    label(tr("From"));
    row->addWidget(m_from);
    label(tr("to"));
    row->addWidget(m_to);
    label(tr("new release's part:"));
    row->addWidget(m_canary);
    row->addStretch();
    row->addWidget(m_run);
    auto* table = new QWidget(this);
    auto* rows = new QVBoxLayout(table);
    rows->setContentsMargins(0, 0, 0, 0);
    m_summary->setWordWrap(true);
    rows->addWidget(m_summary);
    dressRolloutTable(m_stages, tr("Stages of the dry run"));
    m_stages->setHorizontalHeaderLabels(
        {tr("stage"), tr("outcome"), tr("reached"), tr("left"), tr("why")});
    m_stages->horizontalHeader()->setSectionResizeMode(0, QHeaderView::ResizeToContents);
    m_stages->horizontalHeader()->setSectionResizeMode(4, QHeaderView::Stretch);
    m_stages->horizontalHeaderItem(0)->setTextAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    m_stages->horizontalHeaderItem(4)->setTextAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    makeRoomy(m_stages);
    rows->addWidget(m_stages, 1);
    m_notes->setWordWrap(true);
    rows->addWidget(m_notes);
    m_state->setDataWidget(table);
    auto* layout = new QVBoxLayout(this);
    layout->setSpacing(12);
    layout->addLayout(row);
    layout->addWidget(m_state, 1);
    if (console->environment().prometheus.isEmpty()) {
        m_state->showDisconnected({tr("This environment has no Prometheus"),
            tr("A dry run reads what it recorded."), tr("Add it to the environment.")});
        m_run->setEnabled(false);
    } else {
        m_state->showEmpty(tr("The plan on recorded metrics"),
            tr("Reads what both pools did in that time and lets the gates judge it, minute by "
               "minute. It changes nothing."));
    }
    connect(m_run, &Button::clicked, this, &DryRunDialog::run);
    connect(m_state, &StateView::retryRequested, this, &DryRunDialog::run);
    connect(m_state, &StateView::cancelRequested, this, [this] {
        m_reader.cancel();
        end();
        m_state->showEmpty(tr("Cancelled"), tr("Nothing was changed."));
    });
    connect(console, &Console::environmentChanged, this, &QDialog::reject);
    connect(&theme(), &Theme::changed, this, [this] {
        if (m_result && m_state->state() == StateView::State::Data) {
            show(*m_result);
        }
    });
}

void DryRunDialog::run()
{
    m_run->setEnabled(false);
    m_result.reset();
    m_state->showLoading(tr("Reading what Prometheus recorded"));
    const QString canary = m_canary->currentText();
    m_reader.read(m_plan, canary,
        canary == QLatin1StringView("green") ? QStringLiteral("blue") : QStringLiteral("green"),
        m_from->dateTime().toMSecsSinceEpoch(), m_to->dateTime().toMSecsSinceEpoch(), {},
        [this](const Result<std::shared_ptr<ops::Recording>>& read) { takeRecording(read); });
}

void DryRunDialog::takeRecording(const Result<std::shared_ptr<ops::Recording>>& recording)
{
    if (!recording) {
        end();
        m_state->showError(tr("The recording can't be read"), recording.error());
        return;
    }
    m_console->jobs()->start<ops::DryRunResult>(
        tr("Dry run"), QStringLiteral("rollout-dryrun"),
        [plan = m_plan, made = *recording](JobControl& control) -> Result<ops::DryRunResult> {
            return ops::dryRun(plan, *made, control.cancelFlag());
        },
        this,
        [this](const Result<ops::DryRunResult>& result) {
            end();
            if (result) {
                m_result = *result;
                show(*m_result);
            } else {
                m_state->showError(tr("The dry run was broken off"), result.error());
            }
        });
}

void DryRunDialog::end()
{
    m_run->setText(tr("Run again"));
    m_run->setEnabled(true);
}

void DryRunDialog::show(const ops::DryRunResult& result)
{
    m_summary->setText(result.text());
    m_summary->setInk(result.rolledBack() ? Ink::Bad : Ink::Text);
    const auto at = [](double minute) { return format::duration(60 * minute); };
    m_stages->setRowCount(int(result.stages.size()));
    for (int row = 0; row < m_stages->rowCount(); ++row) {
        const ops::DryRunStage& stage = result.stages[row];
        const bool reached = stage.outcome != Outcome::NotReached;
        const Tone tone = toneOf(stage.outcome);
        QString why = stage.reason;
        if (stage.outcome == Outcome::Passed && stage.waitedMinutes > 0) {
            why = tr("waited %1 after its soak for %2: %3")
                      .arg(at(stage.waitedMinutes), stage.gate, stage.reason);
        }
        setCell(m_stages, row, 0, stage.name);
        setCell(m_stages, row, 1, Theme::glyph(tone) + u' ' + wordOf(stage.outcome),
            theme().color(tone));
        setCell(m_stages, row, 2, reached ? at(stage.reachedMinute) : format::missing());
        setCell(m_stages, row, 3, reached ? at(stage.leftMinute) : format::missing());
        setCell(m_stages, row, 4, why, theme().colors().muted, why);
        m_stages->item(row, 1)->setTextAlignment(Qt::AlignLeft | Qt::AlignVCenter);
        m_stages->item(row, 4)->setTextAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    }
    m_notes->setText(result.notes.join(u' '));
    m_state->showData();
}

} // namespace sluice::ui

#include "ui/load/scenariopanel.h"

#include "ui/charts/chartgroup.h"
#include "ui/charts/livechart.h"
#include "ui/load/scenariodialog.h"
#include "ui/shell/button.h"
#include "ui/shell/card.h"
#include "ui/shell/infobanner.h"

#include <QComboBox>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QHostAddress>
#include <QLineEdit>
#include <QProgressBar>
#include <QSignalBlocker>
#include <QSpinBox>
#include <cmath>

namespace sluice::ui {

namespace {

constexpr int columnWidth = 290;

} // namespace

ScenarioPanel::ScenarioPanel(QWidget* parent)
    : QWidget(parent)
    , m_choice(new QComboBox(this))
    , m_edit(new Button(tr("Edit a copy…"), ButtonRole::Flat, this))
    , m_group(new ChartGroup(this))
    , m_curve(new LiveChart(tr("Scenario over time"), m_group, Unit::Count, this))
    , m_description(new Text(FontRole::Base, Ink::Muted, {}, this))
    , m_seconds(new QSpinBox(this))
    , m_scale(new Text(FontRole::Small, Ink::Muted, {}, this))
    , m_target(new QLineEdit(this))
    , m_generator(new QComboBox(this))
    , m_banner(new InfoBanner(this))
    , m_progress(new QProgressBar(this))
    , m_progressText(new Text(FontRole::Small, Ink::Muted, {}, this))
    , m_start(new Button(tr("Start"), ButtonRole::Primary, this))
    , m_stop(new Button(tr("Stop"), ButtonRole::Danger, this))
{
    setFixedWidth(columnWidth);
    auto* rows = new QVBoxLayout(this);
    rows->setContentsMargins(0, 0, 0, 0);
    rows->setSpacing(12);
    rows->addWidget(makeChoice(), 1);
    rows->addWidget(makeChecks());

    connect(m_choice, &QComboBox::currentTextChanged, this, &ScenarioPanel::choose);
    connect(m_seconds, &QSpinBox::valueChanged, this, &ScenarioPanel::showScenario);
    connect(m_generator, &QComboBox::currentIndexChanged, this, &ScenarioPanel::changed);
    connect(m_target, &QLineEdit::editingFinished, this, &ScenarioPanel::changed);
    connect(m_edit, &Button::clicked, this, &ScenarioPanel::edit);
    connect(m_start, &Button::clicked, this, &ScenarioPanel::startAsked);
    connect(m_stop, &Button::clicked, this, &ScenarioPanel::stopAsked);
    reload(QStringLiteral("normal"));
}

QWidget* ScenarioPanel::makeChoice()
{
    auto* card = new Card(tr("Scenario"), {}, this);
    card->addToTitle(m_edit);
    m_edit->setToolTip(tr("Its JSON, checked and drawn while you type; kept as your own"));
    m_choice->setAccessibleName(tr("Scenario"));
    m_description->setWordWrap(true);
    m_curve->setMinimumHeight(96);
    m_seconds->setRange(1, int(ops::Scenario::maxSeconds));
    m_seconds->setSuffix(tr(" s"));
    m_seconds->setGroupSeparatorShown(true);
    m_seconds->setAccessibleName(tr("Run for"));
    m_seconds->setToolTip(tr("All phases are stretched or shortened alike"));
    m_target->setAccessibleName(tr("Target"));
    m_target->setToolTip(tr("The environment's balancer, or any URL like http://127.0.0.1:8080"));
    m_generator->addItem(tr("native"), QStringLiteral("native"));
    m_generator->addItem(tr("Locust"), QStringLiteral("locust"));
    m_generator->setAccessibleName(tr("Generator"));
    m_generator->setToolTip(tr("Native: an open schedule that charges a stalled server with the "
                               "waiting. Locust: for several machines; never passes by itself"));
    card->content()->addWidget(m_choice);
    card->content()->addWidget(m_description);
    card->content()->addWidget(m_curve, 1);
    auto* form = new QFormLayout;
    form->setLabelAlignment(Qt::AlignLeft);
    form->addRow(tr("Run for"), m_seconds);
    form->addRow(QString(), m_scale);
    form->addRow(tr("Target"), m_target);
    form->addRow(tr("Generator"), m_generator);
    card->content()->addLayout(form);
    return card;
}

QWidget* ScenarioPanel::makeChecks()
{
    auto* card = new Card(tr("Before it runs"), {}, this);
    m_checkRows = new QVBoxLayout;
    m_checkRows->setSpacing(4);
    card->content()->addLayout(m_checkRows);
    card->content()->addWidget(m_banner);
    m_progress->setAccessibleName(tr("Progress of the run"));
    m_progress->setTextVisible(false);
    m_progress->setRange(0, 1000);
    card->content()->addWidget(m_progress);
    card->content()->addWidget(m_progressText);
    m_progress->hide();
    m_progressText->hide();
    m_stop->setToolTip(tr("Ends the run within a second (Shift+F5)"));
    m_start->setToolTip(tr("Runs the scenario against the target (F5)"));
    auto* buttons = new QHBoxLayout;
    buttons->addWidget(m_stop);
    buttons->addStretch();
    buttons->addWidget(m_start);
    card->content()->addLayout(buttons);
    return card;
}

void ScenarioPanel::reload(const QString& wanted)
{
    const QString before = wanted.isEmpty() ? m_choice->currentText() : wanted;
    const QStringList names = ops::scenarioNames();
    {
        const QSignalBlocker quiet(m_choice);
        m_choice->clear();
        m_choice->addItems(names);
        m_choice->setCurrentText(names.contains(before) ? before : names.value(0));
    }
    choose();
}

void ScenarioPanel::choose()
{
    m_scenario.reset();
    const QString name = m_choice->currentText();
    if (name.isEmpty()) {
        m_banner->show(Tone::Bad,
            tr("No scenario was found: neither bundled nor in %1.").arg(ops::scenarioFolder()));
        showScenario();
        return;
    }
    auto scenario = ops::loadScenario(name);
    if (!scenario) {
        m_banner->show(Tone::Bad, QString::fromStdString(scenario.error().text()));
    } else {
        m_banner->dismiss();
        m_scenario = std::move(*scenario);
        const QSignalBlocker quiet(m_seconds);
        m_seconds->setValue(int(std::lround(m_scenario->durationSeconds())));
    }
    showScenario();
}

std::optional<ops::Scenario> ScenarioPanel::scenario() const
{
    if (!m_scenario) {
        return std::nullopt;
    }
    return m_seconds->value() == std::lround(m_scenario->durationSeconds())
        ? *m_scenario
        : m_scenario->lasting(m_seconds->value());
}

QUrl ScenarioPanel::target() const
{
    return QUrl(m_target->text().trimmed(), QUrl::StrictMode);
}

QString ScenarioPanel::generator() const
{
    return m_generator->currentData().toString();
}

bool ScenarioPanel::isLocal() const
{
    const QString host = target().host();
    return host == QLatin1StringView("localhost") || QHostAddress(host).isLoopback();
}

void ScenarioPanel::setTarget(const QUrl& target)
{
    const QString before = m_environmentTarget.toString();
    m_environmentTarget = target;
    if (m_target->text().isEmpty() || m_target->text() == before) {
        m_target->setText(target.toString());
        Q_EMIT changed();
    }
}

void ScenarioPanel::showScenario()
{
    const auto now = scenario();
    m_edit->setEnabled(now.has_value());
    if (!now) {
        m_description->setText({});
        m_scale->setText({});
        m_curve->setSeries({});
        Q_EMIT changed();
        return;
    }
    const double whole = m_scenario->durationSeconds();
    m_description->setText(
        tr("%1. %2 model; p95 under %3 ms, p99 under %4 ms, errors under %5.")
            .arg(now->description, now->model == ops::LoadModel::Open ? tr("Open") : tr("Closed"),
                format::number(now->targets.p95Ms), format::number(now->targets.p99Ms),
                format::percent(now->targets.errorShare)));
    m_scale->setText(m_seconds->value() == std::lround(whole)
            ? tr("as the scenario says")
            : tr("scaled: the scenario says %1").arg(format::duration(whole)));
    m_scale->setInk(m_seconds->value() == std::lround(whole) ? Ink::Muted : Ink::Warn);
    drawScenario(m_curve, m_group, *now);
    Q_EMIT changed();
}

void ScenarioPanel::edit()
{
    if (!m_scenario) {
        return;
    }
    auto* dialog = new ScenarioDialog(*m_scenario, this);
    connect(dialog, &ScenarioDialog::saved, this, &ScenarioPanel::reload);
    dialog->open();
}

void ScenarioPanel::setRunning(bool running, bool canStart)
{
    m_start->setEnabled(canStart && !running && m_scenario.has_value());
    m_stop->setEnabled(running);
    for (QWidget* widget :
        std::initializer_list<QWidget*>{m_choice, m_seconds, m_target, m_generator, m_edit}) {
        widget->setEnabled(!running);
    }
    m_progress->setVisible(running);
    m_progressText->setVisible(running);
}

void ScenarioPanel::setProgress(double share, const QString& text)
{
    m_progress->setValue(int(share * 1000));
    m_progressText->setText(text);
}

void ScenarioPanel::showChecks(const QList<PreflightCheck>& checks)
{
    m_checks = checks;
    while (QLayoutItem* item = m_checkRows->takeAt(0)) {
        delete item->widget();
        delete item;
    }
    for (const PreflightCheck& check : checks) {
        auto* row = new Text(FontRole::Base,
            check.tone == Tone::Ok         ? Ink::Text
                : check.tone == Tone::Warn ? Ink::Warn
                : check.tone == Tone::Bad  ? Ink::Bad
                                           : Ink::Muted,
            QString(
                Theme::glyph(check.tone) % u' ' % check.name % QStringLiteral(": ") % check.text));
        row->setWordWrap(true);
        m_checkRows->addWidget(row);
    }
}

} // namespace sluice::ui

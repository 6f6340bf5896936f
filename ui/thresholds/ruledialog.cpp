#include "ui/thresholds/ruledialog.h"

#include "ui/shell/button.h"
#include "ui/shell/text.h"
#include "ui/thresholds/tuningsession.h"

#include <QComboBox>
#include <QDoubleSpinBox>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QListWidget>
#include <QSpinBox>
#include <QTimeEdit>
#include <QVBoxLayout>

namespace sluice::ui {

namespace {

constexpr std::size_t mostRules = 64; // of a set

QTime timeOf(int minute)
{
    return QTime(minute / 60, minute % 60);
}

int minuteOf(const QTime& time)
{
    return time.hour() * 60 + time.minute();
}

} // namespace

RuleDialog::RuleDialog(TuningSession* session, int index, QWidget* parent)
    : QDialog(parent)
    , m_session(session)
    , m_index(index)
{
    setWindowTitle(index < 0 ? tr("Add a context rule") : tr("Change a context rule"));
    setMinimumSize(560, 520);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(20, 18, 20, 18);
    layout->setSpacing(10);
    auto* about = new Text(FontRole::Base, Ink::Muted,
        tr("While it holds, the amount is added to the threshold: above 0 is stricter."), this);
    about->setWordWrap(true);
    layout->addWidget(about);
    layout->addWidget(makeFields());
    m_find = new QLineEdit(this);
    m_find->setPlaceholderText(tr("Find"));
    m_find->setAccessibleName(tr("Find an intent"));
    m_find->setClearButtonEnabled(true);
    auto* head = new QHBoxLayout;
    head->addWidget(new Text(
        FontRole::CardTitle, Ink::Muted, tr("For these intents; none is chosen: for all"), this));
    head->addStretch();
    head->addWidget(m_find);
    layout->addLayout(head);
    m_intents = new QListWidget(this);
    m_intents->setAccessibleName(tr("Intents"));
    for (const std::string& label : session->classifier().model().labels()) {
        auto* item = new QListWidgetItem(QString::fromStdString(label), m_intents);
        item->setCheckState(Qt::Unchecked);
    }
    layout->addWidget(m_intents, 1);
    m_problem = new StatusLabel(this);
    m_problem->setWordWrap(true);
    layout->addWidget(m_problem);
    auto* cancel = new Button(tr("Cancel"), ButtonRole::Plain, this);
    m_take = new Button(
        index < 0 ? tr("Add the rule") : tr("Change the rule"), ButtonRole::Primary, this);
    m_take->setDefault(true);
    auto* buttons = new QHBoxLayout;
    buttons->addStretch();
    buttons->addWidget(cancel);
    buttons->addWidget(m_take);
    layout->addLayout(buttons);

    connect(m_find, &QLineEdit::textChanged, this, [this](const QString& text) {
        for (int row = 0; row < m_intents->count(); ++row) {
            m_intents->item(row)->setHidden(
                !m_intents->item(row)->text().contains(text, Qt::CaseInsensitive));
        }
    });
    connect(m_when, &QComboBox::currentIndexChanged, this, &RuleDialog::refresh);
    connect(m_add, &QDoubleSpinBox::valueChanged, this, &RuleDialog::refresh);
    connect(m_failures, &QSpinBox::valueChanged, this, &RuleDialog::refresh);
    connect(m_from, &QTimeEdit::timeChanged, this, &RuleDialog::refresh);
    connect(m_to, &QTimeEdit::timeChanged, this, &RuleDialog::refresh);
    connect(m_zone, &QLineEdit::textChanged, this, &RuleDialog::refresh);
    connect(m_intents, &QListWidget::itemChanged, this, &RuleDialog::refresh);
    connect(cancel, &Button::clicked, this, &QDialog::reject);
    connect(m_take, &Button::clicked, this, &RuleDialog::take);
    const auto& rules = session->draft().rules;
    if (index >= 0 && index < int(rules.size())) {
        fill(rules[std::size_t(index)]);
    }
    refresh();
}

QWidget* RuleDialog::makeFields()
{
    auto* box = new QWidget(this);
    m_when = new QComboBox(box);
    m_when->setAccessibleName(tr("When"));
    for (const auto& [condition, name] :
        {std::pair(Condition::FollowUp, tr("in a follow-up: there were turns before")),
            std::pair(Condition::Sensitive, tr("always, for the chosen intents")),
            std::pair(Condition::RepeatedFailure, tr("after turns that were not accepted")),
            std::pair(Condition::TimeOfDay, tr("at a time of day"))}) {
        m_when->addItem(name, int(condition));
    }
    m_add = new QDoubleSpinBox(box);
    m_add->setRange(-1, 1);
    m_add->setDecimals(3);
    m_add->setSingleStep(0.01);
    m_add->setValue(0.05);
    m_add->setAccessibleName(tr("Adds to the threshold"));
    m_failures = new QSpinBox(box);
    m_failures->setRange(1, 1000);
    m_failures->setAccessibleName(tr("So many turns in a row, or more"));
    m_from = new QTimeEdit(timeOf(22 * 60), box);
    m_to = new QTimeEdit(timeOf(6 * 60), box);
    m_from->setDisplayFormat(QStringLiteral("HH:mm"));
    m_to->setDisplayFormat(QStringLiteral("HH:mm"));
    m_from->setAccessibleName(tr("From"));
    m_to->setAccessibleName(tr("Until"));
    m_zone = new QLineEdit(box);
    m_zone->setPlaceholderText(tr("Europe/Berlin or +02:00; empty: UTC"));
    m_zone->setAccessibleName(tr("Time zone"));
    auto* form = new QFormLayout(box);
    form->setContentsMargins(0, 0, 0, 0);
    form->addRow(tr("When"), m_when);
    form->addRow(tr("Adds"), m_add);
    form->addRow(tr("Turns, at least"), m_failures);
    auto* times = new QHBoxLayout;
    times->addWidget(m_from);
    times->addWidget(new Text(FontRole::Base, Ink::Muted, tr("until"), box));
    times->addWidget(m_to);
    times->addWidget(m_zone, 1);
    form->addRow(tr("Between"), times);
    return box;
}

void RuleDialog::fill(const ContextRule& rule)
{
    m_when->setCurrentIndex(m_when->findData(int(rule.when)));
    m_add->setValue(rule.add);
    m_failures->setValue(rule.failures);
    if (rule.when == Condition::TimeOfDay) {
        m_from->setTime(timeOf(rule.from));
        m_to->setTime(timeOf(rule.to));
        m_zone->setText(QString::fromStdString(rule.zone));
    }
    for (int row = 0; row < m_intents->count(); ++row) {
        m_intents->item(row)->setCheckState(
            rule.intents.contains(m_intents->item(row)->text().toStdString()) ? Qt::Checked
                                                                              : Qt::Unchecked);
    }
}

std::optional<ContextRule> RuleDialog::rule() const
{
    ContextRule made;
    made.when = Condition(m_when->currentData().toInt());
    made.add = m_add->value();
    for (int row = 0; row < m_intents->count(); ++row) {
        if (m_intents->item(row)->checkState() == Qt::Checked) {
            made.intents.insert(m_intents->item(row)->text().toStdString());
        }
    }
    if (made.when == Condition::RepeatedFailure) {
        made.failures = m_failures->value();
    }
    if (made.when == Condition::TimeOfDay) {
        made.from = minuteOf(m_from->time());
        made.to = minuteOf(m_to->time());
        made.zone = m_zone->text().trimmed().toStdString();
    }
    // The reader of sets says what is wrong with it.
    QString problem;
    const auto read = ContextRule::fromJson(made.toJson(), tr("the rule").toStdString());
    if (!read) {
        problem = QString::fromStdString(read.error().message);
    }
    const auto& rules = m_session->draft().rules;
    for (std::size_t other = 0; other < rules.size() && problem.isEmpty(); ++other) {
        if (int(other) != m_index && rules[other].key() == made.key()) {
            problem = tr("The draft has a rule of this very condition already: change that one.");
        }
    }
    if (m_index < 0 && rules.size() >= mostRules) {
        problem = tr("A set has at most %1 rules.").arg(mostRules);
    }
    if (problem.isEmpty()) {
        m_problem->clear();
        return made;
    }
    m_problem->setStatus(Tone::Warn, problem);
    return std::nullopt;
}

void RuleDialog::refresh()
{
    const auto when = Condition(m_when->currentData().toInt());
    m_failures->setEnabled(when == Condition::RepeatedFailure);
    for (QWidget* field : {static_cast<QWidget*>(m_from), static_cast<QWidget*>(m_to),
             static_cast<QWidget*>(m_zone)}) {
        field->setEnabled(when == Condition::TimeOfDay);
    }
    m_take->setEnabled(rule().has_value());
}

void RuleDialog::take()
{
    const auto made = rule();
    if (!made) {
        return;
    }
    ThresholdSet set = m_session->draft();
    if (m_index >= 0 && m_index < int(set.rules.size())) {
        set.rules[std::size_t(m_index)] = *made;
    } else {
        set.rules.push_back(*made);
    }
    m_session->edit(set, m_index < 0 ? tr("a context rule added") : tr("a context rule changed"));
    accept();
}

} // namespace sluice::ui

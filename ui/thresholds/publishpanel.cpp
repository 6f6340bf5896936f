#include "ui/thresholds/publishpanel.h"

#include "ui/shell/button.h"
#include "ui/shell/confirmdialog.h"
#include "ui/shell/console.h"
#include "ui/shell/format.h"
#include "ui/shell/infobanner.h"
#include "ui/thresholds/versionsview.h"

#include <QComboBox>
#include <QFormLayout>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QVBoxLayout>

namespace sluice::ui {

PublishPanel::PublishPanel(Console* console, TuningSession* session, Pools* pools, QWidget* parent)
    : Card(tr("Publish"), {}, parent)
    , m_console(console)
    , m_session(session)
    , m_pools(pools)
{
    content()->setSpacing(6);
    m_served = new Text(FontRole::Base, Ink::Muted, {}, this);
    m_served->setWordWrap(true);
    content()->addWidget(m_served);
    auto* proposal = new QHBoxLayout;
    m_proposed = new Text(FontRole::Base, Ink::Warn, {}, this);
    m_proposed->setWordWrap(true);
    m_approve = new Button(tr("Approve…"), ButtonRole::Plain, this);
    proposal->addWidget(m_proposed, 1);
    proposal->addWidget(m_approve);
    content()->addLayout(proposal);
    m_banner = new InfoBanner(this);
    content()->addWidget(m_banner);
    m_pool = new QComboBox(this);
    m_pool->addItems(Pools::names());
    m_pool->setAccessibleName(tr("Pool"));
    m_comment = new QLineEdit(this);
    m_comment->setPlaceholderText(tr("Why (kept with the set)"));
    m_comment->setAccessibleName(tr("Comment"));
    m_comment->setMaxLength(500);
    auto* line = new QHBoxLayout;
    line->addWidget(m_pool);
    line->addWidget(m_comment, 1);
    content()->addLayout(line);
    m_back = new Button(tr("Undo last publish"), ButtonRole::Plain, this);
    m_back->setToolTip(tr("Points the pool back to the set before the present one"));
    m_publish = new Button({}, ButtonRole::Primary, this);
    auto* buttons = new QHBoxLayout;
    buttons->addWidget(m_back);
    buttons->addStretch();
    buttons->addWidget(m_publish);
    content()->addLayout(buttons);

    connect(m_publish, &Button::clicked, this, &PublishPanel::publish);
    connect(m_approve, &Button::clicked, this, &PublishPanel::approve);
    connect(m_back, &Button::clicked, this, [this] { m_pools->goBack(pool()); });
    connect(m_pool, &QComboBox::currentTextChanged, this, [this](const QString& pool) {
        Q_EMIT poolChanged(pool);
        refresh();
    });
    connect(pools, &Pools::changed, this, &PublishPanel::refresh);
    connect(pools, &Pools::said, this, [this](Tone tone, const QString& text) {
        m_banner->show(tone, text, tone == Tone::Bad && isStale() ? tr("Compare") : QString());
    });
    connect(pools, &Pools::published, this, [this](const QString& pool, qint64 number) {
        m_seen[pool] = number;
        m_comment->clear();
        m_session->undoStack()->setClean();
    });
    connect(session, &TuningSession::figuresChanged, this, &PublishPanel::refresh);
    connect(m_banner, &InfoBanner::actionTriggered, this, [this] {
        const auto active = m_pools->active(pool());
        m_seen[pool()] = active ? active->number : 0;
        m_banner->dismiss();
        Q_EMIT differenceWanted();
    });
    refresh();
}

QString PublishPanel::pool() const
{
    return m_pool->currentText();
}

bool PublishPanel::isStale() const
{
    const auto active = m_pools->active(pool());
    const auto seen = m_seen.find(pool());
    return seen != m_seen.end() && seen->second != (active ? active->number : 0);
}

/// The set under the draft changes while somebody works: said at once, not at the end.
void PublishPanel::watchOthers()
{
    if (!m_pools->isConnected()) {
        m_seen.clear();
        return;
    }
    for (const QString& name : Pools::names()) {
        const auto active = m_pools->active(name);
        const qint64 now = active ? active->number : 0;
        const auto seen = m_seen.find(name);
        if (seen == m_seen.end() || m_session->undoStack()->isClean()) {
            m_seen[name] = now;
            continue;
        }
        if (seen->second == now || m_pools->isBusy() || name != pool() || m_told[name] == now) {
            continue;
        }
        QString who = tr("somebody");
        for (const ops::Publication& one : m_pools->publications()) {
            if (one.pool == name && one.to == now && !one.by.isEmpty()) {
                who = one.by;
                break;
            }
        }
        if (who != m_console->user()) {
            m_told[name] = now;
            m_banner->show(Tone::Warn,
                tr("%1 pointed %2 to set %3 while you worked from set %4.")
                    .arg(who, name)
                    .arg(now)
                    .arg(seen->second),
                tr("Compare"));
        } else {
            m_seen[name] = now;
        }
    }
}

QString PublishPanel::whyNot() const
{
    if (!m_session->hasData()) {
        return tr("Load labelled rows first: a set is published after it was looked at.");
    }
    const QString own = QString::fromStdString(m_session->classifier().model().hash());
    const QString other = m_pools->otherModel(pool(), own);
    if (!other.isEmpty()) {
        return tr("The workers of %1 run model %2, and this draft is bound to model %3: thresholds "
                  "of one model mean nothing to another.")
            .arg(pool(), format::shortHash(other), format::shortHash(own));
    }
    const std::string& bound = m_session->draft().model;
    if (!bound.empty() && bound != own.toStdString()) {
        return tr("This draft is bound to model %1, not to the loaded one.")
            .arg(format::shortHash(QString::fromStdString(bound)));
    }
    return {};
}

bool PublishPanel::mayPublish() const
{
    const ops::Proposal proposal = m_pools->proposal(pool());
    return !proposal.approvalRequired
        || (proposal.set && !proposal.approvedBy.isEmpty()
            && proposal.set->contentHash() == m_session->draft().contentHash());
}

void PublishPanel::refresh()
{
    watchOthers();
    const QString name = pool();
    const auto active = m_pools->active(name);
    const QString why = active && !active->comment.empty()
        ? QString(QStringLiteral(": ") % QString::fromStdString(active->comment))
        : QString();
    m_served->setText(!m_pools->trouble().isEmpty() ? m_pools->trouble()
            : active                                ? tr("%1 serves set %2: global %3, by %4%5")
                           .arg(name)
                           .arg(active->number)
                           .arg(format::fixed(active->global, 3),
                               QString::fromStdString(active->author), why)
                     : tr("%1 serves the model's own thresholds").arg(name));
    const ops::Proposal proposal = m_pools->proposal(name);
    const bool open = proposal.set && proposal.approvalRequired
        && (!active || proposal.set->contentHash() != active->contentHash());
    m_proposed->setVisible(open || proposal.approvalRequired);
    m_proposed->setText(!open ? tr("◌ %1 asks for a second person's approval").arg(name)
            : proposal.approvedBy.isEmpty() ? tr("◌ proposed by %1, not approved yet")
                                                  .arg(QString::fromStdString(proposal.set->author))
                                            : tr("✓ approved by %1").arg(proposal.approvedBy));
    const bool writable =
        m_pools->isConnected() && !m_pools->isBusy() && !m_console->environment().readOnly;
    m_approve->setVisible(open && proposal.approvedBy.isEmpty()
        && QString::fromStdString(proposal.set->author) != m_console->user());
    m_approve->setEnabled(writable);
    m_publish->setText(
        mayPublish() ? tr("Publish to %1…").arg(name) : tr("Propose for %1…").arg(name));
    m_publish->setEnabled(writable && m_session->hasData());
    m_publish->setToolTip(m_pools->isConnected() ? QString() : tr("Nothing is connected"));
    m_back->setEnabled(writable && active);
}

void PublishPanel::ask(const QString& title, const QString& object, const QString& consequence,
    const QString& verb, std::function<void()> then)
{
    Confirmation question;
    question.title = title;
    question.object = object;
    question.consequence = consequence;
    question.verb = verb;
    question.environment = m_console->environment().name;
    question.production = m_console->environment().production;
    auto* dialog = new ConfirmDialog(question, this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    connect(dialog, &QDialog::accepted, this, std::move(then));
    dialog->open();
}

void PublishPanel::publish()
{
    if (const QString reason = whyNot(); !reason.isEmpty()) {
        m_banner->show(Tone::Bad, reason);
        return;
    }
    const QString name = pool();
    const auto active = m_pools->active(name);
    const ThresholdSet before =
        active ? *active : m_session->classifier().model().defaultThresholds();
    const QString changes =
        tr("against %1:\n%2")
            .arg(active ? tr("set %1").arg(active->number) : tr("the model's own thresholds"),
                differenceText(before, m_session->draft(), 8));
    ThresholdSet set = m_session->draft();
    set.comment = m_comment->text().toStdString();
    const auto seen = m_seen.find(name);
    const qint64 expected = seen != m_seen.end() ? seen->second : active ? active->number : 0;
    if (!mayPublish()) {
        ask(tr("Propose a threshold set for %1").arg(name), changes,
            tr("A lead is asked to approve exactly this set; then it can be published."),
            tr("Propose for %1").arg(name), [this, set, name] { m_pools->propose(set, name); });
        return;
    }
    ask(tr("Publish a threshold set to %1").arg(name), changes,
        tr("The workers serve it within a second. \"Undo last publish\" brings the present one "
           "back."),
        tr("Publish to %1").arg(name),
        [this, set, name, expected] { m_pools->publish(set, name, expected); });
}

void PublishPanel::approve()
{
    const QString name = pool();
    const ops::Proposal proposal = m_pools->proposal(name);
    if (!proposal.set) {
        return;
    }
    const auto active = m_pools->active(name);
    const ThresholdSet before = active ? *active : ThresholdSet();
    ask(tr("Approve the set proposed for %1").arg(name),
        tr("by %1 (%2), against %3:\n%4")
            .arg(QString::fromStdString(proposal.set->author),
                QString::fromStdString(proposal.set->comment),
                active ? tr("set %1").arg(active->number) : tr("the model's own thresholds"),
                differenceText(before, *proposal.set, 8)),
        tr("An admin can publish exactly this set then."), tr("Approve for %1").arg(name),
        [this, name] { m_pools->approve(name); });
}

void PublishPanel::askActivate(qint64 number)
{
    const QString name = pool();
    const auto active = m_pools->active(name);
    ask(tr("Serve set %1 on %2 again").arg(number).arg(name),
        active ? tr("instead of set %1").arg(active->number)
               : tr("instead of the model's own thresholds"),
        tr("The workers serve it within a second. \"Undo last publish\" brings the present one "
           "back."),
        tr("Serve set %1").arg(number), [this, number, name] {
            m_pools->activate(number, name, tr("set %1 again on %2").arg(number).arg(name));
        });
}

} // namespace sluice::ui

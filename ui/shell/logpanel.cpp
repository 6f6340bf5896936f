#include "ui/shell/logpanel.h"

#include "ui/shell/format.h"
#include "ui/shell/text.h"

#include <QHBoxLayout>
#include <QLineEdit>
#include <QPlainTextEdit>

namespace sluice::ui {

namespace {

constexpr int mostLines = 2000;

QString endOf(const Job& job, Job::State state)
{
    switch (state) {
    case Job::State::Done:
        return LogPanel::tr("%1: done").arg(job.title());
    case Job::State::Cancelled:
        return LogPanel::tr("%1: stopped").arg(job.title());
    case Job::State::Failed:
        return LogPanel::tr("%1: failed: %2")
            .arg(
                job.title(), job.error() ? QString::fromStdString(job.error()->text()) : QString());
    case Job::State::Running:
        break;
    }
    return {};
}

} // namespace

LogPanel::LogPanel(Console* console, QWidget* parent)
    : QFrame(parent)
    , m_console(console)
    , m_filter(new QLineEdit(this))
    , m_view(new QPlainTextEdit(this))
{
    setFixedHeight(190);
    m_filter->setPlaceholderText(tr("Filter the log"));
    m_filter->setAccessibleName(tr("Filter the log"));
    m_filter->setClearButtonEnabled(true);
    m_filter->setMaximumWidth(280);
    m_view->setReadOnly(true);
    m_view->setFrameShape(QFrame::NoFrame);
    m_view->setAccessibleName(tr("Log of this run"));
    m_view->setMaximumBlockCount(mostLines);
    m_view->setFont(theme().font(FontRole::Small));
    auto* head = new QHBoxLayout;
    head->addWidget(new Text(FontRole::CardTitle, Ink::Muted, tr("Log of this run"), this));
    head->addStretch();
    head->addWidget(m_filter);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(14, 6, 14, 8);
    layout->addLayout(head);
    layout->addWidget(m_view, 1);
    connect(m_filter, &QLineEdit::textChanged, this, &LogPanel::refilter);
    connect(console, &Console::notified, this,
        [this](const Notification& said) { add(said.tone, said.text); });
    connect(console->jobs(), &Jobs::changed, this, &LogPanel::watchJobs);
    for (auto said = console->notifications().rbegin(); said != console->notifications().rend();
         ++said) {
        add(said->tone, said->text);
    }
}

void LogPanel::add(Tone tone, const QString& text)
{
    const QString line = format::clock(QDateTime::currentDateTimeUtc()) % QStringLiteral("  ")
        % Theme::glyph(tone) % u' ' % text;
    m_lines << line;
    if (m_lines.size() > mostLines) {
        m_lines.removeFirst();
    }
    if (m_filter->text().isEmpty() || line.contains(m_filter->text(), Qt::CaseInsensitive)) {
        m_view->appendPlainText(line);
    }
}

void LogPanel::watchJobs()
{
    for (Job* job : m_console->jobs()->running()) {
        if (m_jobs.contains(job->id())) {
            continue;
        }
        m_jobs << job->id();
        connect(job, &Job::finished, this, [this, job](Job::State state) {
            m_jobs.removeOne(job->id());
            add(state == Job::State::Failed ? Tone::Bad : Tone::None, endOf(*job, state));
        });
    }
}

void LogPanel::refilter()
{
    m_view->setPlainText(m_lines.filter(m_filter->text(), Qt::CaseInsensitive).join(u'\n'));
}

QString LogPanel::text() const
{
    return m_view->toPlainText();
}

} // namespace sluice::ui

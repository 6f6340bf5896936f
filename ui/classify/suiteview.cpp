#include "ui/classify/suiteview.h"

#include "ui/classify/answertext.h"
#include "ui/classify/quiettable.h"
#include "ui/classify/targetpicker.h"
#include "ui/shell/button.h"
#include "ui/shell/card.h"
#include "ui/shell/console.h"
#include "ui/shell/format.h"
#include "ui/shell/infobanner.h"
#include "ui/shell/stateview.h"

#include <QFileDialog>
#include <QFileInfo>
#include <QHeaderView>
#include <QTableWidget>
#include <QVBoxLayout>

namespace sluice::ui {

namespace {

enum Column
{
    Outcome,
    QueryColumn,
    Expected,
    Given,
    Note,
    Columns
};

QString expectedText(const ops::Expectation& expected)
{
    QStringList parts;
    if (expected.verdict) {
        parts << answertext::verdict(*expected.verdict);
    }
    if (!expected.intent.empty()) {
        parts << QString::fromStdString(expected.intent);
    }
    for (const auto& [type, value] : expected.entities) {
        parts << QString::fromStdString(type + " = " + value);
    }
    return parts.join(u' ');
}

} // namespace

SuiteView::SuiteView(Console* console, ClassifySettings* settings, QWidget* parent)
    : QWidget(parent)
    , m_console(console)
    , m_settings(settings)
    , m_state(new StateView(this))
    , m_picker(new TargetPicker(console, tr("Who answers the suite"), this))
    , m_table(new QTableWidget(0, Columns, this))
    , m_summary(new Text(FontRole::Title, Ink::Text, {}, this))
    , m_file(new Text(FontRole::Base, Ink::Muted, {}, this))
    , m_banner(new InfoBanner(this))
    , m_run(new Button(tr("Run the suite"), ButtonRole::Primary, this))
{
    auto* open = new Button(tr("Open a suite…"), ButtonRole::Plain, this);
    open->setToolTip(tr("A file of test cases; new ones are saved to it too"));
    m_run->setToolTip(tr("Asks every case on the chosen target (F5)"));
    m_file->setElided(true);
    auto* bar = new QHBoxLayout;
    bar->setSpacing(10);
    bar->addWidget(open);
    bar->addWidget(m_file, 1);
    bar->addWidget(m_picker);
    bar->addWidget(m_run);
    dressTable(m_table, tr("Test cases"));
    m_table->setHorizontalHeaderLabels(
        {tr("Outcome"), tr("Query"), tr("Expected"), tr("Given"), tr("Note")});
    m_table->setColumnWidth(Outcome, 110);
    m_table->setColumnWidth(QueryColumn, 380);
    m_table->setColumnWidth(Expected, 260);
    m_table->setColumnWidth(Given, 320);
    m_table->horizontalHeader()->setStretchLastSection(true);
    auto* card = new Card(tr("Suite"), tr("the last turn of each case is judged"), this);
    card->content()->addWidget(m_summary);
    card->content()->addWidget(m_table, 1);
    m_state->setDataWidget(card);
    auto* layout = new QVBoxLayout(this);
    layout->setContentsMargins(0, 0, 0, 0);
    layout->setSpacing(10);
    layout->addLayout(bar);
    layout->addWidget(m_banner);
    layout->addWidget(m_state, 1);
    connect(open, &Button::clicked, this, [this] { this->open({}); });
    connect(m_run, &Button::clicked, this, &SuiteView::run);
    connect(m_state, &StateView::actionTriggered, this, [this] { this->open({}); });
    connect(m_state, &StateView::retryRequested, this, &SuiteView::reload);
    connect(m_state, &StateView::cancelRequested, this, [this] {
        if (m_job) {
            m_job->cancel();
        }
    });
    connect(m_picker, &TargetPicker::failed, this,
        [this](const QString& text) { m_banner->show(Tone::Bad, text); });
    connect(m_table, &QTableWidget::itemActivated, this, [this](QTableWidgetItem* item) {
        Q_EMIT queryChosen(m_table->item(item->row(), QueryColumn)->text());
    });
    reload();
}

void SuiteView::open(const QString& file)
{
    const QString chosen = file.isEmpty()
        ? QFileDialog::getOpenFileName(this, tr("Suite"), {}, tr("Suites (*.jsonl);;All files (*)"))
        : file;
    if (!chosen.isEmpty()) {
        m_settings->setSuiteFile(chosen);
        reload();
    }
}

void SuiteView::reload()
{
    const QString file = m_settings->suiteFile();
    m_file->setText(file);
    m_file->setToolTip(file);
    m_result.reset();
    m_run->setEnabled(false);
    if (!QFileInfo::exists(file)) {
        m_state->showEmpty(tr("No test case yet"),
            tr("Ctrl+T keeps the last answer as a test case, in %1. A suite is a file that a team "
               "can keep beside its code.")
                .arg(file),
            tr("Open a suite…"));
        return;
    }
    auto read = ops::TestSuite::read(file.toStdString());
    if (!read) {
        m_state->showError(tr("The suite can't be read"), read.error());
        return;
    }
    m_suite = std::move(*read);
    m_run->setEnabled(true);
    m_state->showData();
    showCases();
}

void SuiteView::run()
{
    const ops::QueryTarget target = m_picker->target();
    if (m_suite.cases.empty() || !target.isValid() || !m_run->isEnabled()) {
        return;
    }
    m_banner->dismiss();
    m_run->setEnabled(false);
    m_state->showLoading(tr("Asking %1").arg(target.name));
    m_job = m_console->jobs()->start<ops::SuiteResult>(
        tr("Suite %1").arg(QFileInfo(m_settings->suiteFile()).fileName()), QStringLiteral("suite"),
        [suite = m_suite, target](JobControl& control) -> Result<ops::SuiteResult> {
            const double all = double(suite.cases.size());
            return ops::runSuite(
                suite, *ops::openSource(target),
                [&](std::size_t done) { control.progress(double(done) / all); },
                control.cancelFlag());
        },
        this,
        [this, name = target.name](Result<ops::SuiteResult> result) {
            m_run->setEnabled(true);
            m_state->showData();
            if (result) {
                took(std::move(*result), name);
            } else {
                m_banner->show(Tone::Bad, QString::fromStdString(result.error().text()));
            }
        });
}

void SuiteView::took(ops::SuiteResult result, const QString& target)
{
    const QString file = m_settings->suiteFile();
    const ops::SuiteMemory memory;
    if (const auto before = memory.last(file, target)) {
        ops::compareWith(result, *before);
    }
    if (const auto kept = memory.keep(file, target, result); !kept) {
        m_banner->show(Tone::Warn, QString::fromStdString(kept.error().text()));
    }
    m_result = std::move(result);
    showCases();
    const bool passed = m_result->failed() == 0;
    m_console->notify(
        passed ? Tone::Ok : Tone::Warn, m_summary->text(), QStringLiteral("classify"));
    ops::HistoryEntry entry;
    entry.kind = QStringLiteral("evaluate");
    entry.subject = tr("suite %1 on %2").arg(QFileInfo(file).fileName(), target);
    entry.outcome = passed ? QStringLiteral("passed") : QStringLiteral("failed");
    entry.details = {{QStringLiteral("file"), file},
        {QStringLiteral("cases"), qint64(m_result->cases.size())},
        {QStringLiteral("failed"), qint64(m_result->failed())},
        {QStringLiteral("newly_failing"), qint64(m_result->newlyFailing())}};
    m_console->record(entry);
}

void SuiteView::showCases()
{
    m_table->setSortingEnabled(false);
    m_table->setRowCount(int(m_suite.cases.size()));
    for (int row = 0; row < m_table->rowCount(); ++row) {
        const ops::TestCase& one = m_suite.cases[std::size_t(row)];
        const ops::CaseResult* judged = m_result && std::size_t(row) < m_result->cases.size()
            ? &m_result->cases[std::size_t(row)]
            : nullptr;
        const Tone tone = judged == nullptr ? Tone::None : judged->passed() ? Tone::Ok : Tone::Bad;
        const QString outcome = judged == nullptr ? tr("○ not run")
            : judged->passed()                    ? tr("✓ passed")
            : judged->newlyFailing                ? tr("✕ newly fails")
                                                  : tr("✕ fails");
        const QString given = judged == nullptr ? format::missing()
            : judged->passed() ? QString(answertext::verdict(judged->verdict) % u' '
                  % QString::fromStdString(judged->intent) % u' '
                  % format::fixed(judged->confidence, 2))
                               : QString::fromStdString(judged->why);
        const QStringList texts{outcome, QString::fromStdString(one.query().text),
            expectedText(one.expected), given, QString::fromStdString(one.note)};
        for (int column = 0; column < Columns; ++column) {
            auto* item = new QTableWidgetItem(texts[column]);
            item->setToolTip(texts[column]);
            if (column == Outcome) {
                item->setForeground(theme().color(tone));
            }
            m_table->setItem(row, column, item);
        }
    }
    m_table->setSortingEnabled(true);
    if (!m_result) {
        m_summary->setText(tr("%n case(s), not run yet", nullptr, int(m_suite.cases.size())));
        return;
    }
    const std::size_t all = m_result->cases.size();
    QString text = tr("%1 of %2 passed").arg(all - m_result->failed()).arg(all);
    text += m_result->hasBaseline ? tr(" · %1 newly failing").arg(m_result->newlyFailing())
                                  : tr(" · first run on this target");
    m_summary->setText(text);
    m_summary->setInk(m_result->failed() == 0 ? Ink::Ok : Ink::Bad);
}

} // namespace sluice::ui

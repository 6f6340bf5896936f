#include "ui/rollout/complaintrecorder.h"

#include "engine/classification/classifier.h"
#include "engine/operations/rollout/abreader.h"
#include "engine/operations/rollout/streamrows.h"
#include "ui/shell/complaintdialog.h"
#include "ui/shell/console.h"

namespace sluice::ui {

namespace {

constexpr qsizetype mostSearched = 20000; // decisions, from the newest on

} // namespace

ComplaintRecorder::ComplaintRecorder(Console* console, QObject* parent)
    : QObject(parent)
    , m_console(console)
    , m_inbox(new ops::FeedbackInbox(console->redis(), {}, this))
{ }

ComplaintDialog* ComplaintRecorder::ask(
    const QString& canary, const QString& stable, QWidget* parent)
{
    QStringList intents;
    if (const auto classifier = m_console->classifier()) {
        for (const std::string& known : classifier->model().labels()) {
            intents << QString::fromStdString(known);
        }
    }
    auto* dialog = new ComplaintDialog(intents, parent);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->askPool({canary, stable});
    connect(dialog, &ComplaintDialog::recorded, this, [this](ops::FeedbackItem item) {
        item.by = m_console->user();
        item.pool.isEmpty() ? findPool(item) : record(item);
    });
    dialog->open();
    return dialog;
}

void ComplaintRecorder::findPool(const ops::FeedbackItem& item)
{
    auto pool = std::make_shared<QString>();
    ops::readRows(
        m_console->redis(), {"sluice:decisions", "-", "+", mostSearched}, this,
        [pool, session = item.session.toUtf8()](const QByteArray& row, qint64) {
            // Most rows are of others: a look at the text spares the parsing.
            if (!pool->isEmpty() || !row.contains(session)) {
                return;
            }
            const auto decision = ops::decisionFromRow(row);
            if (decision && decision->session.toUtf8() == session) {
                *pool = decision->pool;
            }
        },
        [this, pool, item](const Result<qsizetype>& read) {
            if (!read) {
                Q_EMIT recorded(Tone::Bad, QString::fromStdString(read.error().text()));
            } else if (pool->isEmpty()) {
                Q_EMIT recorded(Tone::Warn,
                    tr("Not recorded: the decision log does not know the session %1 (it keeps a "
                       "share of them, perhaps under a hash). Choose the pool.")
                        .arg(item.session));
            } else {
                ops::FeedbackItem known = item;
                known.pool = *pool;
                record(known);
            }
        });
}

void ComplaintRecorder::record(const ops::FeedbackItem& item)
{
    m_inbox->record(item, this, [this, pool = item.pool](const Result<bool>& where) {
        if (!where) {
            Q_EMIT recorded(Tone::Bad, QString::fromStdString(where.error().text()));
        } else if (*where) {
            Q_EMIT recorded(
                Tone::Ok, tr("Recorded against %1: the complaints gate counts it.").arg(pool));
        } else {
            Q_EMIT recorded(Tone::Warn,
                tr("Recorded on this machine alone: Redis did not take it (a tester or a lead "
                   "may), so that no gate counts it."));
        }
    });
}

} // namespace sluice::ui

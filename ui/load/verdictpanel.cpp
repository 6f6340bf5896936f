#include "ui/load/verdictpanel.h"

#include "ui/load/loadtables.h"
#include "ui/shell/button.h"
#include "ui/shell/card.h"
#include "ui/shell/format.h"
#include "ui/shell/text.h"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QScrollArea>
#include <QTableWidget>
#include <algorithm>

namespace sluice::ui {

namespace {

constexpr int columnWidth = 330;
constexpr int rowHeight = 26;

QString intervalText(const ops::LoadCheck& check)
{
    if (!check.low || !check.high) {
        return {};
    }
    const double factor = check.unit == QLatin1StringView("share") ? 100 : 1;
    return VerdictPanel::tr("95 % interval %1 to %2")
        .arg(format::number(*check.low * factor), format::number(*check.high * factor));
}

} // namespace

VerdictPanel::VerdictPanel(QWidget* parent)
    : QWidget(parent)
    , m_verdict(new Text(FontRole::Figure, Ink::Muted, {}, this))
    , m_summary(new Text(FontRole::Base, Ink::Muted, {}, this))
    , m_checks(loadTable(tr("Targets"), {tr("target"), tr("value"), tr("limit"), {}}, this))
    , m_figures(loadTable(tr("Figures"), {tr("figure"), tr("value")}, this))
    , m_notes(new Text(FontRole::Base, Ink::Muted, {}, this))
    , m_report(new Button(tr("Report…"), ButtonRole::Plain, this))
{
    setFixedWidth(columnWidth);
    auto* rows = new QVBoxLayout(this);
    rows->setContentsMargins(0, 0, 0, 0);
    auto* card = new Card(tr("Verdict"), tr("target by target"), this);
    rows->addWidget(card);
    m_summary->setWordWrap(true);
    m_figures->horizontalHeader()->hide();
    m_notes->setWordWrap(true);
    m_notes->setAlignment(Qt::AlignTop);
    m_report->setToolTip(tr("One file, HTML or PDF, with the pictures"));
    m_report->setEnabled(false);
    card->content()->addWidget(m_verdict);
    card->content()->addWidget(m_summary);
    card->content()->addWidget(m_checks);
    card->content()->addWidget(m_figures, 1);
    auto* scroll = new QScrollArea(card);
    scroll->setWidget(m_notes);
    scroll->setWidgetResizable(true);
    scroll->setFrameShape(QFrame::NoFrame);
    scroll->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    scroll->setMaximumHeight(150);
    scroll->viewport()->setAutoFillBackground(false);
    m_notes->setAutoFillBackground(false);
    scroll->setAccessibleName(tr("Notes on the run"));
    card->content()->addWidget(scroll);
    auto* buttons = new QHBoxLayout;
    buttons->addStretch();
    buttons->addWidget(m_report);
    card->content()->addLayout(buttons);
    connect(m_report, &Button::clicked, this, &VerdictPanel::reportAsked);
    showNothing(tr("no run yet"), {});
}

QString VerdictPanel::verdict() const
{
    return m_verdict->text();
}

void VerdictPanel::showNothing(const QString& word, const QString& text, Tone tone)
{
    m_verdict->setInk(tone == Tone::Bad ? Ink::Bad : Ink::Muted);
    m_verdict->setText(
        tone == Tone::None ? word : QString(Theme::glyph(tone) % QStringLiteral(" ") % word));
    m_summary->setText(text);
    m_checks->setRowCount(0);
    m_checks->setFixedHeight(rowHeight + 6);
    m_figures->setRowCount(0);
    m_notes->setText({});
    m_report->setEnabled(false);
}

void VerdictPanel::addNote(const QString& note)
{
    m_notes->setText(m_notes->text().isEmpty() ? QString(u"△ " % note)
                                               : QString(m_notes->text() % u"\n△ " % note));
}

void VerdictPanel::show(const ops::LoadResult& result)
{
    const QString verdict = result.verdict();
    const Tone tone = toneOfVerdict(verdict);
    m_verdict->setInk(tone == Tone::Ok ? Ink::Ok
            : tone == Tone::Bad        ? Ink::Bad
            : tone == Tone::Warn       ? Ink::Warn
                                       : Ink::Muted);
    m_verdict->setText(QString(Theme::glyph(tone) % QStringLiteral(" ") % verdict));
    if (result.generatorLimited) {
        m_summary->setText(
            tr("The generator, not the service, was the limit: it started requests %1 late.")
                .arg(format::duration(result.startLagP99Ms / 1000)));
    } else if (result.state == QLatin1StringView("stopped")) {
        m_summary->setText(
            tr("Stopped after %1: no verdict.").arg(format::duration(result.elapsedSeconds)));
    } else if (result.state == QLatin1StringView("breached")) {
        m_summary->setText(tr("Ended by its own rule after %1: its targets were missed for too "
                              "long.")
                               .arg(format::duration(result.elapsedSeconds)));
    } else {
        m_summary->setText(
            tr("%1 of %2 requests answered well in %3%4.")
                .arg(format::count(double(result.succeeded)),
                    format::count(double(result.scheduled)),
                    format::duration(result.elapsedSeconds),
                    result.generator == QLatin1StringView("native") ? QString()
                                                                    : tr(", by Locust")));
    }
    m_checks->setRowCount(0);
    for (const ops::LoadCheck& check : result.checks) {
        using State = ops::CheckState;
        const bool raw = check.unit == QLatin1StringView("ms") && !result.latencyCorrected;
        const Tone own = check.state == State::Passed ? (raw ? Tone::Warn : Tone::Ok)
            : check.state == State::Failed            ? Tone::Bad
            : check.state == State::NoData            ? Tone::Warn
                                                      : Tone::None;
        const int row = m_checks->rowCount();
        const auto brief = [](QString text) { // "of a core" stands in the tool tip
            return text.remove(QStringLiteral(" of a core"));
        };
        setLoadRow(m_checks, row,
            {check.name, check.state == State::NotMeasured ? format::missing() : brief(check.value),
                QString((check.atLeast ? u"≥ " : u"< ") % brief(check.limit)), Theme::glyph(own)});
        setTone(m_checks->item(row, 3), own);
        const QString interval = intervalText(check);
        const QString said = raw ? tr("uncorrected: never a pass by itself") : interval;
        for (int column = 0; column < 4; ++column) {
            m_checks->item(row, column)
                ->setToolTip(
                    tr("%1: %2, limit %3. %4").arg(check.name, check.value, check.limit, said));
        }
        m_checks->item(row, 3)->setData(Qt::AccessibleTextRole,
            check.state == State::Passed       ? (raw ? tr("uncorrected") : tr("pass"))
                : check.state == State::Failed ? tr("fail")
                : check.state == State::NoData ? tr("no data")
                                               : tr("not measured"));
    }
    m_checks->setFixedHeight(rowHeight * (m_checks->rowCount() + 1) + 8);
    fillFigures(result);
    m_notes->setText({});
    for (const QString& note : result.notes) {
        addNote(note);
    }
    m_report->setEnabled(true);
}

void VerdictPanel::fillFigures(const ops::LoadResult& result)
{
    QList<QStringList> figures;
    for (const ops::LoadCheck& check : result.checks) {
        if (check.low && check.high) {
            const double factor = check.unit == QLatin1StringView("share") ? 100 : 1;
            figures << QStringList{tr("%1, 95 % interval").arg(check.name),
                tr("%1 to %2")
                    .arg(
                        format::number(*check.low * factor), format::number(*check.high * factor))};
        }
    }
    figures << QStringList{tr("p50"), format::duration(result.p50Ms / 1000)}
            << QStringList{tr("longest"), format::duration(result.maxMs / 1000)};
    if (result.latencyCorrected) {
        figures << QStringList{tr("p99 from the send"),
            format::duration(result.uncorrectedP99Ms / 1000)}
                << QStringList{
                       tr("own start lag, p99"), format::duration(result.startLagP99Ms / 1000)};
    }
    figures << QStringList{tr("answered a second"), format::number(result.achievedRate)}
            << QStringList{tr("generator's processor"),
                   tr("%1 cores").arg(format::number(result.generatorCpu, 2))};
    QStringList kinds = result.errors.keys();
    std::sort(kinds.begin(), kinds.end(), [&](const QString& one, const QString& other) {
        return result.errors[one] > result.errors[other];
    });
    for (const QString& kind : std::as_const(kinds)) {
        figures << QStringList{kind, format::count(double(result.errors[kind]))};
    }
    m_figures->setRowCount(0);
    for (const QStringList& figure : std::as_const(figures)) {
        setLoadRow(m_figures, m_figures->rowCount(), figure);
    }
    for (int row = 0; row < m_figures->rowCount(); ++row) {
        const QString kind = m_figures->item(row, 0)->text();
        for (const ops::ErrorSample& sample : result.errorSamples) {
            if (sample.kind == kind) {
                m_figures->item(row, 0)->setToolTip(
                    tr("second %1: %2")
                        .arg(format::number(sample.second), sample.detail.left(300)));
                break;
            }
        }
    }
}

} // namespace sluice::ui

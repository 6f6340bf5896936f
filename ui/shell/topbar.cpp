#include "ui/shell/topbar.h"

#include "ui/shell/console.h"
#include "ui/shell/format.h"
#include "ui/shell/text.h"

#include <QHBoxLayout>
#include <QPainter>
#include <algorithm>

namespace sluice::ui {

namespace {

Tone toneOf(SourceState::Kind kind)
{
    switch (kind) {
    case SourceState::Kind::Connected:
        return Tone::Ok;
    case SourceState::Kind::Connecting:
        return Tone::Warn;
    case SourceState::Kind::Lost:
        return Tone::Bad;
    case SourceState::Kind::NotConfigured:
        break;
    }
    return Tone::None;
}

QString describe(Source source, const SourceState& state, const QDateTime& now)
{
    const QString name = Console::sourceName(source);
    switch (state.kind) {
    case SourceState::Kind::Connected:
        return source == Source::Redis && state.latencyMs > 0
            ? QString(name + QLatin1Char(' ') + format::duration(state.latencyMs / 1000))
            : QString(name + QLatin1Char(' ') + format::age(state.lastAnswer, now));
    case SourceState::Kind::Connecting:
        return TopBar::tr("%1 connecting").arg(name);
    case SourceState::Kind::Lost:
        return state.lastAnswer.isValid()
            ? TopBar::tr("%1 lost for %2").arg(name, format::age(state.lastAnswer, now))
            : TopBar::tr("%1 lost").arg(name);
    case SourceState::Kind::NotConfigured:
        break;
    }
    return {};
}

} // namespace

TopBar::TopBar(Console* console, QWidget* parent)
    : QFrame(parent)
    , m_console(console)
    , m_title(new Text(FontRole::Title))
    , m_chips(new QHBoxLayout)
    , m_bell(new Chip)
    , m_environment(new Chip)
    , m_range(new Chip)
    , m_live(new Chip)
{
    setFixedHeight(48);
    auto* layout = new QHBoxLayout(this);
    layout->setContentsMargins(16, 0, 14, 0);
    layout->setSpacing(10);
    layout->addWidget(m_title);
    m_chips->setSpacing(8);
    layout->addSpacing(6);
    layout->addLayout(m_chips);
    layout->addStretch(1);
    auto* palette =
        new Chip({tr("Ctrl+K"), {}, {}, {}, tr("Command palette: every action, by its name")});
    palette->setClickable(true);
    palette->setAccessibleName(tr("Command palette"));
    layout->addWidget(palette);
    for (Chip* chip : {m_bell, m_environment, m_range, m_live}) {
        chip->setClickable(true, chip == m_environment || chip == m_range);
        layout->addWidget(chip);
    }
    m_bell->setObjectName(QStringLiteral("notifications"));
    m_environment->setObjectName(QStringLiteral("environment"));
    m_range->setObjectName(QStringLiteral("range"));
    m_live->setObjectName(QStringLiteral("live"));
    connect(palette, &Chip::clicked, this, &TopBar::paletteRequested);
    connect(m_bell, &Chip::clicked, this, &TopBar::notificationsRequested);
    connect(m_environment, &Chip::clicked, this, &TopBar::environmentMenuRequested);
    connect(m_range, &Chip::clicked, this, &TopBar::rangeMenuRequested);
    connect(m_live, &Chip::clicked, this, [this] { m_console->setLive(!m_console->isLive()); });
    connect(console, &Console::environmentChanged, this, &TopBar::refresh);
    connect(console, &Console::sourceChanged, this, &TopBar::refresh);
    connect(console, &Console::timeRangeChanged, this, &TopBar::refresh);
    connect(console, &Console::liveChanged, this, &TopBar::refresh);
    connect(console, &Console::notified, this, &TopBar::refresh);
    connect(&m_tick, &QTimer::timeout, this, &TopBar::refresh);
    m_tick.start(1000);
    refresh();
}

void TopBar::setPage(const QString& title, const QList<ChipText>& chips)
{
    m_title->setText(title);
    while (QLayoutItem* item = m_chips->takeAt(0)) {
        delete item->widget();
        delete item;
    }
    for (const ChipText& chip : chips) {
        m_chips->addWidget(new Chip(chip));
    }
}

QString TopBar::rangeText(const TimeRange& range)
{
    if (!range.isAbsolute()) {
        return tr("Last %1").arg(format::duration(range.seconds));
    }
    const auto clock = [](double time) {
        return QDateTime::fromMSecsSinceEpoch(static_cast<qint64>(time * 1000))
            .toString(QStringLiteral("HH:mm:ss"));
    };
    return QString(clock(range.start) + QStringLiteral(" – ") + clock(range.end));
}

void TopBar::refresh()
{
    const QDateTime now = QDateTime::currentDateTimeUtc();
    const auto fresh =
        std::count_if(m_console->notifications().begin(), m_console->notifications().end(),
            [](const Notification& n) { return n.tone == Tone::Bad || n.tone == Tone::Warn; });
    m_bell->setChip({fresh == 0 ? tr("No news") : tr("%n warning(s)", nullptr, int(fresh)), {}, {},
        fresh == 0 ? std::nullopt : std::optional(Tone::Warn), tr("What happened in this run")});

    if (!m_console->hasEnvironment()) {
        m_environment->setChip({{}, tr("not connected"), {}, Tone::None,
            tr("Start the local stack, or connect to an environment")});
    } else {
        QStringList parts;
        QStringList details;
        Tone worst = Tone::Ok;
        for (const Source source : {Source::Redis, Source::Prometheus, Source::Balancer}) {
            const SourceState state = m_console->source(source);
            const QString text = describe(source, state, now);
            if (text.isEmpty()) {
                continue;
            }
            const Tone tone = toneOf(state.kind);
            // The balancer is named when it is in trouble only: the line is short.
            if (source != Source::Balancer || tone != Tone::Ok) {
                parts.append(text);
            }
            if (tone == Tone::Bad || (tone == Tone::Warn && worst == Tone::Ok)) {
                worst = tone;
            }
            details.append(
                state.error.isEmpty() ? text : QString(text + QStringLiteral(": ") + state.error));
        }
        const ops::Environment& environment = m_console->environment();
        m_environment->setChip({{},
            environment.production ? tr("%1 (production)").arg(environment.name) : environment.name,
            parts.isEmpty() ? QString()
                            : QString(QStringLiteral(" · ") + parts.join(QStringLiteral(" · "))),
            worst, details.join(QLatin1Char('\n'))});
    }
    m_range->setChip({rangeText(m_console->timeRange()), {}, {}, {}, tr("What the charts show")});
    m_live->setChip(m_console->isLive()
            ? ChipText{{}, tr("Live"), {}, Tone::Ok, tr("Click to let the charts stand still")}
            : ChipText{{}, tr("Paused"), {}, Tone::Warn, tr("Click to follow the time again")});
}

void TopBar::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    painter.fillRect(rect(), theme().colors().card);
    painter.setPen(theme().colors().line);
    painter.drawLine(0, height() - 1, width(), height() - 1);
}

} // namespace sluice::ui

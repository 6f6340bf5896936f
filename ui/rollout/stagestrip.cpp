#include "ui/rollout/stagestrip.h"

#include "ui/shell/format.h"
#include "ui/shell/theme.h"

#include <QPainter>
#include <algorithm>

namespace sluice::ui {

namespace {

constexpr int gap = 8;
constexpr int padding = 10;

using Phase = ops::RolloutPhase;
using State = StageBox::State;

QString clockDuration(qint64 ms)
{
    const qint64 seconds = (ms + 500) / 1000;
    if (seconds < 120) {
        return StageStrip::tr("%1 s").arg(seconds);
    }
    const qint64 minutes = (seconds + 30) / 60;
    return minutes < 60 ? StageStrip::tr("%1 min").arg(minutes)
        : minutes % 60 == 0
        ? StageStrip::tr("%1 h").arg(minutes / 60)
        : StageStrip::tr("%1 h %2").arg(minutes / 60).arg(minutes % 60, 2, 10, QLatin1Char('0'));
}

/// What the stage in hand says.
void describeNow(StageBox& box, const ops::RolloutState& state, const ops::PlannedStage& stage)
{
    const qint64 soak = state.plan.scaled(stage.soakMs);
    box.state = State::Now;
    switch (state.phase) {
    case Phase::Deploying:
        box.word = StageStrip::tr("deploying");
        box.line = StageStrip::tr("to %1").arg(state.canary);
        break;
    case Phase::Staging:
        box.word = StageStrip::tr("testing");
        box.line = StageStrip::tr("on %1").arg(state.canary);
        break;
    case Phase::Shifting:
        box.word = StageStrip::tr("shifting");
        box.line = state.applied ? StageStrip::tr("until it is seen in the traffic")
                                 : StageStrip::tr("telling the balancers");
        break;
    case Phase::Warm:
        box.state = State::Passed;
        box.word = StageStrip::tr("live");
        box.line = StageStrip::tr("%1 stays warm").arg(state.stable);
        break;
    default:
        box.state = state.phase == Phase::Waiting || state.paused || !state.hold.isEmpty()
            ? State::Held
            : State::Now;
        box.word = state.paused             ? StageStrip::tr("paused")
            : state.phase == Phase::Waiting ? StageStrip::tr("waits")
            : !state.hold.isEmpty()         ? StageStrip::tr("clock stands")
                                            : StageStrip::tr("soaking");
        box.line = StageStrip::tr("%1 of %2 watched")
                       .arg(clockDuration(std::min(state.watchedMs, soak)), clockDuration(soak));
        box.progress =
            soak > 0 ? std::clamp(double(state.watchedMs) / double(soak), 0.0, 1.0) : 1.0;
        box.left = state.phase == Phase::Waiting
            ? StageStrip::tr("soak is over")
            : StageStrip::tr("%1 left").arg(clockDuration(state.soakLeftMs()));
        break;
    }
}

QString glyphOf(State state)
{
    switch (state) {
    case State::Passed:
        return Theme::glyph(Tone::Ok);
    case State::Failed:
        return Theme::glyph(Tone::Bad);
    case State::Held:
        return Theme::glyph(Tone::Warn);
    case State::Now:
        return QStringLiteral("●");
    case State::Ahead:
        break;
    }
    return Theme::glyph(Tone::None);
}

QColor inkOf(State state)
{
    const Colors& colors = theme().colors();
    switch (state) {
    case State::Passed:
        return colors.ok;
    case State::Failed:
        return colors.bad;
    case State::Held:
        return colors.warn;
    case State::Now:
        return colors.accent;
    case State::Ahead:
        break;
    }
    return colors.muted;
}

} // namespace

QList<StageBox> stageBoxes(const ops::RolloutState& state)
{
    QList<StageBox> boxes;
    const bool back = state.phase == Phase::RollingBack || state.phase == Phase::RolledBack;
    for (qsizetype index = 0; index < state.plan.stages.size(); ++index) {
        const ops::PlannedStage& stage = state.plan.stages[index];
        StageBox box;
        box.name = stage.name;
        if (stage.kind == ops::PlannedStage::Kind::Deploy) {
            box.name = StageStrip::tr("Deploy");
        } else if (stage.kind == ops::PlannedStage::Kind::Staging) {
            box.name = StageStrip::tr("Staging");
        }
        if (stage.kind == ops::PlannedStage::Kind::Share) {
            box.line = stage.shareBasisPoints >= 10000
                ? StageStrip::tr("the pools change roles")
                : clockDuration(state.plan.scaled(stage.soakMs));
        }
        // At 100 % no stage is in hand: the last one says how long the way back is open.
        const bool isLast = index + 1 == state.plan.stages.size();
        if (state.phase == Phase::Warm && isLast) {
            describeNow(box, state, stage);
        } else if (state.phase == Phase::Finished || index < state.stage) {
            box.state = State::Passed;
            box.word = StageStrip::tr("passed");
            if (stage.kind == ops::PlannedStage::Kind::Share && stage.shareBasisPoints < 10000) {
                box.line = StageStrip::tr("%1 watched").arg(box.line);
            }
        } else if (index == state.stage && back) {
            box.state = State::Failed;
            box.word = state.phase == Phase::RolledBack ? StageStrip::tr("rolled back")
                                                        : StageStrip::tr("rolling back");
            box.line = StageStrip::tr("everything to %1").arg(state.stable);
        } else if (index == state.stage && state.isActive()) {
            describeNow(box, state, stage);
        }
        boxes << box;
    }
    return boxes;
}

StageStrip::StageStrip(QWidget* parent)
    : QWidget(parent)
{
    setAccessibleName(tr("Stages"));
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
}

void StageStrip::setBoxes(const QList<StageBox>& boxes)
{
    m_boxes = boxes;
    QStringList said;
    for (const StageBox& box : boxes) {
        said << QStringList{box.name, box.word, box.line, box.left}
                    .filter(QRegularExpression(QStringLiteral(".")))
                    .join(QStringLiteral(", "));
    }
    setAccessibleDescription(said.join(QStringLiteral("; ")));
    setToolTip(said.join(u'\n'));
    update();
}

void StageStrip::paintEvent(QPaintEvent*)
{
    if (m_boxes.isEmpty()) {
        return;
    }
    const Colors& colors = theme().colors();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    const double each = (width() - gap * double(m_boxes.size() - 1)) / double(m_boxes.size());
    for (qsizetype index = 0; index < m_boxes.size(); ++index) {
        const StageBox& box = m_boxes[index];
        const QRectF frame(double(index) * (each + gap) + 0.5, 0.5, each - 1, height() - 1);
        const bool inHand =
            box.state == State::Now || box.state == State::Held || box.state == State::Failed;
        painter.setPen(QPen(inHand ? inkOf(box.state) : colors.line, 1));
        painter.setBrush(inHand ? colors.selected : colors.card);
        painter.drawRoundedRect(frame, 8, 8);
        QRectF inner = frame.adjusted(padding, padding - 2, -padding, -padding + 2);
        painter.setFont(theme().font(FontRole::Title));
        painter.setPen(colors.text);
        const QFontMetricsF title(painter.font());
        painter.drawText(inner, Qt::AlignLeft | Qt::AlignTop,
            title.elidedText(box.name, Qt::ElideRight, inner.width()));
        double y = inner.top() + title.height() + 2;
        painter.setFont(theme().font(FontRole::Base));
        const QFontMetricsF base(painter.font());
        const auto write = [&](const QString& text, const QColor& ink) {
            if (text.isEmpty()) {
                return;
            }
            painter.setPen(ink);
            painter.drawText(QRectF(inner.left(), y, inner.width(), base.height()),
                Qt::AlignLeft | Qt::AlignVCenter,
                base.elidedText(text, Qt::ElideRight, inner.width()));
            y += base.height() + 1;
        };
        write(box.word.isEmpty() ? QString() : glyphOf(box.state) + u' ' + box.word,
            inkOf(box.state));
        write(box.line, colors.muted);
        if (box.progress >= 0) {
            const QRectF track(inner.left(), frame.bottom() - 8, inner.width(), 4);
            painter.setPen(Qt::NoPen);
            painter.setBrush(colors.line);
            painter.drawRoundedRect(track, 2, 2);
            painter.setBrush(inkOf(box.state));
            painter.drawRoundedRect(
                QRectF(track.left(), track.top(), std::max(4.0, track.width() * box.progress), 4),
                2, 2);
        }
        if (!box.left.isEmpty()) {
            painter.setFont(theme().font(FontRole::CardTitle));
            write(box.left, colors.text);
        }
    }
}

} // namespace sluice::ui

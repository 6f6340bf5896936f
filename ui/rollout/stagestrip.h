#pragma once

#include "engine/operations/rollout/rolloutstate.h"

#include <QWidget>

namespace sluice::ui {

/// What one stage's box says.
struct StageBox
{
    enum class State
    {
        Ahead,
        Now, ///< at work or soaking
        Held, ///< soak over or blind: waits
        Passed,
        Failed
    };
    QString name;
    State state = State::Ahead;
    QString word; ///< "passed", "soaking"
    QString line; ///< "1 h 12 min of 2 h"
    double progress = -1; ///< 0..1; below 0: no bar
    QString left; ///< "48 min left"
};

/// The boxes of a rollout as it stands: what is watched counts, not what went by.
QList<StageBox> stageBoxes(const ops::RolloutState& state);

/// The stages of a plan in a row, the one in hand tinted, with its watched time as a bar.
class StageStrip : public QWidget
{
    Q_OBJECT

public:
    explicit StageStrip(QWidget* parent = nullptr);

    void setBoxes(const QList<StageBox>& boxes);
    const QList<StageBox>& boxes() const { return m_boxes; }

    QSize sizeHint() const override { return {700, 96}; }
    QSize minimumSizeHint() const override { return {420, 96}; }

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    QList<StageBox> m_boxes;
};

} // namespace sluice::ui

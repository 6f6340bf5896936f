#pragma once

#include "engine/operations/monitoring/targets.h"
#include "ui/shell/card.h"

#include <optional>

namespace sluice::ui {

class StatusLabel;
class Text;

/// One number of the service against its target: figure, limit, ✓ or ✕.
class MetricTile : public Card
{
    Q_OBJECT

public:
    MetricTile(const QString& name, const QString& limitText, QWidget* parent = nullptr);

    /// `source`: where the figure comes from, for the tool tip.
    void setFigure(const QString& figure, ops::Judgement judgement, const QString& source);
    /// How the last day was ("24 h ok"), behind the limit.
    void setDay(const QString& text);
    QString figure() const;

private:
    StatusLabel* m_state;
    Text* m_figure;
    Text* m_limit;
    QString m_limitText;
};

} // namespace sluice::ui

#pragma once

#include "engine/operations/rollout/rolloutstate.h"

#include <QTableWidget>

namespace sluice::ui {

/// plainTable() as the Rollout pages have it: the first column takes the room, figures at the
/// right.
void dressRolloutTable(QTableWidget* table, const QString& name);
/// Words wrap, rows are as high as they need.
void makeRoomy(QTableWidget* table);
/// Sets a cell without making it anew, so that a selection or tooltip in hand stays.
void setCell(QTableWidget* table, int row, int column, const QString& text, const QColor& ink = {},
    const QString& toolTip = {});

/// The gates of a stage: metric, value of the canary, of the stable pool, limit, verdict; the query
/// and the reason on hover, the query to copy in the context menu.
class GateTable : public QTableWidget
{
    Q_OBJECT

public:
    explicit GateTable(QWidget* parent = nullptr);

    void setReadings(const ops::RolloutState& state);
    /// "5 pass · 1 not yet · 1 no data"
    static QString summary(const QList<ops::GateReading>& readings);

protected:
    void contextMenuEvent(QContextMenuEvent* event) override;

private:
    QStringList m_queries;
};

} // namespace sluice::ui

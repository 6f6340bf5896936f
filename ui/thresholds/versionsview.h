#pragma once

#include "ui/thresholds/pools.h"
#include "ui/thresholds/tuningsession.h"

#include <QWidget>

class QTableWidget;

namespace sluice::ui {

class Button;
class Text;

/// Which worker serves which set, and all sets that were published: who, when, why, and what they
/// changed; any of them becomes the draft, or the pool's set again, with one button.
class VersionsView : public QWidget
{
    Q_OBJECT

public:
    VersionsView(TuningSession* session, Pools* pools, QWidget* parent = nullptr);
    void setPool(const QString& pool);
    QTableWidget* workers() const { return m_workers; }
    QTableWidget* versions() const { return m_versions; }
    Button* backButton() const { return m_back; }
    Text* difference() const { return m_diff; }

Q_SIGNALS:
    void activateRequested(qint64 number);

private:
    void refresh();
    void showWorkers();
    void showVersions();
    void showDifference();
    const ThresholdSet* current() const;

    TuningSession* m_session;
    Pools* m_pools;
    QString m_pool;
    QTableWidget* m_workers;
    QTableWidget* m_versions;
    Text* m_diff;
    Button* m_open;
    Button* m_back;
};

/// "global: 0.5 -> 0.62", one a line; what two sets decide differently.
QString differenceText(const ThresholdSet& before, const ThresholdSet& after, int most);

} // namespace sluice::ui

#pragma once

#include "engine/base/result.h"
#include "engine/operations/loadtest/comparison.h"
#include "ui/shell/workspace.h"

#include <optional>

class QLabel;
class QTableWidget;

namespace sluice::ui {

class Button;
class Card;
class ChartGroup;
class Console;
class InfoBanner;
class LiveChart;
class StateView;
class Text;

/// The runs that were kept: opened again, two of them compared, one made the baseline of its
/// scenario.
class RunsPage : public QWidget
{
    Q_OBJECT

public:
    explicit RunsPage(Console* console, QWidget* parent = nullptr);

    void reload(); ///< reads the folder of runs in the background
    QTableWidget* table() const { return m_table; }
    QTableWidget* differenceTable() const { return m_differences; }
    StateView* stateView() const { return m_state; }
    Button* openButton() const { return m_open; }
    Button* compareButton() const { return m_compare; }
    Button* baselineButton() const { return m_baseline; }

Q_SIGNALS:
    void opened(const sluice::ops::LoadResult& result); ///< whole

private:
    QWidget* makeComparison();
    void fill(const QList<ops::LoadResult>& runs);
    void openRun();
    void compareRuns();
    void showComparison(const ops::LoadResult& before, const ops::LoadResult& after,
        const ops::Comparison& comparison);
    void makeBaseline();
    void updateButtons();
    QStringList selected() const; ///< ids, the older first

    Console* m_console;
    QList<ops::LoadResult> m_runs; ///< heads, newest first
    StateView* m_state;
    QTableWidget* m_table;
    Button* m_open;
    Button* m_compare;
    Button* m_baseline;
    InfoBanner* m_banner;
    Card* m_comparison;
    Text* m_sentence;
    QTableWidget* m_differences;
    ChartGroup* m_group;
    LiveChart* m_latency;
    LiveChart* m_rate;
};

} // namespace sluice::ui

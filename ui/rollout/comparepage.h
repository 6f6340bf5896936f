#pragma once

#include "engine/base/result.h"
#include "engine/operations/rollout/abcomparison.h"

#include <QWidget>
#include <functional>
#include <optional>

class QTableWidget;

namespace sluice::ui {

class Button;
class Console;
class InfoBanner;
class RolloutFeed;
class StateView;
class Text;

/// Old against new: what both pools decided, how fast, what users said, each difference with its
/// interval as text and as a picture; and the queries that are decided differently.
class ComparePage : public QWidget
{
    Q_OBJECT

public:
    ComparePage(Console* console, RolloutFeed* feed, QWidget* parent = nullptr);

    void activated();
    /// Reads and reckons anew; `then` is called once, with nothing where it can't be told.
    void compare(std::function<void(const std::optional<ops::AbComparison>&)> then = {});
    /// Shows one, as compare() does.
    void show(const ops::AbComparison& comparison);

    StateView* stateView() const { return m_state; }
    QTableWidget* measures() const { return m_measures; }
    QTableWidget* queries() const { return m_queries; }
    Text* summary() const { return m_summary; }
    const std::optional<ops::AbComparison>& comparison() const { return m_comparison; }
    /// Writes the report of what is shown; Errors: Internal, with the file's name.
    Result<void> save(const QString& file) const;

private:
    void updateState();
    void saveReport();
    void fill();

    Console* m_console;
    RolloutFeed* m_feed;
    StateView* m_state;
    Text* m_summary = nullptr;
    Text* m_agreement = nullptr;
    Text* m_left = nullptr;
    QTableWidget* m_measures = nullptr;
    QTableWidget* m_queries = nullptr;
    Button* m_again = nullptr;
    Button* m_report = nullptr;
    InfoBanner* m_banner = nullptr;
    std::optional<ops::AbComparison> m_comparison;
    std::optional<Error> m_error;
    QString m_rolloutId; ///< it is of
    bool m_busy = false;
    int m_epoch = 0; ///< late answers of another environment are dropped
};

} // namespace sluice::ui

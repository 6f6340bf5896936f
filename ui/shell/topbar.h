#pragma once

#include "ui/shell/chip.h"

#include <QFrame>
#include <QList>
#include <QTimer>

class QHBoxLayout;

namespace sluice::ui {

class Button;
class Console;
class Text;
struct TimeRange;

/// Title and chips of the page at the left; palette, notifications, environment with connection
/// state and ages, time range and Live at the right. 48 px.
class TopBar : public QFrame
{
    Q_OBJECT

public:
    explicit TopBar(Console* console, QWidget* parent = nullptr);

    void setPage(const QString& title, const QList<ChipText>& chips);
    Chip* environmentChip() const { return m_environment; }
    Chip* rangeChip() const { return m_range; }

    /// "Last 15 min", or the span.
    static QString rangeText(const TimeRange& range);

Q_SIGNALS:
    void paletteRequested();
    void notificationsRequested();
    void environmentMenuRequested();
    void rangeMenuRequested();

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    void refresh();

    Console* m_console;
    Text* m_title;
    QHBoxLayout* m_chips;
    Chip* m_bell;
    Chip* m_environment;
    Chip* m_range;
    Chip* m_live;
    QTimer m_tick;
};

} // namespace sluice::ui

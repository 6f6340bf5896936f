#pragma once

#include "ui/shell/tour.h"
#include <QHash>

#include <QWidget>

class QTableWidget;

namespace sluice::ops {
struct StackPart;
}

namespace sluice::ui {

class Button;
class Console;
class InfoBanner;
class Text;

/// The first page: start the local stack, with its parts coming up one by one, or connect to an
/// environment.
class WelcomePage : public QWidget
{
    Q_OBJECT

public:
    explicit WelcomePage(Console* console, QWidget* parent = nullptr);

    Button* startButton() const { return m_start; }
    Button* demoButton() const { return m_demo; }
    Button* connectButton() const { return m_connect; }

Q_SIGNALS:
    void connectRequested();
    void demoRequested();
    void tourRequested(const sluice::ui::TourPlan& plan);

private:
    void refresh();
    void showPart(const ops::StackPart& part);

    Console* m_console;
    Button* m_start;
    Button* m_demo;
    Button* m_connect;
    InfoBanner* m_banner;
    QTableWidget* m_parts;
};

} // namespace sluice::ui

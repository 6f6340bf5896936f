#pragma once

#include "ui/shell/card.h"

#include <QTimer>

namespace sluice::ui {

class Button;
class Text;
class Tour;

/// The running tour, between page and status bar: what to do now, and a ring round the control that
/// does it. Hidden while no tour runs.
class TourPanel : public Card
{
    Q_OBJECT

public:
    TourPanel(Tour* tour, QWidget* window);

    QString text() const; ///< of the step

private:
    void refresh();
    void placeRing();

    Tour* m_tour;
    QWidget* m_ring;
    Text* m_text;
    Button* m_back;
    Button* m_next;
    Button* m_end;
    QTimer m_follow; ///< the ring follows its control when the page is laid out anew
};

} // namespace sluice::ui

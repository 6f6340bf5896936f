#include "ui/shell/tourpanel.h"

#include "ui/shell/button.h"
#include "ui/shell/text.h"
#include "ui/shell/theme.h"
#include "ui/shell/tour.h"

#include <QHBoxLayout>
#include <QPainter>

namespace sluice::ui {

namespace {

constexpr int ringGap = 4;
constexpr int ringWidth = 2;
constexpr int followMs = 100;

/// Drawn over the window; the mouse goes through it.
class Ring : public QWidget
{
public:
    explicit Ring(QWidget* window)
        : QWidget(window)
    {
        setObjectName(QStringLiteral("tourRing"));
        setAttribute(Qt::WA_TransparentForMouseEvents);
        setFocusPolicy(Qt::NoFocus);
        hide();
    }

protected:
    void paintEvent(QPaintEvent*) override
    {
        QPainter painter(this);
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setPen(QPen(theme().colors().accent, ringWidth));
        const int inset = ringWidth;
        painter.drawRoundedRect(rect().adjusted(inset, inset, -inset, -inset), 7, 7);
    }
};

} // namespace

TourPanel::TourPanel(Tour* tour, QWidget* window)
    : Card({}, {}, window)
    , m_tour(tour)
    , m_ring(new Ring(window))
{
    m_text = new Text(FontRole::Base, Ink::Text, {}, this);
    m_text->setWordWrap(true);
    m_end = new Button(tr("End the tour"), ButtonRole::Flat, this);
    m_back = new Button(tr("Step back"), ButtonRole::Plain, this);
    m_next = new Button({}, ButtonRole::Plain, this);
    auto* row = new QHBoxLayout;
    row->setSpacing(10);
    row->addWidget(m_text, 1);
    row->addWidget(m_end);
    row->addWidget(m_back);
    row->addWidget(m_next);
    content()->addLayout(row);
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Maximum);
    connect(m_end, &Button::clicked, tour, &Tour::end);
    connect(m_back, &Button::clicked, tour, &Tour::back);
    connect(m_next, &Button::clicked, tour, &Tour::next);
    connect(tour, &Tour::changed, this, &TourPanel::refresh);
    m_follow.setInterval(followMs);
    connect(&m_follow, &QTimer::timeout, this, &TourPanel::placeRing);
    refresh();
}

QString TourPanel::text() const
{
    return m_text->text();
}

void TourPanel::refresh()
{
    setVisible(m_tour->isRunning());
    if (!m_tour->isRunning()) {
        m_follow.stop();
        m_ring->hide();
        return;
    }
    setTitle(m_tour->plan().title);
    setHint(tr("step %1 of %2").arg(m_tour->at() + 1).arg(m_tour->plan().steps.size()));
    setFrameColor(theme().colors().accent);
    m_text->setText(m_tour->step().text);
    m_back->setEnabled(m_tour->at() > 0);
    m_end->setVisible(!m_tour->isLast());
    m_next->setText(m_tour->isLast()                        ? tr("Finish")
            : m_tour->step().until == TourStep::Until::Read ? tr("Go on")
                                                            : tr("Skip this step"));
    m_follow.start();
    placeRing();
}

void TourPanel::placeRing()
{
    const QWidget* control = m_tour->control();
    m_ring->setVisible(control != nullptr);
    if (control == nullptr) {
        return;
    }
    const QRect place(control->mapTo(window(), QPoint()), control->size());
    m_ring->setGeometry(place.adjusted(-ringGap, -ringGap, ringGap, ringGap));
    m_ring->raise();
}

} // namespace sluice::ui

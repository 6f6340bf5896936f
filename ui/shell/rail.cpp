#include "ui/shell/rail.h"

#include "ui/shell/theme.h"

#include <QPainter>
#include <QVBoxLayout>

namespace sluice::ui {

namespace {

/// The product's letter; leads to the welcome page.
class HomeButton : public QAbstractButton
{
public:
    using QAbstractButton::QAbstractButton;
    QSize sizeHint() const override { return {34, 34}; }

protected:
    void paintEvent(QPaintEvent*) override
    {
        const Colors& c = theme().colors();
        QPainter painter(this);
        painter.setRenderHint(QPainter::Antialiasing);
        painter.setPen(Qt::NoPen);
        painter.setBrush(c.accent);
        painter.drawRoundedRect(rect(), 8, 8);
        QFont font = theme().font(FontRole::Title);
        font.setWeight(QFont::Bold);
        painter.setFont(font);
        painter.setPen(c.onAccent);
        painter.drawText(rect(), int(Qt::AlignCenter), QStringLiteral("S"));
        if (hasFocus()) {
            painter.setBrush(Qt::NoBrush);
            painter.setPen(QPen(c.text, 1.5));
            painter.drawRoundedRect(QRectF(rect()).adjusted(1, 1, -1, -1), 7, 7);
        }
    }
};

} // namespace

RailButton::RailButton(QString icon, const QString& title, QWidget* parent)
    : QAbstractButton(parent)
    , m_icon(std::move(icon))
{
    setText(title);
    setCheckable(true);
    setAutoExclusive(false);
    setCursor(Qt::PointingHandCursor);
    setFocusPolicy(Qt::TabFocus);
    setFixedSize(RailButton::sizeHint());
    setAccessibleName(title);
}

void RailButton::paintEvent(QPaintEvent*)
{
    const Colors& c = theme().colors();
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    if (isChecked() || underMouse() || hasFocus()) {
        painter.setPen(hasFocus() ? QPen(c.accent, 1) : QPen(Qt::NoPen));
        painter.setBrush(isChecked() ? c.selected : c.raised);
        painter.drawRoundedRect(QRectF(rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6);
    }
    const QColor ink = isChecked() ? c.accent : c.muted;
    painter.drawPixmap(
        QPointF(width() / 2.0 - 9, 6), theme().pixmap(m_icon, 18, ink, devicePixelRatioF()));
    painter.setFont(theme().font(FontRole::Small));
    QFont font = painter.font();
    font.setPixelSize(10);
    painter.setFont(font);
    painter.setPen(ink);
    painter.drawText(QRect(0, 27, width(), 16), int(Qt::AlignCenter), text());
}

Rail::Rail(QWidget* parent)
    : QFrame(parent)
    , m_layout(new QVBoxLayout(this))
{
    setFixedWidth(64);
    setAccessibleName(tr("Workspaces"));
    m_layout->setContentsMargins(3, 10, 3, 10);
    m_layout->setSpacing(6);
    auto* home = new HomeButton;
    home->setAccessibleName(tr("Welcome page"));
    home->setToolTip(tr("Welcome page"));
    home->setCursor(Qt::PointingHandCursor);
    home->setFixedSize(34, 34);
    connect(home, &QAbstractButton::clicked, this, &Rail::homeRequested);
    m_layout->addWidget(home, 0, Qt::AlignHCenter);
    m_layout->addSpacing(8);
    m_layout->addStretch();
}

void Rail::add(const QString& id, const QString& title, const QString& toolTip)
{
    auto* button = new RailButton(id, title);
    button->setObjectName(id);
    button->setToolTip(toolTip);
    connect(button, &QAbstractButton::clicked, this, [this, id] { Q_EMIT chosen(id); });
    m_layout->insertWidget(m_layout->count() - 1, button, 0, Qt::AlignHCenter);
    m_buttons.append(button);
}

void Rail::setCurrent(const QString& id)
{
    for (RailButton* button : std::as_const(m_buttons)) {
        button->setChecked(button->objectName() == id);
    }
}

void Rail::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    painter.fillRect(rect(), theme().colors().card);
    painter.setPen(theme().colors().line);
    painter.drawLine(width() - 1, 0, width() - 1, height());
}

} // namespace sluice::ui

#include "ui/shell/button.h"

#include "ui/shell/theme.h"

namespace sluice::ui {

Button::Button(const QString& text, ButtonRole role, QWidget* parent)
    : QPushButton(text, parent)
{
    setCursor(Qt::PointingHandCursor);
    setAutoDefault(false);
    setRole(role);
}

void Button::setRole(ButtonRole role)
{
    QFont own = theme().font(FontRole::Base);
    own.setWeight(role == ButtonRole::Flat ? QFont::Normal : QFont::DemiBold);
    setFont(own);
    switch (role) {
    case ButtonRole::Plain:
        setProperty("role", QStringLiteral("plain"));
        break;
    case ButtonRole::Primary:
        setProperty("role", QStringLiteral("primary"));
        break;
    case ButtonRole::Danger:
        setProperty("role", QStringLiteral("danger"));
        break;
    case ButtonRole::Flat:
        setProperty("role", QStringLiteral("flat"));
        break;
    }
    update();
}

} // namespace sluice::ui

#pragma once

#include <QPushButton>

namespace sluice::ui {

enum class ButtonRole
{
    Plain,
    Primary, ///< one a page, where the eye ends
    Danger, ///< outlined; never the default
    Flat
};

/// A push button in one of the roles. The accessible name is the text until another is set.
class Button : public QPushButton
{
    Q_OBJECT

public:
    explicit Button(
        const QString& text, ButtonRole role = ButtonRole::Plain, QWidget* parent = nullptr);

    void setRole(ButtonRole role);
};

} // namespace sluice::ui

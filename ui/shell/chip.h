#pragma once

#include "ui/shell/theme.h"

#include <QAbstractButton>
#include <optional>

namespace sluice::ui {

/// What a chip says: `text` with the words that matter in `strong` ("Set " + "41").
struct ChipText
{
    QString text;
    QString strong; ///< drawn semibold after the text
    QString tail; ///< drawn muted after that
    std::optional<Tone> tone; ///< a dot in that colour before it
    QString toolTip;

    bool operator==(const ChipText&) const = default;
};

/// A bordered pill. Clickable when somebody connects clicked() and calls setClickable(true): then
/// it takes focus and shows a hover.
class Chip : public QAbstractButton
{
    Q_OBJECT

public:
    explicit Chip(const ChipText& text = {}, QWidget* parent = nullptr);

    void setChip(const ChipText& text);
    const ChipText& chip() const { return m_text; }
    void setClickable(bool clickable, bool menuArrow = false);

    QSize sizeHint() const override;
    QSize minimumSizeHint() const override { return sizeHint(); }

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    ChipText m_text;
    bool m_clickable = false;
    bool m_arrow = false;
};

} // namespace sluice::ui

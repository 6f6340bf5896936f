#pragma once

#include "ui/shell/text.h"

#include <QFrame>

namespace sluice::ui {

class Button;

/// One message near its cause, until dismissed: never hides by itself.
class InfoBanner : public QFrame
{
    Q_OBJECT

public:
    explicit InfoBanner(QWidget* parent = nullptr); ///< hidden

    void show(Tone tone, const QString& text, const QString& action = {});
    void dismiss();
    QString text() const;

Q_SIGNALS:
    void actionTriggered();
    void dismissed();

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    using QFrame::show;
    Tone m_tone = Tone::None;
    Text* m_glyph;
    Text* m_text;
    Button* m_action;
};

} // namespace sluice::ui

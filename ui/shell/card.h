#pragma once

#include <QFrame>

class QLabel;
class QVBoxLayout;
class QHBoxLayout;

namespace sluice::ui {

class Text;

/// A rounded card: quiet title, a fainter half-sentence that says what is counted and over what,
/// and the content below them (content() is a vertical layout, spacing 8).
class Card : public QFrame
{
    Q_OBJECT

public:
    explicit Card(const QString& title = {}, const QString& hint = {}, QWidget* parent = nullptr);

    void setTitle(const QString& title);
    void setHint(const QString& hint);
    QVBoxLayout* content() const { return m_content; }
    /// At the right end of the title's line: a small control or a state.
    void addToTitle(QWidget* widget);
    /// A coloured frame, for the one card that matters now; invalid: the plain line.
    void setFrameColor(const QColor& color);

protected:
    void paintEvent(QPaintEvent* event) override;

private:
    QHBoxLayout* m_head;
    QVBoxLayout* m_content;
    QLabel* m_title;
    Text* m_hint;
    QColor m_frame;
};

} // namespace sluice::ui

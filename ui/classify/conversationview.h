#pragma once

#include "ui/shell/theme.h"

#include <QScrollArea>

class QVBoxLayout;

namespace sluice::ui {

/// The turns of a conversation as bubbles, newest at the bottom.
class ConversationView : public QScrollArea
{
    Q_OBJECT

public:
    explicit ConversationView(QWidget* parent = nullptr);

    /// `system`: what the system said before it; empty: nothing.
    void addTurn(const QString& system, const QString& query, Tone tone, const QString& verdict);
    void clear();
    int count() const { return m_count; }

private:
    QVBoxLayout* m_turns;
    int m_count = 0;
};

} // namespace sluice::ui

#include "ui/shell/workspace.h"

namespace sluice::ui {

Workspace::Workspace(Console* console, QString id, QString title, QWidget* parent)
    : QWidget(parent)
    , m_console(console)
    , m_id(std::move(id))
    , m_title(std::move(title))
{
    setObjectName(m_id);
    setAccessibleName(m_title);
}

void Workspace::setChips(const QList<ChipText>& chips)
{
    if (chips != m_chips) {
        m_chips = chips;
        Q_EMIT chipsChanged();
    }
}

void Workspace::setStatus(const QString& text)
{
    if (text != m_status) {
        m_status = text;
        Q_EMIT statusChanged(text);
    }
}

void Workspace::setTitle(const QString& title)
{
    if (title != m_title) {
        m_title = title;
        Q_EMIT titleChanged();
    }
}

} // namespace sluice::ui

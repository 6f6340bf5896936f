#pragma once

#include "ui/shell/chip.h"

#include <QList>
#include <QWidget>

namespace sluice::ui {

class Console;

/// One of the six pages. Registered with the main window by app/sluice; the shell includes no page.
/// Actions added with addAction() (with text, perhaps a shortcut) appear in the command palette and
/// on the shortcut sheet. The page's own layout gets no margins: the window pads it by 14.
class Workspace : public QWidget
{
    Q_OBJECT

public:
    /// `id` is lower case and serves as icon name too: "classify", "thresholds", "monitor", "load",
    /// "rollout", "history".
    Workspace(Console* console, QString id, QString title, QWidget* parent = nullptr);

    QString id() const { return m_id; }
    QString title() const { return m_title; }
    Console* console() const { return m_console; }

    /// Shown or hidden: start and stop polling, take the focus.
    virtual void activated() { }
    virtual void deactivated() { }

    const QList<ChipText>& chips() const { return m_chips; }
    /// What this page is about, at most two or three: set, release, driver.
    void setChips(const QList<ChipText>& chips);
    /// One line at the left of the status bar ("Draft saved 12:04:31").
    void setStatus(const QString& text);
    QString status() const { return m_status; }

Q_SIGNALS:
    void chipsChanged();
    void statusChanged(const QString& text);
    void titleChanged();

protected:
    void setTitle(const QString& title); ///< "Rollout 2026-11-23.1"

private:
    Console* m_console;
    QString m_id;
    QString m_title;
    QString m_status;
    QList<ChipText> m_chips;
};

} // namespace sluice::ui

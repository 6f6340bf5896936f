#pragma once

#include "ui/shell/button.h"

#include <QDialog>

class QLineEdit;

namespace sluice::ui {

/// What is about to be done.
struct Confirmation
{
    QString title; ///< "Publish set 42 to green"
    QString object; ///< what and how many: "set 42, 24 intents, to 2 workers of green"
    QString consequence; ///< what will happen, and the way back
    QString verb; ///< the button: "Publish to green"
    bool danger = false;
    QString environment; ///< against which it runs
    bool production = false;
    QString typeToConfirm; ///< the worst only: this name must be typed
    QString reasonWanted; ///< a reason must be given: what the field asks for
};

/// Asks for a decision. The button bears the verb, Cancel is the default, the environment is named.
/// Non-blocking: open() and accepted().
class ConfirmDialog : public QDialog
{
    Q_OBJECT

public:
    explicit ConfirmDialog(const Confirmation& confirmation, QWidget* parent = nullptr);

    Button* verbButton() const { return m_verb; }
    Button* cancelButton() const { return m_cancel; }
    QString reason() const; ///< as typed; empty where none was wanted

private:
    void updateVerb();

    Button* m_verb;
    Button* m_cancel;
    QString m_wanted; ///< to be typed
    QLineEdit* m_typed = nullptr;
    QLineEdit* m_reason = nullptr;
};

} // namespace sluice::ui

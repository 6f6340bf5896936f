#pragma once

#include "engine/classification/thresholds/contextrule.h"

#include <QDialog>
#include <optional>

class QComboBox;
class QDoubleSpinBox;
class QLineEdit;
class QListWidget;
class QSpinBox;
class QTimeEdit;

namespace sluice::ui {

class Button;
class StatusLabel;
class TuningSession;

/// A context adjustment, made or changed: when it holds, for which intents, and what it adds to the
/// threshold. What it would be is checked as it is typed; accepting it is one step of the draft to
/// undo.
class RuleDialog : public QDialog
{
    Q_OBJECT

public:
    /// `index` of a rule of the draft; -1: a new one.
    RuleDialog(TuningSession* session, int index, QWidget* parent = nullptr);

    /// What the fields say; nullopt with the reason shown.
    std::optional<ContextRule> rule() const;

private:
    QWidget* makeFields();
    void fill(const ContextRule& rule);
    void refresh();
    void take();

    TuningSession* m_session;
    int m_index;
    QComboBox* m_when;
    QDoubleSpinBox* m_add;
    QSpinBox* m_failures;
    QTimeEdit* m_from;
    QTimeEdit* m_to;
    QLineEdit* m_zone;
    QLineEdit* m_find;
    QListWidget* m_intents;
    StatusLabel* m_problem;
    Button* m_take;
};

} // namespace sluice::ui

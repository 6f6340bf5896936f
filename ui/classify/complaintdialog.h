#pragma once

#include "engine/operations/queries/feedbackinbox.h"

#include <QDialog>

class QComboBox;
class QLineEdit;

namespace sluice::ui {

class Button;

/// What somebody complained of, told by a person: the query, what would have been right, a note.
class ComplaintDialog : public QDialog
{
    Q_OBJECT

public:
    explicit ComplaintDialog(const QStringList& intents, QWidget* parent = nullptr);

    QLineEdit* query() const { return m_query; }
    QComboBox* label() const { return m_label; }
    Button* recordButton() const { return m_record; }

Q_SIGNALS:
    void recorded(const sluice::ops::FeedbackItem& item);

private:
    QLineEdit* m_query;
    QComboBox* m_label;
    QLineEdit* m_note;
    Button* m_record;
};

} // namespace sluice::ui

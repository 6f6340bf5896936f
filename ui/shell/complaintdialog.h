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

    /// Asks also about whom: a session, whose pool the decision log knows, or one of these pools.
    /// The query may then be empty where a note says what it is about.
    void askPool(const QStringList& pools);

    QLineEdit* query() const { return m_query; }
    QLineEdit* note() const { return m_note; }
    QLineEdit* session() const { return m_session; } ///< null without askPool()
    QComboBox* pool() const { return m_pool; }
    QComboBox* label() const { return m_label; }
    Button* recordButton() const { return m_record; }

Q_SIGNALS:
    void recorded(const sluice::ops::FeedbackItem& item);

private:
    void update();

    QLineEdit* m_session = nullptr;
    QComboBox* m_pool = nullptr;
    QLineEdit* m_query;
    QComboBox* m_label;
    QLineEdit* m_note;
    Button* m_record;
};

} // namespace sluice::ui

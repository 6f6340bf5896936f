#pragma once

#include "ui/shell/console.h"

#include <QDialog>

class QDateTimeEdit;
class QDialogButtonBox;
class QLineEdit;
class QRadioButton;

namespace sluice::ui {

class Text;

/// The time that charts show, typed in: the last so-and-so long ("90 min", "2 d"), or from when to
/// when.
class RangeDialog : public QDialog
{
    Q_OBJECT

public:
    explicit RangeDialog(const TimeRange& range, QWidget* parent = nullptr);

    /// "90 min", "1.5 h", "2 d", "30 s", "45" (minutes); none when it is nothing like that, under
    /// 10 s or over 400 days.
    static std::optional<double> seconds(const QString& text);

Q_SIGNALS:
    void chosen(const sluice::ui::TimeRange& range);

private:
    std::optional<TimeRange> range() const;
    void check();

    QRadioButton* m_isRelative;
    QRadioButton* m_isAbsolute;
    QLineEdit* m_last;
    QDateTimeEdit* m_from;
    QDateTimeEdit* m_to;
    Text* m_problem;
    QDialogButtonBox* m_buttons;
};

} // namespace sluice::ui

#pragma once

#include "engine/operations/loadtest/loadresult.h"
#include "ui/shell/theme.h"

#include <QWidget>

class QTableWidget;

namespace sluice::ui {

class Button;
class Text;

/// The verdict on a run: target by target with value, limit and interval; figures, errors, notes;
/// and its report.
class VerdictPanel : public QWidget
{
    Q_OBJECT

public:
    explicit VerdictPanel(QWidget* parent = nullptr);

    void showNothing(const QString& word, const QString& text, Tone tone = Tone::None);
    void addNote(const QString& note); ///< while it runs
    void show(const ops::LoadResult& result);

    QTableWidget* checks() const { return m_checks; }
    QString verdict() const;
    Button* reportButton() const { return m_report; }

Q_SIGNALS:
    void reportAsked();

private:
    void fillFigures(const ops::LoadResult& result);

    Text* m_verdict;
    Text* m_summary;
    QTableWidget* m_checks;
    QTableWidget* m_figures;
    Text* m_notes;
    Button* m_report;
};

} // namespace sluice::ui

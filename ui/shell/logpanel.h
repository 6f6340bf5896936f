#pragma once

#include "ui/shell/console.h"

#include <QFrame>

class QLineEdit;
class QPlainTextEdit;

namespace sluice::ui {

/// What the console did and said in this run, a line each, newest at the bottom: notifications, and
/// jobs as they begin and end. Can be filtered.
class LogPanel : public QFrame
{
    Q_OBJECT

public:
    explicit LogPanel(Console* console, QWidget* parent = nullptr);

    void add(Tone tone, const QString& text);
    QString text() const;
    QLineEdit* filter() const { return m_filter; }

private:
    void refilter();
    void watchJobs();

    Console* m_console;
    QStringList m_lines;
    QList<int> m_jobs; ///< known ones, by id
    QLineEdit* m_filter;
    QPlainTextEdit* m_view;
};

} // namespace sluice::ui

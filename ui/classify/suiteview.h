#pragma once

#include "engine/operations/queries/suiterun.h"
#include "ui/classify/classifysettings.h"

#include <QPointer>
#include <QWidget>

class QTableWidget;

namespace sluice::ui {

class Button;
class Console;
class InfoBanner;
class Job;
class StateView;
class TargetPicker;
class Text;

/// A suite of test cases: run on the chosen target, with what fails, and what newly does.
class SuiteView : public QWidget
{
    Q_OBJECT

public:
    SuiteView(Console* console, ClassifySettings* settings, QWidget* parent = nullptr);

    void reload(); ///< the suite's file as it is now
    void open(const QString& file); ///< empty: asks which
    void run();
    bool isRunning() const { return !m_job.isNull(); }

    TargetPicker* picker() const { return m_picker; }
    QTableWidget* table() const { return m_table; }
    Text* summary() const { return m_summary; }
    const std::optional<ops::SuiteResult>& result() const { return m_result; }

Q_SIGNALS:
    void queryChosen(const QString& query);

private:
    void showCases();
    void took(ops::SuiteResult result, const QString& target);

    Console* m_console;
    ClassifySettings* m_settings;
    QPointer<Job> m_job;
    ops::TestSuite m_suite;
    std::optional<ops::SuiteResult> m_result;
    StateView* m_state;
    TargetPicker* m_picker;
    QTableWidget* m_table;
    Text* m_summary;
    Text* m_file;
    InfoBanner* m_banner;
    Button* m_run;
};

} // namespace sluice::ui

#pragma once

#include "ui/classify/batchmodel.h"

#include <QPointer>
#include <QTimer>
#include <QWidget>

class QComboBox;
class QLineEdit;
class QTableView;

namespace sluice::ui {

class Button;
class Console;
class InfoBanner;
class Job;
class StateView;
class TargetPicker;
class Text;

/// A file of queries, asked one after another; a table of what came of each.
class BatchView : public QWidget
{
    Q_OBJECT

public:
    explicit BatchView(Console* console, QWidget* parent = nullptr);

    void open(const QString& file); ///< empty: asks which
    void run(); ///< again, on the chosen target
    void exportTo(const QString& file); ///< what is shown; .jsonl or CSV; empty: asks where
    bool isRunning() const { return !m_job.isNull(); }
    void cancel();

    BatchModel* model() const { return m_model; }
    QTableView* table() const { return m_table; }
    QLineEdit* filter() const { return m_filter; }
    QComboBox* show() const { return m_show; }
    TargetPicker* picker() const { return m_picker; }
    StateView* stateView() const { return m_state; }

Q_SIGNALS:
    void queryChosen(const QString& query); ///< Enter on a row, or a double click

private:
    struct Facts
    {
        std::size_t all = 0, accepted = 0, clarified = 0, errors = 0, labelled = 0, right = 0;
        std::size_t duplicates = 0;
    };
    static Facts factsOf(const std::vector<ops::BatchRow>& rows, std::size_t duplicates);
    void reorder();
    void refilter();
    void summarise(const Facts& facts);

    Console* m_console;
    QString m_file;
    QPointer<Job> m_job;
    BatchModel* m_model;
    StateView* m_state;
    QTableView* m_table;
    TargetPicker* m_picker;
    QLineEdit* m_filter;
    QComboBox* m_show;
    Text* m_summary;
    InfoBanner* m_banner;
    Button* m_run;
    Button* m_export;
    QTimer m_typing; ///< filters when the typing pauses
};

} // namespace sluice::ui

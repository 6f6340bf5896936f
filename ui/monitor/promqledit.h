#pragma once

#include <QPlainTextEdit>

class QCompleter;
class QStringListModel;

namespace sluice::ui {

/// A line or two of PromQL, completed from what the server has: metrics and functions, labels
/// within braces and after by, label values within quotes. Ctrl+Space opens the list, Ctrl+Enter
/// runs.
class PromQlEdit : public QPlainTextEdit
{
    Q_OBJECT

public:
    explicit PromQlEdit(QWidget* parent = nullptr);

    void setMetrics(const QStringList& metrics) { m_metrics = metrics; }
    void setLabels(const QStringList& labels) { m_labels = labels; }
    /// The values of a label that valuesWanted() asked for.
    void setValues(const QString& label, const QStringList& values);

    /// What may stand at the cursor, and the word that it would replace.
    struct Place
    {
        enum class Kind
        {
            Metric,
            Label,
            Value
        };
        Kind kind = Kind::Metric;
        QString label; ///< of a value
        QString word; ///< what is typed of it
    };
    static Place placeIn(const QString& text, qsizetype cursor);
    QStringList
    candidates() const; ///< for the cursor's place, those that begin with its word first

Q_SIGNALS:
    void runRequested();
    void valuesWanted(const QString& label);

protected:
    void keyPressEvent(QKeyEvent* event) override;

private:
    void offer(bool asked);
    void insert(const QString& completion);

    QCompleter* m_completer;
    QStringListModel* m_offered;
    QStringList m_metrics;
    QStringList m_labels;
    QString m_valuesOf;
    QStringList m_values;
};

} // namespace sluice::ui

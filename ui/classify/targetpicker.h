#pragma once

#include "engine/operations/queries/answersource.h"

#include <QComboBox>
#include <functional>

namespace sluice::ui {

class Console;

/// Who is asked: the engine in this program with a model of the list and its own, a published or a
/// file's threshold set; a worker of the environment, its balancer, or one by its address. The list
/// follows the environment; what has to be loaded is loaded in the background.
class TargetPicker : public QComboBox
{
    Q_OBJECT

public:
    explicit TargetPicker(Console* console, const QString& name, QWidget* parent = nullptr);

    /// Invalid while it is being loaded, or nothing can answer.
    const ops::QueryTarget& target() const { return m_target; }
    bool selectWorker(const QUrl& url); ///< false: it is not in the list
    void useWorker(const QString& name, const QUrl& url);
    void readToken();
    void refill(); ///< the list of models changed
    void selectTarget(const ops::QueryTarget& target); ///< adds it where it is new

Q_SIGNALS:
    void targetChanged();
    void failed(const QString& text); ///< the one before stays chosen

private:
    using Choose = std::function<void()>;
    struct Choice
    {
        QString name;
        QString hint;
        Choose choose;
    };

    void addChoice(const QString& name, const QString& hint, Choose choose);
    void addEngine();
    void addEnvironment();
    void take(int index);
    void set(ops::QueryTarget target);
    void usePublished(const QString& pool);
    void useModel(const QString& file, const QString& name);
    void askForModel();
    void askForThresholds();
    void askForWorker();
    void compileOn(
        std::shared_ptr<const Classifier> classifier, const ThresholdSet& set, const QString& name);
    void fail(const QString& text);

    Console* m_console;
    QList<Choice> m_choices;
    QList<ops::QueryTarget> m_added; ///< by hand: stay in the list
    ops::QueryTarget m_target;
    QString m_token; ///< for the environment's own workers
    bool m_hasToken = false; ///< the target is one of them
    QString m_chosen; ///< name of the entry
};

} // namespace sluice::ui

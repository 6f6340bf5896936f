#pragma once

#include "engine/operations/queries/retraining.h"
#include "ui/classify/classifysettings.h"

#include <QPointer>
#include <QWidget>
#include <optional>

class QComboBox;
class QLineEdit;
class QListWidget;
class QProgressBar;
class QTableWidget;

namespace sluice::ui {

class Button;
class Console;
class InfoBanner;
class Job;
class Text;

/// Trains a model on labelled data, judges it beside the one in use, and keeps it in the list of
/// models, from where it is tried, used and released.
class RetrainView : public QWidget
{
    Q_OBJECT

public:
    RetrainView(Console* console, ClassifySettings* settings, QWidget* parent = nullptr);

    void addData(const QString& file);
    void train();
    void cancel();
    void save();
    void reload(); ///< the list of models
    bool isRunning() const { return !m_job.isNull(); }

    const std::optional<ops::Retrained>& result() const { return m_result; }
    QTableWidget* scores() const { return m_scores; }
    QTableWidget* models() const { return m_models; }
    QLineEdit* note() const { return m_note; }
    Button* trainButton() const { return m_train; }
    Button* saveButton() const { return m_save; }
    InfoBanner* banner() const { return m_banner; }

Q_SIGNALS:
    void modelsChanged();

private:
    QWidget* makeData();
    QWidget* makeResult();
    QWidget* makeModels();
    QStringList files() const;
    void showResult();
    void useChosen();
    void removeChosen();
    QString chosenModel(int role) const;

    Console* m_console;
    ClassifySettings* m_settings;
    QPointer<Job> m_job;
    std::optional<ops::Retrained> m_result;
    QStringList m_trainedOn;
    QListWidget* m_data;
    QComboBox* m_tier;
    Button* m_train;
    Button* m_cancel;
    QProgressBar* m_progress;
    Text* m_doing;
    Text* m_verdict;
    QTableWidget* m_scores;
    QLineEdit* m_note;
    Button* m_save;
    QTableWidget* m_models;
    InfoBanner* m_banner;
};

} // namespace sluice::ui

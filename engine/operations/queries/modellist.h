#pragma once

#include "engine/base/result.h"
#include "engine/classification/model/model.h"

#include <QDateTime>
#include <QJsonObject>
#include <QList>
#include <QString>

namespace sluice::ops {

/// A model that was trained here, and what is known of it.
struct ModelEntry
{
    QString file; ///< absolute
    QString hash; ///< SHA-256 of the file
    QString dataHash; ///< SHA-256 over the training rows
    QString tier; ///< "fast", "accurate"
    QStringList data; ///< the files it was trained on
    QString note;
    QString author;
    QDateTime at; ///< UTC
    QJsonObject scores; ///< of its evaluation, as `sluicectl evaluate --json` names them

    bool operator==(const ModelEntry&) const = default;
};

/// The models of this person: files and models.json in one folder, written atomically.
class ModelList
{
public:
    explicit ModelList(const QString& folder = {}); ///< empty: dataHome()/models

    QString folder() const { return m_folder; }
    Result<QList<ModelEntry>> entries() const; ///< newest first; empty where there is none yet
    /// Saves the model's file and its entry; `entry` without file, hashes and tier. An entry of the
    /// same hash is replaced.
    Result<ModelEntry> add(const Model& model, ModelEntry entry) const;
    /// Takes it from the list and its file from the folder.
    Result<void> remove(const QString& hash) const;

private:
    Result<void> write(const QList<ModelEntry>& entries) const;
    QString m_folder;
};

} // namespace sluice::ops

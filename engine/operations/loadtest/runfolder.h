#pragma once

#include "engine/base/result.h"
#include "engine/operations/loadtest/loadresult.h"

#include <QFile>
#include <QString>

namespace sluice::ops {

/// A run on disk (docs/FORMATS.md, "Run folder"): scenario.json, result.json (environment, seed,
/// versions, figures, errors with samples, verdict), seconds.jsonl, histograms.jsonl. Written while
/// the run lasts, so that it can be read at any time and what was measured survives the generator.
class RunWriter
{
public:
    /// Makes `folder` with the files; `head` says what is run (state "running" is set).
    Result<void> create(const QString& folder, LoadResult head);
    bool isOpen() const { return m_seconds.isOpen(); }
    QString folder() const { return m_folder; }

    Result<void> add(const LoadSecond& second); ///< a line, flushed
    Result<void> add(const LatencyBlock& block); ///< a line, flushed
    /// Rewrites result.json, whole: to be called once a minute and at the end.
    Result<void> save(const LoadResult& result);

private:
    static Result<void> append(QFile& file, const QJsonObject& line);

    QString m_folder;
    QFile m_seconds;
    QFile m_blocks;
};

/// All at once, for a run that was kept in memory.
Result<void> saveRun(const QString& folder, const LoadResult& result);

/// Opens a run again. A torn last line is passed over. A run that says it is running, while its
/// process is gone, is read as "lost", with a note.
Result<LoadResult> readRun(const QString& folder);

/// Without the seconds and blocks: for lists.
Result<LoadResult> readRunHead(const QString& folder);

/// $SLUICE_DATA_HOME, else $XDG_DATA_HOME/sluice, then "runs".
QString runsFolder();
/// A new run's folder in it: time, scenario and process, "20260301T101500Z-normal-4711"; with "-2"
/// where one of the same second is there.
QString newRunFolder(const Scenario& scenario);
/// A run by its id in runsFolder(), by a folder, or "latest". Input error where there is none.
Result<QString> findRun(const QString& idOrFolder);
/// Heads of the runs in runsFolder(), newest first; folders that can't be read are left out.
QList<LoadResult> listRuns();

/// One run of parts that ran at the same time (several generators on one target): counts are added,
/// histograms merged exactly, and judged anew. The latencies of a second are the worst part's.
/// Input error for none, and for what can't be: other scenarios, models, lengths or times.
Result<LoadResult> mergeRuns(const QList<LoadResult>& parts);

/// Merges the blocks' histograms into the figures of `result` (p50 ... start lag); for a result
/// that has blocks.
void figuresFromBlocks(LoadResult& result);

} // namespace sluice::ops

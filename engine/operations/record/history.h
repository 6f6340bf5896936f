#pragma once

#include "engine/base/result.h"

#include <QDateTime>
#include <QJsonObject>
#include <QList>
#include <QObject>
#include <QString>

namespace sluice::ops {

/// One thing that was done.
struct HistoryEntry
{
    qint64 id = 0; ///< given by the store
    QDateTime at; ///< UTC
    QString actor; ///< ACL user, or the desktop user's name where no server was asked
    QString environment;
    QString kind; ///< "publish", "load", "shift", "rollback", "evaluate", "train", "stack",
                  ///< "acknowledge"
    QString subject; ///< "set 42 to green"
    QString outcome; ///< "done", "passed", "failed", "refused"
    QJsonObject details; ///< what opens the thing itself: run folder, set number, shares
};

struct HistoryFilter
{
    QString text; ///< in actor, subject, kind or outcome; empty: all
    QString kind; ///< empty: all
    int limit = 1000;
    QDateTime since = {}; ///< at or after; invalid: from the beginning
};

/// The record in SQL: SQLite (WAL) at `file`, made where missing, schema versioned.
/// Methods run on the calling thread and take well under a millisecond each for a row.
class History : public QObject
{
    Q_OBJECT

public:
    explicit History(QObject* parent = nullptr);
    ~History() override;

    /// $SLUICE_DATA_HOME, else $XDG_DATA_HOME/sluice, then history.sqlite.
    static QString defaultFile();

    Result<void> open(const QString& file);
    Result<qint64> add(HistoryEntry entry);
    Result<QList<HistoryEntry>> entries(const HistoryFilter& filter) const; ///< newest first
    Result<QStringList> kinds() const; ///< those that occur, sorted

Q_SIGNALS:
    void added(const sluice::ops::HistoryEntry& entry);

private:
    QString m_connection;
};

} // namespace sluice::ops

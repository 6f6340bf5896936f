#pragma once

#include "engine/base/result.h"
#include "engine/operations/environment/redisclient.h"

#include <QDateTime>
#include <QHash>
#include <QList>
#include <QObject>
#include <functional>

namespace sluice::ops {

/// What somebody said about an answer, with the answer where the decision log has it.
struct FeedbackItem
{
    QString id;
    QString kind; ///< "right", "wrong", "complaint"
    QString label; ///< the intent that would have been right, or "oos"; empty: not said
    QString request; ///< of the answer
    QString session;
    int turn = 0;
    QString pool;
    QDateTime at; ///< UTC
    QString by; ///< who recorded it by hand; empty: it came through the service
    QString note;
    // From the decision log, or from the person who recorded it; empty where neither knows.
    QString query; ///< as the log keeps it: perhaps redacted
    QString decision;
    QString intent; ///< first candidate
    double confidence = 0;
    bool isDone = false; ///< somebody here dealt with it

    QByteArray toJson() const; ///< as it stands in the stream (docs/FORMATS.md)
    static Result<FeedbackItem> fromJson(const QByteArray& row);
};

/// The stream sluice:feedback, newest first, put together with the decisions that it is about; what
/// was dealt with is remembered in a file of this person's.
class FeedbackInbox : public QObject
{
    Q_OBJECT

public:
    static constexpr int mostItems = 1000;

    /// `file` empty: dataHome()/inbox.json.
    explicit FeedbackInbox(RedisClient* redis, const QString& file = {}, QObject* parent = nullptr);

    /// Reads the stream anew, then the decisions; refreshed() or failed(). Without a connection
    /// those that were recorded by hand on this machine are there.
    void refresh();
    const QList<FeedbackItem>& items() const { return m_items; }
    int open() const; ///< not yet dealt with

    Result<void> setDone(const QString& id, bool done);
    /// Records a person's own complaint: in the stream, where the team sees it; in the own file
    /// while no Redis is connected or it refuses. `recorded` gets where: true in the stream.
    void record(FeedbackItem item, QObject* context, std::function<void(Result<bool>)> recorded);

Q_SIGNALS:
    void refreshed();
    void failed(const sluice::Error& error);

private:
    void readFile();
    Result<void> writeFile() const;
    void takeStream(const RedisReply& reply);
    void readDecisions(const QByteArray& before, int pages);
    int takeDecisions(const RedisReply& reply);
    void addOwn();

    RedisClient* m_redis;
    QString m_file;
    QHash<QString, QString> m_done; ///< id, when
    QList<FeedbackItem> m_own; ///< recorded here while there was no Redis
    QList<FeedbackItem> m_items;
    int m_epoch = 0; ///< of refresh(): a late answer of an earlier one is dropped
};

} // namespace sluice::ops

#pragma once

#include "engine/operations/rollout/driverports.h"
#include "engine/operations/rollout/journal.h"

#include <QElapsedTimer>
#include <QNetworkAccessManager>
#include <QSet>
#include <QTimer>
#include <memory>

namespace sluice::ops {

/// Web hooks of a plan. A notice is written to a file before it is sent, and again when it was
/// taken (2xx); a driver that is started anew sends what was not taken. A receiver may see one
/// twice only where the driver was killed between its answer and the note of it: the id is the same
/// (header Idempotency-Key).
class Outbox : public Notifier
{
    Q_OBJECT

public:
    /// Opens or makes the file (a journal of its own).
    static Result<std::unique_ptr<Outbox>> open(const QString& path, QObject* parent = nullptr);

    void enqueue(const QString& id, const QString& text, const RolloutState& state) override;
    int waiting() const { return int(m_waiting.size()); }

private:
    struct Notice
    {
        QString id;
        QString url;
        QByteArray body;
        int attempts = 0;
        qint64 notBeforeMs = 0; ///< of m_clock
    };
    explicit Outbox(std::unique_ptr<FileJournal> file, QObject* parent);
    void sendNext();
    void wait();
    void sent(const QString& key, bool taken);
    static QString keyOf(const QString& id, const QString& url) { return id % u' ' % url; }

    std::unique_ptr<FileJournal> m_file;
    QSet<QString> m_known; ///< ids that were taken in
    QList<Notice> m_waiting; ///< first in, first out
    bool m_sending = false;
    QTimer m_again;
    QElapsedTimer m_clock;
    QNetworkAccessManager m_network;
};

} // namespace sluice::ops

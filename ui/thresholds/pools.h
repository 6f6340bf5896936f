#pragma once

#include "engine/operations/thresholds/publishedthresholds.h"

#include "ui/shell/theme.h"

#include <QHash>
#include <QJsonObject>
#include <QObject>
#include <QTimer>
#include <map>

namespace sluice::ui {

class Console;

/// What each pool serves and how it came to, kept fresh from Redis and the workers; and the changes
/// to it, each recorded in the history.
class Pools : public QObject
{
    Q_OBJECT

public:
    explicit Pools(Console* console, QObject* parent = nullptr);

    static QStringList names();
    void start(); ///< asks once a second
    void stop();
    void refresh();

    bool isConnected() const;
    bool isBusy() const { return m_busy; }
    QString trouble() const { return m_trouble; } ///< why nothing is known
    std::optional<ThresholdSet> active(const QString& pool) const;
    const QList<ops::WorkerInfo>& workers() const { return m_workers; }
    const QList<ThresholdSet>& versions() const { return m_versions; }
    const QList<ops::Publication>& publications() const { return m_publications; }
    ops::Proposal proposal(const QString& pool) const { return m_proposals.value(pool); }
    /// Hash of another model that a reachable worker of the pool runs; empty: all run `model`.
    QString otherModel(const QString& pool, const QString& model) const;

    /// Publishes from the set that the pool served when the draft was begun or last compared.
    void publish(ThresholdSet set, const QString& pool, qint64 expected);
    void activate(qint64 number, const QString& pool, const QString& why);
    void goBack(const QString& pool);
    void propose(ThresholdSet set, const QString& pool);
    void approve(const QString& pool); ///< what is proposed
    void requireApproval(bool required, const QString& pool);

Q_SIGNALS:
    void changed();
    void said(sluice::ui::Tone tone, const QString& text);
    void published(const QString& pool, qint64 number);

private:
    void clear();
    void askPool(const QString& pool);
    void end(const QString& kind, const QString& subject, const Error* error,
        const QString& success, const QJsonObject& details = {});

    Console* m_console;
    QTimer m_poll;
    bool m_busy = false;
    QString m_trouble;
    std::map<QString, ThresholdSet> m_active;
    QList<ops::WorkerInfo> m_workers;
    QList<ThresholdSet> m_versions;
    QList<ops::Publication> m_publications;
    QHash<QString, ops::Proposal> m_proposals;
};

} // namespace sluice::ui

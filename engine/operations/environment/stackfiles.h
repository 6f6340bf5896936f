#pragma once

#include "engine/base/result.h"
#include "engine/operations/environment/localstack.h"

#include <QByteArray>
#include <QString>

namespace sluice::ops {

/// A process that is known by its id and its start, so that a reused id is not mistaken for it.
struct ProcessMark
{
    qint64 pid = 0;
    qint64 startTicks = 0; ///< field 22 of /proc/PID/stat, clock ticks since boot

    static ProcessMark of(qint64 pid); ///< startTicks 0 when there is none
    bool isAlive() const; ///< the same process, and no zombie
    bool signal(int number) const; ///< false when it is gone
};

/// What stack.json in the state folder holds.
struct StackDocument
{
    QString phase; ///< "starting", "up", "failed", "stopping", "down"
    QString error; ///< with "failed"
    ProcessMark supervisor;
    QList<qint64> partStartTicks; ///< beside status.parts
    StackStatus status;

    QByteArray toJson() const;
    static Result<StackDocument> fromJson(const QByteArray& text, const QString& where);
};

/// The files of a stack's state folder.
struct StackFolder
{
    QString path;

    QString file(const QString& name) const { return path % u'/' % name; }
    QString document() const { return file(QStringLiteral("stack.json")); }
    Result<void> prepare() const; ///< etc, log, data, run; checks that each can be written
    Result<StackDocument> read() const; ///< Input error when there is none
    Result<void> write(const StackDocument& document) const; ///< atomically, mode 0600
};

/// redis.conf, users.acl and prometheus.yml.
QByteArray redisConfig(quint16 port, const QString& dataFolder, const QString& aclFile);
QByteArray redisUsers(const QHash<QString, QString>& passwords);
/// `rulesFile` empty: without alerts. `more` is appended: see prometheusExtras().
QByteArray prometheusConfig(const QStringList& workerAddresses, const QString& haproxyAddress,
    const QString& rulesFile = {}, const QByteArray& more = {});

/// The ACL users of the design.
QStringList redisRoles();

} // namespace sluice::ops

#pragma once

#include "engine/base/result.h"

#include <QHash>
#include <QObject>
#include <QString>
#include <functional>

namespace sluice::ops {

/// Secrets by name ("local/redis/admin"). Order of look-up: the environment variable
/// SLUICE_SECRET_<NAME> (name in capitals, other characters as _), a file of mode 0600 named in
/// SLUICE_SECRETS_FILE (JSON object), those set for this run, then the desktop's keychain (3 s
/// time-out; a keychain that is locked or missing is "not found" with its reason).
class SecretStore : public QObject
{
    Q_OBJECT

public:
    using Found = std::function<void(Result<QString>)>;
    using Stored = std::function<void(Result<void>)>;

    explicit SecretStore(QObject* parent = nullptr);

    void find(const QString& name, QObject* context, Found found);
    /// Keeps it for this run, and in the keychain where that works; the result tells which.
    void store(const QString& name, const QString& secret, QObject* context, Stored stored);
    /// This run only (the local stack's generated passwords).
    void keep(const QString& name, const QString& secret);

private:
    QHash<QString, QString> m_kept;
};

} // namespace sluice::ops

#include "engine/operations/environment/secretstore.h"

#include <QFile>
#include <QFileInfo>
#include <QJsonDocument>
#include <QJsonObject>
#include <QPointer>
#include <QTimer>
#include <memory>
#include <qt6keychain/keychain.h>
#include <sys/stat.h>

namespace sluice::ops {

namespace {

constexpr int keychainTimeoutMs = 3000; ///< a stale daemon may never answer
const QString keychainService = QStringLiteral("sluice");

QByteArray variableOf(const QString& name)
{
    QByteArray variable("SLUICE_SECRET_");
    for (const QChar c : name.toUpper()) {
        variable += c.isLetterOrNumber() && c.unicode() < 128 ? c.toLatin1() : '_';
    }
    return variable;
}

/// The secret in $SLUICE_SECRETS_FILE; nullopt-like empty string where it has none.
Result<QString> fromFile(const QString& name)
{
    const QString path = qEnvironmentVariable("SLUICE_SECRETS_FILE");
    if (path.isEmpty()) {
        return QString();
    }
    struct stat info
    { };
    if (::stat(QFile::encodeName(path).constData(), &info) != 0) {
        return inputError("cannot read the secrets file " + path.toStdString());
    }
    if ((info.st_mode & 077U) != 0) {
        return inputError(
            "the secrets file " + path.toStdString() + " can be read by others: chmod 600 it");
    }
    QFile file(path);
    if (!file.open(QIODevice::ReadOnly)) {
        return inputError(
            "cannot read the secrets file " + path.toStdString(), file.errorString().toStdString());
    }
    const QJsonDocument document = QJsonDocument::fromJson(file.readAll());
    if (!document.isObject()) {
        return inputError(
            "the secrets file " + path.toStdString() + " is not a JSON object of name: secret");
    }
    return document.object().value(name).toString();
}

/// Runs a keychain job with a time-out; `done` is called once, with false when time ran out.
void runJob(QKeychain::Job* job, QObject* context, std::function<void(bool)> done)
{
    auto once = std::make_shared<std::function<void(bool)>>(std::move(done));
    const auto finish = [once](bool inTime) {
        if (*once) {
            std::exchange(*once, nullptr)(inTime);
        }
    };
    job->setAutoDelete(true);
    QObject::connect(job, &QKeychain::Job::finished, context, [finish] { finish(true); });
    QTimer::singleShot(keychainTimeoutMs, context, [finish] { finish(false); });
    job->start();
}

} // namespace

SecretStore::SecretStore(QObject* parent)
    : QObject(parent)
{ }

void SecretStore::find(const QString& name, QObject* context, Found found)
{
    const QByteArray fromVariable = qgetenv(variableOf(name).constData());
    if (!fromVariable.isEmpty()) {
        found(QString::fromUtf8(fromVariable));
        return;
    }
    auto filed = fromFile(name);
    if (!filed || !filed->isEmpty()) {
        found(std::move(filed));
        return;
    }
    if (m_kept.contains(name)) {
        found(m_kept.value(name));
        return;
    }
    auto* job = new QKeychain::ReadPasswordJob(keychainService, this);
    job->setKey(name);
    QPointer<QKeychain::ReadPasswordJob> guard(job);
    runJob(job, context, [guard, name, found = std::move(found)](bool inTime) {
        if (inTime && guard != nullptr && guard->error() == QKeychain::NoError) {
            found(guard->textData());
            return;
        }
        const std::string reason = !inTime ? "the desktop's keychain did not answer in 3 s"
            : guard == nullptr             ? std::string()
                                           : guard->errorString().toStdString();
        found(inputError("there is no secret \"" + name.toStdString() + "\": type it, or set "
                + variableOf(name).toStdString(),
            reason));
    });
}

void SecretStore::store(const QString& name, const QString& secret, QObject* context, Stored stored)
{
    keep(name, secret);
    auto* job = new QKeychain::WritePasswordJob(keychainService, this);
    job->setKey(name);
    job->setTextData(secret);
    QPointer<QKeychain::WritePasswordJob> guard(job);
    runJob(job, context, [guard, stored = std::move(stored)](bool inTime) {
        if (inTime && guard != nullptr && guard->error() == QKeychain::NoError) {
            stored({});
            return;
        }
        stored(unreachableError(
            "the secret is kept for this run only: the desktop's keychain did not take it",
            guard == nullptr || !inTime ? std::string() : guard->errorString().toStdString()));
    });
}

void SecretStore::keep(const QString& name, const QString& secret)
{
    m_kept.insert(name, secret);
}

} // namespace sluice::ops

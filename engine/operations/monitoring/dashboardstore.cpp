#include "engine/operations/monitoring/dashboardstore.h"

#include "engine/base/file.h"

#include <QCryptographicHash>
#include <QDir>
#include <algorithm>

namespace sluice::ops {

namespace {

constexpr std::size_t largestFile = std::size_t(8) << 20;

} // namespace

DashboardStore::DashboardStore(QString folder)
    : m_folder(std::move(folder))
{ }

QString DashboardStore::fileOf(const QString& title) const
{
    // Titles may hold anything; the hash keeps two that look alike apart.
    QString name;
    for (const QChar c : title.left(40)) {
        name += c.isLetterOrNumber() && c.unicode() < 128 ? c.toLower() : u'-';
    }
    const QByteArray hash =
        QCryptographicHash::hash(title.toUtf8(), QCryptographicHash::Sha256).toHex().left(8);
    return m_folder + u'/' + name + u'-' + QString::fromLatin1(hash) + QStringLiteral(".json");
}

QList<Dashboard> DashboardStore::load(QStringList* problems) const
{
    QList<Dashboard> all;
    const QStringList names = QDir(m_folder).entryList({QStringLiteral("*.json")}, QDir::Files);
    for (const QString& name : names) {
        const auto text = readFile(QString(m_folder + u'/' + name).toStdString(), largestFile);
        const auto read =
            text ? parseGrafana(QByteArray::fromStdString(*text)) : Result<Dashboard>(text.error());
        if (read) {
            all << *read;
        } else if (problems != nullptr) {
            *problems << name + u": " + QString::fromStdString(read.error().message);
        }
    }
    std::sort(all.begin(), all.end(),
        [](const Dashboard& a, const Dashboard& b) { return a.title < b.title; });
    return all;
}

Result<void> DashboardStore::save(const Dashboard& dashboard) const
{
    if (auto folder = ensureWritableFolder(m_folder.toStdString()); !folder) {
        return folder;
    }
    return writeFileAtomically(
        fileOf(dashboard.title).toStdString(), dashboard.toGrafana().toStdString());
}

Result<void> DashboardStore::remove(const QString& title) const
{
    if (!QFile::remove(fileOf(title))) {
        return inputError("The page " + title.toStdString() + " has no file that can be removed.");
    }
    return {};
}

} // namespace sluice::ops

#include "engine/operations/queries/modellist.h"

#include "engine/base/file.h"
#include "engine/operations/queries/datahome.h"

#include <QDir>
#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <algorithm>

namespace sluice::ops {

namespace {

QJsonObject toJson(const ModelEntry& entry)
{
    return {{QStringLiteral("file"), entry.file}, {QStringLiteral("hash"), entry.hash},
        {QStringLiteral("data_hash"), entry.dataHash}, {QStringLiteral("tier"), entry.tier},
        {QStringLiteral("data"), QJsonArray::fromStringList(entry.data)},
        {QStringLiteral("note"), entry.note}, {QStringLiteral("author"), entry.author},
        {QStringLiteral("at"), entry.at.toString(Qt::ISODate)},
        {QStringLiteral("scores"), entry.scores}};
}

ModelEntry fromJson(const QJsonObject& object)
{
    const auto text = [&](const char* key) { return object[QLatin1StringView(key)].toString(); };
    ModelEntry entry;
    entry.file = text("file");
    entry.hash = text("hash");
    entry.dataHash = text("data_hash");
    entry.tier = text("tier");
    const QJsonArray data = object[QLatin1StringView("data")].toArray();
    for (const QJsonValue& file : data) {
        entry.data << file.toString();
    }
    entry.note = text("note");
    entry.author = text("author");
    entry.at = QDateTime::fromString(text("at"), Qt::ISODate);
    entry.scores = object[QLatin1StringView("scores")].toObject();
    return entry;
}

QString listFile(const QString& folder)
{
    return folder + QStringLiteral("/models.json");
}

} // namespace

ModelList::ModelList(const QString& folder)
    : m_folder(folder.isEmpty() ? dataHome() + QStringLiteral("/models") : folder)
{ }

Result<QList<ModelEntry>> ModelList::entries() const
{
    QFile file(listFile(m_folder));
    if (!file.exists()) {
        return QList<ModelEntry>();
    }
    if (!file.open(QIODevice::ReadOnly)) {
        return inputError(
            file.fileName().toStdString() + ": can't be read", file.errorString().toStdString());
    }
    QJsonParseError problem;
    const QJsonDocument document = QJsonDocument::fromJson(file.readAll(), &problem);
    if (!document.isArray()) {
        return inputError(file.fileName().toStdString()
                + ": no list of models. Move it away, and "
                  "a new one is begun.",
            problem.errorString().toStdString());
    }
    QList<ModelEntry> entries;
    const QJsonArray list = document.array();
    for (const QJsonValue& item : list) {
        entries << fromJson(item.toObject());
    }
    std::stable_sort(entries.begin(), entries.end(),
        [](const ModelEntry& a, const ModelEntry& b) { return a.at > b.at; });
    return entries;
}

Result<ModelEntry> ModelList::add(const Model& model, ModelEntry entry) const
{
    if (auto made = ensureWritableFolder(m_folder.toStdString()); !made) {
        return made.error();
    }
    auto known = entries();
    if (!known) {
        return known.error();
    }
    entry.hash = QString::fromStdString(model.hash());
    entry.dataHash = QString::fromStdString(model.dataHash());
    const std::string_view tier = toString(model.tier());
    entry.tier = QString::fromUtf8(tier.data(), qsizetype(tier.size()));
    entry.file = QDir(m_folder).absoluteFilePath(entry.hash.left(12) + QStringLiteral(".model"));
    if (!entry.at.isValid()) {
        entry.at = QDateTime::fromSecsSinceEpoch(QDateTime::currentSecsSinceEpoch(), Qt::UTC);
    }
    if (auto saved = model.save(entry.file.toStdString()); !saved) {
        return saved.error();
    }
    known->removeIf([&](const ModelEntry& other) { return other.hash == entry.hash; });
    known->prepend(entry);
    if (auto written = write(*known); !written) {
        return written.error();
    }
    return entry;
}

Result<void> ModelList::remove(const QString& hash) const
{
    auto known = entries();
    if (!known) {
        return known.error();
    }
    const auto place = std::find_if(
        known->begin(), known->end(), [&](const ModelEntry& entry) { return entry.hash == hash; });
    if (place == known->end()) {
        return inputError("No model " + hash.toStdString() + " is in the list.");
    }
    const QString file = place->file;
    known->erase(place);
    if (auto written = write(*known); !written) {
        return written;
    }
    QFile::remove(file);
    return {};
}

Result<void> ModelList::write(const QList<ModelEntry>& entries) const
{
    QJsonArray list;
    for (const ModelEntry& entry : entries) {
        list.append(toJson(entry));
    }
    return writeFileAtomically(listFile(m_folder).toStdString(),
        QJsonDocument(list).toJson(QJsonDocument::Indented).toStdString());
}

} // namespace sluice::ops

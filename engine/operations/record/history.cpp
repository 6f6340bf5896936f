#include "engine/operations/record/history.h"

#include "engine/base/file.h"

#include <QFileInfo>
#include <QJsonDocument>
#include <QSqlDatabase>
#include <QSqlError>
#include <QSqlQuery>
#include <QStandardPaths>
#include <QUuid>

namespace sluice::ops {

namespace {

constexpr int schemaVersion = 1;

Error failure(const QString& what, const QString& file, const QSqlError& error)
{
    return inputError(
        "the history " + file.toStdString() + " " + what.toStdString(), error.text().toStdString());
}

} // namespace

History::History(QObject* parent)
    : QObject(parent)
{ }

History::~History()
{
    if (!m_connection.isEmpty()) {
        QSqlDatabase::database(m_connection, false).close();
        QSqlDatabase::removeDatabase(m_connection);
    }
}

QString History::defaultFile()
{
    const QString own = qEnvironmentVariable("SLUICE_DATA_HOME");
    const QString folder = own.isEmpty()
        ? QStandardPaths::writableLocation(QStandardPaths::GenericDataLocation)
            % QLatin1StringView("/sluice")
        : own;
    return folder % QLatin1StringView("/history.sqlite");
}

Result<void> History::open(const QString& file)
{
    if (auto writable = ensureWritableFolder(QFileInfo(file).path().toStdString()); !writable) {
        return writable;
    }
    if (m_connection.isEmpty()) {
        m_connection = QStringLiteral("history-") % QUuid::createUuid().toString();
        QSqlDatabase::addDatabase(QStringLiteral("QSQLITE"), m_connection);
    }
    QSqlDatabase database = QSqlDatabase::database(m_connection, false);
    database.close();
    database.setDatabaseName(file);
    database.setConnectOptions(QStringLiteral("QSQLITE_BUSY_TIMEOUT=2000"));
    if (!database.open()) {
        return failure(QStringLiteral("could not be opened"), file, database.lastError());
    }
    QSqlQuery query(database);
    if (!query.exec(QStringLiteral("PRAGMA journal_mode=WAL"))
        || !query.exec(QStringLiteral("PRAGMA user_version")) || !query.next()) {
        const QSqlError error = query.lastError();
        query.finish();
        database.close();
        return failure(
            QStringLiteral(
                "is not a database of ours, or damaged: move it away to begin a new one"),
            file, error);
    }
    const int version = query.value(0).toInt();
    query.finish();
    if (version > schemaVersion) {
        database.close();
        return inputError("the history " + file.toStdString()
            + " was written by a newer Sluice: update this one");
    }
    if (version < schemaVersion
        && (!query.exec(QStringLiteral(
                "CREATE TABLE IF NOT EXISTS entries (id INTEGER PRIMARY KEY AUTOINCREMENT, "
                "at TEXT NOT NULL, actor TEXT NOT NULL, environment TEXT NOT NULL, kind TEXT NOT "
                "NULL, "
                "subject TEXT NOT NULL, outcome TEXT NOT NULL, details TEXT NOT NULL)"))
            || !query.exec(QStringLiteral("PRAGMA user_version=%1").arg(schemaVersion)))) {
        return failure(QStringLiteral("could not be set up"), file, query.lastError());
    }
    return {};
}

Result<qint64> History::add(HistoryEntry entry)
{
    QSqlDatabase database = QSqlDatabase::database(m_connection, false);
    if (!database.isOpen()) {
        return internalError("the history is not open");
    }
    QSqlQuery query(database);
    query.prepare(QStringLiteral(
        "INSERT INTO entries (at, actor, environment, kind, subject, outcome, details) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)"));
    query.addBindValue(entry.at.toUTC().toString(Qt::ISODateWithMs));
    for (const QString& value :
        {entry.actor, entry.environment, entry.kind, entry.subject, entry.outcome}) {
        query.addBindValue(value.isNull() ? QLatin1StringView("") : value);
    }
    query.addBindValue(
        QString::fromUtf8(QJsonDocument(entry.details).toJson(QJsonDocument::Compact)));
    if (!query.exec()) {
        return failure(
            QStringLiteral("did not take an entry"), database.databaseName(), query.lastError());
    }
    entry.id = query.lastInsertId().toLongLong();
    Q_EMIT added(entry);
    return entry.id;
}

Result<QList<HistoryEntry>> History::entries(const HistoryFilter& filter) const
{
    QSqlDatabase database = QSqlDatabase::database(m_connection, false);
    if (!database.isOpen()) {
        return internalError("the history is not open");
    }
    QSqlQuery query(database);
    query.setForwardOnly(true);
    query.prepare(QStringLiteral(
        "SELECT id, at, actor, environment, kind, subject, outcome, details FROM entries "
        "WHERE (:kind = '' OR kind = :kind) AND (:text = '' OR instr(lower(actor || ' ' || subject "
        "|| ' ' || kind || ' ' || outcome || ' ' || environment), :text) > 0) AND at >= :since "
        "ORDER BY id DESC LIMIT :limit"));
    query.bindValue(
        QStringLiteral(":kind"), filter.kind.isNull() ? QStringLiteral("") : filter.kind);
    query.bindValue(
        QStringLiteral(":text"), filter.text.isNull() ? QStringLiteral("") : filter.text.toLower());
    query.bindValue(QStringLiteral(":limit"), filter.limit);
    query.bindValue(QStringLiteral(":since"),
        filter.since.isValid() ? filter.since.toUTC().toString(Qt::ISODateWithMs)
                               : QStringLiteral(""));
    if (!query.exec()) {
        return failure(
            QStringLiteral("could not be read"), database.databaseName(), query.lastError());
    }
    QList<HistoryEntry> entries;
    while (query.next()) {
        HistoryEntry entry;
        entry.id = query.value(0).toLongLong();
        entry.at = QDateTime::fromString(query.value(1).toString(), Qt::ISODateWithMs);
        entry.at.setTimeSpec(Qt::UTC);
        entry.actor = query.value(2).toString();
        entry.environment = query.value(3).toString();
        entry.kind = query.value(4).toString();
        entry.subject = query.value(5).toString();
        entry.outcome = query.value(6).toString();
        entry.details = QJsonDocument::fromJson(query.value(7).toString().toUtf8()).object();
        entries << std::move(entry);
    }
    return entries;
}

Result<QStringList> History::kinds() const
{
    QSqlDatabase database = QSqlDatabase::database(m_connection, false);
    if (!database.isOpen()) {
        return internalError("the history is not open");
    }
    QSqlQuery query(database);
    if (!query.exec(QStringLiteral("SELECT DISTINCT kind FROM entries ORDER BY kind"))) {
        return failure(
            QStringLiteral("could not be read"), database.databaseName(), query.lastError());
    }
    QStringList kinds;
    while (query.next()) {
        kinds << query.value(0).toString();
    }
    return kinds;
}

} // namespace sluice::ops

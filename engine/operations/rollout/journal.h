#pragma once

#include "engine/base/result.h"

#include <QByteArray>
#include <QJsonObject>
#include <QList>
#include <QString>
#include <memory>

namespace sluice::ops {

/// One line of a journal.
struct JournalEntry
{
    static constexpr int schema = 2; ///< 2: a journal may begin with a line after the first

    qint64 number = 0; ///< without a gap; from 1, or where the journal before ended
    QString mark; ///< "INTENT", "APPLIED", "VERIFIED", or empty
    QJsonObject body;
    bool buffered = false; ///< it could not be written when it happened, and was written later

    QByteArray toLine() const; ///< "<crc32, 8 hexadecimal digits> <JSON>\n"
    static Result<JournalEntry> fromLine(const QByteArray& line);
};

/// Where decisions are written before they are carried out.
class Journal
{
public:
    virtual ~Journal() = default;
    virtual const QList<JournalEntry>& entries() const = 0;
    /// On the disk when it returns. On an error nothing of it is in the file.
    virtual Result<void> append(const QString& mark, const QJsonObject& body) = 0;
    /// Takes an entry that can't be written now, and writes it before the next one that can.
    virtual void buffer(const QString& mark, const QJsonObject& body) = 0;
    virtual int buffered() const = 0;
    /// Tries to write what waits.
    virtual Result<void> flush() = 0;
    /// Begins anew with this line, which has the next number and a body with "handled"; the lines
    /// so far are put away. On an error all is as it was. Where nothing can be put away: append().
    virtual Result<void> startAnew(const QString& mark, const QJsonObject& body)
    {
        return append(mark, body);
    }
    /// Of the line that is written next, when nothing waits.
    qint64 nextNumber() const { return entries().isEmpty() ? 1 : entries().last().number + 1; }
};

/// A journal in a file of JSON lines, each with its CRC, synced at each write; held by one process
/// at a time (flock). What startAnew() puts away stands beside it as NAME.1 (the newest) to NAME.5;
/// older ones are removed, so that a driver that lives for years takes a bounded room.
class FileJournal : public Journal
{
public:
    static constexpr int kept = 5; ///< journals that were put away

    /// Opens or makes it. A last line that is torn (killed or without power in the middle of a
    /// write) is cut off, and said by repaired(). Refused: another process has it. Input error: it
    /// is damaged before its end, or a newer schema's.
    static Result<std::unique_ptr<FileJournal>> open(const QString& path);
    ~FileJournal() override;
    FileJournal(const FileJournal&) = delete;
    FileJournal& operator=(const FileJournal&) = delete;

    /// The entries of a journal that somebody may be writing; changes nothing.
    static Result<QList<JournalEntry>> read(const QString& path);

    const QList<JournalEntry>& entries() const override { return m_entries; }
    Result<void> append(const QString& mark, const QJsonObject& body) override;
    void buffer(const QString& mark, const QJsonObject& body) override;
    int buffered() const override { return int(m_waiting.size()); }
    Result<void> flush() override;
    Result<void> startAnew(const QString& mark, const QJsonObject& body) override;
    const QString& repaired() const { return m_repaired; } ///< empty: it was whole
    const QString& path() const { return m_path; }

private:
    explicit FileJournal(QString path);
    Result<void> write(const JournalEntry& entry);

    QString m_path;
    int m_file = -1;
    qint64 m_end = 0; ///< of the last whole line
    QList<JournalEntry> m_entries;
    QList<JournalEntry> m_waiting;
    QString m_repaired;
};

} // namespace sluice::ops

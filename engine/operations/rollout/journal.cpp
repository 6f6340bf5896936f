#include "engine/operations/rollout/journal.h"

#include "engine/base/file.h"

#include <QFile>
#include <QFileInfo>
#include <QJsonDocument>
#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace sluice::ops {

namespace {

constexpr std::size_t mostBytes = std::size_t(512) << 20;
constexpr qsizetype mostWaiting = 10000;

/// CRC-32 of IEEE 802.3.
quint32 crc32(const QByteArray& bytes)
{
    static const auto table = [] {
        std::array<quint32, 256> made{};
        for (quint32 index = 0; index < 256; ++index) {
            quint32 value = index;
            for (int bit = 0; bit < 8; ++bit) {
                value = (value & 1U) != 0U ? 0xEDB88320U ^ (value >> 1U) : value >> 1U;
            }
            made[index] = value;
        }
        return made;
    }();
    quint32 crc = 0xFFFFFFFFU;
    for (const char byte : bytes) {
        crc = table[(crc ^ quint8(byte)) & 0xFFU] ^ (crc >> 8U);
    }
    return crc ^ 0xFFFFFFFFU;
}

struct Content
{
    QList<JournalEntry> entries;
    qint64 end = 0; ///< of the last whole line
    QString torn; ///< what was behind it
};

Result<Content> contentOf(const QString& path)
{
    Content content;
    if (!QFileInfo::exists(path)) {
        return content;
    }
    const auto text = readFile(path.toStdString(), mostBytes);
    if (!text) {
        return text.error();
    }
    const QByteArray bytes = QByteArray::fromStdString(*text);
    qsizetype at = 0;
    while (at < bytes.size()) {
        const qsizetype end = bytes.indexOf('\n', at);
        const QByteArray line = bytes.mid(at, end < 0 ? -1 : end - at);
        auto entry = end < 0 ? Result<JournalEntry>(inputError("the line has no end"))
                             : JournalEntry::fromLine(line);
        const std::string where =
            path.toStdString() + ", line " + std::to_string(content.entries.size() + 1);
        if (!entry && (end < 0 || end + 1 == bytes.size())
            && entry.error().kind == ErrorKind::Input) {
            content.torn = QStringLiteral("the last line was torn (%1 bytes, %2): cut off")
                               .arg(bytes.size() - at)
                               .arg(QString::fromStdString(entry.error().message));
            return content;
        }
        if (!entry) {
            return Error{entry.error().kind,
                where + ": " + entry.error().message
                    + "; look at it, and move the file away to begin anew",
                {}};
        }
        // A journal that began anew goes on counting where the one before ended.
        const bool begins = content.entries.isEmpty()
            && entry->body.contains(QStringLiteral("handled")) && entry->number > 0;
        const qint64 next = content.entries.isEmpty() ? 1 : content.entries.last().number + 1;
        if (!begins && entry->number != next) {
            return inputError(where + " has the number " + std::to_string(entry->number)
                + ": lines are missing; look at it, and move the file away to begin anew");
        }
        content.entries << std::move(*entry);
        at = end + 1;
        content.end = at;
    }
    return content;
}

std::string systemText()
{
    return std::strerror(errno);
}

} // namespace

QByteArray JournalEntry::toLine() const
{
    QJsonObject object{{QStringLiteral("schema"), schema}, {QStringLiteral("number"), number},
        {QStringLiteral("mark"), mark}, {QStringLiteral("body"), body}};
    if (buffered) {
        object[QStringLiteral("buffered")] = true;
    }
    const QByteArray json = QJsonDocument(object).toJson(QJsonDocument::Compact);
    return QByteArray::number(crc32(json), 16).rightJustified(8, '0') + ' ' + json + '\n';
}

Result<JournalEntry> JournalEntry::fromLine(const QByteArray& line)
{
    const QByteArray json = line.mid(9);
    bool isNumber = false;
    const quint32 crc = line.left(8).toUInt(&isNumber, 16);
    if (!isNumber || line.size() < 10 || crc != crc32(json)) {
        return inputError("the checksum does not fit");
    }
    const QJsonObject object = QJsonDocument::fromJson(json).object();
    const int written = object[QStringLiteral("schema")].toInt();
    if (written > schema) {
        return refusedError("it was written by a newer version (schema " + std::to_string(written)
            + ", this one knows " + std::to_string(schema) + ")");
    }
    JournalEntry entry;
    entry.number = object[QStringLiteral("number")].toInteger();
    entry.mark = object[QStringLiteral("mark")].toString();
    entry.body = object[QStringLiteral("body")].toObject();
    entry.buffered = object[QStringLiteral("buffered")].toBool();
    return entry;
}

FileJournal::FileJournal(QString path)
    : m_path(std::move(path))
{ }

FileJournal::~FileJournal()
{
    if (m_file >= 0) {
        ::close(m_file);
    }
}

Result<std::unique_ptr<FileJournal>> FileJournal::open(const QString& path)
{
    auto journal = std::unique_ptr<FileJournal>(new FileJournal(path));
    journal->m_file =
        ::open(QFile::encodeName(path).constData(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (journal->m_file < 0) {
        return inputError(
            "the rollout's journal " + path.toStdString() + " can't be opened", systemText());
    }
    if (::flock(journal->m_file, LOCK_EX | LOCK_NB) != 0) {
        return refusedError("another driver holds the journal " + path.toStdString());
    }
    struct ::stat held
    { };
    struct ::stat there
    { };
    if (::fstat(journal->m_file, &held) != 0
        || ::stat(QFile::encodeName(path).constData(), &there) != 0
        || held.st_ino != there.st_ino) { // put away between the two calls
        return refusedError(
            "another driver has just begun the journal " + path.toStdString() + " anew: try again");
    }
    auto content = contentOf(path);
    if (!content) {
        return content.error();
    }
    journal->m_entries = std::move(content->entries);
    journal->m_end = content->end;
    journal->m_repaired = content->torn;
    if (!content->torn.isEmpty()
        && (::ftruncate(journal->m_file, journal->m_end) != 0 || ::fsync(journal->m_file) != 0)) {
        return internalError(
            "the torn last line of " + path.toStdString() + " can't be cut off", systemText());
    }
    return journal;
}

Result<QList<JournalEntry>> FileJournal::read(const QString& path)
{
    if (!QFileInfo::exists(path)) {
        return inputError("there is no journal " + path.toStdString());
    }
    auto content = contentOf(path);
    return content ? Result<QList<JournalEntry>>(std::move(content->entries))
                   : Result<QList<JournalEntry>>(content.error());
}

Result<void> FileJournal::append(const QString& mark, const QJsonObject& body)
{
    auto flushed = flush();
    return flushed ? write({0, mark, body, false}) : flushed;
}

/// The new file is written whole and locked before it takes the name, and the old one has a second
/// name by then: whenever it is interrupted, one whole journal stands under the name.
Result<void> FileJournal::startAnew(const QString& mark, const QJsonObject& body)
{
    JournalEntry entry{nextNumber(), mark, body, false};
    const QByteArray line = entry.toLine();
    const QByteArray name = QFile::encodeName(m_path);
    const QByteArray fresh = name + ".new";
    const int file = ::open(fresh.constData(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    const auto failed = [&] {
        const std::string why = systemText();
        if (file >= 0) {
            ::close(file);
            ::unlink(fresh.constData());
        }
        return Result<void>(internalError("the journal " + m_path.toStdString()
                + " can't be begun anew: make room, then try again",
            why));
    };
    if (file < 0 || ::flock(file, LOCK_EX | LOCK_NB) != 0
        || ::pwrite(file, line.constData(), std::size_t(line.size()), 0) != line.size()
        || ::fsync(file) != 0) {
        return failed();
    }
    struct ::stat old
    { };
    struct ::stat first
    { };
    const QByteArray newest = name + ".1";
    const bool isThere = ::fstat(m_file, &old) == 0 && ::stat(newest.constData(), &first) == 0
        && old.st_ino == first.st_ino; // an attempt before was broken off here
    if (!isThere) {
        const auto numbered = [&name](int number) {
            return QByteArray(name).append('.').append(QByteArray::number(number));
        };
        for (int number = kept; number > 1; --number) {
            ::rename(numbered(number - 1).constData(), numbered(number).constData());
        }
        if (::link(name.constData(), newest.constData()) != 0) {
            return failed();
        }
    }
    if (::rename(fresh.constData(), name.constData()) != 0) {
        return failed();
    }
    const int folder = ::open(QFile::encodeName(QFileInfo(m_path).path()).constData(),
        O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder >= 0) {
        ::fsync(folder);
        ::close(folder);
    }
    ::close(m_file);
    m_file = file;
    m_end = line.size();
    m_entries = {entry};
    return {};
}

Result<void> FileJournal::flush()
{
    while (!m_waiting.isEmpty()) {
        if (auto written = write(m_waiting.first()); !written) {
            return written;
        }
        m_waiting.removeFirst();
    }
    return {};
}

void FileJournal::buffer(const QString& mark, const QJsonObject& body)
{
    if (m_waiting.size() < mostWaiting) {
        m_waiting << JournalEntry{0, mark, body, true};
    }
}

Result<void> FileJournal::write(const JournalEntry& given)
{
    JournalEntry entry = given;
    entry.number = nextNumber();
    const QByteArray line = entry.toLine();
    qsizetype done = 0;
    while (done < line.size()) {
        const ssize_t count = ::pwrite(
            m_file, line.constData() + done, std::size_t(line.size() - done), m_end + done);
        if (count < 0 && errno == EINTR) {
            continue;
        }
        if (count <= 0) {
            break;
        }
        done += count;
    }
    if (done < line.size() || ::fdatasync(m_file) != 0) {
        const std::string why = systemText();
        // Half a line is cut off again; where even that fails, the next start does it.
        if (::ftruncate(m_file, m_end) != 0) {
            return internalError(
                "the journal " + m_path.toStdString() + " can't be written or shortened", why);
        }
        return internalError("the journal " + m_path.toStdString()
                + " can't be written: make room, then the rollout goes on",
            why);
    }
    m_end += line.size();
    m_entries << entry;
    return {};
}

} // namespace sluice::ops

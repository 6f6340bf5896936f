#include "engine/operations/monitoring/samplelog.h"

#include "engine/base/file.h"

#include <QDataStream>
#include <QFileInfo>
#include <cmath>

namespace sluice::ops {

namespace {

constexpr double flushSeconds = 10;
constexpr int largestFile = 64 << 20;

} // namespace

SampleLog::SampleLog(QStringList lines, double keepSeconds)
    : m_lines(std::move(lines))
    , m_keep(keepSeconds)
{ }

Result<void> SampleLog::open(const QString& file, double now)
{
    close();
    m_records.clear();
    if (auto folder = ensureWritableFolder(QFileInfo(file).absolutePath().toStdString()); !folder) {
        return folder;
    }
    const QString head = u"sluice samples 1: " + m_lines.join(u',');
    if (QFile old(file); old.size() < largestFile && old.open(QIODevice::ReadOnly)) {
        QDataStream stream(&old);
        QString oldHead;
        stream >> oldHead;
        QList<double> record(m_lines.size() + 1);
        while (oldHead == head && stream.status() == QDataStream::Ok) {
            for (double& value : record) {
                stream >> value;
            }
            if (stream.status() == QDataStream::Ok && record[0] > now - m_keep && record[0] <= now
                && (m_records.isEmpty() || record[0] > m_records.last()[0])) {
                m_records << record;
            }
        }
    }
    m_file.setFileName(file);
    if (!m_file.open(QIODevice::WriteOnly)) {
        return inputError("The monitor's history can't be written to " + file.toStdString() + ".",
            m_file.errorString().toStdString());
    }
    QDataStream stream(&m_file);
    stream << head;
    for (const QList<double>& record : m_records) {
        for (const double value : record) {
            stream << value;
        }
    }
    m_file.flush();
    return {};
}

void SampleLog::close()
{
    m_file.close();
}

void SampleLog::append(double time, const QList<double>& values)
{
    if (!m_file.isOpen() || values.size() != m_lines.size()) {
        return;
    }
    QDataStream stream(&m_file);
    stream << time;
    for (const double value : values) {
        stream << value;
    }
    if (time - m_flushed >= flushSeconds) {
        m_flushed = time;
        m_file.flush();
    }
}

QList<QPointF> SampleLog::points(const QString& line) const
{
    QList<QPointF> points;
    const qsizetype column = m_lines.indexOf(line) + 1;
    for (const QList<double>& record : m_records) {
        if (column > 0 && std::isfinite(record[column])) {
            points << QPointF(record[0], record[column]);
        }
    }
    return points;
}

} // namespace sluice::ops

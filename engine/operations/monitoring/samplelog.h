#pragma once

#include "engine/base/result.h"

#include <QFile>
#include <QList>
#include <QPointF>
#include <QString>
#include <QStringList>
#include <optional>

namespace sluice::ops {

/// Lines over time kept in a file, so that what was seen survives the program: records of a time
/// and one number a line, appended, at most a day of them (older ones go when the file is opened).
/// A file of other lines, or a torn record at its end, is not an error: what can be read is.
class SampleLog
{
public:
    explicit SampleLog(QStringList lines, double keepSeconds = 86400);

    /// Makes the folder where it is missing. Errors: Input (can't be written); then append() does
    /// nothing.
    Result<void> open(const QString& file, double now);
    void close();
    bool isOpen() const { return m_file.isOpen(); }
    /// As many values as there are lines; NaN is a gap.
    void append(double time, const QList<double>& values);

    /// What the file had for a line when it was opened.
    QList<QPointF> points(const QString& line) const;

private:
    QStringList m_lines;
    double m_keep;
    QFile m_file;
    QList<QList<double>> m_records; ///< time, then the values
    double m_flushed = 0;
};

} // namespace sluice::ops

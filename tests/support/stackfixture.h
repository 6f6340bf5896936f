#pragma once

#include "engine/operations/environment/localstack.h"

#include <QTemporaryDir>
#include <optional>

namespace sluice::test {

/// A local stack in a temporary folder; down and gone with this object.
class StackFixture
{
public:
    StackFixture();
    ~StackFixture();
    StackFixture(const StackFixture&) = delete;
    StackFixture& operator=(const StackFixture&) = delete;

    /// Starts it and waits; false with lastError() set.
    bool up(int workersPerPool = 2, const QString& workerProgram = {});
    /// Ends it and waits; whether every process is gone.
    bool down();

    const ops::StackStatus& status() const { return m_status; }
    /// As the state folder says now: a part that was started again has another pid.
    ops::StackPart part(const QString& name) const;
    const QString& lastError() const { return m_error; }

private:
    QTemporaryDir m_folder;
    ops::StackStatus m_status;
    QString m_error;
};

/// Resident memory of a process in bytes, 0 when it is gone; and its open file descriptors.
qint64 residentBytes(qint64 pid);
int openDescriptors(qint64 pid);

} // namespace sluice::test

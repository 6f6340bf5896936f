#pragma once

#include "tests/support/process.h"

#include <QFile>
#include <QProcess>
#include <QStringList>
#include <cstdint>
#include <unistd.h>

namespace sluice::test {

/// A worker in a process of its own, whose processor time and memory are read from /proc.
class BenchWorker
{
public:
    explicit BenchWorker(QStringList arguments)
    {
        endWithTest(m_process);
        m_process.setProcessChannelMode(QProcess::ForwardedErrorChannel);
        arguments << QStringLiteral("--log-level") << QStringLiteral("error");
        m_process.start(qEnvironmentVariable("SLUICE_BIN") + QStringLiteral("/sluiced"), arguments);
        m_process.waitForReadyRead(20000);
        m_port = m_process.readLine().trimmed().toUShort();
    }
    ~BenchWorker()
    {
        m_process.terminate();
        m_process.waitForFinished(10000);
    }
    BenchWorker(const BenchWorker&) = delete;
    BenchWorker& operator=(const BenchWorker&) = delete;

    std::uint16_t port() const { return m_port; }
    double cpuSeconds() const ///< used so far, user and system
    {
        const QByteArray fields = procFile("stat");
        const QList<QByteArray> after = fields.mid(fields.lastIndexOf(')') + 2).split(' ');
        return (after.value(11).toDouble() + after.value(12).toDouble())
            / double(::sysconf(_SC_CLK_TCK));
    }
    double residentMiB() const
    {
        return procFile("statm").split(' ').value(1).toDouble() * double(::sysconf(_SC_PAGESIZE))
            / (1 << 20);
    }

private:
    QByteArray procFile(const char* name) const
    {
        QFile file(
            QStringLiteral("/proc/%1/%2").arg(m_process.processId()).arg(QLatin1StringView(name)));
        return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray();
    }
    QProcess m_process;
    std::uint16_t m_port = 0;
};

} // namespace sluice::test

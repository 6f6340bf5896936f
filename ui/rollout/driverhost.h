#pragma once

#include <QObject>
#include <QProcess>
#include <QString>

namespace sluice::ui {

class Console;

/// A rollout driver that this console hosts, as a child process `sluicectl rollout drive`, where
/// the environment has none. It ends with the console; the balancer then sends everything to the
/// live pool within the lease, and another driver with the same journal goes on.
class DriverHost : public QObject
{
    Q_OBJECT

public:
    explicit DriverHost(Console* console, QObject* parent = nullptr);
    ~DriverHost() override; ///< ends it, waits 3 s at most

    void start();
    void stop();
    bool isRunning() const { return m_process.state() != QProcess::NotRunning; }
    /// Why it ended by itself: its last line; empty while it runs, or after stop().
    const QString& trouble() const { return m_trouble; }
    qint64 pid() const { return m_process.processId(); }

Q_SIGNALS:
    void changed();

private:
    Console* m_console;
    QProcess m_process;
    QByteArray m_said; ///< the end of what it wrote
    QString m_trouble;
    bool m_stopping = false;
};

} // namespace sluice::ui

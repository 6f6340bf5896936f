#pragma once

#include "engine/operations/loadtest/loadresult.h"

#include <QObject>
#include <QProcess>
#include <QTemporaryFile>
#include <QTimer>
#include <memory>
#include <optional>

namespace sluice::ui {

/// What is run.
struct LoadOrder
{
    ops::Scenario scenario; ///< as it is to run, scaled
    QUrl target;
    QString environment; ///< its name; empty: the target alone
    QString generator = QStringLiteral("native"); ///< or "locust"
    int locustWorkers = 2;
    QString meant; ///< the host that was typed, where the target is no loopback address
    quint64 seed = 1;
    QString folder; ///< of the run
};

/// A load run in a process of its own (`sluicectl load run --json`), so that the console's drawing
/// doesn't disturb what it measures. The process ends with the console, however that goes: it
/// watches its standard input. One object, one run.
class LoadProcess : public QObject
{
    Q_OBJECT

public:
    explicit LoadProcess(QObject* parent = nullptr);
    ~LoadProcess() override; ///< ends it: within a second and a half

    void start(const LoadOrder& order); ///< failed() follows where it can't
    void stop(); ///< what was measured so far is kept; finished() follows
    bool isRunning() const { return m_running; }
    const LoadOrder& order() const { return m_order; }
    static QStringList arguments(const LoadOrder& order, const QString& scenarioFile);

Q_SIGNALS:
    void second(const sluice::ops::LoadSecond& second);
    void noted(const QString& note);
    void finished(const sluice::ops::LoadResult& result); ///< the last signal, or
    void failed(const sluice::Error& error);

private:
    void read();
    void take(const QJsonObject& line);
    void end();
    void fail(const Error& error);

    LoadOrder m_order;
    QTemporaryFile m_scenario;
    std::unique_ptr<QProcess> m_process;
    QTimer m_patience; ///< after stop()
    QByteArray m_buffer;
    QByteArray m_errors; ///< the end of its standard error
    std::optional<ops::LoadResult> m_result;
    std::optional<Error> m_error;
    QList<ops::LoadSecond> m_seconds;
    bool m_running = false;
};

} // namespace sluice::ui

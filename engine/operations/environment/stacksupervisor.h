#pragma once

#include "engine/base/result.h"
#include "engine/operations/environment/localstack.h"
#include "engine/operations/environment/stackfiles.h"

#include <QElapsedTimer>
#include <QNetworkAccessManager>
#include <QObject>
#include <QProcess>
#include <QTimer>
#include <memory>
#include <vector>

namespace sluice::ops {

/// The process that owns the local stack's servers: starts them in order, waits until each is
/// healthy, writes what runs into stack.json, starts a worker that died again, and ends them all
/// together.
class StackSupervisor : public QObject
{
    Q_OBJECT

public:
    /// `owner`: the process with which the stack ends; pid 0: none.
    StackSupervisor(StackOptions options, ProcessMark owner, QObject* parent = nullptr);
    ~StackSupervisor() override;

    /// Prepares and begins; finished() tells the end, with 0 after a regular stop. Refused when
    /// another supervisor holds the folder.
    Result<void> start();
    void stop();

Q_SIGNALS:
    void finished(int code);

private:
    struct Part
    {
        StackPart info;
        QString program;
        QStringList arguments;
        QHash<QString, QString> environment;
        std::unique_ptr<QProcess> process;
        int restarts = 0;
        bool checking = false;
        int stage =
            0; ///< parts of a stage start together, when those of the stages before are healthy
    };

    Result<void> lock();
    Result<void> layOut();
    Part& addPart(const QString& name, const QString& program, quint16 port, int stage, QUrl url);
    Result<QByteArray> layOutExtras(
        const QList<quint16>& ports, quint16 redisPort, const QStringList& workers);
    Result<QString> find(const char* program, const char* package) const;
    void addWorkers(const QList<quint16>& ports, const QString& redisPort);
    void startStage();
    void startPart(Part& part);
    void onExit(Part& part);
    void tick();
    void check(Part& part);
    void checkHttp(Part& part, const QString& path);
    void checkRedis(Part& part);
    void setState(Part& part, PartState state, const QString& detail = {});
    void publish();
    void fail(const Error& error);
    void stopNext();
    Part* partNamed(const QString& name);
    static QString logTail(const QString& file);

    StackOptions m_options;
    ProcessMark m_owner;
    StackFolder m_folder;
    StackDocument m_document;
    std::vector<std::unique_ptr<Part>> m_parts;
    QNetworkAccessManager m_network;
    QTimer m_tick;
    QElapsedTimer m_clock;
    QElapsedTimer m_stopClock;
    int m_lock = -1;
    int m_stage = 0;
    int m_exitCode = 0;
};

} // namespace sluice::ops

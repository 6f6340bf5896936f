#pragma once

#include "engine/base/result.h"
#include "engine/operations/environment/environment.h"

#include <QDateTime>
#include <QHash>
#include <QList>
#include <QObject>
#include <QString>
#include <memory>

namespace sluice::ops {

enum class PartState
{
    Waiting,
    Starting,
    Healthy,
    Failed,
    Stopped
};

/// One process of the local stack.
struct StackPart
{
    QString name; ///< "redis", "prometheus", "haproxy", "blue-1", "blue-2", "green-1", "green-2"
    QString pool; ///< workers only
    qint64 pid = 0;
    quint16 port = 0;
    QUrl url; ///< where it answers (redis://... for Redis)
    QString logFile;
    PartState state = PartState::Waiting;
    QString detail; ///< why it failed, or what it is waiting for

    bool operator==(const StackPart&) const = default;
};

struct StackStatus
{
    bool running = false;
    QString stateFolder;
    QDateTime startedAt;
    QList<StackPart> parts;
    Environment environment; ///< ready to connect to; name "local"
    QString statsSocket; ///< HAProxy runtime API
    QHash<QString, QString> passwords; ///< ACL user -> password, from a file of mode 0600
};

struct StackOptions
{
    QString stateFolder; ///< empty: defaultStateFolder()
    QString modelFile; ///< empty: the bundled model
    QString catalogueFile; ///< empty: the bundled catalogue
    QString workerProgram; ///< empty: sluiced beside this program
    int workersPerPool = 2;
    QStringList with; ///< "alertmanager", "redis-exporter", "blackbox-exporter"
    int startTimeoutMs = 30000; ///< for all parts together
    bool tied = false; ///< end the stack when this process ends, however it ends (the console)
};

/// The servers of a local environment: redis-server with the design's ACL users, Prometheus,
/// HAProxy and workers, on loopback and free ports, in one state folder (generated configuration,
/// logs, data). A supervisor process (`sluicectl stack supervise`) owns them all: it starts them in
/// order, waits until each is healthy, writes <state>/stack.json, and ends them together; they die
/// with it even when it is killed (PR_SET_PDEATHSIG).
class LocalStack : public QObject
{
    Q_OBJECT

public:
    explicit LocalStack(QObject* parent = nullptr);
    ~LocalStack() override;

    /// $SLUICE_STATE, else $XDG_STATE_HOME/sluice/stack.
    static QString defaultStateFolder();

    /// The `sluicectl` beside this program, in $SLUICE_BIN or on the path; empty: none.
    static QString commandLine();

    /// What the state folder says, checked against the living processes. Never waits.
    static Result<StackStatus> status(const QString& stateFolder = {});

    /// Starts it, or joins the one that runs already in that folder. Progress by partChanged(), the
    /// end by ready() or failed(); on failure everything is ended again.
    void up(const StackOptions& options);
    /// Ends the stack of that folder, whoever started it; finished by down() or failed().
    void down(const QString& stateFolder = {});

Q_SIGNALS:
    void partChanged(const sluice::ops::StackPart& part);
    void ready(const sluice::ops::StackStatus& status);
    void stopped();
    void failed(const sluice::Error& error);

private:
    class Private;
    std::unique_ptr<Private> d;
};

} // namespace sluice::ops

#include "engine/operations/loadtest/locustrunner.h"

#include "engine/base/file.h"

#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QPointer>
#include <QProcess>
#include <QStandardPaths>
#include <QTcpServer>
#include <QTemporaryDir>
#include <QTimer>
#include <chrono>
#include <csignal>
#include <sys/prctl.h>
#include <vector>

namespace sluice::ops {

namespace {

using namespace std::chrono_literals;

constexpr qsizetype lineLimit = qsizetype(8) << 20; ///< bytes of one line of the master
constexpr qsizetype tailLimit = 4000; ///< of what a process said last, for an error's text
constexpr auto stopLimit = 5s; ///< from stop() to the last report

/// A port nobody has now. Another may take it before the master does, which then says so.
quint16 freePort(const QString& host)
{
    QTcpServer probe;
    probe.listen(QHostAddress(host));
    return probe.serverPort();
}

LocustSecond secondOf(const QJsonObject& line)
{
    LocustSecond second;
    second.second = line[QStringLiteral("second")].toInt();
    second.users = line[QStringLiteral("users")].toDouble();
    second.workers = line[QStringLiteral("workers")].toInt();
    second.succeeded = line[QStringLiteral("done")].toInteger();
    const QJsonObject errors = line[QStringLiteral("errors")].toObject();
    for (auto kind = errors.begin(); kind != errors.end(); ++kind) {
        second.errors[kind.key()] = kind.value().toInteger();
    }
    const QJsonObject samples = line[QStringLiteral("samples")].toObject();
    for (auto kind = samples.begin(); kind != samples.end(); ++kind) {
        second.samples[kind.key()] = kind.value().toString();
    }
    const QJsonArray buckets = line[QStringLiteral("latency")].toArray();
    for (const auto& bucket : buckets) {
        const QJsonArray pair = bucket.toArray();
        const std::int64_t nanoseconds = pair.at(0).toInteger();
        for (qint64 count = pair.at(1).toInteger(); count > 0; --count) {
            second.latency.add(nanoseconds);
        }
    }
    const QJsonArray cpu = line[QStringLiteral("cpu")].toArray();
    for (const auto& share : cpu) {
        second.cpu += share.toDouble();
        second.busiestWorkerCpu = std::max(second.busiestWorkerCpu, share.toDouble());
    }
    return second;
}

} // namespace

class LocustRunner::Private
{
public:
    explicit Private(LocustRunner* owner)
        : q(owner)
    { }

    /// A process that ends with this one; its last words are kept.
    struct Child
    {
        std::unique_ptr<QProcess> process;
        QString name;
        QByteArray tail;

        void keep(const QByteArray& said)
        {
            tail += said;
            tail = tail.right(tailLimit);
        }
        QString lastLine() const
        {
            return QString::fromUtf8(tail.trimmed().split('\n').last()).left(500);
        }
    };

    Child* add(const QString& name, const QStringList& command);
    void readMaster();
    void take(const QByteArray& line);
    void lost(const QJsonObject& what, bool back);
    void onWorkerEnded(Child* child);
    void onMasterEnded();
    void fail(const Error& error);
    void killAll();

    LocustRunner* q;
    QTemporaryDir folder;
    std::vector<std::unique_ptr<Child>> workers;
    std::unique_ptr<Child> master;
    QByteArray buffer;
    QTimer deadline;
    QStringList notes;
    std::optional<LocustEnd> end;
    bool begun = false; ///< users have come
    bool stopping = false;
    bool running = false;
};

LocustRunner::Private::Child* LocustRunner::Private::add(
    const QString& name, const QStringList& command)
{
    auto child = std::make_unique<Child>();
    child->name = name;
    child->process = std::make_unique<QProcess>();
    QProcess* process = child->process.get();
    process->setProgram(command.first());
    process->setArguments(command.mid(1));
    process->setWorkingDirectory(folder.path());
    QProcessEnvironment environment = QProcessEnvironment::systemEnvironment();
    const QStringList keys = environment.keys();
    for (const QString& key : keys) {
        if (key.startsWith(QLatin1StringView("LOCUST_"))) {
            environment.remove(key); // options that somebody set for runs of his own
        }
    }
    environment.insert(QStringLiteral("PYTHONUNBUFFERED"), QStringLiteral("1"));
    process->setProcessEnvironment(environment);
    // What we hold open of its standard input ends it with us; this does where it is stopped too.
    process->setChildProcessModifier([] { ::prctl(PR_SET_PDEATHSIG, SIGKILL); });
    Child* raw = child.get();
    QObject::connect(process, &QProcess::readyReadStandardError, q,
        [raw] { raw->keep(raw->process->readAllStandardError()); });
    if (name == QLatin1StringView("master")) {
        master = std::move(child);
    } else {
        QObject::connect(process, &QProcess::readyReadStandardOutput, q,
            [raw] { raw->keep(raw->process->readAllStandardOutput()); });
        workers.push_back(std::move(child));
    }
    return raw;
}

void LocustRunner::Private::fail(const Error& error)
{
    if (!running) {
        return;
    }
    running = false;
    deadline.stop();
    killAll();
    Q_EMIT q->failed(error);
}

void LocustRunner::Private::killAll()
{
    const auto killOne = [](Child* child) {
        if (child != nullptr && child->process->state() != QProcess::NotRunning) {
            child->process->disconnect();
            child->process->kill();
            child->process->waitForFinished(2000);
        }
    };
    killOne(master.get());
    for (const std::unique_ptr<Child>& worker : workers) {
        killOne(worker.get());
    }
}

void LocustRunner::Private::readMaster()
{
    buffer += master->process->readAllStandardOutput();
    while (running) {
        const qsizetype newline = buffer.indexOf('\n');
        if (newline < 0) {
            break;
        }
        take(buffer.left(newline));
        buffer.remove(0, newline + 1);
    }
    if (buffer.size() > lineLimit) {
        fail(internalError("Locust's master sent a line without end"));
    }
}

void LocustRunner::Private::take(const QByteArray& line)
{
    if (!line.startsWith("{\"")) {
        return; // Locust's own tables
    }
    const QJsonObject object = QJsonDocument::fromJson(line).object();
    if (object.contains(QStringLiteral("second"))) {
        Q_EMIT q->second(secondOf(object));
    } else if (object.contains(QStringLiteral("started"))) {
        begun = true;
        Q_EMIT q->started(object[QStringLiteral("started")][QStringLiteral("workers")].toInt());
    } else if (object.contains(QStringLiteral("lost"))) {
        lost(object[QStringLiteral("lost")].toObject(), false);
    } else if (object.contains(QStringLiteral("back"))) {
        lost(object[QStringLiteral("back")].toObject(), true);
    } else if (object.contains(QStringLiteral("end"))) {
        const QJsonObject from = object[QStringLiteral("end")].toObject();
        end.emplace();
        end->completed = from[QStringLiteral("complete")].toBool();
        end->seconds = from[QStringLiteral("seconds")].toDouble();
        end->requests = from[QStringLiteral("requests")].toInteger();
        end->failures = from[QStringLiteral("failures")].toInteger();
        const QJsonArray exceptions = from[QStringLiteral("exceptions")].toArray();
        for (const auto& exception : exceptions) {
            notes << QStringLiteral("the locustfile threw: %1").arg(exception.toString());
        }
    }
}

void LocustRunner::Private::lost(const QJsonObject& what, bool back)
{
    // A worker's id is its host's name and 32 hexadecimal digits.
    const QString note = (back
            ? QStringLiteral("Locust's worker %1 (%2) reports again since second %3")
            : QStringLiteral("Locust's worker %1 (%2) was lost in second %3: its last seconds are "
                             "not counted, the others take its users"))
                             .arg(what[QStringLiteral("worker")].toInt())
                             .arg(what[QStringLiteral("id")].toString().section(u'_', 0, -2))
                             .arg(what[QStringLiteral("second")].toInt());
    notes << note;
    Q_EMIT q->noted(note);
}

void LocustRunner::Private::onWorkerEnded(Child* child)
{
    if (running && !begun && !stopping) {
        fail(unreachableError(child->name.toStdString() + " of Locust ended before the run began",
            child->lastLine().toStdString()));
    }
}

void LocustRunner::Private::onMasterEnded()
{
    if (!running) {
        return;
    }
    readMaster();
    if (!running) {
        return;
    }
    if (!end && !stopping) {
        fail(begun ? internalError(
                 "Locust's master ended in the middle of the run", master->lastLine().toStdString())
                   : unreachableError("Locust did not start", master->lastLine().toStdString()));
        return;
    }
    running = false;
    deadline.stop();
    killAll();
    LocustEnd result = end.value_or(LocustEnd{});
    result.completed = result.completed && !stopping;
    result.notes = notes;
    Q_EMIT q->finished(result);
}

LocustRunner::LocustRunner(QObject* parent)
    : QObject(parent)
    , d(std::make_unique<Private>(this))
{
    d->deadline.setSingleShot(true);
    connect(&d->deadline, &QTimer::timeout, this, [this] {
        if (d->stopping) {
            d->master->process->kill(); // what it printed is kept
        } else {
            d->fail(unreachableError(
                "Locust did not end in time", d->master->lastLine().toStdString()));
        }
    });
}

LocustRunner::~LocustRunner()
{
    d->running = false;
    d->killAll();
}

bool LocustRunner::isRunning() const
{
    return d->running;
}

QList<qint64> LocustRunner::workerPids() const
{
    QList<qint64> pids;
    for (const std::unique_ptr<Private::Child>& worker : d->workers) {
        pids << worker->process->processId();
    }
    return pids;
}

Result<void> LocustRunner::start(const LocustPlan& plan, const LocustSetup& setup)
{
    if (d->running || d->master != nullptr) {
        return internalError("a Locust run object runs once");
    }
    if (auto checked = plan.check(); !checked) {
        return checked;
    }
    const QString program = QStandardPaths::findExecutable(setup.program);
    if (program.isEmpty()) {
        return inputError("Locust (" + setup.program.toStdString()
            + ") is not installed: install the package python3-locust, or take the native "
              "generator");
    }
    const int workers = setup.localWorkers + int(setup.remoteWorkers.size());
    if (workers < 1 || workers > 100) {
        return inputError("a Locust run has 1 to 100 workers");
    }
    const auto text = locustfile(plan);
    if (!text) {
        return text.error();
    }
    const QString file = d->folder.filePath(QStringLiteral("locustfile.py"));
    if (auto written = writeFileAtomically(file.toStdString(), text->toStdString()); !written) {
        return written;
    }
    const QString bind =
        setup.remoteWorkers.isEmpty() ? QStringLiteral("127.0.0.1") : QStringLiteral("*");
    const quint16 port = freePort(QStringLiteral("127.0.0.1"));
    d->running = true;

    Private::Child* master = d->add(QStringLiteral("master"),
        locustMaster(program, file, bind, port, workers, setup.workerWaitSeconds));
    connect(master->process.get(), &QProcess::readyReadStandardOutput, this,
        [this] { d->readMaster(); });
    // By a queued call: the last output is read, and nothing is deleted under the signal.
    connect(
        master->process.get(), &QProcess::finished, this, [this] { d->onMasterEnded(); },
        Qt::QueuedConnection);
    for (int number = 1; number <= workers; ++number) {
        const int remote = number - setup.localWorkers - 1;
        QStringList command = locustWorker(program, file, QStringLiteral("127.0.0.1"), port);
        if (remote >= 0) {
            command = QProcess::splitCommand(setup.remoteWorkers[remote]);
            if (command.isEmpty()) {
                d->running = false;
                return inputError("worker " + std::to_string(number)
                    + " of Locust has no command: give one like \"ssh load1\"");
            }
            command << remoteLocustWorker(setup.program, text->size(), setup.masterHost, port);
        }
        Private::Child* worker = d->add(QStringLiteral("worker %1").arg(number), command);
        connect(
            worker->process.get(), &QProcess::finished, this,
            [this, worker] { d->onWorkerEnded(worker); }, Qt::QueuedConnection);
        connect(
            worker->process.get(), &QProcess::errorOccurred, this,
            [this, worker](QProcess::ProcessError problem) {
                if (problem == QProcess::FailedToStart) {
                    worker->tail = worker->process->errorString().toUtf8();
                    d->onWorkerEnded(worker);
                }
            },
            Qt::QueuedConnection);
    }
    master->process->start();
    for (std::size_t at = 0; at < d->workers.size(); ++at) {
        QProcess* process = d->workers[at]->process.get();
        process->start();
        if (int(at) >= setup.localWorkers) {
            process->write(*text);
        }
    }
    d->deadline.start(
        std::chrono::milliseconds(qint64((plan.seconds() + setup.workerWaitSeconds + 60) * 1000)));
    return {};
}

void LocustRunner::stop()
{
    if (!d->running || d->stopping) {
        return;
    }
    d->stopping = true;
    d->deadline.start(stopLimit);
    if (d->begun) {
        d->master->process->terminate();
    } else {
        d->master->process->kill(); // it waits for its workers and does not listen
    }
}

} // namespace sluice::ops

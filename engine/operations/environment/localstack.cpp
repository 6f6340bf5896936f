#include "engine/operations/environment/localstack.h"

#include "engine/operations/environment/stackfiles.h"

#include <QCoreApplication>
#include <QElapsedTimer>
#include <QFileInfo>
#include <QProcess>
#include <QStandardPaths>
#include <QTimer>
#include <signal.h>

namespace sluice::ops {

namespace {

constexpr int pollMs = 60;
constexpr int downPatienceMs = 15000;

bool isRunning(const StackDocument& document)
{
    return document.supervisor.isAlive()
        && (document.phase == QLatin1StringView("up")
            || document.phase == QLatin1StringView("starting"));
}

} // namespace

QString LocalStack::commandLine()
{
    QString beside = QCoreApplication::applicationDirPath() % QLatin1StringView("/sluicectl");
    if (QFileInfo(beside).isExecutable()) {
        return beside;
    }
    const QString named = qEnvironmentVariable("SLUICE_BIN") % QLatin1StringView("/sluicectl");
    return QFileInfo(named).isExecutable()
        ? named
        : QStandardPaths::findExecutable(QStringLiteral("sluicectl"));
}

class LocalStack::Private
{
public:
    explicit Private(LocalStack* owner)
        : q(owner)
    {
        m_poll.setInterval(pollMs);
    }

    void up(StackOptions options)
    {
        if (options.stateFolder.isEmpty()) {
            options.stateFolder = defaultStateFolder();
        }
        m_folder = {options.stateFolder};
        m_shown.clear();
        if (auto prepared = m_folder.prepare(); !prepared) {
            fail(prepared.error());
            return;
        }
        const auto present = m_folder.read();
        if (!present || !present->supervisor.isAlive() || !isRunning(*present)) {
            if (auto launched = launch(options); !launched) {
                fail(launched.error());
                return;
            }
        }
        m_clock.start();
        QObject::disconnect(&m_poll, nullptr, q, nullptr);
        QObject::connect(&m_poll, &QTimer::timeout, q,
            [this, limit = options.startTimeoutMs + 10000] { follow(limit); });
        m_poll.start();
    }

    void down(const QString& stateFolder)
    {
        m_folder = {stateFolder.isEmpty() ? defaultStateFolder() : stateFolder};
        m_clock.start();
        const auto present = m_folder.read();
        if (!present || !anyAlive(*present)) {
            QTimer::singleShot(0, q, [this] { Q_EMIT q->stopped(); });
            return;
        }
        if (!present->supervisor.signal(SIGTERM)) {
            signalParts(*present, SIGTERM);
        }
        QObject::disconnect(&m_poll, nullptr, q, nullptr);
        QObject::connect(
            &m_poll, &QTimer::timeout, q, [this, document = *present] { followDown(document); });
        m_poll.start();
    }

private:
    static bool anyAlive(const StackDocument& document)
    {
        if (document.supervisor.isAlive()) {
            return true;
        }
        for (qsizetype index = 0; index < document.status.parts.size(); ++index) {
            if (ProcessMark{document.status.parts[index].pid, document.partStartTicks.value(index)}
                    .isAlive()) {
                return true;
            }
        }
        return false;
    }

    static void signalParts(const StackDocument& document, int number)
    {
        for (qsizetype index = 0; index < document.status.parts.size(); ++index) {
            ProcessMark{document.status.parts[index].pid, document.partStartTicks.value(index)}
                .signal(number);
        }
    }

    void fail(const Error& error)
    {
        m_poll.stop();
        QTimer::singleShot(0, q, [this, error] { Q_EMIT q->failed(error); });
    }

    Result<void> launch(const StackOptions& options)
    {
        const QString program = commandLine();
        if (program.isEmpty()) {
            return inputError(
                "sluicectl is not beside this program: build it, it runs the local stack");
        }
        QStringList arguments{QStringLiteral("stack"), QStringLiteral("supervise"),
            QStringLiteral("--state"), options.stateFolder, QStringLiteral("--workers"),
            QString::number(options.workersPerPool), QStringLiteral("--timeout"),
            QString::number(std::max(1, options.startTimeoutMs / 1000))};
        const std::pair<QString, QString> named[] = {{QStringLiteral("--model"), options.modelFile},
            {QStringLiteral("--catalogue"), options.catalogueFile},
            {QStringLiteral("--worker"), options.workerProgram},
            {QStringLiteral("--with"), options.with.join(u',')}};
        for (const auto& [option, value] : named) {
            if (!value.isEmpty()) {
                arguments << option << value;
            }
        }
        if (options.tied) {
            arguments << QStringLiteral("--owner")
                      << QString::number(QCoreApplication::applicationPid());
        }
        QProcess process;
        process.setProgram(program);
        process.setArguments(arguments);
        process.setStandardInputFile(QProcess::nullDevice());
        process.setStandardOutputFile(m_folder.file(QStringLiteral("log/supervisor.log")));
        process.setStandardErrorFile(
            m_folder.file(QStringLiteral("log/supervisor.log")), QIODevice::Append);
        qint64 pid = 0;
        if (!process.startDetached(&pid)) {
            return internalError("the supervisor of the local stack could not be started",
                process.errorString().toStdString());
        }
        m_supervisor = ProcessMark::of(pid);
        return {};
    }

    void follow(int limitMs)
    {
        const auto document = m_folder.read();
        const bool fresh =
            document && (m_supervisor.pid == 0 || document->supervisor.pid == m_supervisor.pid);
        if (fresh) {
            for (const StackPart& part : document->status.parts) {
                if (!m_shown.contains(part.name) || m_shown.value(part.name) != part) {
                    m_shown.insert(part.name, part);
                    Q_EMIT q->partChanged(part);
                }
            }
            if (document->phase == QLatin1StringView("up")) {
                m_poll.stop();
                StackStatus status = document->status;
                status.running = true;
                Q_EMIT q->ready(status);
                return;
            }
            if (document->phase == QLatin1StringView("failed")
                || document->phase == QLatin1StringView("down")) {
                fail(internalError("the local stack did not start: "
                    + (document->error.isEmpty() ? "it was ended while it started"
                                                 : document->error.toStdString())));
                return;
            }
        }
        if (!fresh && m_supervisor.pid != 0 && !m_supervisor.isAlive()
            && m_clock.elapsed() > 1000) {
            fail(internalError("the supervisor of the local stack ended at once",
                "see " + m_folder.file(QStringLiteral("log/supervisor.log")).toStdString()));
        } else if (m_clock.elapsed() > limitMs) {
            fail(unreachableError("the local stack was not ready in time",
                "see " + m_folder.file(QStringLiteral("log")).toStdString()));
        }
    }

    void followDown(const StackDocument& document)
    {
        if (!anyAlive(document)) {
            m_poll.stop();
            Q_EMIT q->stopped();
            return;
        }
        if (m_clock.elapsed() > downPatienceMs) {
            document.supervisor.signal(SIGKILL);
            signalParts(document, SIGKILL);
        }
        if (m_clock.elapsed() > downPatienceMs + 3000) {
            fail(internalError("some processes of the local stack could not be ended: see "
                               "`sluicectl stack status`"));
        }
    }

    LocalStack* q;
    StackFolder m_folder;
    ProcessMark m_supervisor;
    QTimer m_poll;
    QElapsedTimer m_clock;
    QHash<QString, StackPart> m_shown;
};

LocalStack::LocalStack(QObject* parent)
    : QObject(parent)
    , d(std::make_unique<Private>(this))
{ }

LocalStack::~LocalStack() = default;

QString LocalStack::defaultStateFolder()
{
    QString own = qEnvironmentVariable("SLUICE_STATE");
    if (!own.isEmpty()) {
        return own;
    }
    const QString state = qEnvironmentVariable("XDG_STATE_HOME",
        QStandardPaths::writableLocation(QStandardPaths::HomeLocation)
            % QLatin1StringView("/.local/state"));
    return state % QLatin1StringView("/sluice/stack");
}

Result<StackStatus> LocalStack::status(const QString& stateFolder)
{
    const StackFolder folder{stateFolder.isEmpty() ? defaultStateFolder() : stateFolder};
    StackStatus status;
    status.stateFolder = folder.path;
    if (!QFileInfo::exists(folder.document())) {
        return status;
    }
    auto document = folder.read();
    if (!document) {
        return document.error();
    }
    status = document->status;
    status.running = isRunning(*document);
    for (qsizetype index = 0; index < status.parts.size(); ++index) {
        StackPart& part = status.parts[index];
        const ProcessMark mark{part.pid, document->partStartTicks.value(index)};
        if (!mark.isAlive()
            && (part.state == PartState::Healthy || part.state == PartState::Starting)) {
            part.state = status.running ? PartState::Failed : PartState::Stopped;
            part.detail = QStringLiteral("its process is gone");
        }
    }
    return status;
}

void LocalStack::up(const StackOptions& options)
{
    d->up(options);
}

void LocalStack::down(const QString& stateFolder)
{
    d->down(stateFolder);
}

} // namespace sluice::ops

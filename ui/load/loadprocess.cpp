#include "ui/load/loadprocess.h"

#include "engine/operations/environment/localstack.h"

#include <QJsonDocument>
#include <chrono>

namespace sluice::ui {

namespace {

using namespace std::chrono_literals;

constexpr qsizetype lineLimit = qsizetype(16) << 20; ///< bytes
constexpr qsizetype errorLimit = 4000;
constexpr auto stopPatience = 8s; ///< Locust collects its workers' last reports
constexpr int endPatienceMs = 1500;

ErrorKind kindOf(const QString& name)
{
    return name == QLatin1StringView("input")      ? ErrorKind::Input
        : name == QLatin1StringView("unreachable") ? ErrorKind::Unreachable
        : name == QLatin1StringView("refused")     ? ErrorKind::Refused
        : name == QLatin1StringView("cancelled")   ? ErrorKind::Cancelled
                                                   : ErrorKind::Internal;
}

} // namespace

LoadProcess::LoadProcess(QObject* parent)
    : QObject(parent)
{
    m_patience.setSingleShot(true);
    connect(&m_patience, &QTimer::timeout, this, [this] { m_process->kill(); });
}

LoadProcess::~LoadProcess()
{
    m_running = false;
    if (m_process != nullptr && m_process->state() != QProcess::NotRunning) {
        m_process->disconnect();
        m_process->closeWriteChannel();
        m_process->terminate();
        if (!m_process->waitForFinished(endPatienceMs)) {
            m_process->kill();
            m_process->waitForFinished(endPatienceMs);
        }
    }
}

QStringList LoadProcess::arguments(const LoadOrder& order, const QString& scenarioFile)
{
    QStringList words{QStringLiteral("load"), QStringLiteral("run"), QStringLiteral("--json"),
        QStringLiteral("--until-stdin-closes"), QStringLiteral("--scenario"), scenarioFile,
        QStringLiteral("--target"), order.target.toString(), QStringLiteral("--seed"),
        QString::number(order.seed), QStringLiteral("--out"), order.folder};
    if (!order.environment.isEmpty()) {
        words << QStringLiteral("--environment") << order.environment;
    }
    if (order.generator != QLatin1StringView("native")) {
        words << QStringLiteral("--generator") << order.generator
              << QStringLiteral("--locust-workers") << QString::number(order.locustWorkers);
    }
    if (!order.meant.isEmpty()) {
        words << QStringLiteral("--i-mean") << order.meant;
    }
    return words;
}

void LoadProcess::start(const LoadOrder& order)
{
    m_order = order;
    m_running = true;
    const QString program = ops::LocalStack::commandLine();
    if (program.isEmpty()) {
        fail(inputError(
            "sluicectl is not beside this program: build or install it, it runs load tests"));
        return;
    }
    if (!m_scenario.open() || m_scenario.write(QJsonDocument(order.scenario.toJson()).toJson()) < 0
        || !m_scenario.flush()) {
        fail(internalError("the scenario can't be written into a temporary file",
            m_scenario.errorString().toStdString()));
        return;
    }
    m_process = std::make_unique<QProcess>();
    m_process->setProgram(program);
    m_process->setArguments(arguments(order, m_scenario.fileName()));
    connect(m_process.get(), &QProcess::readyReadStandardOutput, this, &LoadProcess::read);
    connect(m_process.get(), &QProcess::readyReadStandardError, this, [this] {
        m_errors += m_process->readAllStandardError();
        m_errors = m_errors.right(errorLimit);
    });
    // Queued: nothing that is told may delete the process under its own signal.
    connect(m_process.get(), &QProcess::finished, this, &LoadProcess::end, Qt::QueuedConnection);
    connect(
        m_process.get(), &QProcess::errorOccurred, this,
        [this](QProcess::ProcessError problem) {
            if (problem == QProcess::FailedToStart) {
                fail(internalError(
                    "sluicectl did not start", m_process->errorString().toStdString()));
            }
        },
        Qt::QueuedConnection);
    m_process->start();
}

void LoadProcess::stop()
{
    if (m_running && !m_patience.isActive()) {
        m_process->terminate();
        m_patience.start(stopPatience);
    }
}

void LoadProcess::read()
{
    m_buffer += m_process->readAllStandardOutput();
    for (qsizetype newline = m_buffer.indexOf('\n'); newline >= 0 && m_running;
         newline = m_buffer.indexOf('\n')) {
        const QJsonObject line = QJsonDocument::fromJson(m_buffer.left(newline)).object();
        m_buffer.remove(0, newline + 1);
        take(line);
    }
    if (m_buffer.size() > lineLimit) {
        fail(internalError("sluicectl sent a line without end"));
    }
}

void LoadProcess::take(const QJsonObject& line)
{
    if (line.contains(QStringLiteral("second"))) {
        m_seconds << ops::LoadSecond::fromJson(line);
        Q_EMIT second(m_seconds.last());
    } else if (line.contains(QStringLiteral("result"))) {
        auto result = ops::LoadResult::fromJson(
            line[QStringLiteral("result")].toObject(), QStringLiteral("sluicectl"));
        if (result) {
            m_result = std::move(*result);
        } else {
            m_error = result.error();
        }
    } else if (line.contains(QStringLiteral("note"))) {
        Q_EMIT noted(line[QStringLiteral("note")].toString());
    } else if (line.contains(QStringLiteral("error"))) {
        const QJsonObject what = line[QStringLiteral("error")].toObject();
        m_error = Error{kindOf(what[QStringLiteral("kind")].toString()),
            what[QStringLiteral("message")].toString().toStdString(),
            what[QStringLiteral("cause")].toString().toStdString()};
    }
}

void LoadProcess::end()
{
    if (!m_running) {
        return;
    }
    read();
    if (!m_running) {
        return;
    }
    m_patience.stop();
    if (m_result) {
        m_running = false;
        m_result->seconds = m_seconds;
        Q_EMIT finished(*m_result);
        return;
    }
    const QString last = QString::fromUtf8(m_errors.trimmed().split('\n').last()).left(500);
    fail(
        m_error.value_or(internalError("the load run ended without a result", last.toStdString())));
}

void LoadProcess::fail(const Error& error)
{
    if (!m_running) {
        return;
    }
    m_running = false;
    m_patience.stop();
    // Not from inside start(): whoever called it is not ready to hear.
    QMetaObject::invokeMethod(
        this, [this, error] { Q_EMIT failed(error); }, Qt::QueuedConnection);
}

} // namespace sluice::ui

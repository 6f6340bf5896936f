#include "ui/rollout/driverhost.h"

#include "engine/operations/environment/localstack.h"
#include "ui/shell/console.h"

#include <QTimer>

namespace sluice::ui {

namespace {

constexpr int endMs = 3000;
constexpr qsizetype mostSaid = 4096;

} // namespace

DriverHost::DriverHost(Console* console, QObject* parent)
    : QObject(parent)
    , m_console(console)
{
    m_process.setProcessChannelMode(QProcess::MergedChannels);
    connect(&m_process, &QProcess::readyRead, this,
        [this] { m_said = QByteArray(m_said + m_process.readAll()).right(mostSaid); });
    connect(&m_process, &QProcess::stateChanged, this, [this] { Q_EMIT changed(); });
    connect(&m_process, &QProcess::errorOccurred, this, [this](QProcess::ProcessError error) {
        if (error == QProcess::FailedToStart) {
            m_trouble = m_process.errorString();
            Q_EMIT changed();
        }
    });
    connect(&m_process, &QProcess::finished, this, [this] {
        if (!m_stopping) {
            const QByteArray last = m_said.trimmed();
            m_trouble = QString::fromUtf8(last.mid(last.lastIndexOf('\n') + 1));
            if (m_trouble.isEmpty()) {
                m_trouble = tr("it ended without a word");
            }
        }
        Q_EMIT changed();
    });
    connect(console, &Console::environmentChanged, this, &DriverHost::stop);
}

DriverHost::~DriverHost()
{
    m_process.disconnect(this);
    if (isRunning()) {
        m_process.terminate();
        if (!m_process.waitForFinished(endMs)) {
            m_process.kill();
            m_process.waitForFinished(endMs);
        }
    }
}

void DriverHost::start()
{
    if (isRunning()) {
        return;
    }
    m_stopping = false;
    m_trouble.clear();
    m_said.clear();
    const QString program = ops::LocalStack::commandLine();
    if (program.isEmpty()) {
        m_trouble = tr("sluicectl is neither beside this program nor on the path");
        Q_EMIT changed();
        return;
    }
    m_process.start(program,
        {QStringLiteral("rollout"), QStringLiteral("drive"), QStringLiteral("--environment"),
            m_console->environment().name});
}

void DriverHost::stop()
{
    if (!isRunning()) {
        return;
    }
    m_stopping = true;
    m_process.terminate();
    QTimer::singleShot(endMs, &m_process, [this] {
        if (m_stopping && isRunning()) {
            m_process.kill();
        }
    });
}

} // namespace sluice::ui

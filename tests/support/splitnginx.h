#pragma once

#include "engine/operations/rollout/nginxbalancer.h"
#include "tests/support/process.h"
#include "tests/support/redisserver.h"

#include <QFile>
#include <QTemporaryDir>

namespace sluice::test {

/// A real nginx with the configuration of packaging/nginx/sluice-split.conf, on free ports of
/// 127.0.0.1; it ends with this object.
class SplitNginx
{
public:
    ~SplitNginx() { stop(); }

    /// Ends it and waits, 5 s at most.
    bool stop()
    {
        if (m_process.state() == QProcess::NotRunning) {
            return true;
        }
        m_process.terminate(); // the master ends its workers
        return m_process.waitForFinished(5000);
    }

    /// Starts it in front of a worker of each pool. False: it could not be.
    bool start(quint16 blue, quint16 green)
    {
        m_port = freePort();
        const quint16 status = freePort();
        QFile packaged(QStringLiteral(SLUICE_SOURCE_DIR "/packaging/nginx/sluice-split.conf"));
        if (!packaged.open(QIODevice::ReadOnly)) {
            return false;
        }
        QByteArray text = packaged.readAll();
        const auto listens = [&text](const char* packagedAs, quint16 port) {
            text.replace(packagedAs, QByteArray("127.0.0.1:").append(QByteArray::number(port)));
        };
        listens("127.0.0.1:8081", blue);
        listens("127.0.0.1:8082", green);
        listens("127.0.0.1:8080", m_port);
        listens("127.0.0.1:8079", status);
        for (const char* name : {"nginx.pid", "error.log", "split.conf"}) {
            const QByteArray old = QByteArray(" ").append(name).append(';');
            text.replace(old, QByteArray(" ").append(path(name).toUtf8()).append(';'));
        }
        text.replace(" split.log ", QByteArray(" ").append(path("split.log").toUtf8()).append(' '));
        QByteArray http("http {\n");
        for (const char* kind : {"client_body", "proxy", "fastcgi", "uwsgi", "scgi"}) {
            http.append(kind).append("_temp_path ").append(path(kind).toUtf8()).append(";\n");
        }
        text.replace("http {", http);
        if (!write("nginx.conf", text)
            || !write(
                "split.conf", ops::NginxBalancer::splitText({QStringLiteral("blue"), 0}, 0))) {
            return false;
        }
        m_options.splitFile = path("split.conf");
        m_options.pidFile = path("nginx.pid");
        m_options.accessLog = path("split.log");
        m_options.status = QUrl(QStringLiteral("http://127.0.0.1:%1/sluice-split").arg(status));
        const auto worker = [](const char* pool, quint16 port) {
            return ops::WorkerEndpoint{
                QString::fromLatin1(pool), QUrl(QStringLiteral("http://127.0.0.1:%1").arg(port))};
        };
        m_options.workers = {worker("blue", blue), worker("green", green)};
        m_process.setProcessChannelMode(QProcess::MergedChannels);
        endWithTest(m_process);
        m_process.start(QStringLiteral("/usr/sbin/nginx"),
            {QStringLiteral("-e"), path("error.log"), QStringLiteral("-c"), path("nginx.conf"),
                QStringLiteral("-g"), QStringLiteral("daemon off;")});
        return m_process.waitForStarted();
    }

    quint16 port() const { return m_port; } ///< for clients
    const ops::NginxBalancer::Options& options() const { return m_options; }

private:
    QString path(const char* name) const { return m_folder.filePath(QString::fromLatin1(name)); }
    bool write(const char* name, const QByteArray& content) const
    {
        QFile file(path(name));
        return file.open(QIODevice::WriteOnly) && file.write(content) == content.size();
    }

    QTemporaryDir m_folder;
    QProcess m_process;
    quint16 m_port = 0;
    ops::NginxBalancer::Options m_options;
};

} // namespace sluice::test

#include "engine/operations/rollout/nginxbalancer.h"

#include "engine/base/file.h"

#include <QDateTime>
#include <QFile>
#include <QNetworkReply>
#include <QPointer>
#include <QTimer>
#include <csignal>

namespace sluice::ops {

namespace {

constexpr int askTimeoutMs = 1000;
constexpr int reloadTimeoutMs = 2500;
constexpr int askAgainMs = 10;
constexpr qint64 longestLog = qint64(16) << 20;

const QString blue = QStringLiteral("blue");
const QString green = QStringLiteral("green");

QString other(const QString& pool)
{
    return pool == blue ? green : blue;
}

} // namespace

NginxBalancer::NginxBalancer(Options options, QObject* parent)
    : Balancer(parent)
    , m_options(std::move(options))
{ }

QByteArray NginxBalancer::splitText(const TrafficTarget& target, qint64 generation)
{
    const QByteArray live = target.live.toUtf8();
    const QByteArray next = other(target.live).toUtf8();
    const QByteArray share = QByteArray::number(target.nextBasisPoints / 100.0, 'f', 2);
    QByteArray text = "# Written by Sluice's rollout driver; read by nginx at each reload.\n"
                      "split_clients \"$http_x_session_id\" $sluice_picked {\n";
    if (target.nextBasisPoints >= 10000) {
        text += "    * " + next + ";\n";
    } else {
        if (target.nextBasisPoints > 0) {
            text += "    " + share + "% " + next + ";\n";
        }
        text += "    * " + live + ";\n";
    }
    return text + "}\nmap $http_x_session_id $sluice_pool { \"\" " + live
        + "; default $sluice_picked; }\nmap $host $sluice_split { default \"" + live + ' '
        + QByteArray::number(target.nextBasisPoints) + ' ' + QByteArray::number(generation)
        + "\"; }\n";
}

void NginxBalancer::countLog()
{
    QFile log(m_options.accessLog);
    if (!log.open(QIODevice::ReadWrite | QIODevice::ExistingOnly)) {
        return;
    }
    if (log.size() < m_logRead) { // somebody rotated it
        m_logRead = 0;
    }
    log.seek(m_logRead);
    const QByteArray text = log.readAll();
    const qsizetype end = text.lastIndexOf('\n') + 1;
    for (qsizetype at = 0; at < end;) {
        const qsizetype next = text.indexOf('\n', at) + 1;
        const bool isBlue = text.mid(at, 5) == "blue ";
        const bool isGreen = text.mid(at, 6) == "green ";
        if (isBlue || isGreen) {
            Counted& counted = isBlue ? m_blue : m_green;
            ++counted.requests;
            counted.errors += text.at(at + (isBlue ? 5 : 6)) == '5' ? 1 : 0;
        }
        at = next;
    }
    m_logRead += end;
    if (m_logRead > longestLog && log.resize(0)) { // nginx appends: it goes on at the beginning
        m_logRead = 0;
    }
}

void NginxBalancer::look(
    QObject* context, std::function<void(Result<TrafficSplit>, qint64)> answered)
{
    struct Round
    {
        std::optional<Error> error;
        QByteArray said;
        QHash<QString, int> up;
        qsizetype open = 0;
    };
    auto round = std::make_shared<Round>();
    round->open = 1 + m_options.workers.size();
    const auto finish = [this, round, answered = std::move(answered)] {
        if (--round->open > 0) {
            return;
        }
        const QList<QByteArray> words = round->said.trimmed().split(' ');
        if (round->error || words.size() != 3) {
            answered(round->error.value_or(
                         inputError("nginx at " + m_options.status.toString().toStdString()
                             + " does not say how it splits: its configuration is not Sluice's")),
                0);
            return;
        }
        countLog();
        TrafficSplit split;
        split.live = QString::fromUtf8(words[0]);
        split.next = other(split.live);
        split.nextShareBasisPoints = words[1].toInt();
        split.liveServersUp = round->up.value(split.live);
        split.nextServersUp = round->up.value(split.next);
        const Counted& live = split.live == blue ? m_blue : m_green;
        const Counted& next = split.live == blue ? m_green : m_blue;
        split.liveRequests = live.requests;
        split.liveErrors = live.errors;
        split.nextRequests = next.requests;
        split.nextErrors = next.errors;
        answered(split, words[2].toLongLong());
    };
    const auto ask = [this, context](const QUrl& url, auto received) {
        QNetworkRequest request(url);
        request.setTransferTimeout(askTimeoutMs);
        // A connection that is kept stays with the process from before a reload.
        request.setRawHeader("Connection", "close");
        QNetworkReply* reply = m_network.get(request);
        connect(reply, &QNetworkReply::finished, reply, &QObject::deleteLater);
        connect(reply, &QNetworkReply::finished, context,
            [reply, received = std::move(received)] { received(*reply); });
    };
    ask(m_options.status, [round, finish, url = m_options.status](QNetworkReply& reply) {
        if (reply.error() == QNetworkReply::NoError) {
            round->said = reply.readAll();
        } else {
            round->error =
                unreachableError("nginx could not be reached at " + url.toString().toStdString(),
                    reply.errorString().toStdString());
        }
        finish();
    });
    for (const WorkerEndpoint& worker : m_options.workers) {
        QUrl url = worker.url;
        url.setPath(QStringLiteral("/readyz"));
        ask(url, [round, finish, pool = worker.pool](QNetworkReply& reply) {
            round->up[pool] += reply.error() == QNetworkReply::NoError ? 1 : 0;
            finish();
        });
    }
}

void NginxBalancer::read(QObject* context, Answered answered)
{
    look(context, [answered = std::move(answered)](const Result<TrafficSplit>& split, qint64) {
        answered(split);
    });
}

void NginxBalancer::renew(qint64, QObject* context, Answered answered)
{
    read(context, std::move(answered));
}

void NginxBalancer::apply(const TrafficTarget& target, qint64, QObject* context, Answered answered)
{
    look(context,
        [this, target, context = QPointer<QObject>(context), answered = std::move(answered),
            order = ++m_order](const Result<TrafficSplit>& split, qint64 generation) {
            if (!split) {
                answered(split.error());
                return;
            }
            if (order != m_order) {
                answered(cancelledError("a newer order was given"));
                return;
            }
            const bool same = split->live == target.live;
            const int liveUp = same ? split->liveServersUp : split->nextServersUp;
            const int nextUp = same ? split->nextServersUp : split->liveServersUp;
            if ((liveUp == 0 && nextUp > 0) || (target.nextBasisPoints > 0 && nextUp == 0)) {
                answered(refusedError("no server of "
                    + (liveUp == 0 ? target.live : other(target.live)).toStdString()
                    + " is healthy: nothing was changed"));
                return;
            }
            m_generation =
                std::max({generation + 1, m_generation + 1, QDateTime::currentMSecsSinceEpoch()});
            const QByteArray text = splitText(target, m_generation);
            auto done = writeFileAtomically(m_options.splitFile.toStdString(),
                std::string_view(text.constData(), std::size_t(text.size())));
            if (done) {
                done = reload();
            }
            if (!done) {
                answered(done.error());
                return;
            }
            auto since = std::make_shared<QElapsedTimer>();
            since->start();
            if (context != nullptr) {
                waitFor(m_generation, since, context, answered);
            }
        });
}

Result<void> NginxBalancer::reload()
{
    const auto text = readFile(m_options.pidFile.toStdString(), 64);
    const pid_t pid = text ? pid_t(std::atol(text->c_str())) : 0;
    if (pid <= 1 || ::kill(pid, SIGHUP) != 0) {
        return unreachableError(
            "nginx can't be told to reload: no process by " + m_options.pidFile.toStdString());
    }
    return {};
}

/// Until the processes that answer are those of this generation.
void NginxBalancer::waitFor(qint64 generation, const std::shared_ptr<QElapsedTimer>& since,
    QObject* context, const Answered& answered)
{
    look(context,
        [this, generation, since, context = QPointer<QObject>(context), answered](
            const Result<TrafficSplit>& split, qint64 has) {
            if (split && has >= generation) {
                answered(split);
            } else if (since->elapsed() > reloadTimeoutMs) {
                answered(split ? refusedError("nginx did not take the new split: see its error "
                                              "log; it goes on with the old one")
                               : split.error());
            } else if (context != nullptr) {
                QTimer::singleShot(askAgainMs, context,
                    [=, this] { waitFor(generation, since, context, answered); });
            }
        });
}

} // namespace sluice::ops

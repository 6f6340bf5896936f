#include "engine/operations/rollout/trafficrouter.h"

#include "engine/base/file.h"

#include <QDateTime>
#include <QHash>
#include <QLocalSocket>
#include <QPointer>
#include <QTimer>
#include <utility>

namespace sluice::ops {

namespace {

constexpr int commandTimeoutMs = 2000;

using Lines = QList<QByteArray>;
using Told = std::function<void(Result<QByteArray>)>;

/// Sends one line of commands (joined by ';') to the runtime API and gives its whole answer.
class Conversation : public QObject
{
    Q_OBJECT

public:
    Conversation(const QString& path, const QByteArray& commands, QObject* parent, Told told)
        : QObject(parent)
        , m_path(path)
        , m_told(std::move(told))
    {
        connect(&m_socket, &QLocalSocket::connected, this,
            [this, commands] { m_socket.write(commands + "\n"); });
        connect(
            &m_socket, &QLocalSocket::readyRead, this, [this] { m_answer += m_socket.readAll(); });
        connect(&m_socket, &QLocalSocket::disconnected, this,
            [this] { finish(QByteArray(m_answer + m_socket.readAll())); });
        connect(&m_socket, &QLocalSocket::errorOccurred, this,
            [this](QLocalSocket::LocalSocketError error) {
                if (error != QLocalSocket::PeerClosedError) {
                    finish(
                        unreachableError("HAProxy could not be reached at " + m_path.toStdString(),
                            m_socket.errorString().toStdString()));
                }
            });
        QTimer::singleShot(commandTimeoutMs, this, [this] {
            finish(unreachableError("HAProxy did not answer in time at " + m_path.toStdString()));
        });
        m_socket.connectToServer(path);
    }

    ~Conversation() override
    {
        // A socket that is closed by its end still speaks: to nobody, with the router gone.
        m_socket.disconnect(this);
    }

private:
    void finish(Result<QByteArray> result)
    {
        if (m_told) {
            std::exchange(m_told, nullptr)(std::move(result));
            deleteLater();
        }
    }

    QLocalSocket m_socket;
    QString m_path;
    QByteArray m_answer;
    Told m_told;
};

/// "show map PATH" -> key and value of each line ("0x55... key value").
QHash<QByteArray, QByteArray> mapEntries(const QByteArray& text)
{
    QHash<QByteArray, QByteArray> entries;
    for (const QByteArray& line : text.split('\n')) {
        const Lines words = line.simplified().split(' ');
        if (words.size() == 3 && words[0].startsWith("0x")) {
            entries.insert(words[1], words[2]);
        }
    }
    return entries;
}

QString otherPool(const QString& pool)
{
    return pool == QLatin1StringView("blue") ? QStringLiteral("green") : QStringLiteral("blue");
}

/// What "show stat" says of one backend.
struct Backend
{
    quint64 requests = 0;
    quint64 errors = 0;
    int serversUp = 0;
};

QHash<QString, Backend> backendsOf(const QByteArray& csv)
{
    QHash<QString, Backend> backends;
    Lines columns;
    for (const QByteArray& line : csv.split('\n')) {
        if (line.startsWith("# ")) {
            columns = line.mid(2).split(',');
            continue;
        }
        const Lines fields = line.split(',');
        if (columns.isEmpty() || fields.size() < columns.size()) {
            continue;
        }
        const auto field = [&](const char* name) { return fields.value(columns.indexOf(name)); };
        const QByteArray server = field("svname");
        if (server == "FRONTEND") {
            continue;
        }
        Backend& backend = backends[QString::fromUtf8(field("pxname"))];
        if (server == "BACKEND") {
            backend.requests = field("req_tot").toULongLong();
            backend.errors = field("hrsp_5xx").toULongLong() + field("econ").toULongLong()
                + field("eresp").toULongLong();
        } else if (field("status").startsWith("UP") || field("status") == "no check") {
            ++backend.serversUp;
        }
    }
    return backends;
}

} // namespace

class TrafficRouter::Private
{
public:
    Private(TrafficRouter* owner, QString path)
        : q(owner)
        , m_path(std::move(path))
    { }

    void say(const QByteArray& commands, Told told)
    {
        new Conversation(m_path, commands, q, std::move(told));
    }

    /// Calls `then` with the two map files' names as HAProxy knows them.
    void withMaps(const Answered& answered, std::function<void()> then)
    {
        if (!m_liveMap.isEmpty()) {
            then();
            return;
        }
        say("show map", [this, answered, then = std::move(then)](const Result<QByteArray>& list) {
            if (!list) {
                answered(list.error());
                return;
            }
            for (const QByteArray& line : list->split('\n')) {
                const qsizetype open = line.indexOf('(');
                const QByteArray name = line.mid(open + 1, line.indexOf(')', open) - open - 1);
                if (name.endsWith("live.map")) {
                    m_liveMap = name;
                } else if (name.endsWith("num.map")) {
                    m_numberMap = name;
                }
            }
            if (m_liveMap.isEmpty() || m_numberMap.isEmpty()) {
                m_liveMap.clear();
                answered(inputError("this HAProxy has no live.map and num.map: it was not set up "
                                    "for a split by Sluice"));
                return;
            }
            then();
        });
    }

    /// Everything that says how it is split, in one line of commands.
    QByteArray readCommands() const
    {
        return "show map " + m_liveMap + "; show map " + m_numberMap + "; show stat";
    }

    void read(const Answered& answered)
    {
        withMaps(answered, [this, answered] {
            say(readCommands(), [answered](const Result<QByteArray>& told) {
                answered(told ? Result<TrafficSplit>(splitOf(*told))
                              : Result<TrafficSplit>(told.error()));
            });
        });
    }

    /// Sets map entries, reads everything back (the reply of "set map" proves nothing), and answers
    /// with what HAProxy says; Refused when that differs.
    void set(QList<std::pair<QByteArray, QByteArray>> numbers, const QByteArray& live,
        const Answered& answered)
    {
        withMaps(answered, [this, numbers = std::move(numbers), live, answered] {
            QByteArray commands;
            if (!live.isEmpty()) {
                commands = "set map " + m_liveMap + " live " + live + "; ";
            }
            for (const auto& [key, value] : numbers) {
                commands += "set map " + m_numberMap + ' ' + key + ' ' + value + "; ";
            }
            say(commands + readCommands(),
                [this, numbers, live, answered](const Result<QByteArray>& told) {
                    if (!told) {
                        answered(told.error());
                        return;
                    }
                    verify(*told, numbers, live, answered);
                });
        });
    }

    void verify(const QByteArray& told, const QList<std::pair<QByteArray, QByteArray>>& numbers,
        const QByteArray& live, const Answered& answered)
    {
        const auto entries = mapEntries(told);
        for (const auto& [key, value] : numbers) {
            if (entries.value(key) != value) {
                answered(refusedError("HAProxy did not take " + key.toStdString() + " = "
                    + value.toStdString() + "; it has " + entries.value(key).toStdString()));
                return;
            }
        }
        if (!live.isEmpty() && entries.value("live") != live) {
            answered(refusedError("HAProxy did not make " + live.toStdString() + " the live pool"));
            return;
        }
        answered(live.isEmpty() ? Result<TrafficSplit>(splitOf(told)) : keep(told, live));
    }

    /// A reload takes the live pool from the map's file.
    Result<TrafficSplit> keep(const QByteArray& told, const QByteArray& live) const
    {
        const std::string path = m_liveMap.toStdString();
        const std::string content = "live " + live.toStdString() + "\n";
        const auto before = readFile(path, 4096);
        if (before && *before != content) { // no file here: the balancer is on another host
            if (auto written = writeFileAtomically(path, content); !written) {
                return refusedError(live.toStdString()
                        + " is live, but a reload would undo it: its map's file can't be written",
                    written.error().text());
            }
        }
        return splitOf(told);
    }

    static TrafficSplit splitOf(const QByteArray& told)
    {
        const auto entries = mapEntries(told);
        return splitOf(QString::fromUtf8(entries.value("live", "blue")), entries, told);
    }

    static TrafficSplit splitOf(
        const QString& live, const QHash<QByteArray, QByteArray>& numbers, const QByteArray& stat)
    {
        const auto backends = backendsOf(stat);
        TrafficSplit split;
        split.live = live;
        split.next = otherPool(live);
        split.nextShareBasisPoints = numbers.value(split.next.toUtf8()).toInt();
        split.leaseUntilMs = numbers.value("until").toLongLong();
        const Backend liveBackend = backends.value(split.live);
        const Backend nextBackend = backends.value(split.next);
        split.liveServersUp = liveBackend.serversUp;
        split.nextServersUp = nextBackend.serversUp;
        split.liveRequests = liveBackend.requests;
        split.nextRequests = nextBackend.requests;
        split.liveErrors = liveBackend.errors;
        split.nextErrors = nextBackend.errors;
        return split;
    }

    TrafficRouter* q;
    QString m_path;
    qint64 m_order = 0; ///< of apply(): an older one is not carried out after a newer one
    QByteArray m_liveMap;
    QByteArray m_numberMap;
};

namespace {

/// Calls back only while `context` lives.
TrafficRouter::Answered guarded(QObject* context, TrafficRouter::Answered answered)
{
    return [guard = QPointer<QObject>(context), answered = std::move(answered)](
               const Result<TrafficSplit>& split) {
        if (guard != nullptr) {
            answered(split);
        }
    };
}

} // namespace

TrafficRouter::TrafficRouter(QString socket, QObject* parent)
    : QObject(parent)
    , d(std::make_unique<Private>(this, std::move(socket)))
{ }

TrafficRouter::~TrafficRouter() = default;

void TrafficRouter::read(QObject* context, Answered answered)
{
    d->read(guarded(context, std::move(answered)));
}

void TrafficRouter::shift(int basisPoints, qint64 untilMs, QObject* context, Answered answered)
{
    const Answered done = guarded(context, std::move(answered));
    if (basisPoints < 0 || basisPoints > 10000) {
        done(inputError("a share is 0 to 100 %"));
        return;
    }
    d->read([this, basisPoints, untilMs, done](const Result<TrafficSplit>& split) {
        if (!split) {
            done(split.error());
            return;
        }
        if (basisPoints > 0 && split->nextServersUp == 0) {
            done(refusedError(
                "no server of " + split->next.toStdString() + " is healthy: nothing was shifted"));
            return;
        }
        // The lease first: a share without one sends nothing.
        d->set({{"until", QByteArray::number(untilMs)},
                   {split->next.toUtf8(), QByteArray::number(basisPoints)}},
            {}, done);
    });
}

void TrafficRouter::apply(
    const QString& live, int nextBasisPoints, qint64 untilMs, QObject* context, Answered answered)
{
    const Answered done = guarded(context, std::move(answered));
    if (nextBasisPoints < 0 || nextBasisPoints > 10000) {
        done(inputError("a share is 0 to 100 %"));
        return;
    }
    d->read([this, live, nextBasisPoints, untilMs, done, order = ++d->m_order](
                const Result<TrafficSplit>& split) {
        if (!split) {
            done(split.error());
            return;
        }
        if (order != d->m_order) {
            done(cancelledError("a newer order was given"));
            return;
        }
        const bool same = split->live == live;
        const int liveUp = same ? split->liveServersUp : split->nextServersUp;
        const int otherUp = same ? split->nextServersUp : split->liveServersUp;
        const QString other = otherPool(live);
        if (liveUp == 0 && otherUp > 0) {
            done(refusedError("no server of " + live.toStdString() + " is healthy: HAProxy goes on "
                + "with " + other.toStdString()));
            return;
        }
        if (nextBasisPoints > 0 && otherUp == 0) {
            done(refusedError(
                "no server of " + other.toStdString() + " is healthy: nothing was shifted"));
            return;
        }
        d->set({{"until", QByteArray::number(untilMs)},
                   {other.toUtf8(), QByteArray::number(nextBasisPoints)}, {live.toUtf8(), "0"}},
            live.toUtf8(), done);
    });
}

void TrafficRouter::renew(qint64 untilMs, QObject* context, Answered answered)
{
    d->set({{"until", QByteArray::number(untilMs)}}, {}, guarded(context, std::move(answered)));
}

void TrafficRouter::rollback(QObject* context, Answered answered)
{
    d->set(
        {{"blue", "0"}, {"green", "0"}, {"until", "0"}}, {}, guarded(context, std::move(answered)));
}

void TrafficRouter::swapLive(QObject* context, Answered answered)
{
    const Answered done = guarded(context, std::move(answered));
    d->read([this, done](const Result<TrafficSplit>& split) {
        if (!split) {
            done(split.error());
            return;
        }
        if (split->nextServersUp == 0) {
            done(refusedError("no server of " + split->next.toStdString()
                + " is healthy: " + split->live.toStdString() + " stays live"));
            return;
        }
        d->set({{"blue", "0"}, {"green", "0"}, {"until", "0"}}, split->next.toUtf8(), done);
    });
}

} // namespace sluice::ops

#include "trafficrouter.moc"

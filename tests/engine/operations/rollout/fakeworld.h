#pragma once

#include "engine/operations/rollout/driver.h"

#include <QFile>
#include <QFileInfo>
#include <QTemporaryDir>
#include <memory>
#include <set>

namespace sluice::test {

using namespace sluice::ops;

/// Thrown where a driver is to be killed.
struct Killed
{ };

/// Balancers, Redis and gates in this process, on a clock that only the test moves. Killing a
/// driver at the n-th point (before, in and after each journal write, before and after each call
/// of a balancer) leaves the world as it is.
class World
{
public:
    qint64 now = 1'700'000'000'000;
    int point = 0; ///< counted
    int killAt = -1;
    bool redisUp = true;
    bool sourceUp = true;
    QString sickGate; ///< fails while the canary has users
    int sickFromBasisPoints = 1;
    double requestsPerSecond = 200;
    QStringList violations; ///< what must never happen, and did

    void reach()
    {
        if (point++ == killAt) {
            throw Killed();
        }
    }
};

class FakeBalancer : public Balancer
{
public:
    FakeBalancer(World& world, QString name)
        : m_world(world)
        , m_name(std::move(name))
    {
        split.live = QStringLiteral("blue");
        split.next = QStringLiteral("green");
        split.liveServersUp = 2;
        split.nextServersUp = 2;
    }

    TrafficSplit split;
    bool up = true;
    const Journal* journal = nullptr; ///< what is asked has to stand there before
    bool keepsLease = true;

    /// Share of the pool that is not live, after the dead man.
    double effective() const
    {
        return split.leaseUntilMs > m_world.now ? split.nextShareBasisPoints / 10000.0 : 0.0;
    }
    double greenShare() const
    {
        return split.live == QLatin1StringView("green") ? 1 - effective() : effective();
    }
    void flow(double seconds)
    {
        const double requests = m_world.requestsPerSecond * seconds;
        split.nextRequests += quint64(std::llround(requests * effective()));
        split.liveRequests += quint64(std::llround(requests * (1 - effective())));
    }
    void restart() ///< as a reload does: the maps as in the files, the counters at 0
    {
        split.nextShareBasisPoints = 0;
        split.leaseUntilMs = 0;
        split.liveRequests = split.nextRequests = 0;
    }

    QString name() const override { return m_name; }
    void read(QObject*, Answered answered) override
    {
        m_world.reach();
        answered(up ? Result<TrafficSplit>(split) : Result<TrafficSplit>(down()));
    }
    void apply(const TrafficTarget& target, qint64 untilMs, QObject*, Answered answered) override
    {
        m_world.reach();
        if (!up) {
            answered(down());
            return;
        }
        written(target);
        const bool swaps = split.live != target.live;
        const int liveUp = swaps ? split.nextServersUp : split.liveServersUp;
        const int otherUp = swaps ? split.liveServersUp : split.nextServersUp;
        if ((liveUp == 0 && otherUp > 0) || (target.nextBasisPoints > 0 && otherUp == 0)) {
            answered(refusedError("no healthy server"));
            return;
        }
        if (swaps) {
            std::swap(split.live, split.next);
            std::swap(split.liveRequests, split.nextRequests);
            std::swap(split.liveErrors, split.nextErrors);
            std::swap(split.liveServersUp, split.nextServersUp);
        }
        split.nextShareBasisPoints = target.nextBasisPoints;
        split.leaseUntilMs = untilMs;
        ++applies;
        m_world.reach();
        answered(split);
    }
    void renew(qint64 untilMs, QObject*, Answered answered) override
    {
        m_world.reach();
        if (up) {
            split.leaseUntilMs = untilMs;
        }
        m_world.reach();
        answered(up ? Result<TrafficSplit>(split) : Result<TrafficSplit>(down()));
    }

    int applies = 0;

private:
    Error down() const { return unreachableError(m_name.toStdString() + " is down"); }
    /// Nothing is asked of a balancer that does not stand in the journal.
    void written(const TrafficTarget& target)
    {
        if (journal == nullptr || journal->entries().isEmpty() || journal->buffered() > 0) {
            return;
        }
        const QJsonObject state =
            journal->entries().last().body[QStringLiteral("state")].toObject();
        const QJsonObject asked = state[QStringLiteral("target")].toObject();
        if (asked[QStringLiteral("live")].toString() != target.live
            || asked[QStringLiteral("next_basis_points")].toInt() != target.nextBasisPoints) {
            m_world.violations << QStringLiteral(
                "a balancer was told what the journal does not say");
        }
    }

    World& m_world;
    QString m_name;
};

class FakeControl : public ControlPlane
{
public:
    explicit FakeControl(World& world)
        : m_world(world)
    { }

    QString holder;
    qint64 until = 0;
    qint64 epoch = 0;
    QByteArray state;
    QList<QJsonObject> audit;
    QList<RolloutEvent> asked; ///< all that people ever asked: read anew by each driver
    QString guarded;
    QString overriddenBy;

    void renewLease(const QString& owner, qint64 lifeMs, qint64 leastEpoch, QObject*,
        std::function<void(Result<Lease>)> answered) override
    {
        if (!m_world.redisUp) {
            answered(unreachableError("Redis is down"));
            return;
        }
        if (holder != owner && until > m_world.now) {
            answered(Lease{false, epoch, holder});
            return;
        }
        if (holder != owner || until <= m_world.now) {
            epoch = std::max(epoch, leastEpoch) + 1;
        }
        holder = owner;
        until = m_world.now + lifeMs;
        answered(Lease{true, epoch, holder});
    }
    void publish(const QString& owner, const QString&, const QByteArray& document,
        const QList<QJsonObject>& lines, QObject*,
        std::function<void(Result<void>)> answered) override
    {
        if (!m_world.redisUp) {
            answered(unreachableError("Redis is down"));
            return;
        }
        if (holder != owner) {
            answered(refusedError("fenced"));
            return;
        }
        state = document;
        for (const QJsonObject& line : lines) {
            const qint64 number = line[QStringLiteral("number")].toInteger();
            if (number == 0 || number > m_last) {
                audit << line;
                m_last = std::max(m_last, number);
            }
        }
        answered({});
    }
    void lastAudited(
        const QString&, QObject*, std::function<void(Result<qint64>)> answered) override
    {
        answered(m_last);
    }
    void commands(QObject*, std::function<void(Result<QList<RolloutEvent>>)> answered) override
    {
        answered(m_world.redisUp ? Result<QList<RolloutEvent>>(asked)
                                 : Result<QList<RolloutEvent>>(unreachableError("down")));
    }
    void guardThresholds(
        const QString& rolloutId, QObject*, std::function<void(Result<QString>)> answered) override
    {
        guarded = rolloutId;
        answered(std::exchange(overriddenBy, QString()));
    }

private:
    World& m_world;
    qint64 m_last = 0;
};

class FakeGates : public GateSource
{
public:
    explicit FakeGates(World& world)
        : m_world(world)
    { }

    int looks = 0;
    int resets = 0;
    QHash<QString, GateVerdict> verdicts; ///< else Pass

    void evaluate(const GateContext& what, QObject*, Answered answered) override
    {
        ++looks;
        QList<GateReading> readings;
        for (const PlannedGate& gate : what.gates) {
            GateReading reading;
            reading.gate = gate.name;
            reading.action = gate.action;
            reading.verdict = verdicts.value(gate.name, GateVerdict::Pass);
            if (!m_world.sourceUp) {
                reading.verdict = GateVerdict::SourceDown;
                reading.reason = QStringLiteral("Prometheus is down");
            } else if (gate.name == m_world.sickGate
                && what.shareBasisPoints >= m_world.sickFromBasisPoints) {
                reading.verdict = GateVerdict::Fail;
                reading.value = 0.05;
                reading.reason = QStringLiteral("5 % failed");
            }
            reading.atMs = what.nowMs;
            readings << reading;
        }
        answered(readings);
    }
    QJsonObject evidence() const override { return {{QStringLiteral("looks"), looks}}; }
    void restore(const QJsonObject& kept) override
    {
        looks = kept[QStringLiteral("looks")].toInt();
    }
    void reset() override
    {
        ++resets;
        looks = 0;
    }

private:
    World& m_world;
};

class FakeWorks : public ReleaseWorks
{
public:
    QString deployError;
    QString stageError;
    bool hangs = false;
    QStringList done;

    void deploy(const RolloutState& state, QObject*, Answered answered) override
    {
        done << QStringLiteral("deploy ") % state.canary;
        if (hangs) {
            later = std::move(answered);
        } else {
            answered(outcome(deployError));
        }
    }
    void stage(const RolloutState&, QObject*, Answered answered) override
    {
        done << QStringLiteral("stage");
        answered(outcome(stageError));
    }
    void hook(const QString& at, const RolloutState&, QObject*, Answered answered) override
    {
        done << at;
        answered(QStringLiteral("none"));
    }
    Answered later;

private:
    static Result<QString> outcome(const QString& error)
    {
        return error.isEmpty() ? Result<QString>(QStringLiteral("done"))
                               : Result<QString>(refusedError(error.toStdString()));
    }
};

class FakeNotifier : public Notifier
{
public:
    QMap<QString, QString> sent; ///< by id
    QStringList texts;
    void enqueue(const QString& id, const QString& text, const RolloutState&) override
    {
        if (!sent.contains(id)) {
            sent.insert(id, text);
            texts << text;
        }
    }
};

/// A file journal that kills the driver before, in the middle of and after each write; a disk that
/// can be full.
class KillingJournal : public Journal
{
public:
    KillingJournal(World& world, const QString& path)
        : m_world(world)
        , m_path(path)
    {
        auto opened = FileJournal::open(path);
        if (!opened) {
            qFatal("%s", opened.error().text().c_str());
        }
        m_file = std::move(*opened);
    }
    bool full = false;
    bool wasRepaired() const { return !m_file->repaired().isEmpty(); }
    const QList<JournalEntry>& entries() const override { return m_file->entries(); }
    Result<void> append(const QString& mark, const QJsonObject& body) override
    {
        if (full) {
            return internalError("no space left on device");
        }
        m_world.reach();
        if (m_world.point == m_world.killAt) {
            const QByteArray line = JournalEntry{nextNumber(), mark, body}.toLine();
            QFile file(m_path);
            if (file.open(QIODevice::Append)) {
                file.write(line.left(line.size() / 2));
            }
        }
        m_world.reach();
        auto written = m_file->append(mark, body);
        m_world.reach();
        return written;
    }
    Result<void> startAnew(const QString& mark, const QJsonObject& body) override
    {
        if (full) {
            return internalError("no space left on device");
        }
        m_world.reach();
        auto written = m_file->startAnew(mark, body);
        m_world.reach();
        return written;
    }
    void buffer(const QString& mark, const QJsonObject& body) override
    {
        m_file->buffer(mark, body);
    }
    int buffered() const override { return m_file->buffered(); }
    Result<void> flush() override
    {
        return full ? Result<void>(internalError("no space left on device")) : m_file->flush();
    }

private:
    World& m_world;
    QString m_path;
    std::unique_ptr<FileJournal> m_file;
};

/// A world with two balancers, and a driver in it that can be killed and started again.
class Stage
{
public:
    explicit Stage(int balancerCount = 2)
        : control(world)
        , gates(world)
    {
        for (int index = 0; index < balancerCount; ++index) {
            balancers.push_back(
                std::make_unique<FakeBalancer>(world, QStringLiteral("haproxy-%1").arg(index + 1)));
        }
    }

    World world;
    std::vector<std::unique_ptr<FakeBalancer>> balancers;
    FakeControl control;
    FakeGates gates;
    FakeWorks works;
    FakeNotifier notifier;
    /// In memory where that is to be had: a journal is synced at each line.
    QTemporaryDir folder{QFileInfo(QStringLiteral("/dev/shm")).isWritable()
            ? QStringLiteral("/dev/shm/sluice-XXXXXX")
            : QString()};
    std::unique_ptr<KillingJournal> journal;
    std::unique_ptr<RolloutDriver> driver;
    int kills = 0;
    RolloutPlan used = plan(); ///< what ask() starts
    bool tornSeen = false;

    QString journalPath() const { return folder.filePath(QStringLiteral("rollout.journal")); }

    static RolloutPlan plan()
    {
        Release release;
        release.id = QStringLiteral("r7");
        RolloutPlan made = RolloutPlan::standard(release);
        made.timeScale = 0.001; // 2 h in 7.2 s
        made.warmMs = 7200000;
        made.leaseMs = 4000;
        return made;
    }

    void start()
    {
        journal = std::make_unique<KillingJournal>(world, journalPath());
        tornSeen = tornSeen || journal->wasRepaired();
        RolloutDriver::Parts parts;
        parts.journal = journal.get();
        for (auto& balancer : balancers) {
            balancer->journal = journal.get();
            parts.balancers << balancer.get();
        }
        parts.control = &control;
        parts.gates = &gates;
        parts.works = &works;
        parts.notifier = &notifier;
        parts.wallMs = [this] { return world.now; };
        parts.steadyMs = [this] { return world.now; };
        RolloutDriver::Options options;
        options.owner = QStringLiteral("host:%1").arg(++m_starts);
        driver = std::make_unique<RolloutDriver>(std::move(parts), options);
        const auto resumed = driver->resume();
        if (!resumed) {
            qFatal("%s", resumed.error().text().c_str());
        }
    }
    void kill()
    {
        driver.reset();
        journal.reset();
    }

    void pass(qint64 ms)
    {
        world.now += ms;
        for (auto& balancer : balancers) {
            balancer->flow(double(ms) / 1000);
        }
    }
    /// Ticks of 100 ms; a driver that is killed is started again `awayMs` later.
    void run(qint64 ms, qint64 awayMs = 2000)
    {
        const qint64 end = world.now + ms;
        while (world.now < end) {
            try {
                if (!driver) {
                    start();
                }
                driver->tick();
                pass(100);
            } catch (const Killed&) {
                ++kills;
                kill();
                pass(awayMs);
            }
        }
    }
    /// Runs until the phase is reached; false: it was not, in ten minutes.
    bool runTo(RolloutPhase phase, qint64 awayMs = 2000)
    {
        for (int step = 0; step < 6000; ++step) {
            run(100, awayMs);
            if (driver && driver->state().phase == phase) {
                return true;
            }
        }
        return false;
    }

    void ask(RolloutEvent::Kind kind, const QString& by = QStringLiteral("ada"),
        const QString& reason = {}, qint64 expected = -1)
    {
        RolloutEvent event;
        event.kind = kind;
        event.by = by;
        event.reason = reason;
        event.expectedVersion = expected;
        event.id = QStringLiteral("c%1").arg(++m_asked);
        if (kind == RolloutEvent::Kind::Start) {
            event.plan = used;
        }
        control.asked << event;
    }
    QString refusal(const QString& id) const
    {
        for (const QJsonObject& line : control.audit) {
            if (line[QStringLiteral("id")].toString() == id) {
                return line[QStringLiteral("refused")].toString();
            }
        }
        return QStringLiteral("no answer");
    }
    QString lastCommand() const { return QStringLiteral("c%1").arg(m_asked); }

    /// What was done, in order, without what a restart says twice.
    QStringList story() const
    {
        QStringList told;
        for (const QJsonObject& line : control.audit) {
            const QString text = line[QStringLiteral("phase")].toString() % u' '
                % QString::number(line[QStringLiteral("stage")].toInt());
            if (line[QStringLiteral("number")].toInteger() > 0
                && (told.isEmpty() || told.last() != text)) {
                told << text;
            }
        }
        return told;
    }
    /// Numbers of the audit: 1, 2, 3 ... each once.
    bool auditHasNoGap() const
    {
        qint64 last = 0;
        for (const QJsonObject& line : control.audit) {
            const qint64 number = line[QStringLiteral("number")].toInteger();
            if (number > 0 && number != ++last) {
                return false;
            }
        }
        return last == journal->nextNumber() - 1;
    }

private:
    int m_starts = 0;
    int m_asked = 0;
};

} // namespace sluice::test

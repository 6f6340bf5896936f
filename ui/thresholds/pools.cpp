#include "ui/thresholds/pools.h"

#include "ui/shell/console.h"

#include <QJsonDocument>
#include <QJsonObject>
#include <QWidget>

namespace sluice::ui {

namespace {

constexpr int mostVersions = 100;

QJsonObject jsonOf(const ThresholdSet& set)
{
    return QJsonDocument::fromJson(QByteArray::fromStdString(set.toJson())).object();
}

ThresholdSet signedBy(ThresholdSet set, const Console& console)
{
    set.author = console.user().toStdString();
    set.createdAt = QDateTime::currentDateTimeUtc().toString(Qt::ISODate).toStdString();
    return set;
}

} // namespace

Pools::Pools(Console* console, QObject* parent)
    : QObject(parent)
    , m_console(console)
{
    m_poll.setInterval(1000);
    connect(&m_poll, &QTimer::timeout, this, &Pools::refresh);
    connect(console, &Console::environmentChanged, this, [this] {
        clear();
        refresh();
    });
    connect(console, &Console::sourceChanged, this, [this](Source source) {
        if (source == Source::Redis) {
            refresh();
        }
    });
}

QStringList Pools::names()
{
    return {QStringLiteral("blue"), QStringLiteral("green")};
}

void Pools::start()
{
    m_poll.start();
    refresh();
}

void Pools::stop()
{
    m_poll.stop();
}

bool Pools::isConnected() const
{
    return m_console->source(Source::Redis).isUp();
}

std::optional<ThresholdSet> Pools::active(const QString& pool) const
{
    const auto found = m_active.find(pool);
    return found == m_active.end() ? std::nullopt : std::optional(found->second);
}

QString Pools::otherModel(const QString& pool, const QString& model) const
{
    for (const ops::WorkerInfo& worker : m_workers) {
        if (worker.reachable && worker.endpoint.pool == pool && worker.modelHash != model) {
            return worker.modelHash;
        }
    }
    return {};
}

void Pools::clear()
{
    m_active.clear();
    m_workers.clear();
    m_versions.clear();
    m_publications.clear();
    m_proposals.clear();
}

void Pools::askPool(const QString& pool)
{
    ops::PublishedThresholds* store = m_console->publishedThresholds();
    store->active(pool, this, [this, pool](const Result<std::optional<ThresholdSet>>& set) {
        if (!set) {
            m_trouble = QString::fromStdString(set.error().text());
        } else if (*set) {
            m_active.insert_or_assign(pool, **set);
        } else {
            m_active.erase(pool);
        }
        Q_EMIT changed();
    });
    store->proposal(pool, this, [this, pool](const Result<ops::Proposal>& proposal) {
        m_proposals[pool] = proposal ? *proposal : ops::Proposal();
    });
}

void Pools::refresh()
{
    const SourceState redis = m_console->source(Source::Redis);
    if (!redis.isUp()) {
        clear();
        m_trouble = m_console->hasEnvironment()
            ? tr("Redis does not answer: %1").arg(redis.error)
            : tr("Nothing is connected: start the local stack to publish.");
        Q_EMIT changed();
        return;
    }
    m_trouble.clear();
    for (const QString& pool : names()) {
        askPool(pool);
    }
    ops::PublishedThresholds* store = m_console->publishedThresholds();
    store->versions(mostVersions, this, [this](Result<QList<ThresholdSet>> versions) {
        if (versions) {
            m_versions = std::move(*versions);
        }
    });
    store->publications(mostVersions, this, [this](Result<QList<ops::Publication>> log) {
        if (log) {
            m_publications = std::move(*log);
        }
    });
    store->workers(
        m_console->environment().workers, this, [this](const QList<ops::WorkerInfo>& workers) {
            m_workers = workers;
            Q_EMIT changed();
        });
}

void Pools::end(const QString& kind, const QString& subject, const Error* error,
    const QString& success, const QJsonObject& details)
{
    m_busy = false;
    ops::HistoryEntry entry;
    entry.kind = kind;
    entry.subject = subject;
    entry.details = details;
    entry.outcome = error == nullptr ? QStringLiteral("done") : QStringLiteral("refused");
    if (error == nullptr) {
        const auto* page = qobject_cast<const QWidget*>(parent());
        if (page == nullptr || !page->isVisible()) { // there the banner says it
            m_console->notify(Tone::Ok, success, QStringLiteral("thresholds"));
        }
        Q_EMIT said(Tone::Ok, success);
    } else {
        const QString text = QString::fromStdString(error->text());
        entry.details[QStringLiteral("error")] = text;
        Q_EMIT said(Tone::Bad, text);
    }
    m_console->record(entry);
    refresh();
}

void Pools::publish(ThresholdSet set, const QString& pool, qint64 expected)
{
    set = signedBy(std::move(set), *m_console);
    m_busy = true;
    Q_EMIT changed();
    m_console->publishedThresholds()->publish(
        set, pool, expected, this, [this, set, pool, expected](const Result<qint64>& number) {
            QJsonObject details{{QStringLiteral("pool"), pool}, {QStringLiteral("from"), expected},
                {QStringLiteral("thresholds"), jsonOf(set)}};
            if (number) {
                details[QStringLiteral("number")] = *number;
                details[QStringLiteral("comment")] = QString::fromStdString(set.comment);
            }
            end(QStringLiteral("publish"),
                number ? tr("set %1 to %2").arg(*number).arg(pool) : tr("set to %1").arg(pool),
                number ? nullptr : &number.error(),
                number ? tr("Set %1 is published to %2.").arg(*number).arg(pool) : QString(),
                details);
            if (number) {
                Q_EMIT published(pool, *number);
            }
        });
}

void Pools::activate(qint64 number, const QString& pool, const QString& why)
{
    const auto now = active(pool);
    const qint64 from = now ? now->number : 0;
    m_busy = true;
    Q_EMIT changed();
    m_console->publishedThresholds()->activate(
        number, pool, from, this,
        [this, pool, from, why](const Result<qint64>& done) {
            const QString success = !done ? QString()
                : *done == 0 ? tr("%1 serves the model's own thresholds again.").arg(pool)
                             : tr("%1 is back on set %2.").arg(pool).arg(*done);
            end(QStringLiteral("publish"), why, done ? nullptr : &done.error(), success,
                {{QStringLiteral("pool"), pool}, {QStringLiteral("from"), from},
                    {QStringLiteral("number"), done ? *done : -1}});
        },
        m_console->user());
}

void Pools::goBack(const QString& pool)
{
    const auto now = active(pool);
    const qint64 from = now ? now->number : 0;
    m_busy = true;
    Q_EMIT changed();
    m_console->publishedThresholds()->previous(
        pool, this, [this, pool, from](const Result<qint64>& before) {
            const QString subject = tr("back from set %1 on %2").arg(from).arg(pool);
            if (!before || *before < 0) {
                const Error error =
                    before ? inputError("there is no earlier set on this pool") : before.error();
                end(QStringLiteral("publish"), subject, &error, {});
                return;
            }
            activate(*before, pool, subject);
        });
}

void Pools::propose(ThresholdSet set, const QString& pool)
{
    set = signedBy(std::move(set), *m_console);
    m_busy = true;
    m_console->publishedThresholds()->propose(
        set, pool, this, [this, set, pool](const Result<void>& done) {
            end(QStringLiteral("publish"), tr("proposed for %1").arg(pool),
                done ? nullptr : &done.error(),
                tr("Proposed for %1. Somebody who is lead has to approve it.").arg(pool),
                {{QStringLiteral("pool"), pool}, {QStringLiteral("thresholds"), jsonOf(set)}});
        });
}

void Pools::approve(const QString& pool)
{
    const ops::Proposal proposed = proposal(pool);
    if (!proposed.set) {
        return;
    }
    m_busy = true;
    m_console->publishedThresholds()->approve(
        *proposed.set, pool, m_console->user(), this, [this, pool](const Result<void>& done) {
            end(QStringLiteral("publish"), tr("approved for %1").arg(pool),
                done ? nullptr : &done.error(),
                tr("Approved for %1: an admin can publish it now.").arg(pool));
        });
}

void Pools::requireApproval(bool required, const QString& pool)
{
    m_busy = true;
    m_console->publishedThresholds()->requireApproval(
        required, pool, this, [this, pool, required](const Result<void>& done) {
            const QString what = required ? tr("%1 asks for a second person's approval").arg(pool)
                                          : tr("%1 asks for no approval").arg(pool);
            end(QStringLiteral("publish"), what, done ? nullptr : &done.error(),
                QString(what % u'.'));
        });
}

} // namespace sluice::ui

#include "engine/operations/queries/feedbackinbox.h"

#include "engine/base/file.h"
#include "engine/classification/context/session.h"
#include "engine/classification/thresholds/decisionrow.h"
#include "engine/operations/queries/datahome.h"

#include <QFile>
#include <QFileInfo>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <algorithm>

namespace sluice::ops {

namespace {

constexpr int decisionsAPage = 2000;
constexpr int mostPages = 10;
constexpr qsizetype mostDone = 20000;
const QByteArray feedbackStream = QByteArrayLiteral("sluice:feedback");
const QByteArray decisionStream = QByteArrayLiteral("sluice:decisions");

QString text(std::string_view view)
{
    return QString::fromUtf8(view.data(), qsizetype(view.size()));
}

/// The field "row" of a stream's entry; empty where there is none.
QByteArray rowOf(const RedisReply& entry)
{
    if (entry.items.size() < 2) {
        return {};
    }
    const QList<RedisReply>& fields = entry.items[1].items;
    for (qsizetype at = 0; at + 1 < fields.size(); at += 2) {
        if (fields[at].text == "row") {
            return fields[at + 1].text;
        }
    }
    return {};
}

} // namespace

QByteArray FeedbackItem::toJson() const
{
    QJsonObject object{{QStringLiteral("v"), 1}, {QStringLiteral("id"), id},
        {QStringLiteral("kind"), kind}, {QStringLiteral("at"), at.toSecsSinceEpoch()}};
    const auto add = [&](const char* key, const QString& value) {
        if (!value.isEmpty()) {
            object[QLatin1StringView(key)] = value;
        }
    };
    add("label", label);
    add("request", request);
    add("session", session);
    add("pool", pool);
    add("by", by);
    add("note", note);
    if (turn > 0) {
        object[QStringLiteral("turn")] = turn;
    }
    if (!by.isEmpty()) { // what came through the service holds no query
        add("query", query);
        add("decision", decision);
        add("intent", intent);
        object[QStringLiteral("confidence")] = confidence;
    }
    return QJsonDocument(object).toJson(QJsonDocument::Compact);
}

Result<FeedbackItem> FeedbackItem::fromJson(const QByteArray& row)
{
    const QJsonObject object = QJsonDocument::fromJson(row).object();
    const auto member = [&](const char* key) { return object[QLatin1StringView(key)].toString(); };
    FeedbackItem item;
    item.id = member("id");
    item.kind = member("kind");
    if (item.id.isEmpty() || item.kind.isEmpty()) {
        return inputError("feedback: a row without id or kind");
    }
    item.label = member("label");
    item.request = member("request");
    item.session = member("session");
    item.turn = object[QLatin1StringView("turn")].toInt();
    item.pool = member("pool");
    item.at = QDateTime::fromSecsSinceEpoch(object[QLatin1StringView("at")].toInteger(), Qt::UTC);
    item.by = member("by");
    item.note = member("note");
    item.query = member("query");
    item.decision = member("decision");
    item.intent = member("intent");
    item.confidence = object[QLatin1StringView("confidence")].toDouble();
    return item;
}

FeedbackInbox::FeedbackInbox(RedisClient* redis, const QString& file, QObject* parent)
    : QObject(parent)
    , m_redis(redis)
    , m_file(file.isEmpty() ? dataHome() + QStringLiteral("/inbox.json") : file)
{
    readFile();
    addOwn();
}

int FeedbackInbox::open() const
{
    return int(std::count_if(m_items.begin(), m_items.end(), [](const FeedbackItem& item) {
        return !item.isDone && item.kind != QLatin1StringView("right");
    }));
}

void FeedbackInbox::refresh()
{
    const int epoch = ++m_epoch;
    if (m_redis->state() != RedisClient::State::Connected) {
        m_items.clear();
        addOwn();
        Q_EMIT refreshed();
        return;
    }
    m_redis->command(
        {QByteArrayLiteral("XREVRANGE"), feedbackStream, QByteArrayLiteral("+"),
            QByteArrayLiteral("-"), QByteArrayLiteral("COUNT"), QByteArray::number(mostItems)},
        this, [this, epoch](const Result<RedisReply>& reply) {
            if (epoch != m_epoch) {
                return;
            }
            if (!reply) {
                Q_EMIT failed(reply.error());
                return;
            }
            takeStream(*reply);
            readDecisions(QByteArrayLiteral("+"), 0);
        });
}

void FeedbackInbox::takeStream(const RedisReply& reply)
{
    m_items.clear();
    for (const RedisReply& entry : reply.items) {
        if (auto item = FeedbackItem::fromJson(rowOf(entry)); item.ok()) {
            item->isDone = m_done.contains(item->id);
            m_items << *item;
        }
    }
    addOwn();
}

void FeedbackInbox::addOwn()
{
    for (FeedbackItem own : std::as_const(m_own)) {
        own.isDone = m_done.contains(own.id);
        m_items << own;
    }
    std::stable_sort(m_items.begin(), m_items.end(),
        [](const FeedbackItem& a, const FeedbackItem& b) { return a.at > b.at; });
}

void FeedbackInbox::readDecisions(const QByteArray& before, int pages)
{
    const bool wanted = std::any_of(m_items.begin(), m_items.end(),
        [](const FeedbackItem& item) { return item.decision.isEmpty(); });
    if (!wanted || pages == mostPages) {
        Q_EMIT refreshed();
        return;
    }
    m_redis->command(
        {QByteArrayLiteral("XREVRANGE"), decisionStream, before, QByteArrayLiteral("-"),
            QByteArrayLiteral("COUNT"), QByteArray::number(decisionsAPage)},
        this, [this, epoch = m_epoch, pages](const Result<RedisReply>& reply) {
            if (epoch != m_epoch) {
                return;
            }
            if (!reply || takeDecisions(*reply) < decisionsAPage) {
                Q_EMIT refreshed(); // without the log the feedback still says what it says
                return;
            }
            readDecisions('(' + reply->items.last().items.first().text, pages + 1);
        });
}

int FeedbackInbox::takeDecisions(const RedisReply& reply)
{
    QHash<QString, FeedbackItem*> byRequest;
    QHash<QString, FeedbackItem*> byTurn;
    for (FeedbackItem& item : m_items) {
        if (!item.request.isEmpty()) {
            byRequest.insert(item.request, &item);
        } else if (!item.session.isEmpty()) {
            byTurn.insert(item.session % u'\n' % QString::number(item.turn), &item);
        }
    }
    for (const RedisReply& entry : reply.items) {
        const auto row = DecisionRow::fromJson(rowOf(entry).toStdString(), "decision");
        if (!row) {
            continue;
        }
        FeedbackItem* item = byRequest.value(QString::fromStdString(row->id));
        if (item == nullptr && !row->session.empty()) {
            item = byTurn.value(
                QString::fromStdString(row->session) % u'\n' % QString::number(row->turn));
        }
        if (item != nullptr && item->decision.isEmpty()) {
            item->query = item->query.isEmpty() ? QString::fromStdString(row->query) : item->query;
            item->decision = text(toString(row->verdict));
            if (!row->top.empty()) {
                item->intent = QString::fromStdString(row->top.front().intent);
                item->confidence = double(row->top.front().confidence);
            }
        }
    }
    return int(reply.items.size());
}

Result<void> FeedbackInbox::setDone(const QString& id, bool done)
{
    if (done) {
        m_done.insert(id, QDateTime::currentDateTimeUtc().toString(Qt::ISODate));
    } else {
        m_done.remove(id);
    }
    for (FeedbackItem& item : m_items) {
        if (item.id == id) {
            item.isDone = done;
        }
    }
    return writeFile();
}

void FeedbackInbox::record(
    FeedbackItem item, QObject* context, std::function<void(Result<bool>)> recorded)
{
    item.id = QString::fromStdString(makeSessionId());
    item.at = QDateTime::fromSecsSinceEpoch(QDateTime::currentSecsSinceEpoch(), Qt::UTC);
    const auto keepHere = [this, item] {
        m_own << item;
        m_items.prepend(item);
        return writeFile();
    };
    if (m_redis->state() != RedisClient::State::Connected) {
        const auto kept = keepHere();
        recorded(kept ? Result<bool>(false) : Result<bool>(kept.error()));
        return;
    }
    m_redis->command({QByteArrayLiteral("XADD"), feedbackStream, QByteArrayLiteral("MAXLEN"),
                         QByteArrayLiteral("~"), QByteArrayLiteral("100000"),
                         QByteArrayLiteral("*"), QByteArrayLiteral("row"), item.toJson()},
        context, [this, item, keepHere, recorded](const Result<RedisReply>& reply) {
            if (reply) {
                m_items.prepend(item);
                recorded(true);
                return;
            }
            const auto kept = keepHere();
            recorded(kept ? Result<bool>(false) : Result<bool>(kept.error()));
        });
}

void FeedbackInbox::readFile()
{
    QFile file(m_file);
    if (!file.open(QIODevice::ReadOnly)) {
        return;
    }
    const QJsonObject object = QJsonDocument::fromJson(file.readAll()).object();
    const QJsonObject done = object[QLatin1StringView("done")].toObject();
    for (auto it = done.begin(); it != done.end(); ++it) {
        m_done.insert(it.key(), it.value().toString());
    }
    const QJsonArray own = object[QLatin1StringView("own")].toArray();
    for (const QJsonValue& row : own) {
        if (auto item = FeedbackItem::fromJson(
                QJsonDocument(row.toObject()).toJson(QJsonDocument::Compact));
            item.ok()) {
            m_own << *item;
        }
    }
}

Result<void> FeedbackInbox::writeFile() const
{
    if (auto made = ensureWritableFolder(QFileInfo(m_file).path().toStdString()); !made) {
        return made;
    }
    // Those dealt with longest ago go first, when there are very many.
    QList<std::pair<QString, QString>> newest;
    for (auto it = m_done.begin(); it != m_done.end(); ++it) {
        newest << std::pair(it.value(), it.key());
    }
    std::sort(newest.begin(), newest.end(), std::greater<>());
    QJsonObject done;
    for (qsizetype at = 0; at < std::min(newest.size(), mostDone); ++at) {
        done[newest[at].second] = newest[at].first;
    }
    QJsonArray own;
    for (const FeedbackItem& item : m_own) {
        own.append(QJsonDocument::fromJson(item.toJson()).object());
    }
    const QJsonObject object{{QStringLiteral("done"), done}, {QStringLiteral("own"), own}};
    return writeFileAtomically(m_file.toStdString(), QJsonDocument(object).toJson().toStdString());
}

} // namespace sluice::ops

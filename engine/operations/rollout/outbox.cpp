#include "engine/operations/rollout/outbox.h"

#include <QJsonDocument>
#include <QNetworkReply>
#include <algorithm>

namespace sluice::ops {

namespace {

constexpr int sendTimeoutMs = 5000;
constexpr int firstPauseMs = 500;
constexpr int longestPauseMs = 60000;
constexpr int mostAttempts = 50;
constexpr qsizetype mostWaiting = 10000;

QByteArray bodyOf(
    const WebhookTarget& target, const QString& id, const QString& text, const RolloutState& state)
{
    const QString line = state.rolloutId % QStringLiteral(": ") % text;
    const QJsonObject body = target.slack
        ? QJsonObject{{QStringLiteral("text"), line}}
        : QJsonObject{{QStringLiteral("id"), id}, {QStringLiteral("text"), text},
            {QStringLiteral("rollout"), state.rolloutId},
            {QStringLiteral("release"), state.plan.release.id},
            {QStringLiteral("phase"), phaseName(state.phase)},
            {QStringLiteral("stage"),
                state.currentStage() ? state.currentStage()->name : QString()},
            {QStringLiteral("share_percent"), state.canaryBasisPoints() / 100.0},
            {QStringLiteral("by"), state.by}, {QStringLiteral("at_ms"), state.atMs}};
    return QJsonDocument(body).toJson(QJsonDocument::Compact);
}

} // namespace

Outbox::Outbox(std::unique_ptr<FileJournal> file, QObject* parent)
    : Notifier(parent)
    , m_file(std::move(file))
{
    m_clock.start();
    m_again.setSingleShot(true);
    connect(&m_again, &QTimer::timeout, this, &Outbox::sendNext);
}

Result<std::unique_ptr<Outbox>> Outbox::open(const QString& path, QObject* parent)
{
    auto file = FileJournal::open(path);
    if (!file) {
        return file.error();
    }
    auto box = std::unique_ptr<Outbox>(new Outbox(std::move(*file), parent));
    for (const JournalEntry& entry : box->m_file->entries()) {
        const QString id = entry.body[QStringLiteral("id")].toString();
        const QString url = entry.body[QStringLiteral("url")].toString();
        if (entry.mark == QLatin1StringView("QUEUED")) {
            box->m_known << keyOf(id, url);
            box->m_waiting << Notice{
                id, url, entry.body[QStringLiteral("text")].toString().toUtf8(), 0};
        } else {
            box->m_waiting.removeIf(
                [&](const Notice& one) { return one.id == id && one.url == url; });
        }
    }
    box->wait();
    return box;
}

void Outbox::enqueue(const QString& id, const QString& text, const RolloutState& state)
{
    for (const WebhookTarget& target : state.plan.notifications) {
        const QString key = keyOf(id, target.url);
        if (m_known.contains(key) || m_waiting.size() >= mostWaiting) {
            continue;
        }
        m_known << key;
        const QByteArray body = bodyOf(target, id, text, state);
        const QJsonObject line{{QStringLiteral("id"), id}, {QStringLiteral("url"), target.url},
            {QStringLiteral("text"), QString::fromUtf8(body)}};
        if (!m_file->append(QStringLiteral("QUEUED"), line)) {
            m_file->buffer(QStringLiteral("QUEUED"), line); // sent all the same
        }
        m_waiting << Notice{id, target.url, body, 0};
    }
    wait();
}

// Until the first of them is due: a receiver that is down keeps nobody else waiting.
void Outbox::wait()
{
    const auto due = std::min_element(m_waiting.cbegin(), m_waiting.cend(),
        [](const Notice& a, const Notice& b) { return a.notBeforeMs < b.notBeforeMs; });
    if (!m_sending && due != m_waiting.cend()) {
        m_again.start(int(std::max<qint64>(0, due->notBeforeMs - m_clock.elapsed())));
    }
}

void Outbox::sendNext()
{
    const auto due = std::find_if(m_waiting.cbegin(), m_waiting.cend(),
        [now = m_clock.elapsed()](const Notice& one) { return one.notBeforeMs <= now; });
    if (m_sending || due == m_waiting.cend()) {
        wait();
        return;
    }
    m_sending = true;
    const Notice& notice = *due;
    QNetworkRequest request{QUrl(notice.url)};
    request.setTransferTimeout(sendTimeoutMs);
    request.setHeader(QNetworkRequest::ContentTypeHeader, QStringLiteral("application/json"));
    request.setRawHeader("Idempotency-Key", notice.id.toUtf8());
    QNetworkReply* reply = m_network.post(request, notice.body);
    connect(
        reply, &QNetworkReply::finished, this, [this, reply, key = keyOf(notice.id, notice.url)] {
            reply->deleteLater();
            const int status = reply->attribute(QNetworkRequest::HttpStatusCodeAttribute).toInt();
            sent(key, status >= 200 && status < 300);
        });
}

void Outbox::sent(const QString& key, bool taken)
{
    m_sending = false;
    const auto at = std::find_if(m_waiting.begin(), m_waiting.end(),
        [&](const Notice& one) { return keyOf(one.id, one.url) == key; });
    if (at != m_waiting.end() && !taken && ++at->attempts < mostAttempts) {
        const int pause = std::min(longestPauseMs, firstPauseMs << std::min(at->attempts, 7));
        at->notBeforeMs = m_clock.elapsed() + pause;
    } else if (at != m_waiting.end()) {
        const QJsonObject line{{QStringLiteral("id"), at->id}, {QStringLiteral("url"), at->url}};
        const QString mark = taken ? QStringLiteral("SENT") : QStringLiteral("GIVEN_UP");
        if (!m_file->append(mark, line)) {
            m_file->buffer(mark, line);
        }
        m_waiting.erase(at);
    }
    wait();
}

} // namespace sluice::ops

#include "engine/operations/rollout/outbox.h"

#include <QJsonDocument>
#include <QNetworkReply>

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
    box->m_again.start(0);
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
    if (!m_sending && !m_again.isActive()) {
        m_again.start(0);
    }
}

void Outbox::sendNext()
{
    if (m_waiting.isEmpty() || m_sending) {
        return;
    }
    m_sending = true;
    const Notice& notice = m_waiting.first();
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
    if (m_waiting.isEmpty() || keyOf(m_waiting.first().id, m_waiting.first().url) != key) {
        return;
    }
    Notice notice = m_waiting.takeFirst();
    if (taken || ++notice.attempts >= mostAttempts) {
        const QJsonObject line{
            {QStringLiteral("id"), notice.id}, {QStringLiteral("url"), notice.url}};
        const QString mark = taken ? QStringLiteral("SENT") : QStringLiteral("GIVEN_UP");
        if (!m_file->append(mark, line)) {
            m_file->buffer(mark, line);
        }
        m_again.start(0);
        return;
    }
    // One receiver that is down does not keep the others waiting.
    m_waiting << notice;
    m_again.start(std::min(longestPauseMs, firstPauseMs << std::min(notice.attempts, 7)));
}

} // namespace sluice::ops

#include "engine/operations/thresholds/recordedtraffic.h"

#include <algorithm>

namespace sluice::ops {

namespace {

constexpr int page = 1000;
const QByteArray stream = QByteArrayLiteral("sluice:decisions");

/// The text of the entry's field `row`; empty where it has none.
QByteArray rowOf(const RedisReply& entry)
{
    if (entry.items.size() != 2) {
        return {};
    }
    const QList<RedisReply>& fields = entry.items[1].items;
    for (qsizetype index = 0; index + 1 < fields.size(); index += 2) {
        if (fields[index].text == QByteArrayLiteral("row")) {
            return fields[index + 1].text;
        }
    }
    return {};
}

} // namespace

struct TrafficReader::Reading
{
    std::vector<std::string> labels;
    std::string model;
    std::size_t most = 0;
    std::size_t seen = 0;
    RecordedTraffic traffic;
    std::function<void(std::size_t)> progress;
    std::function<void(Result<RecordedTraffic>)> answered;
};

std::vector<ScoredRow> RecordedTraffic::scored() const
{
    std::vector<ScoredRow> found;
    found.reserve(recorded.size());
    for (std::size_t index = 0; index < recorded.size(); ++index) {
        const RecordedRow& row = recorded[index];
        ScoredRow& one = found.emplace_back();
        one.label = ScoredRow::unknownLabel;
        one.top = {Candidate{row.predicted, row.first}, Candidate{-1, row.second}};
        one.candidates = row.predicted < 0 && row.first <= 0 ? 0 : 2;
        one.query = index;
    }
    return found;
}

void RecordedTraffic::add(
    std::string_view row, std::span<const std::string> labels, std::string_view model)
{
    auto read = DecisionRow::fromJson(row, "sluice:decisions");
    if (!read) {
        ++damaged;
        return;
    }
    if (read->model != model) {
        ++otherModels;
        return;
    }
    recorded.push_back(read->recorded(labels));
    if (read->context.at) {
        const std::int64_t at = read->context.at->time_since_epoch().count();
        from = from == 0 ? at : std::min(from, at);
        to = std::max(to, at);
    }
    rows.push_back({std::move(read->query), std::move(read->session), read->set, read->verdict});
}

TrafficReader::TrafficReader(RedisClient* client, QObject* parent)
    : QObject(parent)
    , m_client(client)
{ }

void TrafficReader::read(std::vector<std::string> labels, std::string model, std::size_t most,
    std::function<void(std::size_t)> progress,
    std::function<void(Result<RecordedTraffic>)> answered)
{
    m_reading = std::make_shared<Reading>();
    m_reading->labels = std::move(labels);
    m_reading->model = std::move(model);
    m_reading->most = most;
    m_reading->progress = std::move(progress);
    m_reading->answered = std::move(answered);
    next(QByteArrayLiteral("+"));
}

void TrafficReader::cancel()
{
    m_reading.reset();
}

void TrafficReader::next(const QByteArray& before)
{
    const std::size_t wanted = std::min(std::size_t(page), m_reading->most - m_reading->seen);
    m_client->command({QByteArrayLiteral("XREVRANGE"), stream, before, QByteArrayLiteral("-"),
                          QByteArrayLiteral("COUNT"), QByteArray::number(qint64(wanted))},
        this, [this, reading = m_reading, wanted](const Result<RedisReply>& reply) {
            if (reading != m_reading) {
                return; // given up
            }
            if (!reply) {
                m_reading.reset();
                reading->answered(reply.error());
                return;
            }
            for (const RedisReply& entry : reply->items) {
                const QByteArray row = rowOf(entry);
                reading->traffic.add(
                    {row.constData(), std::size_t(row.size())}, reading->labels, reading->model);
            }
            const auto got = std::size_t(reply->items.size());
            reading->seen += got;
            if (got < wanted || reading->seen >= reading->most) {
                m_reading.reset();
                reading->answered(std::move(reading->traffic));
                return;
            }
            if (reading->progress) {
                reading->progress(reading->seen);
            }
            if (reading == m_reading) { // progress() may have cancelled
                next('(' + reply->items.last().items.value(0).text);
            }
        });
}

} // namespace sluice::ops

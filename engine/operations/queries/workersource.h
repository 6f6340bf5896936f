#pragma once

#include "engine/operations/queries/answersource.h"

#include <QNetworkAccessManager>

namespace sluice::ops {

/// Asks a worker over its HTTP API (docs/API.md), one request at a time.
class WorkerSource : public AnswerSource
{
public:
    explicit WorkerSource(QueryTarget target);

    Result<Reply> ask(const Query& query, Session& session, ContextUse use) override;
    Result<std::vector<Result<Answer>>> askAll(std::span<const Query> queries) override;
    Result<TargetFacts> facts() override;

private:
    /// The body of a 2xx answer. Unreachable when nobody answers within 5 s; Refused (4xx) with the
    /// worker's own words.
    Result<QByteArray> request(
        const char* path, const QByteArray& body = {}, const QByteArray& session = {});

    QueryTarget m_target;
    QNetworkAccessManager m_network;
    double m_roundTripMs = 0; ///< of the last request
};

} // namespace sluice::ops

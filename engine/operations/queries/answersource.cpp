#include "engine/operations/queries/answersource.h"

#include "engine/operations/queries/workersource.h"

#include <chrono>

namespace sluice::ops {

namespace {

constexpr std::size_t candidates = 5;

std::chrono::sys_seconds now()
{
    return std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
}

class EngineSource : public AnswerSource
{
public:
    explicit EngineSource(QueryTarget target)
        : m_target(std::move(target))
    { }

    Result<Reply> ask(const Query& query, Session& session, ContextUse use) override
    {
        auto answer = m_target.classifier->classify(query, *m_target.thresholds,
            use == ContextUse::None ? nullptr : &session, now(), {candidates, true});
        if (!answer) {
            return answer.error();
        }
        if (use == ContextUse::Use) {
            Classifier::remember(session, *answer);
        }
        const std::string json =
            toJson(*answer, query.text, use == ContextUse::None ? std::string() : session.id);
        return Reply{std::move(*answer), QByteArray::fromStdString(json), 0};
    }

    Result<std::vector<Result<Answer>>> askAll(std::span<const Query> queries) override
    {
        return m_target.classifier->classify(
            queries, *m_target.thresholds, now(), {candidates, false});
    }

    Result<TargetFacts> facts() override
    {
        const Model& model = m_target.classifier->model();
        return TargetFacts{QStringLiteral(SLUICE_VERSION), QString::fromStdString(model.hash()),
            m_target.thresholds->set().number, m_target.thresholds->set().global,
            qint64(model.labels().size())};
    }

private:
    QueryTarget m_target;
};

} // namespace

std::unique_ptr<AnswerSource> openSource(const QueryTarget& target)
{
    if (target.isWorker()) {
        return std::make_unique<WorkerSource>(target);
    }
    return std::make_unique<EngineSource>(target);
}

} // namespace sluice::ops

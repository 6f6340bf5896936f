#include "engine/classification/classifier.h"
#include "engine/classification/text/normaliser.h"

#include <cstdio>
#include <cstdlib>

using namespace sluice;

namespace {

struct Engine
{
    std::unique_ptr<Classifier> classifier;
    std::shared_ptr<const CompiledThresholds> thresholds;
};

const Engine& engine()
{
    static const Engine loaded = [] {
        const std::filesystem::path share =
            std::filesystem::path(SLUICE_BINARY_DIR) / "share" / "sluice";
        auto classifier =
            Classifier::load(share / "helpdesk.model", share / "entities.json", 1 << 20);
        if (!classifier) {
            std::fputs(classifier.error().text().c_str(), stderr);
            std::abort();
        }
        Engine made;
        made.classifier = std::move(*classifier);
        made.thresholds = *made.classifier->compile(made.classifier->model().defaultThresholds());
        return made;
    }();
    return loaded;
}

} // namespace

/// Any bytes as a query, in a conversation that goes on: an error, or an answer whose entities lie
/// in the query and whose confidences are probabilities.
extern "C" int LLVMFuzzerTestOneInput(const unsigned char* data, std::size_t size)
{
    static Session session;
    const std::string text(reinterpret_cast<const char*>(data), size);
    ClassifyOptions options;
    options.explain = true;
    const auto answer = engine().classifier->classify(
        {text, {}, {}}, *engine().thresholds, &session, std::chrono::sys_seconds(), options);
    if (!answer) {
        return 0;
    }
    if (normalise(normalise(text)) != normalise(text)) {
        std::abort();
    }
    for (const AnswerCandidate& candidate : answer->candidates) {
        if (!(candidate.confidence >= 0 && candidate.confidence <= 1 + 1e-9)) {
            std::abort();
        }
    }
    for (const Entity& entity : answer->entities) {
        if (entity.turn == 0
            && text.substr(entity.span.byteBegin, entity.text.size()) != entity.text) {
            std::abort();
        }
    }
    Classifier::remember(session, *answer);
    if (toJson(*answer, text, "s").empty()) {
        std::abort();
    }
    return 0;
}

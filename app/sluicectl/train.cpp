#include "app/sluicectl/command.h"

#include "engine/base/file.h"
#include "engine/classification/model/model.h"

#include <chrono>
#include <fmt/format.h>

namespace sluice::ctl {

namespace {

struct TrainOptions
{
    std::vector<std::string> data;
    std::string format = "auto";
    std::string out;
    std::string tier = "fast";
    std::string vectors;
    int threads = 0;
    int cnns = TrainingOptions().cnns;
    std::uint64_t seed = 1;
    int epochs = TrainingOptions().epochs;
};

int train(const Output& output, const TrainOptions& options)
{
    const auto format = dataFormatFromString(options.format);
    if (!format) {
        return output.fail(format.error());
    }
    const auto tier = tierFromString(options.tier);
    if (!tier) {
        return output.fail(tier.error());
    }
    if (!options.vectors.empty() && *tier != Tier::Accurate) {
        return output.fail(
            inputError("--vectors is for --tier accurate: the fast tier has no word vectors"));
    }
    const std::filesystem::path out = options.out;
    if (auto writable = ensureWritableFolder(out.parent_path()); !writable) {
        return output.fail(writable.error());
    }
    if (std::filesystem::is_directory(out)) {
        return output.fail(inputError(options.out + " is a folder: name the model's file"));
    }
    const std::vector<std::filesystem::path> files(options.data.begin(), options.data.end());
    auto data = readLabelledData(files, *format);
    if (!data) {
        return output.fail(data.error());
    }
    output.progress(
        fmt::format("{} rows, {} intents, {} duplicates, {} conflicting labels", data->report.rows,
            data->intents().size(), data->report.duplicates, data->report.conflicts.size()));
    for (const std::string& note : data->report.notes) {
        output.progress(note);
    }

    TrainingOptions training;
    training.tier = *tier;
    training.vectors = options.vectors;
    training.threads = options.threads;
    training.cnns = options.cnns;
    training.seed = options.seed;
    training.epochs = options.epochs;
    training.cancel = &interrupted();
    training.progress = [&output](const TrainingProgress& progress) {
        std::string line = fmt::format("{:7}  epoch {:2} of {}  loss {:.4f}", progress.member,
            progress.epoch, progress.epochs, progress.loss);
        if (progress.validationAccuracy) {
            line += fmt::format("  validation accuracy {:.4f}", *progress.validationAccuracy);
        }
        output.progress(line);
    };
    const auto begin = std::chrono::steady_clock::now();
    auto model = Model::train(*data, training);
    if (!model) {
        return output.fail(model.error());
    }
    const double seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    if (auto saved = model->save(out); !saved) {
        return output.fail(saved.error());
    }
    boost::json::object result{{"model", options.out}, {"hash", model->hash()},
        {"data_hash", model->dataHash()}, {"tier", toString(model->tier())},
        {"intents", model->labels().size()}, {"rows", data->report.rows},
        {"duplicates", data->report.duplicates}, {"conflicts", data->report.conflicts.size()},
        {"bytes", model->bytes()}, {"seconds", seconds}, {"seed", options.seed},
        {"threshold", model->defaultThresholds().global}};
    output.object(result);
    output.line(
        fmt::format("{}: {} intents, {:.1f} MiB, trained in {:.1f} s, threshold {:.2f}, SHA-256 {}",
            options.out, model->labels().size(), double(model->bytes()) / 1048576.0, seconds,
            model->defaultThresholds().global, model->hash()));
    record(output, localUser(), {}, QStringLiteral("train"), QString::fromStdString(options.out),
        QStringLiteral("done"), {{QStringLiteral("hash"), QString::fromStdString(model->hash())}});
    return 0;
}

} // namespace

void addTrain(CLI::App& app, Commands& commands)
{
    auto options = std::make_shared<TrainOptions>();
    CLI::App* sub = commands.add(app, "train", "Train a model from labelled queries",
        [&commands, options] { return train(commands.output, *options); });
    sub->add_option("--data", options->data,
           "labelled queries: CLINC150 JSON, CSV, or JSON Lines; several files are put together")
        ->required();
    sub->add_option("--format", options->format, dataFormatNames() + "; auto looks at the content")
        ->capture_default_str();
    sub->add_option(
           "--seed", options->seed, "the same seed and data give the same file, bit by bit")
        ->capture_default_str();
    sub->add_option("--tier", options->tier,
           "fast (n-grams; microseconds a query) or accurate (with word vectors and CNNs; tens of "
           "microseconds)")
        ->capture_default_str();
    sub->add_option("--vectors", options->vectors,
        "word vectors for the accurate tier: GloVe or word2vec text, fastText .vec, or "
        "wink-embeddings JSON");
    sub->add_option("--threads", options->threads,
           "training threads; 0: as many as the machine has. Changes nothing in the result")
        ->capture_default_str()
        ->check(CLI::Range(0, 1024));
    sub->add_option("--cnns", options->cnns, "CNNs in the accurate tier's ensemble")
        ->capture_default_str()
        ->check(CLI::Range(1, 32));
    sub->add_option("--epochs", options->epochs,
           "at most so many passes of each member; 0: as many as suit the size of the data. "
           "Training "
           "stops early when validation no longer improves")
        ->capture_default_str()
        ->check(CLI::Range(0, 1000));
    sub->add_option("--out", options->out, "the model file to write")->required();
    sub->footer("Reads only the train part of the data; stops on its validation part, or on a "
                "seeded tenth of the\n"
                "training rows where there is none; never sees the test part. Ctrl+C stops, "
                "nothing is written.\n"
                "Example: sluicectl train --data queries.jsonl --out helpdesk.model");
}

} // namespace sluice::ctl

#include "engine/service/modelkeeper.h"

#include "engine/base/file.h"
#include "engine/base/json.h"
#include "engine/base/resources.h"
#include "engine/base/sha256.h"

#include <boost/asio/post.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>
#include <optional>
#include <spdlog/spdlog.h>
#include <sys/stat.h>

namespace sluice::service {

namespace asio = boost::asio;
namespace json = boost::json;
namespace fs = std::filesystem;

namespace {

/// What tells one file in a place from the next one there.
struct FileMark
{
    ino_t inode = 0;
    off_t size = 0;
    std::int64_t changed = 0; ///< nanoseconds
    bool operator==(const FileMark&) const = default;
};

std::optional<FileMark> markOf(const fs::path& path)
{
    struct stat status
    { };
    if (::stat(path.c_str(), &status) != 0) {
        return {};
    }
    return FileMark{status.st_ino, status.st_size,
        std::int64_t(status.st_mtim.tv_sec) * 1000000000 + status.st_mtim.tv_nsec};
}

} // namespace

class ModelKeeper::State : public std::enable_shared_from_this<State>
{
public:
    State(asio::io_context& eventLoop, asio::thread_pool& otherThread, ModelSettings given,
        std::string ofPool, Serve serveModel)
        : loop(eventLoop)
        , background(otherThread)
        , settings(std::move(given))
        , pool(std::move(ofPool))
        , serve(std::move(serveModel))
        , timer(eventLoop)
        , configured(
              settings.file.empty() ? resourceFile("helpdesk.model") : fs::path(settings.file))
        , catalogue(settings.catalogue.empty()   ? resourceFile("entities.json")
                  : settings.catalogue == "none" ? fs::path()
                                                 : fs::path(settings.catalogue))
    { }

    Result<ClassifierPointer> read(const fs::path& path) const
    {
        auto read = Classifier::load(path, catalogue, settings.cacheMb << 20U);
        if (!read) {
            return read.error();
        }
        return ClassifierPointer(std::move(*read));
    }

    fs::path folder() const { return settings.stateFolder; }
    /// Which upload is served, and instead of what.
    fs::path noteFile() const { return folder() / fmt::format("current-{}.json", pool); }

    /// The upload that is to be served instead of the configured model, or an empty path.
    fs::path uploaded() const
    {
        std::error_code missing;
        if (settings.stateFolder.empty() || !fs::exists(noteFile(), missing)) {
            return {};
        }
        const auto text = readFile(noteFile(), 4096);
        const auto value = text ? parseJson(*text, noteFile().string()) : text.error();
        if (!value) {
            spdlog::error("{}; the configured model is served", value.error().text());
            return {};
        }
        JsonReader in(*value, noteFile().string());
        const std::string model = in.string("model");
        const std::string insteadOf = in.string("instead_of");
        if (auto done = in.finishKnown(); !done) {
            spdlog::error("{}; the configured model is served", done.error().text());
            return {};
        }
        return insteadOf == configuredHash ? folder() / model : fs::path();
    }

    /// On the other thread. The file is in its place only once it was found good.
    Result<ClassifierPointer> install(const std::string& content, const std::string& sha256)
    {
        if (const std::string actual = sha256Hex(content); actual != sha256) {
            return inputError(
                fmt::format("what arrived has the SHA-256 {}, and {} was announced: send it again",
                    actual, sha256));
        }
        const fs::path kept = folder() / (sha256 + ".model");
        const fs::path tried = folder() / (sha256 + ".upload");
        std::error_code ignored;
        if (auto ready = ensureWritableFolder(folder()); !ready) {
            return ready.error();
        }
        if (auto written = writeFileAtomically(tried, content); !written) {
            return written.error();
        }
        auto model = read(tried);
        if (!model) {
            fs::remove(tried, ignored);
            return model.error();
        }
        std::error_code failed;
        fs::rename(tried, kept, failed);
        if (failed) {
            return inputError(fmt::format("{}: {}", kept.string(), failed.message()));
        }
        const std::string note = json::serialize(
            json::object{{"model", kept.filename().string()}, {"instead_of", configuredHash}});
        if (auto noted = writeFileAtomically(noteFile(), note + "\n"); !noted) {
            return noted.error();
        }
        return model;
    }

    /// Runs `work` on the other thread and, where it made a model, serves it; then `done`.
    void change(const std::string& what, const fs::path& path,
        std::function<Result<ClassifierPointer>(State&)> work, Done done)
    {
        busy = true;
        asio::post(background,
            [self = shared_from_this(), what, path, work = std::move(work),
                done = std::move(done)]() mutable {
                auto made = work(*self);
                asio::post(self->loop,
                    [self, what, path, done = std::move(done), made = std::move(made)]() mutable {
                        self->busy = false;
                        if (self->closed) {
                            return;
                        }
                        ++(made ? self->counts.served : self->counts.refused);
                        if (!made) {
                            spdlog::error("{} is not served: {}; the model before stays", what,
                                made.error().text());
                            done(made.error());
                            return;
                        }
                        spdlog::info("{} is served from now on: model {}, {} intents", what,
                            (*made)->model().hash(), (*made)->model().labels().size());
                        self->served = path;
                        self->serve(std::move(*made));
                        done({});
                    });
            });
    }

    void look()
    {
        timer.expires_after(settings.watch);
        timer.async_wait([self = shared_from_this()](const boost::system::error_code& code) {
            if (!code && !self->closed) {
                self->compare();
                self->look();
            }
        });
    }

    /// Takes a file that has changed and then stayed as it is for one interval.
    void compare()
    {
        const auto mark = markOf(configured);
        const bool isSettled = mark && mark == seen;
        seen = mark;
        if (!isSettled || mark == taken || busy) {
            return;
        }
        taken = mark;
        change(
            configured.string(), configured,
            [](State& self) {
                auto model = self.read(self.configured);
                if (model) {
                    self.configuredHash = (*model)->model().hash();
                }
                return model;
            },
            [](const Result<void>&) {});
    }

    asio::io_context& loop;
    asio::thread_pool& background;
    ModelSettings settings;
    std::string pool;
    Serve serve;
    asio::steady_timer timer;
    fs::path configured;
    fs::path catalogue;
    fs::path served;
    std::string configuredHash; ///< of the configured file; while busy, the other thread's
    std::optional<FileMark> seen;
    std::optional<FileMark> taken;
    Counts counts;
    bool busy = false;
    bool closed = false;
};

ModelKeeper::ModelKeeper(asio::io_context& loop, asio::thread_pool& background,
    ModelSettings settings, std::string pool, Serve serve)
    : m_state(std::make_shared<State>(
        loop, background, std::move(settings), std::move(pool), std::move(serve)))
{ }

ModelKeeper::~ModelKeeper()
{
    m_state->closed = true;
    m_state->timer.cancel();
}

Result<ModelKeeper::ClassifierPointer> ModelKeeper::load()
{
    State& state = *m_state;
    state.seen = state.taken = markOf(state.configured);
    auto configured = state.read(state.configured);
    if (!configured) {
        return configured;
    }
    state.served = state.configured;
    state.configuredHash = (*configured)->model().hash();
    const fs::path uploaded = state.uploaded();
    if (uploaded.empty()) {
        return configured;
    }
    auto model = state.read(uploaded);
    if (!model) {
        spdlog::error("the model uploaded last is not served: {}; the configured one is",
            model.error().text());
        return configured;
    }
    state.served = uploaded;
    return model;
}

std::string ModelKeeper::file() const
{
    return m_state->served.string();
}

ModelKeeper::Counts ModelKeeper::counts() const
{
    return m_state->counts;
}

void ModelKeeper::watch()
{
    if (m_state->settings.watch.count() > 0) {
        m_state->look();
    }
}

void ModelKeeper::upload(
    std::shared_ptr<const std::string> content, const std::string& sha256, Done done)
{
    State& state = *m_state;
    if (state.settings.stateFolder.empty()) {
        done(refusedError("no folder is configured in which an uploaded model could be kept "
                          "(model.state_folder)"));
        return;
    }
    if (state.busy) {
        done(refusedError("another model is being taken: try again when it is served"));
        return;
    }
    const fs::path path = state.folder() / (sha256 + ".model");
    state.change(
        "the uploaded model", path,
        [content = std::move(content), sha256](
            State& self) { return self.install(*content, sha256); },
        std::move(done));
}

} // namespace sluice::service

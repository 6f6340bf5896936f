#pragma once

#include "engine/classification/classifier.h"
#include "engine/service/configuration.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace sluice::service {

/// Finds the model to serve and changes it while the worker runs: by upload, or when the configured
/// file was replaced. A model is read and checked on `background`, and handed over on the event
/// loop; one that is bad is refused with the reason, and the one before is served on.
///
/// An upload is kept in the state folder under its hash, and served again after a restart, as long
/// as the configured file is the one that it was uploaded over: a new one configured comes first.
class ModelKeeper
{
public:
    using ClassifierPointer = std::shared_ptr<const Classifier>;
    struct Counts
    {
        std::uint64_t served = 0; ///< in place of another
        std::uint64_t refused = 0;
    };
    /// A model to be served from now on; on the event loop's thread.
    using Serve = std::function<void(ClassifierPointer)>;
    using Done = std::function<void(Result<void>)>;

    /// `pool`: workers of one pool share what was uploaded, where they share the folder. The
    /// references must outlive it.
    ModelKeeper(boost::asio::io_context& loop, boost::asio::thread_pool& background,
        ModelSettings settings, std::string pool, Serve serve);
    ~ModelKeeper();

    /// At start: the model last uploaded, or the configured one. Input error where that is bad.
    Result<ClassifierPointer> load();
    std::string file() const; ///< of the one served
    Counts counts() const;

    void watch(); ///< begins to look after the configured file, where it is to be looked after

    /// Takes a model file's content with its SHA-256. `done`, on the event loop: once it is served;
    /// Input error where it is bad or the hash is another, Refused where there is no folder for it
    /// or another one is being taken.
    void upload(std::shared_ptr<const std::string> content, const std::string& sha256, Done done);

private:
    class State;
    std::shared_ptr<State> m_state;
};

} // namespace sluice::service

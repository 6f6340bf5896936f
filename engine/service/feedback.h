#pragma once

#include "engine/classification/context/rediscommands.h"
#include "engine/service/configuration.h"
#include "engine/service/feedbackspool.h"

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sluice::service {

/// What a client says of an answer that it got (docs/FORMATS.md).
struct FeedbackRow
{
    std::string id; ///< one is taken once a day
    std::string kind; ///< "right", "wrong" or "complaint"
    std::string label; ///< the intent that would have been right, or "oos"; may be empty
    std::optional<double> milliseconds; ///< as the client measured
    std::string request;
    std::string session;
    int turn = 0;
    std::string pool; ///< of the worker that took it
    std::int64_t at = 0; ///< seconds since 1970

    std::string toJson() const;
};

/// Takes feedback into the stream `sluice:feedback` at least once, and, by its id, once a day
/// (a key `{sluice:feedback}:ID` that lives so long, written in one script with the row). While
/// Redis is away or refuses, rows wait in a file of this worker's in the configured folder, synced
/// each second on `background`, and follow when it is back: also after a restart, also those that a
/// worker left which does not run any more. All else happens on the event loop's thread.
class Feedback
{
public:
    struct Counts
    {
        std::uint64_t added = 0; ///< to the stream
        std::uint64_t duplicates = 0; ///< ids that were there
        std::uint64_t buffered = 0; ///< written to the file
        std::uint64_t refused = 0; ///< could not be kept
    };
    static constexpr std::string_view stream = "sluice:feedback";
    using Taken = std::function<void(Result<void>)>;

    /// Input error where the folder can't be written. `redis` nullptr: every row waits in the
    /// file. All references must outlive it.
    static Result<std::unique_ptr<Feedback>> make(boost::asio::io_context& loop,
        boost::asio::thread_pool& background, FeedbackSettings settings, RedisCommands* redis);
    ~Feedback();

    void start(); ///< begins to send what waits, and goes on each second
    /// Taken: it is in the stream (now, or from a day before), or in the file. Else Refused, with
    /// the reason.
    void add(const FeedbackRow& row, Taken taken);

    Counts counts() const;
    std::size_t waiting() const; ///< rows in the file

private:
    class State;
    explicit Feedback(std::shared_ptr<State> state);
    std::shared_ptr<State> m_state;
};

} // namespace sluice::service

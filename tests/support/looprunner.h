#pragma once

#include <boost/asio/io_context.hpp>
#include <chrono>

namespace sluice::test {

/// Runs `loop` until `done()` or until 20 s have passed; whether it was done.
template <typename Done> bool runUntil(boost::asio::io_context& loop, Done done)
{
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
    while (!done()) {
        if (loop.stopped()) {
            loop.restart();
        }
        if (loop.run_one_until(deadline) == 0 && std::chrono::steady_clock::now() >= deadline) {
            return done();
        }
    }
    return true;
}

} // namespace sluice::test

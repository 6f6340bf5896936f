#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <memory>

struct redisAsyncContext;

namespace sluice {

/// hiredis says what it wants to wait for on its socket, Asio waits. One a connection: it ends when
/// hiredis frees the context, and waits that Asio still holds then find nothing. What is asked in
/// one turn of the loop goes out in one write. On the loop's thread; hiredis 0.14 and 1.x.
class HiredisAdapter : public std::enable_shared_from_this<HiredisAdapter>
{
public:
    /// From here on `context` (not null) is served by that loop, until it is freed.
    static void attach(boost::asio::io_context& loop, redisAsyncContext* context);

private:
    using Descriptor = boost::asio::posix::stream_descriptor;

    HiredisAdapter(boost::asio::io_context& loop, redisAsyncContext* context);
    void wantRead(bool wanted);
    void wantWrite(bool wanted);
    void wait(Descriptor::wait_type type);
    void end();

    boost::asio::io_context& m_loop;
    redisAsyncContext* m_context; ///< null once it is freed
    Descriptor m_descriptor;
    std::shared_ptr<HiredisAdapter> m_self; ///< as long as hiredis holds a pointer to it
    bool m_wantRead = false;
    bool m_wantWrite = false;
    bool m_reading = false;
    bool m_writing = false;
};

} // namespace sluice

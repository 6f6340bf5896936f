#include "engine/classification/context/hiredisadapter.h"

#include <boost/asio/post.hpp>
#include <hiredis/async.h>
#include <utility>

namespace sluice {

namespace asio = boost::asio;
using boost::system::error_code;

void HiredisAdapter::attach(asio::io_context& loop, redisAsyncContext* context)
{
    const std::shared_ptr<HiredisAdapter> made(new HiredisAdapter(loop, context));
    made->m_self = made;
    context->ev.data = made.get();
    context->ev.addRead = [](void* self) { static_cast<HiredisAdapter*>(self)->wantRead(true); };
    context->ev.delRead = [](void* self) { static_cast<HiredisAdapter*>(self)->wantRead(false); };
    context->ev.addWrite = [](void* self) { static_cast<HiredisAdapter*>(self)->wantWrite(true); };
    context->ev.delWrite = [](void* self) { static_cast<HiredisAdapter*>(self)->wantWrite(false); };
    context->ev.cleanup = [](void* self) { static_cast<HiredisAdapter*>(self)->end(); };
}

HiredisAdapter::HiredisAdapter(asio::io_context& loop, redisAsyncContext* context)
    : m_loop(loop)
    , m_context(context)
    , m_descriptor(loop, context->c.fd)
{ }

void HiredisAdapter::wantRead(bool wanted)
{
    m_wantRead = wanted;
    if (wanted && !m_reading && m_context != nullptr) {
        m_reading = true;
        wait(Descriptor::wait_read);
    }
}

void HiredisAdapter::wantWrite(bool wanted)
{
    m_wantWrite = wanted;
    if (!wanted || m_writing || m_context == nullptr) {
        return;
    }
    m_writing = true;
    if ((m_context->c.flags & REDIS_CONNECTED) == 0) {
        wait(Descriptor::wait_write);
        return;
    }
    // A connected socket mostly takes it all: written at the end of this turn of the loop, with
    // what else is asked in it, and waited for only where it did not.
    asio::post(m_loop, [weak = weak_from_this()] {
        const auto self = weak.lock();
        if (!self || self->m_context == nullptr) {
            return;
        }
        redisAsyncHandleWrite(self->m_context);
        if (self->m_context != nullptr && self->m_wantWrite) {
            self->wait(Descriptor::wait_write);
        } else {
            self->m_writing = false;
        }
    });
}

void HiredisAdapter::wait(Descriptor::wait_type type)
{
    const bool read = type == Descriptor::wait_read;
    m_descriptor.async_wait(type, [weak = weak_from_this(), read](const error_code& code) {
        const auto self = weak.lock();
        if (!self) {
            return;
        }
        (read ? self->m_reading : self->m_writing) = false;
        if (code || self->m_context == nullptr) {
            return;
        }
        if (read && self->m_wantRead) {
            redisAsyncHandleRead(self->m_context);
        } else if (!read && self->m_wantWrite) {
            redisAsyncHandleWrite(self->m_context);
        }
        read ? self->wantRead(self->m_wantRead) : self->wantWrite(self->m_wantWrite);
    });
}

void HiredisAdapter::end()
{
    m_context = nullptr;
    m_descriptor.release(); // hiredis closes it
    m_self.reset(); // perhaps the last to hold this
}

} // namespace sluice

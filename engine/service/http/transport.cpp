#include "engine/service/http/transport.h"

#include <algorithm>
#include <cerrno>
#include <limits>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

namespace sluice::service {

namespace {

Transport::Outcome outcomeOf(ssize_t moved)
{
    if (moved > 0) {
        return {Transport::State::Ok, std::size_t(moved)};
    }
    const bool later = moved < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
    return {later ? Transport::State::Blocked : Transport::State::Ended, 0};
}

Transport::Outcome outcomeOf(ssl_st* tls, int result, std::size_t moved)
{
    if (result > 0) {
        return {Transport::State::Ok, moved};
    }
    const int error = ::SSL_get_error(tls, result);
    ::ERR_clear_error(); // the queue is the thread's, and the next connection's
    const bool later = error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE;
    return {later ? Transport::State::Blocked : Transport::State::Ended, 0};
}

} // namespace

Transport::Transport(int descriptor, const std::shared_ptr<const TlsContext>& tls)
    : m_descriptor(descriptor)
    , m_context(tls)
{
    if (m_context) {
        m_tls = ::SSL_new(m_context->native());
        ::SSL_set_fd(m_tls, descriptor);
        ::SSL_set_accept_state(m_tls); // the handshake happens within the first reads
    }
}

Transport::~Transport()
{
    close();
}

void Transport::close()
{
    ::SSL_free(m_tls);
    m_tls = nullptr;
    if (m_descriptor >= 0) {
        ::close(m_descriptor);
        m_descriptor = -1;
    }
}

bool Transport::isOpen() const
{
    return m_tls == nullptr || ::SSL_is_init_finished(m_tls) == 1;
}

Transport::Outcome Transport::read(char* into, std::size_t size)
{
    if (m_tls == nullptr) {
        return outcomeOf(::recv(m_descriptor, into, size, 0));
    }
    std::size_t got = 0;
    const int result = ::SSL_read_ex(m_tls, into, size, &got);
    return outcomeOf(m_tls, result, got);
}

Transport::Outcome Transport::write(std::string_view bytes)
{
    if (m_tls == nullptr) {
        return outcomeOf(::send(m_descriptor, bytes.data(), bytes.size(), MSG_NOSIGNAL));
    }
    std::size_t sent = 0;
    const int result = ::SSL_write_ex(m_tls, bytes.data(), bytes.size(), &sent);
    return outcomeOf(m_tls, result, sent);
}

void Transport::endWriting()
{
    if (m_tls != nullptr && ::SSL_is_init_finished(m_tls) == 1) {
        ::SSL_shutdown(m_tls); // our half is enough: what the client still sends is thrown away
        ::ERR_clear_error();
    }
    ::shutdown(m_descriptor, SHUT_WR);
}

} // namespace sluice::service

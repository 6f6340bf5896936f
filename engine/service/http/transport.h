#pragma once

#include "engine/service/http/tls.h"

#include <cstddef>
#include <memory>
#include <string_view>

struct ssl_st;

namespace sluice::service {

/// The bytes of one connection, non-blocking, over plain TCP or TLS. Owns the descriptor.
class Transport
{
public:
    enum class State
    {
        Ok, ///< `bytes` were moved, at least one
        Blocked, ///< nothing now: the descriptor becomes readable or writable later
        Ended ///< the other side closed, or the connection broke
    };
    struct Outcome
    {
        State state = State::Blocked;
        std::size_t bytes = 0;
    };

    /// `tls`: none for plain TCP.
    Transport(int descriptor, const std::shared_ptr<const TlsContext>& tls);
    ~Transport();
    Transport(const Transport&) = delete;
    Transport& operator=(const Transport&) = delete;

    Outcome read(char* into, std::size_t size);
    Outcome write(std::string_view bytes);
    /// Says that no more is sent: close_notify and FIN.
    void endWriting();
    void close();
    /// Whether bytes can be exchanged: TLS has shaken hands.
    bool isOpen() const;

    bool isTls() const { return m_tls != nullptr; }
    int descriptor() const { return m_descriptor; }

private:
    int m_descriptor;
    ssl_st* m_tls = nullptr;
    std::shared_ptr<const TlsContext> m_context;
};

} // namespace sluice::service

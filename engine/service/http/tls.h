#pragma once

#include "engine/base/result.h"
#include "engine/service/configuration.h"

#include <chrono>
#include <memory>

struct ssl_ctx_st;

namespace sluice::service {

/// What TLS connections are made with: certificate, key, the clients' CA. Immutable: a renewed
/// certificate is a new context, and connections keep theirs.
class TlsContext
{
public:
    /// Reads the files; Input error saying which one is wrong, or that key and certificate differ.
    static Result<std::shared_ptr<const TlsContext>> load(const TlsSettings& settings);
    ~TlsContext();
    TlsContext(const TlsContext&) = delete;
    TlsContext& operator=(const TlsContext&) = delete;

    ssl_ctx_st* native() const { return m_context; }
    std::chrono::sys_seconds expires() const { return m_expires; } ///< the certificate

private:
    TlsContext() = default;
    ssl_ctx_st* m_context = nullptr;
    std::chrono::sys_seconds m_expires{};
};

} // namespace sluice::service

#include "engine/service/http/tls.h"

#include <ctime>
#include <openssl/err.h>
#include <openssl/ssl.h>

namespace sluice::service {

namespace {

Error failed(const std::string& what)
{
    std::string cause;
    if (const unsigned long code = ::ERR_peek_last_error(); code != 0) {
        const char* reason = ::ERR_reason_error_string(code);
        cause = reason == nullptr ? "" : reason;
    }
    ::ERR_clear_error();
    return inputError(what, cause);
}

std::chrono::sys_seconds timeOf(const ASN1_TIME* time)
{
    std::tm parts{};
    if (time == nullptr || ::ASN1_TIME_to_tm(time, &parts) != 1) {
        return {};
    }
    return std::chrono::sys_seconds(std::chrono::seconds(::timegm(&parts)));
}

/// HTTP/1.1 is what is spoken, whatever else the client offers.
int chooseProtocol(SSL*, const unsigned char** out, unsigned char* outLength,
    const unsigned char* offered, unsigned int offeredLength, void*)
{
    static const unsigned char ours[] = "\x08http/1.1";
    unsigned char* chosen = nullptr;
    const int found =
        ::SSL_select_next_proto(&chosen, outLength, ours, sizeof ours - 1, offered, offeredLength);
    *out = chosen;
    return found == OPENSSL_NPN_NEGOTIATED ? SSL_TLSEXT_ERR_OK : SSL_TLSEXT_ERR_NOACK;
}

} // namespace

TlsContext::~TlsContext()
{
    ::SSL_CTX_free(m_context);
}

Result<std::shared_ptr<const TlsContext>> TlsContext::load(const TlsSettings& settings)
{
    ::ERR_clear_error();
    std::shared_ptr<TlsContext> made(new TlsContext);
    made->m_context = ::SSL_CTX_new(::TLS_server_method());
    SSL_CTX* context = made->m_context;
    if (context == nullptr) {
        return failed("TLS could not be set up");
    }
    ::SSL_CTX_set_min_proto_version(
        context, settings.minimum == "1.3" ? TLS1_3_VERSION : TLS1_2_VERSION);
    ::SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
    ::SSL_CTX_set_mode(context,
        SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER
            | SSL_MODE_RELEASE_BUFFERS);
    ::SSL_CTX_set_alpn_select_cb(context, chooseProtocol, nullptr);
    if (::SSL_CTX_use_certificate_chain_file(context, settings.certificate.c_str()) != 1) {
        return failed("the certificate " + settings.certificate
            + " can't be used: a PEM file, the "
              "server's own certificate first, is expected");
    }
    if (::SSL_CTX_use_PrivateKey_file(context, settings.key.c_str(), SSL_FILETYPE_PEM) != 1) {
        return failed("the key " + settings.key + " can't be used with the certificate "
            + settings.certificate);
    }
    if (!settings.clientCa.empty()) {
        STACK_OF(X509_NAME)* names = ::SSL_load_client_CA_file(settings.clientCa.c_str());
        if (names == nullptr
            || ::SSL_CTX_load_verify_locations(context, settings.clientCa.c_str(), nullptr) != 1) {
            return failed("the clients' CA " + settings.clientCa
                + " can't be used: a PEM file of certificates is expected");
        }
        ::SSL_CTX_set_client_CA_list(context, names);
        ::SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, nullptr);
        static const unsigned char name[] = "sluiced";
        ::SSL_CTX_set_session_id_context(context, name, sizeof name - 1);
    }
    made->m_expires = timeOf(::X509_get0_notAfter(::SSL_CTX_get0_certificate(context)));
    return std::shared_ptr<const TlsContext>(std::move(made));
}

} // namespace sluice::service

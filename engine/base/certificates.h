#pragma once

#include "engine/base/result.h"

#include <chrono>
#include <filesystem>
#include <string>
#include <vector>

namespace sluice {

/// A certificate and its key, as PEM.
struct Credential
{
    std::string certificate;
    std::string key;
};

/// What stands in a certificate.
struct CertificateInfo
{
    std::string subject; ///< its common name
    std::string issuer;
    std::vector<std::string> names; ///< DNS names and addresses it is for
    std::chrono::sys_seconds expires{};
};

/// Whom a certificate is for.
enum class CertificateUse
{
    Server,
    Client
};

/// A certificate authority that signs itself (ECDSA on P-256), for tests and for services within a
/// house; it may sign certificates only, no further authority.
Result<Credential> makeAuthority(const std::string& name, std::chrono::days life);

/// A certificate signed by `authority`. `names`: DNS names and IP addresses of a server; the first
/// is its common name too. It ends no later than the authority.
Result<Credential> makeCertificate(const Credential& authority, CertificateUse use,
    const std::vector<std::string>& names, std::chrono::days life);

/// The certificates in a PEM file, in their order; Input error when there is none.
Result<std::vector<CertificateInfo>> readCertificates(const std::filesystem::path& file);

/// A token of 32 random bytes, as 43 characters that need no quoting (base64url).
Result<std::string> makeToken();

} // namespace sluice

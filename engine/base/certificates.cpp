#include "engine/base/certificates.h"

#include "engine/base/file.h"

#include <algorithm>
#include <arpa/inet.h>
#include <array>
#include <ctime>
#include <memory>
#include <openssl/bio.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

namespace sluice {

namespace {

using Key = std::unique_ptr<EVP_PKEY, decltype(&::EVP_PKEY_free)>;
using Certificate = std::unique_ptr<X509, decltype(&::X509_free)>;
using Bio = std::unique_ptr<BIO, decltype(&::BIO_free_all)>;

constexpr int x509Version3 = 2;

Error failed(const char* what)
{
    const char* reason = ::ERR_reason_error_string(::ERR_peek_last_error());
    Error error = internalError(what, reason == nullptr ? "" : reason);
    ::ERR_clear_error();
    return error;
}

Bio memory(const std::string& content)
{
    return {::BIO_new_mem_buf(content.data(), int(content.size())), ::BIO_free_all};
}

template <typename Write> std::string written(Write write)
{
    const Bio out(::BIO_new(::BIO_s_mem()), ::BIO_free_all);
    write(out.get());
    char* data = nullptr;
    const long length = ::BIO_get_mem_data(out.get(), &data);
    return {data, std::size_t(length)};
}

Credential pemOf(X509* certificate, EVP_PKEY* key)
{
    return {
        written([&](BIO* out) { ::PEM_write_bio_X509(out, certificate); }), written([&](BIO* out) {
            ::PEM_write_bio_PKCS8PrivateKey(out, key, nullptr, nullptr, 0, nullptr, nullptr);
        })};
}

bool isAddress(const std::string& name)
{
    std::array<unsigned char, 16> bytes{};
    return ::inet_pton(AF_INET, name.c_str(), bytes.data()) == 1
        || ::inet_pton(AF_INET6, name.c_str(), bytes.data()) == 1;
}

bool extend(X509* certificate, X509* issuer, int id, const std::string& value)
{
    X509V3_CTX context;
    ::X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
    X509_EXTENSION* extension = ::X509V3_EXT_conf_nid(nullptr, &context, id, value.c_str());
    const bool added = extension != nullptr && ::X509_add_ext(certificate, extension, -1) == 1;
    ::X509_EXTENSION_free(extension);
    return added;
}

/// A certificate without its extensions, unsigned.
Certificate blank(EVP_PKEY* key, const std::string& name, std::chrono::days life)
{
    Certificate made(::X509_new(), ::X509_free);
    std::array<unsigned char, 16> serial{};
    if (::RAND_bytes(serial.data(), int(serial.size())) != 1) {
        return {nullptr, ::X509_free};
    }
    serial[0] &= 0x7f; // positive
    BIGNUM* number = ::BN_bin2bn(serial.data(), int(serial.size()), nullptr);
    ::BN_to_ASN1_INTEGER(number, ::X509_get_serialNumber(made.get()));
    ::BN_free(number);
    ::X509_set_version(made.get(), x509Version3);
    ::X509_gmtime_adj(::X509_getm_notBefore(made.get()), -300); // clocks differ a little
    ::X509_time_adj_ex(::X509_getm_notAfter(made.get()), int(life.count()), 0, nullptr);
    ::X509_set_pubkey(made.get(), key);
    ::X509_NAME_add_entry_by_txt(::X509_get_subject_name(made.get()), "CN", MBSTRING_UTF8,
        reinterpret_cast<const unsigned char*>(name.c_str()), -1, -1, 0);
    return made;
}

std::string commonName(X509_NAME* name)
{
    std::array<char, 256> text{};
    const int length = ::X509_NAME_get_text_by_NID(name, NID_commonName, text.data(), text.size());
    return {text.data(), std::size_t(std::max(0, length))};
}

std::string alternativeNames(const std::vector<std::string>& names)
{
    std::string list;
    for (const std::string& name : names) {
        list.append(list.empty() ? "" : ",").append(isAddress(name) ? "IP:" : "DNS:").append(name);
    }
    return list;
}

std::vector<std::string> namesOf(X509* certificate)
{
    std::vector<std::string> names;
    auto* all = static_cast<GENERAL_NAMES*>(
        ::X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
    for (int index = 0; index < sk_GENERAL_NAME_num(all); ++index) {
        const GENERAL_NAME* name = sk_GENERAL_NAME_value(all, index);
        if (name->type == GEN_DNS) {
            names.emplace_back(
                reinterpret_cast<const char*>(::ASN1_STRING_get0_data(name->d.dNSName)),
                std::size_t(::ASN1_STRING_length(name->d.dNSName)));
        } else if (name->type == GEN_IPADD) {
            const bool four = ::ASN1_STRING_length(name->d.iPAddress) == 4;
            std::array<char, INET6_ADDRSTRLEN> text{};
            ::inet_ntop(four ? AF_INET : AF_INET6, ::ASN1_STRING_get0_data(name->d.iPAddress),
                text.data(), text.size());
            names.emplace_back(text.data());
        }
    }
    ::GENERAL_NAMES_free(all);
    return names;
}

bool isDnsName(const std::string& name)
{
    return !name.empty() && name.size() <= 253
        && std::all_of(name.begin(), name.end(), [](unsigned char c) {
               return std::isalnum(c) != 0 || c == '-' || c == '.' || c == '*' || c == '_';
           });
}

} // namespace

Result<Credential> makeAuthority(const std::string& name, std::chrono::days life)
{
    const Key key(::EVP_EC_gen("P-256"), ::EVP_PKEY_free);
    const Certificate made = blank(key.get(), name, life);
    if (!key || !made) {
        return failed("the authority's key could not be made");
    }
    X509* own = made.get();
    ::X509_set_issuer_name(own, ::X509_get_subject_name(own));
    if (!extend(own, own, NID_basic_constraints, "critical,CA:TRUE,pathlen:0")
        || !extend(own, own, NID_key_usage, "critical,keyCertSign,cRLSign")
        || !extend(own, own, NID_subject_key_identifier, "hash")
        || ::X509_sign(own, key.get(), ::EVP_sha256()) == 0) {
        return failed("the authority's certificate could not be made");
    }
    return pemOf(own, key.get());
}

Result<Credential> makeCertificate(const Credential& authority, CertificateUse use,
    const std::vector<std::string>& names, std::chrono::days life)
{
    for (const std::string& name : names) {
        if (!isAddress(name) && !isDnsName(name)) {
            return inputError("\"" + name + "\" is neither a host's name nor an address");
        }
    }
    if (names.empty()) {
        return inputError("a certificate needs a name: whom it is for");
    }
    const Certificate issuer(
        ::PEM_read_bio_X509(memory(authority.certificate).get(), nullptr, nullptr, nullptr),
        ::X509_free);
    const Key issuerKey(
        ::PEM_read_bio_PrivateKey(memory(authority.key).get(), nullptr, nullptr, nullptr),
        ::EVP_PKEY_free);
    if (!issuer || !issuerKey || ::X509_check_private_key(issuer.get(), issuerKey.get()) != 1) {
        ::ERR_clear_error();
        return inputError("the authority's certificate and key are not of one pair, or no PEM");
    }
    const Key key(::EVP_EC_gen("P-256"), ::EVP_PKEY_free);
    const Certificate made = blank(key.get(), names.front(), life);
    if (!key || !made) {
        return failed("the key could not be made");
    }
    X509* own = made.get();
    const ASN1_TIME* last = ::X509_get0_notAfter(issuer.get());
    if (::ASN1_TIME_compare(::X509_get0_notAfter(own), last) > 0) {
        ::X509_set1_notAfter(own, last);
    }
    ::X509_set_issuer_name(own, ::X509_get_subject_name(issuer.get()));
    const bool server = use == CertificateUse::Server;
    if (!extend(own, issuer.get(), NID_basic_constraints, "critical,CA:FALSE")
        || !extend(own, issuer.get(), NID_key_usage, "critical,digitalSignature")
        || !extend(own, issuer.get(), NID_ext_key_usage, server ? "serverAuth" : "clientAuth")
        || !extend(own, issuer.get(), NID_authority_key_identifier, "keyid")
        || !extend(own, issuer.get(), NID_subject_alt_name, alternativeNames(names))
        || ::X509_sign(own, issuerKey.get(), ::EVP_sha256()) == 0) {
        return failed("the certificate could not be made");
    }
    return pemOf(own, key.get());
}

Result<std::vector<CertificateInfo>> readCertificates(const std::filesystem::path& file)
{
    const auto content = readFile(file, std::size_t(1) << 20);
    if (!content) {
        return content.error();
    }
    std::vector<CertificateInfo> all;
    const Bio in = memory(*content);
    for (;;) {
        const Certificate next(
            ::PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr), ::X509_free);
        if (!next) {
            break;
        }
        std::tm end{};
        ::ASN1_TIME_to_tm(::X509_get0_notAfter(next.get()), &end);
        all.push_back({commonName(::X509_get_subject_name(next.get())),
            commonName(::X509_get_issuer_name(next.get())), namesOf(next.get()),
            std::chrono::sys_seconds(std::chrono::seconds(::timegm(&end)))});
    }
    ::ERR_clear_error();
    if (all.empty()) {
        return inputError(file.string() + " holds no certificate: a PEM file is expected");
    }
    return all;
}

Result<std::string> makeToken()
{
    std::array<unsigned char, 32> bytes{};
    if (::RAND_bytes(bytes.data(), int(bytes.size())) != 1) {
        return failed("no random bytes could be had");
    }
    std::array<unsigned char, 48> text{};
    const int length = ::EVP_EncodeBlock(text.data(), bytes.data(), int(bytes.size()));
    std::string token(text.begin(), text.begin() + length);
    std::replace(token.begin(), token.end(), '+', '-');
    std::replace(token.begin(), token.end(), '/', '_');
    token.erase(token.find('='));
    return token;
}

} // namespace sluice

#include "engine/reporting/sentrydsn.h"

#include <charconv>
#include <fmt/format.h>

namespace sluice {

namespace {

Error refused(const char* what)
{
    return inputError(fmt::format("the Sentry DSN {}: it looks like "
                                  "https://PUBLIC_KEY@HOST/PROJECT_ID (Sentry shows it under "
                                  "Settings, Client Keys)",
        what));
}

bool isWord(std::string_view text)
{
    return !text.empty()
        && text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                  "0123456789-_.")
        == std::string_view::npos;
}

/// Takes "host", "host:port" or "[v6]:port" apart.
bool readHost(std::string_view text, SentryDsn& dsn)
{
    std::string_view port;
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        if (end == std::string_view::npos || end < 2) {
            return false;
        }
        dsn.host = std::string(text.substr(1, end - 1));
        port = text.substr(end + 1);
    } else {
        const auto colon = std::min(text.find(':'), text.size());
        dsn.host = std::string(text.substr(0, colon));
        port = text.substr(colon);
        if (!isWord(dsn.host)) {
            return false;
        }
    }
    if (port.empty()) {
        return true;
    }
    port.remove_prefix(port.starts_with(':') ? 1 : 0);
    const auto [end, code] = std::from_chars(port.data(), port.data() + port.size(), dsn.port);
    return code == std::errc() && end == port.data() + port.size() && dsn.port != 0;
}

} // namespace

Result<SentryDsn> SentryDsn::parse(std::string_view text)
{
    SentryDsn dsn;
    if (text.starts_with("https://")) {
        text.remove_prefix(8);
    } else if (text.starts_with("http://")) {
        text.remove_prefix(7);
        dsn.tls = false;
        dsn.port = 80;
    } else {
        return refused("begins with neither https:// nor http://");
    }
    const auto at = text.find('@');
    if (at == std::string_view::npos) {
        return refused("has no key before an @");
    }
    const std::string_view keys = text.substr(0, at);
    const auto colon = std::min(keys.find(':'), keys.size());
    dsn.publicKey = std::string(keys.substr(0, colon));
    dsn.secret = std::string(keys.substr(std::min(colon + 1, keys.size())));
    if (!isWord(dsn.publicKey) || (!dsn.secret.empty() && !isWord(dsn.secret))) {
        return refused("has a key of other characters than letters and digits");
    }
    text.remove_prefix(at + 1);
    const auto slash = text.find('/');
    const auto last = text.rfind('/');
    if (slash == std::string_view::npos || !isWord(text.substr(last + 1))) {
        return refused("does not end in a project's number");
    }
    if (!readHost(text.substr(0, slash), dsn)) {
        return refused("has no valid host, or port");
    }
    const std::string_view prefix = text.substr(slash, last - slash);
    if (prefix.find_first_of(" \r\n?#") != std::string_view::npos) {
        return refused("has a path with blanks, ? or #");
    }
    dsn.path = fmt::format("{}/api/{}/envelope/", prefix, text.substr(last + 1));
    return dsn;
}

std::string SentryDsn::hostHeader() const
{
    const bool v6 = host.find(':') != std::string::npos;
    const std::string name = v6 ? "[" + host + "]" : host;
    return port == (tls ? 443 : 80) ? name : fmt::format("{}:{}", name, port);
}

std::string SentryDsn::authorization(std::string_view client) const
{
    return fmt::format("Sentry sentry_version=7, sentry_client={}, sentry_key={}{}{}", client,
        publicKey, secret.empty() ? "" : ", sentry_secret=", secret);
}

} // namespace sluice

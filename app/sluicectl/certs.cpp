#include "app/sluicectl/command.h"
#include "engine/base/certificates.h"
#include "engine/base/file.h"
#include "engine/base/sha256.h"

#include <boost/json/array.hpp>
#include <chrono>
#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

namespace sluice::ctl {

namespace {

namespace fs = std::filesystem;

std::string dateOf(std::chrono::sys_seconds time)
{
    return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}", fmt::gmtime(time.time_since_epoch().count()));
}

struct MakeOptions
{
    std::string folder = ".";
    std::vector<std::string> servers{"localhost", "127.0.0.1", "::1"};
    std::vector<std::string> clients{"client"};
    int days = 365;
};

/// The authority in the folder, made where there is none: certificates can be renewed under it.
Result<Credential> authorityIn(const fs::path& folder, std::chrono::days life)
{
    const fs::path certificate = folder / "ca.pem";
    const fs::path key = folder / "ca.key";
    if (fs::exists(certificate) && fs::exists(key)) {
        const auto known = readFile(certificate);
        const auto secret = readFile(key);
        if (!known || !secret) {
            return known ? secret.error() : known.error();
        }
        return Credential{*known, *secret};
    }
    auto made = makeAuthority("Sluice local CA", life);
    if (!made) {
        return made;
    }
    auto written = writeFileAtomically(key, made->key, true);
    if (written) {
        written = writeFileAtomically(certificate, made->certificate, true);
    }
    return written ? std::move(made) : Result<Credential>(written.error());
}

Result<void> write(const fs::path& folder, const std::string& name, const Credential& made)
{
    auto written = writeFileAtomically(folder / (name + ".key"), made.key, true);
    return written ? writeFileAtomically(folder / (name + ".pem"), made.certificate, true)
                   : written;
}

int make(const Output& output, const MakeOptions& options)
{
    const fs::path folder = options.folder;
    if (auto ready = ensureWritableFolder(folder); !ready) {
        return output.fail(ready.error());
    }
    const std::chrono::days life(options.days);
    const auto authority = authorityIn(folder, std::max(life, std::chrono::days(3650)));
    if (!authority) {
        return output.fail(authority.error());
    }
    boost::json::array files{"ca.pem", "ca.key"};
    const auto add = [&](const std::string& name, CertificateUse use,
                         const std::vector<std::string>& names) -> Result<void> {
        const auto made = makeCertificate(*authority, use, names, life);
        if (!made) {
            return made.error();
        }
        files.emplace_back(name + ".pem");
        files.emplace_back(name + ".key");
        return write(folder, name, *made);
    };
    auto done = add("server", CertificateUse::Server, options.servers);
    for (const std::string& client : options.clients) {
        if (done && client.find('/') != std::string::npos) {
            done = inputError("\"" + client + "\" can't name a file");
        }
        if (done) {
            done = add(client, CertificateUse::Client, {client});
        }
    }
    if (!done) {
        return output.fail(done.error());
    }
    output.object({{"folder", folder.string()}, {"files", files}});
    output.line(fmt::format("{}: ca.pem, server.pem and server.key for {}, client certificates for "
                            "{}; {} days",
        folder.string(), fmt::join(options.servers, ", "), fmt::join(options.clients, ", "),
        options.days));
    return 0;
}

/// Exit 1 when one ends within `days`.
int show(const Output& output, const std::vector<std::string>& files, int days)
{
    const auto now = std::chrono::floor<std::chrono::seconds>(std::chrono::system_clock::now());
    bool soon = false;
    for (const std::string& file : files) {
        const auto found = readCertificates(file);
        if (!found) {
            return output.fail(found.error());
        }
        for (const CertificateInfo& one : *found) {
            const auto left = std::chrono::floor<std::chrono::days>(one.expires - now);
            const bool ends = one.expires - now < std::chrono::days(days);
            soon = soon || ends;
            output.object({{"file", file}, {"subject", one.subject}, {"issuer", one.issuer},
                {"names", boost::json::array(one.names.begin(), one.names.end())},
                {"expires", dateOf(one.expires)}, {"days_left", left.count()}});
            output.line(fmt::format("{}: {}, by {}, expires {} ({} days left){}{}", file,
                one.subject, one.issuer, dateOf(one.expires), left.count(),
                one.names.empty() ? "" : fmt::format(", for {}", fmt::join(one.names, ", ")),
                ends ? ": renew it" : ""));
        }
    }
    return soon ? 1 : 0;
}

} // namespace

void addCerts(CLI::App& app, Commands& commands)
{
    CLI::App* certs = app.add_subcommand("certs", "certificates for the worker's TLS");
    certs->require_subcommand(1);
    const auto options = std::make_shared<MakeOptions>();
    CLI::App* made = commands.add(*certs, "make",
        "makes a local authority (or takes the one in the folder), a server's and clients' "
        "certificates; files of mode 0600",
        [&commands, options] { return make(commands.output, *options); });
    made->add_option("--out", options->folder, "folder")->capture_default_str();
    made->add_option("--server", options->servers, "names and addresses of the server")
        ->delimiter(',')
        ->capture_default_str();
    made->add_option("--client", options->clients, "names of clients, a certificate each")
        ->delimiter(',')
        ->capture_default_str();
    made->add_option("--days", options->days, "how long they last")
        ->check(CLI::Range(1, 36500))
        ->capture_default_str();
    const auto files = std::make_shared<std::vector<std::string>>();
    const auto days = std::make_shared<int>(30);
    CLI::App* shown = commands.add(*certs, "show",
        "says when certificates expire; exit 1: one does within --days",
        [&commands, files, days] { return show(commands.output, *files, *days); });
    shown->add_option("files", *files, "PEM files")->required();
    shown->add_option("--days", *days, "soon is within so many days")->capture_default_str();
}

void addToken(CLI::App& app, Commands& commands)
{
    const auto name = std::make_shared<std::string>();
    const auto role = std::make_shared<std::string>("client");
    CLI::App* token = commands.add(app, "token",
        "makes a bearer token and what the worker's configuration says of it; the token is shown "
        "once",
        [&commands, name, role] {
            const auto made = makeToken();
            if (!made) {
                return commands.output.fail(made.error());
            }
            const std::string hash = sha256Hex(*made);
            commands.output.object(
                {{"token", *made}, {"name", *name}, {"sha256", hash}, {"role", *role}});
            commands.output.line(fmt::format("token: {}\nauth.tokens: {{\"name\": \"{}\", "
                                             "\"sha256\": \"{}\", \"role\": \"{}\"}}",
                *made, *name, hash, *role));
            return 0;
        });
    token->add_option("name", *name, "whom it stands for, in logs and limits")->required();
    token->add_option("--role", *role, "what it may do")
        ->check(CLI::IsMember({"client", "viewer", "tester", "admin", "lead"}))
        ->capture_default_str();
}

} // namespace sluice::ctl

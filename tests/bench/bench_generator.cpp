#include "engine/operations/loadtest/generator.h"
#include "engine/operations/loadtest/loadrun.h"
#include "tests/bench/echoprocess.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <condition_variable>
#include <fcntl.h>
#include <fmt/format.h>
#include <mutex>
#include <optional>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace sluice;
using namespace sluice::ops;
using namespace sluice::bench;

namespace {

constexpr int rounds = 3;

struct Own
{
    GeneratorResult result;
    double peakMiB = 0;
    double cpuShare = 0; ///< of a core, once everybody is there
    double rate = 0;
};

double value(const char* name, double otherwise)
{
    const char* text = std::getenv(name);
    return text == nullptr ? otherwise : std::atof(text);
}

GeneratorPlan planFor(const EchoProcess& server)
{
    GeneratorPlan plan;
    plan.host = "127.0.0.1";
    plan.port = server.port();
    plan.requests.host = "127.0.0.1";
    for (int index = 0; index < 500; ++index) {
        plan.scripts.push_back(
            {{{"where is the parcel that I ordered on day " + std::to_string(index), "", {}}}, 1});
    }
    return plan;
}

Own run(GeneratorPlan plan, double warmSeconds = 0)
{
    std::mutex mutex;
    std::condition_variable ended;
    std::optional<GeneratorResult> result;
    Own own;
    double share = 0;
    double completed = 0;
    int seconds = 0;
    Generator generator(std::move(plan));
    const auto started = generator.start(
        [&](const GeneratorSecond& second) {
            own.peakMiB = std::max(own.peakMiB, second.residentMiB);
            if (second.second >= warmSeconds && second.seconds == 1) {
                share += second.cpuShare;
                completed += second.completed;
                ++seconds;
            }
        },
        [&](GeneratorResult end) {
            const std::lock_guard lock(mutex);
            result = std::move(end);
            ended.notify_all();
        });
    if (!started) {
        fmt::print("{}\n", started.error().text());
        return own;
    }
    std::unique_lock lock(mutex);
    ended.wait(lock, [&] { return result.has_value(); });
    own.result = std::move(*result);
    own.cpuShare = seconds > 0 ? share / seconds : 0;
    own.rate = seconds > 0 ? completed / seconds : 0;
    return own;
}

struct Tool
{
    double cpuSeconds = 0;
    std::string output;
};

/// Runs a program to its end; its processor time and what it said. None where
/// it isn't installed.
std::optional<Tool> runTool(const std::vector<std::string>& words)
{
    std::array<int, 2> pipe{};
    if (::pipe2(pipe.data(), O_CLOEXEC) != 0) {
        return std::nullopt;
    }
    const pid_t child = ::fork();
    if (child == 0) {
        ::dup2(pipe[1], STDOUT_FILENO);
        ::dup2(pipe[1], STDERR_FILENO);
        std::vector<char*> arguments;
        for (const std::string& word : words) {
            arguments.push_back(const_cast<char*>(word.c_str()));
        }
        arguments.push_back(nullptr);
        ::execvp(arguments[0], arguments.data());
        ::_exit(127);
    }
    ::close(pipe[1]);
    Tool tool;
    std::array<char, 4096> buffer;
    for (ssize_t got = 0; (got = ::read(pipe[0], buffer.data(), buffer.size())) > 0;) {
        tool.output.append(buffer.data(), std::size_t(got));
    }
    ::close(pipe[0]);
    int status = 0;
    rusage usage{};
    ::wait4(child, &status, 0, &usage);
    if (!WIFEXITED(status) || WEXITSTATUS(status) == 127) {
        return std::nullopt;
    }
    tool.cpuSeconds = double(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec)
        + double(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    return tool;
}

double median(std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    return values.empty() ? 0 : values[values.size() / 2];
}

std::string line(const std::string& output, const std::string& with)
{
    const std::size_t at = output.find(with);
    if (at == std::string::npos) {
        return "-";
    }
    const std::size_t begin = output.rfind('\n', at) + 1;
    std::string found = output.substr(begin, output.find('\n', at) - begin);
    found.erase(0, found.find_first_not_of(' '));
    return found;
}

std::string urlOf(const EchoProcess& server)
{
    return "http://127.0.0.1:" + std::to_string(server.port()) + "/v1/classify";
}

std::string luaScript()
{
    const std::string file = "/tmp/sluice-bench-" + std::to_string(::getpid()) + ".lua";
    std::FILE* out = std::fopen(file.c_str(), "w");
    if (out != nullptr) {
        fmt::print(out,
            "wrk.method = 'POST'\nwrk.body = '{{\"text\":\"where is "
            "the parcel that I ordered\"}}'\n"
            "wrk.headers['Content-Type'] = 'application/json'\n"
            "wrk.headers['X-Session-Id'] = 'load-1'\n");
        std::fclose(out);
    }
    return file;
}

void closedLoop(double seconds, const std::string& script)
{
    fmt::print("closed loop, 64 connections, {:.0f} s, {} rounds, medians; "
               "requests as the server "
               "counted them\n",
        seconds, rounds);
    const std::string length = fmt::format("{:.0f}", seconds);
    const std::vector<std::pair<std::string, std::function<std::vector<std::string>(std::string)>>>
        peers{{"wrk -t1",
                  [&](const std::string& url) {
                      return std::vector<std::string>{
                          "wrk", "-t1", "-c64", "-d" + length + "s", "-s", script, url};
                  }},
            {"h2load, GET",
                [&](const std::string& url) {
                    return std::vector<std::string>{
                        "h2load", "--h1", "-t1", "-c64", "-D" + length, url};
                }},
            {"hey -cpus 1", [&](const std::string& url) {
                 return std::vector<std::string>{"hey", "-cpus", "1", "-c", "64", "-z",
                     length + "s", "-m", "POST", "-T", "application/json", "-d",
                     R"({"text":"where is the parcel that I ordered"})", url};
             }}};
    std::vector<double> own;
    std::vector<double> ownRates;
    std::vector<std::vector<double>> others(peers.size());
    std::vector<std::vector<double>> otherRates(peers.size());
    // In turn, so that what else the machine does meets all alike.
    for (int round = 0; round < rounds; ++round) {
        const EchoProcess server(false);
        GeneratorPlan plan = planFor(server);
        plan.open = false;
        plan.users = 64;
        plan.profile = LoadProfile({LoadPhase{seconds, 64}});
        const Own mine = run(std::move(plan));
        own.push_back(double(mine.result.succeeded) / mine.result.cpuSeconds);
        ownRates.push_back(double(mine.result.succeeded) / mine.result.elapsedSeconds);
        for (std::size_t peer = 0; peer < peers.size(); ++peer) {
            const EchoProcess other(false);
            const double begin = monotonicSeconds();
            const auto tool = runTool(peers[peer].second(urlOf(other)));
            if (tool) {
                others[peer].push_back(double(other.requests()) / tool->cpuSeconds);
                otherRates[peer].push_back(double(other.requests()) / (monotonicSeconds() - begin));
            }
        }
    }
    fmt::print(
        "  {:12} {:9.0f} requests/CPU-s  {:9.0f}/s\n", "sluicectl", median(own), median(ownRates));
    for (std::size_t peer = 0; peer < peers.size(); ++peer) {
        if (others[peer].empty()) {
            fmt::print("  {:12} not installed\n", peers[peer].first);
        } else {
            fmt::print("  {:12} {:9.0f} requests/CPU-s  {:9.0f}/s   ours is {:.2f} of it\n",
                peers[peer].first, median(others[peer]), median(otherRates[peer]),
                median(own) / median(others[peer]));
        }
    }
}

void manyUsers(double seconds)
{
    fmt::print("10,000 users who think 10 s (1,000 requests/s), {:.0f} s\n", seconds);
    const EchoProcess server(false);
    GeneratorPlan plan = planFor(server);
    plan.open = false;
    plan.users = 10000;
    plan.thinkSeconds = 10;
    plan.profile = LoadProfile({LoadPhase{seconds, 10000}});
    plan.maxInFlight = 10000;
    const Own own = run(std::move(plan), 20); // once first and second requests overlap
    fmt::print("  {:.3f} of a core, {:.0f} MiB, {:.0f} requests/s, errors {}; "
               "from the end of the "
               "thinking p50 {:.2f} p99 {:.2f} ms, start lag p99 {:.2f} ms\n",
        own.cpuShare, own.peakMiB, own.rate, own.result.scheduled - own.result.succeeded,
        double(own.result.corrected.quantile(0.5)) / 1e6,
        double(own.result.corrected.quantile(0.99)) / 1e6,
        double(own.result.startLag.quantile(0.99)) / 1e6);
}

/// The latency that a share `q` of evenly spaced requests does not exceed, when
/// all that is slow is the stalls: a request that comes at t in a stall waits
/// for its end.
double truth(const std::vector<Stall>& stalls, double begin, double seconds, double q)
{
    double low = 0;
    double high = 60;
    while (high - low > 1e-6) {
        const double wait = (low + high) / 2;
        double longer = 0;
        for (const Stall& stall : stalls) {
            const double from = std::max(stall.begin, begin);
            const double until = std::min(stall.end, begin + seconds);
            longer += until > from ? std::max(0.0, std::min(until, stall.end - wait) - from) : 0;
        }
        (longer / seconds > 1 - q ? low : high) = wait;
    }
    return low * 1000;
}

void stalls(double seconds, const std::string& script)
{
    fmt::print("a server that stands still 1 s in every 10, 200 requests/s, {:.0f} s\n", seconds);
    {
        const EchoProcess server(true);
        GeneratorPlan plan = planFor(server);
        plan.users = 1000;
        plan.profile = LoadProfile({LoadPhase{seconds, 200}});
        const double begin = monotonicSeconds() + 0.02;
        const Own own = run(std::move(plan));
        for (const double q : {0.95, 0.99}) {
            const double exact = truth(server.stalls(), begin, seconds, q);
            const double found = double(own.result.corrected.quantile(q)) / 1e6;
            fmt::print("  sluicectl p{:.0f} {:6.1f} ms, truth by the server's log "
                       "{:6.1f} ms, off by "
                       "{:+.2f} % (uncorrected: {:.1f})\n",
                q * 100, found, exact, (found / exact - 1) * 100,
                double(own.result.uncorrected.quantile(q)) / 1e6);
        }
        fmt::print("  sent {} of {} scheduled, start lag p99 {:.2f} ms, {} stalls\n",
            own.result.sent, own.result.scheduled, double(own.result.startLag.quantile(0.99)) / 1e6,
            server.stalls().size());
    }
    const std::string length = fmt::format("{:.0f}s", std::min(seconds, 33.0));
    {
        const EchoProcess server(true);
        if (const auto hey = runTool({"hey", "-c", "10", "-q", "20", "-z", length, "-m", "POST",
                "-d", R"({"text":"hi"})", urlOf(server)})) {
            fmt::print(
                "  hey -c 10 -q 20: {}; {}\n", line(hey->output, "95%"), line(hey->output, "99%"));
        }
    }
    {
        const EchoProcess server(true);
        if (const auto wrk = runTool(
                {"wrk", "-t1", "-c10", "-d" + length, "--latency", "-s", script, urlOf(server)})) {
            fmt::print("  wrk -c10 (flat out, it knows no rate): {}\n", line(wrk->output, "99%"));
        }
    }
}

} // namespace

int main()
{
    if (const auto raised = raiseDescriptorLimit(10500); !raised) {
        fmt::print("{}\n", raised.error().text());
        return 1;
    }
    const std::string script = luaScript();
    closedLoop(value("SLUICE_BENCH_SECONDS", 5), script);
    manyUsers(value("SLUICE_BENCH_USERS_SECONDS", 40));
    stalls(value("SLUICE_BENCH_STALL_SECONDS", 120), script);
    ::unlink(script.c_str());
    return 0;
}

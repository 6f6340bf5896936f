#pragma once

#include "engine/operations/loadtest/loadrun.h"
#include "engine/operations/loadtest/serversampler.h"

#include <functional>
#include <memory>

namespace sluice::ops {

/// What is kept of a run while it lasts, whichever generator makes it: sums, blocks of latencies,
/// the server's side, the run folder with a checkpoint each minute, and the scenario's rule "stop
/// when breached". On the thread of its owner.
class RunRecord
{
public:
    using Failed = std::function<void(const Error&)>;
    explicit RunRecord(Failed couldNotKeep); ///< called once at most

    /// `result` before the first second: what the options say, and the machine. Then makes the run
    /// folder, where the options name one: its error is returned.
    Result<void> begin(const LoadOptions& options);

    /// A second, or several that came as one (`part.seconds`). True when the run is to be stopped:
    /// a target was missed for as long as the scenario allows, said once.
    bool add(LoadSecond second, LatencyBlock part);

    /// Sums up, judges, and saves. What only the generator's end knows (its own counts) stands in
    /// `result` by then. The state is "completed", "breached", or `otherwise`.
    void finish(bool completed, const QString& otherwise);

    /// Adds a second's counts to the sums of `result` (requests, errors by kind, rate, the
    /// generator's peak); not to its seconds. Latencies are summed from the blocks.
    static void count(LoadResult& result, const LoadSecond& second);

    LoadResult result;

private:
    void keep(const Result<void>& written);
    void closeBlock();

    Failed m_couldNotKeep;
    RunWriter m_writer;
    LatencyBlock m_block; ///< the one that grows
    LatencySum m_latencies; ///< of all seconds until now
    std::unique_ptr<ServerSampler> m_sampler;
    int m_blockSeconds = 1;
    int m_savedMinute = 0;
    double m_breachedSeconds = 0;
    bool m_breached = false;
    bool m_failed = false;
};

} // namespace sluice::ops

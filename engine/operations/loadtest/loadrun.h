#pragma once

#include "engine/base/result.h"
#include "engine/operations/loadtest/loadresult.h"
#include "engine/operations/loadtest/runfolder.h"

#include <QObject>
#include <memory>

namespace sluice::ops {

/// Runs a scenario against a URL with the native generator (Boost.Asio, on a thread of its own,
/// keep-alive connections, open-loop schedule). One object, one run.
class LoadRun : public QObject
{
    Q_OBJECT

public:
    explicit LoadRun(QObject* parent = nullptr);
    ~LoadRun() override; ///< stops and waits (under a second)

    /// Input error for a target that is not a loopback address, or a scenario out of bounds.
    Result<void> start(const Scenario& scenario, const QUrl& target, quint64 seed = 1);
    void stop(); ///< ends within a second; finished() follows
    bool isRunning() const;

Q_SIGNALS:
    void second(const sluice::ops::LoadSecond& second);
    void finished(const sluice::ops::LoadResult& result);
    void failed(const sluice::Error& error);

private:
    class Private;
    std::unique_ptr<Private> d;
};

} // namespace sluice::ops

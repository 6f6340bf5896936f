#pragma once

#include <QObject>
#include <deque>
#include <functional>
#include <mutex>

namespace sluice::ops {

/// Calls from any thread, run in their order on the thread that this object lives in; dropped when
/// it goes first. The calls wait behind a standard mutex, which ThreadSanitizer follows; it can't
/// see the locks inside Qt's event queue.
class HandOver : public QObject
{
    Q_OBJECT

public:
    explicit HandOver(QObject* parent = nullptr);

    void post(std::function<void()> call); ///< from any thread, while this object lives

Q_SIGNALS:
    void arrived();

private:
    void run();

    std::mutex m_mutex;
    std::deque<std::function<void()>> m_calls;
};

} // namespace sluice::ops

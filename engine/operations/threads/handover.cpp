#include "engine/operations/threads/handover.h"

#include <QPointer>

namespace sluice::ops {

HandOver::HandOver(QObject* parent)
    : QObject(parent)
{
    connect(this, &HandOver::arrived, this, &HandOver::run, Qt::QueuedConnection);
}

void HandOver::post(std::function<void()> call)
{
    {
        const std::lock_guard lock(m_mutex);
        m_calls.push_back(std::move(call));
    }
    Q_EMIT arrived();
}

void HandOver::run()
{
    const QPointer<HandOver> alive(this); // a call may end it
    while (alive) {
        std::function<void()> call;
        {
            const std::lock_guard lock(m_mutex);
            if (m_calls.empty()) {
                return;
            }
            call = std::move(m_calls.front());
            m_calls.pop_front();
        }
        call();
    }
}

} // namespace sluice::ops

#include "moc_handover.cpp"

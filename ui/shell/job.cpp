#include "ui/shell/job.h"

#include "engine/reporting/clientreporting.h"

#include <QDateTime>

namespace sluice::ui {

void JobControl::post(std::function<void()> call)
{
    const std::lock_guard lock(m_mutex);
    if (m_job != nullptr) {
        m_job->m_handOver.post(std::move(call));
    }
}

void JobControl::progress(double share, const QString& text)
{
    const qint64 now = QDateTime::currentMSecsSinceEpoch();
    if (now - m_lastProgressMs.load() < 50) {
        return;
    }
    m_lastProgressMs = now;
    post([this, share, text] {
        m_job->m_progress = share;
        m_job->m_text = text;
        Q_EMIT m_job->progressed(share, text);
    });
}

Job::Job(int id, QString title, QString key, std::shared_ptr<JobControl> control, QObject* parent)
    : QObject(parent)
    , m_id(id)
    , m_title(std::move(title))
    , m_key(std::move(key))
    , m_control(std::move(control))
{
    m_control->m_job = this;
}

Job::~Job()
{
    m_control->m_cancelled = true;
    const std::lock_guard lock(m_control->m_mutex);
    m_control->m_job = nullptr;
}

void Job::cancel()
{
    m_control->m_cancelled = true;
}

void Job::end(const Error* error)
{
    m_state = error == nullptr                ? State::Done
        : error->kind == ErrorKind::Cancelled ? State::Cancelled
                                              : State::Failed;
    if (error != nullptr) {
        m_error = *error;
        reportInternal(*error);
    }
    Q_EMIT finished(m_state);
}

Jobs::Jobs(QObject* parent)
    : QObject(parent)
    , m_runner(this)
{ }

Jobs::~Jobs()
{
    cancelAll();
    m_pool.clear();
    m_pool.waitForDone(5000);
}

void Jobs::enqueue(std::function<void()> work)
{
    {
        const std::lock_guard lock(m_mutex);
        m_waiting.push_back(std::move(work));
    }
    m_pool.start(&m_runner);
}

void Jobs::runNext()
{
    std::function<void()> work;
    {
        const std::lock_guard lock(m_mutex);
        work = std::move(m_waiting.front());
        m_waiting.pop_front();
    }
    work();
}

void Jobs::cancelAll()
{
    for (Job* job : std::as_const(m_running)) {
        job->cancel();
    }
}

Job* Jobs::add(const QString& title, const QString& key)
{
    if (!key.isEmpty()) {
        for (Job* job : std::as_const(m_running)) {
            if (job->m_key == key) {
                job->m_superseded = true;
                job->cancel();
            }
        }
    }
    auto* job = new Job(++m_lastId, title, key, std::make_shared<JobControl>(), this);
    connect(job, &Job::progressed, this, &Jobs::changed);
    m_running.append(job);
    Q_EMIT changed();
    return job;
}

void Jobs::end(Job* job, const Error* error)
{
    m_running.removeOne(job);
    job->end(error);
    job->deleteLater();
    Q_EMIT changed();
}

} // namespace sluice::ui

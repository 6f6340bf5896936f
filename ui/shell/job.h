#pragma once

#include "engine/base/result.h"
#include "engine/operations/threads/handover.h"

#include <QList>
#include <QObject>
#include <QPointer>
#include <QRunnable>
#include <QString>
#include <QThreadPool>
#include <atomic>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>

namespace sluice::ui {

class Job;

/// A running job's line to its owner; used from the job's thread.
class JobControl
{
public:
    bool isCancelled() const { return m_cancelled.load(std::memory_order_relaxed); }
    /// For code that takes a flag (Model::train()).
    const std::atomic<bool>* cancelFlag() const { return &m_cancelled; }
    /// 0..1 (below 0: unknown), and what it is doing. Passed on 20 times a second at most.
    void progress(double share, const QString& text = {});

private:
    friend class Job;
    friend class Jobs;
    void post(std::function<void()> call); ///< onto the job's thread, unless it is gone

    std::atomic<bool> m_cancelled = false;
    std::atomic<qint64> m_lastProgressMs = 0;
    std::mutex m_mutex;
    Job* m_job = nullptr;
};

/// A long piece of work: id, progress, cancel, and its end. Lives in Jobs' list, deletes itself a
/// turn of the event loop after finished().
class Job : public QObject
{
    Q_OBJECT

public:
    enum class State
    {
        Running,
        Done,
        Failed,
        Cancelled
    };

    ~Job() override;

    int id() const { return m_id; }
    QString title() const { return m_title; }
    State state() const { return m_state; }
    double progress() const { return m_progress; } ///< below 0: unknown
    QString text() const { return m_text; }
    const std::optional<Error>& error() const { return m_error; }
    void cancel(); ///< asks; the work ends when it looks

Q_SIGNALS:
    void progressed(double share, const QString& text);
    void finished(sluice::ui::Job::State state);

private:
    friend class Jobs;
    friend class JobControl;
    Job(int id, QString title, QString key, std::shared_ptr<JobControl> control, QObject* parent);
    void end(const Error* error);

    int m_id;
    QString m_title;
    QString m_key;
    std::shared_ptr<JobControl> m_control;
    ops::HandOver m_handOver;
    State m_state = State::Running;
    double m_progress = -1;
    QString m_text;
    std::optional<Error> m_error;
    bool m_superseded = false;
};

/// Runs jobs on a thread pool of its own; nothing else in the console starts threads.
class Jobs : public QObject
{
    Q_OBJECT

public:
    explicit Jobs(QObject* parent = nullptr);
    ~Jobs() override; ///< cancels what runs and waits for it, 5 s at most

    /// Runs `work` on a pool thread and hands its result to `done` on this object's thread, unless
    /// `context` is gone, or a newer job of the same `key` superseded it (empty key: never).
    template <typename T>
    Job* start(const QString& title, const QString& key, std::function<Result<T>(JobControl&)> work,
        QObject* context, std::function<void(Result<T>)> done)
    {
        Job* job = add(title, key);
        auto control = job->m_control;
        auto guard = std::make_shared<QPointer<QObject>>(context); // read on this thread only
        enqueue([this, control, work = std::move(work), done = std::move(done), guard, job] {
            auto result = std::make_shared<Result<T>>(control->isCancelled()
                    ? Result<T>(cancelledError("The job was cancelled."))
                    : work(*control));
            control->post([this, result, done, guard, job] {
                const bool wanted = !job->m_superseded && !guard->isNull();
                const Error* error = result->ok() ? nullptr : &result->error();
                end(job, error);
                if (wanted) {
                    done(std::move(*result));
                }
            });
        });
        return job;
    }

    QList<Job*> running() const { return m_running; }
    void cancelAll();

Q_SIGNALS:
    void changed(); ///< the list, or a job's progress

private:
    /// What the pool runs: the work that has waited longest. The work itself passes behind our own
    /// mutex (see ops::HandOver).
    class Runner : public QRunnable
    {
    public:
        explicit Runner(Jobs* jobs)
            : m_jobs(jobs)
        {
            setAutoDelete(false);
        }
        void run() override { m_jobs->runNext(); }

    private:
        Jobs* m_jobs;
    };

    Job* add(const QString& title, const QString& key);
    void end(Job* job, const Error* error);
    void enqueue(std::function<void()> work);
    void runNext();

    std::mutex m_mutex;
    std::deque<std::function<void()>> m_waiting;
    Runner m_runner;
    QThreadPool m_pool; ///< after what its threads use
    QList<Job*> m_running;
    int m_lastId = 0;
};

} // namespace sluice::ui

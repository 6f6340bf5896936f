#include "ui/shell/demo.h"

#include "engine/operations/loadtest/loadrun.h"
#include "ui/shell/console.h"

namespace sluice::ui {

namespace {

constexpr double queriesPerSecond = 20; ///< enough to see, little for a laptop
constexpr int customers = 40;
constexpr double longestSeconds = 4 * 3600;

} // namespace

Demo::Demo(Console* console, QObject* parent)
    : QObject(parent)
    , m_console(console)
{
    connect(console, &Console::environmentChanged, this, [this] {
        if (m_console->environment().name != QLatin1StringView("local")) {
            m_traffic.reset();
        } else if (m_wanted && m_traffic == nullptr) {
            sendQueries();
        }
    });
}

Demo::~Demo() = default;

void Demo::start()
{
    m_wanted = true;
    if (m_console->environment().name == QLatin1StringView("local")) {
        if (m_traffic == nullptr) {
            sendQueries();
        }
    } else {
        m_console->startLocalStack();
    }
}

bool Demo::isRunning() const
{
    return m_traffic != nullptr && m_traffic->isRunning();
}

void Demo::sendQueries()
{
    const auto scenario = ops::Scenario::constant(
        QStringLiteral("demo"), customers, queriesPerSecond, longestSeconds);
    m_traffic = std::make_unique<ops::LoadRun>();
    connect(m_traffic.get(), &ops::LoadRun::failed, this, [this](const Error& error) {
        m_console->notify(Tone::Bad, QString::fromStdString(error.text()), QStringLiteral("load"));
    });
    if (const auto started = m_traffic->start(scenario, m_console->environment().balancer);
        !started) {
        m_console->notify(Tone::Bad, QString::fromStdString(started.error().text()));
        m_traffic.reset();
        return;
    }
    m_console->notify(Tone::Ok,
        tr("The demo runs: %1 queries a second from the bundled help desk.").arg(queriesPerSecond),
        QStringLiteral("monitor"));
}

} // namespace sluice::ui

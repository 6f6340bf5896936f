#pragma once

#include "engine/base/result.h"

#include <QObject>
#include <memory>

namespace sluice::ops {
class LoadRun;
}

namespace sluice::ui {

class Console;

/// The local stack, with queries of the bundled help desk sent to it as customers would: every page
/// has live data within seconds. Ends with the console, or when it is connected elsewhere.
class Demo : public QObject
{
    Q_OBJECT

public:
    explicit Demo(Console* console, QObject* parent = nullptr);
    ~Demo() override;

    void start();
    bool isRunning() const;

private:
    void sendQueries();

    Console* m_console;
    bool m_wanted = false;
    std::unique_ptr<ops::LoadRun> m_traffic;
};

} // namespace sluice::ui

#pragma once

#include "engine/operations/environment/localstack.h"
#include "ui/shell/console.h"
#include "ui/shell/mainwindow.h"
#include "ui/shell/theme.h"

#include <QApplication>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QtTest>
#include <memory>

namespace sluice::test {

/// State, configuration and data of the programs go into a test's own folder from here on.
inline void useOwnFolders(const QTemporaryDir& folder)
{
    qputenv("SLUICE_STATE", folder.filePath(QStringLiteral("stack")).toUtf8());
    qputenv("SLUICE_CONFIG", folder.filePath(QStringLiteral("config")).toUtf8());
    qputenv("SLUICE_DATA_HOME", folder.filePath(QStringLiteral("data")).toUtf8());
}

/// A console and its window, light, in folders of their own; the pages are the test's to add.
inline void makeConsole(const QTemporaryDir& folder, std::unique_ptr<ui::Console>& console,
    std::unique_ptr<ui::MainWindow>& window)
{
    useOwnFolders(folder);
    ui::theme().install(*qApp);
    ui::theme().setMode(ui::Theme::Mode::Light);
    console = std::make_unique<ui::Console>();
    window = std::make_unique<ui::MainWindow>(console.get());
}

inline void showConsole(ui::Console& console, ui::MainWindow& window)
{
    window.resize(1440, 900);
    console.start();
    window.show();
}

/// Ends the stack of this test's folder, as a person would; false when it does not end.
inline bool endLocalStack()
{
    ops::LocalStack stack;
    QSignalSpy stopped(&stack, &ops::LocalStack::stopped);
    stack.down();
    return stopped.wait(25000);
}

} // namespace sluice::test

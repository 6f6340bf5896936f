#pragma once

#include "tests/support/ownconsole.h"
#include "tests/support/pictures.h"
#include "tests/support/testcase.h"
#include "ui/classify/classifyworkspace.h"
#include "ui/shell/console.h"
#include "ui/shell/mainwindow.h"
#include "ui/shell/stateview.h"
#include "ui/shell/theme.h"

#include <QApplication>
#include <QDir>
#include <QTemporaryDir>
#include <memory>

namespace sluice::test {

/// The console with the Classify page alone, in folders of its own; pictures where SLUICE_PICTURES
/// names a folder.
class ClassifyFixture
{
public:
    ClassifyFixture()
    {
        useOwnFolders(folder);
        qputenv("SLUICE_RESOURCES", SLUICE_BINARY_DIR "/share/sluice");
    }
    ~ClassifyFixture() { close(); }

    /// Opens the window; false when the model could not be loaded.
    bool open()
    {
        makeConsole(folder, console, window);
        page = new ui::ClassifyWorkspace(console.get());
        window->addWorkspace(page);
        showConsole(*console, *window);
        window->showWorkspace(QStringLiteral("classify"));
        window->activateWindow();
        return QTest::qWaitFor([this] { return console->classifier() != nullptr; }, 20000)
            && QTest::qWaitForWindowActive(window.get());
    }
    void close()
    {
        window.reset();
        console.reset();
    }
    void picture(const QString& name) { QVERIFY(drawPictures(*window, name)); }

    QTemporaryDir folder;
    std::unique_ptr<ui::Console> console;
    std::unique_ptr<ui::MainWindow> window;
    ui::ClassifyWorkspace* page = nullptr;
};

} // namespace sluice::test

#pragma once

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
        qputenv("SLUICE_STATE", folder.filePath(QStringLiteral("state")).toUtf8());
        qputenv("SLUICE_CONFIG", folder.filePath(QStringLiteral("config")).toUtf8());
        qputenv("SLUICE_DATA_HOME", folder.filePath(QStringLiteral("data")).toUtf8());
        qputenv("SLUICE_RESOURCES", SLUICE_BINARY_DIR "/share/sluice");
    }
    ~ClassifyFixture() { close(); }

    /// Opens the window; false when the model could not be loaded.
    bool open()
    {
        ui::theme().install(*qApp);
        ui::theme().setMode(ui::Theme::Mode::Light);
        console = std::make_unique<ui::Console>();
        window = std::make_unique<ui::MainWindow>(console.get());
        page = new ui::ClassifyWorkspace(console.get());
        window->addWorkspace(page);
        window->resize(1440, 900);
        console->start();
        window->show();
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

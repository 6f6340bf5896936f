#pragma once

#include "tests/support/ownconsole.h"
#include "tests/support/pictures.h"
#include "tests/support/testcase.h"
#include "ui/shell/console.h"
#include "ui/shell/mainwindow.h"
#include "ui/shell/stateview.h"
#include "ui/thresholds/thresholdsworkspace.h"

#include <QTemporaryDir>
#include <memory>

namespace sluice::test {

/// The console with the Thresholds page alone, in folders of its own, the bundled data loaded.
class ThresholdsPageTest : public TestCase
{
protected:
    static constexpr int soon = 15000;

    void openPage()
    {
        makeConsole(m_folder, m_console, m_window);
        m_page = new ui::ThresholdsWorkspace(m_console.get());
        m_window->addWorkspace(m_page);
        showConsole(*m_console, *m_window);
        m_window->showWorkspace(QStringLiteral("thresholds"));
        QTRY_VERIFY_WITH_TIMEOUT(m_console->classifier() != nullptr, soon);
        QVERIFY(m_page->stateView()->state() == ui::StateView::State::Empty);
        m_page->loadData();
        QTRY_VERIFY_WITH_TIMEOUT(m_page->stateView()->state() == ui::StateView::State::Data, soon);
        QVERIFY(m_page->rows() > 500);
    }
    void closePage()
    {
        m_window.reset();
        m_console.reset();
    }
    ui::TuningSession* session() { return m_page->session(); }
    void picture(const QString& name) { QVERIFY(drawPictures(*m_window, name)); }

    QTemporaryDir m_folder;
    std::unique_ptr<ui::Console> m_console;
    std::unique_ptr<ui::MainWindow> m_window;
    ui::ThresholdsWorkspace* m_page = nullptr;
};

} // namespace sluice::test

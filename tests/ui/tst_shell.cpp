#include "tests/support/ownconsole.h"
#include "tests/support/testcase.h"
#include "ui/shell/button.h"
#include "ui/shell/console.h"
#include "ui/shell/guide.h"
#include "ui/shell/logpanel.h"
#include "ui/shell/mainwindow.h"
#include "ui/shell/phrases.h"
#include "ui/shell/theme.h"
#include "ui/shell/toasts.h"
#include "ui/shell/welcomepage.h"
#include "ui/shell/workspace.h"

#include <QAction>
#include <QApplication>
#include <QDirIterator>
#include <QFile>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QSplitter>
#include <QTemporaryDir>

using namespace sluice::ui;

namespace {

/// A page with a splitter.
class SplitPage : public Workspace
{
public:
    SplitPage(Console* console, const char* id)
        : Workspace(console, QString::fromLatin1(id), QString::fromLatin1(id))
        , splitter(new QSplitter(this))
    {
        splitter->addWidget(new QWidget);
        splitter->addWidget(new QWidget);
        auto* layout = new QHBoxLayout(this);
        layout->addWidget(splitter);
    }
    QSplitter* splitter;
};

} // namespace

class TestShell : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void everyActionHasShortcutAndToolTip();
    void f1OpensThePagesGuide();
    void goodNewsGoAndBadNewsStay();
    void logKeepsWhatWasSaid();
    void theLayoutComesBack();
    void germanIsSpoken();
    void everySourceHasItsTranslation();
    void everyTranslationHasItsSource();
    void rightToLeftMirrors();

private:
    QTemporaryDir m_folder;
};

void TestShell::initTestCase()
{
    sluice::test::useOwnFolders(m_folder);
    theme().install(*qApp);
    theme().setMode(Theme::Mode::Light);
}

void TestShell::everyActionHasShortcutAndToolTip()
{
    Console console;
    MainWindow window(&console);
    window.addWorkspace(new SplitPage(&console, "classify"));
    QHash<QKeySequence, QString> taken;
    for (const QAction* action : window.actions()) {
        QVERIFY2(!action->shortcut().isEmpty(), qPrintable(action->text()));
        QVERIFY2(!action->toolTip().isEmpty() && action->toolTip() != action->text(),
            qPrintable(action->text()));
        QVERIFY2(!taken.contains(action->shortcut()),
            qPrintable(action->text() + u' ' + taken.value(action->shortcut())));
        taken.insert(action->shortcut(), action->text());
    }
}

void TestShell::f1OpensThePagesGuide()
{
    Console console;
    MainWindow window(&console);
    for (const char* id : {"classify", "thresholds", "monitor", "load", "rollout", "history"}) {
        window.addWorkspace(new SplitPage(&console, id));
    }
    window.show();
    window.activateWindow();
    QVERIFY(QTest::qWaitForWindowActive(&window));
    QTest::keyClick(&window, Qt::Key_F1);
    QTRY_VERIFY(window.guide()->isVisible());
    QVERIFY(window.guide()->text().contains(QStringLiteral("First steps")));
    for (const char* id : {"classify", "thresholds", "monitor", "load", "rollout", "history"}) {
        window.showWorkspace(QString::fromLatin1(id));
        window.showGuide();
        QVERIFY2(window.guide()->text().contains(QString::fromLatin1(id), Qt::CaseInsensitive), id);
    }
}

void TestShell::goodNewsGoAndBadNewsStay()
{
    Console console;
    MainWindow window(&console);
    window.addWorkspace(new SplitPage(&console, "monitor"));
    window.show();
    console.notify(Tone::Ok, QStringLiteral("done"));
    console.notify(Tone::Bad, QStringLiteral("broken"), QStringLiteral("monitor"));
    QCOMPARE(
        window.toasts()->shown(), (QStringList{QStringLiteral("done"), QStringLiteral("broken")}));
    QTRY_COMPARE_WITH_TIMEOUT(
        window.toasts()->shown(), QStringList{QStringLiteral("broken")}, 10000);
    for (Button* button : window.findChildren<Button*>()) {
        if (button->text() == QStringLiteral("Show") && button->isVisible()) {
            QTest::mouseClick(button, Qt::LeftButton);
            break;
        }
    }
    QCOMPARE(window.currentWorkspace(), QStringLiteral("monitor"));
    QVERIFY(window.toasts()->shown().isEmpty());
}

void TestShell::logKeepsWhatWasSaid()
{
    Console console;
    console.notify(Tone::Ok, QStringLiteral("before the window"));
    MainWindow window(&console);
    window.show();
    window.activateWindow();
    QVERIFY(QTest::qWaitForWindowActive(&window));
    QVERIFY(!window.log()->isVisible());
    QTest::keyClick(&window, Qt::Key_F12);
    QTRY_VERIFY(window.log()->isVisible());
    console.notify(Tone::Warn, QStringLiteral("after it"));
    console.jobs()->start<int>(
        QStringLiteral("Counting"), {}, [](JobControl&) { return sluice::Result<int>(1); }, this,
        [](const sluice::Result<int>&) {});
    QTRY_VERIFY(window.log()->text().contains(QStringLiteral("Counting: done")));
    QVERIFY(window.log()->text().contains(QStringLiteral("before the window")));
    window.log()->filter()->setText(QStringLiteral("after"));
    QVERIFY(!window.log()->text().contains(QStringLiteral("before")));
    QVERIFY(window.log()->text().contains(QStringLiteral("after it")));
}

void TestShell::theLayoutComesBack()
{
    QList<int> sizes;
    {
        Console console;
        MainWindow window(&console);
        auto* page = new SplitPage(&console, "load");
        window.addWorkspace(page);
        window.resize(1200, 700);
        window.show();
        window.showWorkspace(QStringLiteral("load"));
        page->splitter->setSizes({300, 800});
        sizes = page->splitter->sizes();
        window.showLog(true);
        QVERIFY(window.close());
    }
    Console console;
    MainWindow window(&console);
    auto* page = new SplitPage(&console, "load");
    window.addWorkspace(page);
    window.show();
    QCOMPARE(window.currentWorkspace(), QStringLiteral("load"));
    QVERIFY(window.log()->isVisible());
    QTRY_COMPARE(page->splitter->sizes(), sizes);
}

void TestShell::germanIsSpoken()
{
    QCOMPARE(Phrases::choose(QStringLiteral("de")), QStringLiteral("de"));
    QCOMPARE(Phrases::choose(QStringLiteral("xx")), QStringLiteral("en"));
    Phrases none;
    QVERIFY(!none.loadLanguage(QStringLiteral("xx")));
    QVERIFY(none.loadLanguage(QStringLiteral("en")));
    Phrases german;
    QVERIFY(german.loadLanguage(QStringLiteral("de")));
    QApplication::installTranslator(&german);
    {
        Console console;
        const MainWindow window(&console);
        QCOMPARE(
            window.welcomePage()->startButton()->text(), QStringLiteral("Lokale Dienste starten"));
        QStringList names;
        for (const QAction* action : window.allActions()) {
            names << action->text();
        }
        QVERIFY(names.contains(QStringLiteral("Befehlsliste")));
    }
    QApplication::removeTranslator(&german);
}

namespace {

/// What the console's sources say, literals that run over lines put together.
QString consoleSources()
{
    QString sources;
    for (const char* folder : {"/ui", "/app/sluice"}) {
        QDirIterator files(QStringLiteral(SLUICE_SOURCE_DIR) + QString::fromLatin1(folder),
            {QStringLiteral("*.cpp"), QStringLiteral("*.h")}, QDir::Files,
            QDirIterator::Subdirectories);
        while (files.hasNext()) {
            QFile file(files.next());
            if (file.open(QIODevice::ReadOnly)) {
                sources += QString::fromUtf8(file.readAll());
            }
        }
    }
    sources.replace(QRegularExpression(QStringLiteral("\"\\s*\\n\\s*\"")), QString());
    return sources;
}

} // namespace

/// Nothing that the console says is left in English; what is the same in both stands in the
/// catalogue too.
void TestShell::everySourceHasItsTranslation()
{
    Phrases german;
    QVERIFY(german.loadLanguage(QStringLiteral("de")));
    const QStringList known = german.sources();
    const QSet<QString> translated(known.begin(), known.end());
    const QRegularExpression phrase(QStringLiteral("\\btr\\(\\s*\"((?:[^\"\\\\]|\\\\.)*)\""));
    const QString sources = consoleSources();
    QStringList missing;
    int found = 0;
    for (auto match = phrase.globalMatch(sources); match.hasNext();) {
        QString text = match.next().captured(1);
        text.replace(QStringLiteral("\\\""), QStringLiteral("\""));
        text.replace(QStringLiteral("\\n"), QStringLiteral("\n"));
        found += 1;
        if (!translated.contains(text)) {
            missing << text;
        }
    }
    QVERIFY(found > 1000);
    QVERIFY2(missing.isEmpty(), qPrintable(missing.join(u'\n')));
}

/// A phrase that no source says any more is one to take out, and its place holders are kept.
void TestShell::everyTranslationHasItsSource()
{
    const QString sources = consoleSources();
    Phrases german;
    QVERIFY(german.loadLanguage(QStringLiteral("de")));
    const QRegularExpression places(QStringLiteral("%[0-9n]"));
    for (const QString& source : german.sources()) {
        QString literal = source;
        literal.replace(u'"', QStringLiteral("\\\""));
        literal.replace(u'\n', QStringLiteral("\\n"));
        QVERIFY2(sources.contains(u'"' + literal + u'"'), qPrintable(source));
        const QString german_ = german.translate("", source.toUtf8().constData());
        QStringList a;
        QStringList b;
        for (auto match = places.globalMatch(source); match.hasNext();) {
            a << match.next().captured();
        }
        for (auto match = places.globalMatch(german_); match.hasNext();) {
            b << match.next().captured();
        }
        a.sort();
        b.sort();
        QVERIFY2(a == b, qPrintable(source));
    }
}

void TestShell::rightToLeftMirrors()
{
    QApplication::setLayoutDirection(Qt::RightToLeft);
    Console console;
    MainWindow window(&console);
    window.addWorkspace(new SplitPage(&console, "monitor"));
    window.resize(1280, 800);
    window.show();
    console.notify(Tone::Bad, QStringLiteral("broken"));
    const QWidget* toast = window.findChild<QFrame*>(QStringLiteral("toast"));
    QVERIFY(toast != nullptr);
    QTRY_VERIFY(toast->mapTo(&window, toast->rect().center()).x() > window.width() / 2);
    QVERIFY(window.welcomePage()->startButton()->mapTo(&window, QPoint()).x()
        > window.welcomePage()->connectButton()->mapTo(&window, QPoint()).x());
    QApplication::setLayoutDirection(Qt::LeftToRight);
}

QTEST_MAIN(TestShell)
#include "tst_shell.moc"

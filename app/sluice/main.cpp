#include "engine/operations/environment/localstack.h"
#include "engine/reporting/clientreporting.h"
#include "ui/classify/classifyworkspace.h"
#include "ui/history/historyworkspace.h"
#include "ui/load/loadworkspace.h"
#include "ui/monitor/monitorworkspace.h"
#include "ui/rollout/rolloutworkspace.h"
#include "ui/shell/console.h"
#include "ui/shell/mainwindow.h"
#include "ui/shell/phrases.h"
#include "ui/shell/theme.h"
#include "ui/thresholds/thresholdsworkspace.h"

#include <QApplication>
#include <QCommandLineParser>
#include <cstdio>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace {

/// Qt would abort without a display; say plainly what to do instead.
bool hasDisplay(int argc, char** argv)
{
    for (int index = 1; index < argc; ++index) {
        if (QByteArrayView(argv[index]).startsWith("-platform")) {
            return true;
        }
    }
    for (const char* name : {"DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"}) {
        if (!qEnvironmentVariableIsEmpty(name)) {
            return true;
        }
    }
    return false;
}

bool wantsHelp(int argc, char** argv)
{
    for (int index = 1; index < argc; ++index) {
        const QByteArrayView argument(argv[index]);
        if (argument == "--help" || argument == "-h" || argument == "--version"
            || argument == "-v") {
            return true;
        }
    }
    return false;
}

QtMessageHandler qtsOwn = nullptr;

/// What Qt finds wrong is an error of ours: it is logged, so that it is reported where that is on.
void onQtMessage(QtMsgType type, const QMessageLogContext& context, const QString& text)
{
    if (type == QtCriticalMsg || type == QtFatalMsg) {
        spdlog::error("{}", text.toStdString());
    }
    qtsOwn(type, context, text);
}

} // namespace

int main(int argc, char** argv)
{
    if (!hasDisplay(argc, argv)) {
        if (!wantsHelp(argc, argv)) {
            std::fputs(
                "sluice: there is no display to open the console on. Ways to have one:\n"
                "  xvfb-run -a sluice        a virtual screen (package xvfb)\n"
                "  ssh -X HOST               your own screen\n"
                "  Xvnc -localhost :1        a remote desktop, with a password file\n"
                "  sluicectl --help          everything the console does, without a window\n",
                stderr);
            return 2;
        }
        qputenv("QT_QPA_PLATFORM", "offscreen");
    }
    QApplication application(argc, argv);
    QApplication::setApplicationName(QStringLiteral("sluice"));
    QApplication::setApplicationDisplayName(QStringLiteral("Sluice"));
    QApplication::setApplicationVersion(QStringLiteral(SLUICE_VERSION));

    QCommandLineParser options;
    options.setApplicationDescription(
        QApplication::translate("main", "The console of a query-classification service."));
    options.addHelpOption();
    options.addVersionOption();
    const QCommandLineOption stack(QStringLiteral("stack"),
        QApplication::translate("main", "Start the local stack, or join the one that runs."));
    const QCommandLineOption environment(QStringLiteral("environment"),
        QApplication::translate("main", "Connect to this environment."), QStringLiteral("name"));
    const QCommandLineOption theme(QStringLiteral("theme"),
        QApplication::translate("main", "light, dark or system."), QStringLiteral("theme"));
    const QCommandLineOption demo(QStringLiteral("demo"),
        QApplication::translate(
            "main", "Start the local stack and send queries to it: live data on every page."));
    const QCommandLineOption language(QStringLiteral("language"),
        QApplication::translate("main", "en, de or system."), QStringLiteral("language"));
    options.addOptions({stack, demo, environment, theme, language});
    options.process(application);

    spdlog::set_default_logger(spdlog::stderr_logger_mt("sluice"));
    const auto reporter = sluice::reportFromEnvironment("sluice");
    if (!reporter) {
        std::fprintf(stderr, "sluice: %s\n", reporter.error().text().c_str());
        return 2;
    }
    if (*reporter != nullptr) {
        qtsOwn = qInstallMessageHandler(onQtMessage);
    }
    sluice::ui::theme().install(application);
    sluice::ui::Console console;
    sluice::ui::Phrases phrases;
    const QString wanted = options.isSet(language)
        ? options.value(language)
        : sluice::ui::MainWindow::wantedLanguage(console);
    phrases.loadLanguage(sluice::ui::Phrases::choose(wanted));
    QApplication::installTranslator(&phrases);
    sluice::ui::MainWindow window(&console);
    window.addWorkspace(new sluice::ui::ClassifyWorkspace(&console));
    window.addWorkspace(new sluice::ui::ThresholdsWorkspace(&console));
    window.addWorkspace(new sluice::ui::MonitorWorkspace(&console));
    window.addWorkspace(new sluice::ui::LoadWorkspace(&console));
    window.addWorkspace(new sluice::ui::RolloutWorkspace(&console));
    window.addWorkspace(new sluice::ui::HistoryWorkspace(&console));
    if (options.isSet(theme)) {
        bool known = false;
        const auto mode = sluice::ui::Theme::modeFromText(options.value(theme), &known);
        if (!known) {
            std::fputs("sluice: --theme: light, dark or system is expected\n", stderr);
            return 2;
        }
        sluice::ui::theme().setMode(mode);
    }
    console.start();
    window.show();
    if (options.isSet(demo)) {
        window.startDemo();
    } else if (options.isSet(stack)) {
        console.startLocalStack();
    } else if (options.isSet(environment)) {
        const auto all = console.environments();
        for (const auto& known : all) {
            if (known.name == options.value(environment)) {
                console.connectTo(known);
            }
        }
        if (!console.hasEnvironment()) {
            std::fputs("sluice: there is no environment of that name; the window shows those that "
                       "are known\n",
                stderr);
        }
    }
    return QApplication::exec();
}

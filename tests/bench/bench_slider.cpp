#include "engine/base/resources.h"
#include "ui/shell/console.h"
#include "ui/shell/mainwindow.h"
#include "ui/thresholds/thresholdsworkspace.h"

#include <QApplication>
#include <QElapsedTimer>
#include <QTemporaryDir>
#include <algorithm>
#include <cstdio>
#include <random>

using namespace sluice;
using namespace sluice::ui;

namespace {

constexpr std::size_t rowCount = 1000000;
constexpr int moves = 120;

/// Rows of one query's text: what is measured is judging and drawing, not reading.
ops::TuningData labelledRows(int labels)
{
    std::mt19937_64 random(11);
    std::uniform_real_distribution<double> share(0.0, 1.0);
    ops::TuningData data;
    data.preview.source = "1,000,000 rows";
    data.queries.resize(1);
    data.queries.front().text = "a query";
    data.rows.resize(rowCount);
    for (ScoredRow& row : data.rows) {
        const double first = float(1 - share(random) * share(random));
        row.candidates = 2;
        row.top[0] = {int(random() % std::uint64_t(labels)), first};
        row.top[1] = {int(random() % std::uint64_t(labels)), (1 - first) * share(random)};
        row.label = share(random) < first ? row.top[0].label
            : random() % 3 == 0           ? ScoredRow::outOfScopeLabel
                                          : int(random() % std::uint64_t(labels));
        row.split = Split::Calibration;
    }
    return data;
}

ops::RecordedTraffic traffic(const ops::TuningData& data)
{
    ops::RecordedTraffic recorded;
    recorded.recorded = recordedRows(data.rows);
    for (RecordedRow& row : recorded.recorded) {
        row.label = RecordedRow::unlabelled;
    }
    recorded.rows.resize(rowCount);
    return recorded;
}

void report(const char* name, std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    std::printf("  %-56s %8.2f ms   (median of %zu, 95 %% %.2f, worst %.2f)\n", name,
        values[values.size() / 2], values.size(), values[values.size() * 95 / 100], values.back());
}

} // namespace

/// The Thresholds page with 1,000,000 labelled and 1,000,000 recorded rows: from the slider's move
/// to new numbers, to the repaint, and the longest that the window's thread was held up meanwhile.
int main(int argc, char** argv)
{
    qputenv("QT_QPA_PLATFORM", "offscreen");
    const QApplication application(argc, argv);
    const QTemporaryDir folder;
    theme().install(*qApp);
    Console console(folder.path(), folder.filePath(QStringLiteral("h.sqlite")));
    MainWindow window(&console);
    auto* page = new ThresholdsWorkspace(&console);
    window.addWorkspace(page);
    window.resize(1440, 900);
    console.start();
    window.show();
    window.showWorkspace(QStringLiteral("thresholds"));
    QElapsedTimer timer;
    timer.start();
    while (console.classifier() == nullptr && timer.elapsed() < 20000) {
        QApplication::processEvents(QEventLoop::WaitForMoreEvents, 50);
    }
    if (console.classifier() == nullptr) {
        std::fprintf(stderr, "the bundled model did not load\n");
        return 1;
    }
    page->loadData();
    while (page->rows() == 0 && timer.elapsed() < 40000) {
        QApplication::processEvents(QEventLoop::WaitForMoreEvents, 50);
    }
    const int labels = int(console.classifier()->model().labels().size());
    ops::TuningData data = labelledRows(labels);
    ops::RecordedTraffic recorded = traffic(data);
    page->session()->setData(console.classifier(), std::move(data));
    page->session()->setTraffic(std::move(recorded));

    std::vector<double> compute;
    std::vector<double> shown;
    std::vector<double> gaps;
    for (int move = 0; move < moves; ++move) {
        timer.restart();
        page->setThreshold(0.2 + 0.6 * move / moves);
        compute.push_back(page->session()->lastMilliseconds());
        window.repaint();
        shown.push_back(double(timer.nsecsElapsed()) / 1e6);
        // What else came due: charts of an earlier move, workers' answers.
        QElapsedTimer turn;
        while (timer.elapsed() < 50) {
            turn.start();
            QApplication::processEvents();
            if (const double ms = double(turn.nsecsElapsed()) / 1e6; ms > 0.1) { // else it slept
                gaps.push_back(ms);
            }
        }
    }
    std::printf("Thresholds page, %zu labelled and %zu recorded rows, %d intents\n", rowCount,
        rowCount, labels);
    report("slider to new numbers, compute", compute);
    report("slider to new numbers and all of the window painted", shown);
    report("a turn of the event loop meanwhile", gaps);
    return 0;
}

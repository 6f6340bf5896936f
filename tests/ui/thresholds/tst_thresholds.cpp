#include "tests/support/ownconsole.h"
#include "tests/support/pictures.h"
#include "tests/support/testcase.h"

#include "engine/base/file.h"
#include "engine/base/resources.h"
#include "engine/operations/environment/localstack.h"
#include "ui/charts/xychart.h"
#include "ui/shell/button.h"
#include "ui/shell/confirmdialog.h"
#include "ui/shell/console.h"
#include "ui/shell/infobanner.h"
#include "ui/shell/mainwindow.h"
#include "ui/shell/stateview.h"
#include "ui/shell/theme.h"
#include "ui/thresholds/confidencehistogram.h"
#include "ui/thresholds/confusionview.h"
#include "ui/thresholds/datapreview.h"
#include "ui/thresholds/flipsview.h"
#include "ui/thresholds/guaranteepanel.h"
#include "ui/thresholds/heatmapview.h"
#include "ui/thresholds/pools.h"
#include "ui/thresholds/publishpanel.h"
#include "ui/thresholds/settingsmodel.h"
#include "ui/thresholds/settingstable.h"
#include "ui/thresholds/thresholdcharts.h"
#include "ui/thresholds/thresholdsworkspace.h"
#include "ui/thresholds/versionsview.h"

#include <QAccessible>
#include <QApplication>
#include <QCheckBox>
#include <QComboBox>
#include <QDir>
#include <QDoubleSpinBox>
#include <QLabel>
#include <QLineEdit>
#include <QNetworkAccessManager>
#include <QNetworkReply>
#include <QPlainTextEdit>
#include <QSlider>
#include <QTableWidget>
#include <QTemporaryDir>

using namespace sluice;
using namespace sluice::ui;

namespace {
constexpr int soon = 15000;
}

/// The admin's page, by keys and mouse: alone on the bundled data, then against the real stack.
/// With SLUICE_PICTURES it draws every view.
class TestThresholds : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void cleanupTestCase();
    void everythingHasAName();
    void valuesAreTypedDraggedAndUndone();
    void intentsHaveTheirOwn();
    void certifiesOrSaysWhatIsMissing();
    void claimsByIntentAreNamed();
    void suggestionMustBeatTheGlobal();
    void confusionOpensItsQueries();
    void chartsTakeAThreshold();
    void costsHaveAnOptimum();
    void previewComesBeforeUse();
    void brokenFileLeavesWhatIsThere();
    void draftOutlivesTheConsole();
    void publishesAndSaysWhatFlips();
    void staleEditorIsTold();
    void anyVersionComesBack();
    void secondPersonApproves();
    void otherModelIsRefused();
    void recordedTrafficIsReplayed();

private:
    TuningSession* session() { return m_page->session(); }
    void picture(const QString& name);
    void publish();
    void accept();
    int row(const QString& name) const;
    double value(const QString& name) const;
    void waitForUser(const QString& user);

    QTemporaryDir m_folder;
    std::unique_ptr<Console> m_console;
    std::unique_ptr<MainWindow> m_window;
    ThresholdsWorkspace* m_page = nullptr;
};

void TestThresholds::initTestCase()
{
    test::makeConsole(m_folder, m_console, m_window);
    m_page = new ThresholdsWorkspace(m_console.get());
    m_window->addWorkspace(m_page);
    test::showConsole(*m_console, *m_window);
    m_window->showWorkspace(QStringLiteral("thresholds"));
    QTRY_VERIFY_WITH_TIMEOUT(m_console->classifier() != nullptr, soon);
    QVERIFY(m_page->stateView()->state() == StateView::State::Empty);
    m_page->loadData();
    QTRY_VERIFY_WITH_TIMEOUT(m_page->stateView()->state() == StateView::State::Data, soon);
    QVERIFY(m_page->rows() > 500);
}

void TestThresholds::cleanupTestCase()
{
    m_window.reset();
    m_console.reset();
    QVERIFY(test::endLocalStack());
}

void TestThresholds::picture(const QString& name)
{
    QVERIFY(test::drawPictures(*m_window, name));
}

/// Presses the button when it may be pressed: not while a publish before it is under way.
void TestThresholds::publish()
{
    QTRY_VERIFY_WITH_TIMEOUT(m_page->publishPanel()->publishButton()->isEnabled(), soon);
    QTest::mouseClick(m_page->publishPanel()->publishButton(), Qt::LeftButton);
}

void TestThresholds::accept()
{
    QTRY_VERIFY_WITH_TIMEOUT(m_page->findChild<ConfirmDialog*>() != nullptr, soon);
    auto* dialog = m_page->findChild<ConfirmDialog*>();
    QTest::mouseClick(dialog->verbButton(), Qt::LeftButton);
    QTRY_VERIFY_WITH_TIMEOUT(m_page->findChild<ConfirmDialog*>() == nullptr, soon);
}

/// The row of the table whose name begins so.
int TestThresholds::row(const QString& name) const
{
    const QAbstractItemModel* model = m_page->table()->model();
    for (int row = 0; row < model->rowCount(); ++row) {
        if (model->index(row, SettingsModel::Name).data().toString().startsWith(name)) {
            return row;
        }
    }
    return -1;
}

double TestThresholds::value(const QString& name) const
{
    return m_page->table()
        ->model()
        ->index(row(name), SettingsModel::Value)
        .data(SettingsModel::ValueRole)
        .toDouble();
}

void TestThresholds::waitForUser(const QString& user)
{
    m_console->setUser(user);
    QTRY_VERIFY_WITH_TIMEOUT(
        m_console->source(Source::Redis).isUp() && m_console->user() == user, soon);
}

void TestThresholds::everythingHasAName()
{
    const QList<QWidget*> widgets = m_page->findChildren<QWidget*>();
    for (const QWidget* widget : widgets) {
        const auto* label = qobject_cast<const QLabel*>(widget); // its text is its name
        if ((label != nullptr && label->text().isEmpty()) || widget->focusPolicy() == Qt::NoFocus
            || !widget->isEnabledTo(m_page)
            || widget->objectName().startsWith(QLatin1StringView("qt_"))) {
            continue;
        }
        const auto* banner = qobject_cast<const InfoBanner*>(widget->parentWidget());
        if (banner != nullptr && banner->isHidden()) { // its button has no words yet
            continue;
        }
        QAccessibleInterface* face =
            QAccessible::queryAccessibleInterface(const_cast<QWidget*>(widget));
        QVERIFY2(face != nullptr && !face->text(QAccessible::Name).isEmpty(),
            widget->metaObject()->className());
    }
}

void TestThresholds::valuesAreTypedDraggedAndUndone()
{
    SettingsTable* table = m_page->table();
    const double before = session()->draft().global;
    const QString global = QStringLiteral("Global threshold");
    QCOMPARE(row(global), 0); // settings stay on top
    // Typed.
    table->setCurrentIndex(table->model()->index(row(global), SettingsModel::Value));
    table->edit(table->currentIndex());
    auto* editor = table->findChild<QDoubleSpinBox*>();
    QVERIFY(editor != nullptr);
    editor->selectAll();
    QTest::keyClicks(editor, QStringLiteral("0.7"));
    QTest::keyClick(editor, Qt::Key_Return);
    QTRY_VERIFY_WITH_TIMEOUT(table->findChild<QDoubleSpinBox*>() == nullptr, soon);
    QCOMPARE(session()->draft().global, 0.7);
    QCOMPARE(m_page->histogram()->threshold(), 0.7);
    const double strict = m_page->outcome().coverage();
    // By keys, which are one step to undo.
    table->setFocus();
    for (int press = 0; press < 3; ++press) {
        QTest::keyClick(table, Qt::Key_Minus);
    }
    QCOMPARE(session()->draft().global, 0.67);
    QVERIFY(m_page->outcome().coverage() >= strict);
    QTest::keyClick(table, Qt::Key_Z, Qt::ControlModifier);
    QCOMPARE(session()->draft().global, 0.7);
    QTest::keyClick(table, Qt::Key_Z, Qt::ControlModifier | Qt::ShiftModifier);
    QVERIFY(std::abs(session()->draft().global - 0.67) < 1e-9);
    // Dragged: the margin's slider, to its middle.
    const QModelIndex bar =
        table->model()->index(row(QStringLiteral("Margin over")), SettingsModel::Bar);
    const QRect box = table->visualRect(bar);
    QTest::mousePress(table->viewport(), Qt::LeftButton, {}, box.center() - QPoint(10, 0));
    QTest::mouseMove(table->viewport(), box.center());
    QTest::mouseRelease(table->viewport(), Qt::LeftButton, {}, box.center());
    QVERIFY(session()->draft().margin > 0.3 && session()->draft().margin < 0.6);
    while (session()->undoStack()->canUndo()) {
        QTest::keyClick(table, Qt::Key_Z, Qt::ControlModifier);
    }
    QCOMPARE(session()->draft().global, before);
    QCOMPARE(
        session()->draft().margin, m_console->classifier()->model().defaultThresholds().margin);
}

void TestThresholds::intentsHaveTheirOwn()
{
    SettingsTable* table = m_page->table();
    const QString intent = QStringLiteral("cancel_order");
    const std::string name = intent.toStdString();
    table->setCurrentIndex(table->model()->index(row(intent), SettingsModel::Name));
    QTest::keyClick(table, Qt::Key_Plus);
    QVERIFY(session()->draft().perIntent.contains(name));
    QVERIFY(std::abs(value(intent) - session()->draft().global - 0.01) < 1e-9);
    QTest::keyClick(table, Qt::Key_S);
    QVERIFY(session()->draft().sensitiveIntents.contains(name));
    QVERIFY(row(QStringLiteral("cancel_order · sensitive")) >= 0);
    QTest::keyClick(table, Qt::Key_S);
    QTest::keyClick(table, Qt::Key_Delete);
    QVERIFY(session()->draft().perIntent.empty());
    // What is found stays found; the settings' own rows are no intents.
    m_page->table()->proxy()->setFilterFixedString(QStringLiteral("cancel"));
    QCOMPARE(table->model()->rowCount(), 1);
    m_page->table()->proxy()->setFilterFixedString({});
}

void TestThresholds::certifiesOrSaysWhatIsMissing()
{
    GuaranteePanel* panel = m_page->guarantee();
    panel->alpha()->setValue(0.5);
    QTest::mouseClick(panel->certifyButton(), Qt::LeftButton);
    QTRY_VERIFY_WITH_TIMEOUT(panel->guarantee().has_value(), soon);
    const Certification& lacking = panel->guarantee()->found.front().certification;
    QVERIFY(!lacking.certificate);
    QVERIFY(lacking.shortfall.moreAccepted > 0);
    QVERIFY2(panel->text()->text().contains(QString::number(lacking.shortfall.moreAccepted)),
        qPrintable(panel->text()->text()));
    QVERIFY(!panel->useButton()->isEnabled());
    picture(QStringLiteral("thresholds-not-certifiable"));

    panel->alpha()->setValue(20);
    panel->assumeShare()->setChecked(true);
    QVERIFY(panel->share()->value() > 0); // as in the rows
    panel->share()->setValue(100);
    QTest::mouseClick(panel->certifyButton(), Qt::LeftButton);
    QTRY_VERIFY_WITH_TIMEOUT(
        panel->guarantee()->found.front().certification.certificate.has_value(), soon);
    const Certificate certificate = *panel->guarantee()->found.front().certification.certificate;
    QVERIFY(certificate.bound <= 0.2);
    QCOMPARE(certificate.outOfScopeShare, std::optional(0.1));
    QVERIFY(panel->guarantee()->mostOutOfScope.value_or(0) >= 0.1);
    QVERIFY(panel->useButton()->isEnabled());
    QTest::mouseClick(panel->useButton(), Qt::LeftButton);
    QCOMPARE(session()->draft().global, certificate.threshold);
    QVERIFY(panel->guarantee()->found.front().certification.certificate->covers(
        session()->draft(), m_console->classifier()->model().hash()));
    picture(QStringLiteral("thresholds-certified"));
    // Another draft: the certificate does not speak of it.
    m_page->setThreshold(0.3);
    QVERIFY(panel->useButton()->isEnabled());
    QVERIFY(!panel->guarantee()->found.front().certification.certificate->covers(
        session()->draft(), m_console->classifier()->model().hash()));
    panel->assumeShare()->setChecked(false);
}

void TestThresholds::claimsByIntentAreNamed()
{
    GuaranteePanel* panel = m_page->guarantee();
    panel->alpha()->setValue(30);
    for (const int claim : {1, 2}) {
        panel->claim()->setCurrentIndex(claim);
        QTest::mouseClick(panel->certifyButton(), Qt::LeftButton);
        const ClaimKind kind = claim == 1 ? ClaimKind::Group : ClaimKind::Simultaneous;
        QTRY_VERIFY_WITH_TIMEOUT(panel->guarantee() && panel->guarantee()->claim == kind, soon);
        QCOMPARE(
            panel->guarantee()->found.size(), m_console->classifier()->model().labels().size());
    }
    QVERIFY(panel->text()->text().contains(QStringLiteral("at once")));
    // A file of groups that names what the model does not have is refused.
    const QString file = m_folder.filePath(QStringLiteral("groups.json"));
    QVERIFY(writeFileAtomically(file.toStdString(), "{\"money\": [\"nonsense\"]}").ok());
    QSignalSpy trouble(panel, &GuaranteePanel::trouble);
    panel->readGroups(file);
    QCOMPARE(trouble.size(), 1);
    QVERIFY(trouble.first().first().toString().contains(QStringLiteral("nonsense")));
    QVERIFY(writeFileAtomically(
        file.toStdString(), "{\"orders\": [\"cancel_order\", \"change_order\"]}")
                .ok());
    panel->readGroups(file);
    panel->claim()->setCurrentIndex(3);
    panel->certify();
    QTRY_VERIFY_WITH_TIMEOUT(panel->guarantee()->found.size() == 1, soon);
    QCOMPARE(panel->guarantee()->found.front().name, std::string("orders"));
    panel->claim()->setCurrentIndex(0);
}

void TestThresholds::suggestionMustBeatTheGlobal()
{
    GuaranteePanel* panel = m_page->guarantee();
    QTest::mouseClick(panel->suggestButton(), Qt::LeftButton);
    QTRY_VERIFY_WITH_TIMEOUT(
        panel->text()->text().contains(QStringLiteral("cost a query on held-out rows")), soon);
    QVERIFY(panel->useButton()->isEnabled());
    picture(QStringLiteral("thresholds-suggested"));
    QTest::mouseClick(panel->useButton(), Qt::LeftButton);
    if (!session()->draft().perIntent.empty()) { // then these rows can't certify it
        panel->certify();
        QVERIFY(panel->text()->text().contains(QStringLiteral("can't certify")));
    }
    session()->undoStack()->undo();
}

void TestThresholds::confusionOpensItsQueries()
{
    m_page->showTab(ThresholdsWorkspace::Tab::Confusion);
    ConfusionView* view = m_page->confusion();
    QTRY_VERIFY_WITH_TIMEOUT(view->list()->rowCount() > 0, soon);
    const QString count = view->list()->item(0, 2)->text();
    picture(QStringLiteral("thresholds-confusion"));
    view->list()->setCurrentCell(0, 0);
    QTest::keyClick(view->list(), Qt::Key_Return);
    QCOMPARE(QString::number(view->list()->rowCount()), count);
    // By mouse: a cell of the diagonal.
    const std::size_t label = 3;
    const std::uint32_t right = session()->charts().confusion.at(label, label);
    QTest::mouseClick(view->matrix(), Qt::LeftButton, {},
        view->matrix()->cell(int(label), int(label)).center().toPoint());
    QCOMPARE(std::uint32_t(view->list()->rowCount()), right);
    m_page->showTab(ThresholdsWorkspace::Tab::Settings);
}

void TestThresholds::chartsTakeAThreshold()
{
    m_page->charts()->show(ThresholdCharts::Left::HeatMap);
    HeatMapView* map = m_page->charts()->heatMap();
    QTest::mouseClick(map, Qt::LeftButton, {}, map->rect().center());
    QVERIFY(session()->draft().margin > 0.1);
    QVERIFY(std::abs(session()->draft().global - 0.5) < 0.11);
    m_page->charts()->show(ThresholdCharts::Right::PrecisionRecall);
    XyChart* chart = m_page->charts()->right();
    QTest::mouseClick(chart, Qt::LeftButton, {}, QPoint(chart->width() * 3 / 4, 60));
    QVERIFY(session()->draft().global > 0.6);
    picture(QStringLiteral("thresholds-heatmap"));
    m_page->charts()->show(ThresholdCharts::Left::Reliability);
    QVERIFY(session()->reliability().error < 0.2);
    m_page->charts()->show(ThresholdCharts::Right::Risk);
    QTest::mouseClick(chart, Qt::LeftButton, {}, QPoint(chart->width() / 2, 60));
    QVERIFY(std::abs(m_page->outcome().coverage() - 0.5) < 0.15);
}

void TestThresholds::costsHaveAnOptimum()
{
    m_page->charts()->show(ThresholdCharts::Right::Cost);
    picture(QStringLiteral("thresholds-cost"));
    const auto spins = m_page->charts()->findChildren<QDoubleSpinBox*>();
    QCOMPARE(spins.size(), 3);
    const auto cheapest = [&] {
        const auto buttons = m_page->charts()->findChildren<Button*>();
        for (Button* button : buttons) {
            if (button->text() == QStringLiteral("Cheapest")) {
                QTest::mouseClick(button, Qt::LeftButton);
            }
        }
        return session()->draft().global;
    };
    const double even = cheapest();
    spins[0]->setValue(10); // a wrong answer hurts
    spins[2]->setValue(10);
    QVERIFY(cheapest() > even);
    m_page->charts()->show(ThresholdCharts::Right::Risk);
    m_page->charts()->show(ThresholdCharts::Left::Confidence);
}

void TestThresholds::previewComesBeforeUse()
{
    const QString file = m_folder.filePath(QStringLiteral("mine.csv"));
    QVERIFY(writeFileAtomically(file.toStdString(),
        "text,intent\nwhere is my parcel,track_parcel\nwhere is my parcel,cancel_order\n"
        "\"cancel,\nit now\",cancel_order\nwhat is the weather,oos\n")
                .ok());
    const std::size_t before = m_page->rows();
    m_page->previewData({file});
    QTRY_VERIFY_WITH_TIMEOUT(m_page->findChild<DataPreviewDialog*>() != nullptr, soon);
    auto* dialog = m_page->findChild<DataPreviewDialog*>();
    const auto* remarks = dialog->findChild<QPlainTextEdit*>();
    QVERIFY2(remarks->toPlainText().contains(QStringLiteral("line 2 and line 3")),
        qPrintable(remarks->toPlainText()));
    QCOMPARE(m_page->rows(), before); // not before it is asked for
    QTest::mouseClick(dialog->useButton(), Qt::LeftButton);
    QTRY_VERIFY_WITH_TIMEOUT(m_page->rows() == 4, soon);
    QVERIFY(m_page->guarantee()->heldOut()->isVisible()); // nothing says that it was held out
    m_page->guarantee()->certify();
    QTRY_VERIFY_WITH_TIMEOUT(!m_page->guarantee()->text()->text().isEmpty(), soon);
    m_page->loadData();
    QTRY_VERIFY_WITH_TIMEOUT(m_page->rows() == before, soon);
    QVERIFY(!m_page->guarantee()->heldOut()->isVisible());
}

void TestThresholds::brokenFileLeavesWhatIsThere()
{
    const QString file = m_folder.filePath(QStringLiteral("bad.jsonl"));
    QVERIFY(writeFileAtomically(
        file.toStdString(), "{\"text\":\"hello\",\"intent\":\"a\"}\n{\"text\":\n")
                .ok());
    m_page->previewData({file});
    const auto said = [&] {
        const auto banners = m_page->findChildren<InfoBanner*>();
        return std::any_of(banners.begin(), banners.end(), [](const InfoBanner* banner) {
            return banner->isVisible() && banner->text().contains(QStringLiteral("line 2"));
        });
    };
    QTRY_VERIFY_WITH_TIMEOUT(said(), soon);
    QVERIFY(m_page->stateView()->state() == StateView::State::Data);
}

void TestThresholds::draftOutlivesTheConsole()
{
    m_page->setThreshold(0.613);
    const QString file = m_console->configFolder() % QLatin1StringView("/thresholds-draft.json");
    const auto kept = [&] {
        const auto text = readFile(file.toStdString());
        const auto set =
            text ? ThresholdSet::fromJson(*text, "draft") : Result<ThresholdSet>(text.error());
        return set && set->global == 0.613;
    };
    QTRY_VERIFY_WITH_TIMEOUT(kept(), soon);
    TuningSession next(m_console->jobs(), file); // as after a crash
    next.setData(m_console->classifier(), ops::TuningData(session()->data()));
    const auto left = next.leftBehind();
    QVERIFY(left.has_value());
    QCOMPARE(left->global, 0.613);
    next.edit(*left, QStringLiteral("left"));
    QVERIFY(!next.leftBehind().has_value());
    QTest::qWait(0);
}

void TestThresholds::publishesAndSaysWhatFlips()
{
    m_console->startLocalStack();
    QTRY_VERIFY_WITH_TIMEOUT(m_console->hasEnvironment(), 40000);
    QTRY_VERIFY_WITH_TIMEOUT(m_console->source(Source::Redis).isUp(), soon);
    m_window->showWorkspace(QStringLiteral("thresholds"));
    m_page->setThreshold(0.4);
    m_page->publishPanel()->comment()->setText(QStringLiteral("a first try"));
    QTRY_VERIFY_WITH_TIMEOUT(m_page->publishPanel()->publishButton()->isEnabled(), soon);
    publish();
    accept();
    const auto arrived = [&](const QString& set) {
        int count = 0;
        const QTableWidget* workers = m_page->workersTable();
        for (int row = 0; row < workers->rowCount(); ++row) {
            count += workers->item(row, 2)->text() == set ? 1 : 0;
        }
        return count;
    };
    QTRY_COMPARE_WITH_TIMEOUT(arrived(QStringLiteral("✓ set 1")), 2, soon);
    // What would flip against what is now live.
    QTRY_VERIFY_WITH_TIMEOUT(session()->hasLive() && session()->live().global == 0.4, soon);
    m_page->setThreshold(0.8);
    m_page->showTab(ThresholdsWorkspace::Tab::Flips);
    FlipsView* flips = m_page->flips();
    QTRY_VERIFY_WITH_TIMEOUT(flips->list()->rowCount() > 0, soon);
    QVERIFY2(flips->verdict()->text().contains(QStringLiteral("set 1")),
        qPrintable(flips->verdict()->text()));
    QVERIFY(flips->verdict()->text().contains(QStringLiteral("McNemar")));
    const int kind = 1; // accept -> fall back
    QVERIFY(flips->kinds()->item(kind, 0)->text().contains(QStringLiteral("accept")));
    flips->kinds()->setCurrentCell(kind, 0);
    QTRY_COMPARE_WITH_TIMEOUT(
        QString::number(flips->list()->rowCount()), flips->kinds()->item(kind, 1)->text(), soon);
    picture(QStringLiteral("thresholds-flips"));
}

void TestThresholds::staleEditorIsTold()
{
    // Somebody else publishes while this draft, at 0.8, is edited.
    ThresholdSet theirs = session()->draft();
    theirs.global = 0.55;
    theirs.author = "mira";
    theirs.comment = "refunds";
    theirs.createdAt = "2026-03-01T12:00:00Z";
    std::optional<Result<qint64>> done;
    m_console->publishedThresholds()->publish(theirs, QStringLiteral("blue"), 1, this,
        [&](const Result<qint64>& number) { done = number; });
    QTRY_VERIFY_WITH_TIMEOUT(done.has_value(), soon);
    QVERIFY2((*done).ok(), (*done).ok() ? "" : (*done).error().text().c_str());
    InfoBanner* banner = m_page->publishPanel()->banner();
    QTRY_VERIFY_WITH_TIMEOUT(banner->text().contains(QStringLiteral("mira")), soon);
    // Published all the same: refused, with who, what and why.
    publish();
    accept();
    QTRY_VERIFY2_WITH_TIMEOUT(banner->text().contains(QStringLiteral("mira published set 2")),
        qPrintable(banner->text()), soon);
    QVERIFY(banner->text().contains(QStringLiteral("refunds")));
    QTRY_VERIFY_WITH_TIMEOUT(m_page->pools()->active(QStringLiteral("blue"))->number == 2, soon);
    picture(QStringLiteral("thresholds-stale"));
    // Looked at, then published.
    Q_EMIT banner->actionTriggered();
    publish();
    accept();
    QTRY_VERIFY_WITH_TIMEOUT(m_page->pools()->active(QStringLiteral("blue"))->number == 3, soon);
}

void TestThresholds::anyVersionComesBack()
{
    m_page->showTab(ThresholdsWorkspace::Tab::Versions);
    VersionsView* view = m_page->versions();
    QTRY_COMPARE_WITH_TIMEOUT(view->versions()->rowCount(), 3, soon);
    QCOMPARE(view->versions()->item(2, 0)->text(), QStringLiteral("1"));
    QCOMPARE(view->versions()->item(2, 3)->text(), QStringLiteral("a first try"));
    QCOMPARE(view->versions()->item(1, 2)->text(), QStringLiteral("mira"));
    view->versions()->setCurrentCell(2, 0);
    QVERIFY2(view->difference()->text().contains(QStringLiteral("global")),
        qPrintable(view->difference()->text()));
    picture(QStringLiteral("thresholds-versions"));
    QTRY_VERIFY_WITH_TIMEOUT(view->backButton()->isEnabled(), soon);
    QTest::mouseClick(view->backButton(), Qt::LeftButton);
    accept();
    QTRY_VERIFY_WITH_TIMEOUT(m_page->pools()->active(QStringLiteral("blue"))->number == 1, soon);
    QTRY_VERIFY_WITH_TIMEOUT(!m_page->pools()->publications().isEmpty()
            && m_page->pools()->publications().first().to == 1,
        soon);
    QCOMPARE(m_page->pools()->publications().first().by, QStringLiteral("admin"));
}

void TestThresholds::secondPersonApproves()
{
    const QString green = QStringLiteral("green");
    m_page->pool()->setCurrentText(green);
    // An admin may not lift or set the rule: Redis refuses.
    m_page->pools()->requireApproval(true, green);
    InfoBanner* banner = m_page->publishPanel()->banner();
    QTRY_VERIFY_WITH_TIMEOUT(banner->text().contains(QStringLiteral("may not")), soon);
    waitForUser(QStringLiteral("lead"));
    m_page->pools()->requireApproval(true, green);
    QTRY_VERIFY_WITH_TIMEOUT(m_page->pools()->proposal(green).approvalRequired, soon);
    waitForUser(QStringLiteral("admin"));
    m_page->setThreshold(0.45);
    QTRY_VERIFY_WITH_TIMEOUT(
        m_page->publishPanel()->publishButton()->text().startsWith(QStringLiteral("Propose")),
        soon);
    m_page->pools()->publish(session()->draft(), green, 0); // past the button: refused all the same
    QTRY_VERIFY_WITH_TIMEOUT(banner->text().contains(QStringLiteral("approval")), soon);
    QVERIFY(!m_page->pools()->active(green).has_value());
    QTRY_VERIFY_WITH_TIMEOUT(m_page->publishPanel()->publishButton()->isEnabled(), soon);
    publish();
    accept();
    QTRY_VERIFY_WITH_TIMEOUT(m_page->pools()->proposal(green).set.has_value(), soon);
    m_page->pools()->approve(green); // one's own: Redis refuses
    QTRY_VERIFY_WITH_TIMEOUT(banner->text().contains(QStringLiteral("may not")), soon);
    waitForUser(QStringLiteral("lead"));
    QTRY_VERIFY_WITH_TIMEOUT(m_page->publishPanel()->approveButton()->isVisible()
            && m_page->publishPanel()->approveButton()->isEnabled(),
        soon);
    picture(QStringLiteral("thresholds-approval"));
    QTest::mouseClick(m_page->publishPanel()->approveButton(), Qt::LeftButton);
    accept();
    QTRY_COMPARE_WITH_TIMEOUT(
        m_page->pools()->proposal(green).approvedBy, QStringLiteral("lead"), soon);
    waitForUser(QStringLiteral("admin"));
    QTRY_VERIFY_WITH_TIMEOUT(m_page->publishPanel()->publishButton()->isEnabled()
            && m_page->publishPanel()->publishButton()->text().startsWith(
                QStringLiteral("Publish")),
        soon);
    publish();
    accept();
    QTRY_VERIFY_WITH_TIMEOUT(m_page->pools()->active(green).has_value(), soon);
    QCOMPARE(m_page->pools()->active(green)->global, 0.45);
}

void TestThresholds::otherModelIsRefused()
{
    ThresholdSet foreign = session()->draft();
    foreign.model = std::string(64, 'a');
    foreign.global = 0.1;
    QSignalSpy refused(session(), &TuningSession::refused);
    session()->edit(foreign, QStringLiteral("foreign"));
    QCOMPARE(refused.size(), 1);
    QVERIFY(session()->draft().global != 0.1);
    QVERIFY(m_page->pools()
                ->otherModel(QStringLiteral("blue"),
                    QString::fromStdString(m_console->classifier()->model().hash()))
                .isEmpty());
    QVERIFY(!m_page->pools()->otherModel(QStringLiteral("blue"), QStringLiteral("x")).isEmpty());
}

void TestThresholds::recordedTrafficIsReplayed()
{
    QNetworkAccessManager network;
    const QUrl url(
        m_console->environment().balancer.toString() % QLatin1StringView("/v1/classify"));
    int answered = 0;
    const auto send = [&](const QString& text, int session) {
        QNetworkRequest request(url);
        request.setHeader(QNetworkRequest::ContentTypeHeader, QStringLiteral("application/json"));
        request.setRawHeader("X-Session-Id", "traffic-" + QByteArray::number(session));
        request.setTransferTimeout(5000);
        QNetworkReply* reply =
            network.post(request, QByteArray(R"({"text":")" + text.toUtf8() + R"("})"));
        connect(reply, &QNetworkReply::finished, this, [&answered, reply] {
            ++answered;
            reply->deleteLater();
        });
    };
    const QStringList texts{QStringLiteral("where is my parcel"),
        QStringLiteral("please cancel the order"), QStringLiteral("what a lovely day"),
        QStringLiteral("change address of my delivery")};
    constexpr int queries = 200; // a share of the sessions is logged
    for (int index = 0; index < queries; ++index) {
        send(texts[index % texts.size()], index);
    }
    QTRY_COMPARE_WITH_TIMEOUT(answered, queries, 30000);
    m_page->loadTraffic();
    QTRY_VERIFY_WITH_TIMEOUT(session()->trafficFigures() != nullptr, soon);
    QVERIFY(!session()->traffic()->rows.empty());
    m_page->setThreshold(1);
    QVERIFY(session()->trafficFigures()->replay.flipped() > 0);
    m_page->showTab(ThresholdsWorkspace::Tab::Flips);
    QTRY_VERIFY_WITH_TIMEOUT(!session()->charts().trafficFlips.empty(), soon);
    picture(QStringLiteral("thresholds-traffic"));
    const auto strict = session()->trafficFigures()->outcome.accepted;
    m_page->setThreshold(0.05);
    QVERIFY(session()->trafficFigures()->outcome.accepted >= strict);
    QVERIFY(session()->trafficOutOfScope().has_value()
        || session()->figures().outcome.coverage() > 0.9);
}

QTEST_MAIN(TestThresholds)
#include "tst_thresholds.moc"

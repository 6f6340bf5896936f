#include "tests/ui/thresholds/thresholdsfixture.h"

#include "engine/base/file.h"
#include "ui/charts/xychart.h"
#include "ui/shell/button.h"
#include "ui/shell/infobanner.h"
#include "ui/thresholds/confidencehistogram.h"
#include "ui/thresholds/confusionview.h"
#include "ui/thresholds/datapreview.h"
#include "ui/thresholds/guaranteepanel.h"
#include "ui/thresholds/heatmapview.h"
#include "ui/thresholds/settingsmodel.h"
#include "ui/thresholds/settingstable.h"
#include "ui/thresholds/thresholdcharts.h"

#include <QAccessible>
#include <QCheckBox>
#include <QComboBox>
#include <QDoubleSpinBox>
#include <QLabel>
#include <QPlainTextEdit>
#include <QSlider>
#include <QTableWidget>

using namespace sluice;
using namespace sluice::ui;

/// The admin's page, by keys and mouse, alone on the bundled data. With SLUICE_PICTURES it draws
/// every view.
class TestThresholds : public test::ThresholdsPageTest
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { openPage(); }
    void cleanupTestCase() { closePage(); }
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

private:
    int row(const QString& name) const;
    double value(const QString& name) const;
};

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

QTEST_MAIN(TestThresholds)
#include "tst_thresholds.moc"

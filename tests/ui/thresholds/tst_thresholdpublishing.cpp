#include "tests/ui/thresholds/thresholdsfixture.h"

#include "ui/shell/button.h"
#include "ui/shell/confirmdialog.h"
#include "ui/shell/infobanner.h"
#include "ui/thresholds/flipsview.h"
#include "ui/thresholds/pools.h"
#include "ui/thresholds/publishpanel.h"
#include "ui/thresholds/thresholdcharts.h"
#include "ui/thresholds/versionsview.h"

#include <QComboBox>
#include <QLineEdit>
#include <QNetworkAccessManager>
#include <QNetworkReply>
#include <QTableWidget>

using namespace sluice;
using namespace sluice::ui;

/// The admin publishes, by keys and mouse, against the real stack. With SLUICE_PICTURES it draws
/// every view.
class TestThresholdPublishing : public test::ThresholdsPageTest
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { openPage(); }
    void cleanupTestCase()
    {
        closePage();
        QVERIFY(test::endLocalStack());
    }
    void publishesAndSaysWhatFlips();
    void staleEditorIsTold();
    void anyVersionComesBack();
    void secondPersonApproves();
    void otherModelIsRefused();
    void recordedTrafficIsReplayed();

private:
    void publish();
    void accept();
    void waitForUser(const QString& user);
};

/// Presses the button when it may be pressed: not while a publish before it is under way.
void TestThresholdPublishing::publish()
{
    QTRY_VERIFY_WITH_TIMEOUT(m_page->publishPanel()->publishButton()->isEnabled(), soon);
    QTest::mouseClick(m_page->publishPanel()->publishButton(), Qt::LeftButton);
}

void TestThresholdPublishing::accept()
{
    QTRY_VERIFY_WITH_TIMEOUT(m_page->findChild<ConfirmDialog*>() != nullptr, soon);
    auto* dialog = m_page->findChild<ConfirmDialog*>();
    QTest::mouseClick(dialog->verbButton(), Qt::LeftButton);
    QTRY_VERIFY_WITH_TIMEOUT(m_page->findChild<ConfirmDialog*>() == nullptr, soon);
}

void TestThresholdPublishing::waitForUser(const QString& user)
{
    m_console->setUser(user);
    QTRY_VERIFY_WITH_TIMEOUT(
        m_console->source(Source::Redis).isUp() && m_console->user() == user, soon);
}

void TestThresholdPublishing::publishesAndSaysWhatFlips()
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

void TestThresholdPublishing::staleEditorIsTold()
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

void TestThresholdPublishing::anyVersionComesBack()
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

void TestThresholdPublishing::secondPersonApproves()
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

void TestThresholdPublishing::otherModelIsRefused()
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

void TestThresholdPublishing::recordedTrafficIsReplayed()
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

QTEST_MAIN(TestThresholdPublishing)
#include "tst_thresholdpublishing.moc"

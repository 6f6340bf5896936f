#include "engine/operations/monitoring/alerts.h"
#include "tests/support/ownconsole.h"
#include "tests/support/pictures.h"
#include "tests/support/requestserver.h"
#include "tests/support/testcase.h"
#include "ui/charts/chartgroup.h"
#include "ui/monitor/alertspage.h"
#include "ui/shell/button.h"

#include <QComboBox>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <QLineEdit>
#include <QTableWidget>
#include <QTemporaryDir>

using namespace sluice;
using namespace sluice::ui;

namespace {

/// Prometheus' list of Alertmanagers and that one's silences, as far as the page asks for them
/// (`tst_stackextras` has the real ones, where they are installed).
class Silencer : public test::RequestServer
{
public:
    QJsonArray silences;
    bool refuses = false; ///< to silence

protected:
    void handle(QTcpSocket* socket, const test::HttpRequest& request) override
    {
        QByteArray status = "200 OK";
        reply(socket, answer(request.line, request.body, status), status);
        socket->disconnectFromHost();
    }

private:
    QByteArray answer(const QByteArray& asked, const QByteArray& body, QByteArray& status)
    {
        if (asked.startsWith("GET /api/v1/alertmanagers")) {
            const QString one = url().toString() % QStringLiteral("/api/v2/alerts");
            return R"({"status":"success","data":{"activeAlertmanagers":[{"url":")" + one.toUtf8()
                + R"("}],"droppedAlertmanagers":[]}})";
        }
        if (asked == "GET /api/v2/silences") {
            return QJsonDocument(silences).toJson();
        }
        if (asked == "POST /api/v2/silences" && !refuses) {
            QJsonObject silence = QJsonDocument::fromJson(body).object();
            silence[QStringLiteral("id")] = QStringLiteral("s-1");
            silence[QStringLiteral("status")] =
                QJsonObject{{QStringLiteral("state"), QStringLiteral("active")}};
            silences.append(silence);
            return R"({"silenceID":"s-1"})";
        }
        if (asked == "DELETE /api/v2/silence/s-1") {
            silences = {};
            return {};
        }
        status = refuses && asked.startsWith("POST") ? "400 No" : "404 No";
        return R"("no")";
    }
};

ops::AlertRule firingRule()
{
    ops::AlertRule rule;
    rule.name = QStringLiteral("SluiceWorkerDown");
    rule.group = QStringLiteral("sluice");
    rule.severity = QStringLiteral("page");
    rule.expression = QStringLiteral("up{job=\"sluice\"} == 0");
    ops::ActiveAlert alert;
    alert.labels = {{QStringLiteral("alertname"), rule.name},
        {QStringLiteral("instance"), QStringLiteral("127.0.0.1:38101")}};
    alert.summary = QStringLiteral("A worker does not answer");
    alert.firing = true;
    alert.since = QDateTime::currentDateTimeUtc().addSecs(-120);
    rule.alerts = {alert};
    return rule;
}

} // namespace

/// The alert in hand is silenced and heard again by the buttons, as a person presses them.
class TestAlertsPage : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void init();
    void cleanup();
    void silencedAndHeardAgain();
    void aRefusalIsSaid();
    void readOnlyLeavesItAlone();

private:
    Button* silence() const
    {
        for (Button* button : m_page->findChildren<Button*>()) {
            if (button->text().contains(QStringLiteral("ilence"))) {
                return button;
            }
        }
        return nullptr;
    }
    QString stateShown() const { return m_page->rules()->item(0, 0)->text(); }
    QString outcomes() const
    {
        const auto entries = m_console->history()->entries({{}, QStringLiteral("silence"), 10});
        QStringList all;
        for (const ops::HistoryEntry& entry : entries ? *entries : QList<ops::HistoryEntry>()) {
            all << entry.outcome;
        }
        return all.join(u',');
    }
    void connectTo(bool readOnly)
    {
        ops::Environment environment;
        environment.name = QStringLiteral("here");
        environment.prometheus = m_servers->url();
        environment.readOnly = readOnly;
        m_console->connectTo(environment);
        m_page->reset();
        m_page->showRules(QList<ops::AlertRule>{firingRule()});
        m_page->tick({0, 60, 1, 4, 0}); // asks for the Alertmanager
        QTRY_VERIFY(silence() != nullptr && silence()->isVisible());
    }

    QTemporaryDir m_folder;
    std::unique_ptr<Silencer> m_servers;
    std::unique_ptr<Console> m_console;
    std::unique_ptr<ChartGroup> m_group;
    std::unique_ptr<AlertsPage> m_page;
};

void TestAlertsPage::initTestCase()
{
    test::useOwnFolders(m_folder);
    theme().install(*qApp);
    theme().setMode(Theme::Mode::Light);
}

void TestAlertsPage::init()
{
    m_servers = std::make_unique<Silencer>();
    m_console = std::make_unique<Console>();
    QVERIFY(m_console->history()->open(m_folder.filePath(QStringLiteral("history.sqlite"))).ok());
    m_group = std::make_unique<ChartGroup>();
    m_page = std::make_unique<AlertsPage>(m_console.get(), m_group.get());
    m_page->resize(1200, 700);
    m_page->show();
}

void TestAlertsPage::cleanup()
{
    m_page.reset();
    m_group.reset();
    m_console.reset();
    m_servers.reset();
}

void TestAlertsPage::silencedAndHeardAgain()
{
    connectTo(false);
    QCOMPARE(silence()->text(), QStringLiteral("Silence"));
    QTest::keyClicks(m_page->findChild<QLineEdit*>(), QStringLiteral("being replaced"));
    auto* hours = m_page->findChild<QComboBox*>();
    hours->setCurrentIndex(hours->findText(QStringLiteral("4 hours")));
    QTest::mouseClick(silence(), Qt::LeftButton);
    QTRY_COMPARE(silence()->text(), QStringLiteral("End the silence"));
    QCOMPARE(m_servers->silences.size(), 1);
    const QJsonObject made = m_servers->silences[0].toObject();
    QCOMPARE(made[QStringLiteral("comment")].toString(), QStringLiteral("being replaced"));
    QCOMPARE(made[QStringLiteral("matchers")].toArray().size(), 2);
    QVERIFY(m_page->findChild<QLineEdit*>()->text().isEmpty());
    QVERIFY(!hours->isVisible());
    m_page->showRules(QList<ops::AlertRule>{firingRule()});
    QVERIFY2(stateShown().contains(QStringLiteral("silent")), qPrintable(stateShown()));
    QVERIFY(test::drawPictures(*m_page, QStringLiteral("monitor-alert-silenced")));
    QTest::mouseClick(silence(), Qt::LeftButton);
    QTRY_COMPARE(silence()->text(), QStringLiteral("Silence"));
    QVERIFY(m_servers->silences.isEmpty());
    QCOMPARE(outcomes(), QString(QStringLiteral("ended,for ") % format::duration(14400)));
    QVERIFY(test::drawPictures(*m_page, QStringLiteral("monitor-alert-fires")));
}

void TestAlertsPage::aRefusalIsSaid()
{
    m_servers->refuses = true;
    connectTo(false);
    QStringList said;
    QObject listener;
    connect(m_console.get(), &Console::notified, &listener,
        [&](const Notification& one) { said << one.text; });
    QTest::mouseClick(silence(), Qt::LeftButton);
    QTRY_VERIFY(outcomes().startsWith(QStringLiteral("refused")));
    QVERIFY2(said.join(u'\n').contains(QStringLiteral("refuses: HTTP 400")),
        qPrintable(said.join(u'\n')));
    QCOMPARE(silence()->text(), QStringLiteral("Silence"));
}

void TestAlertsPage::readOnlyLeavesItAlone()
{
    connectTo(true);
    QVERIFY(!silence()->isEnabled());
    QTest::mouseClick(silence(), Qt::LeftButton);
    QVERIFY(m_servers->silences.isEmpty());
}

QTEST_MAIN(TestAlertsPage)
#include "tst_alertspage.moc"

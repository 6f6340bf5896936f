#include "tests/support/ownconsole.h"
#include "tests/support/redisserver.h"
#include "tests/support/testcase.h"
#include "ui/shell/button.h"
#include "ui/shell/confirmdialog.h"
#include "ui/shell/connectdialog.h"
#include "ui/shell/console.h"
#include "ui/shell/mainwindow.h"
#include "ui/shell/text.h"

#include <QApplication>
#include <QCheckBox>
#include <QLabel>
#include <QLineEdit>
#include <QListWidget>
#include <QTcpServer>
#include <QTemporaryDir>

using namespace sluice;
using namespace sluice::ui;

/// Several environments set up, changed and forgotten in the dialog; its test of a connection
/// against a real Redis, and against nothing.
class TestEnvironments : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void severalAreKept();
    void theTestSaysWhatFails();
    void secretsAreNotInTheFile();
    void productionHasAFrame();

private:
    static QLineEdit* edit(const ConnectDialog& dialog, const char* name)
    {
        for (QLineEdit* one : dialog.findChildren<QLineEdit*>()) {
            if (one->accessibleName() == QString::fromUtf8(name)) {
                return one;
            }
        }
        return nullptr;
    }
    static Button* button(const QWidget& dialog, const char* text)
    {
        for (Button* one : dialog.findChildren<Button*>()) {
            if (one->text() == QString::fromUtf8(text)) {
                return one;
            }
        }
        return nullptr;
    }
    static QCheckBox* check(const ConnectDialog& dialog, const char* begin)
    {
        for (QCheckBox* one : dialog.findChildren<QCheckBox*>()) {
            if (one->text().startsWith(QString::fromUtf8(begin))) {
                return one;
            }
        }
        return nullptr;
    }
    static QString states(const ConnectDialog& dialog)
    {
        QStringList all;
        for (const StatusLabel* label : dialog.findChildren<StatusLabel*>()) {
            all << label->text();
        }
        return all.join(u'\n');
    }
    QTemporaryDir m_folder;
    test::RedisServer m_redis;
};

void TestEnvironments::initTestCase()
{
    sluice::test::useOwnFolders(m_folder);
    qputenv("SLUICE_SECRET_STAGING_REDIS_VIEWER", "open sesame");
    theme().install(*qApp);
    QVERIFY2(m_redis.start({},
                 "user default off\nuser viewer on >sesame ~* +@all\n"
                 "user admin on >secret ~* +@all\n"),
        qPrintable(m_redis.lastError()));
}

void TestEnvironments::severalAreKept()
{
    Console console;
    for (const char* name : {"staging", "production"}) {
        ConnectDialog dialog(&console);
        QTest::mouseClick(button(dialog, "New"), Qt::LeftButton);
        edit(dialog, "Name")->setText(QString::fromUtf8(name));
        edit(dialog, "Redis")->setText(QStringLiteral("127.0.0.1:%1").arg(m_redis.port()));
        edit(dialog, "Redis user")->setText(QStringLiteral("viewer"));
        QSignalSpy chosen(&dialog, &ConnectDialog::chosen);
        QTest::mouseClick(button(dialog, "Save and connect"), Qt::LeftButton);
        QCOMPARE(chosen.size(), 1);
    }
    ConnectDialog dialog(&console);
    QCOMPARE(dialog.list()->count(), 2);
    dialog.list()->setCurrentRow(0);
    const QString first = dialog.list()->currentItem()->text();
    QCOMPARE(edit(dialog, "Name")->text(), first);
    QCOMPARE(edit(dialog, "Redis")->text(), QStringLiteral("127.0.0.1:%1").arg(m_redis.port()));
    QVERIFY(!check(dialog, "Load target")->isChecked());
    check(dialog, "Load target")->setChecked(true);
    // Changed, and saved under its name.
    edit(dialog, "Balancer")->setText(QStringLiteral("http://127.0.0.1:8"));
    QTest::mouseClick(button(dialog, "Save and connect"), Qt::LeftButton);
    const auto saved = console.store().load();
    QVERIFY(saved.ok());
    QCOMPARE(saved->size(), 2);
    QCOMPARE((*saved)[0].balancer, QUrl(QStringLiteral("http://127.0.0.1:8")));
    QVERIFY((*saved)[0].loadTarget);
    QVERIFY(!(*saved)[1].loadTarget);
    // And forgotten, after a question.
    ConnectDialog again(&console);
    again.list()->setCurrentRow(0);
    QVERIFY(check(again, "Load target")->isChecked());
    again.list()->setCurrentRow(1);
    QVERIFY(!check(again, "Load target")->isChecked());
    QTest::mouseClick(button(again, "Delete…"), Qt::LeftButton);
    auto* question = again.findChild<ConfirmDialog*>();
    QVERIFY(question != nullptr);
    QTest::mouseClick(question->verbButton(), Qt::LeftButton);
    QTRY_COMPARE(again.list()->count(), 1);
    QCOMPARE(console.store().load()->size(), 1);
}

void TestEnvironments::theTestSaysWhatFails()
{
    Console console;
    QTcpServer silent; // takes connections, never answers
    QVERIFY(silent.listen(QHostAddress::LocalHost));
    ConnectDialog dialog(&console);
    edit(dialog, "Name")->setText(QStringLiteral("other"));
    edit(dialog, "Prometheus")
        ->setText(QStringLiteral("http://127.0.0.1:%1").arg(test::freePort()));
    edit(dialog, "Balancer")->setText(QStringLiteral("here"));
    edit(dialog, "HAProxy socket")->setText(QStringLiteral("/no/such.sock"));
    edit(dialog, "Redis")->setText(QStringLiteral("127.0.0.1:%1").arg(m_redis.port()));
    edit(dialog, "Redis user")->setText(QStringLiteral("admin"));
    edit(dialog, "Redis password")->setText(QStringLiteral("wrong"));
    dialog.test();
    QTRY_VERIFY_WITH_TIMEOUT(states(dialog).contains(QStringLiteral("WRONGPASS")), 10000);
    QTRY_VERIFY2_WITH_TIMEOUT(
        states(dialog).contains(QStringLiteral("refused")), qPrintable(states(dialog)), 10000);
    QVERIFY(states(dialog).contains(QStringLiteral("http://host:port is expected")));
    QTRY_VERIFY_WITH_TIMEOUT(states(dialog).contains(QStringLiteral("/no/such.sock")), 10000);
    edit(dialog, "Redis password")->setText(QStringLiteral("secret"));
    dialog.test();
    QTRY_VERIFY_WITH_TIMEOUT(states(dialog).contains(QStringLiteral("lets this user in")), 10000);
    // Of one that was saved, the password is taken from where secrets are kept.
    edit(dialog, "Name")->setText(QStringLiteral("staging"));
    edit(dialog, "Redis user")->setText(QStringLiteral("viewer"));
    edit(dialog, "Redis password")->clear();
    dialog.test();
    QTRY_VERIFY_WITH_TIMEOUT(states(dialog).contains(QStringLiteral("WRONGPASS")), 10000);
    qputenv("SLUICE_SECRET_STAGING_REDIS_VIEWER", "sesame");
    dialog.test();
    QTRY_VERIFY_WITH_TIMEOUT(states(dialog).contains(QStringLiteral("lets this user in")), 10000);
}

void TestEnvironments::secretsAreNotInTheFile()
{
    Console console;
    ConnectDialog dialog(&console);
    QTest::mouseClick(button(dialog, "New"), Qt::LeftButton);
    edit(dialog, "Name")->setText(QStringLiteral("secretive"));
    edit(dialog, "Redis")->setText(QStringLiteral("127.0.0.1:1"));
    edit(dialog, "Redis user")->setText(QStringLiteral("admin"));
    edit(dialog, "Redis password")->setText(QStringLiteral("p4ssw0rd"));
    edit(dialog, "Token for the workers")->setText(QStringLiteral("t0ken"));
    QTest::mouseClick(button(dialog, "Save and connect"), Qt::LeftButton);
    QFile file(console.configFolder() + QStringLiteral("/environments.json"));
    QVERIFY(file.open(QIODevice::ReadOnly));
    const QByteArray text = file.readAll();
    QVERIFY(text.contains("secretive"));
    QVERIFY(!text.contains("p4ssw0rd"));
    QVERIFY(!text.contains("t0ken"));
}

void TestEnvironments::productionHasAFrame()
{
    Console console;
    MainWindow window(&console);
    QCOMPARE(window.contentsMargins().left(), 0);
    ops::Environment production;
    production.name = QStringLiteral("live");
    production.production = true;
    console.connectTo(production);
    QVERIFY(window.contentsMargins().left() > 0);
    console.disconnectFromAll();
    QCOMPARE(window.contentsMargins().left(), 0);
}

QTEST_MAIN(TestEnvironments)
#include "tst_environments.moc"

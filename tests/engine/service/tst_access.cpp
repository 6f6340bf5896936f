#include "engine/base/sha256.h"
#include "engine/service/access.h"
#include "tests/support/testcase.h"

using namespace sluice;
using namespace sluice::service;

class TestAccess : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void whoMayWhat_data();
    void whoMayWhat();
    void refusalsSayHow();
    void ratesAreByClient();
    void behindABalancer();
    void bucketsFillAgain();
    void clientsAreBounded();

private:
    ClientRates::Clock::time_point m_now{std::chrono::hours(1)};
};

namespace {

AuthSettings authWith(bool open)
{
    AuthSettings auth;
    auth.classifyOpen = open;
    for (const char* role : {"client", "viewer", "tester", "admin", "lead"}) {
        auth.tokens.push_back({role, sha256Hex(std::string("secret of ") + role), role});
    }
    return auth;
}

int statusOf(const std::optional<Response>& refused)
{
    return refused ? refused->status : 200;
}

} // namespace

void TestAccess::whoMayWhat_data()
{
    QTest::addColumn<bool>("open");
    QTest::addColumn<int>("access");
    QTest::addColumn<QByteArray>("header"); // of Authorization
    QTest::addColumn<int>("status");
    const auto row = [](bool open, Access access, const QByteArray& header, int status) {
        QTest::addRow("%s, %d, \"%s\"", open ? "open" : "closed", int(access), header.constData())
            << open << int(access) << header << status;
    };
    for (const bool open : {false, true}) {
        row(open, Access::Open, {}, 200);
        row(open, Access::Open, "Bearer wrong", 200);
        row(open, Access::Query, {}, open ? 200 : 401);
        row(open, Access::Query, "Bearer wrong", 401);
        row(open, Access::Query, "Basic c2VjcmV0", 401);
        row(open, Access::Query, "Bearer secret of client", 200);
        row(open, Access::Query, "bearer  secret of tester", 200);
        row(open, Access::Query, "Bearer secret of viewer", open ? 200 : 403);
        row(open, Access::Admin, {}, 401);
        row(open, Access::Admin, "Bearer", 401);
        row(open, Access::Admin, "Bearer secret of client", 403);
        row(open, Access::Admin, "Bearer secret of viewer", 403);
        row(open, Access::Admin, "Bearer secret of tester", 403);
        row(open, Access::Admin, "Bearer secret of admin", 200);
        row(open, Access::Admin, "Bearer secret of lead", 200);
    }
}

void TestAccess::whoMayWhat()
{
    QFETCH(bool, open);
    QFETCH(int, access);
    QFETCH(QByteArray, header);
    QFETCH(int, status);
    Request request;
    if (!header.isNull()) {
        request.headers.emplace_back("authorization", std::string_view(header.constData()));
    }
    AccessControl control(authWith(open), {});
    QCOMPARE(statusOf(control.check(request, Access(access), m_now)), status);
}

void TestAccess::refusalsSayHow()
{
    AccessControl nobody({}, {}); // none configured: admin routes stay closed
    Request request;
    const auto none = nobody.check(request, Access::Admin, m_now);
    QCOMPARE(statusOf(none), 401);
    QVERIFY(none->headers.front().first == "WWW-Authenticate");
    QCOMPARE(none->headers.front().second, std::string(R"(Bearer realm="sluice")"));
    request.headers.emplace_back("Authorization", "Bearer x");
    const auto wrong = nobody.check(request, Access::Admin, m_now);
    QVERIFY(wrong->headers.front().second.find("invalid_token") != std::string::npos);
    AccessControl control(authWith(true), {});
    request.headers.front().second = "Bearer secret of viewer";
    const auto weak = control.check(request, Access::Admin, m_now);
    QVERIFY(weak->headers.front().second.find("insufficient_scope") != std::string::npos);
    QCOMPARE(request.client, std::string("viewer"));
}

void TestAccess::ratesAreByClient()
{
    LimitSettings limits;
    limits.ratePerClient = 2;
    AccessControl control(authWith(true), limits);
    Request first;
    Request second;
    second.peer[15] = 1;
    Request token;
    token.headers.emplace_back("Authorization", "Bearer secret of client");
    for (Request* request : {&first, &second, &token}) {
        QCOMPARE(statusOf(control.check(*request, Access::Query, m_now)), 200);
        QCOMPARE(statusOf(control.check(*request, Access::Query, m_now)), 200);
        const auto refused = control.check(*request, Access::Query, m_now);
        QCOMPARE(statusOf(refused), 429);
        QVERIFY(refused->headers.front().first == "Retry-After");
        QCOMPARE(refused->headers.front().second, std::string("1"));
        QCOMPARE(statusOf(control.check(*request, Access::Open, m_now)), 200);
    }
    m_now += std::chrono::milliseconds(500);
    QCOMPARE(statusOf(control.check(first, Access::Query, m_now)), 200);
    QCOMPARE(statusOf(control.check(first, Access::Query, m_now)), 429);
}

void TestAccess::behindABalancer()
{
    LimitSettings limits;
    limits.ratePerClient = 1;
    limits.forwardedFor = true;
    AccessControl control({}, limits);
    const auto ask = [&](std::string_view forwarded) {
        Request request;
        request.headers.emplace_back("X-Forwarded-For", forwarded);
        return statusOf(control.check(request, Access::Query, m_now));
    };
    QCOMPARE(ask("10.0.0.1"), 200);
    QCOMPARE(ask("10.0.0.2"), 200);
    QCOMPARE(ask("6.6.6.6, 10.0.0.1"), 200); // another spelling: " 10.0.0.1"
    QCOMPARE(ask("7.7.7.7, 10.0.0.1"), 429); // what the client itself wrote is no way round
}

void TestAccess::bucketsFillAgain()
{
    ClientRates rates(10, 3);
    for (int index = 0; index < 3; ++index) {
        QCOMPARE(rates.take("a", m_now), 0);
    }
    QCOMPARE(rates.take("a", m_now), 1);
    QCOMPARE(rates.take("a", m_now + std::chrono::milliseconds(110)), 0);
    QCOMPARE(rates.take("a", m_now + std::chrono::milliseconds(110)), 1);
    m_now += std::chrono::hours(1); // no more than the burst
    for (int index = 0; index < 3; ++index) {
        QCOMPARE(rates.take("a", m_now), 0);
    }
    QCOMPARE(rates.take("a", m_now), 1);
    ClientRates slow(0.1, 0);
    QCOMPARE(slow.take("a", m_now), 0);
    QCOMPARE(slow.take("a", m_now), 10);
    ClientRates none(0, 0);
    QCOMPARE(none.take("a", m_now), 0);
    QCOMPARE(none.clients(), std::size_t(0));
}

void TestAccess::clientsAreBounded()
{
    ClientRates rates(1, 1);
    QCOMPARE(rates.take("first", m_now), 0);
    for (std::size_t index = 1; index < ClientRates::mostClients; ++index) {
        rates.take(std::to_string(index), m_now);
    }
    QCOMPARE(rates.take("first", m_now), 1); // known, and now the newest
    rates.take("one more", m_now);
    QCOMPARE(rates.clients(), ClientRates::mostClients);
    QCOMPARE(rates.take("first", m_now), 1);
    QCOMPARE(rates.take("1", m_now), 0); // was longest silent: forgotten
}

QTEST_GUILESS_MAIN(TestAccess)
#include "tst_access.moc"

#include "engine/base/sha256.h"
#include "engine/service/routes.h"
#include "tests/support/testcase.h"
#include "tests/support/worker.h"

#include <QFile>
#include <QJsonArray>
#include <QSet>

using namespace sluice;
using test::HttpAnswer;
using test::HttpClient;
using test::Worker;

/// docs/openapi.json against the route table and a worker: every route, every status that is seen,
/// every member of requests and answers.
class TestOpenApi : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void routesAreThoseOfTheTable();
    void isServedAsItStands();
    void everyReferenceLeadsSomewhere();
    void answersAreAsDescribed_data();
    void answersAreAsDescribed();
    void requestMembersAreThoseTaken_data();
    void requestMembersAreThoseTaken();

private:
    QJsonObject resolved(QJsonObject schema) const;
    QString wrong(const QJsonValue& value, const QJsonObject& schema, const QString& where) const;
    QJsonObject operation(const QString& path) const;

    std::unique_ptr<Worker> m_worker;
    QByteArray m_text;
    QJsonObject m_document;
};

namespace {

constexpr const char* adminToken = "an-admin-token";

QJsonObject member(const QJsonObject& object, const char* name)
{
    return object[QLatin1StringView(name)].toObject();
}

QByteArray withToken(const char* token)
{
    return QByteArray("Authorization: Bearer ") + token + "\r\n";
}

} // namespace

void TestOpenApi::initTestCase()
{
    QFile file(QStringLiteral(SLUICE_SOURCE_DIR "/docs/openapi.json"));
    QVERIFY(file.open(QIODevice::ReadOnly));
    m_text = file.readAll();
    m_document = QJsonDocument::fromJson(m_text).object();
    QCOMPARE(m_document[QStringLiteral("openapi")].toString(), QStringLiteral("3.1.0"));
    QCOMPARE(member(m_document, "info")[QStringLiteral("version")].toString(),
        QStringLiteral(SLUICE_VERSION));
    service::Configuration configuration;
    configuration.auth.tokens = {{"boss", sha256Hex(adminToken), "admin"},
        {"reader", sha256Hex("a-viewer-token"), "viewer"}};
    m_worker = std::make_unique<Worker>(configuration);
    QVERIFY2(!m_worker->error, m_worker->error ? m_worker->error->message.c_str() : "");
}

void TestOpenApi::routesAreThoseOfTheTable()
{
    QStringList table;
    for (const auto& [path, method] : service::Routes::table()) {
        table.append(QString::fromStdString(std::string(method) + " " + std::string(path)));
    }
    QStringList documented;
    const QJsonObject paths = member(m_document, "paths");
    for (auto path = paths.begin(); path != paths.end(); ++path) {
        for (const QString& method : path.value().toObject().keys()) {
            documented.append(method.toUpper() % u' ' % path.key());
        }
    }
    table.sort();
    documented.sort();
    QCOMPARE(documented.join(u'\n'), table.join(u'\n'));
}

void TestOpenApi::isServedAsItStands()
{
    HttpClient client(m_worker->port());
    const HttpAnswer answer = client.ask("GET", "/openapi.json");
    QCOMPARE(answer.status, 200);
    QCOMPARE(answer.body, m_text);
}

void TestOpenApi::everyReferenceLeadsSomewhere()
{
    int references = 0;
    const auto walk = [&](const QJsonValue& value, const auto& again) -> void {
        for (const QJsonValue& item : value.toArray()) {
            again(item, again);
        }
        const QJsonObject object = value.toObject();
        for (auto one = object.begin(); one != object.end(); ++one) {
            again(one.value(), again);
        }
        if (object.contains(QStringLiteral("$ref"))) {
            ++references;
            QVERIFY2(
                !resolved(object).isEmpty(), qPrintable(object[QStringLiteral("$ref")].toString()));
        }
    };
    walk(m_document, walk);
    QVERIFY(references > 50);
}

QJsonObject TestOpenApi::resolved(QJsonObject schema) const
{
    while (schema.contains(QStringLiteral("$ref"))) {
        QJsonObject at = m_document;
        const QStringList steps = schema[QStringLiteral("$ref")].toString().split(u'/');
        for (const QString& step : steps.mid(1)) {
            at = at[step].toObject();
        }
        schema = at;
    }
    return schema;
}

QJsonObject TestOpenApi::operation(const QString& path) const
{
    const QJsonObject methods = member(m_document, "paths")[path].toObject();
    return methods.isEmpty() ? QJsonObject() : methods.begin()->toObject();
}

/// What is wrong with a value by a schema: of JSON Schema what this document uses.
QString TestOpenApi::wrong(
    const QJsonValue& value, const QJsonObject& given, const QString& where) const
{
    const QJsonObject schema = resolved(given);
    if (schema.contains(QStringLiteral("oneOf"))) {
        int fits = 0;
        for (const QJsonValue& one : schema[QStringLiteral("oneOf")].toArray()) {
            fits += wrong(value, one.toObject(), where).isEmpty();
        }
        return fits == 1 ? QString() : where % QStringLiteral(": fits ") % QString::number(fits);
    }
    const QJsonValue type = schema[QStringLiteral("type")];
    QJsonArray types = type.toArray();
    if (type.isString()) {
        types.append(type);
    }
    const QString is = value.isObject() ? QStringLiteral("object")
        : value.isArray()               ? QStringLiteral("array")
        : value.isString()              ? QStringLiteral("string")
        : value.isBool()                ? QStringLiteral("boolean")
        : value.isNull()                ? QStringLiteral("null")
                                        : QStringLiteral("number");
    const bool whole = value.isDouble() && value.toDouble() == std::floor(value.toDouble());
    if (!types.contains(is) && !(whole && types.contains(QStringLiteral("integer")))) {
        return where % QStringLiteral(": is ") % is;
    }
    const QJsonArray choices = schema[QStringLiteral("enum")].toArray();
    if (!choices.isEmpty() && !choices.contains(value)) {
        return where % QStringLiteral(": is none of the choices");
    }
    if (value.isArray()) {
        for (const QJsonValue& item : value.toArray()) {
            const QString problem =
                wrong(item, member(schema, "items"), where % QStringLiteral("[]"));
            if (!problem.isEmpty()) {
                return problem;
            }
        }
    }
    const QJsonObject object = value.toObject();
    const QJsonObject properties = member(schema, "properties");
    for (const QJsonValue& name : schema[QStringLiteral("required")].toArray()) {
        if (!object.contains(name.toString())) {
            return where % u'.' % name.toString() % QStringLiteral(": is missing");
        }
    }
    for (auto one = object.begin(); one != object.end(); ++one) {
        const QString path = where % u'.' % one.key();
        if (!properties.contains(one.key())) {
            if (schema[QStringLiteral("additionalProperties")] == false) {
                return path % QStringLiteral(": is not documented");
            }
            continue;
        }
        const QString problem = wrong(one.value(), properties[one.key()].toObject(), path);
        if (!problem.isEmpty()) {
            return problem;
        }
    }
    return {};
}

void TestOpenApi::answersAreAsDescribed_data()
{
    QTest::addColumn<QByteArray>("method");
    QTest::addColumn<QString>("path");
    QTest::addColumn<QByteArray>("body");
    QTest::addColumn<QByteArray>("headers");
    QTest::addColumn<int>("status");
    const auto row = [](const char* method, const char* path, const QByteArray& body, int status,
                         const QByteArray& headers = {}) {
        QTest::addRow("%s %s %d %s", method, path, status, body.left(40).constData())
            << QByteArray(method) << QString::fromLatin1(path) << body << headers << status;
    };
    row("POST", "/v1/classify", R"({"text":"where is my parcel A-2231?","explain":true})", 200);
    row("POST", "/v1/classify", R"({"text":"qwerty asdf","session":"s","durable":true})", 200);
    row("POST", "/v1/classify", R"({"text":"hi","context":"none","top_k":1})", 200);
    row("POST", "/v1/classify", "no JSON", 400);
    row("POST", "/v1/classify", R"({"text":"a","b":1})", 400);
    row("POST", "/v1/classify", "{\"text\":\"" + QByteArray(5000, 'a') + "\"}", 413);
    row("POST", "/v1/classify", "x", 415, "Content-Encoding: br\r\n");
    row("POST", "/v1/classify", "x", 417, "Expect: wonders\r\n");
    row("POST", "/v1/classify", R"({"text":"a"})", 401, withToken("of nobody"));
    row("POST", "/v1/classify/batch", R"({"queries":["hello",{"text":"yes","system":"Sure?"},""]})",
        200);
    row("POST", "/v1/classify/batch", R"({"queries":1})", 400);
    row("GET", "/v1/classify/batch", {}, 405);
    row("POST", "/v1/feedback", R"({"kind":"right"})", 400);
    row("POST", "/v1/admin/model", "x", 401);
    row("POST", "/v1/admin/model", "x", 403, withToken("a-viewer-token"));
    row("POST", "/v1/admin/model", "x", 400, withToken(adminToken));
    row("POST", "/v1/admin/profile", R"({"seconds":0})", 400, withToken(adminToken));
    row("POST", "/v1/admin/profile", R"({"minutes":1})", 400, withToken(adminToken));
    row("GET", "/v1/info", {}, 200);
    row("GET", "/healthz", {}, 200);
    row("GET", "/readyz", {}, 200);
    row("POST", "/readyz", {}, 405);
    row("GET", "/metrics", {}, 200);
    row("GET", "/metrics", {}, 200, "Accept: application/openmetrics-text\r\n");
    row("GET", "/openapi.json", {}, 200);
    row("GET", "/healthz", {}, 431, "X: " + QByteArray(10000, 'x') + "\r\n");
}

void TestOpenApi::answersAreAsDescribed()
{
    QFETCH(QByteArray, method);
    QFETCH(QString, path);
    QFETCH(QByteArray, body);
    QFETCH(QByteArray, headers);
    QFETCH(int, status);
    HttpClient client(m_worker->port());
    const HttpAnswer answer = client.ask(method, path.toLatin1(), body, headers);
    QCOMPARE(answer.status, status);
    const QJsonObject response =
        resolved(member(operation(path), "responses")[QString::number(status)].toObject());
    QVERIFY2(!response.isEmpty(), "this status is not documented");
    const QByteArray head = answer.head.toLower();
    for (const QString& name : member(response, "headers").keys()) {
        const bool always = name != QStringLiteral("X-Session-Stored")
            && name != QStringLiteral("WWW-Authenticate");
        QVERIFY2(!always || head.contains(QByteArray(name.toLower().toLatin1() + ": ")),
            qPrintable(name));
    }
    const qsizetype at = head.indexOf("content-type: ") + 14;
    const QByteArray type = head.mid(at, head.indexOf('\r', at) - at).split(';').first();
    const QJsonObject content = member(response, "content");
    QVERIFY2(content.contains(QString::fromLatin1(type)), type.constData());
    const QJsonObject schema =
        content[QString::fromLatin1(type)].toObject()[QStringLiteral("schema")].toObject();
    if (type.endsWith("json")) {
        const QString problem = wrong(answer.json(), schema, QStringLiteral("answer"));
        QVERIFY2(problem.isEmpty(), qPrintable(problem));
        QVERIFY(status < 400 || answer.json()[QStringLiteral("status")].toInt() == status);
    }
}

void TestOpenApi::requestMembersAreThoseTaken_data()
{
    QTest::addColumn<QString>("path");
    QTest::addColumn<QString>("name");
    for (const char* path :
        {"/v1/classify", "/v1/classify/batch", "/v1/feedback", "/v1/admin/profile"}) {
        const QJsonObject json =
            member(member(member(operation(QString::fromLatin1(path)), "requestBody"), "content"),
                "application/json");
        QStringList names = member(resolved(member(json, "schema")), "properties").keys();
        names.append(QStringLiteral("zzz"));
        for (const QString& name : names) {
            QTest::addRow("%s %s", path, qPrintable(name)) << QString::fromLatin1(path) << name;
        }
    }
}

/// A documented member of the wrong type is refused for that; one that is not, as unknown.
void TestOpenApi::requestMembersAreThoseTaken()
{
    QFETCH(QString, path);
    QFETCH(QString, name);
    QJsonObject body;
    if (path == QStringLiteral("/v1/classify")) {
        body[QStringLiteral("text")] = QStringLiteral("hello");
    } else if (path == QStringLiteral("/v1/classify/batch")) {
        body[QStringLiteral("queries")] = QJsonArray{QStringLiteral("hello")};
    } else if (path == QStringLiteral("/v1/feedback")) {
        body = {{QStringLiteral("kind"), QStringLiteral("right")},
            {QStringLiteral("request"), QStringLiteral("r")}};
    }
    body[name] = QJsonObject();
    HttpClient client(m_worker->port());
    const HttpAnswer answer = client.ask("POST", path.toLatin1(),
        QJsonDocument(body).toJson(QJsonDocument::Compact), withToken(adminToken));
    QCOMPARE(answer.status, 400);
    const QString detail = answer.json()[QStringLiteral("detail")].toString();
    QVERIFY2(detail.contains(name), qPrintable(detail));
    QCOMPARE(
        detail.contains(QStringLiteral("unknown")) || detail.contains(QStringLiteral("not known")),
        name == QStringLiteral("zzz"));
}

QTEST_GUILESS_MAIN(TestOpenApi)
#include "tst_openapi.moc"

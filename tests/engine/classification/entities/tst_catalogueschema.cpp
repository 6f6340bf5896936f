#include "engine/classification/entities/entitycatalogue.h"
#include "engine/classification/entities/values.h"
#include "tests/support/testcase.h"

#include <QFile>
#include <QJsonArray>
#include <QJsonDocument>
#include <QJsonObject>
#include <algorithm>

using namespace sluice;

/// The schema that is shipped says what the reader reads.
class TestCatalogueSchema : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase();
    void knowsItsWords();
    void shippedCatalogueFits();
    void agreesWithTheReader_data();
    void agreesWithTheReader();
    void namesEveryNormaliser();

private:
    QJsonObject m_schema;
};

namespace {

QJsonDocument documentOf(const QString& path)
{
    QFile file(path);
    return file.open(QIODevice::ReadOnly) ? QJsonDocument::fromJson(file.readAll())
                                          : QJsonDocument();
}

/// The part of JSON Schema 2020-12 that our schema uses.
class Validator
{
public:
    explicit Validator(const QJsonObject& root)
        : m_root(root)
    { }

    static QStringList keywords()
    {
        return QStringLiteral("$schema title description type additionalProperties required "
                              "properties $defs $ref items minItems maxItems minLength maxLength "
                              "enum anyOf")
            .split(u' ');
    }

    bool accepts(const QJsonValue& value, const QJsonObject& schema) const
    {
        const auto has = [&](const char* key) { return schema.contains(QLatin1StringView(key)); };
        const auto at = [&](const char* key) { return schema[QLatin1StringView(key)]; };
        if (has("$ref")) {
            const QString name = at("$ref").toString().section(u'/', -1);
            return accepts(value, m_root[QLatin1StringView("$defs")][name].toObject());
        }
        const QJsonArray choices = at("anyOf").toArray();
        return (!has("type") || isA(value, at("type").toString()))
            && (!has("enum") || at("enum").toArray().contains(value))
            && (choices.isEmpty()
                || std::any_of(choices.begin(), choices.end(),
                    [&](const QJsonValue& choice) { return accepts(value, choice.toObject()); }))
            && (!value.isString() || lengthFits(value.toString().size(), schema, "Length"))
            && (!value.isArray() || fitsArray(value.toArray(), schema))
            && (!value.isObject() || fitsObject(value.toObject(), schema));
    }

private:
    static bool isA(const QJsonValue& value, const QString& type)
    {
        return type == QLatin1StringView("object") ? value.isObject()
            : type == QLatin1StringView("array")   ? value.isArray()
            : type == QLatin1StringView("string")  ? value.isString()
                                                   : value.isBool();
    }

    static bool lengthFits(qsizetype length, const QJsonObject& schema, const char* what)
    {
        const QString of = QLatin1StringView(what);
        return length >= schema[QStringLiteral("min") + of].toInt(0)
            && length <= schema[QStringLiteral("max") + of].toInt(INT_MAX);
    }

    bool fitsArray(const QJsonArray& array, const QJsonObject& schema) const
    {
        const QJsonObject items = schema[QLatin1StringView("items")].toObject();
        return lengthFits(array.size(), schema, "Items")
            && std::all_of(array.begin(), array.end(),
                [&](const QJsonValue& item) { return accepts(item, items); });
    }

    bool fitsObject(const QJsonObject& object, const QJsonObject& schema) const
    {
        const QJsonArray required = schema[QLatin1StringView("required")].toArray();
        const QJsonObject known = schema[QLatin1StringView("properties")].toObject();
        const QJsonValue others = schema[QLatin1StringView("additionalProperties")];
        for (const auto& key : required) {
            if (!object.contains(key.toString())) {
                return false;
            }
        }
        for (auto member = object.begin(); member != object.end(); ++member) {
            const bool fits = known.contains(member.key())
                ? accepts(member.value(), known[member.key()].toObject())
                : others.isObject() ? accepts(member.value(), others.toObject())
                                    : others.toBool(true);
            if (!fits) {
                return false;
            }
        }
        return true;
    }

    QJsonObject m_root;
};

void collectKeys(const QJsonObject& schema, bool isNames, QStringList& keys)
{
    for (auto member = schema.begin(); member != schema.end(); ++member) {
        if (!isNames) {
            keys << member.key();
        }
        const bool namesBelow = !isNames
            && (member.key() == QLatin1StringView("properties")
                || member.key() == QLatin1StringView("$defs"));
        if (member.value().isObject()) {
            collectKeys(member.value().toObject(), namesBelow, keys);
        }
        const QJsonArray list = member.value().toArray();
        for (const auto& item : list) {
            collectKeys(item.toObject(), false, keys);
        }
    }
}

} // namespace

void TestCatalogueSchema::initTestCase()
{
    m_schema =
        documentOf(QStringLiteral(SLUICE_SOURCE_DIR "/resources/schema/entities.schema.json"))
            .object();
    QVERIFY(!m_schema.isEmpty());
}

// A keyword that the validator of this test passes over would hold nothing.
void TestCatalogueSchema::knowsItsWords()
{
    QStringList keys;
    collectKeys(m_schema, false, keys);
    const QStringList known = Validator::keywords();
    for (const QString& key : std::as_const(keys)) {
        QVERIFY2(known.contains(key), qPrintable(key));
    }
}

void TestCatalogueSchema::shippedCatalogueFits()
{
    const QJsonDocument shipped =
        documentOf(QStringLiteral(SLUICE_SOURCE_DIR "/resources/helpdesk/entities.json"));
    QVERIFY(shipped.isObject());
    QVERIFY(Validator(m_schema).accepts(shipped.object(), m_schema));
}

void TestCatalogueSchema::agreesWithTheReader_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<bool>("right");
    const auto row = [](const char* text, bool right) {
        QTest::newRow(text) << QByteArray(text) << right;
    };
    row(R"({"entities":[]})", true);
    row(R"({})", false);
    row(R"({"entities":{}})", false);
    row(R"({"entities":[],"description":"x","zone":"UTC"})", true);
    row(R"({"entities":[],"zone":1})", false);
    row(R"({"entities":[],"description":1})", false);
    row(R"({"entities":[],"version":1})", false);
    row(R"({"entities":[1]})", false);
    const auto entry = [&](const QByteArray& members, bool right) {
        const QByteArray text = R"({"entities":[{)" + members + "}]}";
        QTest::newRow(text.constData()) << text << right;
    };
    entry(R"("type":"a","patterns":["b"])", true);
    entry(R"("patterns":["b"])", false);
    entry(R"("type":"","patterns":["b"])", false);
    entry(R"("type":"a")", false);
    entry(R"("type":"a","patterns":[])", false);
    entry(R"("type":"a","patterns":["b"],"words":["c"])", true);
    entry(R"("type":"a","patterns":[""])", false);
    entry(R"("type":"a","patterns":"b")", false);
    entry(R"("type":"a","patterns":[")" + QByteArray(4097, 'b') + "\"]", false);
    entry(R"("type":"a","words":{"b":"c"})", true);
    entry(R"("type":"a","words":{"b":1})", false);
    entry(R"("type":"a","words":["b"])", true);
    entry(R"("type":"a","words":[1])", false);
    entry(R"("type":"a","words":[""])", false);
    entry(R"("type":"a","words":"b")", false);
    entry(R"("type":"a","patterns":["b"],"value":"c")", true);
    entry(R"("type":"a","patterns":["b"],"value":1)", false);
    entry(R"("type":"a","patterns":["b"],"normaliser":"upper")", true);
    entry(R"("type":"a","patterns":["b"],"normaliser":"Upper")", false);
    entry(R"("type":"a","patterns":["b"],"case_sensitive":true,"reported":false)", true);
    entry(R"("type":"a","patterns":["b"],"case_sensitive":1)", false);
    entry(R"("type":"a","patterns":["b"],"reported":"no")", false);
    entry(R"("type":"a","patterns":["b"],"flags":"i")", false);
    entry(
        R"("type":"a","patterns":["b"]},{"type":"c","composed":["{a}, {a}"],"value":"{1}")", true);
    entry(R"("type":"a","patterns":["b"]},{"type":"c","composed":"{a} {a}")", false);
    entry(R"("type":"a","patterns":["b"]},{"type":"c","composed":[])", false);
    entry(R"("type":"a","patterns":["b"]},{"type":"c","composed":[""])", false);
}

void TestCatalogueSchema::agreesWithTheReader()
{
    QFETCH(QByteArray, text);
    QFETCH(bool, right);
    const QJsonDocument document = QJsonDocument::fromJson(text);
    QVERIFY(!document.isNull());
    QCOMPARE(Validator(m_schema).accepts(document.object(), m_schema), right);
    QCOMPARE(EntityCatalogue::fromJson(text.toStdString(), "text").ok(), right);
}

void TestCatalogueSchema::namesEveryNormaliser()
{
    const QJsonArray names =
        m_schema[QLatin1StringView("$defs")][QLatin1StringView("entry")][QLatin1StringView(
            "properties")][QLatin1StringView("normaliser")][QLatin1StringView("enum")]
            .toArray();
    QStringList listed;
    for (const auto& name : names) {
        listed << name.toString();
    }
    QCOMPARE(listed.join(QStringLiteral(", ")), QString::fromStdString(normaliserNames()));
}

QTEST_GUILESS_MAIN(TestCatalogueSchema)
#include "tst_catalogueschema.moc"

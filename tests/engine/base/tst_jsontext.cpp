#include "engine/base/jsontext.h"
#include "tests/support/testcase.h"

#include <QJsonArray>
#include <QJsonDocument>
#include <cmath>
#include <limits>
#include <random>

using namespace sluice;

class TestJsonText : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void strings();
    void numbers_data();
    void numbers();
    void numbersReadBack();
};

namespace {

std::string of(double value, int decimals)
{
    std::string text;
    appendJson(text, "", value, decimals);
    return text;
}

} // namespace

void TestJsonText::strings()
{
    std::string text;
    appendJson(text, "{\"a\":", std::string_view("plain \xC3\xA4"));
    appendJson(text, ",\"b\":", std::int64_t(-12));
    QCOMPARE(text, std::string("{\"a\":\"plain \xC3\xA4\",\"b\":-12"));
    // Every byte of ASCII reads back.
    std::string all;
    for (char c = 0; c < 127; ++c) {
        all += c;
    }
    text.clear();
    appendJson(text, "[", all);
    const QJsonArray read = QJsonDocument::fromJson(QByteArray::fromStdString(text + ']')).array();
    QCOMPARE(read[0].toString().toStdString(), all);
    text.clear();
    appendJson(text, "", std::string_view("\x01\n\""));
    QCOMPARE(text, std::string("\"\\u0001\\n\\\"\""));
}

void TestJsonText::numbers_data()
{
    QTest::addColumn<double>("value");
    QTest::addColumn<int>("decimals");
    QTest::addColumn<QString>("text");
    const auto row = [](double value, int decimals, const char* text) {
        QTest::newRow(text) << value << decimals << QString::fromLatin1(text);
    };
    row(0, 6, "0");
    row(1, 6, "1");
    row(0.5, 6, "0.5");
    row(0.8123456, 6, "0.812346");
    row(0.0000004, 6, "0");
    row(0.0000005, 6, "0.000001");
    row(-0.05, 6, "-0.05");
    row(12.3456, 2, "12.35");
    row(1000000.25, 2, "1000000.25");
    row(7.6, 0, "8");
    row(1e300, 6, "1e+300");
}

void TestJsonText::numbers()
{
    QFETCH(double, value);
    QFETCH(int, decimals);
    QFETCH(QString, text);
    QCOMPARE(QString::fromStdString(of(value, decimals)), text);
    QCOMPARE(of(std::numeric_limits<double>::quiet_NaN(), 3), std::string("0"));
    QCOMPARE(of(-std::numeric_limits<double>::infinity(), 3), std::string("0"));
    QCOMPARE(of(-0.0000001, 3), std::string("0"));
}

void TestJsonText::numbersReadBack()
{
    std::mt19937 random(3);
    std::uniform_real_distribution<double> uniform(-2, 2);
    for (int index = 0; index < 10000; ++index) {
        const double value = uniform(random);
        QVERIFY(std::abs(std::stod(of(value, 6)) - value) <= 0.5000001e-6);
    }
}

QTEST_GUILESS_MAIN(TestJsonText)
#include "tst_jsontext.moc"

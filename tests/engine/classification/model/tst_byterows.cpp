#include "engine/classification/model/byterows.h"
#include "tests/support/testcase.h"

#include <cmath>
#include <random>

using namespace sluice;

class TestByteRows : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void roundingIsBounded();
    void zeroRowsStayZero();
    void nothingIsNothing();
};

void TestByteRows::roundingIsBounded()
{
    std::mt19937 random(5);
    for (const float size : {1e-20F, 1e-3F, 1.0F, 1e6F}) {
        std::uniform_real_distribution<float> uniform(-size, size);
        constexpr std::size_t width = 37;
        std::vector<float> values(20 * width);
        std::generate(values.begin(), values.end(), [&] { return uniform(random); });
        const ByteRows rows = ByteRows::from(values, width);
        QCOMPARE(rows.bytes.size(), values.size());
        QCOMPARE(rows.scales.size(), 20U);
        for (std::size_t row = 0; row < 20; ++row) {
            float most = 0;
            int mostByte = 0;
            for (std::size_t i = row * width; i < (row + 1) * width; ++i) {
                most = std::max(most, std::abs(values[i]));
                mostByte = std::max(mostByte, std::abs(int(rows.bytes[i])));
                const double back = double(rows.bytes[i]) * double(rows.scales[row]);
                QVERIFY(std::abs(back - double(values[i])) <= double(rows.scales[row]) * 0.50001);
            }
            QCOMPARE(rows.scales[row], most / 127.0F);
            QCOMPARE(mostByte, 127);
        }
    }
}

void TestByteRows::zeroRowsStayZero()
{
    const std::vector<float> values{0, 0, 0, -2, 0, 1, 0, 0, 0};
    const ByteRows rows = ByteRows::from(values, 3);
    QCOMPARE(rows.scales.size(), 3U);
    QCOMPARE(rows.scales[0], 1.0F);
    QCOMPARE(rows.scales[2], 1.0F);
    const std::vector<std::int8_t> expected{0, 0, 0, -127, 0, 64, 0, 0, 0};
    QCOMPARE(rows.bytes, expected);
}

void TestByteRows::nothingIsNothing()
{
    const ByteRows rows = ByteRows::from({}, 16);
    QVERIFY(rows.bytes.empty() && rows.scales.empty());
}

QTEST_GUILESS_MAIN(TestByteRows)
#include "tst_byterows.moc"

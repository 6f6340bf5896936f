#include "engine/base/sha256.h"
#include "tests/support/testcase.h"

#include <QCryptographicHash>
#include <QMessageAuthenticationCode>

using namespace sluice;

class TestSha256 : public test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void knownDigests_data();
    void knownDigests();
    void agreesWithQtAtEveryBlockBorder();
};

// FIPS 180-4's examples (csrc.nist.gov, SHA256.pdf) and the empty message.
void TestSha256::knownDigests_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<QString>("digest");
    QTest::newRow("empty")
        << QByteArray()
        << QStringLiteral("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
    QTest::newRow("one block")
        << QByteArray("abc")
        << QStringLiteral("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    QTest::newRow("two blocks")
        << QByteArray("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq")
        << QStringLiteral("248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

void TestSha256::knownDigests()
{
    QFETCH(QByteArray, bytes);
    QFETCH(QString, digest);
    QCOMPARE(QString::fromStdString(sha256Hex(bytes.toStdString())), digest);
}

void TestSha256::agreesWithQtAtEveryBlockBorder()
{
    for (int size = 0; size <= 200; ++size) {
        const QByteArray bytes(size, char('a' + size % 26));
        QCOMPARE(QByteArray::fromStdString(sha256Hex(bytes.toStdString())),
            QCryptographicHash::hash(bytes, QCryptographicHash::Sha256).toHex());
        QCOMPARE(QByteArray::fromStdString(sha1Hex(bytes.toStdString())),
            QCryptographicHash::hash(bytes, QCryptographicHash::Sha1).toHex());
        QCOMPARE(QByteArray::fromStdString(hmacSha256Hex("key", bytes.toStdString())),
            QMessageAuthenticationCode::hash(bytes, "key", QCryptographicHash::Sha256).toHex());
    }
}

QTEST_GUILESS_MAIN(TestSha256)
#include "tst_sha256.moc"

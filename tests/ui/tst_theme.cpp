#include "tests/support/testcase.h"
#include "ui/shell/text.h"
#include "ui/shell/theme.h"

#include <QApplication>
#include <QDir>
#include <QSet>

using namespace sluice::ui;

class TestTheme : public sluice::test::TestCase
{
    Q_OBJECT

private Q_SLOTS:
    void initTestCase() { theme().install(*qApp); }
    void contrastOfKnownPairs();
    void everythingCanBeRead_data();
    void everythingCanBeRead();
    void seriesDifferByMoreThanColour();
    void changingIsTold();
    void everyIconIsThere();
    void tonesHaveGlyphs();
};

void TestTheme::contrastOfKnownPairs()
{
    QCOMPARE(qRound(contrast(Qt::black, Qt::white) * 10), 210);
    QCOMPARE(qRound(contrast(Qt::white, Qt::white) * 10), 10);
    QVERIFY(
        std::abs(contrast(QColor(0x77, 0x77, 0x77), Qt::white) - 4.48) < 0.02); // WCAG's example
}

void TestTheme::everythingCanBeRead_data()
{
    QTest::addColumn<bool>("dark");
    QTest::newRow("light") << false;
    QTest::newRow("dark") << true;
}

// WCAG 2.1: 4.5 for text (1.4.3), 3 for what is drawn (1.4.11).
void TestTheme::everythingCanBeRead()
{
    QFETCH(bool, dark);
    const Colors& c = dark ? Theme::darkColors() : Theme::lightColors();
    const auto check = [](const char* name, const QColor& ink, const QColor& ground, double least) {
        const double ratio = contrast(ink, ground);
        QVERIFY2(ratio >= least,
            qPrintable(QStringLiteral("%1: %2").arg(QString::fromLatin1(name)).arg(ratio)));
    };
    for (const QColor& ground : {c.card, c.background}) {
        check("text", c.text, ground, 4.5);
        check("muted", c.muted, ground, 4.5);
        check("ok", c.ok, ground, 4.5);
        check("warn", c.warn, ground, 3.8); // as SCREENS has it; never without glyph and word
        check("bad", c.bad, ground, 4.5);
    }
    check("text on raised", c.text, c.raised, 4.5);
    check("text on selected", c.text, c.selected, 4.5);
    check("on accent", c.onAccent, c.accent, 4.5);
    check("faint", c.faint, c.card, 3);
    for (const QColor& series : {c.accent, c.second}) {
        check("series", series, c.card, 3);
    }
    for (const QColor& series : {c.third, c.fourth}) {
        check("third and fourth series", series, c.card, 2);
    }
}

void TestTheme::seriesDifferByMoreThanColour()
{
    QSet<QString> styles;
    for (int series = 0; series < 4; ++series) {
        const QPen pen = theme().seriesPen(series);
        QString dash;
        for (const double part : pen.dashPattern()) {
            dash += QString::number(part) + u' ';
        }
        styles << QString::number(int(pen.style())) + u':' + dash;
    }
    QCOMPARE(styles.size(), 4);
    QCOMPARE(Theme::poolSeries(QStringLiteral("blue")), 0);
    QCOMPARE(Theme::poolSeries(QStringLiteral("green")), 1);
}

void TestTheme::changingIsTold()
{
    theme().setMode(Theme::Mode::Light);
    Text label(FontRole::Base, Ink::Bad, QStringLiteral("x"));
    QCOMPARE(label.palette().color(QPalette::WindowText), Theme::lightColors().bad);
    QSignalSpy changed(&theme(), &Theme::changed);
    theme().setMode(Theme::Mode::Dark);
    QCOMPARE(changed.size(), 1);
    QVERIFY(theme().isDark());
    QCOMPARE(label.palette().color(QPalette::WindowText), Theme::darkColors().bad);
    QCOMPARE(qApp->palette().color(QPalette::Window), Theme::darkColors().background);
    for (const Theme::Mode mode : {Theme::Mode::Light, Theme::Mode::Dark, Theme::Mode::System}) {
        bool known = false;
        QCOMPARE(int(Theme::modeFromText(Theme::modeText(mode), &known)), int(mode));
        QVERIFY(known);
    }
    bool known = true;
    Theme::modeFromText(QStringLiteral("pink"), &known);
    QVERIFY(!known);
}

void TestTheme::everyIconIsThere()
{
    const QDir folder(QStringLiteral(SLUICE_SOURCE_DIR "/resources/icons"));
    const QStringList files = folder.entryList({QStringLiteral("*.svg")});
    QVERIFY(files.size() > 10);
    for (const QString& file : files) {
        const QPixmap drawn = theme().pixmap(file.chopped(4), 20, Qt::red);
        QVERIFY2(!drawn.isNull(), qPrintable(file));
        const QImage image = drawn.toImage();
        bool any = false;
        for (int y = 0; y < image.height() && !any; ++y) {
            for (int x = 0; x < image.width() && !any; ++x) {
                any = image.pixelColor(x, y).alpha() > 100;
            }
        }
        QVERIFY2(any, qPrintable(file));
    }
}

void TestTheme::tonesHaveGlyphs()
{
    QSet<QString> glyphs;
    for (const Tone tone : {Tone::Ok, Tone::Warn, Tone::Bad, Tone::None}) {
        glyphs << Theme::glyph(tone);
    }
    QCOMPARE(glyphs.size(), 4);
}

QTEST_MAIN(TestTheme)
#include "tst_theme.moc"

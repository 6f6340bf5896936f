#pragma once

#include <QObject>
#include <QRegularExpression>
#include <QtTest>

namespace sluice::test {

/// Base of every test class: a Qt warning that the test did not announce with
/// QTest::ignoreMessage() fails it.
class TestCase : public QObject
{
    Q_OBJECT

public:
    using QObject::QObject;

protected:
    void failOnWarnings()
    { // The offscreen platform says the excepted one of every dialog.
        QTest::failOnWarning(QRegularExpression(
            QStringLiteral("^(?!This plugin does not support propagateSizeHints)")));
    }

private Q_SLOTS:
    void init() { failOnWarnings(); }
};

} // namespace sluice::test

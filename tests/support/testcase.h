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
    void failOnWarnings() { QTest::failOnWarning(QRegularExpression(QStringLiteral(".*"))); }

private Q_SLOTS:
    void init() { failOnWarnings(); }
};

} // namespace sluice::test

#include "tests/support/stackfixture.h"

#include <QDir>
#include <QFile>
#include <QtTest>

namespace sluice::test {

using ops::LocalStack;

StackFixture::StackFixture()
{
    qputenv("SLUICE_STATE", m_folder.filePath(QStringLiteral("stack")).toUtf8());
    qputenv("SLUICE_DATA_HOME", m_folder.filePath(QStringLiteral("data")).toUtf8());
}

StackFixture::~StackFixture()
{
    down();
}

bool StackFixture::up(int workersPerPool, const QString& workerProgram)
{
    LocalStack stack;
    bool ended = false;
    bool good = false;
    QObject::connect(&stack, &LocalStack::ready, &stack, [&](const ops::StackStatus& ready) {
        m_status = ready;
        good = ended = true;
    });
    QObject::connect(&stack, &LocalStack::failed, &stack, [&](const Error& error) {
        m_error = QString::fromStdString(error.text());
        ended = true;
    });
    ops::StackOptions options;
    options.workersPerPool = workersPerPool;
    options.workerProgram = workerProgram;
    options.tied = true; // a test that is killed leaves nothing behind
    stack.up(options);
    return QTest::qWaitFor([&] { return ended; }, 60000) && good;
}

bool StackFixture::down()
{
    LocalStack stack;
    bool ended = false;
    QObject::connect(&stack, &LocalStack::stopped, &stack, [&] { ended = true; });
    stack.down();
    return QTest::qWaitFor([&] { return ended; }, 30000);
}

ops::StackPart StackFixture::part(const QString& name) const
{
    const auto now = LocalStack::status();
    if (now) {
        for (const ops::StackPart& part : now->parts) {
            if (part.name == name) {
                return part;
            }
        }
    }
    return {};
}

qint64 residentBytes(qint64 pid)
{
    QFile file(QStringLiteral("/proc/%1/statm").arg(pid));
    return file.open(QIODevice::ReadOnly) ? file.readAll().split(' ').value(1).toLongLong() * 4096
                                          : 0;
}

int openDescriptors(qint64 pid)
{
    return int(QDir(QStringLiteral("/proc/%1/fd").arg(pid))
                   .entryList(QDir::AllEntries | QDir::System | QDir::NoDotAndDotDot)
                   .size());
}

} // namespace sluice::test

#pragma once

#include <QProcess>
#include <csignal>
#include <sys/prctl.h>
#include <unistd.h>

namespace sluice::test {

/// To be called before start(): the process ends with the test program, however that ends.
inline void endWithTest(QProcess& process)
{
    process.setChildProcessModifier([parent = ::getpid()] {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) {
            ::_exit(1);
        }
    });
}

} // namespace sluice::test

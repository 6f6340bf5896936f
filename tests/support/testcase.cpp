#include "tests/support/testcase.h"

#!/usr/bin/env bash
# From a clean clone to a tested build: installs what is missing, builds, runs the quick and the
# system tests. The last lines are ctest's summary. SLUICE_DATA may name a folder with the public
# data sets (clinc150/, banking77/, sgd/): tests that need them say so and skip without it.
set -eu
source "$(dirname "$0")/lib/setup.sh"

writable_build_folder
install_packages $build_packages $server_packages $console_packages $test_packages
build_preset release
if [ -n "${SLUICE_DATA:-}" ]; then
    say "tests on the public data sets run: SLUICE_DATA=$SLUICE_DATA"
else
    say "tests on the public data sets are skipped: SLUICE_DATA is not set"
fi
say "testing"
cd "$root"
exec ctest --preset release -j "$(nproc)" "$@"

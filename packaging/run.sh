#!/usr/bin/env bash
# From a clean clone to the console with live data: installs what is missing, builds, starts the
# local stack and opens the window. Can be run again at once.
set -eu
source "$(dirname "$0")/lib/setup.sh"

case "${1:-}" in
-h | --help)
    cat <<'TEXT'
packaging/run.sh [ARGUMENT...]
  Installs the Debian packages that are missing, builds the preset "release", and opens the console on
  the local stack (Redis, Prometheus, HAProxy, four workers, on loopback and free ports).
  Arguments go to the console: see build/release/bin/sluice --help.
TEXT
    exit 0
    ;;
esac

writable_build_folder
if [ -z "${DISPLAY:-}${WAYLAND_DISPLAY:-}${QT_QPA_PLATFORM:-}" ]; then
    no_display=1
    say "no display here: building all the same, the ways to see the window come at the end"
fi
install_packages $build_packages $server_packages $console_packages
build_preset release
if [ -n "${no_display:-}" ]; then
    stop "there is no display to open the console on. Ways to have one:
  xvfb-run -a packaging/run.sh          a virtual screen (package xvfb), for tests and screenshots
  ssh -X HOST                           your own screen, from the machine you sit at
  Xvnc -localhost :1 & DISPLAY=:1 packaging/run.sh    a remote desktop (package tigervnc-standalone-server), with a password file
  build/release/bin/sluicectl --help    everything the console does, without a window"
fi
say "opening the console (the local stack starts with it, and ends with it)"
exec "$root/build/release/bin/sluice" --stack "$@"

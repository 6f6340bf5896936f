# Shared by run.sh, test.sh and check.sh: says what is done and how far it is, installs what is
# missing, configures and builds a preset. Sourced, not run.

set -eu

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
started=$(date +%s)

say() { printf '[%4ds] %s\n' "$(($(date +%s) - started))" "$*"; }
stop() {
    printf '\nsluice: %s\n' "$*" >&2
    exit 2
}

# What is built with, and the real servers that the local stack and the tests start.
build_packages="g++ cmake ninja-build pkg-config ccache qt6-base-dev qt6-charts-dev|libqt6charts6-dev
    libqt6svg6-dev|qt6-svg-dev libqt6opengl6-dev|qt6-base-dev libgl-dev libopengl-dev libvulkan-dev
    libxkbcommon-dev libqt6sql6-sqlite
    qtkeychain-qt6-dev libhiredis-dev libspdlog-dev libfmt-dev libboost1.81-dev|libboost1.83-dev
    libboost-json1.81-dev|libboost-json1.83-dev libre2-dev libicu-dev libcli11-dev libssl-dev zlib1g-dev libyaml-dev"
server_packages="redis-server prometheus haproxy nginx-light libgoogle-perftools4|libgoogle-perftools4t64"
test_packages="clang-format python3-locust" # Locust: load from more than one machine
console_packages="fonts-inter qt6-qpa-plugins libqt6svg6"

# The first of "a|b" that this release of Debian has; an installed one wins.
choose_package() {
    local choice
    for choice in ${1//|/ }; do
        if dpkg-query -W -f='${Status}' "$choice" 2>/dev/null | grep -q 'ok installed'; then
            echo "$choice"
            return
        fi
    done
    for choice in ${1//|/ }; do
        if apt-cache show "$choice" >/dev/null 2>&1; then
            echo "$choice"
            return
        fi
    done
    echo "${1%%|*}"
}

missing_packages() {
    local wanted choice
    for wanted in "$@"; do
        choice=$(choose_package "$wanted")
        dpkg-query -W -f='${Status}' "$choice" 2>/dev/null | grep -q 'ok installed' || echo "$choice"
    done | sort -u
}

# Installs the packages that are missing. The servers among them are kept from starting on their
# default ports: Sluice starts its own, on free ports, and disturbs none that may be there.
install_packages() {
    command -v dpkg-query >/dev/null || stop "this is not Debian: install by hand: ${*//|/ or }"
    local missing
    missing=$(missing_packages "$@")
    if [ -z "$missing" ]; then
        say "packages: all there"
        return
    fi
    local as_root=""
    if [ "$(id -u)" != 0 ]; then
        command -v sudo >/dev/null || stop "packages are missing and neither root nor sudo is at hand.
Have somebody install: $(echo $missing)"
        as_root=sudo
    fi
    say "packages: updating the list"
    $as_root apt-get update -qq || stop "apt-get update failed: is there a network and a Debian mirror?"
    missing=$(missing_packages "$@")
    say "packages: installing $(echo $missing)"
    local policy=/usr/sbin/policy-rc.d ours=""
    if [ ! -e $policy ]; then
        printf '#!/bin/sh\nexit 101\n' | $as_root tee $policy >/dev/null
        $as_root chmod 755 $policy
        ours=1
    fi
    local failed="" fresh="" unit
    for unit in redis-server prometheus haproxy; do
        case " $(echo $missing) " in *" $unit "*) fresh="$fresh $unit" ;; esac
    done
    $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
        -o Dpkg::Use-Pty=0 $missing >"$root/build/install.log" 2>&1 || failed=1
    [ -z "$ours" ] || $as_root rm -f $policy
    if [ -n "$failed" ]; then
        tail -n 15 "$root/build/install.log" >&2
        stop "apt-get could not install the packages above; the whole log is build/install.log"
    fi
    # Not at the next start of the machine either: these came with us.
    if [ -n "$fresh" ] && [ -d /run/systemd/system ]; then
        $as_root systemctl disable -q $fresh 2>/dev/null || true
    fi
    say "packages: installed"
}

configure_preset() {
    local preset=$1
    cd "$root"
    if [ ! -f "build/$preset/build.ninja" ]; then
        say "configuring $preset"
        cmake --preset "$preset" >"build/configure-$preset.log" 2>&1 || {
            tail -n 30 "build/configure-$preset.log" >&2
            stop "configuring failed; the whole log is build/configure-$preset.log"
        }
    fi
}

# build_preset NAME [target...]
build_preset() {
    local preset=$1
    shift
    configure_preset "$preset"
    say "building $preset ($(nproc) cores)"
    NINJA_STATUS="[$preset %f/%t %es] " cmake --build --preset "$preset" ${*:+--target "$@"} ||
        stop "the build failed: the compiler's message is above"
    say "built: build/$preset/bin/"
}

writable_build_folder() {
    mkdir -p "$root/build" 2>/dev/null && [ -w "$root/build" ] ||
        stop "cannot write in $root/build: make the folder writable, or clone to a place that is"
}

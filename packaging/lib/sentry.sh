#!/usr/bin/env bash
# A worker's reports, read by Spotlight: does a consumer that is not ours understand them? npm is
# needed to install it; everything then runs in a network of its own that leads nowhere (Spotlight
# would listen on every address and report to its makers).
set -eu
source "$(dirname "$0")/setup.sh"

spotlight=$root/build/npm/sentry
if [ "${1:-}" != inside ]; then
    mkdir -p "$spotlight"
    # The release of hono that it would take by itself breaks it.
    echo '{"private": true, "dependencies": {"@spotlightjs/spotlight": "4.11.8"}, "overrides": {"hono": "4.12.25"}}' \
        >"$spotlight/package.json"
    (cd "$spotlight" && npm install --ignore-scripts --no-audit --no-fund --silent) || stop "npm could not install Spotlight"
    exec unshare -rn "$0" inside
fi

ip link set lo up 2>/dev/null || stop "ip (package iproute2) is needed to bring the loopback device up"
port=18969
state=$(mktemp -d)
pids=""
trap 'kill $pids 2>/dev/null || true; rm -rf "$state"' EXIT

node "$spotlight/node_modules/@spotlightjs/spotlight/dist/run.js" server -p $port >"$state/spotlight.log" 2>&1 &
pids="$pids $!"
for _ in $(seq 60); do
    curl -sf "http://127.0.0.1:$port/health" >/dev/null && break
    sleep 0.5
done
curl -sf "http://127.0.0.1:$port/health" >/dev/null || stop "Spotlight did not start: $(tail -n 5 "$state/spotlight.log")"
say "Spotlight listens"

worker() {
    rm -f "$state/port"
    "$root/build/release/bin/sluiced" --port-file "$state/port" --set sentry.dsn="http://key@127.0.0.1:$port/1" \
        --set sentry.crash_folder="$state/crashes" >"$state/sluiced.log" 2>&1 &
    last=$!
    pids="$pids $last"
    for _ in $(seq 60); do
        [ -s "$state/port" ] && return
        sleep 0.5
    done
    stop "sluiced did not start: $(cat "$state/sluiced.log")"
}
worker
kill -SEGV "$last"
wait "$last" 2>/dev/null || true
ls "$state"/crashes/crash-*.note >/dev/null || stop "the crash left no note"
say "the worker crashed and left a note"
worker
say "the next one started"

found=""
for _ in $(seq 20); do
    (timeout 2 curl -sN "http://127.0.0.1:$port/stream" || true) >"$state/stream"
    if grep -q '"type":"SIGSEGV"' "$state/stream"; then
        found=1
        break
    fi
done
[ -n "$found" ] || stop "Spotlight has no report of the crash: $(tail -n 5 "$state/spotlight.log")"
grep -q '"release":"sluiced@' "$state/stream" || stop "the report names no release"
grep -q '"instruction_addr":"0x' "$state/stream" || stop "the report has no stack"
say "Spotlight read the report: SIGSEGV, release, stack"

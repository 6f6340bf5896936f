#!/usr/bin/env bash
# docs/openapi.json by validators that are not ours: Redocly's linter on the document, and Ajv (JSON
# Schema 2020-12) on what a running worker answers, as it serves the document.
set -eu
source "$(dirname "$0")/setup.sh"

tools=$root/build/npm/openapi
mkdir -p "$tools"
echo '{"private": true, "type": "module", "dependencies": {"@redocly/cli": "1.34.5", "ajv": "8.17.1", "ajv-formats": "3.0.1"}}' \
    >"$tools/package.json"
(cd "$tools" && npm install --ignore-scripts --no-audit --no-fund --silent) || stop "npm could not install the validators"

state=$(mktemp -d)
pid=""
trap 'kill $pid 2>/dev/null || true; rm -rf "$state"' EXIT
token=$(head -c 16 /dev/urandom | sha256sum | cut -c 1-32)
hash=$(printf %s "$token" | sha256sum | cut -c 1-64)
"$root/build/release/bin/sluiced" --port-file "$state/port" \
    --set auth.tokens="[{\"name\": \"check\", \"sha256\": \"$hash\", \"role\": \"admin\"}]" >"$state/log" 2>&1 &
pid=$!
for _ in $(seq 60); do
    [ -s "$state/port" ] && break
    sleep 0.5
done
[ -s "$state/port" ] || stop "sluiced did not start: $(cat "$state/log")"
url=http://127.0.0.1:$(cat "$state/port")

curl -sf "$url/openapi.json" -o "$state/openapi.json"
cmp "$state/openapi.json" "$root/docs/openapi.json" || stop "the worker serves another document"
# The document describes a worker wherever it stands, so that it names no server, and what answers
# health has no 4xx of its own.
REDOCLY_TELEMETRY=off REDOCLY_SUPPRESS_UPDATE_NOTICE=true \
    "$tools/node_modules/.bin/redocly" lint --extends=recommended --max-problems=20 "$state/openapi.json" 2>&1
cp "$root/packaging/lib/openapi.mjs" "$tools/check.mjs"
SLUICE_TOKEN=$token node "$tools/check.mjs" "$url" "$state/openapi.json"

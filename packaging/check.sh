#!/usr/bin/env bash
# The long checks, each bounded in time. Its last result, with commit, machine and date, is kept in
# docs/evidence/NAME.md.
set -euo pipefail
source "$(dirname "$0")/lib/setup.sh"

usage() {
    cat <<'TEXT'
packaging/check.sh NAME
  sanitize   the quick and system tests under ASan+UBSan and under TSan (SLUICE_TESTS: a regular
             expression, those alone)                                            (up to 60 min)
  fuzz       libFuzzer on every parser, 60 s each (SLUICE_FUZZ_SECONDS; some: SLUICE_FUZZERS="http json")
                                                                                 (up to 25 min)
  bench      accuracy, speed and sizes of the engine; requests a second of the worker (up to 20 min);
             with SLUICE_DATA also ours against fastText, nlp.js and scikit-learn: docs/BENCHMARKS.md
             (up to 2 h; SLUICE_BENCH_QUICK=1 tries it in minutes)
  soak       the local stack at 500 requests/s, 30 min (SLUICE_SOAK_SECONDS); upper 95 % bound of each
             part's memory slope, descriptors
  sentry     a crashed worker's report reaches Spotlight, a real consumer, without a network (up to 5 min)
  openapi    docs/openapi.json by Redocly's linter; a running worker's answers against it by Ajv (up to 5 min)
  drills     servers killed, stopped and restarted under load                    (up to 10 min)
  rollout-sim  how often the rollout's tests roll a healthy release back, how fast they find a planted
             fault: thousands of simulated soaks                                  (up to 30 min)
  coverage   line coverage of engine/ from the quick and system tests            (up to 30 min)
  tidy       clang-tidy over the tree                                            (up to 40 min)
TEXT
}

# evidence NAME RESULT-FILE: keeps the last result where a reader looks for it.
evidence() {
    local name=$1 result=$2
    mkdir -p "$root/docs/evidence"
    {
        echo "# check.sh $name"
        echo
        echo "- commit: $(git -C "$root" rev-parse --short HEAD)$([ -z "$(git -C "$root" status --porcelain -uno)" ] || echo ' with changes')"
        echo "- machine: $(nproc) cores, $(awk '/^model name/ {sub(/.*: /, ""); print; exit}' /proc/cpuinfo), $(. /etc/os-release && echo "$PRETTY_NAME")"
        echo "- date: $(date -u +%Y-%m-%dT%H:%MZ)"
        echo
        echo '```'
        sed -e 's/\x1b\[[0-9;]*m//g' -e '/warnings generated\.$/d' "$result" | sed "s#$root/##g"
        echo '```'
    } >"$root/docs/evidence/$name.md"
    say "kept in docs/evidence/$name.md"
}

# run_bounded SECONDS command...: what it prints goes to the screen and to $result.
run_bounded() {
    local seconds=$1
    shift
    timeout -k 10 "$seconds" "$@" 2>&1 | tee -a "$result"
    return "${PIPESTATUS[0]}"
}

name=${1:-}
result=$(mktemp)
trap 'rm -f "$result"' EXIT
writable_build_folder
status=0

case "$name" in
sanitize)
    # Qt is not built for ThreadSanitizer: what happens inside it is not watched, our own code is.
    # die_after_fork: tests start the real programs.
    export TSAN_OPTIONS="die_after_fork=0 ignore_noninstrumented_modules=1"
    export UBSAN_OPTIONS="print_stacktrace=1"
    install_packages $build_packages $server_packages
    for preset in asan tsan; do
        echo "== $preset${SLUICE_TESTS:+, of the tests those that match $SLUICE_TESTS}" >>"$result"
        if [ -n "${SLUICE_TESTS:-}" ]; then
            configure_preset $preset
            # A test bears the name of its target.
            build_preset $preset $(ctest --preset $preset -N -R "$SLUICE_TESTS" | sed -n 's/.*Test *#[0-9]*: //p')
        else
            build_preset $preset
        fi
        run_bounded 1500 ctest --preset $preset ${SLUICE_TESTS:+-R "$SLUICE_TESTS"} 2>&1 | grep -v '^ *Start ' || status=1
    done
    ;;
fuzz)
    install_packages $build_packages clang libclang-rt-14-dev
    seconds=${SLUICE_FUZZ_SECONDS:-60}
    cmake -S "$root" -B "$root/build/fuzz" -G Ninja -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_BUILD_TYPE=RelWithDebInfo \
        -DSLUICE_FUZZ=ON -DSLUICE_GUI=OFF >"$root/build/configure-fuzz.log" || stop "see build/configure-fuzz.log"
    cmake --build "$root/build/fuzz" --target fuzzers sluicectl
    mkdir -p "$root/build/fuzz/corpus/fuzz_model"
    printf 'text,intent\nwhere is it,track\nmy parcel,track\ncancel it,cancel\nstop that,cancel\n' >"$root/build/fuzz/small.csv"
    ASAN_OPTIONS=detect_leaks=0 "$root/build/fuzz/bin/sluicectl" train --data "$root/build/fuzz/small.csv" \
        --out "$root/build/fuzz/corpus/fuzz_model/small" >/dev/null
    # One that learnt from conversations has context rows and a continuation.
    grep '"split":"train"' "$root/resources/helpdesk/conversations.jsonl" | head -12 >"$root/build/fuzz/small.jsonl"
    ASAN_OPTIONS=detect_leaks=0 "$root/build/fuzz/bin/sluicectl" train --data "$root/build/fuzz/small.jsonl" --epochs 2 \
        --out "$root/build/fuzz/corpus/fuzz_model/conversations" >/dev/null
    # Vectors of three values keep the accurate tier's file within the fuzzer's length.
    ASAN_OPTIONS=detect_leaks=0 "$root/build/fuzz/bin/sluicectl" train --data "$root/build/fuzz/small.csv" --tier accurate --cnns 1 \
        --vectors "$root/tests/fuzz/corpus/fuzz_vectors/glove" --epochs 2 --out "$root/build/fuzz/corpus/fuzz_model/accurate" >/dev/null
    # SLUICE_FUZZERS: some of them alone, "http json".
    for fuzzer in "$root"/build/fuzz/fuzz/fuzz_*; do
        [ -z "${SLUICE_FUZZERS:-}" ] || [[ " $SLUICE_FUZZERS " == *" ${fuzzer##*/fuzz_} "* ]] || continue
        echo "== $(basename "$fuzzer"), $seconds s" | tee -a "$result"
        corpus=$root/build/fuzz/corpus/$(basename "$fuzzer")
        mkdir -p "$corpus" "$root/tests/fuzz/corpus/$(basename "$fuzzer")"
        run_bounded $((seconds + 30)) "$fuzzer" -max_total_time="$seconds" -max_len=65536 -verbosity=0 -print_funcs=0 \
            -print_final_stats=1 -artifact_prefix="$root/build/fuzz/" "$corpus" \
            "$root/tests/fuzz/corpus/$(basename "$fuzzer")" || status=1
    done
    ;;
bench)
    install_packages $build_packages $server_packages python3
    build_preset release
    run_bounded 1200 ctest --test-dir "$root/build/release" -L bench -V || status=1
    # What can't be had is a row that says so.
    (install_packages valgrind fasttext libfasttext-dev) || say "measuring without some of these"
    command -v npm >/dev/null || (install_packages nodejs npm) || say "measuring without nlp.js"
    run_bounded 7200 python3 "$root/tests/bench/peers/run.py" || status=1
    ;;
soak)
    install_packages $build_packages $server_packages
    build_preset release
    run_bounded $((${SLUICE_SOAK_SECONDS:-1800} + 120)) ctest --test-dir "$root/build/release" -L soak -V || status=1
    ;;
sentry)
    install_packages $build_packages curl util-linux iproute2
    command -v npm >/dev/null || install_packages nodejs npm
    build_preset release sluiced sluice_resources
    run_bounded 300 "$root/packaging/lib/sentry.sh" || status=1
    ;;
openapi)
    install_packages $build_packages curl
    command -v npm >/dev/null || install_packages nodejs npm
    build_preset release sluiced sluice_resources
    run_bounded 300 "$root/packaging/lib/openapi.sh" || status=1
    ;;
drills)
    install_packages $build_packages $server_packages
    build_preset release
    run_bounded 1200 ctest --test-dir "$root/build/release" -L drills -V || status=1
    ;;
rollout-sim)
    install_packages $build_packages
    build_preset release sim_rollout
    run_bounded 1800 "$root/build/release/tests/bin/sim_rollout" || status=1
    ;;
coverage)
    install_packages $build_packages $server_packages gcovr
    build_preset coverage
    ctest --preset coverage -j "$(nproc)" || status=1
    run_bounded 600 gcovr -r "$root" --filter "$root/engine/" --object-directory "$root/build/coverage" -s || status=1
    echo "== engine/service alone, at least 95 %" | tee -a "$result"
    run_bounded 600 gcovr -r "$root" --filter "$root/engine/service/" --object-directory "$root/build/coverage" -s \
        --fail-under-line 95 || status=1
    ;;
tidy)
    install_packages $build_packages clang-tidy
    build_preset release
    git -C "$root" ls-files 'app/*.cpp' 'engine/*.cpp' 'ui/*.cpp' |
        run_bounded 2400 xargs -P "$(nproc)" -n 4 clang-tidy --quiet --header-filter="^$root/(app|engine|ui)/" -p "$root/build/release" || status=1
    [ $status != 0 ] || echo "clang-tidy: nothing to say" | tee -a "$result"
    ;;
-h | --help)
    usage
    exit 0
    ;;
*)
    usage >&2
    stop "which check? \"$name\" is none of them"
    ;;
esac

evidence "$name" "$result"
[ $status = 0 ] && say "$name: passed" || say "$name: failed"
exit $status

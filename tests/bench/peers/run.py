"""Ours and the peers on the same public data in one run: docs/BENCHMARKS.md, docs/benchmarks.json.

SLUICE_DATA names the data; SLUICE_VECTORS word vectors (else fetched by npm); SLUICE_BENCH_SEEDS
(3) and SLUICE_BENCH_ACCURATE_SEEDS (as many) the seeds; SLUICE_BENCH_QUICK=1 tries the script in
minutes and writes into build/bench-peers; SLUICE_BENCH_NOTE is a remark for the report. Models
stay in build/bench-peers/models."""

import json
import os
import platform
import sys
import time
from pathlib import Path

import data
import ours
import peers
import report
from common import ACCURATE_SEEDS, QUICK, ROOT, SEEDS, WORK, Unavailable, load_average, run, say

COUNTED = 200  # queries whose instructions are counted


def commit():
    try:
        short = run(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], 30)[0].strip()
        changed = run(["git", "-C", ROOT, "status", "--porcelain", "-uno"], 30)[0].strip()
        return short + (" with changes" if changed else "")
    except Unavailable:
        return "unknown"


def machine():
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    cpu = next((line.split(": ", 1)[1] for line in lines if line.startswith("model name")), "?")
    return {"cores": len(os.sched_getaffinity(0)), "cpu": cpu,
            "system": platform.freedesktop_os_release()["PRETTY_NAME"]}


def vectors():
    try:
        return ours.vectors().name
    except Unavailable as why:
        return str(why)


def main():
    named = os.environ.get("SLUICE_DATA", "")
    if not named or not Path(named).is_dir():
        print("SLUICE_DATA names no folder: ours and the peers are not compared on public data")
        return 0
    folder = Path(named)
    WORK.mkdir(parents=True, exist_ok=True)
    result = {"commit": commit(), "date": time.strftime("%Y-%m-%dT%H:%MZ", time.gmtime()),
              "machine": machine(), "quick": QUICK, "vectors": vectors(),
              "note": os.environ.get("SLUICE_BENCH_NOTE", ""),
              "seeds": {"fast": SEEDS, "accurate": ACCURATE_SEEDS}, "load": [load_average()]}
    try:
        folders = {name: data.prepare(name, folder) for name in peers.SETS}
        small = data.small_part(folders["clinc150"], COUNTED)
        result["ours"] = ours.measure_all(folder, small, COUNTED)
    except Unavailable as why:
        print(f"no comparison: {why}", file=sys.stderr)
        return 1
    result["peers"] = peers.measure_all(folders)
    result["load"].append(load_average())
    result["rows"] = report.goals(result)
    out = WORK if QUICK else ROOT / "docs"
    (out / "benchmarks.json").write_text(json.dumps(result, indent=1) + "\n")
    text = report.markdown(result)
    (out / "BENCHMARKS.md").write_text(text)
    print(text)
    say("BENCHMARKS.md and benchmarks.json are written")
    return 0


if __name__ == "__main__":
    sys.exit(main())

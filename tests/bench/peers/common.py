"""What the measurements share: bounded commands, a store of what was trained, scores of answers."""

import hashlib
import json
import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
HERE = Path(__file__).resolve().parent
BIN = ROOT / "build/release/bin"
WORK = ROOT / "build/bench-peers"  # everything fetched or trained; ignored by git
QUICK = os.environ.get("SLUICE_BENCH_QUICK", "") not in ("", "0")
SEEDS = 1 if QUICK else int(os.environ.get("SLUICE_BENCH_SEEDS", "3"))
ACCURATE_SEEDS = 1 if QUICK else int(os.environ.get("SLUICE_BENCH_ACCURATE_SEEDS", SEEDS))
STARTED = time.time()


class Unavailable(Exception):
    """A peer or an input that can't be had: becomes a row that says so."""


def say(text):
    print(f"[{time.time() - STARTED:5.0f}s] {text}", flush=True)


def load_average():
    return round(os.getloadavg()[0], 2)


def run(command, seconds, stdin=None, env=None, cwd=None):
    """What a command, bounded in time, writes to output and error; Unavailable where it fails."""
    try:
        done = subprocess.run([str(part) for part in command], input=stdin, capture_output=True,
                              text=True, timeout=seconds, cwd=cwd,
                              env={**os.environ, **(env or {})})
    except FileNotFoundError:
        raise Unavailable(f"{Path(str(command[0])).name} is not installed") from None
    except subprocess.TimeoutExpired:
        raise Unavailable(f"{Path(str(command[0])).name} took more than {seconds} s") from None
    if done.returncode != 0:
        last = (done.stderr.strip() or done.stdout.strip() or "no message").splitlines()[-1]
        raise Unavailable(f"{Path(str(command[0])).name}: {last[:200]}")
    return done.stdout, done.stderr


def run_json(command, seconds, **options):
    return json.loads(run(command, seconds, **options)[0].strip().splitlines()[-1])


def digest(*parts):
    found = hashlib.sha256()
    for part in parts:
        found.update(part.read_bytes() if isinstance(part, Path) else str(part).encode())
        found.update(b"\0")
    return found.hexdigest()[:16]


def trained(name, key, make, fresh=False):
    """The file that `make(file)` wrote, and what it says of it, if only the time it took. Kept,
    since training is most of a run, unless `fresh`; `key` holds all that the file depends on."""
    folder = WORK / "models"
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / f"{name}-{key}"
    note = folder / f"{name}-{key}.json"
    if file.exists() and note.exists() and not fresh:
        say(f"{name}: trained before")
        return file, json.loads(note.read_text())
    say(f"{name}: training")
    begin, load = time.time(), load_average()
    result = make(file)
    if not isinstance(result, dict):
        result = {"seconds": time.time() - begin}
    result |= {"load_before": load, "load_after": load_average()}
    note.write_text(json.dumps(result))
    say(f"{name}: {result['seconds']:.1f} s")
    return file, result


def best_median(measure, key="p50_us", times=3):
    """The run with the best median of three: on a shared machine the others measure the rest of
    it. With the load average before it."""
    runs = []
    for _ in range(times):
        load = load_average()
        runs.append(measure() | {"load": load})
    return min(runs, key=lambda found: found[key])


def judge(rows, calibration):
    """Of (right, score, in scope) triples: accuracy without rejection; accuracy and out-of-scope
    recall at the threshold that is best on `calibration` (the CLINC150 paper's); AUROC, FPR95."""
    inside = [(right, score) for right, score, known in rows if known]
    outside = [score for _, score, known in rows if not known]
    result = {"accuracy": 100 * statistics.mean(right for right, _ in inside)}
    if not outside:
        return result
    threshold = best_threshold(calibration)
    result["accuracy_at_threshold"] = 100 * statistics.mean(
        right and score >= threshold for right, score in inside)
    result["oos_recall"] = 100 * statistics.mean(score < threshold for score in outside)
    result["auroc"] = 100 * auroc([score for _, score in inside], outside)
    at = sorted(score for _, score in inside)[len(inside) // 20]
    result["fpr95"] = 100 * statistics.mean(score >= at for score in outside)
    return result


def best_threshold(rows):
    """The score from which to accept, so that most rows are accepted and right, or out of scope
    and rejected."""
    rows = sorted(rows, key=lambda row: row[1])
    good = sum(right for right, _, known in rows if known)
    best, threshold = good, rows[0][1]
    for index, (right, score, known) in enumerate(rows):
        good += -int(right) if known else 1
        if good > best and (index + 1 == len(rows) or rows[index + 1][1] > score):
            best = good
            threshold = rows[index + 1][1] if index + 1 < len(rows) else score + 1
    return threshold


def auroc(inside, outside):
    """The share of pairs in which the query in scope scores higher; equal scores count half."""
    ordered = sorted([(score, 1) for score in inside] + [(score, 0) for score in outside])
    wins, below, at = 0.0, 0, 0
    while at < len(ordered):
        end = at
        while end < len(ordered) and ordered[end][0] == ordered[at][0]:
            end += 1
        known = sum(kind for _, kind in ordered[at:end])
        unknown = end - at - known
        wins += known * (below + unknown / 2)
        below += unknown
        at = end
    return wins / (len(inside) * len(outside))


def python_environment():
    """Debian's scikit-learn, unpacked beside the rest: its package can't be installed beside
    libboost1.81-dev."""
    base = WORK / "scikit-learn/usr"
    libraries = base / "lib/x86_64-linux-gnu"
    return {"PYTHONPATH": str(base / "lib/python3/dist-packages"), "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "LD_LIBRARY_PATH": f"{libraries}:{libraries}/blas:{libraries}/lapack"}


def python():
    return sys.executable

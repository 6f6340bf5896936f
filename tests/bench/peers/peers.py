"""The peers, each on the same rows: {"data set": {accuracy, times, sizes}} or what is missing."""

import json
import time
from pathlib import Path

from common import (HERE, QUICK, WORK, Unavailable, best_median, digest, judge, python,
                    python_environment, run, say, trained)

SETS = ("clinc150", "banking77")


def rows_of(printed, part):
    """(right, score, in scope) of the answers "label score" that a peer printed."""
    with open(part, encoding="utf-8") as file:
        truth = [json.loads(line)["intent"] for line in file]
    answers = [line.rsplit(" ", 1) for line in printed]
    if len(answers) != len(truth):
        raise Unavailable(f"{len(answers)} answers to {len(truth)} queries")
    return [(label.removeprefix("__label__") == intent, float(score), intent != "oos")
            for (label, score), intent in zip(answers, truth)]


def measure(data, answer):
    """`answer(part)` gives the lines that the peer prints for a part, its times last."""
    kept = {}

    def once():
        kept["test"] = answer("test").strip().splitlines()
        return json.loads(kept["test"][-1])

    times = best_median(once)
    calibration = []
    if (data / "val.jsonl").exists():
        calibration = rows_of(answer("val").strip().splitlines()[:-1], data / "val.jsonl")
    return judge(rows_of(kept["test"][:-1], data / "test.jsonl"), calibration) | times


class FastText:
    """Debian's fasttext, parameters chosen on validation data (one thread)."""

    name = "fastText"

    def __init__(self):
        version = run(["dpkg-query", "-W", "-f", "${Version}", "fasttext"], 10)[0]
        self.version = f"fastText {version}"
        self.program = WORK / "fasttext_bench"
        try:
            run(["g++", "-O2", "-std=c++17", HERE / "fasttext_bench.cpp", "-o", self.program,
                 "-lfasttext"], 120)
        except Unavailable:
            self.program = None

    def measure(self, data):
        epochs = 5 if QUICK else 100

        def train(file):
            begin = time.time()
            run(["fasttext", "supervised", "-input", data / "train.fasttext", "-output", file,
                 "-wordNgrams", 2, "-minn", 3, "-maxn", 5, "-lr", 0.2, "-epoch", epochs, "-dim",
                 100, "-bucket", 200000, "-thread", 1], 900)
            seconds = time.time() - begin
            Path(f"{file}.vec").unlink()
            Path(f"{file}.bin").rename(file)
            return {"seconds": seconds}

        key = digest(self.version, epochs, data / "train.fasttext")
        model, training = trained(f"fasttext-{data.name}", key, train)
        result = measure(data, lambda part: self.answer(model, data, part))
        if self.program is not None:
            result["cli_queries_per_second"] = self.cli_rate(model, data)
        return result | {"train_seconds": training["seconds"],
                         "train_load": training["load_after"], "bytes": model.stat().st_size}

    def queries(self, data, part):
        file = data / f"{part}.queries"
        lines = (data / f"{part}.fasttext").read_text().splitlines()
        file.write_text("".join(line.split(" ", 1)[1] + "\n" for line in lines))
        return file

    def answer(self, model, data, part):
        if self.program is not None:
            return run([self.program, model, self.queries(data, part), 3], 300)[0]
        rate = self.cli_rate(model, data)
        printed, _ = run(["fasttext", "predict-prob", model, self.queries(data, part), 1, 0], 300)
        return printed + json.dumps({"p50_us": 1e6 / rate, "queries_per_second": rate})

    def cli_rate(self, model, data):
        """Queries a second of `fasttext predict-prob`, its start taken off."""
        queries = self.queries(data, "test")
        many = WORK / "data/many.queries"
        many.write_text(queries.read_text() * 10)
        seconds = []
        for file in (queries, many):
            begin = time.time()
            run(["fasttext", "predict-prob", model, file, 1, 0], 300)
            seconds.append(time.time() - begin)
        return 9 * len(queries.read_text().splitlines()) / (seconds[1] - seconds[0])


class NlpJs:
    """nlp.js as npm has it, at its defaults."""

    name = "nlp.js"
    package = "node-nlp@4.27.0"

    def __init__(self):
        self.version = self.package
        self.folder = WORK / "nlpjs"
        if not (self.folder / "node_modules/node-nlp").exists():
            self.folder.mkdir(parents=True, exist_ok=True)
            run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--prefix",
                 self.folder, self.package], 300)

    def measure(self, data):
        train_file = data / "train.jsonl"
        if QUICK:
            train_file = data / "quick.jsonl"
            lines = (data / "train.jsonl").read_text().splitlines(keepends=True)
            train_file.write_text("".join(lines[:1500]))
        key = digest(self.version, train_file)
        model, training = trained(
            f"nlpjs-{data.name}", key,
            lambda file: self.script(["train", train_file, file]))
        result = measure(
            data, lambda part: self.script(["run", model, data / f"{part}.jsonl"]))
        return result | {"train_seconds": training["seconds"],
                         "train_load": training["load_after"], "bytes": model.stat().st_size}

    def script(self, arguments):
        return run(["node", HERE / "nlpjs.js", *arguments], 900,
                   env={"NLPJS_FOLDER": str(self.folder)})[0]


class ScikitLearn:
    """TF-IDF of words and letters, linear SVM. Where Python has none, Debian's packages unpacked
    into the build folder: they can't be installed beside libboost1.81-dev."""

    name = "scikit-learn"
    packages = ("python3-sklearn python3-sklearn-lib python3-scipy python3-numpy python3-joblib "
                "python3-threadpoolctl python3-decorator libblas3 liblapack3 libgfortran5 "
                "libquadmath0 liblbfgsb0").split()

    def __init__(self):
        self.environment = {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        check = [python(), "-c", "import sklearn; print(sklearn.__version__)"]
        try:
            version = run(check, 60, env=self.environment)[0]
        except Unavailable:
            self.environment = python_environment()
            self.unpack()
            version = run(check, 60, env=self.environment)[0]
        self.version = f"scikit-learn {version.strip()}"

    def unpack(self):
        folder = WORK / "scikit-learn"
        if folder.exists():
            return
        fetched = WORK / "debs"
        fetched.mkdir(parents=True, exist_ok=True)
        run(["apt-get", "download", *self.packages], 300, cwd=fetched)
        for package in sorted(fetched.glob("*.deb")):
            run(["dpkg", "-x", package, folder], 60)

    def measure(self, data):
        key = digest(self.version, HERE / "sklearn_bench.py", data / "train.jsonl")
        model, training = trained(
            f"sklearn-{data.name}", key,
            lambda file: self.script(["train", data / "train.jsonl", file]))
        result = measure(
            data, lambda part: self.script(["run", model, data / f"{part}.jsonl"]))
        return result | {"train_seconds": training["seconds"],
                         "train_load": training["load_after"], "bytes": model.stat().st_size}

    def script(self, arguments):
        return run([python(), HERE / "sklearn_bench.py", *arguments], 900,
                   env=self.environment)[0]


def measure_all(folders):
    """name -> {"version", data set -> figures} or {"missing": why}."""
    found = {}
    for kind in (FastText, NlpJs, ScikitLearn):
        try:
            peer = kind()
        except Unavailable as why:
            say(f"{kind.name}: {why}")
            found[kind.name] = {"missing": str(why)}
            continue
        figures = {"version": peer.version}
        for name in SETS:
            try:
                figures[name] = peer.measure(folders[name])
                say(f"{kind.name}, {name}: {figures[name]['accuracy']:.2f} %, "
                    f"p50 {figures[name]['p50_us']:.1f} us")
            except Unavailable as why:
                say(f"{kind.name}, {name}: {why}")
                figures[name] = {"missing": str(why)}
        found[kind.name] = figures
    return found

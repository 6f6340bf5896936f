"""scikit-learn, TF-IDF and LinearSVC: `train TRAIN.jsonl MODEL` writes a pickle; `run MODEL
PART.jsonl` prints "label score" a line, then a line of JSON with times and memory."""

import json
import pickle
import sys
import time

from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.pipeline import FeatureUnion, Pipeline
from sklearn.svm import LinearSVC


def read(file):
    with open(file, encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    return [row["text"] for row in rows], [row["intent"] for row in rows]


def train(file, out):
    texts, intents = read(file)
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    letters = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
    model = Pipeline([("features", FeatureUnion([("words", words), ("letters", letters)])),
                      ("svm", LinearSVC(C=1))])
    with open(out, "wb") as file:
        pickle.dump(model.fit(texts, intents), file)


def resident_kib():
    with open("/proc/self/status", encoding="ascii") as lines:
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))


def run(model_file, part):
    with open(model_file, "rb") as file:
        model = pickle.load(file)
    resident = resident_kib()
    texts, _ = read(part)
    begin = time.perf_counter()
    scores = model.decision_function(texts)
    rate = len(texts) / (time.perf_counter() - begin)
    each = []
    for text in texts[:600]:
        begin = time.perf_counter()
        model.predict([text])
        each.append((time.perf_counter() - begin) * 1e6)
    each = sorted(each[100:])
    for row in scores:
        best = row.argmax()
        print(model.classes_[best], row[best])
    print(json.dumps({"p50_us": each[len(each) // 2], "p99_us": each[len(each) * 99 // 100],
                      "queries_per_second": rate, "rss_kib": resident}))


if __name__ == "__main__":
    {"train": train, "run": run}[sys.argv[1]](*sys.argv[2:])

"""The public data sets as the peers read them: {"text", "intent"} a line, shuffled; for fastText
"__label__INTENT text", lower-cased, signs apart. "oos" is out of scope."""

import csv
import hashlib
import json
import re

from common import WORK, Unavailable


def shuffled(rows):
    # nlp.js learns in the order given and loses up to 32 points on rows sorted by intent.
    return sorted(rows, key=lambda row: hashlib.md5(f"{row[1]}\0{row[0]}".encode()).digest())


def clinc(folder):
    parts = json.loads((folder / "clinc150/data_full.json").read_text())
    return {"train": parts["train"], "val": parts["val"] + parts["oos_val"],
            "test": parts["test"] + parts["oos_test"]}


def banking(folder):
    parts = {}
    for name in ("train", "test"):
        with open(folder / f"banking77/{name}.csv", newline="", encoding="utf-8") as file:
            parts[name] = [(row["text"], row["category"]) for row in csv.DictReader(file)]
    return parts


def fasttext_text(text):
    return " ".join(re.sub(r"([^\w\s])", r" \1 ", text.lower()).split())


def prepare(name, folder):
    """Writes the parts of a data set, and gives the folder."""
    try:
        parts = {"clinc150": clinc, "banking77": banking}[name](folder)
    except OSError as error:
        raise Unavailable(f"{name}: {error.strerror}: {error.filename}") from None
    out = WORK / "data" / name
    out.mkdir(parents=True, exist_ok=True)
    for part, rows in parts.items():
        rows = shuffled(rows)
        (out / f"{part}.jsonl").write_text("".join(
            json.dumps({"text": text, "intent": intent}) + "\n" for text, intent in rows))
        (out / f"{part}.fasttext").write_text("".join(
            f"__label__{intent} {fasttext_text(text)}\n" for text, intent in rows))
    return out


def small_part(folder, count):
    """A file of some queries of the test part, for counting instructions."""
    out = WORK / "data/small.csv"
    with open(folder / "test.jsonl", encoding="utf-8") as file:
        rows = [json.loads(next(file)) for _ in range(count)]
    with open(out, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "intent"])
        writer.writerows((row["text"], row["intent"]) for row in rows)
    return out

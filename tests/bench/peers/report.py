"""The table of goals, ours against the best peer, as JSON and as Markdown."""

PEERS = ("fastText", "nlp.js", "scikit-learn")


def figure(found, *path):
    """A figure by its path (over several seeds: their spread), {"missing": why}, or None."""
    for name in path:
        if not isinstance(found, dict):
            return None
        if "missing" in found:
            break
        found = found.get(name)
    return found


def scaled(value, factor):
    if isinstance(value, dict) and "value" in value:
        return {**value, **{name: value[name] * factor for name in ("value", "low", "high")}}
    return value if value is None or isinstance(value, dict) else value * factor


def plain(value):
    return value.get("value") if isinstance(value, dict) else value


def best_point(points, most_us):
    """The most accurate point of the accurate tier's curve that is as quick."""
    quick = [one for one in points if one["p50_us"] <= most_us]
    return max(quick, key=lambda one: one["accuracy"]["value"],
               default={"missing": "no model is as quick"})


def make_row(what, unit, ours, must, aim, peers=None, higher=True):
    """`peers`: name -> figure. Ratio: ours to the best of them."""
    peers = {name: value for name, value in (peers or {}).items() if value is not None}
    known = {name: value for name, value in peers.items() if not isinstance(value, dict)}
    row = {"what": what, "unit": unit, "higher_is_better": higher, "ours": ours,
           "must_reach": must, "aim": aim, "peers": peers}
    value = plain(ours)
    if value is not None and must is not None:
        row["reached"] = value >= must if higher else value <= must
        if aim is not None:
            row["aim_reached"] = value >= aim if higher else value <= aim
    if known and value is not None:
        best = (max if higher else min)(known, key=lambda name: known[name])
        row |= {"best_peer": best, "ratio": value / known[best]}
    return row


def peers_of(result, data, name, factor=1):
    return {peer: scaled(figure(result, "peers", peer, data, name), factor) for peer in PEERS}


def goals(result):
    points = result["ours"]["clinc150"]
    fast = points["fast"]
    curve = [one for name, one in points.items() if name != "fast" and "missing" not in one]
    missing = next((one for one in points.values() if "missing" in one), None)
    accurate = max(curve, key=lambda one: one["cnns"], default=missing)
    clinc = lambda name, factor=1: peers_of(result, "clinc150", name, factor)
    mega = 1 / (1 << 20)
    rows = []
    for limit, must, aim in ((80, 95.5, None), (40, 94.9, 96.5)):
        point = best_point(curve, limit) if curve else accurate
        rows.append(make_row(f"CLINC150 accuracy in scope, p50 <= {limit} us", "%",
                             figure(point, "accuracy"), must, aim, clinc("accuracy")))
    add = lambda *row, **options: rows.append(make_row(*row, **options))
    add("CLINC150 at the paper's threshold: accuracy", "%",
        figure(accurate, "accuracy_at_threshold"), 94.6, None, clinc("accuracy_at_threshold"))
    add("CLINC150 at the paper's threshold: out-of-scope recall", "%",
        figure(accurate, "oos_recall"), 66, None, clinc("oos_recall"))
    add("CLINC150 out of scope: AUROC", "%", figure(accurate, "auroc"), 97.0, None, clinc("auroc"))
    add("CLINC150 out of scope: FPR95", "%", figure(accurate, "fpr95"), 13, None, clinc("fpr95"),
        higher=False)
    add("BANKING77 accuracy", "%", figure(result, "ours", "banking77", "accurate", "accuracy"),
        93.5, None, peers_of(result, "banking77", "accuracy"))
    add("fast tier: BANKING77 accuracy", "%",
        figure(result, "ours", "banking77", "fast", "accuracy"), None, None,
        peers_of(result, "banking77", "accuracy"))
    add("accurate tier: one query, p50, whole pipeline", "us", figure(accurate, "p50_us"), 80, 40,
        clinc("p50_us"), higher=False)
    add("fast tier: CLINC150 accuracy in scope", "%", fast["accuracy"], 93.0, 94,
        clinc("accuracy"))
    add("fast tier: one query, p50, whole pipeline", "us", fast["p50_us"], 8, 4, clinc("p50_us"),
        higher=False)
    add("fast tier: queries a second, one core", "1/s", fast["queries_per_second"], 150000, 400000,
        clinc("queries_per_second"))
    add("fast tier: training on CLINC150", "s", fast["train_seconds"], 5, None,
        clinc("train_seconds"), higher=False)
    add("accurate tier: training on CLINC150", "s", figure(accurate, "train_seconds"), 300, None,
        clinc("train_seconds"), higher=False)
    add("fast tier: model file", "MiB", fast["bytes"] * mega, 16, 4, clinc("bytes", mega),
        higher=False)
    add("accurate tier: model file", "MiB", scaled(figure(accurate, "bytes"), mega), 40, 20,
        clinc("bytes", mega), higher=False)
    add("fast tier: memory of a process with the model", "MiB", fast["rss_kib"] / 1024, None, None,
        clinc("rss_kib", 1 / 1024), higher=False)
    for context, follow, whole in (("text", 95.3, 74), ("acts", 96.2, 78)):
        add(f"SGD follow-up turns, system's {context}", "%",
            figure(result, "ours", "sgd", f"accuracy_follow_up_{context}"), follow, None)
        add(f"SGD whole dialogues, system's {context}", "%",
            figure(result, "ours", "sgd", f"dialogues_right_{context}"), whole, None)
    for context in ("none", "text", "acts"):
        add(f"SGD first turns, context: {context}", "%",
            figure(result, "ours", "sgd", f"accuracy_first_turn_{context}"), None, None)
    add("SGD follow-up turns, context: none", "%",
        figure(result, "ours", "sgd", "accuracy_follow_up_none"), None, None)
    for tier in ("fast", "accurate"):
        add(f"{tier} tier: instructions a query", "",
            figure(result, "ours", "instructions", tier), None, None, higher=False)
    memory = result["ours"]["memory"]
    add("a session of four turns", "B", figure(memory, "sizes", "session"), None, None,
        higher=False)
    add("a cached result", "B", figure(memory, "sizes", "cached_result"), None, None,
        higher=False)
    add("memory growth from 1,000,000 queries on, with sessions and cache", "KiB",
        scaled(figure(memory, "growth", "growth"), 1 / 1024), 1024, None, higher=False)
    add("queries in that", "", figure(memory, "growth", "queries"), 10000000, None)
    return rows


def number(value):
    if value is None:
        return "-"
    if isinstance(value, dict):
        if "missing" in value:
            return value["missing"]
        text = number(value["value"])
        if value["seeds"] > 1:
            text += f" ({number(value['low'])} to {number(value['high'])})"
        return text
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.2f}".rstrip("0").rstrip(".")


def table(header, rows):
    lines = ["| " + " | ".join(header) + " |", "|" + " --- |" * len(header)]
    return lines + ["| " + " | ".join(row) + " |" for row in rows]


def goal_line(row):
    verdict = "-"
    if row.get("aim_reached"):
        verdict = "aim"
    elif "reached" in row:
        verdict = "yes" if row["reached"] else "no"
    sign = ">=" if row["higher_is_better"] else "<="
    bound = lambda value: "-" if value is None else f"{sign} {number(value)}"
    ratio = f"{row['ratio']:.3g} x {row['best_peer']}" if "ratio" in row else "-"
    return [row["what"] + (f", {row['unit']}" if row["unit"] else ""), number(row["ours"]),
            bound(row["must_reach"]), bound(row["aim"]), verdict,
            *(number(row["peers"].get(peer)) for peer in PEERS), ratio]


def curve_line(name, point):
    if "missing" in point:
        return [name, point["missing"], *["-"] * 10]
    return [name, *(number(point[key]) for key in
                    ("accuracy", "accuracy_at_threshold", "oos_recall", "auroc", "fpr95", "p50_us",
                     "p99_us", "queries_per_second")),
            number(point["bytes"] / (1 << 20)), number(point["train_seconds"]),
            f"{point['load']} / {point['train_load']}"]


def peer_lines(result):
    for peer in PEERS:
        found = result["peers"][peer]
        for data in ("clinc150", "banking77"):
            one = found if "missing" in found else found[data]
            if "missing" in one:
                yield [peer, data, one["missing"], *["-"] * 7]
                continue
            speed = number(one["queries_per_second"])
            if "cli_queries_per_second" in one:
                speed += f" (CLI {number(one['cli_queries_per_second'])})"
            yield [found["version"], data, number(one["accuracy"]), number(one["p50_us"]),
                   number(one["p99_us"]) if "p99_us" in one else "-", speed,
                   number(one["bytes"] / (1 << 20)),
                   number(one["rss_kib"] / 1024) if "rss_kib" in one else "-",
                   number(one["train_seconds"]), f"{one['load']} / {one['train_load']}"]


def markdown(result):
    machine = result["machine"]
    lines = ["# Benchmarks", "",
             "Written by `packaging/check.sh bench` (tests/bench/peers); the figures are also in "
             "benchmarks.json. Not edited by hand.", "",
             f"- commit: {result['commit']}", f"- date: {result['date']}",
             f"- machine: {machine['cores']} cores, {machine['cpu']}, {machine['system']}",
             f"- load average at the start and the end: {result['load'][0]}, {result['load'][1]}",
             f"- seeds: {result['seeds']['fast']} of the fast tier, "
             f"{result['seeds']['accurate']} of the accurate one; in brackets from the lowest to "
             "the highest, before them the median",
             f"- word vectors: {result['vectors']}",
             "- a model that the same program made of the same data in an earlier run is kept; its "
             "training time is of then, with the load of then. The fast tier's is always of now"]
    if result["note"]:
        lines.append(f"- note: {result['note']}")
    if result["quick"]:
        lines.append("- QUICK: shortened trainings, not to be quoted")
    lines += ["", "## Goals", "",
              "Ratio: ours to the best peer, above 1 is better for shares and rates, below 1 for "
              "times and sizes. Reached: of what must be, or of the aim.", ""]
    lines += table(["what", "ours", "must", "aim", "reached", *PEERS, "ratio"],
                   map(goal_line, result["rows"]))
    lines += ["", "## CLINC150, accuracy against time", "",
              "One thread, whole pipeline (normalise, entities, score, decide), no cache. The best "
              "median of three runs; load: the machine's average beside the times and beside the "
              "training. Threshold: the paper's, best on validation.", ""]
    lines += table(["", "accuracy", "at threshold", "OOS recall", "AUROC", "FPR95", "p50 us",
                    "p99 us", "1/s", "MiB", "train s", "load"],
                   [curve_line(*one) for one in result["ours"]["clinc150"].items()])
    lines += ["", "## Peers", "",
              "In process, one thread, the same rows, shuffled. scikit-learn's p50 is of a single "
              "`predict`, its rate that of one batch.", ""]
    lines += table(["peer", "data", "accuracy", "p50 us", "p99 us", "1/s", "MiB", "RSS MiB",
                    "train s", "load"], peer_lines(result))
    return "\n".join(lines) + "\n"

"""A load scenario of Sluice for Locust 2.12 (Debian 12): `PLAN`, put above these lines, says who asks what and when.

Run by `sluicectl load run --generator locust`. By hand, on one machine, without a live stream:
    locust -f locustfile.py --headless
Each worker counts its answers by second in buckets of 0.8 % width, since Locust's own times are whole milliseconds
of two digits, and hands them to the master with Locust's report; the master prints one JSON object a second.
"""

import bisect
import itertools
import json
import os
import random
import signal
import sys
import time
import uuid

import gevent
import gevent.socket
import locust.runners
import locust.stats
from locust import FastHttpUser, LoadTestShape, constant, events, task

# Debian's 2.12.1-1 bears no version; a master then takes every worker for older than 2.0 and waits for ever.
locust.runners.__version__ = locust.runners.__version__ or "2.12.1"
# A report a second instead of every three.
locust.runners.WORKER_REPORT_INTERVAL = 1.0
# Otherwise the history reaches the disk every 10 s, and the last of it never.
locust.stats.CSV_STATS_FLUSH_INTERVAL_SEC = 1

SETTLE = 2.5  # seconds after which a second's reports are in: workers report each second, heartbeats take three
SILENT = 3  # seconds without a report after which a worker counts as lost: Locust itself takes a second or two more
SPAWN_PER_WORKER = 100  # users a second; beyond, Locust warns of trouble


class Curve:
    """[[seconds, users, requests a second], ...], straight lines between, steps where two points have one time."""

    def __init__(self, points):
        self.points = points
        self.times = [point[0] for point in points]

    def at(self, seconds, column):
        after = bisect.bisect_right(self.times, seconds)
        if after == 0:
            return self.points[0][column]
        if after == len(self.points):
            return self.points[-1][column]
        left, right = self.points[after - 1], self.points[after]
        share = (seconds - left[0]) / (right[0] - left[0])
        return left[column] + share * (right[column] - left[column])

    def end(self):
        return self.times[-1]


CURVE = Curve(PLAN["curve"])  # noqa: F821 (PLAN stands above)
SCRIPTS = [requests for _, requests in PLAN["scripts"]]  # noqa: F821
WEIGHTS = list(itertools.accumulate(weight for weight, _ in PLAN["scripts"]))  # noqa: F821


class Counts:
    """What a worker saw, by second since it started: answers, errors by kind, latencies by bucket."""

    def __init__(self):
        self.started = time.monotonic()
        self.test_started = None
        self.seconds = {}

    def now(self):
        return time.monotonic() - self.started

    def add(self, seconds, kind, detail):
        entry = self.seconds.setdefault(int(self.now()), [0, {}, {}, {}])
        if kind is None:
            entry[0] += 1
            nanoseconds = max(1, int(seconds * 1e9))
            shift = max(0, nanoseconds.bit_length() - 8)
            bucket = nanoseconds >> shift << shift
            entry[2][bucket] = entry[2].get(bucket, 0) + 1
        else:
            entry[1][kind] = entry[1].get(kind, 0) + 1
            if kind not in entry[3]:
                entry[3][kind] = detail[:300]

    def take(self):
        taken = [
            [second, entry[0], entry[1], list(entry[2].items()), entry[3]]
            for second, entry in sorted(self.seconds.items())
        ]
        self.seconds = {}
        return taken


COUNTS = Counts()


def error_kind(response):
    """None for an answer of 2xx, else the words that Sluice's own generator uses."""
    error = getattr(response, "error", None)
    status = response.status_code or 0
    if status:
        return None if 200 <= status < 300 else f"status {status}"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, (TimeoutError, gevent.socket.timeout, gevent.Timeout)):
        return "timeout"
    if isinstance(error, OSError) and error.errno is not None and not isinstance(error, ConnectionError):
        return os.strerror(error.errno).lower()
    return "connection closed"


class Caller(FastHttpUser):
    """One user: asks its scripts one after another, in a session."""

    host = PLAN["host"]  # noqa: F821
    wait_time = constant(0)
    connection_timeout = PLAN["timeout"]  # noqa: F821
    network_timeout = PLAN["timeout"]  # noqa: F821
    made = 0

    def on_start(self):
        Caller.made += 1
        worker = getattr(self.environment.runner, "worker_index", 0)
        self.random = random.Random(f"{PLAN['seed']}/{worker}/{Caller.made}")  # noqa: F821
        self.session = self.new_session()
        # Users that start in one batch would ask in step for ever.
        self.due = time.monotonic() + self.random.random() * self.pause()
        self.script = []

    def new_session(self):
        return f"load-{uuid.UUID(int=self.random.getrandbits(128))}"

    def pause(self):
        """Seconds from one request to the next: the rate's share of this user, or the time to think."""
        seconds = COUNTS.now() - (COUNTS.test_started or 0)
        rate = CURVE.at(seconds, 2)
        if rate > 0:
            return max(1.0, CURVE.at(seconds, 1)) / rate
        return PLAN["think"]  # noqa: F821

    @task
    def ask(self):
        wait = self.due - time.monotonic()
        if wait > 0:
            gevent.sleep(wait)
        if not self.script:
            drawn = bisect.bisect_left(WEIGHTS, self.random.random() * WEIGHTS[-1])
            self.script = list(SCRIPTS[min(drawn, len(SCRIPTS) - 1)])
            if len(self.script) > 1:
                self.session = self.new_session()
        path, body = self.script.pop(0)
        began = time.monotonic()
        response = self.client.post(
            path, data=body, headers={"Content-Type": "application/json", "X-Session-Id": self.session}, name=path
        )
        ended = time.monotonic()
        kind = error_kind(response)
        COUNTS.add(ended - began, kind, "" if kind is None else str(getattr(response, "error", None) or response.text))
        pause = self.pause() * (1 + PLAN["jitter"] * (2 * self.random.random() - 1))  # noqa: F821
        # Paced by the rate from start to start; by the time to think from the answer on.
        self.due = max(self.due, ended - pause) + pause if CURVE.at(0, 2) > 0 else ended + pause


class Shape(LoadTestShape):
    """The curve's users, asked for once a second. The run itself is ended by Master.end_at()."""

    def tick(self):
        seconds = self.get_run_time()
        if seconds > CURVE.end() + 5:
            return None
        users = max(0, round(CURVE.at(min(seconds, CURVE.end()), 1)))
        workers = max(1, getattr(self.runner, "worker_count", 1)) if getattr(self, "runner", None) else 1
        return users, max(1, min(users, SPAWN_PER_WORKER * workers))


def say(what):
    """One line for Sluice."""
    sys.stdout.write(json.dumps(what, separators=(",", ":")) + "\n")
    sys.stdout.flush()


class Master:
    """Collects what workers report and prints it second by second."""

    def __init__(self, environment, runner):
        self.environment = environment
        self.runner = runner
        self.offsets = {}  # from a worker's clock to ours
        self.numbers = {}  # workers in the order of their first report
        self.heard = {}  # when each last reported, by our clock
        self.lost = set()
        self.pending = {}
        self.started = None
        self.printed = 0
        self.users = {}
        self.complete = False
        self.ending = False
        Shape.runner = runner
        quit_once = runner.quit

        def quit_first(*args, **kwargs):
            self.ending = True  # workers that leave from now on are not lost
            # Locust quits twice at its end, and sleeps half a second each time.
            runner.quit = lambda *a, **k: None
            quit_once(*args, **kwargs)

        runner.quit = quit_first
        environment.events.test_start.add_listener(self.on_start)
        environment.events.worker_report.add_listener(self.on_report)
        # Not `quitting`: its listeners run before the workers' last reports are in.
        environment.events.quit.add_listener(self.on_quit)

    def now(self):
        return time.monotonic() - self.started if self.started is not None else 0.0

    def on_start(self, **kwargs):
        if self.started is None:
            self.started = time.monotonic()
            say({"started": {"workers": len(self.runner.clients)}})
            gevent.spawn(self.watch)
            gevent.spawn(self.end_at)

    def end_at(self):
        gevent.sleep(CURVE.end())
        self.complete = True
        self.runner.quit()

    def stop(self):
        if self.started is None:
            os._exit(1)
        self.runner.quit()

    def on_report(self, client_id, data, **kwargs):
        sluice = data.get("sluice")
        if not sluice or self.started is None:
            return
        self.numbers.setdefault(client_id, len(self.numbers) + 1)
        self.heard[client_id] = self.now()
        offset = self.offsets.setdefault(client_id, round(self.now() - sluice["now"]))
        for second, done, errors, latencies, samples in sluice["seconds"]:
            at = max(self.printed, second + offset)
            entry = self.pending.setdefault(at, [0, {}, {}, {}])
            entry[0] += done
            for kind, count in errors.items():
                entry[1][kind] = entry[1].get(kind, 0) + count
            for bucket, count in latencies:
                entry[2][bucket] = entry[2].get(bucket, 0) + count
            entry[3].update(samples)

    def find_lost(self):
        if self.ending:
            return
        clients = self.runner.clients
        for client_id, number in self.numbers.items():
            node = clients._worker_nodes.get(client_id)
            silent = self.now() - self.heard[client_id] > SILENT
            gone = silent or node is None or node.state == locust.runners.STATE_MISSING
            if gone and client_id not in self.lost:
                self.lost.add(client_id)
                say({"lost": {"worker": number, "id": client_id, "second": int(self.now())}})
            elif not gone and client_id in self.lost:
                self.lost.discard(client_id)
                say({"back": {"worker": number, "id": client_id, "second": int(self.now())}})

    def watch(self):
        while True:
            self.users[int(self.now())] = self.runner.user_count
            self.find_lost()
            self.print_until(int(self.now() - SETTLE))
            gevent.sleep(1 - self.now() % 1)

    def print_until(self, end):
        while self.printed < end:
            done, errors, latencies, samples = self.pending.pop(self.printed, [0, {}, {}, {}])
            say(
                {
                    "second": self.printed,
                    "users": self.users.pop(self.printed, self.runner.user_count),
                    "workers": len(self.numbers) - len(self.lost),
                    "done": done,
                    "errors": errors,
                    "latency": sorted(latencies.items()),
                    "samples": samples,
                    "cpu": [round(node.cpu_usage or 0, 1) for node in self.runner.clients.values()],
                }
            )
            self.printed += 1

    def on_quit(self, **kwargs):
        if self.started is None:
            return
        last = max(self.pending, default=-1) + 1
        self.print_until(min(max(last, int(min(self.now(), CURVE.end()))), self.printed + 60))
        total = self.runner.stats.total
        say(
            {
                "end": {
                    "complete": self.complete,
                    "seconds": self.now(),
                    "requests": total.num_requests,
                    "failures": total.num_failures,
                    "exceptions": [entry["msg"][:300] for entry in list(self.runner.exceptions.values())[:5]],
                }
            }
        )


def end_with_starter():
    """Whoever started us holds the other end of our standard input; when that is gone, so are we."""
    try:
        while True:
            gevent.socket.wait_read(0)
            if not os.read(0, 4096):
                break
    except OSError:
        return  # not a pipe: started by hand
    os._exit(3)


@events.init.add_listener
def on_init(environment, runner, **kwargs):
    if os.environ.get("SLUICE_REMOVE_LOCUSTFILE"):
        os.unlink(os.environ["SLUICE_REMOVE_LOCUSTFILE"])
    gevent.spawn(end_with_starter)
    if isinstance(runner, locust.runners.MasterRunner):
        master = Master(environment, runner)
        # Locust listens to neither before a run with a shape is over.
        gevent.signal_handler(signal.SIGTERM, master.stop)
        gevent.signal_handler(signal.SIGINT, master.stop)
    else:

        def on_test_start(**kwargs):
            if COUNTS.test_started is None:
                COUNTS.test_started = COUNTS.now()

        environment.events.test_start.add_listener(on_test_start)

    if isinstance(runner, locust.runners.WorkerRunner):

        def on_report(client_id, data, **kwargs):
            data["sluice"] = {"now": COUNTS.now(), "seconds": COUNTS.take()}

        environment.events.report_to_master.add_listener(on_report)

"""How costs grow: points of curves, measured in parts and kept in one file."""

import datetime
import json
import os
import resource

from suite import resting, tools
from suite.figures import median
from suite.pushes import http_run
from suite.system import System

_HISTORY = os.path.join(os.path.dirname(os.path.abspath(__file__)), "history.sql")
_ROWS_AT_ONCE = 1_200_000
_MB = 1e6


def size(text):
    """1000, 10k or 1M as a number."""
    factor = {"k": 1000, "M": 1_000_000}.get(text[-1:], 1)
    value = float(text[:-1] if factor > 1 else text) * factor
    if value < 0 or value != int(value):
        raise ValueError(f"{text}: must be a whole number such as 1000, 10k or 1M")
    return int(value)


def load(path):
    """Curve → x → values."""
    try:
        with open(path) as file:
            return {curve: {int(x): point for x, point in points.items()}
                    for curve, points in json.load(file).items()}
    except FileNotFoundError:
        return {}


def add(path, curve, x, values):
    """Adds a point to the file, in place of what was measured there before."""
    curves = load(path)
    curves.setdefault(curve, {})[x] = {**values, "date": datetime.date.today().isoformat()}
    ordered = {name: dict(sorted(points.items())) for name, points in sorted(curves.items())}
    with open(path, "w") as out:
        json.dump(ordered, out, indent=1)
        out.write("\n")


def _pushes(system, nginx, seconds, runs, connections=tools.CONNECTIONS):
    measured = [http_run(system, nginx, seconds, connections=connections) for _ in range(runs)]
    parts = [run["us"] for run in measured]
    return {**{key: median(measured, key)
               for key in ("rate", "nginx", "ratio", "p50_ms", "p99_ms", "refused")},
            **{f"us_{part}": median(parts, part) for part in parts[0]}}


def _list_p99(system, what, request, skip=0):
    return tools.list_pages(system.core.address, what, 1, 3, skip,
                            {"pageSize": 50, **request})[0]["p99_ms"]


def monitors(at, given):
    """Pushes, core's memory, its start, and lists, as monitors grow."""
    with System() as system, tools.Nginx() as nginx:
        for count in at:
            system.grow(count)
            known = resting.push_each_once(system, 300)
            system.warm_up(given.seconds)
            values = _pushes(system, nginx, given.seconds, given.runs)
            values["core_mb"] = system.core.resident_bytes() / _MB
            values["tokens_known"] = known
            values["list_p99_ms"] = _list_p99(system, "monitors", {}, count // 2000)
            values["ready_s"] = resting.restart_seconds(system)
            yield count, values


def connections(at, given):
    """Pushes as connections grow."""
    # A socket on each side, and some to spare; children inherit the limit.
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    with System() as system, tools.Nginx() as nginx:
        system.grow(given.monitors)
        resting.push_each_once(system, 120)
        for count in at:
            values = _pushes(system, nginx, given.seconds, given.runs, count)
            values["gateway_mb"] = system.gateway_process.resident_bytes() / _MB
            yield count, values


def history(at, given):
    """Pushes and reads as the history grows."""
    with System() as system, tools.Nginx() as nginx:
        system.grow(given.monitors)
        resting.push_each_once(system, 120)
        made = 0
        for rows in at:
            while made < rows:
                some = min(_ROWS_AT_ONCE, rows - made)
                system.postgres.run_file(_HISTORY, rows=some)
                made += some
            system.postgres.execute("VACUUM ANALYZE heartbeat")
            system.postgres.execute("CHECKPOINT")
            system.warm_up(given.seconds, again=True)
            values = _pushes(system, nginx, given.seconds, given.runs)
            values["heartbeats_p99_ms"] = _list_p99(
                system, "heartbeats", {"parent": "projects/default/monitors/bench-7"})
            values["monitors_p99_ms"] = _list_p99(system, "monitors", {}, given.monitors // 2000)
            values["history_mb"] = system.postgres.query(
                "SELECT sum(pg_total_relation_size(inhrelid)) AS bytes FROM pg_inherits"
                " WHERE inhparent = 'heartbeat'::regclass")[0]["bytes"] / _MB
            yield rows, values


# Name → (what measures it, where by default).
CURVES = {
    "monitors": (monitors, "1k,10k,100k,1M"),
    "connections": (connections, "1,4,16,64,256,1k,4k,10k"),
    "history": (history, "0,1M,10M,50M"),
}

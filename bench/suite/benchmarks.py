"""The benchmarks. Each returns rows: (target, what, value as text, number or None)."""

import dataclasses
import datetime
import statistics

from harness.waiting import pause, wait_until
from suite import tools


@dataclasses.dataclass
class Row:
    target: str   # as in the list of targets, e.g. "P1"
    what: str
    text: str     # for the table
    value: float  # for the JSON


@dataclasses.dataclass
class Scale:
    """How much is measured."""
    monitors: int
    seconds: int
    runs: int
    mortal: int  # monitors that die in the detection benchmark


def _median_run(runs, key):
    return statistics.median(run[key] for run in runs)


def baseline(system, scale):
    """What the machine can do: HTTP without anything behind it, and one durable row."""
    with tools.Nginx() as nginx:
        keep = [tools.wrk(nginx.address, scale.seconds, scale.monitors) for _ in range(scale.runs)]
        close = [tools.wrk(nginx.address, scale.seconds, scale.monitors, close=True)
                 for _ in range(scale.runs)]
    system.nginx = _median_run(keep, "requests_per_second")
    system.nginx_close = _median_run(close, "requests_per_second")
    system.commit_ms = statistics.median(
        tools.commit_milliseconds(system.postgres, 2) for _ in range(scale.runs))
    return [
        Row("", "nginx return 200, keep-alive", f"{system.nginx:,.0f}/s", system.nginx),
        Row("", "nginx return 200, connection per request", f"{system.nginx_close:,.0f}/s",
            system.nginx_close),
        Row("", "PostgreSQL, one-row commit, median", f"{system.commit_ms:.2f} ms",
            system.commit_ms),
    ]


def _push_run(system, scale, close):
    before, wal, stored = system.cpu_seconds(), system.wal_position(), system.stored()
    run = tools.wrk(system.gateway, scale.seconds, scale.monitors, close=close)
    after = system.cpu_seconds()
    run["accepted"] = run["requests"] - run["not_2xx"]
    run["accepted_per_second"] = run["accepted"] / run["seconds"]
    run["wal"] = tools.wal_bytes(system.postgres, wal, system.wal_position())
    run["stored"] = system.stored() - stored
    run["cpu_us"] = {part: (after[part] - before[part]) * 1e6 / max(1, run["accepted"])
                     for part in after}
    # A push in flight when wrk stops is stored and not counted by it; none the other way round.
    if run["stored"] < run["accepted"]:
        raise RuntimeError(f"{run['accepted']} acknowledged, {run['stored']} stored")
    return run


def push(system, scale):
    """P1, P2: acknowledged pushes a second at 256 connections."""
    tools.wrk(system.gateway, max(3, scale.seconds // 2), scale.monitors)  # caches, statistics
    keep = [_push_run(system, scale, close=False) for _ in range(scale.runs)]
    close = [_push_run(system, scale, close=True) for _ in range(scale.runs)]
    rows = []
    for target, name, runs, ceiling in (("P1", "keep-alive", keep, system.nginx),
                                        ("P2", "connection per push", close, system.nginx_close)):
        rate = _median_run(runs, "accepted_per_second")
        rows += [
            Row(target, f"durable pushes, {name}", f"{rate:,.0f}/s", rate),
            Row(target, f"  ratio to nginx, {name}", f"{rate / ceiling:.2f}", rate / ceiling),
            Row("", "  p50, p99",
                f"{_median_run(runs, 'p50_ms'):.1f} ms, {_median_run(runs, 'p99_ms'):.1f} ms",
                _median_run(runs, "p99_ms")),
        ]
        refused = sum(run["not_2xx"] + run["socket_errors"] for run in runs)
        if refused:
            rows.append(Row("", "  refused or broken", f"{refused}", refused))
    for part in keep[0]["cpu_us"]:
        used = statistics.median(run["cpu_us"][part] for run in keep)
        if used >= 0.05:
            rows.append(Row("P1", f"  processor per push, {part}", f"{used:.1f} µs", used))
    record, pages = (sum(run["wal"][i] for run in keep) / sum(run["stored"] for run in keep)
                     for i in (0, 1))
    rows.append(Row("P10", "  log per push, without and of page images",
                    f"{record:.0f} B, {pages:.0f} B", record))
    hot = system.postgres.query(
        "SELECT sum(n_tup_upd) AS updates, sum(n_tup_hot_upd) AS hot FROM pg_stat_user_tables"
        " WHERE relname = 'monitor_state'")[0]
    share = hot["hot"] / max(1, hot["updates"])
    rows.append(Row("P10", "  heap-only updates of the state", f"{share:.1%}", share))
    size = system.postgres.query(
        "SELECT sum(pg_total_relation_size(c.oid)) AS bytes FROM pg_class c"
        " JOIN pg_inherits i ON i.inhrelid = c.oid WHERE i.inhparent = 'heartbeat'::regclass")[0]
    each = int(size["bytes"]) / system.stored()
    rows.append(Row("P10", "  table and index per heartbeat", f"{each:.0f} B", each))
    return rows


def latency(system, scale):
    """P3: latency at 5,000 pushes a second, open loop."""
    runs = [tools.OpenLoop(system.gateway, 5000, scale.seconds, scale.monitors).finish()
            for _ in range(scale.runs)]
    lost = sum(run["refused"] + run["failed"] for run in runs)
    p50, p99 = _median_run(runs, "p50_ms"), _median_run(runs, "p99_ms")
    commit = system.commit_ms
    return [
        Row("P3", "latency at 5,000/s, open loop, p50", f"{p50:.2f} ms (≤ {2 * commit + 1:.2f})", p50),
        Row("P3", "latency at 5,000/s, open loop, p99", f"{p99:.2f} ms (≤ {5 * commit + 5:.2f})", p99),
        Row("", "  refused or lost", f"{lost}", lost),
    ]


def _detection_run(system, scale, rate, number):
    """Latencies in ms, deadline to: noticed, committed, webhook."""
    prefix = f"mortal{number}-{system.next_mortal}-"
    # The first dies 4 s from now, the others evenly after it.
    spread = max(scale.seconds, 5)
    first = 50_000_000 + system.next_mortal
    system.seed(prefix, first, scale.mortal, 4e6, spread * 1e6 / scale.mortal)
    system.next_mortal += scale.mortal
    load = tools.OpenLoop(system.gateway, rate, spread + 5, scale.monitors)
    pushed = load.finish()
    wait_until(lambda: system.postgres.query(
        f"SELECT count(*) AS n FROM incident JOIN monitor m USING (monitor_id)"
        f" WHERE m.id LIKE '{prefix}%'")[0]["n"] == scale.mortal, 30, "every death is found", poll=0.5)
    rows = system.postgres.query(
        "SELECT m.id, extract(epoch FROM i.opened_at) AS deadline,"
        " extract(epoch FROM i.detected_at - i.opened_at) AS noticed,"
        " extract(epoch FROM pg_xact_commit_timestamp(i.xmin) - i.opened_at) AS committed"
        f" FROM incident i JOIN monitor m USING (monitor_id) WHERE m.id LIKE '{prefix}%'")
    wait_until(lambda: sum(m.monitor.startswith(prefix) for m in system.receiver.messages())
               >= scale.mortal, 30, "every webhook arrives", poll=0.5)
    arrived = {m.monitor: m.arrived for m in reversed(system.receiver.messages())}
    return {
        "noticed": [row["noticed"] * 1000 for row in rows],
        "committed": [row["committed"] * 1000 for row in rows],
        "webhook": [(arrived[row["id"]] - row["deadline"]) * 1000 for row in rows],
        "lost": pushed["refused"] + pushed["failed"],
    }


def detect(system, scale, rate=2000):
    """P6: from a deadline to its committed alert event and to the webhook, with pushes beside."""
    runs = [_detection_run(system, scale, rate, number) for number in range(scale.runs)]
    rows = []
    for target, key, name in (("P6", "noticed", "noticed"), ("P6", "committed", "committed event"),
                              ("P8", "webhook", "webhook received")):
        p50 = statistics.median(tools.percentile(run[key], 0.5) for run in runs)
        p99 = statistics.median(tools.percentile(run[key], 0.99) for run in runs)
        rows.append(Row(target, f"deadline → {name}, at {rate:,} pushes/s, p50, p99",
                        f"{p50:.1f} ms, {p99:.1f} ms", p99))
    lost = sum(run["lost"] for run in runs)
    rows.append(Row("", "  pushes refused or lost meanwhile", f"{lost}", lost))
    return rows


def detect10k(system, scale):
    """P6 as its target says: at 10,000 pushes a second."""
    return detect(system, scale, 10000)


def mass(system, scale):
    """P7: many deadlines in the same second, pushes beside."""
    count = scale.monitors
    prefix = f"mass{system.next_mortal}-"
    delay = 10
    begin = tools.stopwatch()
    system.seed(prefix, 50_000_000 + system.next_mortal, count, delay * 1e6, 1e6 / count)
    system.next_mortal += count
    load = tools.OpenLoop(system.gateway, 1000, max(2, delay - int(begin())) + 20, scale.monitors)

    def found():
        return system.postgres.query(
            "SELECT count(*) AS n, extract(epoch FROM max(pg_xact_commit_timestamp(i.xmin)) -"
            " max(i.opened_at)) AS last FROM incident i JOIN monitor m USING (monitor_id)"
            f" WHERE m.id LIKE '{prefix}%'")[0]
    pushed = load.finish()
    wait_until(lambda: found()["n"] == count, 60, lambda: f"all are found: {found()}", poll=1)
    lost = pushed["refused"] + pushed["failed"]
    last = found()["last"]
    return [
        Row("P7", f"{count:,} deadlines in one second, all recorded after", f"{last:.1f} s", last),
        Row("P7", "  pushes meanwhile, 1,000/s: p99", f"{pushed['p99_ms']:.1f} ms", pushed["p99_ms"]),
        Row("", "  pushes refused or lost meanwhile", f"{lost}", lost),
    ]


def webhooks(system, scale):
    """P8: how quickly a backlog of webhooks leaves for one fast receiver."""
    count = 20 * scale.mortal
    prefix = f"told{system.next_mortal}-"
    with tools.Nginx(log_arrivals=True) as nginx:
        system.cli.json("channel", "create", f"sink{system.next_mortal}", "--url",
                        f"http://{nginx.address}/")
        system.notifier.terminate()
        system.seed(prefix, 50_000_000 + system.next_mortal, count, 2e6,
                    channels=f"sink{system.next_mortal}")
        system.next_mortal += count

        def pending():
            return system.postgres.query(
                "SELECT count(*) AS n FROM delivery JOIN monitor m USING (monitor_id)"
                f" WHERE m.id LIKE '{prefix}%' AND state = 1")[0]["n"]
        wait_until(lambda: pending() == count, 60, lambda: f"{pending()} deliveries wait", poll=0.5)
        system.notifier.restart(60)
        wait_until(lambda: pending() == 0, 120, lambda: f"{pending()} deliveries wait", poll=0.5)
        arrivals = nginx.arrivals()
    rate = len(arrivals) / max(0.001, arrivals[-1] - arrivals[0])
    return [
        Row("P8", f"webhooks to one fast receiver, backlog of {count:,}", f"{rate:,.0f}/s", rate),
        Row("", "  sent more than once", f"{len(arrivals) - count}", len(arrivals) - count),
    ]


def idle(system, scale):
    """P9: memory and processor time with nothing to do."""
    system.restart_core()
    pause(5)
    before = system.cpu_seconds()
    seconds = max(10, scale.seconds)
    pause(seconds)
    after = system.cpu_seconds()
    services = [part for part in after if part != "postgres"]
    used = sum(after[part] - before[part] for part in services) / seconds
    memory = {s.name.partition("-")[0]: s.resident_bytes() / 1e6 for s in system.services}
    each = ", ".join(f"{part} {size:.0f}" for part, size in memory.items())
    return [
        Row("P9", f"memory of the services, {system.monitors:,} monitors ({each})",
            f"{sum(memory.values()):.0f} MB", sum(memory.values())),
        Row("P9", "idle processor use of the services", f"{used:.2%} of a core", used),
    ]


# In the order in which they run; `baseline` always runs.
ALL = {"push": push, "latency": latency, "detect": detect, "detect10k": detect10k, "idle": idle,
       "webhooks": webhooks, "mass": mass}


def describe():
    return "\n".join(f"  {name:10} {function.__doc__.splitlines()[0]}"
                     for name, function in ALL.items())


def today():
    return datetime.date.today().isoformat()

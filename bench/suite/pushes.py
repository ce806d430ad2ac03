"""P1, P2, P3, P4, P10: what acknowledged pushes cost, and how long they take."""

from harness.waiting import pause
from suite import tools
from suite.figures import HIGHER, LOWER, Figure, median

IN_FLIGHT = 256  # gRPC calls
GROUP = 100      # of pushes, as large as 256 connections make them
_EXTRA = "  "    # figures that belong to the one above


def http_run(system, nginx, seconds, *more, connections=tools.CONNECTIONS):
    """nginx and then the gateway under the same script, one right after the other."""
    ceiling = tools.wrk(nginx.address, seconds, system.monitors, *more, connections=connections)
    before, stored = system.cpu_seconds(), system.stored()
    run = tools.wrk(system.gateway, seconds, system.monitors, *more, connections=connections)
    after = system.cpu_seconds()
    accepted = run["requests"] - run["not_2xx"]
    run["nginx"] = ceiling["requests_per_second"]
    run["accepted"] = accepted
    run["rate"] = accepted / run["seconds"]
    run["ratio"] = run["rate"] / run["nginx"]
    run["refused"] = run["not_2xx"] + run["socket_errors"]
    run["us"] = {part: (after[part] - before[part]) * 1e6 / max(1, accepted) for part in after}
    run["us"]["wrk"] = run["wrk_us"]
    run["stored"] = system.stored() - stored
    # A push in flight when wrk stops is stored and not counted by it; none the other way round.
    if run["stored"] < accepted:
        raise RuntimeError(f"{accepted} acknowledged, {run['stored']} stored")
    return run


def _rate_figures(runs, key, target, how):
    ratio = median(runs, "ratio")
    return [
        Figure(f"{key}.ratio", f"durable pushes {how}, of nginx's rate", ratio, target=target,
               better=HIGHER, limit=0.5),
        Figure(f"{key}.rate", f"{_EXTRA}pushes", median(runs, "rate"), "/s", better=HIGHER,
               relative=ratio),
        Figure(f"{key}.nginx", f"{_EXTRA}nginx `return 200`", median(runs, "nginx"), "/s"),
        Figure(f"{key}.p50", f"{_EXTRA}p50", median(runs, "p50_ms"), "ms"),
        Figure(f"{key}.p99", f"{_EXTRA}p99", median(runs, "p99_ms"), "ms"),
        Figure(f"{key}.refused", f"{_EXTRA}refused or broken", sum(run["refused"] for run in runs),
               better=LOWER),
    ]


def _processor_figures(runs):
    nginx = median(runs, "nginx")
    figures = []
    for part in runs[0]["us"]:
        used = median([run["us"] for run in runs], part)
        if used < 0.05:
            continue
        ours = part != "wrk"
        figures.append(Figure(f"push.us.{part}", f"{_EXTRA}processor per push, {part}", used, "µs",
                              better=LOWER if ours else None, relative=used * nginx / 1e6,
                              tolerance=0.2))
    return figures


_UPDATES = ("SELECT coalesce(sum(n_tup_upd), 0) AS updates, coalesce(sum(n_tup_hot_upd), 0) AS hot"
            " FROM pg_stat_user_tables WHERE relname = 'monitor_state'")
_HISTORY = ("SELECT coalesce(sum(pg_total_relation_size(c.oid)), 0) AS bytes FROM pg_class c"
            " JOIN pg_inherits i ON i.inhrelid = c.oid WHERE i.inhparent = 'heartbeat'::regclass")


def _settled_updates(system):
    pause(2)  # a session reports what it did once a second
    return system.postgres.query(_UPDATES)[0]


def push(system, scale):
    """P1, P10: acknowledged pushes a second at 256 connections, and what each costs."""
    system.grow(scale.monitors)
    system.warm_up(scale.seconds // 2)
    updates, runs, records, pages = _settled_updates(system), [], 0, 0
    with tools.Nginx() as nginx:
        for _ in range(scale.runs):
            wal = system.wal_position()
            runs.append(http_run(system, nginx, scale.seconds))
            log = tools.wal_bytes(system.postgres, wal, system.wal_position())
            records, pages = records + log[0], pages + log[1]
    after, count = _settled_updates(system), sum(run["stored"] for run in runs)
    size = system.postgres.query(_HISTORY)[0]["bytes"]
    memory = sum(service.resident_bytes() for service in system.services) / 1e6
    in_history = size / system.stored()
    # Last, since it adds to the history.
    alone = [tools.store_alone(system.postgres.url, scale.seconds, GROUP, system.monitors)
             for _ in range(scale.runs)]
    hot = (after["hot"] - updates["hot"]) / max(1, after["updates"] - updates["updates"])
    return [
        *_rate_figures(runs, "push", "P1", "keep-alive"),
        *_processor_figures(runs),
        # What PostgreSQL reaches with the whole machine, without HTTP, gRPC and load.
        Figure("push.store", f"{_EXTRA}recorded by the store alone", median(alone, "per_second"),
               "/s"),
        Figure("push.memory", f"{_EXTRA}memory of the services after it", memory, "MB",
               better=LOWER, tolerance=0.2),
        Figure("push.table", "table and index per heartbeat", in_history, "B", "P10", LOWER, 120,
               tolerance=0.05),
        Figure("push.wal", "log per heartbeat, without page images", records / count, "B", "P10",
               LOWER, 320, tolerance=0.05),
        Figure("push.wal_pages", f"{_EXTRA}page images besides", pages / count, "B"),
        # Not quite all: now and then a page is full.
        Figure("push.hot", "heap-only updates of the state", hot, "%", "P10", HIGHER, 0.999,
               tolerance=0.005),
    ]


def connect(system, scale):
    """P2: the same with a new connection for each push."""
    system.grow(scale.monitors)
    system.warm_up(scale.seconds // 2)
    with tools.Nginx() as nginx:
        runs = [http_run(system, nginx, scale.seconds, "close") for _ in range(scale.runs)]
    return _rate_figures(runs, "connect", "P2", "with a connection each")


def latency(system, scale):
    """P3: latency at 5,000 pushes a second, open loop."""
    system.grow(scale.monitors)
    system.warm_up(scale.seconds // 2)
    runs = []
    for _ in range(scale.runs):
        commit, slow = tools.commit_milliseconds(system.postgres, 2), tools.slow_share(2)
        with tools.OpenLoop(system.gateway, 5000, scale.seconds, system.monitors) as load:
            runs.append({**load.finish(), "commit": commit, "slow": slow})
    commit = median(runs, "commit")
    p50, p99 = median(runs, "p50_ms"), median(runs, "p99_ms")
    p50_limit, p99_limit = 2 * commit + 1, 5 * commit + 5
    return [
        Figure("latency.p50", "latency at 5,000/s, open loop, p50", p50, "ms", "P3", LOWER,
               p50_limit, relative=p50 / p50_limit, tolerance=0.3),
        Figure("latency.p99", "latency at 5,000/s, open loop, p99", p99, "ms", "P3", LOWER,
               p99_limit, relative=p99 / p99_limit, tolerance=0.6),
        Figure("latency.commit", f"{_EXTRA}PostgreSQL, one-row commit, median", commit, "ms"),
        Figure("latency.slow", f"{_EXTRA}time in which the machine was slow",
               median(runs, "slow"), "%"),
        Figure("latency.lost", f"{_EXTRA}refused or lost", sum(run["lost"] for run in runs),
               better=LOWER),
    ]


def grpc(system, scale):
    """P4: unary gRPC pushes, 256 in flight, beside an empty call of the same library."""
    system.grow(scale.monitors)
    core = system.core.address
    tools.grpc_push(core, max(2, scale.seconds // 2), IN_FLIGHT, system.monitors)
    runs = []
    with tools.empty_grpc_server() as server:
        for _ in range(scale.runs):
            empty = tools.grpc_empty(server, scale.seconds, IN_FLIGHT)
            stored = system.stored()
            run = tools.grpc_push(core, scale.seconds, IN_FLIGHT, system.monitors)
            if system.stored() - stored < run["ok"]:
                raise RuntimeError(f"{run['ok']} acknowledged, {system.stored() - stored} stored")
            runs.append({**run, "empty": empty["per_second"],
                         "ratio": run["per_second"] / empty["per_second"]})
    ratio = median(runs, "ratio")
    return [
        Figure("grpc.ratio", "unary gRPC pushes, of an empty call's rate", ratio, target="P4",
               better=HIGHER, limit=0.7),
        Figure("grpc.rate", f"{_EXTRA}pushes", median(runs, "per_second"), "/s", better=HIGHER,
               relative=ratio),
        Figure("grpc.empty", f"{_EXTRA}empty calls", median(runs, "empty"), "/s"),
        Figure("grpc.p99", f"{_EXTRA}p99", median(runs, "p99_ms"), "ms"),
        Figure("grpc.refused", f"{_EXTRA}refused", sum(run["refused"] for run in runs),
               better=LOWER),
    ]

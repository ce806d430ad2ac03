"""P6, P7, P8: from a deadline to its alert event and its webhook."""

import statistics

from suite import tools
from suite.figures import HIGHER, LOWER, Figure, median, percentile
from suite.system import CRITICAL

_EXTRA = "  "
_LEAD_S = 4      # how long the monitors of one run are made before the first of them dies
_OTHERS = 100    # channels beside a healthy one


def _spread(scale):
    return max(scale.seconds, 3)


def webhook_milliseconds(system, prefix, arrivals):
    """Deadline → webhook of each monitor of doom(); `arrivals` as Nginx gives them."""
    rows = system.postgres.query(
        "SELECT d.id, extract(epoch FROM i.opened_at) AS deadline FROM delivery d"
        " JOIN incident i USING (monitor_id) JOIN monitor m USING (monitor_id)"
        f" WHERE m.id LIKE '{prefix}%'")
    return [(arrivals[row["id"]] - row["deadline"]) * 1000 for row in rows if row["id"] in arrivals]


def _detection_run(system, scale, nginx, channel, rate):
    spread = _spread(scale)
    prefix = system.doom(scale.mortal, _LEAD_S, spread, channel)
    with tools.OpenLoop(system.gateway, rate, spread + _LEAD_S + 1, system.monitors) as load:
        pushed = load.finish()
    system.wait_for(prefix, "delivery", scale.mortal, 30, "t.state <> 1")
    rows = system.postgres.query(
        "SELECT extract(epoch FROM i.detected_at - i.opened_at) AS noticed,"
        " extract(epoch FROM pg_xact_commit_timestamp(i.xmin) - i.opened_at) AS committed"
        f" FROM incident i JOIN monitor m USING (monitor_id) WHERE m.id LIKE '{prefix}%'")
    webhooks = webhook_milliseconds(system, prefix, nginx.arrivals()[0])
    if len(rows) != scale.mortal or len(webhooks) != scale.mortal:
        raise RuntimeError(f"{scale.mortal} died, {len(rows)} incidents, {len(webhooks)} webhooks")
    run = {"lost": pushed["lost"], "push_p99": pushed["p99_ms"]}
    for name, values in (("noticed", [row["noticed"] * 1000 for row in rows]),
                         ("committed", [row["committed"] * 1000 for row in rows]),
                         ("webhook", webhooks)):
        run[f"{name}.p50"], run[f"{name}.p99"] = percentile(values, 0.5), percentile(values, 0.99)
    return run


def _detect(system, scale, rate, key, targets):
    system.grow(scale.monitors)
    system.warm_up(scale.seconds // 2)
    with tools.Nginx(log_arrivals=True) as nginx:
        channel = system.make_channel(f"http://{nginx.address}/")
        runs = [_detection_run(system, scale, nginx, channel, rate) for _ in range(scale.runs)]
        system.delete_channel(channel)
    figures = []
    for name, what, target, limit in (("noticed", "noticed", "", None),
                                      ("committed", "committed event", "P6", 50),
                                      ("webhook", "webhook received", "P8", 150)):
        label = f"deadline → {what}, at {rate:,} pushes/s"
        p99 = median(runs, f"{name}.p99")
        figures += [
            Figure(f"{key}.{name}.p99", f"{label}, p99", p99, "ms", target if targets else "",
                   LOWER, limit if targets else None, tolerance=0.5),
            Figure(f"{key}.{name}.p50", f"{_EXTRA}p50", median(runs, f"{name}.p50"), "ms",
                   better=LOWER, tolerance=0.3)]
    return [*figures,
            Figure(f"{key}.push_p99", f"{_EXTRA}latency of the pushes meanwhile, p99",
                   median(runs, "push_p99"), "ms"),
            Figure(f"{key}.lost", f"{_EXTRA}pushes refused or lost meanwhile",
                   sum(run["lost"] for run in runs), better=LOWER)]


def detect(system, scale):
    """P6, P8: from a deadline to its alert event and its webhook, at 10,000 pushes/s."""
    return _detect(system, scale, 10_000, "detect", targets=True)


def detect2k(system, scale):
    """The same at 2,000 pushes a second."""
    return _detect(system, scale, 2000, "detect2k", targets=False)


def _mass_run(system, scale, nginx, channels):
    count = scale.mass
    after = _LEAD_S + count // 2500  # until the first of them dies; they are made in less
    spread = _spread(scale)
    begin = tools.stopwatch()
    # Those that nothing connects with the others die during the outage and after it.
    critical = system.doom(100, after + 0.5, spread, channels[1],
                           severity=CRITICAL)
    left = after - begin()
    prefix = system.doom(count, left, 1, channels[0])
    with tools.OpenLoop(system.gateway, 1000, int(after - begin()) + 1 + spread,
                        system.monitors) as load:
        pushed = load.finish()
    # Looked at seldom: looking takes the processor from what is measured.
    system.wait_for(prefix, "incident", count, 300, poll=5)
    last = system.postgres.query(
        "SELECT extract(epoch FROM max(pg_xact_commit_timestamp(i.xmin)) - max(i.opened_at)) AS s"
        f" FROM incident i JOIN monitor m USING (monitor_id) WHERE m.id LIKE '{prefix}%'")[0]["s"]
    lost = sum(count - system.count(prefix, table) for table in ("alert_event", "delivery"))
    system.wait_for(critical, "delivery", 100, 60, "t.state <> 1")
    system.wait_for(prefix, "delivery", 0, 300, "t.state = 1", poll=5)
    arrivals, _ = nginx.arrivals()
    told = webhook_milliseconds(system, prefix, arrivals)
    alerts = webhook_milliseconds(system, critical, arrivals)
    return {"recorded": last, "lost": lost + count - len(told) + 100 - len(alerts),
            "told": max(told) / 1000, "critical": percentile(alerts, 0.99) / 1000,
            "push_p99": pushed["p99_ms"], "push_lost": pushed["lost"]}


def mass(system, scale):
    """P7: very many deadlines in the same second, with pushes and an unrelated alert beside."""
    system.grow(scale.monitors)
    with tools.Nginx(log_arrivals=True) as nginx:
        channels = [system.make_channel(f"http://{nginx.address}/{i}") for i in range(2)]
        runs = [_mass_run(system, scale, nginx, channels) for _ in range(scale.runs)]
        for channel in channels:
            system.delete_channel(channel)
    return [
        Figure("mass.recorded", f"{scale.mass:,} deadlines in one second, all recorded after",
               median(runs, "recorded"), "s", "P7", LOWER, 5, tolerance=0.3),
        Figure("mass.lost", f"{_EXTRA}events, deliveries or webhooks lost",
               sum(run["lost"] for run in runs), "", "P7", LOWER, 0),
        Figure("mass.push_lost", f"{_EXTRA}pushes refused or lost meanwhile, of 1,000/s",
               sum(run["push_lost"] for run in runs), "", "P7", LOWER, 0),
        Figure("mass.push_p99", f"{_EXTRA}latency of these pushes, p99", median(runs, "push_p99"),
               "ms", better=LOWER, tolerance=1),
        Figure("mass.critical", f"{_EXTRA}unrelated critical alerts meanwhile, p99",
               median(runs, "critical"), "s", "P7", LOWER, 2, tolerance=1),
        Figure("mass.told", f"{_EXTRA}all webhooks received after", median(runs, "told"), "s",
               better=LOWER, tolerance=0.3),
    ]


def _backlog_run(system, scale, nginx, channel):
    count = scale.backlog
    system.notifier.terminate()
    prefix = system.doom(count, _LEAD_S + count // 5000, 0, channel)
    system.wait_for(prefix, "delivery", count, 60)
    system.notifier.restart(60)
    system.wait_for(prefix, "delivery", 0, 120, "t.state = 1")
    arrivals, in_all = nginx.arrivals()
    return arrivals, in_all


def webhooks(system, scale):
    """P8: how quickly a backlog of webhooks leaves for one fast receiver."""
    runs = []
    for _ in range(scale.runs):
        with tools.Nginx(log_arrivals=True) as nginx:
            channel = system.make_channel(f"http://{nginx.address}/")
            arrivals, in_all = _backlog_run(system, scale, nginx, channel)
            system.delete_channel(channel)
        if len(arrivals) != scale.backlog:
            raise RuntimeError(f"{scale.backlog} webhooks were owed, {len(arrivals)} came")
        took = max(arrivals.values()) - min(arrivals.values())
        runs.append({"rate": len(arrivals) / max(0.001, took), "again": in_all - len(arrivals)})
    return [
        Figure("webhooks.rate", f"webhooks to one fast receiver, backlog of {scale.backlog:,}",
               median(runs, "rate"), "/s", "P8", HIGHER, 5000, tolerance=0.25),
        Figure("webhooks.again", f"{_EXTRA}sent more than once", sum(run["again"] for run in runs),
               better=LOWER),
    ]


def _healthy_run(system, scale, nginx, channel, others):
    """Deadline → webhook at a healthy receiver, p99, while as many monitors of others die."""
    spread, begin = _spread(scale), tools.stopwatch()
    system.doom(max(scale.mortal, 2 * len(others)), _LEAD_S, spread, *others)
    prefix = system.doom(scale.mortal, _LEAD_S - begin(), spread, channel)
    system.wait_for(prefix, "delivery", scale.mortal, _LEAD_S + spread + 60)
    system.wait_for(prefix, "delivery", 0, 60, "t.state = 1")
    return percentile(webhook_milliseconds(system, prefix, nginx.arrivals()[0]), 0.99)


def dead(system, scale):
    """P8: what 100 receivers that never answer do to a healthy one."""
    with tools.Nginx(log_arrivals=True) as nginx, tools.DeadReceivers(_OTHERS) as silent:
        healthy = system.make_channel(f"http://{nginx.address}/")
        # First beside receivers that answer: what is owed to the dead stays behind, and is sent
        # again and again.
        p99 = {}
        for kind, urls in (("alive", [f"http://{nginx.address}/{i}" for i in range(_OTHERS)]),
                           ("dead", silent.urls)):
            others = [system.make_channel(url) for url in urls]
            p99[kind] = statistics.median(
                _healthy_run(system, scale, nginx, healthy, others) for _ in range(scale.runs))
            for other in others:
                system.delete_channel(other)
        system.delete_channel(healthy)
    return [
        Figure("dead.ratio", f"a healthy receiver's webhook p99 beside {_OTHERS} dead, of before",
               p99["dead"] / p99["alive"], "", "P8", LOWER, 1.2, tolerance=0.2),
        Figure("dead.alive", f"{_EXTRA}deadline → webhook beside {_OTHERS} that answer, p99",
               p99["alive"], "ms", better=LOWER, tolerance=0.5),
        Figure("dead.dead", f"{_EXTRA}beside {_OTHERS} dead ones, p99", p99["dead"], "ms",
               better=LOWER, tolerance=0.5),
    ]

"""P5, P9, P11: what very many monitors cost, what idling costs, and how long reads take."""

from harness.waiting import pause
from suite import tools
from suite.figures import HIGHER, LOWER, Figure, median
from suite.pushes import http_run

_EXTRA = "  "
_MB = 1e6


def push_each_once(system, limit_s):
    """Pushes for every monitor, so that core knows all tokens; whether the time was enough."""
    took, first = tools.stopwatch(), 0
    while first < system.monitors and took() < limit_s:
        first += tools.wrk(system.gateway, 5, system.monitors, "from", first)["requests"]
    return first >= system.monitors


def restart_seconds(system):
    """From the start of core until it is ready."""
    system.core.terminate()
    took = tools.stopwatch()
    system.core.restart(60)
    return took()


def million(system, scale):
    """P5: 1,000,000 monitors against 10,000."""
    ratios = {}
    with tools.Nginx() as nginx:
        for count in (scale.small, scale.large):
            system.grow(count)
            warm = push_each_once(system, 240)
            system.warm_up(scale.seconds // 2)
            runs = [http_run(system, nginx, scale.seconds) for _ in range(scale.runs)]
            ratios[count] = median(runs, "ratio")
    if not warm:
        raise RuntimeError("240 s were not enough to push for every monitor once")
    memory = system.core.resident_bytes() / _MB
    ready = median([{"s": restart_seconds(system)} for _ in range(scale.runs)], "s")
    growth = ratios[scale.large] / ratios[scale.small]
    return [
        Figure("million.ratio", f"pushes at {scale.large:,} monitors, of those at {scale.small:,}",
               growth, target="P5", better=HIGHER, limit=0.8),
        Figure("million.small", f"{_EXTRA}of nginx's rate, at {scale.small:,}", ratios[scale.small],
               better=HIGHER),
        Figure("million.large", f"{_EXTRA}of nginx's rate, at {scale.large:,}", ratios[scale.large],
               better=HIGHER),
        Figure("million.memory", "core's memory, every token known", memory, "MB", "P5", LOWER, 300,
               tolerance=0.1),
        Figure("million.ready", "core is ready after a restart", ready, "s", "P5", LOWER, 3,
               tolerance=0.5),
    ]


def idle(system, scale):
    """P9: memory and processor time with nothing to do."""
    # The first that is asked of a system: a restart would give core a gap to look into.
    if system.worked:
        raise RuntimeError("the services must not have worked before")
    system.grow(scale.monitors)
    pause(3)
    seconds = max(8, scale.seconds)
    before = system.cpu_seconds()
    pause(seconds)
    after = system.cpu_seconds()
    used = sum(after[part] - before[part] for part in after if part != "postgres") / seconds
    memory = {service.name.partition("-")[0]: service.resident_bytes() / _MB
              for service in system.services}
    each = ", ".join(f"{part} {size:.0f}" for part, size in memory.items())
    return [
        Figure("idle.memory", f"memory of the services, {scale.monitors:,} monitors ({each})",
               sum(memory.values()), "MB", "P9", LOWER, 60, tolerance=0.1),
        Figure("idle.proportional", f"{_EXTRA}a page that n programs share counted as an nth of one",
               sum(service.proportional_bytes() for service in system.services) / _MB, "MB"),
        Figure("idle.processor", "idle processor use of the services, of a core", used, "%", "P9",
               LOWER, 0.01, tolerance=0.5),
        Figure("idle.postgres", f"{_EXTRA}of PostgreSQL",
               (after["postgres"] - before["postgres"]) / seconds, "%"),
    ]


def _lists(monitors, dead):
    """(key, what, method, pages of 1,000 to skip, request): every filter and order that the API
    offers. Add a line for each new one."""
    half = monitors // 2000
    name = "projects/default/monitors/"

    def asked(text="", order=""):
        return {"filter": text, "orderBy": order}

    return [
        ("first", "monitors, from the first page on", "monitors", 0, {}),
        ("middle", "monitors, from the middle on", "monitors", half, {}),
        ("deleted", "monitors, with the deleted ones", "monitors", half, {"showDeleted": True}),
        ("descending", "monitors, by id descending", "monitors", half, asked(order="id desc")),
        ("created", "monitors, by creation", "monitors", half, asked(order="create_time")),
        ("changed", "monitors, by change of state, newest first", "monitors", 0,
         asked(order="state_change_time desc")),
        ("down", "monitors, DOWN", "monitors", 0, asked("state = DOWN")),
        ("down_created", "monitors, DOWN, by creation", "monitors", 0,
         asked("state = DOWN", "create_time desc")),
        ("up_changed", "monitors, UP, by change", "monitors", half,
         asked("state = UP", "state_change_time")),
        ("paused", "monitors, PAUSED (none is)", "monitors", 0, asked("state = PAUSED")),
        ("owner", "monitors, of an owner of 50", "monitors", 0, asked("owner = owner-77")),
        ("critical", "monitors, CRITICAL (none is)", "monitors", 0, asked("severity = CRITICAL")),
        ("label_half", "monitors, a label of half of them", "monitors", half,
         asked("labels.env = prod")),
        ("label_none", "monitors, a label of none", "monitors", 0, asked("labels.env = none")),
        ("label_has", "monitors, a label that none has", "monitors", 0, asked("labels.pager:*")),
        ("label_far", "monitors, a label of 100,000 in one place", "monitors", 0,
         asked("labels.block = 7")),
        ("text", "monitors, a text of few", "monitors", 0, asked(f'"bench-{monitors // 3}"')),
        ("text_none", "monitors, a text of none", "monitors", 0, asked("nightly-report")),
        ("text_short", "monitors, two letters of none", "monitors", 0, asked("zz")),
        ("mixed", "monitors, DOWN, a label and a text, by change", "monitors", 0,
         asked("state = DOWN AND labels.env = prod AND mortal", "state_change_time desc")),
        ("mixed_up", "monitors, UP, label, severity and text, by creation", "monitors", 0,
         asked("state = UP AND labels.env = test AND severity = ERROR AND id:77", "create_time desc")),
        ("heartbeats", "heartbeats of one monitor", "heartbeats", 0, {"parent": f"{name}bench-7"}),
        ("incidents", "incidents", "incidents", 0, {}),
        ("open", "open incidents", "incidents", 0, {"openOnly": True}),
        ("incidents_of", "incidents of one monitor", "incidents", 0,
         {"monitor": f"{name}{dead}"}),
    ]


def reads(system, scale):
    """P11: list 50 of 1,000,000 monitors, with every filter and order that the API offers."""
    system.grow(scale.large)
    prefix = system.doom(1000, 4, 0)
    system.wait_for(prefix, "incident", 1000, 30)
    dead = system.postgres.query(
        f"SELECT min(id) AS id FROM monitor WHERE id LIKE '{prefix}%'")[0]["id"]
    figures = []
    for key, what, method, skip, request in _lists(system.monitors, dead):
        runs = tools.list_pages(system.core.address, method, scale.runs,
                                max(1, scale.seconds // 2), skip, {"pageSize": 50, **request})
        of_monitors = method == "monitors"
        figures += [
            Figure(f"reads.{key}.p99", f"list 50 {what}, p99", median(runs, "p99_ms"), "ms",
                   "P11" if of_monitors else "", LOWER, 20 if of_monitors else None, tolerance=0.5),
            Figure(f"reads.{key}.p50", f"{_EXTRA}p50", median(runs, "p50_ms"), "ms", better=LOWER,
                   tolerance=0.3)]
    return figures

"""What the database says happened, and what it must say."""

UP, DOWN = 1, 2
FIRING, RESOLVED = 1, 2
STATE_DOWN = 3
LATE_HEARTBEAT = 4
STALE = 8
SUPERSEDED = 4


class History:
    """A snapshot of everything that was recorded, read straight from PostgreSQL."""

    def __init__(self, postgres):
        self.heartbeats = postgres.query(
            "SELECT m.id AS monitor, h.received_at AS at, h.kind, h.reason, h.message"
            " FROM heartbeat h JOIN monitor m USING (monitor_id) ORDER BY h.received_at")
        self.events = _by_monitor(postgres.query(
            "SELECT m.id AS monitor, e.event_id AS id, e.incident_id AS incident, e.sequence,"
            " e.type, e.occurred_at AS at FROM alert_event e JOIN monitor m USING (monitor_id)"
            " ORDER BY e.monitor_id, e.sequence"))
        self.incidents = _by_monitor(postgres.query(
            "SELECT m.id AS monitor, i.incident_id AS id, i.closed_at, i.resolution, i.held_until"
            " FROM incident i JOIN monitor m USING (monitor_id) ORDER BY i.incident_id"))
        states = postgres.query("SELECT m.id AS monitor, s.state, s.untold_end FROM monitor_state s"
                                " JOIN monitor m USING (monitor_id)")
        self.states = {row["monitor"]: row["state"] for row in states}
        self.untold_ends = {row["monitor"]: row["untold_end"] for row in states}
        self.deliveries = postgres.query(
            "SELECT d.id, c.id AS channel, d.events, d.state, d.skipped FROM delivery d"
            " JOIN channel c USING (channel_id) WHERE d.monitor_id <> 0 ORDER BY d.delivery_id")
        self.gaps = postgres.query("SELECT kind, start_at, end_at, told FROM gap ORDER BY end_at")


MOST_TOLD = 7  # transitions of an hour


def pending_deliveries(postgres):
    return postgres.query("SELECT count(*) AS n FROM delivery WHERE state = 1")[0]["n"]


def acknowledged_faults(history, attempts):
    """Attempts whose trace in the history is not what the client was told."""
    stored = {}
    for beat in history.heartbeats:
        stored[beat["message"]] = stored.get(beat["message"], 0) + 1
    for attempt in attempts:
        count = stored.get(attempt.message, 0)
        if attempt.status == 200 and count != 1:
            yield f"acknowledged and stored {count} times: {attempt}"
        if attempt.status != 200 and count > 1:
            yield f"not acknowledged and stored {count} times: {attempt}"
    known = {attempt.message for attempt in attempts}
    for message in stored.keys() - known:
        yield f"stored and never sent: {message}"


def event_faults(history, monitor):
    """Breaks of: one event for each transition that is not held back, sequences without holes,
    alternation. While it flaps the end of the last that was told is still to come."""
    events = history.events.get(monitor, [])
    incidents = [i for i in history.incidents.get(monitor, []) if not i["held_until"]]
    held = len(incidents) < len(history.incidents.get(monitor, []))
    untold_end = history.untold_ends[monitor]
    if [e["sequence"] for e in events] != list(range(1, len(events) + 1)):
        yield f"{monitor}: sequences {[e['sequence'] for e in events]}"
    if any(e["type"] != (FIRING, RESOLVED)[i % 2] for i, e in enumerate(events)):
        yield f"{monitor}: types {[e['type'] for e in events]}"
    if any(a["incident"] != b["incident"] for a, b in zip(events[::2], events[1::2])):
        yield f"{monitor}: a RESOLVED of another incident than the FIRING before it: {events}"
    if [e["incident"] for e in events[::2]] != [i["id"] for i in incidents]:
        yield f"{monitor}: {len(incidents)} incidents, events {events}"
    closed = sum(1 for i in incidents if i["closed_at"] and i["id"] != untold_end)
    if closed != len(events) // 2:
        yield f"{monitor}: {closed} closed incidents, {len(events)} events"
    flaps = held or untold_end is not None
    if not flaps and (history.states[monitor] == STATE_DOWN) != (len(events) % 2 == 1):
        yield f"{monitor}: state {history.states[monitor]} after {len(events)} events"


def replay_faults(history, monitor):
    """For a monitor that can fail only by saying so: its events are what its heartbeats, in order
    of receipt, must give. With the seventh transition of the hour it flaps, and nothing else is told
    before it has been steady for longer than any of these."""
    expected, down = [], False
    for beat in history.heartbeats:
        if beat["monitor"] != monitor or beat["kind"] not in (UP, DOWN) or beat["reason"] == STALE:
            continue
        if (beat["kind"] == DOWN) != down:
            down = not down
            expected.append((FIRING if down else RESOLVED, beat["at"]))
    expected = expected[:MOST_TOLD]
    got = [(e["type"], e["at"]) for e in history.events.get(monitor, [])]
    if got != expected:
        yield f"{monitor}: its heartbeats give {expected}, its events are {got}"


def delivery_faults(history, monitor, path, messages):
    """Breaks of: every event arrives at least once, and in order. `messages` are all that arrived
    at `path` for the monitor, in order of arrival."""
    withdrawn = {event for d in history.deliveries if d["state"] == SUPERSEDED
                 for event in d["events"]}
    late = {i["id"] for i in history.incidents.get(monitor, [])
            if i["resolution"] == LATE_HEARTBEAT}
    events = history.events.get(monitor, [])
    excused = {e["incident"] for e in events if e["id"] in withdrawn and e["incident"] in late}
    expected = [e["sequence"] for e in events if e["incident"] not in excused]
    first_seen = []
    for message in messages:
        for told in message.data.get("events", [message.data]):
            if told["sequence"] not in first_seen:
                first_seen.append(told["sequence"])
    told_early = [s for s in first_seen if s not in expected]
    if [s for s in first_seen if s in expected] != expected or told_early != sorted(told_early):
        yield f"{monitor} at {path}: expected {expected}, arrived {first_seen}"


def _by_monitor(rows):
    found = {}
    for row in rows:
        found.setdefault(row["monitor"], []).append(row)
    return found

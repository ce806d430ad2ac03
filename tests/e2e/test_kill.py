"""Kills and freezes every process at random moments under load, and then counts.

TOCSIN_KILL_SECONDS: how long (default 75). TOCSIN_KILL_SEED: which moments (default: drawn; it is
printed). A run with the same seed strikes the same parts in the same order.
"""

import os
import random
import time
import unittest

from harness import history, jobs
from harness.chaos import Chaos
from harness.load import Job, Load
from harness.testcase import TocsinTestCase
from harness.waiting import wait_until

SECONDS = float(os.environ.get("TOCSIN_KILL_SECONDS", "75"))
SEED = int(os.environ.get("TOCSIN_KILL_SEED", random.SystemRandom().randrange(1 << 32)))

STEADY, FLAPPING, SILENT = 120, 60, 20
THREADS = 24


class Kill(TocsinTestCase):
    cluster_options = {"cores": 2, "gateways": 2, "notifiers": 2,
                       "postgres_settings": {"fsync": "on"}}

    def test_nothing_acknowledged_is_lost_and_every_transition_is_told_once(self):
        print(f"seed {SEED}, {SECONDS:.0f} s; again with TOCSIN_KILL_SEED={SEED}", flush=True)
        chaos = Chaos(self.cluster, random.Random(SEED))
        self.paths = {"all": self.cluster.make_channel(self.receiver, "all", "--default"),
                      "half": self.cluster.make_channel(self.receiver, "half",
                                                        "--selector", "half=yes")}
        load = Load([g.address for g in self.cluster.gateways], self.make_jobs(), THREADS).start()
        try:
            end = time.monotonic() + SECONDS
            while time.monotonic() < end:
                chaos.strike()
            self.settle(load)
        finally:
            load.stop()
        self.count(load.attempts())

    def make_jobs(self):
        rng = random.Random(SEED + 1)
        made = []
        for i in range(STEADY):
            made.append(self.make_job(f"steady-{i}", "12s", "3s", jobs.steady(1.0)))
        for i in range(FLAPPING):
            made.append(self.make_job(
                f"flapping-{i}", "1h", "1h",
                jobs.Flapping(random.Random(rng.random()), 0.5, (4, 14)), i % 2 == 0))
        for i in range(SILENT):
            made.append(self.make_job(
                f"silent-{i}", "3s", "1s",
                jobs.FallingSilent(random.Random(rng.random()), 0.5, (5, 12), (8, 14)), i % 2 == 0))
        rng.shuffle(made)
        return made

    def make_job(self, monitor, timeout, interval, life, half=False):
        flags = ["--recommended-interval", interval]
        if half:
            # It is named by a selector, so the default channel is named too.
            flags += ["--label", "half=yes", "--channel", "all"]
        return Job(monitor, self.cli.make_monitor(monitor, timeout, *flags), life)

    def settle(self, load):
        """Everything runs, silence is found, everything is told; the steady jobs push on."""
        for service in self.cluster.services:
            service.wait_ready(60)
        load.retire(job.monitor for job in load.jobs if not job.monitor.startswith("steady"))
        silent = [f"silent-{i}" for i in range(SILENT)]
        wait_until(lambda: all(self.cli.state(monitor) in ("DOWN", "NEW") for monitor in silent),
                   60, lambda: f"silent jobs are found: {[self.cli.state(m) for m in silent]}",
                   poll=0.5)
        wait_until(lambda: history.pending_deliveries(self.cluster.postgres) == 0, 120,
                   lambda: f"{history.pending_deliveries(self.cluster.postgres)} deliveries wait",
                   poll=0.5)
        alarms = self.cluster.postgres.query(
            "SELECT m.id, e.type, e.occurred_at, e.detected_at, e.expected_at FROM alert_event e"
            " JOIN monitor m USING (monitor_id) WHERE m.id LIKE 'steady-%'")
        self.assertEqual(alarms, [], "a monitor that kept pushing was reported down")

    def count(self, attempts):
        found = history.History(self.cluster.postgres)
        faults = list(history.acknowledged_faults(found, attempts))
        for monitor in found.states:
            faults += history.event_faults(found, monitor)
            if monitor.startswith("flapping"):
                faults += history.replay_faults(found, monitor)
            if not monitor.startswith("steady"):
                faults += self.delivery_faults(found, monitor)
        acknowledged = sum(1 for a in attempts if a.status == 200)
        events = sum(len(e) for e in found.events.values())
        print(f"  {len(attempts)} pushes, {acknowledged} acknowledged, {len(found.heartbeats)} "
              f"stored; {events} events, {len(found.deliveries)} deliveries, "
              f"{len(self.receiver.messages())} webhooks; {len(found.gaps)} own outages", flush=True)
        self.assertEqual(faults[:20], [], f"{len(faults)} faults in all")
        self.assertEqual(self.receiver.faults, [])
        self.assertGreater(acknowledged, 20 * SECONDS)
        self.assertGreater(events, FLAPPING)

    def delivery_faults(self, found, monitor):
        half = int(monitor.split("-")[1]) % 2 == 0
        for channel in ("all", "half") if half else ("all",):
            path = self.paths[channel]
            yield from history.delivery_faults(
                found, monitor, path, self.receiver.messages(path=path, monitor=monitor))


if __name__ == "__main__":
    unittest.main()

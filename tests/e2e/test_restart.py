"""Restarts, outages and drains: what changes nothing, what comes back by itself."""

import signal
import unittest

from harness import grpc_health, history, jobs
from harness.load import Job, Load
from harness.pushing import push
from harness.testcase import TocsinTestCase
from harness.waiting import pause, wait_until


class Restarts(TocsinTestCase):
    def test_ten_quick_restarts_of_core_leave_a_deadline_of_an_hour_as_it_is(self):
        monitor = self.id_of_test()
        token = self.cli.make_monitor(monitor, "1h")
        self.assertEqual(push(self.gateway, token).status, 200)
        core = self.cluster.cores[0]
        deadline = self.cli.monitor(monitor)["deadlineTime"]
        for i in range(10):
            if i % 2:
                core.kill()
            else:
                self.assertEqual(core.terminate(), 0)
            core.restart()
            self.assertEqual(self.cli.monitor(monitor)["deadlineTime"], deadline)
        self.assertEqual(self.cli.state(monitor), "UP")

    def test_a_deadline_that_passes_while_core_is_down_for_a_moment_is_found(self):
        monitor = self.id_of_test()
        channel = self.cluster.make_channel(self.receiver, "moment", "--default")
        token = self.cli.make_monitor(monitor, "2s")
        push(self.gateway, token)
        core = self.cluster.cores[0]
        core.kill()
        pause(1)
        core.restart()
        self.receiver.wait_for(1, 20, path=channel, monitor=monitor, type="incident.opened")

    def test_a_notifier_that_restarts_sends_what_waits(self):
        monitor = self.id_of_test()
        channel = self.cluster.make_channel(self.receiver, "waits", "--selector", "x=waits")
        token = self.cli.make_monitor(monitor, "1h", "--label", "x=waits")
        notifier = self.cluster.notifiers[0]
        self.assertEqual(notifier.terminate(), 0)
        push(self.gateway, token, status="down")
        push(self.gateway, token, status="up")
        notifier.restart()
        self.receiver.wait_for(1, 20, path=channel, monitor=monitor)
        wait_until(lambda: history.pending_deliveries(self.cluster.postgres) == 0, 20, "all is told")
        told = [event["sequence"] for message in self.receiver.messages(channel, monitor)
                for event in message.data.get("events", [message.data])]
        self.assertEqual(told, [1, 2])


class Start(TocsinTestCase):
    cluster_options = {"gateways": 0, "notifiers": 0}

    def test_a_core_starts_while_a_dump_reads_a_partition_that_is_past_retention(self):
        core, postgres = self.cluster.cores[0], self.cluster.postgres
        self.assertEqual(core.terminate(), 0)
        postgres.execute("CREATE TABLE heartbeat_20200101 PARTITION OF heartbeat "
                         "FOR VALUES FROM ('2020-01-01') TO ('2020-01-02')")
        with postgres.reading("heartbeat_20200101"):
            core.restart()
            self.assertTrue(postgres.query("SELECT to_regclass('heartbeat_20200101') AS name")[0]["name"])


class DatabaseOutage(TocsinTestCase):
    cluster_options = {"cores": 2}

    def test_pushes_are_503_while_the_database_is_away_and_all_resumes_by_itself(self):
        monitor = self.id_of_test()
        channel = self.cluster.make_channel(self.receiver, "everyone", "--default")
        token = self.cli.make_monitor(monitor, "1h")
        self.assertEqual(push(self.gateway, token, msg="before").status, 200)
        self.cluster.postgres.stop()
        answer = push(self.gateway, token, msg="meanwhile")
        self.assertEqual(answer.status, 503)
        self.assertGreaterEqual(int(answer.headers["retry-after"]), 1)
        self.assertEqual(push(self.gateway, "unknown-token").status, 503)
        for core in self.cluster.cores:
            wait_until(lambda core=core: core.get_admin("/readyz")[0] == 503, 10,
                       f"{core.name} is not ready")
            self.assertEqual(core.get_admin("/healthz")[0], 200)
            for name in ("", "tocsin.v1.PushService"):
                wait_until(lambda core=core, name=name: grpc_health.check(core.address, name) == "NOT_SERVING", 10,
                           f"{core.name} tells gRPC health that it is not ready")
            self.assertEqual(grpc_health.check(core.address, "liveness"), "SERVING")
        self.cluster.postgres.start()
        for service in self.cluster.services:
            service.wait_ready(30)
        wait_until(lambda: push(self.gateway, token, msg="after").status == 200, 20,
                   "pushes are recorded again")
        self.assertEqual(push(self.gateway, "unknown-token").status, 404)
        for core in self.cluster.cores:
            wait_until(lambda core=core: grpc_health.check(core.address) == "SERVING", 10,
                       f"{core.name} tells gRPC health that it is ready")
        self.assertEqual(push(self.gateway, token, status="down").status, 200)
        self.receiver.wait_for(1, 20, path=channel, monitor=monitor, type="incident.opened")
        messages = [b["message"] for b in self.cli.heartbeats(monitor)]
        self.assertEqual(messages.count("before"), 1)
        self.assertIn("after", messages)


class OwnOutages(TocsinTestCase):
    """Live jobs push twice a second through each outage and its end; dead ones went silent in it."""

    cluster_options = {"cores": 2, "gateways": 2}
    OUTAGE_SECONDS = 10

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.channel = cls.cluster.make_channel(cls.receiver, "ops", "--default")

    def survive(self, begin, end):
        name = self.id_of_test()[:40]
        live = [self.job(f"{name}-live-{i}", jobs.steady(0.5)) for i in range(20)]
        dead = [self.job(f"{name}-dead-{i}", jobs.steady(0.5)) for i in range(5)]
        before = len(self.receiver.messages(type="system.blind"))
        load = Load([g.address for g in self.cluster.gateways], live + dead, 10, timeout=2.0).start()
        try:
            pause(3)
            begin()
            load.retire(job.monitor for job in dead)
            pause(self.OUTAGE_SECONDS)
            end()
            for service in self.cluster.services:
                service.wait_ready(30)
            blind = self.receiver.wait_for(before + 1, 30, type="system.blind")[-1]
            self.assertGreater(blind.data["blind"]["duration"], self.OUTAGE_SECONDS - 3)
            for job in dead:
                self.cli.wait_state(job.monitor, "DOWN", 30)
            pause(3)
            for job in live:
                self.assertEqual(self.cli.state(job.monitor), "UP", job.monitor)
                self.assertEqual(self.receiver.messages(monitor=job.monitor), [])
        finally:
            load.stop()
            for job in live + dead:
                self.cli.json("monitor", "pause", job.monitor)
        self.assertEqual(self.receiver.faults, [])

    def job(self, monitor, life):
        token = self.cli.make_monitor(monitor, "4s", "--recommended-interval", "3s")
        return Job(monitor, token, life)

    def test_frozen_cores_make_no_false_alarm_and_are_told(self):
        self.survive(lambda: [core.freeze() for core in self.cluster.cores],
                     lambda: [core.thaw() for core in self.cluster.cores])

    def test_killed_cores_make_no_false_alarm_and_are_told(self):
        self.survive(lambda: [core.kill() for core in self.cluster.cores],
                     lambda: [core.start() for core in self.cluster.cores])

    def test_a_stopped_database_makes_no_false_alarm_and_is_told(self):
        self.survive(self.cluster.postgres.stop, self.cluster.postgres.start)

    def test_a_frozen_database_makes_no_false_alarm_and_is_told(self):
        self.survive(self.cluster.postgres.freeze, self.cluster.postgres.thaw)

    def test_frozen_gateways_make_no_false_alarm_and_are_told(self):
        self.survive(lambda: [gateway.freeze() for gateway in self.cluster.gateways],
                     lambda: [gateway.thaw() for gateway in self.cluster.gateways])

    def test_killed_gateways_make_no_false_alarm_and_are_told(self):
        self.survive(lambda: [gateway.kill() for gateway in self.cluster.gateways],
                     lambda: [gateway.start() for gateway in self.cluster.gateways])


class Drains(TocsinTestCase):
    """SIGTERM under load loses no request of clients that honour `Connection: close`."""

    cluster_options = {"cores": 2, "gateways": 2, "notifiers": 2,
                       "gateway_flags": ("--drain_delay=1s",)}

    def drain(self, services):
        made = [Job(m, self.cli.make_monitor(m, "1h"), jobs.steady(0.15))
                for m in (f"{self.id_of_test()[:50]}-{i}" for i in range(48))]
        load = Load([g.address for g in self.cluster.gateways], made, 24, timeout=10.0).start()
        try:
            pause(1)
            for service in services:
                self.assertEqual(service.terminate(), 0, service.name)
                service.restart()
                pause(1)
        finally:
            load.stop()
        # A connection that was refused carried no request: the client goes to the other gateway.
        failed = [a for a in load.attempts() if a.status != 200 and a.connected]
        self.assertEqual(failed, [])
        found = history.History(self.cluster.postgres)
        mine = [a for a in load.attempts() if a.connected]
        names = {a.message for a in mine}
        found.heartbeats = [b for b in found.heartbeats if b["message"] in names]
        self.assertEqual(list(history.acknowledged_faults(found, mine)), [])
        self.assertGreater(len(mine), 200)

    def test_a_core_that_stops_loses_no_request(self):
        self.drain(self.cluster.cores)

    def test_a_gateway_that_stops_loses_no_request(self):
        self.drain(self.cluster.gateways)

    def test_stopping_everything_in_turn_loses_no_request(self):
        self.drain(self.cluster.services)


class Stopping(TocsinTestCase):
    def test_services_stop_soon_when_told_even_with_the_others_away(self):
        for service in reversed(self.cluster.services):
            service.signal(signal.SIGTERM)
        for service in self.cluster.services:
            self.assertEqual(service.wait(30), 0, service.name)


if __name__ == "__main__":
    unittest.main()

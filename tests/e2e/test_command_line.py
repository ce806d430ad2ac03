"""Every command of `tocsin`, as a person and as a script reads it; and what each admin port says."""

import re
import unittest

from harness.pushing import push
from harness.testcase import TocsinTestCase
from harness.waiting import wait_until

METRICS = {
    "core": ["tocsin_core_heartbeats_total", "tocsin_core_group_size",
             "tocsin_core_commit_duration_seconds", "tocsin_core_sweep_lag_seconds",
             "tocsin_core_transitions_total", "tocsin_core_own_outage_seconds_total",
             "tocsin_core_deliveries", "tocsin_build_info"],
    "gateway": ["tocsin_gateway_pushes_total", "tocsin_gateway_push_duration_seconds",
                "tocsin_build_info"],
    "notifier": ["tocsin_notifier_attempts_total", "tocsin_notifier_dwell_seconds",
                 "tocsin_build_info"],
}


class CommandLine(TocsinTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.channel = cls.cluster.make_channel(cls.receiver, "everyone", "--default")

    def setUp(self):
        self.monitor = self.id_of_test()

    # --- monitors ---

    def test_creating_a_monitor_shows_its_token_and_push_url_this_once(self):
        made = self.cli.json(
            "monitor", "create", self.monitor, "--timeout", "90s", "--grace", "5s",
            "--recommended-interval", "60s", "--display-name", "Nightly", "--description", "Copies",
            "--owner", "payments", "--severity", "critical", "--runbook-url", "https://example.org/r",
            "--label", "team=payments", "--label", "tier=1")
        self.assertTrue(made["pushUrl"].endswith(f"/api/push/{made['pushToken']}"))
        self.assertTrue(made["pushUrl"].startswith(self.cluster.public_url))
        monitor = self.cli.monitor(self.monitor)
        self.assertEqual(monitor["displayName"], "Nightly")
        self.assertEqual(monitor["description"], "Copies")
        self.assertEqual(monitor["owner"], "payments")
        self.assertEqual(monitor["severity"], "SEVERITY_CRITICAL")
        self.assertEqual(monitor["runbookUrl"], "https://example.org/r")
        self.assertEqual(monitor["labels"], {"team": "payments", "tier": "1"})
        self.assertEqual(monitor["schedule"]["heartbeat"],
                         {"timeout": "90s", "grace": "5s", "recommendedInterval": "60s"})
        self.assertNotIn(made["pushToken"], self.cli.text("monitor", "get", self.monitor))
        self.assertNotIn(made["pushToken"], str(monitor))

    def test_people_see_the_push_url_and_the_state(self):
        text = self.cli.text("monitor", "create", self.monitor, "--timeout", "60s")
        self.assertRegex(text, r"http://\S+/api/push/\S+")
        self.assertIn(self.monitor, self.cli.text("-o", "table", "monitor", "list"))
        self.assertRegex(self.cli.text("-o", "table", "monitor", "get", self.monitor), r"(?i)new")

    def test_a_taken_id_an_unknown_monitor_and_a_bad_field_say_so(self):
        self.cli.text("monitor", "create", self.monitor, "--timeout", "60s")
        for arguments, words in (
                (("monitor", "create", self.monitor, "--timeout", "60s"), (self.monitor, "exists")),
                (("monitor", "get", "no-such-monitor"), ("no-such-monitor", "does not exist")),
                (("monitor", "create", self.monitor + "-x", "--timeout", "0s"),
                 ("tocsin: --timeout: missing or 0; accepted: 1 s to 366 days",)),
                (("monitor", "create", self.monitor + "-x", "--timeout", "400d"),
                 ("tocsin: --timeout: it is 400 days; accepted: 1 s to 366 days",)),
                (("monitor", "create", self.monitor + "-x", "--timeout", "1h",
                  "--recommended-interval", "2h"), ("tocsin: --recommended-interval: it is 2h;",)),
                (("monitor", "create", "Bad Id!", "--timeout", "60s"),
                 ('tocsin: id: "bad id!" is malformed',)),
                (("monitor", "create", self.monitor + "-y"), ("--timeout is required, or --cron",)),
                (("monitor", "explode"), ('"explode" is no command of "tocsin monitor"',
                                          "accepted: create, get,")),
                (("monitr", "list"), ('did you mean "monitor"?',)),
                (("help", "monitor", "creat"), ('did you mean "create"?',))):
            done = self.cli.run(*arguments)
            self.assertNotEqual(done.returncode, 0, arguments)
            for word in words:
                self.assertIn(word, (done.stderr + done.stdout).lower(), arguments)
            self.assertNotIn("Traceback", done.stderr)

    def test_a_schedule_is_shown_in_words(self):
        self.cli.text("monitor", "create", self.monitor, "--timeout", "90s", "--grace", "5s")
        for shown in (self.cli.text("monitor", "get", self.monitor), self.cli.text("monitor", "list")):
            self.assertRegex(shown, rf"(?m)(^Schedule|^{self.monitor} .*) +every 1m30s, grace 5s")

    def test_updating_changes_what_is_named_only(self):
        self.cli.text("monitor", "create", self.monitor, "--timeout", "60s", "--owner", "a",
                      "--label", "x=1")
        self.cli.text("monitor", "update", self.monitor, "--owner", "b")
        monitor = self.cli.monitor(self.monitor)
        self.assertEqual((monitor["owner"], monitor["labels"]), ("b", {"x": "1"}))
        self.assertEqual(monitor["schedule"]["heartbeat"]["timeout"], "60s")

    def test_a_list_shows_what_the_filter_asks_for_in_the_order_asked_for(self):
        first, second = self.monitor + "-a", self.monitor + "-b"
        for monitor, team in ((first, "red team"), (second, "blue")):
            self.cli.text("monitor", "create", monitor, "--timeout", "60s", "--label", f"team={team}",
                          "--label", f"test={self.monitor}")
        self.cli.text("monitor", "pause", first)

        def listed(*arguments):
            found = self.cli.json("monitor", "list", "-l", f"test={self.monitor}", *arguments)
            return [monitor["name"].rpartition("/")[2] for monitor in found.get("monitors", [])]

        self.assertEqual(listed(), [first, second])
        self.assertEqual(listed("--order-by", "state_change_time"), [second, first])
        self.assertEqual(listed("--order-by", "id desc"), [second, first])
        self.assertEqual(listed("--filter", "state = PAUSED"), [first])
        self.assertEqual(listed("--selector", "team=red team"), [first])
        self.assertEqual(listed("--filter", f'"{second}"'), [second])
        table = self.cli.text("monitor", "list", "-l", f"test={self.monitor},team=blue")
        self.assertIn(second, table)
        self.assertNotIn(first, table)
        for arguments, words in (
                (("--filter", "state = LATE"), "--filter: at position 9: there is no state"),
                (("--filter", "a OR b"), "--filter: at position 3: or is not supported"),
                (("--order-by", "name"), '--order-by: there is no order "name"'),
                (("-l", "team!=blue"), '--selector: "team!=blue" is no label')):
            done = self.cli.run("monitor", "list", *arguments)
            self.assertNotEqual(done.returncode, 0, arguments)
            self.assertIn(words, done.stderr.lower(), arguments)

    def test_pausing_and_resuming_twice_is_no_error(self):
        self.cli.text("monitor", "create", self.monitor, "--timeout", "60s")
        for verb, state in (("pause", "PAUSED"), ("pause", "PAUSED"), ("resume", "NEW"),
                            ("resume", "NEW")):
            self.cli.text("monitor", verb, self.monitor)
            self.assertEqual(self.cli.state(self.monitor), state)

    def test_a_deleted_monitor_comes_back_paused(self):
        token = self.cli.make_monitor(self.monitor, "60s")
        push(self.gateway, token)
        self.cli.text("monitor", "delete", self.monitor)
        listed = self.cli.json("monitor", "list").get("monitors", [])
        self.assertNotIn(self.monitor, [m["name"].rpartition("/")[2] for m in listed])
        self.cli.text("monitor", "undelete", self.monitor)
        self.assertEqual(self.cli.state(self.monitor), "PAUSED")
        self.assertEqual(push(self.gateway, token).status, 200)

    def test_a_deletion_is_said_in_a_line(self):
        self.cli.text("monitor", "create", self.monitor, "--timeout", "60s")
        self.assertEqual(self.cli.text("monitor", "delete", self.monitor),
                         f'Deleted monitor {self.monitor}; "tocsin monitor undelete {self.monitor}" '
                         "brings it back\n")

    def test_lists_turn_pages(self):
        for i in range(7):
            self.cli.text("monitor", "create", f"page-{i}", "--timeout", "60s")
        listed = self.cli.json("monitor", "list")["monitors"]
        names = [m["name"].rpartition("/")[2] for m in listed]
        self.assertEqual([n for n in names if n.startswith("page-")], [f"page-{i}" for i in range(7)])
        self.assertEqual(names, sorted(names))

    # --- the rest ---

    def test_channels_are_made_listed_tested_and_deleted(self):
        made = self.cli.json("channel", "create", "mine", "--url", self.receiver.url("/mine"))
        self.assertTrue(made["webhookSecret"].startswith("whsec_"))
        self.receiver.trust("/mine", made["webhookSecret"])
        self.assertIn("mine", self.cli.text("channel", "list"))
        self.assertNotIn(made["webhookSecret"], self.cli.text("-o", "json", "channel", "list"))
        self.assertEqual(self.cli.text("channel", "test", "mine"),
                         "mine: delivered, its receiver answered 204\n")
        self.receiver.wait_for(1, 10, path="/mine", type="channel.test")
        self.assertIn("on its way", self.cli.text("channel", "test", "mine", "--wait", "0s"))
        self.cli.text("channel", "delete", "mine")
        self.assertNotIn("/channels/mine", self.cli.text("-o", "json", "channel", "list"))
        self.assertNotEqual(self.cli.run("channel", "test", "mine").returncode, 0)

    def test_a_channel_shows_its_port_and_how_it_fares(self):
        from harness.processes import free_port
        port = free_port()  # nobody listens
        self.cli.text("channel", "create", "failing", "--url", f"http://127.0.0.1:{port}/secret")
        self.addCleanup(self.cli.text, "channel", "delete", "failing")
        done = self.cli.run("channel", "test", "failing")
        self.assertEqual(done.returncode, 1)
        self.assertRegex(done.stdout, r"^failing: not delivered \(connect_failed\); tried again at 20")
        row = rf"(?m)^failing +standard +http://127\.0\.0\.1:{port} .*failing: connect_failed +\d{{4}}-.*Z +1$"
        wait_until(lambda: re.search(row, self.cli.text("channel", "list")), 15,
                   lambda: f"a line like {row}: " + self.cli.text("channel", "list"))
        self.assertRegex(self.cli.text("channel", "get", "failing"), r"(?m)^Waiting +1$")

    def test_long_messages_are_cut_in_tables_and_whole_in_json(self):
        token = self.cli.make_monitor(self.monitor, "60s")
        push(self.gateway, token, status="down", msg="é" * 100)
        for listed in (self.cli.text("heartbeat", "list", self.monitor),
                       self.cli.text("incident", "list", "--monitor", self.monitor)):
            self.assertIn(" " + "é" * 59 + "…\n", listed)
        self.assertEqual(self.cli.heartbeats(self.monitor)[0]["message"], "é" * 100)

    def test_a_heartbeat_of_a_paused_monitor_says_that_it_had_no_effect(self):
        token = self.cli.make_monitor(self.monitor, "60s")
        self.cli.text("monitor", "pause", self.monitor)
        self.assertIn("stored, the monitor is paused", self.cli.text("push", token))
        self.assertIn("stored, paused", self.cli.text("heartbeat", "list", self.monitor))

    def test_heartbeats_incidents_and_deliveries_are_listed_for_people(self):
        token = self.cli.make_monitor(self.monitor, "60s")
        push(self.gateway, token, status="down", msg="disk full", value="3.5")
        self.receiver.wait_for(1, 10, monitor=self.monitor)
        beats = self.cli.text("heartbeat", "list", self.monitor)
        for word in ("disk full", "3.5"):
            self.assertIn(word, beats)
        self.assertIn(self.monitor, self.cli.text("incident", "list"))
        self.assertIn("incident.opened", self.cli.text("delivery", "list"))

    def test_push_takes_kind_message_and_value(self):
        token = self.cli.make_monitor(self.monitor, "60s")
        self.cli.text("push", token, "--status", "down", "--message", "by hand", "--value", "7")
        beat = self.cli.heartbeats(self.monitor)[0]
        self.assertEqual((beat["kind"], beat["message"], beat["value"], beat["source"]),
                         ("KIND_DOWN", "by hand", 7, "SOURCE_GRPC"))
        self.assertNotEqual(self.cli.run("push", "unknown-token").returncode, 0)

    def test_the_push_token_may_come_from_the_environment(self):
        token = self.cli.make_monitor(self.monitor, "60s")
        self.cli.with_environment(TOCSIN_PUSH_TOKEN=token).text("push", "--message", "quietly")
        self.assertEqual(self.cli.heartbeats(self.monitor)[0]["message"], "quietly")

    def test_watch_shows_people_what_happens(self):
        token = self.cli.make_monitor(self.monitor, "60s")
        with self.cli.follow("watch") as watch:
            def seen():
                push(self.gateway, token, status="down")
                push(self.gateway, token, status="up")
                return any(self.monitor in line for line in list(watch.lines))
            wait_until(seen, 10, lambda: f"an alert is shown: {watch.lines}", poll=0.5)

    def test_listen_verifies_signatures_and_prints_summaries(self):
        from harness.processes import free_port
        address = f"127.0.0.1:{free_port()}"
        made = self.cli.json("channel", "create", "terminal", "--url", f"http://{address}/")
        receiver = self.cli.with_environment(TOCSIN_WEBHOOK_SECRET=made["webhookSecret"])
        with receiver.follow("listen", "--listen", address) as listener:
            listener.wait_for(lambda line: "Listening on" in line, 15)
            self.cli.text("channel", "test", "terminal")
            listener.wait_for(lambda line: "terminal" in line and "test" in line.lower(), 15)

    def test_a_secret_is_rotated_while_the_receiver_has_the_old_one(self):
        from harness.processes import free_port
        address = f"127.0.0.1:{free_port()}"
        old = self.cli.json("channel", "create", "turned", "--url", f"http://{address}/")
        self.assertIn("Messages are signed with the old one, too, until ",
                      self.cli.text("channel", "rotate-secret", "turned", "--overlap", "1h"))
        new = self.cli.json("channel", "rotate-secret", "turned", "--overlap", "1h")
        self.assertIn("oldSecretExpireTime", new["channel"])

        def test_with(secret):
            receiver = self.cli.with_environment(TOCSIN_WEBHOOK_SECRET=secret)
            with receiver.follow("listen", "--listen", address) as listener:
                listener.wait_for(lambda line: "Listening on" in line, 15)
                return self.cli.run("channel", "test", "turned").returncode

        self.assertEqual(test_with(new["webhookSecret"]), 0)
        self.assertEqual(test_with(old["webhookSecret"]), 0)
        newest = self.cli.json("channel", "rotate-secret", "turned")
        self.assertEqual(test_with(new["webhookSecret"]), 0, "the last one still signs")
        self.assertEqual(test_with(newest["webhookSecret"]), 0)
        self.cli.text("channel", "rotate-secret", "turned", "--overlap", "0s")
        self.assertEqual(test_with(newest["webhookSecret"]), 1)
        self.cli.text("channel", "delete", "turned")

    def test_a_monitor_that_waits_for_its_first_heartbeat_says_so_and_can_be_armed_later(self):
        made = self.cli.text("monitor", "create", "waits", "--timeout", "1h")
        self.assertIn("It is watched from its first heartbeat on", made)
        self.assertNotIn("deadlineTime", self.cli.monitor("waits"))
        self.cli.text("monitor", "update", "waits", "--arm-on-create")
        self.assertIn("deadlineTime", self.cli.monitor("waits"))
        self.cli.text("monitor", "update", "waits", "--no-arm-on-create")
        self.assertNotIn("deadlineTime", self.cli.monitor("waits"))
        self.assertNotIn("first heartbeat", self.cli.text("monitor", "create", "armed", "--timeout",
                                                          "1h", "--arm-on-create"))
        self.cli.text("monitor", "delete", "waits")
        self.cli.text("monitor", "delete", "armed")

    def test_unmute_says_who_is_muted_all_the_same(self):
        self.cli.make_monitor("quiet", "1h", "--label", "team=night")
        self.cli.text("mute", "quiet", "--for", "1h", "--reason", "r")
        self.cli.text("mute", "-l", "team=night", "--for", "2h", "--reason", "r")
        done = self.cli.run("unmute", "quiet")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, "quiet is muted until .* all the same, by another mute")
        self.cli.text("mute", "quiet", "--for", "1h", "--reason", "r")
        self.cli.text("unmute", "-l", "team=night")
        self.assertNotIn("all the same", self.cli.run("unmute", "quiet").stderr)
        self.cli.text("monitor", "delete", "quiet")

    def test_listen_refuses_a_signature_that_is_not_ours(self):
        from harness.processes import free_port
        address = f"127.0.0.1:{free_port()}"
        self.cli.json("channel", "create", "stranger", "--url", f"http://{address}/")
        with self.cli.follow("listen", "--listen", address, "--secret",
                             "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw") as listener:
            listener.wait_for(lambda line: "Listening on" in line, 15)
            self.assertEqual(self.cli.run("channel", "test", "stranger").returncode, 1)
            listener.wait_for(lambda line: "signature" in line.lower(), 15)
        self.cli.text("channel", "delete", "stranger")

    def test_help_and_version_are_there(self):
        for arguments in (("--help",), ("monitor", "--help"), ("monitor", "create", "--help"),
                          ("channel", "--help"), ("key", "--help"), ("key", "create", "--help"),
                          ("project", "--help"), ("--version",), ("help",),
                          ("help", "monitor", "create")):
            done = self.cli.run(*arguments)
            self.assertEqual(done.returncode, 0, arguments)
            self.assertTrue(done.stdout.strip(), arguments)

    def test_a_core_that_is_away_is_said_in_a_sentence(self):
        from harness.cli import Cli
        from harness.cluster import binary
        done = Cli(binary("tocsin"), "127.0.0.1:1").run("monitor", "list")
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stderr,
                         r"^tocsin: core at 127\.0\.0\.1:1 cannot be reached \(connection refused\)\..*\n$")

    # --- admin ports ---

    def test_every_service_shows_its_metrics(self):
        token = self.cli.make_monitor(self.monitor, "60s")
        push(self.gateway, token)
        for service in self.cluster.services:
            status, text = service.get_admin("/metrics")
            self.assertEqual(status, 200)
            for name in METRICS[service.name.partition("-")[0]]:
                self.assertRegex(text, rf"(?m)^# TYPE {name} ", service.name)
            self.assert_good_exposition(text)
            self.assertNotIn(token, text)

    def assert_good_exposition(self, text):
        """The rules of `promtool check metrics` that matter: help, type, units, suffixes."""
        types = dict(re.findall(r"(?m)^# TYPE (\S+) (\S+)$", text))
        helps = set(re.findall(r"(?m)^# HELP (\S+) \S", text))
        for name, kind in types.items():
            if not name.startswith("tocsin_"):
                continue
            self.assertIn(name, helps, f"{name} has no help")
            self.assertEqual(kind == "counter", name.endswith("_total"), f"{name} is a {kind}")
            self.assertNotRegex(name, r"_(ms|milliseconds|minutes|kb|mb)(_|$)")


if __name__ == "__main__":
    unittest.main()

"""Cron schedules, runs, thresholds and bounds of values, from the command line, REST and HTTP to the
webhook."""

import base64
import re
import unittest

from harness.pushing import push, request
from harness.rest import Rest
from harness.testcase import TocsinTestCase
from harness.waiting import wait_until

PROJECT = "/projects/default"
EACH_MINUTE = ("--cron", "* * * * *", "--time-zone", "Europe/Paris", "--grace", "1s")
# Later than the end of any test.
LONG = ("--timeout", "1h")


class Schedules(TocsinTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cluster.make_channel(cls.receiver, "everyone", "--default")
        cls.rest = Rest(cls.gateway, cls.cluster.key("admin"))

    def setUp(self):
        self.monitor = self.id_of_test()

    def make(self, *flags):
        """The push token of the test's monitor."""
        return self.cli.json("monitor", "create", self.monitor, *flags)["pushToken"]

    def opened(self):
        """The message of the one incident that was opened."""
        return self.receiver.wait_for(1, 20, monitor=self.monitor, type="incident.opened")[0]

    def assert_refused(self, words, *arguments):
        done = self.cli.run(*arguments)
        self.assertEqual(done.returncode, 2, (arguments, done.stdout, done.stderr))
        self.assertIn(words, done.stderr, arguments)

    # --- cron ---

    def test_a_cron_monitor_shows_what_it_expects_and_until_when(self):
        push(self.gateway, self.make(*EACH_MINUTE))
        monitor = self.cli.monitor(self.monitor)
        self.assertEqual(monitor["schedule"]["cron"], {
            "expression": "* * * * *", "timeZone": "Europe/Paris", "grace": "1s"})
        self.assertTrue(monitor["expectTime"].endswith(":00Z"), monitor["expectTime"])
        self.assertEqual(monitor["deadlineTime"], monitor["expectTime"].replace(":00Z", ":01Z"))
        text = self.cli.text("monitor", "get", self.monitor)
        self.assertRegex(text, r"(?m)^Schedule +\* \* \* \* \* Europe/Paris, grace 1s$")
        self.assertRegex(text, r"(?m)^Expected +\S+ \S+:00Z$")
        self.assertRegex(text, r"(?m)^Deadline +\S+ \S+:01Z$")
        self.assertIn("* * * * * Europe/Paris, grace 1s", self.cli.text("monitor", "list"))

    def test_a_monitor_goes_from_a_timeout_to_cron_and_back(self):
        self.make("--timeout", "60s", "--grace", "5s", "--owner", "payments")

        def update(*flags):
            self.cli.text("monitor", "update", self.monitor, *flags)
            return self.cli.monitor(self.monitor)["schedule"]

        cron = update("--cron", "30 2 * * mon-fri", "--time-zone", "America/New_York")["cron"]
        self.assertEqual(cron, {"expression": "30 2 * * mon-fri", "timeZone": "America/New_York",
                                "grace": "300s"})
        # One part, the others stay.
        self.assertEqual(update("--grace", "10m")["cron"], {**cron, "grace": "600s"})
        self.assertEqual(update("--time-zone", "UTC")["cron"],
                         {**cron, "grace": "600s", "timeZone": "UTC"})
        self.assertEqual(update("--early-tolerance", "0s")["cron"]["earlyTolerance"], "0s")
        self.assertEqual(update("--timeout", "90s")["heartbeat"],
                         {"timeout": "90s", "recommendedInterval": "90s", "grace": "0s"})
        self.assertEqual(update("--grace", "7s")["heartbeat"]["grace"], "7s")
        self.assertEqual(self.cli.monitor(self.monitor)["owner"], "payments")
        # REST, by what the body gives.
        path = f"{PROJECT}/monitors/{self.monitor}"
        patched = self.rest.json("PATCH", path, {"schedule": {"cron": {"expression": "@daily"}}})
        self.assertEqual(patched["schedule"]["cron"]["timeZone"], "UTC")
        patched = self.rest.json("PATCH", path, {"schedule": {"cron": {"grace": "60s"}}})
        self.assertEqual((patched["schedule"]["cron"]["expression"],
                          patched["schedule"]["cron"]["grace"]), ("@daily", "60s"))
        patched = self.rest.json("PATCH", path, {"schedule": {"heartbeat": {"timeout": "60s"}}})
        self.assertEqual(patched["schedule"]["heartbeat"]["timeout"], "60s")

    def test_a_preview_says_when_a_schedule_fires(self):
        text = self.cli.text("schedule", "preview", "30 2 * * *", "--time-zone", "Asia/Tokyo",
                             "--grace", "1h", "--count", "3")
        self.assertTrue(text.startswith("30 2 * * * Asia/Tokyo, grace 1h\n\n"), text)
        rows = re.findall(r"(?m)^\S+ 02:30:00 \+0900  \S+ 17:30:00Z  \S+ 18:30:00Z$", text)
        self.assertEqual(len(rows), 3, text)
        body = {"cron": {"expression": "30 2 * * *", "timeZone": "Europe/Paris"},
                "startTime": "2026-10-23T12:00:00Z", "count": 3}
        fires = self.rest.post(f"{PROJECT}/monitors:previewSchedule", body)["fireTimes"]
        # The clock is set back on the 25th: half past two comes twice, and fires once.
        self.assertEqual([fire["localTime"] for fire in fires],
                         ["2026-10-24 02:30:00 +0200", "2026-10-25 02:30:00 +0200",
                          "2026-10-26 02:30:00 +0100"])
        self.assertEqual(fires[2]["fireTime"], "2026-10-26T01:30:00Z")
        self.assertEqual(fires[2]["deadlineTime"], "2026-10-26T01:35:00Z")
        self.assertEqual(fires[2]["earlyTime"], "2026-10-26T01:29:00Z")

    # --- runs ---

    def test_a_run_is_shown_while_it_runs_and_tells_how_long_it_took(self):
        token = self.make(*LONG, "--max-run-duration", "30m")
        push(self.gateway, token, status="start", run="42")
        monitor = self.cli.monitor(self.monitor)
        self.assertEqual(monitor["condition"], "CONDITION_RUNNING")
        self.assertEqual(monitor["runs"][0]["id"], "42")
        self.assertEqual(monitor["deadlineTime"], monitor["runs"][0]["dueTime"])
        self.assertRegex(self.cli.text("monitor", "get", self.monitor),
                         r"(?m)^Running +42 since \S+ \S+Z, due \S+ \S+Z$")
        output = b"copied \xff 3 files\nall is well\n"
        answer = request(self.gateway, "POST", f"/api/push/{token}?run=42", output,
                         {"Content-Type": "text/plain"})
        self.assertEqual(answer.status, 200)
        self.assertNotIn("runs", self.cli.monitor(self.monitor))
        beat = self.cli.heartbeats(self.monitor)[0]
        self.assertEqual((beat["kind"], beat["runId"], beat["outputSizeBytes"]),
                         ("KIND_UP", "42", len(output)))
        self.assertRegex(beat["runDuration"], r"^[\d.]+s$")
        self.assertNotIn("output", beat)
        row = rf"(?m)^\S+ \S+Z +up .* 42 +\S+ +{len(output)} B +OK$"
        self.assertRegex(self.cli.text("heartbeat", "list", self.monitor), row)
        # What it put out: by gRPC, by REST, and as a person reads it.
        self.assertEqual(
            base64.b64decode(self.cli.json("heartbeat", "output", self.monitor)["output"]), output)
        listed = self.rest.get(f"{PROJECT}/monitors/{self.monitor}/heartbeats", showOutput="true")
        self.assertEqual(base64.b64decode(listed["heartbeats"][0]["output"]), output)

    def test_output_is_found_by_its_run_and_its_time(self):
        token = self.make(*LONG)
        cli = self.cli.with_environment(TOCSIN_PUSH_TOKEN=token)
        for run, text in (("1", "the first"), ("2", "the second")):
            done = cli.pipe(text, "push", "--run", run, "--exit-status", "0", "--output-file", "-")
            self.assertEqual(done.returncode, 0, done.stderr)
        cli.text("push", "--message", "without output")
        self.assertEqual(self.cli.text("heartbeat", "output", self.monitor), "the second")
        self.assertEqual(self.cli.text("heartbeat", "output", self.monitor, "--run", "1"),
                         "the first")
        first = self.cli.heartbeats(self.monitor)[2]
        self.assertEqual((first["runId"], first["exitStatus"]), ("1", 0))
        self.assertEqual(self.cli.text("heartbeat", "output", self.monitor, "--at",
                                       first["receiveTime"]), "the first")
        done = self.cli.run("heartbeat", "output", self.monitor, "--run", "3")
        self.assertEqual((done.returncode, done.stderr),
                         (3, f"tocsin: no heartbeat of {self.monitor} with run 3 has output\n"))
        self.assert_refused("is no time; write e.g.", "heartbeat", "output", self.monitor, "--at",
                            "yesterday")
        done = cli.run("push", "--output-file", "/no/such/file")
        self.assertEqual(done.returncode, 2)
        self.assertIn("--output-file: /no/such/file cannot be read", done.stderr)

    def test_a_run_that_takes_too_long_is_told(self):
        token = self.make(*LONG, "--max-run-duration", "1s", "--severity", "critical")
        push(self.gateway, token, status="start", run="42")
        message = self.opened()
        self.assertEqual(message.data["incident"]["cause"], "run_overran")
        self.assertEqual(message.data["monitor"]["maxRunDuration"], 1)
        self.assertIn(f'DOWN {self.monitor} (critical): run "42" has taken longer than 1 s, since ',
                      message.summary)
        # Its end says how long it took, and that all is well.
        push(self.gateway, token, status="up", run="42")
        resolved = self.receiver.wait_for(1, 20, monitor=self.monitor, type="incident.resolved")[0]
        self.assertEqual(resolved.data["lastHeartbeat"]["run"], "42")
        self.assertGreaterEqual(resolved.data["lastHeartbeat"]["runDuration"], 1)
        self.assertIn("a run took longer than 1 s", resolved.summary)

    # --- what is a failure ---

    def test_a_failure_below_the_threshold_is_not_told(self):
        token = self.make(*LONG, "--failure-threshold", "2", "--recovery-threshold", "2")
        push(self.gateway, token, status="down", msg="once")
        self.assertNotEqual(self.cli.state(self.monitor), "DOWN")
        push(self.gateway, token, status="down", msg="twice")
        self.assertEqual(self.cli.state(self.monitor), "DOWN")
        self.assertEqual(self.opened().data["incident"]["message"], "twice")
        push(self.gateway, token)
        self.assertEqual(self.cli.state(self.monitor), "DOWN")
        push(self.gateway, token)
        self.assertEqual(self.cli.state(self.monitor), "UP")
        self.receiver.wait_for(1, 20, monitor=self.monitor, type="incident.resolved")
        self.assertEqual(len(self.receiver.messages(monitor=self.monitor)), 2)
        text = self.cli.text("monitor", "get", self.monitor)
        self.assertRegex(text, r"(?m)^Down +after 2 failures in a row$")
        self.assertRegex(text, r"(?m)^Up again +after 2 successes in a row$")

    def test_a_value_out_of_range_is_a_failure_until_the_bound_goes(self):
        token = self.make(*LONG, "--value-min", "-5", "--value-max", "90")
        push(self.gateway, token, value="90")
        self.assertEqual(self.cli.state(self.monitor), "UP")
        push(self.gateway, token, value="93")
        message = self.opened()
        self.assertEqual(message.data["incident"]["cause"], "value_out_of_range")
        self.assertEqual((message.data["monitor"]["valueMin"], message.data["monitor"]["valueMax"]),
                         (-5, 90))
        self.assertEqual(message.data["lastHeartbeat"]["value"], 93)
        self.assertIn("value 93 is above 90, ", message.summary)
        self.assertRegex(self.cli.text("monitor", "get", self.monitor),
                         r"(?m)^Values +from -5 to 90$")
        self.cli.text("monitor", "update", self.monitor, "--value-max", "none")
        self.assertNotIn("valueMax", self.cli.monitor(self.monitor))
        push(self.gateway, token, value="93")
        self.cli.wait_state(self.monitor, "UP")

    def test_what_a_failed_job_put_out_travels_with_the_alert(self):
        token = self.make(*LONG)
        cli = self.cli.with_environment(TOCSIN_PUSH_TOKEN=token)
        done = cli.pipe("x" * 2000 + "\ntar: disk full\n", "push", "--exit-status", "2",
                        "--output-file", "-")
        self.assertEqual(done.returncode, 0, done.stderr)
        message = self.opened()
        last = message.data["lastHeartbeat"]
        self.assertEqual((last["kind"], last["exitStatus"]), ("down", 2))
        self.assertEqual(len(last["output"]), 1024)
        self.assertTrue(last["output"].endswith("\ntar: disk full\n"))
        self.assertIn('exit status 2, last output "tar: disk full", ', message.summary)

    def test_a_reminder_interval_is_set_and_taken_away(self):
        self.make(*LONG, "--reminder-interval", "1h", "--max-run-duration", "2h")
        text = self.cli.text("monitor", "get", self.monitor)
        self.assertRegex(text, r"(?m)^Reminders +every 1h$")
        self.assertRegex(text, r"(?m)^Longest run +2h$")
        text = self.cli.text("monitor", "update", self.monitor, "--reminder-interval", "0s",
                             "--max-run-duration", "0s")
        self.assertNotIn("Reminders", text)
        self.assertNotIn("Longest run", text)

    def test_a_push_key_makes_monitors_with_a_cron_schedule(self):
        made = self.cli.json("key", "create", self.monitor, "--role", "pusher", "--may-create",
                             "--create-cron", "@daily", "--create-time-zone", "Europe/Paris",
                             "--create-grace", "1h", "--create-failure-threshold", "3")
        answer = request(self.gateway, "POST", f"/api/push/{made['secret']}/{self.monitor}?create=1")
        self.assertEqual(answer.status, 201)
        monitor = self.cli.monitor(self.monitor)
        self.assertEqual(monitor["schedule"]["cron"], {
            "expression": "@daily", "timeZone": "Europe/Paris", "grace": "3600s"})
        self.assertEqual(monitor["failureThreshold"], 3)
        self.assertIn("@daily Europe/Paris, grace 1h", self.cli.text("key", "get", self.monitor))

    def test_an_update_of_a_push_key_changes_of_its_defaults_what_is_named(self):
        self.cli.text("key", "create", self.monitor, "--role", "pusher", "--may-create",
                      "--create-timeout", "5m", "--create-severity", "critical",
                      "--create-label", "team=pay", "--create-failure-threshold", "2")

        def update(*flags):
            return self.cli.json("key", "update", self.monitor, *flags)["push"]["defaults"]

        kept = {"severity": "SEVERITY_CRITICAL", "labels": {"team": "pay"}, "failureThreshold": 2}
        defaults = update("--create-owner", "ops", "--create-grace", "10m")
        self.assertEqual({name: defaults[name] for name in kept}, kept)
        self.assertEqual(defaults["owner"], "ops")
        self.assertEqual(defaults["schedule"]["heartbeat"]["timeout"], "300s")
        self.assertEqual(defaults["schedule"]["heartbeat"]["grace"], "600s")
        defaults = update("--create-cron", "@daily", "--create-grace", "1h")
        self.assertEqual(defaults["schedule"]["cron"]["grace"], "3600s")
        # A grace alone is that of the schedule that it has.
        defaults = update("--create-grace", "2h", "--create-severity", "info")
        self.assertEqual(defaults["schedule"]["cron"]["grace"], "7200s")
        self.assertEqual(defaults["schedule"]["cron"]["expression"], "@daily")
        self.assertEqual(defaults["owner"], "ops")

    # --- what is wrong ---

    def test_the_command_line_says_what_is_wrong_with_a_schedule(self):
        self.make(*LONG)
        create = ("monitor", "create", self.monitor + "-x")
        for words, *arguments in (
                ("--cron: ", *create, "--cron", "61 * * * *"),
                ("--cron: ", *create, "--cron", "0 0 30 2 *"),
                ("--time-zone: ", *create, "--cron", "@daily", "--time-zone", "Mars/Olympus"),
                ("--early-tolerance: it is 25h; accepted: 0 to 24 h", *create, "--cron", "@daily",
                 "--early-tolerance", "25h"),
                ("--cron and --timeout exclude each other", *create, "--cron", "@daily", "--timeout",
                 "1h"),
                ("--timeout is required, or --cron", *create),
                ("--cron is required with --time-zone", *create, "--time-zone", "UTC"),
                ("--failure-threshold: it is 101; accepted: 1 to 100", *create, *LONG,
                 "--failure-threshold", "101"),
                ("--value-max: it is 1; accepted: at least value_min (2)", *create, *LONG,
                 "--value-min", "2", "--value-max", "1"),
                ("--value-min: \"much\" is no number", *create, *LONG, "--value-min", "much"),
                ("--reminder-interval: it is 59s; accepted: 0 (none), or 1m to 366 days", *create,
                 *LONG, "--reminder-interval", "59s"),
                ("--max-run-duration: ", *create, *LONG, "--max-run-duration", "500ms"),
                ("--cron: the monitor has no cron schedule yet", "monitor", "update",
                 self.monitor, "--time-zone", "UTC"),
                ("EXPRESSION: ", "schedule", "preview", "* * * *"),
                ("--time-zone: ", "schedule", "preview", "@daily", "--time-zone", "europe"),
                ("--count: it is 101; accepted: 0 to 100", "schedule", "preview", "@daily", "--count",
                 "101")):
            with self.subTest(arguments):
                self.assert_refused(words, *arguments)

    def test_rest_says_what_is_wrong_with_a_schedule(self):
        def faults(schedule, **fields):
            answer = self.rest.call("POST", f"{PROJECT}/monitors", {"schedule": schedule, **fields},
                                    monitorId=self.monitor)
            self.assertEqual(answer.status_code, 400, answer.text)
            return {fault["field"]: fault["description"] for fault in answer.json()["violations"]}

        bad = faults({"cron": {"expression": "61 * * * *", "timeZone": "Mars/Olympus"}})
        self.assertEqual(set(bad), {"monitor.schedule.cron.expression",
                                    "monitor.schedule.cron.timeZone"})
        self.assertIn("0 to 59", bad["monitor.schedule.cron.expression"])
        bad = faults({"heartbeat": {"timeout": "60s"}}, failureThreshold=101, valueMin=2, valueMax=1,
                     reminderInterval="59s", maxRunDuration="0.5s")
        self.assertEqual(set(bad), {"monitor.failureThreshold", "monitor.valueMax",
                                    "monitor.reminderInterval", "monitor.maxRunDuration"})
        answer = self.rest.call("POST", f"{PROJECT}/monitors:previewSchedule",
                                {"cron": {"expression": "@sometimes"}, "count": 101})
        self.assertEqual(answer.status_code, 400)
        self.assertEqual({fault["field"] for fault in answer.json()["violations"]},
                         {"cron.expression", "count"})

    def test_prometheus_sees_a_cron_monitor(self):
        push(self.gateway, self.make(*EACH_MINUTE))

        def deadline():
            text = request(self.gateway, "GET", "/metrics/monitors",
                           headers=self.rest.headers).body.decode()
            found = re.search(r'(?m)^tocsin_monitor_deadline_timestamp_seconds\{[^}]*monitor="'
                              + self.monitor + r'"[^}]*\} (\S+)$', text)
            return float(found[1]) if found else None

        self.assertEqual(wait_until(deadline, 10, "its deadline is shown") % 60, 1)


if __name__ == "__main__":
    unittest.main()

"""Statistics of monitors: uptime, gaps between heartbeats, and the timeout that they suggest."""

import unittest

from harness.pushing import push
from harness.rest import Rest
from harness.testcase import TocsinTestCase

PROJECT = "/projects/default"

# A heartbeat each 55 s for a week, 14 of them after 65 s: what a timeout of a minute is too short for.
WEEK = """
INSERT INTO heartbeat (received_at, monitor_id, push_id, project_id, kind, source, value)
SELECT date_trunc('milliseconds', clock_timestamp()) - interval '1 minute' -
         make_interval(secs => 55 * (10080 - n) + 10 * greatest(14 - n / 700, 0)),
       m.monitor_id, n, m.project_id, 1, 1, n % 10
FROM monitor m, generate_series(0, 10080) n WHERE m.id = '{monitor}';
UPDATE monitor SET created_at = created_at - interval '10 days' WHERE id = '{monitor}';
DELETE FROM unwatched u USING monitor m WHERE u.monitor_id = m.monitor_id AND m.id = '{monitor}';
-- That past was rolled up already, when there was nothing in it.
DELETE FROM rollup_progress;
"""


def seconds(duration):
    return float(duration.removesuffix("s"))


class Statistics(TocsinTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.rest = Rest(cls.gateway, cls.cluster.key("admin"))

    def setUp(self):
        self.monitor = self.id_of_test()
        self.path = f"{PROJECT}/monitors/{self.monitor}"

    def live_for_a_week(self):
        self.push("up")
        self.cluster.postgres.execute(WEEK.format(monitor=self.monitor))

    def make(self, *flags):
        self.token = self.cli.json("monitor", "create", self.monitor, *flags)["pushToken"]

    def push(self, status="up", **more):
        self.assertEqual(push(self.gateway, self.token, status=status, **more).status, 200)

    def statistics(self, **query):
        return self.rest.get(f"{self.path}/statistics", **query)

    def test_uptime_counts_the_time_in_which_it_was_watched(self):
        self.make("--timeout", "1h")
        fresh = self.statistics()
        self.assertEqual([uptime["window"] for uptime in fresh["uptimes"]],
                         ["86400s", "604800s", "2592000s", "7776000s"])
        # Nothing is known of a job that never reported.
        self.assertNotIn("ratio", fresh["uptimes"][0])
        self.assertNotIn("heartbeatsSince", fresh)
        self.push("up")
        self.push("down")
        self.push("up")
        self.assertEqual(self.cli.run("monitor", "pause", self.monitor).returncode, 0)
        paused = self.statistics()["uptimes"][0]
        self.assertEqual((paused["incidents"], paused["recoveries"]), ("1", "1"))
        self.assertGreater(seconds(paused["down"]), 0)
        self.assertGreater(paused["ratio"], 0)
        self.assertLess(paused["ratio"], 1)
        self.assertEqual(paused["meanTimeToRecovery"], paused["down"])
        later = self.statistics()["uptimes"][0]
        self.assertEqual((later["watched"], later["ratio"]), (paused["watched"], paused["ratio"]))
        self.assertEqual(self.cli.run("monitor", "resume", self.monitor).returncode, 0)
        self.push("up")
        self.assertGreater(seconds(self.statistics()["uptimes"][0]["watched"]),
                           seconds(paused["watched"]))

    def test_a_week_of_heartbeats_suggests_a_timeout(self):
        self.make("--timeout", "60s")
        self.live_for_a_week()
        text = self.cli.text("monitor", "stats", self.monitor)
        self.assertRegex(text, r"99\.9 % of 10,08\d gaps were at most 65s; the timeout of 60s would "
                               r"have raised 14 false alarms since ")
        self.assertIn("Suggested: --timeout 72s, which would have raised none.", text)
        self.assertRegex(text, r"(?m)^WINDOW +UPTIME +WATCHED +DOWN")
        self.assertRegex(text, r"(?m)^[\d.]+s to [\d.]+s +10,0\d\d +#{40}$")
        self.assertRegex(text, r"(?m)^8\.55 to 9 +1,008 +#+$")
        read = self.statistics()
        self.assertEqual(read["gaps"]["p50"], 55)
        self.assertEqual(read["gaps"]["p999"], 65)
        self.assertEqual(read["timeoutAdvice"]["suggestedTimeout"], "72s")

    def test_a_dry_run_says_what_a_timeout_would_have_done_and_changes_nothing(self):
        self.make("--timeout", "60s")
        self.live_for_a_week()
        text = self.cli.text("monitor", "update", self.monitor, "--timeout", "50s", "--dry-run")
        self.assertRegex(text, r"a timeout of 50s would have raised [\d,]{5,6} false alarms since ")
        advice = self.cli.json("monitor", "update", self.monitor, "--timeout", "72s", "--dry-run")
        self.assertEqual(advice["timeout"], "72s")
        self.assertEqual(advice.get("falseAlarms", "0"), "0")
        self.assertEqual(self.cli.monitor(self.monitor)["schedule"]["heartbeat"]["timeout"], "60s")
        for words, *flags in (("--timeout or a --grace", "--owner", "payments"),
                              ("timeout", "--timeout", "1ms")):
            done = self.cli.run("monitor", "update", self.monitor, *flags, "--dry-run")
            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(words, done.stderr)

    def test_of_a_cron_schedule_it_is_about_the_grace(self):
        self.make("--cron", "0 12 1 1 *", "--grace", "1h")
        advice = self.statistics(grace="60s")["timeoutAdvice"]
        self.assertEqual(advice["grace"], "60s")
        self.assertNotIn("timeout", advice)
        refused = self.rest.call("GET", f"{self.path}/statistics?timeout=60s")
        self.assertEqual(refused.status_code, 400)
        self.assertIn("cron", refused.text)
        self.assertIn("No gap between heartbeats was seen yet.",
                      self.cli.text("monitor", "stats", self.monitor))

    def test_of_a_monitor_that_is_not_there_nothing_is_said(self):
        self.assertEqual(self.cli.run("monitor", "stats", "missing").returncode, 3)
        self.assertEqual(self.rest.call("GET", f"{self.path}/statistics").status_code, 404)


if __name__ == "__main__":
    unittest.main()

"""What Tocsin knows of a job that `tocsin exec` ran, from a crontab's line to the alert."""

import subprocess
import unittest

from harness.cluster import binary
from harness.execs import LIMIT, environment
from harness.testcase import TocsinTestCase


class ExecReports(TocsinTestCase):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.cluster.make_channel(cls.receiver, "everyone", "--default")

    def setUp(self):
        self.monitor = self.id_of_test()

    def make_url(self):
        return f"http://{self.gateway}/api/push/{self.cli.make_monitor(self.monitor, '1h')}"

    def start(self, script, *flags, url):
        return subprocess.Popen([binary("tocsin"), "exec", *flags, "--", "sh", "-c", script],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                text=True, env=environment(url))

    def run_job(self, script, *flags, url):
        """The exit status of a job about whose reports there was nothing to say."""
        with self.start(script, *flags, url=url) as child:
            _, said = child.communicate(timeout=LIMIT)
        self.assertEqual(said, "")
        return child.returncode

    def heartbeats(self):
        """(kind, exit status, whether the duration is known) of each, the oldest first."""
        return [(beat["kind"].removeprefix("KIND_"), beat.get("exitStatus"), "runDuration" in beat)
                for beat in reversed(self.cli.heartbeats(self.monitor))]

    def test_start_end_duration_exit_status_and_output_of_a_job_are_known(self):
        url = self.make_url()
        self.assertEqual(self.run_job("echo copied 12 files", url=url), 0)
        self.assertEqual(self.heartbeats(), [("START", None, False), ("UP", 0, True)])
        self.assertEqual(self.cli.text("heartbeat", "output", self.monitor), "copied 12 files\n")

    def test_an_alert_quotes_the_last_line_of_a_job_that_failed(self):
        url = self.make_url()
        self.assertEqual(self.run_job("echo begin; echo disk full; exit 28", url=url), 28)
        self.assertEqual(self.heartbeats(), [("START", None, False), ("DOWN", 28, True)])
        told, = self.receiver.wait_for(1, monitor=self.monitor)
        self.assertIn('exit status 28, last output "disk full"', told.summary)
        self.assertEqual(self.run_job("true", url=url), 0)
        self.assertEqual(self.cli.state(self.monitor), "UP")

    def test_a_channel_can_leave_out_what_a_job_put_out(self):
        self.cluster.make_channel(self.receiver, "discreet", "--omit-output", "--selector", "secret=yes")
        self.assertIn("left out", self.cli.text("channel", "get", "discreet"))
        token = self.cli.make_monitor(self.monitor, "1h", "--label", "secret=yes")
        url = f"http://{self.gateway}/api/push/{token}"
        self.assertEqual(self.run_job("echo password=hunter2; exit 3", url=url), 3)
        told, = self.receiver.wait_for(1, monitor=self.monitor)
        self.assertIn("exit status 3", told.summary)
        self.assertNotIn("hunter2", str(told.__dict__))
        self.cli.text("channel", "update", "discreet", "--no-omit-output")
        self.assertEqual(self.run_job("true", url=url), 0)
        self.assertEqual(self.run_job("echo password=hunter2; exit 3", url=url), 3)
        again = self.receiver.wait_for(3, monitor=self.monitor)[-1]
        self.assertIn("hunter2", again.summary)

    def test_an_alert_says_what_killed_a_job(self):
        self.run_job("kill -KILL $$", url=self.make_url())
        told, = self.receiver.wait_for(1, monitor=self.monitor)
        self.assertIn('"killed by SIGKILL", exit status 137', told.summary)

    def test_runs_that_overlap_are_told_apart(self):
        url = self.make_url()
        first, second = (self.start("echo ready; read status; exit $status", "--run-id", run, url=url)
                         for run in ("first", "second"))
        for child in (first, second):
            child.stdout.readline()
        for child, status in ((first, 0), (second, 4)):
            with child:
                child.communicate(f"{status}\n", timeout=LIMIT)
            self.assertEqual(child.returncode, status)
        ends = {beat["runId"]: (beat.get("exitStatus"), "runDuration" in beat)
                for beat in self.cli.heartbeats(self.monitor) if beat["kind"] != "KIND_START"}
        self.assertEqual(ends, {"first": (0, True), "second": (4, True)})

    def test_a_push_key_makes_the_monitor_of_a_job_that_is_new(self):
        key = self.cli.json("key", "create", "exec", "--role", "pusher", "--may-create")["secret"]
        url = f"http://{self.gateway}/api/push/{key}/{self.monitor}?create=1"
        self.assertEqual(self.run_job("exit 5", url=url), 5)
        self.assertEqual(self.heartbeats(), [("START", None, False), ("DOWN", 5, True)])

    def test_without_a_start_the_duration_is_told_in_words(self):
        url = self.make_url()
        self.assertEqual(self.run_job("true", "--no-start", url=url), 0)
        beat, = self.cli.heartbeats(self.monitor)
        self.assertRegex(beat["message"], r"^took \d")


if __name__ == "__main__":
    unittest.main()

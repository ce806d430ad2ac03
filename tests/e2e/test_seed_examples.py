"""Runs every example that users of push monitors know, unchanged but for host and token."""

import os
import shutil
import signal
import subprocess
import tempfile
import unittest

from harness.testcase import TocsinTestCase
from harness.waiting import wait_until

_HERE = os.path.dirname(os.path.abspath(__file__))
_STANDINS = os.path.join(_HERE, "standins")
_HOST = "https://tianji.example.com"
_TOKEN = "<your-push-token>"


class Example:
    """One example on its way, in a directory of its own."""

    def __init__(self, name, gateway, token, environment=None):
        self.directory = tempfile.mkdtemp(prefix="tocsin-example-")
        with open(os.path.join(_HERE, "seed", name), encoding="utf-8") as original:
            text = original.read()
        assert _HOST in text and _TOKEN in text, name
        path = os.path.join(self.directory, name)
        with open(path, "w", encoding="utf-8") as out:
            out.write(text.replace(_HOST, f"http://{gateway}").replace(_TOKEN, token))
        self._command = {
            "sh": ["bash", path],
            "js": ["node", "--require", os.path.join(_STANDINS, "quick-intervals.js"), path],
            "py": ["/usr/bin/python3", "-u", path],
        }[name.rpartition(".")[2]]
        self._environment = {
            **os.environ,
            "PATH": os.path.join(_STANDINS, "bin") + os.pathsep + os.environ["PATH"],
            "PYTHONPATH": _STANDINS,
            "LC_ALL": "C.UTF-8",
            **(environment or {}),
        }
        self._log = os.path.join(self.directory, "output")
        self._child = None

    def start(self):
        with open(self._log, "wb") as log:
            self._child = subprocess.Popen(
                self._command, cwd=self.directory, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, env=self._environment, start_new_session=True)
        return self

    def finish(self):
        """Waits for its end; its exit status."""
        return self._child.wait(30)

    @property
    def output(self):
        with open(self._log, encoding="utf-8", errors="replace") as log:
            return log.read()

    def add_command(self, name, script):
        path = os.path.join(self.directory, name)
        with open(path, "w") as out:
            out.write(f"#!/bin/sh\n{script}\n")
        os.chmod(path, 0o755)

    def stop(self):
        if self._child and self._child.poll() is None:
            os.killpg(self._child.pid, signal.SIGKILL)
            self._child.wait(10)

    def close(self):
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)


class SeedExamples(TocsinTestCase):
    def make(self, name, timeout="60s", environment=None):
        """(example, monitor id) for a new monitor."""
        monitor = self.id_of_test()
        token = self.cli.make_monitor(monitor, timeout)
        example = Example(name, self.gateway, token, environment)
        self.addCleanup(example.close)
        return example, monitor

    def wait_heartbeats(self, example, monitor, count):
        """The newest `count` heartbeats, oldest first."""
        found = wait_until(
            lambda: beats if len(beats := self.cli.heartbeats(monitor)) >= count else None,
            20, lambda: f"{count} heartbeats of {monitor}; the example said:\n{example.output}",
            poll=0.1)
        return list(reversed(found))

    def assert_keeps_pushing(self, example, monitor):
        for beat in self.wait_heartbeats(example, monitor, 3)[:3]:
            self.assertEqual(beat["kind"], "KIND_UP")
            self.assertEqual(beat["message"], "OK")
        self.assertEqual(self.cli.state(monitor), "UP")

    def test_bash_loop_keeps_its_monitor_up_and_its_death_is_found(self):
        example, monitor = self.make("01-bash-loop.sh", timeout="2s")
        example.start()
        self.assert_keeps_pushing(example, monitor)
        self.assertIn('"ok":true', example.output)
        example.stop()
        self.cli.wait_state(monitor, "DOWN")

    def test_node_fetch_keeps_its_monitor_up(self):
        example, monitor = self.make("02-node-fetch.js")
        example.start()
        self.assert_keeps_pushing(example, monitor)
        self.assertIn("Battement de cœur envoyé avec succès", example.output)
        self.assertNotIn("Échec", example.output)

    def test_python_requests_keeps_its_monitor_up(self):
        example, monitor = self.make("03-python-requests.py")
        example.start()
        self.assert_keeps_pushing(example, monitor)
        self.assertIn("Battement de cœur envoyé avec succès", example.output)
        self.assertNotIn("Échec", example.output)

    def test_cron_job_tells_that_its_backup_completed(self):
        example, monitor = self.make("04-cron-job.sh")
        example.add_command("run-backup.sh", "exit 0")
        self.assertEqual(example.start().finish(), 0, example.output)
        beats = self.wait_heartbeats(example, monitor, 1)
        self.assertEqual([(b["kind"], b["message"]) for b in beats],
                         [("KIND_UP", "backup-completed")])
        self.assertEqual(self.cli.state(monitor), "UP")

    def test_cron_job_tells_that_its_backup_failed(self):
        example, monitor = self.make("04-cron-job.sh")
        example.add_command("run-backup.sh", "exit 1")
        self.assertEqual(example.start().finish(), 0, example.output)
        beats = self.wait_heartbeats(example, monitor, 1)
        self.assertEqual([(b["kind"], b["message"]) for b in beats],
                         [("KIND_DOWN", "backup-failed")])
        self.assertEqual(self.cli.state(monitor), "DOWN")

    def test_background_service_with_a_thread_keeps_its_monitor_up(self):
        example, monitor = self.make("05-python-thread.py")
        example.start()
        self.assert_keeps_pushing(example, monitor)
        self.assertNotIn("Échec", example.output)

    def test_sync_task_tells_success_failure_and_exceptions(self):
        example, monitor = self.make("06-python-sync-task.py", timeout="1h",
                                     environment={"EXAMPLE_SYNC": "succeed,fail,succeed,raise"})
        example.start()
        beats = self.wait_heartbeats(example, monitor, 4)
        self.assertEqual([(b["kind"], b["message"]) for b in beats[:4]], [
            ("KIND_UP", "synced-42-records"),
            ("KIND_DOWN", "sync-failed"),
            ("KIND_UP", "synced-42-records"),
            ("KIND_DOWN", "erreur-disk full"),
        ])
        self.cli.wait_state(monitor, "DOWN")


if __name__ == "__main__":
    unittest.main()

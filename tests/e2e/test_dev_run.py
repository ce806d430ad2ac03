"""`./dev run` as a person uses it: the tour, Ctrl-C, the second run, and what it says when it cannot."""

import os
import re
import shutil
import signal
import socket
import subprocess
import unittest

from harness.dev import ROOT, Dev
from harness.processes import running
from harness.waiting import wait_until


class DevRun(unittest.TestCase):
    def setUp(self):
        self.dev = Dev()
        self.addCleanup(self.dev.close)

    def start(self):
        foreground = self.dev.run_in_foreground()
        self.addCleanup(foreground.close)
        foreground.wait_ready()
        return foreground

    def start_detached(self):
        done = self.dev.run("run", "--detach")
        self.assertEqual(done.returncode, 0, done.stdout)
        return done.stdout

    def paste(self, commands):
        """What a shell prints for them, which must all succeed."""
        done = subprocess.run(["bash", "-eo", "pipefail", "-c", commands], capture_output=True,
                              text=True, timeout=60, check=False, cwd=ROOT, env=self.dev.environment)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout

    def use(self, commands):
        return self.paste(f'eval "$(./dev env)"\n{commands}')

    def assert_nothing_runs(self):
        wait_until(lambda: not self.dev.left_running(), 10,
                   lambda: f"nothing is left; found {self.dev.left_running()}")
        self.assertEqual(self.dev.run("status").returncode, 3)

    def test_the_tour_works_and_ctrl_c_stops_everything_and_a_second_run_keeps_the_data(self):
        first = self.start()
        tour = first.printed().partition("to paste")[2]
        commands = "\n".join(line for line in tour.splitlines() if re.match(r"  \S", line))
        self.assertEqual(commands.count("curl "), 2)
        out = self.paste(commands)
        self.assertEqual(out.count('{"ok":true'), 2, out)
        self.assertRegex(out, r"(?m)^hello +up +up")
        status = self.dev.run("status")
        self.assertEqual((status.returncode, status.stdout.count(" ready ")), (0, 4), status.stdout)
        # Everybody on the machine can read a command line.
        secret = (self.dev.home / "terminal.secret").read_text().strip()
        self.assertEqual([line for line in self.dev.left_running() if secret in line], [])
        self.use("tocsin monitor create kept --timeout 60s")
        # An alert appears in the terminal, as the tour says.
        self.paste(next(line for line in commands.splitlines() if "curl" in line)
                   .replace("status=up", "status=down"))
        first.wait_for('DOWN hello "First monitor"')
        again = self.dev.run("run")
        self.assertEqual(again.returncode, 1)
        self.assertIn("runs already", again.stdout)
        self.assertEqual(self.dev.run("run", "--detach").returncode, 0)

        first.interrupt()
        self.assertEqual(first.wait(), 0)
        self.assertIn(f"The data stays in {self.dev.home}", first.printed())
        self.assert_nothing_runs()

        second = self.start()
        self.assertNotIn("Making a database cluster", second.printed())
        self.use("tocsin monitor get kept")
        # The tour's push URL still works; it was shown by the first run.
        self.assertIn('{"ok":true', self.paste(commands))
        self.assertEqual(self.dev.run("stop").returncode, 0)
        self.assertEqual(second.wait(), 0)
        self.assert_nothing_runs()

    def test_ctrl_c_while_it_starts_leaves_nothing(self):
        for name in ("tocsin-core", "tocsin-gateway", "terminal"):
            foreground = self.dev.run_in_foreground()
            self.addCleanup(foreground.close)
            wait_until(lambda name=name: (self.dev.home / f"run/{name}.pid").exists(), 60,
                       lambda: f"{name} starts; printed:\n{foreground.printed()}", poll=0.001)
            foreground.interrupt()
            self.assertIn(foreground.wait(), (130, 0), foreground.printed())
            self.assert_nothing_runs()
        self.start_detached()

    def test_ctrl_c_while_the_database_is_made_leaves_nothing_half_made(self):
        foreground = self.dev.run_in_foreground()
        self.addCleanup(foreground.close)
        foreground.wait_for("Making a database cluster")
        foreground.interrupt()
        self.assertEqual(foreground.wait(), 130, foreground.printed())
        self.assert_nothing_runs()
        self.start_detached()

    def test_a_service_that_dies_is_told_and_the_rest_is_stopped(self):
        foreground = self.start()
        pid = int((self.dev.home / "run/tocsin-core.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        self.assertEqual(foreground.wait(), 1)
        self.assertIn("tocsin-core ended unexpectedly", foreground.printed())
        self.assert_nothing_runs()

    def kill(self, name):
        pid = int((self.dev.home / f"run/{name}.pid").read_text().split()[0])
        os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not running(pid), 10, f"{name} is gone")

    def test_a_second_detached_run_starts_what_has_ended(self):
        self.start_detached()
        before = {name: (self.dev.home / f"run/{name}.pid").read_text()
                  for name in ("tocsin-core", "tocsin-gateway", "tocsin-notifier", "terminal")}
        self.kill("tocsin-notifier")
        self.kill("terminal")
        status = self.dev.run("status")
        self.assertEqual(status.returncode, 1, status.stdout)
        self.assertRegex(status.stdout, "tocsin-notifier +stopped")
        in_a_terminal = self.dev.run("run")
        self.assertEqual(in_a_terminal.returncode, 1, in_a_terminal.stdout)
        for words in ("ended: tocsin-notifier terminal", "run --detach", "stop"):
            self.assertIn(words, in_a_terminal.stdout)
        again = self.dev.run("run", "--detach")
        self.assertEqual(again.returncode, 0, again.stdout)
        self.assertIn("ended: tocsin-notifier terminal", again.stdout)
        status = self.dev.run("status")
        self.assertEqual((status.returncode, status.stdout.count(" ready ")), (0, 4), status.stdout)
        for name, was in before.items():
            is_now = (self.dev.home / f"run/{name}.pid").read_text()
            self.assertEqual(is_now == was, name not in ("tocsin-notifier", "terminal"), name)

    def test_a_second_detached_run_starts_a_database_that_was_killed(self):
        self.start_detached()
        postmaster = int((self.dev.home / "postgresql/postmaster.pid").read_text().split()[0])
        os.kill(postmaster, signal.SIGKILL)
        wait_until(lambda: not running(postmaster), 10, "PostgreSQL is gone")
        again = self.dev.run("run", "--detach")
        self.assertEqual(again.returncode, 0, again.stdout)
        self.assertIn("ended: postgresql", again.stdout)
        self.assertEqual(self.dev.run("status").returncode, 0)

    def test_a_busy_port_is_named_before_the_build_with_what_to_type_instead(self):
        with socket.socket() as holder:
            holder.bind(("127.0.0.1", self.dev.http_port))
            holder.listen()
            done = self.dev.run("run", "--detach")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(f"port {self.dev.http_port} is in use", done.stdout)
        self.assertRegex(done.stdout, rf"TOCSIN_HTTP_PORT=\d+ TOCSIN_GRPC_PORT={self.dev.grpc_port} "
                                      rf"TOCSIN_HOME='{self.dev.home}' \./dev run --detach\n")
        self.assertFalse(self.dev.home.exists())
        self.assert_nothing_runs()

    def test_a_build_with_nothing_to_do_says_nothing(self):
        self.start_detached()
        self.assertEqual(self.dev.run("stop").returncode, 0)
        self.assertRegex(self.start_detached(), r"\AStarting PostgreSQL…\nStarting the services…\n")

    def test_the_tour_names_the_home_only_when_it_is_not_the_default(self):
        shown = subprocess.run(
            ["bash", "-c", 'root=$PWD verb=run; . tools/dev/lib.sh; dev_command'], cwd=ROOT,
            capture_output=True, text=True, check=True, env={
                **self.dev.environment, "TOCSIN_HOME": str(ROOT / ".tocsin")})
        self.assertEqual(shown.stdout, "./dev\n")
        self.assertIn(f"TOCSIN_HOME='{self.dev.home}' ./dev env", self.start_detached())

    def test_a_first_start_and_its_stop_have_nothing_to_warn_of(self):
        self.start_detached()
        self.assertEqual(self.dev.run("stop").returncode, 0)
        for name in ("tocsin-core", "tocsin-gateway", "tocsin-notifier"):
            log = (self.dev.home / f"log/{name}.log").read_text()
            self.assertIn("event=started", log)
            self.assertNotRegex(log, "level=(warning|error)")

    def test_env_says_when_nothing_runs_and_still_points_there(self):
        self.start_detached()
        self.assertNotIn("nothing runs", self.dev.run("env").stdout)
        self.assertEqual(self.dev.run("stop").returncode, 0)
        done = self.dev.run("env")
        self.assertEqual(done.returncode, 0)
        self.assertIn("nothing runs", done.stdout)
        self.assertIn(f"export TOCSIN_CORE_ADDRESS='127.0.0.1:{self.dev.grpc_port}'", done.stdout)

    def test_a_database_that_cannot_start_says_why(self):
        self.start_detached()
        self.assertEqual(self.dev.run("stop").returncode, 0)
        (self.dev.home / "postgresql/global/pg_control").write_bytes(b"")
        done = self.dev.run("run", "--detach")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn("PostgreSQL did not start", done.stdout)
        self.assertIn("pg_control", done.stdout)
        self.assertIn(f"rm -rf '{self.dev.home}/postgresql'", done.stdout)
        self.assert_nothing_runs()

    def test_a_database_that_is_gone_is_made_anew_with_a_tour_that_works(self):
        self.start_detached()
        self.assertEqual(self.dev.run("stop").returncode, 0)
        shutil.rmtree(self.dev.home / "postgresql")
        out = self.start_detached()
        self.assertRegex(out, r"(?i)the database .*is gone")
        push = re.search(r"curl .*", out).group()
        self.assertIn('{"ok":true', self.paste(push))

    def test_what_is_no_database_is_never_overwritten(self):
        folder = self.dev.home / "postgresql"
        folder.mkdir(parents=True)
        (folder / "mine").write_text("mine")
        done = self.dev.run("run", "--detach")
        self.assertEqual(done.returncode, 1, done.stdout)
        self.assertIn(f"{folder} is no complete database cluster", done.stdout)
        self.assertTrue((folder / "mine").exists())

    def test_nothing_was_run_yet_is_said(self):
        for verb, status, words in (("env", 1, "./dev run --detach"), ("status", 3, "Nothing runs"),
                                    ("stop", 0, "Nothing runs")):
            done = self.dev.run(verb)
            self.assertEqual(done.returncode, status, done.stdout)
            self.assertIn(words, done.stdout)


if __name__ == "__main__":
    unittest.main()

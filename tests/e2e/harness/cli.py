"""The `tocsin` command as a script uses it."""

import json
import os
import subprocess
import threading

from harness.waiting import wait_until


class CliError(AssertionError):
    """The command failed; `stderr` says why to people."""

    def __init__(self, arguments, done):
        super().__init__(f"tocsin {' '.join(arguments)}: exit status {done.returncode}\n"
                         f"{done.stdout}{done.stderr}")
        self.status = done.returncode
        self.stderr = done.stderr


class Cli:
    """Speaks to one core."""

    def __init__(self, path, core_address, key_file=None):
        self._path = path
        self._environment = {**os.environ, "TOCSIN_CORE_ADDRESS": core_address}
        # No context of whoever runs the tests.
        self._environment["TOCSIN_CONFIG"] = "/nonexistent/tocsin.yaml"
        for name in ("TOCSIN_CONTEXT", "TOCSIN_PROJECT"):
            self._environment.pop(name, None)
        self._environment.pop("TOCSIN_KEY", None)
        self._environment.pop("TOCSIN_KEY_FILE", None)
        if key_file:
            self._environment["TOCSIN_KEY_FILE"] = key_file

    def with_environment(self, **environment):
        """The same command with more variables."""
        other = Cli(self._path, self._environment["TOCSIN_CORE_ADDRESS"])
        other._environment = {**self._environment, **environment}
        return other

    def with_key(self, key):
        """The same command with another key; None: without any."""
        other = self.with_environment()
        other._environment.pop("TOCSIN_KEY_FILE", None)
        other._environment.pop("TOCSIN_KEY", None)
        return other.with_environment(TOCSIN_KEY=key) if key else other

    def run(self, *arguments, timeout=30):
        """The completed process, whatever its exit status."""
        return subprocess.run([self._path, *arguments], capture_output=True, text=True,
                              timeout=timeout, env=self._environment, check=False)

    def pipe(self, text, *arguments, timeout=30):
        """As run, with `text` on its standard input."""
        return subprocess.run([self._path, *arguments], input=text, capture_output=True, text=True,
                              timeout=timeout, env=self._environment, check=False)

    def text(self, *arguments):
        done = self.run(*arguments)
        if done.returncode:
            raise CliError(arguments, done)
        return done.stdout

    def json(self, *arguments):
        """What `-o json` prints, parsed."""
        out = self.text("-o", "json", *arguments)
        return json.loads(out) if out.strip() else None

    def make_monitor(self, monitor_id, timeout, *flags):
        """The push token of a new monitor."""
        return self.json("monitor", "create", monitor_id, "--timeout", timeout, *flags)["pushToken"]

    def monitor(self, monitor_id):
        return self.json("monitor", "get", monitor_id)

    def state(self, monitor_id):
        """NEW, UP, DOWN or PAUSED."""
        return self.monitor(monitor_id)["state"].removeprefix("STATE_")

    def wait_state(self, monitor_id, state, timeout=10):
        wait_until(lambda: self.state(monitor_id) == state, timeout,
                   f"{monitor_id} becomes {state}", poll=0.05)

    def heartbeats(self, monitor_id):
        """Newest first."""
        return self.json("heartbeat", "list", monitor_id).get("heartbeats", [])

    def follow(self, *arguments):
        return Follower([self._path, *arguments], self._environment)


class Follower:
    """A command that keeps running, e.g. `tocsin watch`, with the lines that it has printed."""

    def __init__(self, command, environment):
        self._child = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                                       text=True, bufsize=1, env=environment)
        self.lines = []
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self):
        for line in self._child.stdout:
            self.lines.append(line.rstrip("\n"))

    def wait_for(self, predicate, timeout=10, what="a line"):
        """The first line that passes."""
        return wait_until(lambda: next((line for line in list(self.lines) if predicate(line)), None),
                          timeout, f"{what}; printed: {self.lines}")

    @staticmethod
    def json(line):
        return json.loads(line)

    def close(self):
        self._child.terminate()
        self._child.wait(10)
        self._reader.join(5)
        self._child.stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

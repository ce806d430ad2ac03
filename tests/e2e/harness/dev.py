"""`./dev` as a person uses it, with a state folder and ports of its own."""

import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

from harness.processes import command_line, free_port, running
from harness.waiting import wait_until

ROOT = pathlib.Path(__file__).resolve().parents[3]
READY = "Stop  "  # how the last line of the tour begins


class Dev:
    """One TOCSIN_HOME. `close` stops what still runs from it and removes it."""

    def __init__(self):
        self._folder = tempfile.mkdtemp(prefix="tocsin-dev-", dir="/tmp")
        os.chmod(self._folder, 0o711)  # as root, PostgreSQL runs as somebody else
        self.home = pathlib.Path(self._folder, "home")
        self.http_port = free_port()
        self.grpc_port = free_port()
        own = {name: value for name, value in os.environ.items() if not name.startswith("TOCSIN_")}
        self.environment = {**own, "TOCSIN_HOME": str(self.home),
                            "TOCSIN_HTTP_PORT": str(self.http_port),
                            "TOCSIN_GRPC_PORT": str(self.grpc_port)}

    def path(self, name):
        """A file beside the home."""
        return pathlib.Path(self._folder, name)

    def run(self, *arguments, timeout=60):
        """The completed process, whatever its exit status; `stdout` has both streams."""
        # Not a pipe: what ./dev leaves running must never hold up the reader.
        with tempfile.TemporaryFile("w+") as out:
            done = subprocess.run(["./dev", *arguments], stdin=subprocess.DEVNULL, stdout=out,
                                  stderr=subprocess.STDOUT, timeout=timeout, check=False, cwd=ROOT,
                                  env=self.environment)
            out.seek(0)
            done.stdout = out.read()
        return done

    def run_in_foreground(self):
        return Foreground(self)

    def left_running(self):
        """The command lines of processes that were started for this home."""
        pids = (int(name) for name in os.listdir("/proc") if name.isdigit())
        return [command_line(pid) for pid in pids if pid != os.getpid() and running(pid)
                and (f"TOCSIN_HOME={self.home}" in _environment(pid)
                     or str(self.home) in command_line(pid))]

    def close(self):
        self.run("stop")
        shutil.rmtree(self._folder, ignore_errors=True)


def _heed_interrupts():
    """In a child before it runs: a shell cannot trap a signal that it was started to ignore, which
    is what background jobs inherit."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _environment(pid):
    """What a process was started with; nothing for those of others."""
    try:
        return pathlib.Path(f"/proc/{pid}/environ").read_text(errors="replace").split("\0")
    except OSError:
        return []


class Foreground:
    """`./dev run` in a terminal: a process group of its own, which Ctrl-C reaches as a whole."""

    def __init__(self, dev):
        self._log = dev.path("foreground.log")
        with open(self._log, "wb") as log:
            self._child = subprocess.Popen(
                ["./dev", "run"], stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT,
                cwd=ROOT, env=dev.environment, start_new_session=True,
                preexec_fn=_heed_interrupts)

    def printed(self):
        return self._log.read_text(errors="replace")

    def wait_for(self, text, timeout=60):
        """What was printed, once `text` is part of it."""
        def look():
            out = self.printed()
            if text not in out and self._child.poll() is not None:
                raise AssertionError(f"./dev run ended with {self._child.returncode}:\n{out}")
            return out if text in out else None
        return wait_until(look, timeout, lambda: f"{text!r} in:\n{self.printed()}")

    def wait_ready(self):
        return self.wait_for(READY)

    def interrupt(self):
        """Ctrl-C."""
        os.killpg(self._child.pid, signal.SIGINT)

    def wait(self, timeout=60):
        """The exit status."""
        wait_until(lambda: self._child.poll() is not None, timeout,
                   lambda: f"./dev run ends; it printed:\n{self.printed()}")
        return self._child.returncode

    def close(self):
        if self._child.poll() is None:
            os.killpg(self._child.pid, signal.SIGTERM)
            self._child.wait(60)

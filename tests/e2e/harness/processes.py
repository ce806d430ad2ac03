"""Child processes that never outlive the test, and free ports for them."""

import os
import random
import signal
import socket
import subprocess

from harness.waiting import wait_until

# Below the range from which the kernel takes the ports of outgoing connections, so that a port
# found free stays free until the service binds it, also over a restart.
_PORTS = range(12000, 32000)
_given_ports = set()


def free_port():
    """A loopback port that nothing listens on and that this process did not give out before."""
    while True:
        port = random.choice(_PORTS)
        if port in _given_ports:
            continue
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        _given_ports.add(port)
        return port


def running(pid):
    """Whether the process runs: a zombie that nobody has waited for does not."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children") as found:
            return [int(child) for child in found.read().split()]
    except OSError:
        return []


def command_line(pid):
    try:
        with open(f"/proc/{pid}/cmdline") as found:
            return found.read().replace("\0", " ")
    except OSError:
        return ""


class Process:
    """One child with its log. The kernel ends it when the thread that started it ends, so start
    children from the test's main thread only."""

    def __init__(self, name, arguments, log_path, setpriv=(), death_signal="KILL", environment=None):
        self.name = name
        self.log_path = log_path
        self._command = ["setpriv", *setpriv, "--pdeathsig", death_signal, *arguments]
        self._environment = {**os.environ, **(environment or {})}
        self._child = None

    @property
    def pid(self):
        return self._child.pid

    def start(self):
        with open(self.log_path, "ab") as log:
            self._child = subprocess.Popen(self._command, stdin=subprocess.DEVNULL, stdout=log,
                                           stderr=log, env=self._environment, cwd="/")
        return self

    def alive(self):
        return self._child is not None and self._child.poll() is None

    def signal(self, number):
        if self.alive():
            self._child.send_signal(number)

    def wait(self, timeout):
        """The exit status; negative for a signal."""
        try:
            return self._child.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.name} did not end within {timeout} s") from None

    def terminate(self, timeout=30):
        """SIGTERM, and the exit status."""
        self.signal(signal.SIGTERM)
        return self.wait(timeout)

    def kill(self):
        self.signal(signal.SIGKILL)
        self.wait(10)

    def freeze(self):
        self.signal(signal.SIGSTOP)

    def thaw(self):
        self.signal(signal.SIGCONT)

    def close(self):
        """Ends it, whatever state it is in."""
        if not self.alive():
            return
        self.thaw()
        self.signal(signal.SIGTERM)
        try:
            wait_until(lambda: not self.alive(), 10, "it ends")
        except AssertionError:
            self.kill()

    def log_tail(self, lines=40):
        try:
            with open(self.log_path, errors="replace") as log:
                return "".join(log.readlines()[-lines:])
        except OSError:
            return ""

    def resident_bytes(self):
        return self._kilobytes("status", "VmRSS:") * 1024

    def proportional_bytes(self):
        """As resident_bytes, but of a page that n processes map the nth part."""
        return self._kilobytes("smaps_rollup", "Pss:") * 1024

    def _kilobytes(self, file, name):
        with open(f"/proc/{self.pid}/{file}") as lines:
            for line in lines:
                if line.startswith(name):
                    return int(line.split()[1])
        return 0

    def cpu_seconds(self):
        """Processor time that it has used so far, all threads."""
        with open(f"/proc/{self.pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

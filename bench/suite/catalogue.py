"""Which benchmarks there are, and how long each may take."""

import contextlib
import dataclasses
import signal
from typing import Callable

from suite import alerts, pushes, resting


@dataclasses.dataclass
class Benchmark:
    function: Callable  # (System, Scale) → figures
    fixed_s: int        # the longest that is not spent in runs
    run_s: int          # the longest of a run besides driving load
    loads: int          # how often a run drives load
    quick: bool = True  # whether --quick runs it when nothing is named
    # Whether it has a system of its own, since it needs other monitors than the rest.
    apart: Callable = lambda scale: False

    def limit_s(self, scale):
        return self.fixed_s + scale.runs * (self.run_s + self.loads * scale.seconds)

    @property
    def summary(self):
        return self.function.__doc__.splitlines()[0]


# In the order in which they run: idle before anything has worked.
ALL = {
    "idle": Benchmark(resting.idle, 120, 0, 1),
    "push": Benchmark(pushes.push, 90, 20, 4),
    "connect": Benchmark(pushes.connect, 90, 20, 3),
    "latency": Benchmark(pushes.latency, 90, 20, 2),
    "grpc": Benchmark(pushes.grpc, 90, 20, 3),
    "detect": Benchmark(alerts.detect, 90, 60, 2),
    "detect2k": Benchmark(alerts.detect2k, 90, 60, 2, quick=False),
    "webhooks": Benchmark(alerts.webhooks, 30, 120, 0),
    "mass": Benchmark(alerts.mass, 90, 450, 2),
    "dead": Benchmark(alerts.dead, 90, 90, 4, quick=False),
    "million": Benchmark(resting.million, 900, 30, 4, quick=False, apart=lambda _: True),
    "reads": Benchmark(resting.reads, 600, 180, 18,
                       apart=lambda scale: scale.large != scale.monitors),
}


def describe():
    return "\n".join(f"  {name:9} {benchmark.summary}" for name, benchmark in ALL.items())


class TookTooLong(Exception):
    pass


@contextlib.contextmanager
def at_most(seconds):
    """Ends what runs inside with TookTooLong; only in the main thread."""
    def end(*_):
        raise TookTooLong(f"it took more than {seconds} s")
    before = signal.signal(signal.SIGALRM, end)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)

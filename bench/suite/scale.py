"""How much a run of the suite measures."""

import dataclasses


@dataclasses.dataclass
class Scale:
    form: str       # "full" or "quick"
    runs: int       # of which the median counts
    seconds: int    # that each run drives load
    monitors: int
    mortal: int     # monitors that die while detection is timed
    mass: int       # deadlines in one second
    backlog: int    # webhooks that wait for the notifier
    small: int      # monitors that `million` compares
    large: int      # with so many


def full():
    return Scale("full", runs=3, seconds=10, monitors=100_000, mortal=1000, mass=100_000,
                 backlog=20_000, small=10_000, large=1_000_000)


def quick():
    return Scale("quick", runs=1, seconds=3, monitors=100_000, mortal=300, mass=10_000,
                 backlog=5000, small=10_000, large=100_000)

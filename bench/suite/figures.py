"""What a benchmark returns: figures, each with the target that it is held against, if any."""

import dataclasses
import statistics
from typing import Optional

HIGHER, LOWER = "higher", "lower"


@dataclasses.dataclass
class Figure:
    """One measured value. `key` names it from run to run."""
    key: str
    what: str                         # for people
    value: float
    unit: str = ""                    # "/s", "ms", "s", "µs", "B", "MB", "%" (value 0.5: 50 %)
    target: str = ""                  # "P1"; empty: no target speaks of it
    better: Optional[str] = None      # HIGHER or LOWER; None: neither, it is only told
    limit: Optional[float] = None     # the target's; met at exactly the limit
    # What other runs compare in place of `value`: the value in terms of what the machine could do
    # at the time. `tolerance` is the share by which it may be worse without being called so.
    relative: Optional[float] = None
    tolerance: float = 0.15
    taken: str = ""  # in which run; empty: in the one that the report is of

    @property
    def met(self):
        """Whether the target is met; None without one."""
        if self.limit is None:
            return None
        return self.value >= self.limit if self.better == HIGHER else self.value <= self.limit

    @property
    def comparable(self):
        return self.value if self.relative is None else self.relative

    def text(self):
        return number(self.value, self.unit)

    def limit_text(self):
        if self.limit is None:
            return ""
        return ("≥ " if self.better == HIGHER else "≤ ") + number(self.limit, self.unit)


def number(value, unit):
    """For people: no more digits than say something."""
    if unit == "%":
        return f"{value:.2%}".replace("%", " %")
    if unit in ("/s", "B", ""):
        digits = 0 if abs(value) >= 10 or value == int(value) else 2
    elif unit == "MB":
        digits = 0 if abs(value) >= 10 else 1
    else:
        digits = 0 if abs(value) >= 1000 else 1 if abs(value) >= 10 else 2
    return f"{value:,.{digits}f}{'' if unit == '/s' else ' ' if unit else ''}{unit}"


def median(runs, key):
    """The median of one value of several runs (dicts)."""
    return statistics.median(run[key] for run in runs)


def percentile(values, share):
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]

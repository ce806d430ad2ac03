"""What got worse since the recorded run."""

import dataclasses

from suite.figures import HIGHER, Figure


@dataclasses.dataclass
class Change:
    before: Figure
    now: Figure
    share: float  # 0.2: a fifth worse; negative: better

    @property
    def worse(self):
        return self.share > self.now.tolerance

    @property
    def better(self):
        return -self.share > self.now.tolerance

    def text(self):
        word = "worse" if self.share > 0 else "better"
        amount = "far" if abs(self.share) == float("inf") else f"{abs(self.share):.0%}"
        before, now = self.before.text(), self.now.text()
        adjusted = (" relative to what the machine could do"
                    if self.now.relative is not None else "")
        return f"{self.now.key}: {now}, was {before}: {amount} {word}{adjusted}"


def changes(before, now):
    """For each figure that both lists have and that can be better or worse."""
    old = {figure.key: figure for figure in before}
    return [Change(old[figure.key], figure, _share(old[figure.key], figure))
            for figure in now if figure.key in old and figure.better]


def broken_targets(before, now):
    """Figures whose target was met before and is not now."""
    met = {figure.key for figure in before if figure.met}
    return [figure for figure in now if figure.met is False and figure.key in met]


def _share(before, now):
    was, is_now = before.comparable, now.comparable
    # By how much the old value is above the new one, or the new one above the old.
    small, large = (is_now, was) if now.better == HIGHER else (was, is_now)
    if small == large:
        return 0.0
    if small <= 0:
        return float("inf")
    return large / small - 1

"""The lives of jobs under load: steady ones, flapping ones, and ones that fall silent."""


def steady(interval):
    """Pushes `up` for ever."""
    return lambda now: ("up", interval)


class Flapping:
    """Says `up` for a while, then `down` for a while, with a `log` now and then."""

    def __init__(self, random, interval, hold):
        self._random = random
        self._interval = interval
        self._hold = hold
        self._kind = "up"
        self._until = 0.0

    def __call__(self, now):
        if now >= self._until:
            self._kind = "down" if self._kind == "up" else "up"
            self._until = now + self._random.uniform(*self._hold)
        kind = "log" if self._random.random() < 0.05 else self._kind
        return kind, self._interval * self._random.uniform(0.5, 1.5)


class FallingSilent:
    """Pushes `up` for a while, then nothing for a while."""

    def __init__(self, random, interval, talking, silent):
        self._random = random
        self._interval = interval
        self._spans = (talking, silent)
        self._silent = True
        self._until = 0.0

    def __call__(self, now):
        if now >= self._until:
            self._silent = not self._silent
            self._until = now + self._random.uniform(*self._spans[self._silent])
        return (None if self._silent else "up"), self._interval

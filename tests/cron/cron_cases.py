"""Random cron expressions, zones and times, and the transitions of zones."""

import dataclasses
import datetime
import functools
import zoneinfo

ZONES = ("UTC", "Europe/Berlin", "Europe/London", "Europe/Dublin", "Europe/Moscow",
         "America/New_York", "America/St_Johns", "America/Sao_Paulo", "America/Havana",
         "America/Santiago", "America/Los_Angeles", "Africa/Cairo", "Asia/Beirut", "Asia/Kathmandu",
         "Asia/Tehran", "Asia/Tokyo", "Australia/Lord_Howe", "Australia/Sydney",
         "Antarctica/Troll", "Pacific/Apia", "Pacific/Auckland", "Pacific/Chatham")
FIRST_YEAR, LAST_YEAR = 2000, 2034  # what every program's database lists
LAST_YEAR_OF_UTC = 2190
UTC = datetime.timezone.utc
# Until when transitions are looked for.
END = int(datetime.datetime(LAST_YEAR + 3, 1, 1, tzinfo=UTC).timestamp())


@dataclasses.dataclass(frozen=True)
class Field:
    """Its text, and what it allows, made together so that no parser is needed."""
    text: str
    values: frozenset
    full: bool  # whether it allows everything
    overlaps: bool  # whether it allows a value twice

    def listed(self):
        """The same without stars, ranges and steps."""
        return ",".join(str(value) for value in sorted(self.values))


@dataclasses.dataclass(frozen=True)
class Case:
    minute: Field
    hour: Field
    day: Field
    month: Field
    weekday: Field  # values 0 to 6, 0 is Sunday
    zone: str
    start: int  # seconds of the Unix epoch
    count: int

    @property
    def fields(self):
        return (self.minute, self.hour, self.day, self.month, self.weekday)

    @property
    def expression(self):
        return " ".join(field.text for field in self.fields)

    @property
    def either_day(self):
        """Whether a day needs to be in one field of days only, by our rule."""
        return not self.day.text.startswith("*") and not self.weekday.text.startswith("*")

    def worded(self, either_day):
        """The expression that says to us what this one says by a rule by which a day needs to be in
        one field of days only, or in both."""
        if either_day == self.either_day:
            return self.expression
        day, weekday = (field.listed() if either_day or not field.full else "*"
                        for field in (self.day, self.weekday))
        return f"{self.minute.text} {self.hour.text} {day} {self.month.text} {weekday}"

    def allows(self, local, either_day):
        """Whether it allows that minute of the local calendar, by such a rule."""
        days = (local.day in self.day.values, local.isoweekday() % 7 in self.weekday.values)
        return (local.minute in self.minute.values and local.hour in self.hour.values
                and local.month in self.month.values and (any(days) if either_day else all(days)))


class Cases:
    def __init__(self, random):
        self._random = random

    def any(self):
        random = self._random
        zone = random.choice(ZONES)
        hour = self._field(0, 23, star=0.5)
        if random.random() < 0.4:  # clocks are set at night
            hour = self._field(0, 3, star=0)
        while True:
            case = Case(self._field(0, 59, star=0.2), hour,
                        self._field(1, 31, star=0.6), self._field(1, 12, star=0.8),
                        self._weekday(star=0.6), zone, self._start(zone), random.randint(4, 20))
            if self._fires(case):
                return case

    def _field(self, low, high, star):
        every = frozenset(range(low, high + 1))
        if self._random.random() < star:
            return Field("*", every, full=True, overlaps=False)
        texts, sets = zip(*(self._item(low, high) for _ in range(self._random.randint(1, 3))))
        values = frozenset().union(*sets)
        return Field(",".join(texts), values, full=values == every,
                     overlaps=len(values) < sum(map(len, sets)))

    def _weekday(self, star):
        field = self._field(0, self._random.choice((6, 7)), star)
        if field.text == "*":
            return Field("*", frozenset(range(7)), full=True, overlaps=False)
        values = frozenset(value % 7 for value in field.values)
        return Field(field.text, values, full=len(values) == 7,
                     overlaps=field.overlaps or len(values) < len(field.values))

    def _item(self, low, high):
        random = self._random
        first = random.randint(low, high)
        last = random.randint(first, high)
        step = random.randint(1, max(1, min(high, 20) // 2))
        kind = random.choice(("value", "value", "range", "stepped range", "stepped star"))
        if kind == "value":
            return str(first), {first}
        if kind == "range":
            return f"{first}-{last}", set(range(first, last + 1))
        # Programs differ in which steps of a range they take at all.
        step = min(step, max(1, last - first))
        if kind == "stepped range" and first < last:
            return f"{first}-{last}/{step}", set(range(first, last + 1, step))
        if (low, high) in ((0, 59), (0, 23), (1, 31), (1, 12), (0, 6)):
            return f"*/{step}", set(range(low, high + 1, step))
        return str(first), {first}

    def _start(self, zone):
        random = self._random
        near = transitions(zone)
        if near and random.random() < 0.7:
            return random.choice(near).at + 60 * random.randint(-900, 300)
        last_year = LAST_YEAR_OF_UTC if zone == "UTC" else LAST_YEAR
        first, last = (int(datetime.datetime(year, 1, 1, tzinfo=UTC).timestamp())
                       for year in (FIRST_YEAR, last_year))
        return 60 * random.randint(first // 60, last // 60)

    @staticmethod
    def _fires(case):
        days = {2: 29, 4: 30, 6: 30, 9: 30, 11: 30}
        return any(min(case.day.values) <= days.get(month, 31) for month in case.month.values)


@dataclasses.dataclass(frozen=True)
class Transition:
    """The first instant of other clocks, and how far they were set forward (back: negative)."""
    at: int
    shift: int
    local: datetime.datetime  # what the clocks would show then, had they not been set
    parts_hours: bool  # whether some hour is skipped or repeated in part only


@functools.lru_cache(maxsize=None)
def transitions(zone):
    """Those from before the cases until END, by the system's own database."""
    step = 12 * 3600
    tz = zoneinfo.ZoneInfo(zone)
    found = []
    first = int(datetime.datetime(FIRST_YEAR - 1, 1, 1, tzinfo=UTC).timestamp())
    for low in range(first, END, step):
        before, after = _offset(tz, low), _offset(tz, low + step)
        if before == after:
            continue
        high = low + step
        while high - low > 1:
            middle = (low + high) // 2
            if _offset(tz, middle) == before:
                low = middle
            else:
                high = middle
        local = datetime.datetime.fromtimestamp(high + before, UTC).replace(tzinfo=None)
        found.append(Transition(high, after - before, local,
                                local.minute != 0 or (after - before) % 3600 != 0))
    return tuple(found)


def _offset(tz, instant):
    return int(datetime.datetime.fromtimestamp(instant, tz).utcoffset().total_seconds())

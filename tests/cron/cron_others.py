"""Other programs that know when cron expressions fire.

Each has a name; has_own_rule, whether what it does around transitions is its own; either_day(case),
whether it takes a day that is in one of the fields of days only; and fires(cases), the fire times
of each case, fewer or none where it gives up.
"""

import datetime
import json
import pathlib
import re
import shutil
import subprocess
import zoneinfo

from cron_cases import transitions

ROOT = pathlib.Path(__file__).resolve().parents[2]
NODE_DRIVER = pathlib.Path(__file__).with_name("cron_parser.mjs")
UTC = datetime.timezone.utc


class Unavailable(Exception):
    """The program cannot be had on this machine."""


class Croniter:
    """Debian's python3-croniter. A field of days is unrestricted if it allows everything.

    It errs around transitions in more ways than can be told apart, so it is asked for the local
    calendar only, and Python's zoneinfo says when those local times are, by our rule."""

    name = "croniter"
    has_own_rule = False
    # Farther than any zone of the cases is set back.
    _LONGEST_SHIFT = datetime.timedelta(hours=3)

    def __init__(self):
        try:
            import croniter
        except ImportError as error:
            raise Unavailable(error) from error
        self._croniter = croniter.croniter

    def either_day(self, case):
        return not case.day.full and not case.weekday.full

    def fires(self, cases):
        return [self._fires(case) for case in cases]

    def _fires(self, case):
        tz = zoneinfo.ZoneInfo(case.zone)
        start = datetime.datetime.fromtimestamp(case.start, tz).replace(tzinfo=None)
        calendar = self._croniter(case.expression, start - self._LONGEST_SHIFT)
        fires = []
        while len(fires) < case.count:
            fire = self._instant(calendar.get_next(datetime.datetime), tz, case.zone)
            if fire > case.start and fire not in fires[-1:]:
                fires.append(fire)
        return fires

    @staticmethod
    def _instant(local, tz, zone):
        """The first instant of that local time or, if it is skipped, the first after it."""
        instant = int(local.replace(tzinfo=tz).timestamp())
        if datetime.datetime.fromtimestamp(instant, tz).replace(tzinfo=None) == local:
            return instant
        return next(transition.at for transition in transitions(zone)
                    if abs(transition.at - instant) <= transition.shift)


class CronParser:
    """npm's cron-parser. A field of days is unrestricted if it is `*`."""

    name = "cron-parser"
    has_own_rule = True
    version = "5.10.6"

    def __init__(self):
        self._folder = ROOT / "build/tools/cron-parser"
        package = self._folder / "node_modules/cron-parser/package.json"
        if not shutil.which("node") or not shutil.which("npm"):
            raise Unavailable("no node or no npm")
        if not package.exists() or json.loads(package.read_text())["version"] != self.version:
            self._folder.mkdir(parents=True, exist_ok=True)
            try:
                subprocess.run(["npm", "install", "--prefix", str(self._folder), "--no-audit",
                                "--no-fund", "--no-save", "--loglevel", "error",
                                f"cron-parser@{self.version}"],
                               stderr=subprocess.PIPE, text=True, check=True, timeout=120)
            except subprocess.TimeoutExpired as error:
                raise Unavailable(error) from error
            except subprocess.CalledProcessError as error:
                raise Unavailable(error.stderr) from error

    def either_day(self, case):
        return "*" not in (case.day.text, case.weekday.text)

    def fires(self, cases):
        shutil.copy(NODE_DRIVER, self._folder)
        lines = "".join(f"{self._expression(case)}\t{case.zone}\t{case.start}\t{case.count}\n"
                        for case in cases)
        done = subprocess.run(["node", NODE_DRIVER.name], cwd=self._folder, input=lines, text=True,
                              stdout=subprocess.PIPE, check=True, timeout=1200)
        return [[int(fire) for fire in line.split()] for line in done.stdout.splitlines()]

    @staticmethod
    def _expression(case):
        # It refuses lists with a value twice.
        return " ".join(field.listed() if field.overlaps else field.text for field in case.fields)


class SystemdCalendar:
    """systemd-analyze calendar. Knows no cron: is told our rule for days, in 1 or 2 calendars."""

    name = "systemd-analyze"
    has_own_rule = True
    _WEEKDAYS = ("Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat")
    _ELAPSE = re.compile(r"(?:Next elapse|Iter\. #\d+): \w+ (\S+ \S+) UTC")

    def __init__(self):
        if not shutil.which("systemd-analyze"):
            raise Unavailable("not installed")

    def either_day(self, case):
        return case.either_day

    def fires(self, cases):
        return [self._fires(case) for case in cases]

    def _fires(self, case):
        start = datetime.datetime.fromtimestamp(case.start, UTC)
        done = subprocess.run(["systemd-analyze", "calendar", f"--iterations={case.count}",
                               f"--base-time={start:%Y-%m-%d %H:%M:%S} UTC",
                               *self._calendars(case)],
                              env={"TZ": "UTC", "PATH": "/usr/bin:/bin", "LC_ALL": "C"},
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                              text=True, timeout=60)
        if "Resource deadlock avoided" in done.stderr:
            return []  # it gives up
        done.check_returncode()
        fires = {int(datetime.datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())
                 for text in self._ELAPSE.findall(done.stdout)}
        return sorted(fires)[:case.count]

    def _calendars(self, case):
        days = "*" if case.day.full else case.day.listed()
        weekdays = "" if case.weekday.full else ",".join(self._WEEKDAYS[value] for value in
                                                         sorted(case.weekday.values)) + " "
        months = "*" if case.month.full else case.month.listed()
        time = f"{case.hour.listed()}:{case.minute.listed()}:00 {case.zone}"
        if case.either_day:
            return [f"*-{months}-{days} {time}", f"{weekdays}*-{months}-* {time}"]
        return [f"{weekdays}*-{months}-{days} {time}"]


ALL = (Croniter, CronParser, SystemdCalendar)

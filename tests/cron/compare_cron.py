#!/usr/bin/env python3
"""Compares when we say that cron expressions fire with what other programs say.

Usage: compare_cron.py CRON_FIRES [--cases N] [--seed N] [--only NAME]

CRON_FIRES is the program of that name. Every difference is put into a class that docs/cron.md
explains; one that fits no class fails the comparison. Exit status 77: none of the other programs is
to be had. One of several that is not is said.
"""
import argparse
import collections
import datetime
import random
import subprocess
import sys
import time
import zoneinfo

from cron_cases import END, Cases, transitions
from cron_others import ALL, Unavailable

MAX_SHOWN = 10
DAY = 24 * 3600


def ours(program, lines):
    done = subprocess.run([program], input="".join(lines), text=True, stdout=subprocess.PIPE,
                          check=True, timeout=120)
    answers = done.stdout.splitlines()
    for line, answer in zip(lines, answers):
        if answer.startswith("error"):
            sys.exit(f"{line.strip()}: {answer}")
    return [[int(fire) for fire in answer.split()] for answer in answers]


def line(expression, case):
    return f"{expression}\t{case.zone}\t{case.start}\t{case.count}\n"


class Differences:
    """Explains each instant at which only one of both fires, by a class, or None."""

    def __init__(self, other, case, our):
        self._case, self._our = case, our
        self._tz = zoneinfo.ZoneInfo(case.zone)
        self._either_day = other.either_day(case)
        self._has_own_rule = other.has_own_rule
        self._others_own = {"croniter": self._croniter, "cron-parser": self._cron_parser,
                            "systemd-analyze": self._systemd}[other.name]
        self._transitions = [transition for transition in transitions(case.zone)
                             if case.start - DAY < transition.at < our[-1] + DAY]

    def explain(self, instant, is_ours):
        for transition in self._transitions if self._has_own_rule else ():
            since, shift = instant - transition.at, transition.shift
            if is_ours and since == 0 and self._skips(transition):
                return "what is skipped is left out, or fires later"
            if not is_ours and 0 < since < shift and self._fired(transition.at):
                return "what is skipped fires as much later as the clock was set forward"
            if not is_ours and 0 <= since < -shift and self._fired(instant + shift):
                return "fires again in the repeated time"
            if is_ours and shift <= since < 0:
                return "fires in the repeated time only the second time"
        return self._others_own(instant, is_ours)

    def _skips(self, transition):
        return any(self._case.allows(transition.local + datetime.timedelta(minutes=minute),
                                     self._either_day)
                   for minute in range(transition.shift // 60))

    def _fired(self, instant):
        return instant in self._our or instant <= self._case.start

    def _day(self, instant):
        return datetime.datetime.fromtimestamp(instant, self._tz).date()

    def _croniter(self, instant, is_ours):
        day = self._day(instant)
        last_month = (day.replace(day=1) - datetime.timedelta(days=1)).day
        if is_ours and day.day <= max(self._case.day.values) - last_month:
            return "leaves out first days of a month after one without all days of the expression"
        return None

    def _cron_parser(self, instant, _):
        if any(transition.parts_hours and abs(instant - transition.at) < 2 * 3600
               for transition in self._transitions):
            return "goes astray around an hour that is skipped or repeated in part"
        return None

    def _systemd(self, instant, is_ours):
        for transition in self._transitions:
            if (is_ours and 0 <= instant - transition.at < DAY and transition.shift > 0
                    and self._day(instant) == self._day(transition.at)):
                if self._skips(transition):
                    return "leaves out the rest of a day some of which is skipped"
                if transition.parts_hours and instant - transition.at < 3600:
                    return "leaves out the rest of an hour that is skipped in part"
        return None


def compare(other, case, our, their, classes):
    """The instants that nothing explains."""
    if len(their) < len(our):
        classes["expressions: gives up searching"] += 1
    if not their:
        return []
    until = min(our[-1], their[-1])
    if case.zone != "UTC":
        until = min(until, END - DAY)
    differences = Differences(other, case, our)
    unexplained = []
    for instant in sorted(set(our) ^ set(their)):
        if instant > until:
            continue
        known = differences.explain(instant, instant in our)
        if known:
            classes[known] += 1
        else:
            unexplained.append(instant)
    return unexplained


def show(instants):
    return ", ".join(f"{datetime.datetime.fromtimestamp(instant, datetime.timezone.utc):%FT%TZ}"
                     for instant in instants)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("cron_fires")
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(2**32))
    parser.add_argument("--only", choices=[program.name for program in ALL])
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}")
    maker = Cases(random.Random(arguments.seed))
    cases = [maker.any() for _ in range(arguments.cases)]
    by_our_rule = ours(arguments.cron_fires, [line(case.expression, case) for case in cases])

    compared = failures = 0
    for program in ALL:
        if arguments.only not in (None, program.name):
            continue
        try:
            other = program()
        except Unavailable as error:
            print(f"{program.name}: not compared with: {error}")
            continue
        compared += 1
        started = time.monotonic()
        theirs = other.fires(cases)
        # Where they mean other days than we do, we are asked for what they mean.
        ours_for_them = ours(arguments.cron_fires, [line(case.worded(other.either_day(case)), case)
                                                    for case in cases])
        classes = collections.Counter()
        same = 0
        for case, by_rule, our, their in zip(cases, by_our_rule, ours_for_them,
                                             theirs):
            if by_rule != our:
                classes["expressions: other rule for when a field of days is restricted"] += 1
            unexplained = compare(other, case, our, their, classes)
            same += our == their
            if unexplained:
                failures += 1
                if failures <= MAX_SHOWN:
                    print(f"{other.name}: {case.expression} in {case.zone} after "
                          f"{show([case.start])}\n  ours    {show(our)}\n  theirs  {show(their)}\n"
                          f"  unexplained {show(unexplained)}")
        print(f"{other.name}: {len(cases)} expressions, {sum(map(len, ours_for_them))} fire times, "
              f"{same} expressions alike ({time.monotonic() - started:.1f} s)")
        for name, count in sorted(classes.items()):
            print(f"  {count:6} {name}")
    if not compared:
        return 77
    if failures:
        print(f"{failures} expressions with differences that nothing explains")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/python3
"""Measures Tocsin and prints one table; see bench/README.md."""

import argparse
import datetime
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "tests/e2e")]

from suite import catalogue, compare, growth, micro, report, scale, tools  # noqa: E402
from suite.system import System  # noqa: E402, these need the path above

RESULTS = os.path.join(HERE, "results")
PAGE = os.path.join(HERE, "README.md")
_OTHERS = {"growth": growth.main, "micro": micro.main}

_EPILOG = """benchmarks:
{benchmarks}

besides:
  growth    how costs grow with monitors, connections and history: ./dev bench growth --help
  micro     the micro-benchmarks: ./dev bench micro [FILTER]

The exit status is 1 when something got worse than recorded or could not be measured.
"""


def _arguments(arguments):
    parser = argparse.ArgumentParser(
        prog="./dev bench", usage="./dev bench [OPTION…] [NAME…]",
        description="Measures Tocsin on this machine and prints one table.",
        epilog=_EPILOG.format(benchmarks=catalogue.describe()),
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", metavar="NAME", nargs="*", help="which; none means all")
    parser.add_argument("--quick", action="store_true",
                        help="one short run of most, in under 2 minutes")
    parser.add_argument("--record", action="store_true",
                        help="the figures are those that later runs are compared with")
    parser.add_argument("--runs", type=_positive, help="of which the median counts (default 3)")
    parser.add_argument("--seconds", type=_positive, help="how long a run drives load (default 10)")
    parser.add_argument("--monitors", type=_positive, help="how many there are (default 100,000)")
    parser.add_argument("--mass", type=_positive, help="deadlines in one second (default 100,000)")
    parser.add_argument("--large", type=_positive,
                        help="monitors of million and reads (default 1,000,000)")
    given = parser.parse_args(arguments)
    unknown = set(given.names) - catalogue.ALL.keys()
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}\n{catalogue.describe()}")
    given.sized = any((given.runs, given.seconds, given.monitors, given.mass, given.large))
    if given.record and given.sized:
        parser.error("--record is for the default sizes: others do not compare with them")
    return given


def _positive(text):
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError("must be at least 1")
    return value


def _scale(given):
    chosen = scale.quick() if given.quick else scale.full()
    for name in ("runs", "seconds", "monitors", "mass", "large"):
        if getattr(given, name):
            setattr(chosen, name, getattr(given, name))
    return chosen


def _machine():
    with open("/proc/cpuinfo") as info:
        model = next((line.partition(":")[2].strip() for line in info
                      if line.startswith("model name")), "unknown processor")
    return f"{os.cpu_count()} cores, {model}"


def _measure_one(name, system, sizes, into):
    benchmark = catalogue.ALL[name]
    took = tools.stopwatch()
    try:
        system.revive()
        with catalogue.at_most(benchmark.limit_s(sizes)):
            into.figures += benchmark.function(system, sizes)
        outcome = "done"
    except Exception as error:  # the others are measured all the same
        into.faults.append(f"{name}: {error}")
        outcome = f"failed: {error}"
    system.worked = True
    print(f"{name}: {outcome}, {took():.0f} s", file=sys.stderr, flush=True)


def _measure(names, sizes, into):
    """One system after the other, so that none disturbs another's."""
    for apart in (False, True):
        group = [name for name in names if catalogue.ALL[name].apart(sizes) == apart]
        if not group:
            continue
        with System() as system:
            for name in group:
                _measure_one(name, system, sizes, into)


def _path(name, form):
    return os.path.join(RESULTS, f"{name}{'' if form == 'full' else '-quick'}.json")


def _compared(measured):
    """Prints what changed; whether something got worse."""
    recorded = report.load(_path("recorded", measured.form))
    if recorded is None:
        print(f"\nNothing to compare with: no {measured.form} run is recorded (--record).")
        return False
    changes = compare.changes(recorded.figures, measured.figures)
    broken = compare.broken_targets(recorded.figures, measured.figures)
    worse = [change for change in changes if change.worse]
    print(f"\nAgainst the recorded run ({recorded.title}):")
    for change in changes:
        if change.worse or change.better:
            print(f"  {change.text()}")
    for figure in broken:
        print(f"  {figure.target} was met and is not any more: {figure.key},"
              f" {figure.text()} ({figure.limit_text()})")
    if not worse and not broken:
        print("  nothing got worse")
    return bool(worse or broken)


def _record(measured):
    path = _path("recorded", measured.form)
    whole = report.merged(report.load(path), measured)
    report.save(whole, path)
    if measured.form == "full":
        with open(PAGE) as page:
            text = report.replace_table(page.read(), report.text(whole))
        with open(PAGE, "w") as page:
            page.write(text)


def main():
    arguments = sys.argv[1:]
    # For ./dev, before it builds.
    only_check = arguments[:1] == ["--check-arguments"]
    if only_check:
        arguments = arguments[1:]
    if arguments and arguments[0] in _OTHERS:
        return 0 if only_check else _OTHERS[arguments[0]](arguments[1:])
    given = _arguments(arguments)
    if only_check:
        return 0
    tools.require("wrk", "nginx", "pgbench", "curl")
    sizes = _scale(given)
    names = [name for name, benchmark in catalogue.ALL.items()
             if name in given.names or not given.names and (benchmark.quick or not given.quick)]
    title = (f"{datetime.date.today().isoformat()}, {_machine()}; {sizes.monitors:,} monitors,"
             f" {tools.CONNECTIONS} connections, {sizes.runs} × {sizes.seconds} s, median")
    measured = report.Report(title, " ".join(["./dev bench", *arguments]), sizes.form, [])
    took = tools.stopwatch()
    try:
        _measure(names, sizes, measured)
    except KeyboardInterrupt:
        measured.faults.append("the rest: interrupted")
    print(f"\n{report.text(measured)}\n\nIn {took():.0f} s.")
    os.makedirs(RESULTS, exist_ok=True)
    report.save(measured, _path("latest", sizes.form))
    # Other sizes give other figures.
    worse = not given.sized and _compared(measured)
    if given.record and measured.faults:
        print("\nNot recorded: something could not be measured.")
    elif given.record:
        _record(measured)
    return 1 if measured.faults or worse and not given.record else 0


if __name__ == "__main__":
    sys.exit(main())

#!/usr/bin/python3
"""Measures Tocsin and prints one table; see bench/README.md."""

import argparse
import json
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(os.path.dirname(HERE), "tests/e2e")]

from suite import benchmarks, tools  # noqa: E402, needs the path above
from suite.system import System  # noqa: E402


def _arguments():
    parser = argparse.ArgumentParser(
        prog="./dev bench", usage="./dev bench [OPTION…] [NAME…]", description="Measures Tocsin on this machine and prints one table.",
        epilog="benchmarks:\n" + benchmarks.describe(),
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", metavar="NAME", nargs="*", help="which; none means all but mass")
    parser.add_argument("--quick", action="store_true",
                        help="one short run of each, for a first impression in under 2 minutes")
    parser.add_argument("--monitors", type=int, help="how many (default 100,000)")
    parser.add_argument("--seconds", type=int, help="how long each run takes (default 10)")
    parser.add_argument("--runs", type=int, help="how many, of which the median counts (default 3)")
    parser.add_argument("--json", metavar="FILE", help="also writes the figures there")
    # For ./dev, before it builds.
    parser.add_argument("--check-arguments", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    unknown = set(given.names) - benchmarks.ALL.keys()
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}\n{benchmarks.describe()}")
    return given


def _scale(given):
    default = (100_000, 4, 1, 300) if given.quick else (100_000, 10, 3, 1000)
    return benchmarks.Scale(given.monitors or default[0], given.seconds or default[1],
                            given.runs or default[2], default[3])


def _machine():
    with open("/proc/cpuinfo") as info:
        model = next((line.partition(":")[2].strip() for line in info
                      if line.startswith("model name")), "unknown processor")
    return f"{os.cpu_count()} cores, {model}"


def main():
    given = _arguments()
    if given.check_arguments:
        return
    tools.require("wrk", "nginx", "pgbench", "curl")
    scale = _scale(given)
    names = given.names or [name for name in benchmarks.ALL if name != "mass"]
    title = (f"{benchmarks.today()}, {_machine()}; {scale.monitors:,} monitors, "
             f"{tools.CONNECTIONS} connections, {scale.runs} × {scale.seconds} s, median")
    rows = []
    with System() as system:
        print(title, flush=True)
        print("making monitors …", file=sys.stderr, flush=True)
        system.grow(scale.monitors)
        for name in ["baseline", *names]:
            print(f"{name} …", file=sys.stderr, flush=True)
            function = benchmarks.baseline if name == "baseline" else benchmarks.ALL[name]
            rows += function(system, scale)
    width = max(len(row.what) for row in rows)
    print("\n| target | what | measured |\n| --- | --- | --- |")
    for row in rows:
        print(f"| {row.target:4} | {row.what:{width}} | {row.text} |")
    if given.json:
        with open(given.json, "w") as out:
            json.dump({"title": title, "rows": [vars(row) for row in rows]}, out, indent=1)
            out.write("\n")


if __name__ == "__main__":
    main()

"""`./dev bench growth`: measures how costs grow, in parts, and draws it."""

import argparse
import os
import sys

from suite import curves, plots, tools

_BENCH = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_FILE = os.path.join(_BENCH, "results/growth.json")
_PLOTS = os.path.join(os.path.dirname(_BENCH), "docs/plots")


def _parser():
    parser = argparse.ArgumentParser(
        prog="./dev bench growth",
        description="Measures points of a curve and adds them to a file; `plot` draws the file.",
        epilog="A long curve can be measured in parts: each point is kept as soon as it is taken.")
    verbs = parser.add_subparsers(dest="verb", required=True)
    for name, (function, default) in curves.CURVES.items():
        verb = verbs.add_parser(name, help=function.__doc__)
        verb.add_argument("--at", default=default, metavar="N,N,…",
                          help=f"where, in rising order (default {default})")
        verb.add_argument("--runs", type=int, default=3, help="of which the median counts")
        verb.add_argument("--seconds", type=int, default=5, help="how long a run drives load")
        if name != "monitors":
            verb.add_argument("--monitors", type=curves.size, default=100_000)
        verb.add_argument("--file", default=_FILE)
    plot = verbs.add_parser("plot", help="draws what was measured, an SVG for each curve")
    plot.add_argument("--file", default=_FILE)
    plot.add_argument("--out", default=_PLOTS, metavar="FOLDER")
    return parser


def _measure(given):
    tools.require("wrk", "nginx")
    try:
        at = sorted({curves.size(text) for text in given.at.split(",")})
    except ValueError as error:
        raise SystemExit(f"--at: {error}") from None
    if at[0] == 0 and given.verb != "history":
        raise SystemExit("--at: only a history can be empty")
    os.makedirs(os.path.dirname(os.path.abspath(given.file)), exist_ok=True)
    measure, _ = curves.CURVES[given.verb]
    for x, values in measure(at, given):
        curves.add(given.file, given.verb, x, values)
        shown = ", ".join(f"{key} {value:.4g}" for key, value in values.items())
        print(f"{given.verb} {x:,}: {shown}", flush=True)


def main(arguments):
    given = _parser().parse_args(arguments)
    if given.verb == "plot":
        measured = curves.load(given.file)
        if not measured:
            print(f"nothing was measured yet: {given.file} is missing", file=sys.stderr)
            return 1
        for path in plots.draw(measured, given.out):
            print(path)
    else:
        _measure(given)
    return 0

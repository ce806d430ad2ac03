"""The micro-benchmarks (Google Benchmark), one after the other."""

import argparse
import glob
import os
import subprocess

from suite import tools


def main(arguments):
    parser = argparse.ArgumentParser(
        prog="./dev bench micro", description="Runs the micro-benchmarks.")
    parser.add_argument("filter", nargs="?", default=".", help="a regular expression of names")
    parser.add_argument("--seconds", type=float, default=0.2, help="how long each takes at least")
    given = parser.parse_args(arguments)
    failed = 0
    for program in sorted(glob.glob(os.path.join(tools.bench_folder(), "*_bench"))):
        done = subprocess.run([program, f"--benchmark_filter={given.filter}",
                               f"--benchmark_min_time={given.seconds}"], check=False)
        failed |= done.returncode
    return 1 if failed else 0

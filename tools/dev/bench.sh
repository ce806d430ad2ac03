# shellcheck shell=bash
# ./dev bench [argument…]: builds, then runs bench/run.py, which prints one table.

verb_main() {
  need_packages run bench
  build release
  exec /usr/bin/python3 -B "$root/bench/run.py" "$@"
}

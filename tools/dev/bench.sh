# shellcheck shell=bash
# ./dev bench [argument…]: builds, then runs bench/run.py, which prints one table.

verb_main() {
  # What it would refuse, it refuses before the build; a bare Debian has no Python yet.
  if command -v /usr/bin/python3 >/dev/null; then
    /usr/bin/python3 -B "$root/bench/run.py" --check-arguments "$@" ||
      misuse "nothing was run"
  fi
  need_packages run bench
  build release
  exec /usr/bin/python3 -B "$root/bench/run.py" "$@"
}

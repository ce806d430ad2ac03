# shellcheck shell=bash
# ./dev build [--preset P] [target…]

verb_main() {
  local preset=release
  if [ "${1:-}" = --preset ]; then
    preset=${2:?--preset needs a name}
    shift 2
  fi
  need_packages run
  [ "$preset" != clang ] || need_packages lint
  build "$preset" "$@"
}

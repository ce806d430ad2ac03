# shellcheck shell=bash
# ./dev build [--preset P] [target…]

verb_main() {
  local preset=release target
  if [ "${1:-}" = --preset ]; then
    must_be_preset "${2:-}"
    preset=$2
    shift 2
  fi
  for target in "$@"; do
    case $target in -*) misuse "\"$target\" is nothing that build takes" ;; esac
  done
  need_packages run
  [ "$preset" != clang ] || need_packages lint
  build "$preset" "$@"
}

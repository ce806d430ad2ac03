# shellcheck shell=bash
# ./dev test [--preset P] [ctest argument…]: everything, ending with ctest's summary.

verb_main() {
  local preset=release
  if [ "${1:-}" = --preset ]; then
    must_be_preset "${2:-}"
    preset=$2
    shift 2
  fi
  check_ctest_arguments "$@"
  need_packages run test
  build "$preset"
  # The state of ./dev run and the environment of its shells are no business of tests.
  unset TOCSIN_HOME TOCSIN_HTTP_PORT TOCSIN_GRPC_PORT TOCSIN_GATEWAY_URL TOCSIN_CORE_ADDRESS \
    TOCSIN_DATABASE_URL
  exec ctest --test-dir "$root/build/$preset" --output-on-failure --no-tests=error \
    -j "$(nproc)" "$@"
}

# Refuses what ctest would pass over, to run everything instead.
check_ctest_arguments() {
  local argument known after_option=false
  known=" $(ctest --help 2>/dev/null | grep -oE -- '(^|[ ,])--?[A-Za-z][A-Za-z0-9.-]*' |
    tr -d ' ,' | tr '\n' ' ') "
  for argument in "$@"; do
    case $argument in
      -*)
        case $known in "  " | *" ${argument%%=*} "*) ;; *)
          [[ $argument =~ ^-j[0-9]+$ ]] || misuse "\"$argument\" is no option of ctest"
          ;;
        esac
        after_option=true
        ;;
      *)
        $after_option ||
          misuse "\"$argument\" follows no option: -R $argument runs the tests with that name"
        after_option=false
        ;;
    esac
  done
}

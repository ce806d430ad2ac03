# shellcheck shell=bash
# ./dev test [--preset P] [ctest argument…]: everything, ending with ctest's summary.

verb_main() {
  local preset=release
  if [ "${1:-}" = --preset ]; then
    preset=${2:?--preset needs a name}
    shift 2
  fi
  need_packages run test
  build "$preset"
  # The state of ./dev run and the environment of its shells are no business of tests.
  unset TOCSIN_HOME TOCSIN_HTTP_PORT TOCSIN_GRPC_PORT TOCSIN_GATEWAY_URL TOCSIN_CORE_ADDRESS \
    TOCSIN_DATABASE_URL
  exec ctest --test-dir "$root/build/$preset" --output-on-failure --no-tests=error \
    -j "$(nproc)" "$@"
}

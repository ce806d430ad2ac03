# shellcheck shell=bash
# ./dev help

verb_main() {
  cat <<'TEXT'
Usage: ./dev VERB [options]

  run             build and start everything here: PostgreSQL, the three services, a first
                  monitor and a tour; Ctrl-C stops it (exit status 0, or 130 before
                  it was ready; 1: something failed, which is said)
      --detach    return when ready, leave it running
  stop            stop what run started
  status          what runs, and whether it is ready (0 ready, 1 not, 3 nothing runs)
  env             export lines for scripts:  eval "$(./dev env)"
  build [T…]      build everything, or the targets T, into build/release/bin
      --preset P  with another preset: dev (sanitizers), tsan, clang
  test [ARG…]     build and run every test; arguments go to ctest (-R NAME, -L unit)
      --preset P  with another preset: dev, tsan
  bench [ARG…]    build and run the benchmarks
  lint            formatting, layers, protos, shell scripts, thread-safety analysis
      --tidy      clang-tidy as well (slow)
  format          format the C++ sources
  clean           remove what was built
      --data      and the state of run
  help            this text

Environment:
  TOCSIN_HOME         where run keeps its state (.tocsin)
  TOCSIN_HTTP_PORT    port of the gateway (8080; 0: any free one)
  TOCSIN_GRPC_PORT    port of core (9090; 0: any free one)

Missing Debian packages are installed when they are needed, with sudo unless root.
TEXT
}

# shellcheck shell=bash
# ./dev help [VERB], ./dev VERB --help

verb_main() {
  if [ $# -eq 0 ]; then
    printf 'Usage: ./dev VERB [options]\n\n'
    verbs
    printf '\nEnvironment:\n'
    environment
    printf '\nMissing Debian packages are installed when they are needed, with sudo unless root.\n'
    return
  fi
  [ $# -eq 1 ] && [ -f "$root/tools/dev/$1.sh" ] && [ -n "$(section "$1")" ] ||
    misuse "\"${2:-$1}\" is nothing that help takes"
  printf 'Usage: ./dev %s\n\n' "$(usage "$1")"
  section "$1"
  case $1 in
    run | stop | status | env | clean)
      printf '\nEnvironment:\n'
      environment
      ;;
    bench) benchmarks ;;
  esac
}

usage() {
  case $1 in
    run) echo "run [--detach]" ;;
    build) echo "build [--preset P] [TARGET…]" ;;
    test) echo "test [--preset P] [ARGUMENT OF CTEST…]" ;;
    bench) echo "bench [ARGUMENT…]" ;;
    lint) echo "lint [--tidy]" ;;
    clean) echo "clean [--data]" ;;
    help) echo "help [VERB]" ;;
    *) echo "$1" ;;
  esac
}

verbs() {
  cat <<'TEXT'
  run             build and start everything here: PostgreSQL, the three services, a first
                  monitor and a tour; Ctrl-C stops it (exit status 0, or 130 before
                  it was ready; 1: something failed, which is said)
      --detach    return when ready, leave it running; nothing watches it then. Again, it
                  starts what has ended since
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
  help [VERB]     this text, or that of one verb, as ./dev VERB --help

A verb that is given what it does not take says so and does nothing (exit status 2).
TEXT
}

environment() {
  cat <<'TEXT'
  TOCSIN_HOME         where run keeps its state (.tocsin)
  TOCSIN_HTTP_PORT    port of the gateway (8080; 0: any free one)
  TOCSIN_GRPC_PORT    port of core (9090; 0: any free one)
TEXT
}

# The lines of one verb.
section() { verbs | awk -v verb="$1" '/^  [a-z]/ {on = $1 == verb} /^$/ {on = 0} on'; }

# What only Python can tell, which a bare Debian does not have yet.
benchmarks() {
  local options
  if options=$(/usr/bin/python3 -B "$root/bench/run.py" --help 2>/dev/null); then
    # Without its usage, which is above.
    printf '\n%s\n' "$(sed '1,/^$/d' <<<"$options")"
  fi
}

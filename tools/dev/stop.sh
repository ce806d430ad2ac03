# shellcheck shell=bash
# ./dev stop

# shellcheck source=tools/dev/services.sh
. "$root/tools/dev/services.sh"

verb_main() {
  takes -- "$@"
  if ! anything_running; then
    say "Nothing runs from $home."
    return
  fi
  stop_everything
  say "Stopped. The data stays in $home."
}

# shellcheck shell=bash
# ./dev clean [--data]

verb_main() {
  takes --data -- "$@"
  rm -rf "$root/build"
  if [ "${1:-}" != --data ]; then
    [ ! -d "$home" ] || say "Kept the state in $home; ./dev clean --data removes it as well."
    return
  fi
  [ -d "$home" ] || return 0
  # shellcheck source=tools/dev/services.sh
  . "$root/tools/dev/services.sh"
  # Never remove a folder that TOCSIN_HOME names by mistake.
  [ -f "$home/tocsin-home" ] || die "$home was not made by ./dev run; remove it yourself"
  stop_everything
  remove_state
  say "Removed $home."
}

# shellcheck shell=bash
# ./dev env: export lines that point scripts and the tocsin command at what run started.

# shellcheck source=tools/dev/services.sh
. "$root/tools/dev/services.sh"

verb_main() {
  takes -- "$@"
  [ -f "$home/ports" ] || die "nothing has been run from $home yet: $(dev_command) run --detach"
  # On stderr, since a shell evaluates the rest.
  anything_running ||
    say "dev: nothing runs from $home; $(dev_command) run --detach starts what this points at"
  local http_port grpc_port url
  # shellcheck source=/dev/null
  . "$home/ports"
  url=$(cat "$home/database_url")
  cat <<TEXT
export TOCSIN_HOME=${home@Q}
export TOCSIN_GATEWAY_URL='http://127.0.0.1:${http_port:?}'
export TOCSIN_CORE_ADDRESS='127.0.0.1:${grpc_port:?}'
export TOCSIN_KEY_FILE=${home@Q}/admin.key
export TOCSIN_DATABASE_URL=${url@Q}
export PATH=${bin@Q}:"\$PATH"
TEXT
}

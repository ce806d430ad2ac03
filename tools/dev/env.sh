# shellcheck shell=bash
# ./dev env: export lines that point scripts and the tocsin command at what run started.

verb_main() {
  [ -f "$home/ports" ] || die "nothing has been run from $home yet: ./dev run --detach"
  local http_port grpc_port url
  # shellcheck source=/dev/null
  . "$home/ports"
  url=$(cat "$home/database_url")
  cat <<TEXT
export TOCSIN_HOME=${home@Q}
export TOCSIN_GATEWAY_URL='http://127.0.0.1:${http_port:?}'
export TOCSIN_CORE_ADDRESS='127.0.0.1:${grpc_port:?}'
export TOCSIN_DATABASE_URL=${url@Q}
export PATH=${bin@Q}:"\$PATH"
TEXT
}

# shellcheck shell=bash
# ./dev status: one line per process. Exits with 0 when all is ready, 1 when not, 3 when stopped.

# shellcheck source=tools/dev/services.sh
. "$root/tools/dev/services.sh"

verb_main() {
  takes -- "$@"
  if ! anything_running; then
    echo "Nothing runs from $home."
    exit 3
  fi
  local name answer code=0
  load_ports
  if pg_running "$data"; then
    echo "postgresql        ready       $(cat "$home/database_url")"
  else
    echo "postgresql        stopped     log: $home/log/postgresql.log"
    code=1
  fi
  for name in "${services[@]}"; do
    if ! alive "$name"; then
      printf '%-17s stopped     log: %s\n' "$name" "$home/log/$name.log"
      code=1
    elif answer=$(curl -sS -m 5 "$(admin_url "$name")/readyz" 2>&1) && [ "$answer" = ready ]; then
      printf '%-17s ready       pid %s, %s/metrics\n' "$name" "$(pid_of "$name")" \
        "$(admin_url "$name")"
    else
      printf '%-17s not ready   pid %s: %s\n' "$name" "$(pid_of "$name")" "$answer"
      code=1
    fi
  done
  echo "gateway  http://127.0.0.1:${http_port:?}"
  echo "core     127.0.0.1:${grpc_port:?} (gRPC)"
  exit "$code"
}

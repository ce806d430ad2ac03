# shellcheck shell=bash
# The processes of ./dev run: ports, start, readiness, stop. In a trap a bare "return" gives the
# status from before the trap, so returns name theirs here. State lives in $home:
#   ports, database_url, secret_key, *.key, hello.*, terminal.*   what a next run goes on with
#   postgresql/, log/, run/*.pid

: "${root:?}" "${home:?}" "${bin:?}"
services=(tocsin-core tocsin-gateway tocsin-notifier)

# As root the server runs as "postgres", to whom a tree below /root is closed; its data then lives
# in /var/lib and $home/postgresql says where.
data=$home/postgresql
if [ -f "$home/postgresql.path" ]; then data=$(cat "$home/postgresql.path"); fi

make_home() {
  mkdir -p "$home/log" "$home/run" || die "cannot make $home: set TOCSIN_HOME to a folder of yours"
  [ -w "$home" ] || die "$home is not writable for $(id -un): set TOCSIN_HOME to a folder of yours"
  echo "State of ./dev run; ./dev clean --data removes it." >"$home/tocsin-home"
  chmod 711 "$home"
  chmod 700 "$home/log" "$home/run"
  if [ "$(id -u)" -eq 0 ] && ! [ -d "$data" ] && ! runuser -u postgres -- test -x "$home"; then
    data=/var/lib/tocsin-dev/$(printf '%s' "$home" | md5sum | cut -c1-12)
    mkdir -p "$(dirname "$data")"
    echo "$data" >"$home/postgresql.path"
    say "$home is closed to the user postgres; the database lives in $data."
  fi
}

# remove_state: everything that ./dev run has made.
remove_state() {
  local socket
  socket=$(cat "$home/socket" 2>/dev/null || true)
  case $socket in /tmp/tocsin.*) rm -rf "$socket" ;; esac
  rm -rf "$data" "$home"
}

# --- Ports -------------------------------------------------------------------------------------

# port_free N: prints N, or for 0 a free port, unless N is taken.
port_free() {
  python3 - "$1" 2>/dev/null <<'PYTHON'
import socket
import sys
with socket.socket() as s:
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", int(sys.argv[1])))
    print(s.getsockname()[1])
PYTHON
}

# The ports that the user may choose: variable and default.
chosen_ports=(TOCSIN_HTTP_PORT=8080 TOCSIN_GRPC_PORT=9090)

# chosen_port VARIABLE: what the user has chosen, or the default.
chosen_port() {
  local entry
  for entry in "${chosen_ports[@]}"; do
    if [ "${entry%=*}" = "$1" ]; then
      entry=${entry#*=}
      echo "${!1:-$entry}"
    fi
  done
}

# Whether the chosen ports are ports at all.
check_ports() {
  local entry name value
  for entry in "${chosen_ports[@]}"; do
    name=${entry%=*}
    value=$(chosen_port "$name")
    [[ $value =~ ^(0|[1-9][0-9]{0,4})$ ]] && [ "$value" -le 65535 ] ||
      misuse "$name is \"$value\", and a port is 1 to 65535, or 0 for any free one"
  done
  value=$(chosen_port TOCSIN_HTTP_PORT)
  [ "$value" = 0 ] || [ "$value" != "$(chosen_port TOCSIN_GRPC_PORT)" ] ||
    misuse "TOCSIN_HTTP_PORT and TOCSIN_GRPC_PORT are the same, $value"
}

# must_have_ports [ARGUMENT…]: dies unless the chosen ports are free. The arguments are those of run.
must_have_ports() {
  local entry name port user other
  for entry in "${chosen_ports[@]}"; do
    name=${entry%=*}
    port=$(chosen_port "$name")
    if port_free "$port" >/dev/null; then continue; fi
    user=$(ss -Hltnp "sport = :$port" 2>/dev/null | sed -n 's/.*users:((\("[^"]*"\),pid=\([0-9]*\).*/ by \1, pid \2/p' | head -n1)
    other=$(port_free $((port + 100)) || port_free 0)
    die "port $port is in use${user}. Choose another one:

  $(run_command "$name" "$other" "$@")"
  done
}

# run_command VARIABLE PORT [ARGUMENT…]: what the user typed, with another port.
run_command() {
  local entry name value out=""
  for entry in "${chosen_ports[@]}"; do
    name=${entry%=*}
    value=${!name:-}
    if [ "$name" = "$1" ]; then value=$2; fi
    if [ -n "$value" ]; then out="$out$name=$value "; fi
  done
  shift 2
  out="$out$(dev_command) run${*:+ $*}"
  echo "$out"
}

# any_port N: N if it is free and not promised yet, else any free one.
any_port() {
  local port
  case " $promised " in *" $1 "*) ;; *)
    if port=$(port_free "$1"); then
      echo "$port"
      return 0
    fi
    ;;
  esac
  port_free 0
}

# shellcheck disable=SC2034 # other files use them
choose_ports() {
  local old_terminal=""
  if [ -f "$home/terminal.port" ]; then old_terminal=$(cat "$home/terminal.port"); fi
  http_port=$(port_free "$(chosen_port TOCSIN_HTTP_PORT)") &&
    grpc_port=$(port_free "$(chosen_port TOCSIN_GRPC_PORT)") && [ "$http_port" != "$grpc_port" ] ||
    die "a port has been taken just now; run it again"
  promised="$http_port $grpc_port"
  gateway_admin_port=$(any_port $((http_port + 1)))
  promised="$promised $gateway_admin_port"
  core_admin_port=$(any_port $((grpc_port + 1)))
  promised="$promised $core_admin_port"
  notifier_admin_port=$(any_port $((grpc_port + 2)))
  promised="$promised $notifier_admin_port"
  terminal_port=$(any_port "${old_terminal:-$((grpc_port + 3))}")
  local name
  for name in http_port grpc_port gateway_admin_port core_admin_port notifier_admin_port \
    terminal_port; do
    echo "$name=${!name}"
  done >"$home/ports"
}

load_ports() {
  # shellcheck source=/dev/null
  . "$home/ports"
}

admin_url() {
  case $1 in
    tocsin-core) echo "http://127.0.0.1:${core_admin_port:?}" ;;
    tocsin-gateway) echo "http://127.0.0.1:${gateway_admin_port:?}" ;;
    tocsin-notifier) echo "http://127.0.0.1:${notifier_admin_port:?}" ;;
  esac
}

# --- Processes ---------------------------------------------------------------------------------

pid_of() { cut -d' ' -f1 "$home/run/$1.pid" 2>/dev/null; }

# When a process started, in clock ticks since boot: tells it from a later one of the same id.
# Empty when there is none, or only a zombie.
started_at() { sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | awk '$1 != "Z" {print $20}'; }

alive() {
  local pid start
  read -r pid start 2>/dev/null <"$home/run/$1.pid" || return 1
  [ -n "$start" ] && [ "$(started_at "$pid")" = "$start" ]
}

# spawn NAME COMMAND…: in a session of its own, so that Ctrl-C reaches only this script.
spawn() {
  local name=$1 log=$home/log/$1.log pid
  shift
  if [ "$(stat -c %s "$log" 2>/dev/null || echo 0)" -gt 10000000 ]; then mv "$log" "$log.1"; fi
  setsid "$@" >>"$log" 2>&1 </dev/null 9>&- &
  pid=$!
  disown "$pid"
  echo "$pid $(started_at "$pid")" >"$home/run/$name.pid"
}

show_log() {
  say "The end of $home/log/$1.log:"
  tail -n 12 "$home/log/$1.log" 2>/dev/null | sed 's/^/  /' >&2
}

# cancelled: whether Ctrl-C has come while in_background waited; long steps look now and then.
cancelled() { [ -e "$home/run/cancel.$$" ]; }

# in_background COMMAND…: runs a function where Ctrl-C does not reach, and waits for it; fails when
# it fails or is cancelled. This shell only waits: a signal in the middle of a command substitution
# ends that one with half an answer, and bash may even fail to parse the trap.
in_background() {
  local worker status
  # One that came since the last step counts: only what an earlier process of this number left does not.
  if [ "${heeds_cancel:-}" != "$home" ]; then rm -f "$home/run/cancel.$$"; fi
  heeds_cancel=$home
  trap ': >"$home/run/cancel.$$"' INT TERM HUP
  # Bash starts it with Ctrl-C ignored; a closing terminal must not cut it short either.
  (
    trap '' HUP
    if "$@"; then exit 0; else exit 1; fi
  ) &
  worker=$!
  while
    status=0
    wait "$worker" || status=$?
    [ "$status" -gt 128 ] && kill -0 "$worker" 2>/dev/null
  do :; done
  [ "$status" -eq 0 ] && ! cancelled
}

# Waits for the readiness of a service; prints why not.
wait_ready() {
  local name=$1 url answer=""
  url=$(admin_url "$name")/readyz
  for _ in $(seq 300); do
    if cancelled; then return 1; fi
    if ! alive "$name"; then
      show_log "$name"
      say "dev: $name ended instead of getting ready."
      return 1
    fi
    if answer=$(curl -sS -m 2 "$url" 2>&1) && [ "$answer" = ready ]; then return 0; fi
    sleep 0.1
  done
  show_log "$name"
  say "dev: $name is not ready after 30 s: $answer"
  return 1
}

# terminate NAME: SIGTERM, and after 20 s SIGKILL.
terminate() {
  local pid
  alive "$1" || { rm -f "$home/run/$1.pid"; return 0; }
  pid=$(pid_of "$1")
  kill -TERM "$pid" 2>/dev/null || true
  for _ in $(seq 200); do
    if ! alive "$1"; then
      rm -f "$home/run/$1.pid"
      return 0
    fi
    sleep 0.1
  done
  say "$1 did not end within 20 s of SIGTERM; killed."
  kill -KILL "$pid" 2>/dev/null || true
  rm -f "$home/run/$1.pid"
}

anything_running() {
  local name
  for name in "${services[@]}" terminal; do
    if alive "$name"; then return 0; fi
  done
  [ -d "$home" ] && pg_running "$data"
}

# In the order that loses nothing: first whoever takes work, last whoever keeps it.
stop_everything() {
  local name
  [ ! -d "$home/run" ] || : >"$home/run/stopping" # tells a run in another terminal that it is meant
  for name in tocsin-gateway tocsin-notifier tocsin-core terminal; do terminate "$name"; done
  pg_stop "$data" || say "PostgreSQL in $data did not stop."
}

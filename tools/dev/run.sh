# shellcheck shell=bash
# ./dev run [--detach]: from a bare Debian to a running Tocsin with a first monitor. Exit status: 0
# after Ctrl-C or ./dev stop, 130 after Ctrl-C before all was ready, 1 when something failed, 2 when
# what was asked for makes no sense.

# shellcheck source=tools/dev/services.sh
. "$root/tools/dev/services.sh"

verb_main() {
  local detach=false
  takes --detach -- "$@"
  [ $# -eq 0 ] || detach=true
  check_ports
  need_packages run
  # Known before the build, which takes minutes the first time.
  services_running || must_have_ports "$@"
  build release tocsin-core tocsin-gateway tocsin-notifier tocsin
  make_home
  exec 9>"$home/lock"
  # A run in another terminal holds the lock for as long as it lives.
  local watched=false
  if ! flock -n 9; then
    services_running || die "another ./dev run is just starting or stopping in $home"
    watched=true
  fi
  if services_running; then
    go_on "$detach" "$watched"
    return
  fi
  must_have_ports "$@"
  if ! in_background start_everything; then
    if cancelled; then leave 130; fi
    stop_everything
    exit 1
  fi
  load_ports
  # A Ctrl-C would end the commands in it, and with them this shell, but nothing that runs.
  if ! in_background tour "$detach" && cancelled; then leave 130; fi
  if $detach; then
    trap - INT TERM HUP
    return
  fi
  tail -n 0 -F "$home/log/terminal.log" 2>/dev/null 9>&- &
  tail_pid=$!
  if in_background attend; then # stopped from another terminal
    kill "$tail_pid" 2>/dev/null || true
    return
  fi
  if cancelled; then leave 0; fi
  leave 1
}

# go_on DETACH WATCHED: when something runs already. Whatever else has ended since is started again,
# unless somebody watches it, who then stops the rest.
go_on() {
  local detach=$1 watched=$2 dead
  load_ports
  dead=$(ended)
  if [ -z "$dead" ] || $watched; then
    say "It runs already from $home: $(dev_command) status shows it, $(dev_command) stop stops it."
    $detach || exit 1
    wait_all_ready || exit 1
    return
  fi
  say "Of what runs from $home, this has ended: $dead (logs: $home/log)."
  $detach || die "$(dev_command) run --detach starts it again, $(dev_command) stop stops the rest"
  say "Starting it again…"
  if ! in_background start_ended; then
    if cancelled; then leave 130; fi
    die "that failed; $(dev_command) stop stops what runs"
  fi
  trap - INT TERM HUP
  say "It runs from $home: $(dev_command) status shows it, $(dev_command) stop stops it."
}

# The names of what should run and does not.
ended() {
  local name names=""
  pg_running "$data" || names=" postgresql"
  for name in "${services[@]}" terminal; do
    if ! alive "$name"; then names="$names $name"; fi
  done
  echo "${names# }"
}

start_ended() {
  local name
  rm -f "$home/run/stopping"
  pg_running "$data" || start_database || return 1
  make_secrets
  for name in "${services[@]}" terminal; do
    if cancelled; then return 1; fi
    if alive "$name"; then continue; fi
    start_one "$name"
    [ "$name" = terminal ] || wait_ready "$name" || return 1
  done
  wait_all_ready
}

wait_all_ready() {
  local name
  for name in "${services[@]}"; do wait_ready "$name" || return 1; done
}

services_running() {
  local name
  for name in "${services[@]}"; do
    if alive "$name"; then return 0; fi
  done
  return 1
}

start_everything() {
  local name
  rm -f "$home/run/stopping"
  terminate terminal
  choose_ports
  start_database || return 1
  if cancelled; then return 1; fi
  make_secrets
  say "Starting the services…"
  # Core first: a start that goes well has nothing to warn of.
  for name in "${services[@]}"; do
    start_one "$name"
    wait_ready "$name" || return 1
  done
  make_channel || return 1
  make_monitor || return 1
  start_one terminal
}

# --- Database ----------------------------------------------------------------------------------

# The folder of the socket: a path of at most 107 bytes, with the name that PostgreSQL appends.
socket_folder() {
  local folder
  if [ "$data" = "$home/postgresql" ] && [ ${#home} -le 70 ]; then
    folder=$home/socket.d
  elif [ -f "$home/socket" ] && [ -d "$(cat "$home/socket")" ]; then
    folder=$(cat "$home/socket")
  else
    folder=$(mktemp -d /tmp/tocsin.XXXXXXXX)
  fi
  pg_make_folder "$folder" || die "the user $(pg_user) cannot use $folder"
  echo "$folder" | tee "$home/socket"
}

# Secrets of monitors and channels mean nothing to another database.
forget_database() {
  [ -s "$home/hello.token" ] || return 0
  say "The database that was in $data is gone, and with it its monitors; an empty one takes its place."
  rm -f "$home"/hello.token "$home"/terminal.{secret,port}
}

start_database() {
  local socket memory buffers log
  socket=$(socket_folder) || return 1
  (umask 077 && pg_url "$socket" tocsin >"$home/database_url")
  if ! pg_as_user test -s "$data/PG_VERSION"; then
    forget_database
    say "Making a database cluster in $data…"
    pg_init "$data" || {
      say "dev: the database cluster could not be made"
      return 1
    }
  fi
  if ! pg_running "$data"; then
    say "Starting PostgreSQL…"
    memory=$(awk '/^MemTotal:/ {print int($2 / 1024)}' /proc/meminfo)
    buffers=$((memory / 8 > 512 ? 512 : memory / 8))
    # Beside its data: the log folder is closed to the user of PostgreSQL.
    log=$data/log
    ln -sfn "$log" "$home/log/postgresql.log"
    pg_start "$data" "$socket" "$log" "$(cat "$root/deploy/local/postgresql.conf")" \
      "shared_buffers = ${buffers}MB" 9>&- || {
      say "dev: if its data is beyond repair, rm -rf ${data@Q} makes the next run start anew"
      return 1
    }
  fi
  pg_create_database "$socket" tocsin || {
    say "dev: PostgreSQL runs, but the database cannot be made or reached; its log is $data/log"
    return 1
  }
}

# --- Services ----------------------------------------------------------------------------------

make_secrets() {
  [ -s "$home/secret_key" ] ||
    (umask 077 && head -c 32 /dev/urandom | base64 -w0 >"$home/secret_key")
  local role
  for role in admin gateway notifier; do
    [ -s "$home/$role.key" ] || (umask 077 && make_key >"$home/$role.key")
  done
}

# make_key: prints a new key: tk_ and the base64url of 32 bytes.
make_key() {
  printf 'tk_%s\n' "$(head -c 32 /dev/urandom | base64 -w0 | tr '+/' '-_' | tr -d '=')"
}

# start_one NAME
start_one() {
  # The environment of a shell that ./dev env has set up must not reach the flags.
  unset "${!TOCSIN_CORE_@}" "${!TOCSIN_GATEWAY_@}" "${!TOCSIN_NOTIFIER_@}"
  case $1 in
    tocsin-core)
      spawn tocsin-core "$bin/tocsin-core" --listen "127.0.0.1:$grpc_port" \
        --admin_listen "127.0.0.1:$core_admin_port" --database_url_file "$home/database_url" \
        --secret_key_file "$home/secret_key" --public_url "http://127.0.0.1:$http_port" \
        --bootstrap_admin_key_file "$home/admin.key" \
        --bootstrap_gateway_key_file "$home/gateway.key" \
        --bootstrap_notifier_key_file "$home/notifier.key"
      ;;
    tocsin-gateway)
      spawn tocsin-gateway "$bin/tocsin-gateway" --listen "127.0.0.1:$http_port" \
        --admin_listen "127.0.0.1:$gateway_admin_port" --core_addresses "127.0.0.1:$grpc_port" \
        --core_key_file "$home/gateway.key" --drain_delay 0s
      ;;
    tocsin-notifier)
      spawn tocsin-notifier "$bin/tocsin-notifier" \
        --admin_listen "127.0.0.1:$notifier_admin_port" --core_addresses "127.0.0.1:$grpc_port" \
        --core_key_file "$home/notifier.key" --allow_private_webhooks
      ;;
    terminal)
      # Not on the command line, which everybody on this machine can read.
      TOCSIN_WEBHOOK_SECRET=$(cat "$home/terminal.secret") \
        spawn terminal "$bin/tocsin" listen --listen "127.0.0.1:$terminal_port"
      ;;
  esac
}

# tocsin for this instance, whatever the shell points at.
cli() {
  TOCSIN_CORE_ADDRESS=127.0.0.1:$grpc_port TOCSIN_KEY='' TOCSIN_KEY_FILE=$home/admin.key \
    TOCSIN_PROJECT=default "$bin/tocsin" "$@"
}

# save_field FILE JSON FIELD: keeps a secret that is shown once.
save_field() {
  (umask 077 && jq -er ".$3" <<<"$2" >"$1.new") && mv "$1.new" "$1"
}

# The channel of the terminal; it moves when its port is taken by somebody else.
make_channel() {
  local old="" answer
  if [ -s "$home/terminal.secret" ] && [ -f "$home/terminal.port" ]; then
    old=$(cat "$home/terminal.port")
    [ "$old" != "$terminal_port" ] || return 0
    cli channel delete "terminal-$old" >/dev/null || true
  fi
  answer=$(cli -o json channel create "terminal-$terminal_port" --default \
    --url "http://127.0.0.1:$terminal_port/") || return 1
  save_field "$home/terminal.secret" "$answer" webhookSecret || return 1
  echo "$terminal_port" >"$home/terminal.port"
}

make_monitor() {
  local answer
  [ ! -s "$home/hello.token" ] || return 0
  if cli monitor get hello >/dev/null 2>&1; then
    answer=$(cli -o json monitor rotate-token hello) || return 1
  else
    answer=$(cli -o json monitor create hello --timeout 30s --display-name "First monitor") ||
      return 1
  fi
  save_field "$home/hello.token" "$answer" pushToken
}

# --- People ------------------------------------------------------------------------------------

tour() {
  local url dev where="in this terminal"
  dev=$(dev_command)
  url=http://127.0.0.1:$http_port/api/push/$(cat "$home/hello.token")
  ! $1 || where="in $home/log/terminal.log"
  cat <<TEXT

Tocsin runs. A tour, to paste into another terminal:

  # 1. Push. The monitor "hello" expects a heartbeat every 30 seconds.
  curl -X POST '$url?status=up&msg=hello'

  # 2. Now do nothing. After 30 seconds the alert appears $where.

  # 3. Push again: the recovery appears, too.
  curl -X POST '$url?status=up&msg=back'

  # 4. What was recorded.
  eval "\$($dev env)"
  tocsin monitor list
  tocsin heartbeat list hello
  tocsin incident list

Metrics   $(admin_url tocsin-core)/metrics  (core)
          $(admin_url tocsin-gateway)/metrics  (gateway)
          $(admin_url tocsin-notifier)/metrics  (notifier)
Logs      $home/log
TEXT
  if $1; then
    echo "Stop      $dev stop"
  else
    echo "Stop      Ctrl-C"
    echo
  fi
}

# leave CODE: the end. A Ctrl-C now does not cut it short: every step has its limit.
leave() {
  trap '' INT TERM HUP
  [ -z "${tail_pid:-}" ] || kill "$tail_pid" 2>/dev/null || true
  say
  say "Stopping…"
  stop_everything
  rm -f "$home/run/cancel.$$"
  say "Stopped. The data stays in $home."
  exit "$1"
}

# Notices when something ends that should run: fails, or succeeds when all has been stopped.
attend() {
  local name database=up
  until cancelled; do
    for name in "${services[@]}"; do
      if ! alive "$name"; then
        if [ -e "$home/run/stopping" ]; then return 0; fi
        show_log "$name"
        say "dev: $name ended unexpectedly; the rest is stopped"
        return 1
      fi
    done
    if pg_alive; then
      [ "$database" = up ] || say "PostgreSQL is back."
      database=up
    elif [ "$database" = up ]; then
      say "PostgreSQL has stopped (log: $data/log). Pushes are answered with 503 until it is" \
        "back; Ctrl-C and ./dev run start it again."
      database=down
    fi
    sleep 0.5
  done
}

# Cheaper than pg_running: one look at the socket's lock file.
pg_alive() {
  local pid
  pid=$(head -n1 "$(cat "$home/socket")/.s.PGSQL.5432.lock" 2>/dev/null) && kill -0 "$pid"
}

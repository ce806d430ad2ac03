# shellcheck shell=bash
# Private PostgreSQL clusters on a unix socket, for development and tests. Source it.
#
# PostgreSQL refuses to run as root; then the user "postgres", which its packages make, runs it.
# Functions print why they fail on stderr and return non-zero.

# The user who runs PostgreSQL.
pg_user() {
  if [ "$(id -u)" -eq 0 ]; then echo postgres; else id -un; fi
}

# Runs a command as that user, from a folder that it can enter, with no terminal.
pg_as_user() {
  if [ "$(id -u)" -eq 0 ]; then
    (cd / && runuser -u postgres -- "$@" </dev/null)
  else
    (cd / && "$@" </dev/null)
  fi
}

# pg_bin [DATA]: the folder of the server programs that fit a data folder, else the newest.
pg_bin() {
  local version=""
  if [ -n "${1:-}" ] && version=$(pg_as_user cat "$1/PG_VERSION" 2>/dev/null); then
    if [ -x "/usr/lib/postgresql/$version/bin/postgres" ]; then
      echo "/usr/lib/postgresql/$version/bin"
      return 0
    fi
    echo "The data in $1 belongs to PostgreSQL $version, which is not installed:" \
      "apt-get install postgresql-$version, or remove that folder to start anew" >&2
    return 1
  fi
  local newest
  newest=$(find /usr/lib/postgresql -mindepth 3 -maxdepth 3 -path '*/bin/postgres' 2>/dev/null |
    sort -V | tail -n1)
  if [ -z "$newest" ]; then
    echo "PostgreSQL is not installed: apt-get install postgresql" >&2
    return 1
  fi
  dirname "$newest"
}

# pg_make_folder FOLDER: an existing, empty or not, folder that belongs to the user of PostgreSQL.
pg_make_folder() {
  mkdir -p "$1" && chmod 700 "$1" || return 1
  if [ "$(id -u)" -eq 0 ]; then chown postgres: "$1" || return 1; fi
  pg_as_user test -w "$1"
}

# pg_init DATA [initdb flag…]: makes a cluster whose superuser is "tocsin", unless it exists.
pg_init() {
  local data=$1 fresh=$1.new bin
  shift
  if pg_as_user test -s "$data/PG_VERSION"; then return 0; fi
  if [ -n "$(ls -A "$data" 2>/dev/null)" ]; then
    echo "$data is no complete database cluster; remove that folder to start anew" >&2
    return 1
  fi
  bin=$(pg_bin) || return 1
  # Only a complete cluster gets the name that is looked for.
  rm -rf "$fresh"
  pg_make_folder "$fresh" || return 1
  # Trust is for the owner of the socket's folder only: there is no TCP and its mode is 0700.
  pg_as_user "$bin/initdb" -D "$fresh" -U tocsin --auth=trust --encoding=UTF8 --locale=C.UTF-8 \
    --data-checksums "$@" >/dev/null || return 1
  pg_as_user sh -c "echo \"include 'tocsin.conf'\" >> \"\$1/postgresql.conf\"" sh "$fresh" &&
    mv -T "$fresh" "$data"
}

# pg_running DATA: whether the cluster runs.
pg_running() {
  local bin
  bin=$(pg_bin "$1" 2>/dev/null) && pg_as_user "$bin/pg_ctl" -D "$1" status >/dev/null 2>&1 &&
    ! pg_is_zombie "$1"
}

# pg_is_zombie DATA: whether its postmaster is dead and nobody has reaped it, which the first process of
# a container may never do. PostgreSQL takes that for life, and so does pg_ctl.
pg_is_zombie() {
  local pid
  pid=$(pg_as_user head -n 1 "$1/postmaster.pid" 2>/dev/null) &&
    [ "$(ps -o stat= -p "${pid:-0}" | cut -c 1)" = Z ]
}

# pg_is_at_work DATA: whether some process lives in the cluster's folder.
pg_is_at_work() {
  local process
  for process in /proc/[0-9]*; do
    if [ "$process/cwd" -ef "$1" ]; then return 0; fi
  done
  return 1
}

# pg_bury DATA SOCKET_FOLDER: takes away the lock files of a zombie, once nothing that it started is at
# work any more.
pg_bury() {
  pg_is_zombie "$1" || return 0
  local tries
  for tries in {1..100}; do
    if ! pg_is_at_work "$1"; then
      pg_as_user rm -f "$1/postmaster.pid" "$2"/.s.PGSQL.*.lock
      return
    fi
    sleep 0.1
  done
  echo "PostgreSQL in $1 was killed, and its processes do not end ($tries looks)" >&2
  return 1
}

# pg_start DATA SOCKET_FOLDER LOG [setting…]: writes the settings and starts the cluster.
pg_start() {
  local data=$1 socket=$2 log=$3 bin
  shift 3
  bin=$(pg_bin "$data") || return 1
  pg_bury "$data" "$socket" || return 1
  printf '%s\n' "# Written at each start by tools/postgres.sh." "listen_addresses = ''" \
    "unix_socket_directories = '${socket//\'/\'\'}'" "unix_socket_permissions = 0700" \
    "timezone = 'UTC'" "$@" | pg_as_user_with_input tee "$data/tocsin.conf" >/dev/null || return 1
  if ! pg_as_user "$bin/pg_ctl" -D "$data" -l "$log" -w -t 120 start >/dev/null 2>&1; then
    echo "PostgreSQL did not start. The end of $log:" >&2
    pg_as_user tail -n 12 "$log" | sed 's/^/  /' >&2
    return 1
  fi
}

pg_as_user_with_input() {
  if [ "$(id -u)" -eq 0 ]; then (cd / && runuser -u postgres -- "$@"); else (cd / && "$@"); fi
}

# pg_stop DATA [MODE]: stops the cluster (fast, or immediate); nothing when it does not run.
pg_stop() {
  local bin
  pg_running "$1" || return 0
  bin=$(pg_bin "$1") || return 1
  if ! pg_as_user "$bin/pg_ctl" -D "$1" -m "${2:-fast}" -w -t 60 stop >/dev/null 2>&1; then
    # A server that crashed in this moment leaves its pid file, which pg_ctl takes for life.
    if pg_running "$1"; then
      echo "PostgreSQL in $1 does not stop" >&2
      return 1
    fi
  fi
}

# pg_url SOCKET_FOLDER DATABASE: the URL that libpq understands.
pg_url() {
  local folder=${1//%/%25}
  folder=${folder// /%20}
  folder=${folder//&/%26}
  echo "postgresql:///$2?host=${folder//#/%23}&user=tocsin"
}

# pg_create_database SOCKET_FOLDER DATABASE: unless it exists.
pg_create_database() {
  local bin
  bin=$(pg_bin) || return 1
  [ "$("$bin/psql" -XAtq "$(pg_url "$1" postgres)" \
    -c "SELECT 1 FROM pg_database WHERE datname = '$2'")" = 1 ] ||
    "$bin/createdb" -h "$1" -U tocsin "$2"
}

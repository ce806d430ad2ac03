# shellcheck shell=bash
# What the verbs of ./dev share: messages, packages, the build. `root` is the top of the tree.

: "${root:?}"
# shellcheck source=tools/postgres.sh
. "$root/tools/postgres.sh"

bin=$root/build/release/bin
home=${TOCSIN_HOME:-$root/.tocsin}
case $home in /*) ;; *) home=$PWD/$home ;; esac

# ./dev as it is to be typed for this home.
dev_command() {
  if [ "$home" = "$root/.tocsin" ]; then echo ./dev; else echo "TOCSIN_HOME=${home@Q} ./dev"; fi
}

say() { printf '%s\n' "$*" >&2; }
die() {
  say "dev: $*"
  exit 1
}

# misuse WHAT: what was asked for makes no sense; nothing has been done.
misuse() {
  say "dev: $*; ./dev ${verb:?} --help says what there is"
  exit 2
}

# takes [OPTION] -- ARGUMENT…: refuses every argument but OPTION, which may be given once.
takes() {
  local option=""
  if [ "$1" != -- ]; then
    option=$1
    shift
  fi
  shift
  if [ -n "$option" ] && [ "${1:-}" = "$option" ]; then shift; fi
  [ $# -eq 0 ] || misuse "\"$1\" is nothing that $verb takes"
}

# must_be_preset NAME…: one of those that can be built.
must_be_preset() {
  case ${1:-} in release | dev | tsan | clang) ;; *)
    misuse "--preset takes release, dev, tsan or clang, not \"${1:-}\""
    ;;
  esac
}

# The package names of the given purposes that are not installed.
missing_packages() {
  local purpose entry command release unwanted=@13
  release=$(sed -n 's/^VERSION_ID="\{0,1\}\([0-9]*\).*/\1/p' /etc/os-release)
  [ "${release:-13}" -lt 13 ] || unwanted=@12
  for purpose in "$@"; do
    # shellcheck disable=SC2013 # words, not lines
    for entry in $(sed -n "s/^$purpose  *//p" "$root/tools/packages"); do
      case $entry in *"$unwanted") continue ;; esac
      entry=${entry%@*}
      command=${entry#*=}
      if [ "$command" != "$entry" ] && command -v "$command" >/dev/null; then continue; fi
      dpkg-query -W -f='${db:Status-Status}\n' "${entry%%=*}" 2>/dev/null | grep -qx installed ||
        echo "${entry%%=*}"
    done
  done
}

# Installs what is missing for the given purposes (tools/packages).
need_packages() {
  local missing sudo=()
  if ! command -v dpkg-query >/dev/null; then
    say "This is no Debian: the packages of tools/packages must be there already."
    return
  fi
  missing=$(missing_packages "$@")
  [ -n "$missing" ] || return 0
  # shellcheck disable=SC2086 # one word per package
  set -- $missing
  if [ "$(id -u)" -ne 0 ]; then
    if ! command -v sudo >/dev/null || { ! [ -t 0 ] && ! sudo -n true 2>/dev/null; }; then
      die "these packages are missing, and only root can install them:

  apt-get update && apt-get install --no-install-recommends $*"
    fi
    sudo=(sudo)
  fi
  say "Installing $# packages: $*"
  "${sudo[@]}" apt-get -q update >&2 &&
    "${sudo[@]}" env DEBIAN_FRONTEND=noninteractive \
      apt-get -q -y --no-install-recommends install "$@" >&2 ||
    die "apt-get could not install what is missing: $*"
}

# How many compilers fit: one per processor, and 1.2 GB of free memory each.
build_jobs() {
  local processors memory
  processors=$(nproc)
  memory=$(awk '/^MemAvailable:/ {print int($2 / 1200000)}' /proc/meminfo)
  [ "$memory" -ge 1 ] || memory=1
  echo $((memory < processors ? memory : processors))
}

# build PRESET [target…]: configures when needed and builds, with progress.
build() {
  local preset=$1 folder=$root/build/$1
  shift
  mkdir -p "$folder" 2>/dev/null && [ -w "$folder" ] ||
    die "$folder is not writable for $(id -un): build as its owner, or remove it"
  if ! [ -f "$folder/build.ninja" ]; then
    say "Configuring the $preset build…"
    (cd "$root" && cmake --preset "$preset") >"$folder/configure.log" 2>&1 || {
      tail -n 25 "$folder/configure.log" >&2
      die "CMake failed; the whole log is $folder/configure.log"
    }
  fi
  # One at a time in a folder: two builds would write the same files.
  flock -n "$folder/dev.lock" true || say "Another ./dev builds in $folder; waiting for it…"
  NINJA_STATUS='[%f/%t, %e s] ' flock "$folder/dev.lock" \
    ninja -C "$folder" -j "$(build_jobs)" "$@" 2>&1 | build_progress >&2 ||
    die "the build failed; the first error above is the one to look at"
}

# Ninja's output without what says nothing to people; in a terminal its progress stays on one line.
build_progress() {
  local line width=0 pending=false
  if [ -t 2 ]; then width=$(($(tput cols 2>/dev/null || echo 80) - 1)); fi
  while IFS= read -r line; do
    case $line in
      "ninja: Entering directory "* | "ninja: no work to do."* | *"Re-checking globbed directories"*)
        continue
        ;;
    esac
    if [[ $width -gt 0 && $line =~ ^\[[0-9]+/[0-9]+, ]]; then
      printf '\r\033[K%s' "${line:0:width}"
      pending=true
    else
      if $pending; then printf '\n'; fi
      printf '%s\n' "$line"
      pending=false
    fi
  done
  if $pending; then printf '\n'; fi
}

# Every C++ source of ours, NUL-terminated.
cpp_files() {
  find "$root"/{bench,cli,common,gateway,services,tests} \( -name '*.h' -o -name '*.cc' \) -print0
}

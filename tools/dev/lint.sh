# shellcheck shell=bash
# ./dev lint [--tidy]: every check is run; the exit code says whether all passed.

failed=()

verb_main() {
  local tidy=false
  takes --tidy -- "$@"
  [ $# -eq 0 ] || tidy=true
  need_packages run lint
  check "formatting (./dev format mends it)" check_format
  check "layers" python3 "$root/tools/check_layers.py"
  check "shell scripts" check_shell
  check "protos" "$root/tools/check-protos"
  check "thread safety (clang build)" check_clang
  if $tidy; then check "clang-tidy" check_tidy; fi
  [ ${#failed[@]} -eq 0 ] || die "failed: $(printf '%s; ' "${failed[@]}")"
  say "lint: all passed"
}

# check TITLE COMMAND…
check() {
  local title=$1
  shift
  say "== $title"
  if ! (set -e; "$@") >&2; then failed+=("$title"); fi
}

check_format() { cpp_files | xargs -0 clang-format --dry-run -Werror --style=file; }

check_shell() {
  cd "$root"
  # By their first line, whatever their name; tests/e2e/seed holds other people's, verbatim.
  grep -rlE --exclude-dir=seed '^#!(/usr/bin/env bash|/bin/(ba)?sh)|^# shellcheck shell=' \
    dev .ci tools bench deploy tests | xargs shellcheck -x
}

check_clang() { (build clang); }

check_tidy() {
  (build clang tocsin_proto)
  run-clang-tidy -quiet -j "$(nproc)" -p "$root/build/clang" \
    "^$root/(bench|cli|common|gateway|services|tests)/.*\.cc$"
}

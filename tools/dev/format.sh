# shellcheck shell=bash
# ./dev format: clang-format over every C++ source.

verb_main() {
  takes -- "$@"
  need_packages lint
  cpp_files | xargs -0 clang-format -i --style=file
}

// What makes a shell ask `tocsin` what may be typed next.
#include "cli/completion/scripts.h"

namespace tocsin::cli {
namespace {

// Without candidates bash goes on with the names of files (-o default).
constexpr char kBash[] = R"sh(# tocsin in bash: source <(tocsin completion bash)
_tocsin() {
  local IFS=$'\n' word
  COMPREPLY=()
  while IFS=$'\t' read -r word _; do
    COMPREPLY+=("$word")
  done < <("${COMP_WORDS[0]}" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  # "--flag=value" is three words to bash, which replaces the last one only.
  if [[ ${COMP_WORDS[COMP_CWORD]} == "=" || ${COMP_WORDS[COMP_CWORD-1]} == "=" ]]; then
    COMPREPLY=("${COMPREPLY[@]#*=}")
  fi
}
complete -o default -F _tocsin tocsin
)sh";

constexpr char kZsh[] = R"sh(#compdef tocsin
# tocsin in zsh: source <(tocsin completion zsh), after compinit; or as the file _tocsin in $fpath.
_tocsin() {
  local word help
  local -a found
  while IFS=$'\t' read -r word help; do
    found+=("${word//:/\\:}:$help")
  done < <("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( ${#found} )); then
    _describe tocsin found
  else
    _files
  fi
}
if [[ $funcstack[1] == _tocsin ]]; then
  _tocsin "$@"
else
  compdef _tocsin tocsin
fi
)sh";

constexpr char kFish[] = R"sh(# tocsin in fish: tocsin completion fish | source
function __tocsin_complete
    set -l typed (commandline -opc)
    set -l found ($typed[1] __complete $typed[2..-1] (commandline -ct) 2>/dev/null)
    if test (count $found) -gt 0
        printf '%s\n' $found
    else
        __fish_complete_path (commandline -ct)
    end
end
complete -c tocsin -f -a '(__tocsin_complete)'
)sh";

}  // namespace

absl::string_view CompletionScript(absl::string_view shell) {
  if (shell == "bash") return kBash;
  if (shell == "zsh") return kZsh;
  return shell == "fish" ? kFish : "";
}

}  // namespace tocsin::cli

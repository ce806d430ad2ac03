// What may be typed next. Pure: read off the parser, so that it is never out of date.
#pragma once

#include <string>
#include <vector>

#include "CLI/App.hpp"

namespace tocsin::cli {

struct Candidate {
  std::string word;
  std::string help;  // a line for people; may be empty
};

struct Completion {
  std::vector<Candidate> candidates;
  // "monitors", "channels" or "projects" where an id of one is expected, which only core knows, or
  // "contexts", which the configuration knows; else empty.
  std::string collection;
  std::string begun;  // of the id: what is typed of it
};

// What may stand for the last of `words`, which is typed in part, maybe not at all: commands, flags
// or values of a flag. `words` are those behind the program's name, as a shell splits them; a "="
// may be a word of its own. Nothing where anything may stand.
Completion Complete(const CLI::App& root, const std::vector<std::string>& words);

// What is typed for a flag that has any of these names ("-p", "--project"), as two words or with a
// "="; the last one if there are more, empty if there is none. The word at the cursor is not looked
// at.
std::string TypedFor(const std::vector<std::string>& names, const std::vector<std::string>& words);

}  // namespace tocsin::cli

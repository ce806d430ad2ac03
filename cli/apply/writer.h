// Resources as YAML that `tocsin apply` reads. Pure.
#pragma once

#include <google/protobuf/message.h>

#include <string>
#include <utility>
#include <vector>

#include "absl/strings/string_view.h"
#include "cli/apply/kind.h"

namespace tocsin::cli {

// Something that a file is to declare.
struct Declaration {
  std::string id;
  const google::protobuf::Message* message = nullptr;  // of the kind's type
  std::vector<std::string> comments = {};              // lines above it
};

// `text` as a YAML scalar: plain where nobody reads that as anything but text, quoted otherwise.
std::string YamlScalar(absl::string_view text);

// The list of a kind, "monitors:\n  - id: …"; empty without items. Fields that have the value which
// apply gives them when they are left out are mostly left out. What the kind hides is a comment
// that tells how to give it.
std::string WriteCollection(const Kind& kind, const std::vector<Declaration>& items);

// Each line as a comment, wrapped by whoever made it.
std::string YamlComment(absl::string_view text, absl::string_view indent = "");

}  // namespace tocsin::cli

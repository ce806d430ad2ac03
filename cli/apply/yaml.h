// YAML as a tree that remembers where everything stood. Pure.
//
// What is read is what configuration needs: mappings, lists and scalars. Aliases are followed;
// tags are not read, and merge keys (`<<`) are keys like others.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "cli/apply/faults.h"

namespace tocsin::cli {

inline constexpr size_t kMaxYamlBytes = size_t{16} << 20;  // of one file
inline constexpr int kMaxYamlDepth = 32;
// Of one file, what aliases repeat counted each time: a small text can be a large tree.
inline constexpr size_t kMaxYamlNodes = 1'000'000;

struct YamlEntry;

struct YamlNode {
  enum class Kind { kNull, kScalar, kList, kMap };

  Kind kind = Kind::kNull;
  std::string text = "";  // of a scalar, as it was written: types are the reader's matter
  bool plain = false;     // it has no quotes and is no block
  Place place = {};
  std::vector<YamlNode> items = {};
  std::vector<YamlEntry> entries;  // in their order; keys may repeat
};

struct YamlEntry {
  YamlNode key;
  YamlNode value;
};

// The documents of a file, which faults call `file`. What is no YAML, or breaks a bound above, is a
// fault and ends them: there is nothing to read behind it.
std::vector<YamlNode> ParseYaml(absl::string_view text, const std::string& file, Faults& faults);

// "a string" and the like, for sentences about a value that is none of what was expected.
std::string KindOf(const YamlNode& node);

}  // namespace tocsin::cli

// Tables of the paths that masks may name, and what is done by them; see update_mask.h.
#pragma once

#include <google/protobuf/field_mask.pb.h>
#include <google/protobuf/util/field_mask_util.h>

#include <algorithm>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "common/any_string_view.h"
#include "common/status_details.h"
#include "services/core/domain/errors.h"
#include "services/core/domain/text.h"
#include "services/core/domain/validate.h"

namespace tocsin::core::masks {

// One path that a mask may name.
template <typename Proto, typename Domain>
struct Field {
  std::string_view path;
  bool (*is_set)(const Proto&);  // nullptr: another path stands for it in an empty mask
  void (*copy)(const Domain& from, Domain& to);
};

// How much of a path that names nothing is repeated.
inline constexpr size_t kMaxShownBytes = 64;

// Whether it is output only, or lies within what is.
template <typename Proto, typename Output>
bool IsOutput(const Output& output, const std::string& path) {
  const std::string first = path.substr(0, path.find('.'));
  return std::find(std::begin(output), std::end(output), first) != std::end(output) &&
         google::protobuf::util::FieldMaskUtil::IsValidPath<Proto>(path);
}

// The key of "labels.team" or "labels.`team`"; empty for another path.
inline std::string LabelKey(absl::string_view path) {
  if (!absl::ConsumePrefix(&path, "labels.")) return "";
  if (path.size() > 2 && path.front() == '`' && path.back() == '`') {
    path = path.substr(1, path.size() - 2);
  }
  return IsLabelKey(std::string_view(path.data(), path.size())) ? std::string(path) : "";
}

// `labels` takes the keys of labels; null: the resource has none. `below` is what the paths of a
// message within another begin with where they are told: "push.defaults.".
template <typename Fields, typename Output, typename Proto>
std::vector<std::string_view> Paths(const Fields& fields, const Output& output,
                                    const Proto& message, const google::protobuf::FieldMask& mask,
                                    std::vector<std::string>* labels, absl::string_view below,
                                    FieldFaults& faults) {
  std::vector<std::string_view> paths;
  if (mask.paths().empty()) {
    for (const auto& field : fields) {
      if (field.is_set != nullptr && field.is_set(message)) paths.push_back(field.path);
    }
    return paths;
  }
  bool listed = false;  // what is accepted
  for (const std::string& asked : mask.paths()) {
    bool known = asked == "*" || IsOutput<Proto>(output, asked);
    for (const auto& field : fields) {
      if (asked != "*" && asked != field.path) continue;
      paths.push_back(field.path);
      known = true;
    }
    if (std::string key = LabelKey(asked); labels != nullptr && !key.empty()) {
      labels->push_back(std::move(key));
      known = true;
    }
    if (known) continue;
    std::string accepted = absl::StrJoin(fields, ", ", [&](std::string* out, const auto& field) {
      absl::StrAppend(out, below, AnyStringView(field.path).absl());
    });
    if (labels != nullptr) absl::StrAppend(&accepted, ", ", below, "labels.KEY");
    faults.Add(
        "update_mask",
        absl::StrCat("\"", below, CleanText(asked, kMaxShownBytes),
                     "\" is no field that can be changed"),
        listed ? "one of the fields above" : absl::StrCat(below.empty() ? "*, " : "", accepted));
    listed = true;
  }
  return paths;
}

// Of the faults of a message's values those of fields that are named. `prefix` is "monitor".
inline void TakeNamed(const FieldFaults& values, absl::string_view prefix,
                      const std::vector<std::string_view>& paths, FieldFaults& faults) {
  for (const FieldViolation& violation : FieldViolations(values.ToStatus())) {
    absl::string_view field = violation.field;
    absl::ConsumePrefix(&field, absl::StrCat(prefix, "."));
    const bool is_named = std::any_of(paths.begin(), paths.end(), [&](std::string_view path) {
      return absl::StartsWith(field, AnyStringView(path).absl());
    });
    if (is_named) faults.AddWorded(violation.field, violation.description);
  }
}

inline bool Names(const google::protobuf::FieldMask& mask, std::string_view prefix) {
  return std::any_of(mask.paths().begin(), mask.paths().end(),
                     [&](const std::string& path) { return path.starts_with(prefix); });
}

// Of a message that has `kind` of two things of which it can have one: what the mask says of the
// `other` one. Named whole beside `kind` it is what goes as that comes, which needs no doing, and
// is left out of `paths`; in parts, or alone, it is a mistake. `below` is where both are in the
// message: "monitor.".
inline void LeaveOut(const google::protobuf::FieldMask& mask, const std::string& kind,
                     const std::string& other, const std::string& below,
                     std::vector<std::string_view>& paths, FieldFaults& faults) {
  const auto names = [&](const std::string& path) {
    return std::find(mask.paths().begin(), mask.paths().end(), path) != mask.paths().end();
  };
  const std::string whole = kind.substr(0, kind.find('.'));
  const bool beside = names(kind) || Names(mask, kind + ".") || names(whole) || names("*");
  if (Names(mask, other + ".") || (names(other) && !beside)) {
    faults.Add(below + kind, absl::StrCat("update_mask names ", other), "what the mask names");
  }
  std::erase(paths, other);
}

template <typename Fields, typename Domain>
void CopyFields(const Fields& fields, const std::vector<std::string_view>& paths,
                const Domain& from, Domain& to) {
  for (const auto& field : fields) {
    for (std::string_view path : paths) {
      if (path == field.path) field.copy(from, to);
    }
  }
}

}  // namespace tocsin::core::masks

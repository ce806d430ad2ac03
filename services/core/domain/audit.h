// What the audit log keeps of a change: who made it, and what became different.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "services/core/domain/api_key.h"
#include "services/core/domain/caller.h"
#include "services/core/domain/channel.h"
#include "services/core/domain/keys.h"
#include "services/core/domain/maintenance.h"
#include "services/core/domain/monitor.h"
#include "services/core/domain/project.h"

namespace tocsin::core {

struct FieldChange {
  std::string field;   // its path in the resource's proto, e.g. "labels.team"
  std::string before;  // empty: not set
  std::string after;

  friend bool operator==(const FieldChange&, const FieldChange&) = default;
};

// An entry of the audit log, written in the transaction of the change.
struct AuditRecord {
  absl::Time at;
  Caller caller;
  ProjectKey project = 0;  // 0: it belongs to no project
  std::string project_id;  // empty then
  std::string resource;    // the full name of what was changed
  std::vector<FieldChange> changes;

  friend bool operator==(const AuditRecord&, const AuditRecord&) = default;
};

// The longest value that an entry keeps, in bytes, and the most changes. What is cut ends with "…".
inline constexpr size_t kMaxAuditValueBytes = 1024;
inline constexpr size_t kMaxAuditChanges = 120;

// Collects the fields that differ. Values are written as the JSON of the protos does. Of a creation
// `before` is what fields have that nobody set, of a deletion `after` is: what is equal to that is
// left out, and it is not shown.
class FieldChanges {
 public:
  enum class Kind { kCreation, kUpdate, kDeletion };
  explicit FieldChanges(Kind kind = Kind::kUpdate) : kind_(kind) {}

  FieldChanges& Text(std::string_view field, std::string_view before, std::string_view after);
  FieldChanges& Flag(std::string_view field, bool before, bool after);
  FieldChanges& Number(std::string_view field, int64_t before, int64_t after);
  FieldChanges& Span(std::string_view field, absl::Duration before, absl::Duration after);
  FieldChanges& Time(std::string_view field, std::optional<absl::Time> before,
                     std::optional<absl::Time> after);
  // A change of a part of the field `whole`. It is one however alike what is kept of the values.
  FieldChanges& Within(std::string_view whole, const FieldChange& part);
  // A secret is another one now: "(changed)", and nothing else about it.
  FieldChanges& Secret(std::string_view field);

  bool empty() const { return changes_.empty(); }
  std::vector<FieldChange> Take() && { return std::move(changes_); }

 private:
  void Add(std::string_view field, std::string before, std::string after);

  const Kind kind_;
  std::vector<FieldChange> changes_;
};

// What differs; nullptr stands for a resource that does not exist, before its creation or after its
// deletion. Of what heartbeats and deliveries move only what people move too: the stored state.
std::vector<FieldChange> ChangesOf(const Monitor* before, const Monitor* after);
// URLs are masked (see MaskUrl), and secrets never shown: that they are others is.
std::vector<FieldChange> ChangesOf(const Channel* before, const Channel* after);
std::vector<FieldChange> ChangesOf(const Maintenance* before, const Maintenance* after);
std::vector<FieldChange> ChangesOf(const Project* before, const Project* after);
// That there is another secret is for the caller to add.
std::vector<FieldChange> ChangesOf(const ApiKey* before, const ApiKey* after);

}  // namespace tocsin::core

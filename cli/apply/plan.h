// What is to be done so that core has what files declare.
#pragma once

#include <google/protobuf/message.h>

#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "cli/apply/changes.h"
#include "cli/apply/collection.h"
#include "cli/apply/faults.h"
#include "cli/apply/reader.h"

namespace tocsin::cli {

// The collections of Kinds(), by kind.
using Collections = std::map<const Kind*, std::unique_ptr<Collection>>;

enum class Action {
  kNothing,  // it is as declared
  kCreate,
  kRestore,  // it is deleted: it is brought back, changed and watched again
  kUpdate,
  kDelete,
};

struct Step {
  Action action = Action::kNothing;
  const Kind* kind = nullptr;
  const Resource* resource = nullptr;  // null for a deletion
  std::string title = "";              // "monitor payments/backup"
  std::string name = "";               // the full one
  std::string etag = "";               // of what is there
  // What is sent: what is declared, and the set that it is in.
  std::unique_ptr<google::protobuf::Message> message = nullptr;
  // References to what this plan makes too; `message` has them.
  bool waits = false;
  std::vector<FieldChange> changes = {};
};

// How many of a set are deleted in a project.
struct PruneCount {
  std::string project;
  size_t deleted = 0;
  size_t members = 0;
};

struct Plan {
  std::vector<Step> steps;  // in the order of the files; deletions at the end
  std::vector<PruneCount> prunes;

  size_t Count(Action action) const;
  bool Differs() const { return Count(Action::kNothing) != steps.size(); }
};

// A part of a set that may be deleted without being asked for once more: a tenth.
bool IsLarge(const PruneCount& prune);

// Compares what `declared` says with what core has, and has core check every change on trial: what
// it refuses is a fault at its field. With `set`, what is made belongs to that set, and what
// belongs to another is a fault; with `prune`, what that set made in the projects of the files and
// they do not declare any more is deleted. Changes nothing. An error when core could not be asked.
// `declared` outlives the plan.
absl::StatusOr<Plan> MakePlan(const Declared& declared, const Collections& collections,
                              const std::string& set, bool prune, Faults& faults);

// What a change of `resource` replaces: all that is declared, but not what is hidden and left out.
google::protobuf::FieldMask MaskOf(const Resource& resource);
// `message` without references to `names`; whether there were any.
bool StripReferences(const Kind& kind, const std::set<std::string>& names,
                     google::protobuf::Message& message);

}  // namespace tocsin::cli

// What differs between two messages of a kind, field by field, for people. Pure.
#pragma once

#include <google/protobuf/message.h>

#include <set>
#include <string>
#include <vector>

#include "cli/apply/kind.h"

namespace tocsin::cli {

struct FieldChange {
  std::string field;   // as files have it, e.g. "schedule.heartbeat.timeout" or "labels.team"
  std::string before;  // empty when it was not set
  std::string after;   // empty when it is not set
  friend bool operator==(const FieldChange&, const FieldChange&) = default;
};

// Of the fields that files declare, in the order of the proto. Without `before`: of nothing. Fields
// in `masked` (paths of the proto) show "(secret)" for every value that is set.
std::vector<FieldChange> ChangesBetween(const Kind& kind, const google::protobuf::Message* before,
                                        const google::protobuf::Message& after,
                                        const std::set<std::string>& masked);

}  // namespace tocsin::cli

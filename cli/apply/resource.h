// One thing that a file declares.
#pragma once

#include <google/protobuf/message.h>

#include <map>
#include <memory>
#include <set>
#include <string>

#include "absl/strings/string_view.h"
#include "cli/apply/faults.h"
#include "cli/apply/kind.h"

namespace tocsin::cli {

struct Resource {
  const Kind* kind = nullptr;
  std::string project = "";  // the id
  std::string id = "";
  // What the file says, without name; references are full names.
  std::unique_ptr<google::protobuf::Message> wanted;
  std::string secret = "";  // of the field Kind::secret; empty without one
  Place place = {};
  // Where each field stands, by its path in the proto, e.g. "schedule.cron.expression".
  std::map<std::string, Place> places = {};
  // Fields of the message whose values came from elsewhere and are not shown.
  std::set<std::string> masked = {};

  std::string Parent() const { return "projects/" + project; }
  std::string Name() const { return Parent() + "/" + kind->collection + "/" + id; }
  // "monitor payments/backup".
  std::string Title() const { return kind->word + " " + project + "/" + id; }
  // Of the field, or of the nearest that is around it.
  const Place& PlaceOf(absl::string_view proto_path) const;
};

}  // namespace tocsin::cli

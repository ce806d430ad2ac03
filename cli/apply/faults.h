// What is wrong with files, all of it: each fault with its place. Not thread-safe.
#pragma once

#include <string>
#include <vector>

#include "absl/strings/string_view.h"

namespace tocsin::cli {

// A position in a file; lines and columns count from 1. Line 0: the file as a whole.
struct Place {
  std::string file = "";
  int line = 0;
  int column = 0;
};

// "monitors.yaml:3:5", or "monitors.yaml".
std::string Show(const Place& place);

class Faults {
 public:
  // `field` is a path as the file has it, e.g. "schedule.cron.expression"; it may be empty.
  // `what` says what is wrong and what would be accepted.
  void Add(const Place& place, absl::string_view field, absl::string_view what);

  bool empty() const { return faults_.empty(); }
  size_t size() const { return faults_.size(); }
  // A line for each, "FILE:LINE:COLUMN: FIELD: WHAT", without control characters, in the order of
  // their places. Files keep the order in which they were first found to be faulty.
  std::string ToString() const;

 private:
  struct Fault {
    Place place;
    std::string text;
  };
  std::vector<Fault> faults_;
};

}  // namespace tocsin::cli

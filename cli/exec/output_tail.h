// The end of what a command puts out.
#pragma once

#include <cstddef>
#include <string>

#include "absl/strings/string_view.h"

namespace tocsin::cli {

// Keeps the last `most` bytes that were appended, and never holds much more than twice as many.
class OutputTail {
 public:
  explicit OutputTail(size_t most) : most_(most) {}

  void Append(absl::string_view bytes);
  // At most `most` bytes, in the order in which they came.
  std::string bytes() const;

 private:
  size_t most_;
  std::string kept_;
};

}  // namespace tocsin::cli

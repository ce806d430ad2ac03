// The parameters of one statement: scalars as text, then arrays and bytes as binary.
#pragma once

#include <cstdint>
#include <list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "services/core/store/pg/binary_array.h"

namespace tocsin::core::pg {

// A time as PostgreSQL reads it, in UTC.
std::string TimeText(absl::Time time);

// A time that columns keep; the infinities, which stand for "never", are NULL there.
inline std::optional<absl::Time> KnownTime(absl::Time time) {
  if (time == absl::InfinitePast() || time == absl::InfiniteFuture()) return std::nullopt;
  return time;
}

// Scalars take the numbers $1…, in the order of their calls; arrays and bytes take the numbers
// after the last scalar. Statements cast every parameter.
class Params {
 public:
  Params() = default;
  Params(const Params&) = delete;
  Params& operator=(const Params&) = delete;

  Params& Int(int64_t value) { return Text(std::to_string(value)); }
  Params& Bool(bool value) { return Text(value ? "t" : "f"); }
  Params& Text(std::string value) {
    has_nul_ |= value.find('\0') != std::string::npos;
    text_.push_back(std::move(value));
    pointers_.push_back(text_.back().c_str());
    return *this;
  }
  Params& Time(absl::Time value) { return Text(TimeText(value)); }
  Params& Null() {
    pointers_.push_back(nullptr);
    return *this;
  }
  Params& TextOrNull(const std::optional<std::string>& value) {
    return value ? Text(*value) : Null();
  }
  Params& TimeOrNull(const std::optional<absl::Time>& value) {
    return value ? Time(*value) : Null();
  }
  Params& DoubleOrNull(const std::optional<double>& value) {
    return value ? Text(absl::StrFormat("%.17g", *value)) : Null();
  }
  Params& IntOrNull(const std::optional<int64_t>& value) { return value ? Int(*value) : Null(); }
  template <typename Enum>
  Params& EnumOrNull(const std::optional<Enum>& value) {
    return value ? Int(static_cast<int64_t>(*value)) : Null();
  }

  Params& Array(BinaryArray array) { return Bytes(std::move(array).Finish()); }
  Params& Bytes(std::string bytes) {
    binary_.push_back(std::move(bytes));
    return *this;
  }
  template <typename Keys>
  Params& Keys8(const Keys& keys) {
    BinaryArray array(ElementType::kInt8, keys.size());
    for (int64_t key : keys) array.AddInt8(key);
    return Array(std::move(array));
  }

  // Text with a NUL, which the protocol would cut there.
  bool has_nul() const { return has_nul_; }
  const std::vector<const char*>& text() const { return pointers_; }
  const std::vector<std::string>& binary() const { return binary_; }

 private:
  std::list<std::string> text_;  // a list: the pointers stay valid
  std::vector<const char*> pointers_;
  std::vector<std::string> binary_;
  bool has_nul_ = false;
};

}  // namespace tocsin::core::pg

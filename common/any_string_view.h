// A string_view that every kind of string converts to, and that converts to every kind.
//
// Debian builds Abseil with its own absl::string_view, which neither converts to nor from
// std::string_view. Functions of common/ that are called from both worlds take this type.
#pragma once

#include <string>
#include <string_view>

#include "absl/strings/string_view.h"

namespace tocsin {

// Does not own its bytes: a parameter type, never a member.
class AnyStringView {
 public:
  AnyStringView(const char* s) : data_(s), size_(std::char_traits<char>::length(s)) {}
  AnyStringView(const std::string& s) : data_(s.data()), size_(s.size()) {}
  AnyStringView(std::string_view s) : data_(s.data()), size_(s.size()) {}
#ifndef ABSL_USES_STD_STRING_VIEW
  AnyStringView(::absl::string_view s) : data_(s.data()), size_(s.size()) {}
#endif

  const char* data() const { return data_; }
  size_t size() const { return size_; }
  std::string_view std() const { return {data_, size_}; }
  ::absl::string_view absl() const { return {data_, size_}; }
  std::string str() const { return std::string(data_, size_); }

 private:
  const char* data_;
  size_t size_;
};

}  // namespace tocsin

// Early return on errors. Named and shaped as Abseil's own, which its releases do not include.
#pragma once

#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace tocsin::status_internal {
inline absl::Status AsStatus(absl::Status s) { return s; }
template <typename T>
absl::Status AsStatus(absl::StatusOr<T> s) {
  return std::move(s).status();
}
}  // namespace tocsin::status_internal

#define TOCSIN_STATUS_CONCAT_INNER(a, b) a##b
#define TOCSIN_STATUS_CONCAT(a, b) TOCSIN_STATUS_CONCAT_INNER(a, b)

// RETURN_IF_ERROR(expr): evaluates an absl::Status (or StatusOr, whose value is dropped).
#define RETURN_IF_ERROR(...)                                                       \
  do {                                                                             \
    absl::Status tocsin_status = ::tocsin::status_internal::AsStatus(__VA_ARGS__); \
    if (!tocsin_status.ok()) return tocsin_status;                                 \
  } while (false)

// ASSIGN_OR_RETURN(lhs, expr): `lhs` may be a declaration (without a comma: use an alias, or auto).
// Returns the error of the StatusOr `expr`.
#define ASSIGN_OR_RETURN(lhs, ...) \
  TOCSIN_ASSIGN_OR_RETURN_INNER(TOCSIN_STATUS_CONCAT(tocsin_statusor_, __LINE__), lhs, __VA_ARGS__)
#define TOCSIN_ASSIGN_OR_RETURN_INNER(tmp, lhs, ...) \
  auto tmp = (__VA_ARGS__);                          \
  if (!tmp.ok()) return std::move(tmp).status();     \
  lhs = *std::move(tmp)

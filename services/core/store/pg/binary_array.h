// Arrays in PostgreSQL's binary format, for parameters: one array carries a column of many rows.
//
// Format (src/backend/utils/adt/arrayfuncs.c, array_recv): int32 dimensions, int32 flags (1: has
// NULLs), uint32 element type, then for each dimension int32 size and int32 lower bound, then each
// element as int32 length (-1: NULL) and its bytes; all in network byte order.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "absl/time/time.h"

namespace tocsin::core::pg {

// Element types, from pg_type.dat: part of the protocol, the same in every version.
enum class ElementType : uint32_t {
  kBool = 16,
  kBytea = 17,
  kInt8 = 20,
  kInt2 = 21,
  kInt4 = 23,
  kText = 25,
  kFloat8 = 701,
  kTimestamptz = 1184,
};

// Microseconds since 2000-01-01 UTC; the infinities become PostgreSQL's.
int64_t ToPostgresMicros(absl::Time time);

// A push id as a bigint that sorts as the unsigned number does.
inline int64_t FromPushId(uint64_t push_id) {
  return static_cast<int64_t>(push_id ^ (uint64_t{1} << 63));
}
inline uint64_t ToPushId(int64_t stored) {
  return static_cast<uint64_t>(stored) ^ (uint64_t{1} << 63);
}

// Builds one array. Not thread-safe. Each Add must fit the element type given at the start.
class BinaryArray {
 public:
  explicit BinaryArray(ElementType type, size_t expected = 0);

  void AddInt8(int64_t value);
  void AddInt4(int32_t value);
  void AddInt2(int16_t value);
  void AddBool(bool value);
  void AddFloat8(double value);
  void AddTime(absl::Time value) { AddInt8(ToPostgresMicros(value)); }
  void AddBytes(std::string_view value);  // text and bytea
  void AddNull();
  void AddInt2OrNull(std::optional<int32_t> value) {
    value ? AddInt2(static_cast<int16_t>(*value)) : AddNull();
  }
  void AddFloat8OrNull(std::optional<double> value) { value ? AddFloat8(*value) : AddNull(); }
  void AddTimeOrNull(std::optional<absl::Time> value) { value ? AddTime(*value) : AddNull(); }
  // NULL when empty.
  void AddTextOrNull(std::string_view value) { value.empty() ? AddNull() : AddBytes(value); }

  int32_t size() const { return size_; }
  // The array; the builder is empty after it.
  std::string Finish() &&;

 private:
  std::string bytes_;
  int32_t size_ = 0;
  bool has_null_ = false;
};

}  // namespace tocsin::core::pg

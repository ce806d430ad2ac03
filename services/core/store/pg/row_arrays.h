// Rows as the columns of a statement that unnests them.
#pragma once

#include <initializer_list>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "services/core/store/pg/binary_array.h"
#include "services/core/store/pg/params.h"

namespace tocsin::core::pg {

// One array for each column. A row is written by Row() and then a value for every column, in
// order and of its type. Not thread-safe.
class RowArrays {
 public:
  RowArrays(std::initializer_list<ElementType> columns, size_t expected) {
    for (const ElementType column : columns) arrays_.emplace_back(column, expected);
  }

  RowArrays& Row() {
    column_ = 0;
    return *this;
  }
  RowArrays& Int8(int64_t value) { return Next().AddInt8(value), *this; }
  RowArrays& Int4(int64_t value) { return Next().AddInt4(static_cast<int32_t>(value)), *this; }
  RowArrays& Bool(bool value) { return Next().AddBool(value), *this; }
  RowArrays& Text(std::string_view value) { return Next().AddBytes(value), *this; }
  RowArrays& TextOrNull(std::string_view value) { return Next().AddTextOrNull(value), *this; }
  RowArrays& Bytes(std::string_view value) { return Text(value); }
  RowArrays& BytesOrNull(std::string_view value) { return TextOrNull(value); }
  RowArrays& Time(absl::Time value) { return Next().AddTime(value), *this; }
  RowArrays& TimeOrNull(std::optional<absl::Time> value) {
    return Next().AddTimeOrNull(value), *this;
  }
  RowArrays& Float8OrNull(std::optional<double> value) {
    return Next().AddFloat8OrNull(value), *this;
  }
  RowArrays& Int2OrNull(std::optional<int32_t> value) { return Next().AddInt2OrNull(value), *this; }
  RowArrays& Int8OrNull(std::optional<int64_t> value) {
    value ? Next().AddInt8(*value) : Next().AddNull();
    return *this;
  }
  // An enum, as smallint.
  template <typename Enum>
  RowArrays& Enum2(Enum value) {
    return Next().AddInt2(static_cast<int16_t>(value)), *this;
  }
  template <typename Enum>
  RowArrays& Enum2OrNull(std::optional<Enum> value) {
    value ? Next().AddInt2(static_cast<int16_t>(*value)) : Next().AddNull();
    return *this;
  }

  // Appends the arrays to `params`, in order.
  void MoveTo(Params& params) && {
    for (BinaryArray& array : arrays_) params.Array(std::move(array));
  }

 private:
  BinaryArray& Next() { return arrays_[column_++]; }

  std::vector<BinaryArray> arrays_;
  size_t column_ = 0;
};

}  // namespace tocsin::core::pg

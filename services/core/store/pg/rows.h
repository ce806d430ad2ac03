// What a statement returned, read column by column in the order that it names them.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "services/core/store/pg/pqxx_compat.h"

namespace tocsin::core::pg {

class Rows;

// Reads the columns of one row from left to right. A value that does not parse reads as the
// type's default and spoils the Rows (see status()). Lives no longer than its Rows.
class Row {
 public:
  int64_t Int() { return ParseInt(Next()); }
  int32_t Int32() { return static_cast<int32_t>(Int()); }
  template <typename Enum>
  Enum As() {
    return static_cast<Enum>(Int());
  }
  bool Bool() { return Next() == "t"; }
  double Double() { return ParseDouble(Next()); }
  std::string Text() { return std::string(Next()); }  // NULL reads as empty
  std::string Bytes() { return ParseBytes(Next()); }
  absl::Time Time() { return ParseTime(Next()); }
  absl::Time TimeOr(absl::Time when_null);
  std::optional<absl::Time> MaybeTime();
  std::optional<int64_t> MaybeInt();
  std::optional<double> MaybeDouble();
  // Whether the next column is NULL; reads nothing.
  bool NextIsNull() const;
  void Skip(int columns = 1) { next_ += columns; }

 private:
  friend class Rows;
  Row(Rows* rows, int row);

  std::string_view Next();
  int64_t ParseInt(std::string_view text);
  double ParseDouble(std::string_view text);
  std::string ParseBytes(std::string_view text);
  absl::Time ParseTime(std::string_view text);

  Rows* rows_;
  // A field holds its result by counts that processors must agree on: one that moves on costs an
  // eighth of one for each column (see docs/performance.md).
  pqxx::const_row_iterator next_;
};

class Rows {
 public:
  Rows() = default;
  explicit Rows(pqxx::result result)
      : result_(std::move(result)), size_(static_cast<int>(result_.size())) {}

  int size() const { return size_; }
  bool empty() const { return size_ == 0; }
  Row at(int row) { return Row(this, row); }
  // How many rows the statement wrote.
  int64_t affected() const { return static_cast<int64_t>(result_.affected_rows()); }
  // DATA_LOSS when a value that was read did not have the form expected.
  absl::Status status() const;

 private:
  friend class Row;
  pqxx::result result_;
  int size_ = 0;
  bool spoiled_ = false;
};

inline Row::Row(Rows* rows, int row) : rows_(rows), next_(rows->result_[row].begin()) {}

// Reads "2026-01-31 12:00:00.123456+00" (as sent with DateStyle ISO and time zone UTC) and the
// infinities; nullopt for anything else.
std::optional<absl::Time> ParsePostgresTime(std::string_view text);

}  // namespace tocsin::core::pg

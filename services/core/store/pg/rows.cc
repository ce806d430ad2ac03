// Parses the text forms in which PostgreSQL sends values.
#include "services/core/store/pg/rows.h"

#include <charconv>

#include "absl/strings/escaping.h"
#include "absl/time/civil_time.h"

namespace tocsin::core::pg {
namespace {

// Takes digits from the front of `text`; false when there are none.
bool TakeNumber(std::string_view& text, int64_t& value) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return false;
  text.remove_prefix(end - text.data());
  return true;
}

bool TakeChar(std::string_view& text, char c) {
  if (text.empty() || text.front() != c) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::optional<absl::Time> ParsePostgresTime(std::string_view text) {
  if (text == "infinity") return absl::InfiniteFuture();
  if (text == "-infinity") return absl::InfinitePast();
  int64_t year, month, day, hour, minute, second, micros = 0;
  if (!TakeNumber(text, year) || !TakeChar(text, '-') || !TakeNumber(text, month) ||
      !TakeChar(text, '-') || !TakeNumber(text, day) || !TakeChar(text, ' ') ||
      !TakeNumber(text, hour) || !TakeChar(text, ':') || !TakeNumber(text, minute) ||
      !TakeChar(text, ':') || !TakeNumber(text, second)) {
    return std::nullopt;
  }
  if (TakeChar(text, '.')) {
    const size_t before = text.size();
    if (!TakeNumber(text, micros)) return std::nullopt;
    for (size_t digits = before - text.size(); digits < 6; ++digits) micros *= 10;
  }
  if (text != "+00") return std::nullopt;
  return absl::FromCivil(absl::CivilSecond(year, month, day, hour, minute, second),
                         absl::UTCTimeZone()) +
         absl::Microseconds(micros);
}

std::string_view Row::Next() {
  const std::string_view text{next_->c_str(), static_cast<size_t>(next_->size())};
  ++next_;
  return text;
}

bool Row::NextIsNull() const { return next_->is_null(); }

int64_t Row::ParseInt(std::string_view text) {
  int64_t value = 0;
  if (!TakeNumber(text, value) || !text.empty()) rows_->spoiled_ = true;
  return value;
}

double Row::ParseDouble(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) rows_->spoiled_ = true;
  return value;
}

std::string Row::ParseBytes(std::string_view text) {
  if (text.substr(0, 2) != "\\x") {
    rows_->spoiled_ = true;
    return "";
  }
  return absl::HexStringToBytes(std::string(text.substr(2)));
}

absl::Time Row::ParseTime(std::string_view text) {
  const std::optional<absl::Time> time = ParsePostgresTime(text);
  if (!time) rows_->spoiled_ = true;
  return time.value_or(absl::UnixEpoch());
}

absl::Time Row::TimeOr(absl::Time when_null) { return MaybeTime().value_or(when_null); }

std::optional<absl::Time> Row::MaybeTime() {
  if (NextIsNull()) {
    Skip();
    return std::nullopt;
  }
  return Time();
}

std::optional<int64_t> Row::MaybeInt() {
  if (NextIsNull()) {
    Skip();
    return std::nullopt;
  }
  return Int();
}

std::optional<double> Row::MaybeDouble() {
  if (NextIsNull()) {
    Skip();
    return std::nullopt;
  }
  return Double();
}

absl::Status Rows::status() const {
  if (!spoiled_) return absl::OkStatus();
  return absl::DataLossError("the database returned a value that is not of its column's form");
}

}  // namespace tocsin::core::pg
